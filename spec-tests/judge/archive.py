"""Judges a migration by what is known of its archive.

usage: archive.py TRUTH.csv ARCHIVE TARGET [PROGRAM]

TARGET is what was migrated to, a folder or a prefix of an object store. TRUTH.csv has the columns path, category, dataset
and expect, which is ok, fail or notimage. Compared are the outcome of every path, which paths are one dataset, and what
`migrate deletable` lists. Prints counts and every difference; the exit code is 1 if there is one.
"""
import collections
import csv
import hashlib
import json
import os
import subprocess
import sys

truth_file, archive, target = sys.argv[1:4]
program = sys.argv[4] if len(sys.argv) > 4 else "fairzarr"


def lines(*words):
    return subprocess.run([program, *words], check=True, capture_output=True).stdout


def unescape(text):
    """The bytes of a name: what is no Unicode stands as \\xNN."""
    out, rest = b"", text.encode()
    while rest:
        if rest[:2] == b"\\\\":
            out, rest = out + b"\\", rest[2:]
        elif rest[:2] == b"\\x":
            out, rest = out + bytes([int(rest[2:4], 16)]), rest[4:]
        else:
            out, rest = out + rest[:1], rest[1:]
    return out


paths = {}
for line in lines("migrate", "report", target, "--paths").splitlines():
    entry = json.loads(line)
    paths[entry["path"]] = entry

wrong, outcomes, groups = [], collections.Counter(), collections.defaultdict(set)
with open(truth_file, newline="") as file:
    truth = list(csv.DictReader(file))
for row in truth:
    entry = paths.get(row["path"])
    if entry is None:
        wrong.append(f"{row['path']!r}: not found")
        continue
    of = paths.get(entry["link"], entry) if entry["role"] == "link" else entry
    states = {dataset["state"] for dataset in of["datasets"]}
    found = "notimage" if entry["role"] == "not-an-image" else "ok" if states == {"done"} else "fail"
    outcomes[row["category"], row["expect"], found] += 1
    if found != row["expect"]:
        wrong.append(f"{row['path']!r} ({row['category']}): expected {row['expect']}, found {found}: {entry}")
    if entry["role"] != "link":
        groups[row["dataset"]] |= {dataset["path"] for dataset in entry["datasets"]}
for dataset, entries in groups.items():
    if len(entries) > 1:
        wrong.append(f"dataset {dataset!r} is taken for {len(entries)}: {sorted(entries)}")

listed = {}
for line in lines("migrate", "deletable", target).split(b"\n")[:-1]:
    escaped = line.startswith(b"\\")
    digest, name = line.lstrip(b"\\")[:64].decode(), line.lstrip(b"\\")[66:] if escaped else line[66:]
    if escaped:
        name = name.replace(b"\\\\", b"\0").replace(b"\\n", b"\n").replace(b"\\r", b"\r").replace(b"\0", b"\\")
    listed[name] = digest
root = os.fsencode(os.path.realpath(archive))
expected = set()
for row in truth:
    path = root + b"/" + unescape(row["path"])
    if row["expect"] == "ok" and not os.path.islink(path):
        expected.add(path)
for path in sorted(set(listed) - expected):
    wrong.append(f"deletable, and must not be: {path!r}")
for path in sorted(expected - set(listed)):
    wrong.append(f"not deletable, and is proven: {path!r}")
for path, digest in listed.items():
    with open(path, "rb") as file:
        if hashlib.sha256(file.read()).hexdigest() != digest:
            wrong.append(f"deletable with another checksum: {path!r}")

for (category, expect, found), count in sorted(outcomes.items()):
    print(f"{count:5} {category:15} expected {expect:8} found {found}")
print(f"{len(truth)} paths, {len(groups)} datasets, {len(listed)} of {len(expected)} proven files listed as deletable")
for line in wrong:
    print("WRONG", line)
print(f"{len(wrong)} differences")
sys.exit(bool(wrong))
