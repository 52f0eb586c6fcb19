#!/usr/bin/env python3
"""Whole conversions against `cp`, against the unavoidable work alone, and against peers that are on PATH; in one run.

python3 benches/compare.py [--work DIR] [--runs 3] [--mib 512] [--tiles [--only]] [--write]
Needs numpy and tifffile (for the inputs), and release builds: cargo build --release -p fairzarr -p fairzarr-benches

Each command runs as a process of its own, after one warm-up, in turns; the figures are medians of CPU seconds (user and
system), wall seconds, and peak resident memory. With --write the table goes to benches/results/DATE.md.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--work", default=None, help="directory for inputs and outputs (several GiB)")
parser.add_argument("--target", default=os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
parser.add_argument("--runs", type=int, default=3)
parser.add_argument("--mib", type=int, default=512)
parser.add_argument("--large", type=int, default=0, help="MiB of a further, larger input for the memory figure")
parser.add_argument("--tiles", action="store_true", help="also tiles moved as they are, and checksums; needs imagecodecs")
parser.add_argument("--only", action="store_true", help="with --tiles: nothing else")
parser.add_argument("--peers", action="store_true", help="also run peers that are on PATH")
parser.add_argument("--write", action="store_true")
args = parser.parse_args()

work = pathlib.Path(args.work or tempfile.mkdtemp(prefix="fairzarr-bench-"))
work.mkdir(parents=True, exist_ok=True)
release = pathlib.Path(args.target) / "release"
fairzarr, limit = str(release / "fairzarr"), str(release / "limit")


def source(name, *options):
    path = work / f"{name}.ome.tiff"
    if not path.exists():
        subprocess.run([sys.executable, HERE / "make_input.py", path, *options], check=True)
    return str(path)


def once(command, output):
    """CPU seconds, wall seconds and peak MiB of one process."""
    if output:
        shutil.rmtree(output, ignore_errors=True)
        pathlib.Path(output).unlink(missing_ok=True) if os.path.isfile(output) else None
    start = datetime.datetime.now()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    text = child.stdout.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    wall = (datetime.datetime.now() - start).total_seconds()
    if status:
        raise SystemExit(f"{command} ended with status {status}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, text


rows = []


def measure(cases):
    """Runs the cases in turns, so that a machine that slows down slows all of them."""
    found = {name: [] for name, _, _ in cases}
    for n in range(args.runs + 1):
        for name, command, output in cases:
            result = once(command, output)
            if n:
                found[name].append(result)
    for name, _, _ in cases:
        cpu, wall, peak = (statistics.median(run[k] for run in found[name]) for k in range(3))
        rows.append((name, cpu, wall, peak))
        print(f"{name:<58} {cpu:8.2f} CPU s {wall:8.2f} s {peak:8.0f} MiB", flush=True)
    return {name: [statistics.median(run[k] for run in found[name]) for k in range(2)] for name, _, _ in cases}


size = ["--mib", str(args.mib)]
inputs = {} if args.only else {
    "uncompressed tiles": source(f"none-{args.mib}", *size),
    "Deflate tiles": source(f"deflate-{args.mib}", *size, "--compression", "deflate"),
    "uncompressed strips": source(f"strips-{args.mib}", *size, "--tile", "0"),
}
out = str(work / "out.ome.zarr")
quiet = ["--preset", "fast", "--durability", "none", "--jobs", "2"]
ratios = []
for label, path in inputs.items():
    cases = [
        (f"{label}: cp", ["cp", path, str(work / "copy")], str(work / "copy")),
        (f"{label}: unavoidable work", [limit, path, str(work / "limit"), "2"], str(work / "limit")),
        (f"{label}: unavoidable work, 64 chunks a file", [limit, path, str(work / "limit"), "2", "64"], str(work / "limit")),
        (f"{label}: fairzarr", [fairzarr, "convert", path, out, *quiet], out),
        (f"{label}: fairzarr, sharded", [fairzarr, "convert", path, out, *quiet, "--shard", "4096,4096"], out),
        (f"{label}: fairzarr, defaults", [fairzarr, "convert", path, out, "--jobs", "2"], out),
    ]
    found = measure(cases)
    for suffix, peer in (("", "unavoidable work"), (", sharded", "unavoidable work, 64 chunks a file")):
        ratio = found[f"{label}: fairzarr{suffix}"][0] / found[f"{label}: {peer}"][0]
        ratios.append((f"{label}: fairzarr{suffix} / {peer}", ratio))
if args.tiles:
    # Against cp with and without waiting for the disk; the reduced levels are made and encoded in both.
    for label, name in (("Zstandard", "zstd"), ("Deflate", "deflate")):
        path = source(f"{name}-{args.mib}", *size, "--compression", name)
        copy, moved = str(work / "copy"), [fairzarr, "convert", path, out, "--chunk", "source", "--preset", "fast", "--jobs", "2"]
        shards = ["--shard", "4096,4096"]
        cached = ["--durability", "none"]
        found = measure([
            (f"{label} tiles: cp", ["cp", path, copy], copy),
            (f"{label} tiles: cp and sync", ["sh", "-c", 'cp "$0" "$1" && sync -f "$1"', path, copy], copy),
            (f"{label} tiles: moved", [*moved, *cached], out),
            (f"{label} tiles: moved, sharded", [*moved, *cached, *shards], out),
            (f"{label} tiles: moved, sharded, to the disk", [*moved, *shards], out),
            (f"{label} tiles: moved, sharded, SHA-256", [*moved, *cached, *shards, "--source-checksum", "sha256"], out),
            (f"{label} tiles: moved, sharded, BLAKE3", [*moved, *cached, *shards, "--source-checksum", "blake3"], out),
            (f"{label} tiles: encoded again, sharded", [fairzarr, "convert", path, out, *quiet, *shards], out),
        ])
        for moved, peer in (("moved, sharded", "cp"), ("moved, sharded, to the disk", "cp and sync")):
            ratio = found[f"{label} tiles: {peer}"][1] / found[f"{label} tiles: {moved}"][1]
            ratios.append((f"{label} tiles: speed of {moved} / {peer} (wall)", ratio))
        for checksum in ("SHA-256", "BLAKE3"):
            ratio = found[f"{label} tiles: moved, sharded, {checksum}"][0] / found[f"{label} tiles: moved, sharded"][0]
            ratios.append((f"{label} tiles: with {checksum} / without", ratio))
if args.large:
    path = source(f"none-{args.large}", "--mib", str(args.large))
    measure([(f"uncompressed tiles, {args.large} MiB: fairzarr", [fairzarr, "convert", path, out, *quiet], out)])
if args.peers:
    path = inputs["uncompressed tiles"]
    peers = [
        ("bioformats2raw", ["bioformats2raw", path, out]),
        ("ngff-zarr", ["ngff-zarr", "-i", path, "-o", out]),
        ("eubi", ["eubi", "to_zarr", path, out]),
        ("bioio-convert", ["bioio-convert", "-s", path, "-d", out]),
    ]
    installed = [(f"peer: {name}", command, out) for name, command in peers if shutil.which(name)]
    if installed:
        measure(installed)

lines = [
    f"# {datetime.date.today()}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores, {args.mib} MiB, median of {args.runs}",
    "",
    "| command | CPU s | wall s | peak MiB |",
    "| --- | ---: | ---: | ---: |",
    *(f"| {name} | {cpu:.2f} | {wall:.2f} | {peak:.0f} |" for name, cpu, wall, peak in rows),
    "",
    "| ratio of CPU time, if not said otherwise | |",
    "| --- | ---: |",
    *(f"| {name} | {ratio:.2f} |" for name, ratio in ratios),
]
print("\n".join(lines))
if args.write:
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    name = f"{datetime.date.today()}-tiles.md" if args.only else f"{datetime.date.today()}.md"
    (results / name).write_text("\n".join(lines) + "\n")
