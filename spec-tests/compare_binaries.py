#!/usr/bin/env python3
"""Compares two builds of fairzarr: the same files, the same words, the same exit codes.

    spec-tests/compare_binaries.py REFERENCE CANDIDATE [--inputs PATH ...] [--documents PATH ...]
    spec-tests/compare_binaries.py OLD NEW --inputs examples/data ../corpus --sample 400 --seed 1 --jobs 2

Both programs run the scenarios of `compare_scenarios.py`, each in an empty folder of its own, over every TIFF and every
OME-Zarr found below the inputs, and over every document on microscopes found below `--documents`. Compared are the exit code and
both outputs of each step, line by line, and in the end all files, byte for byte. Times and speeds are masked, nothing else.

What the reference does not do alike three times is unsteady and not held against the candidate. What differs on
purpose is listed in `compare_exceptions.txt`, each with its reason. Exit code 0: no other differences; 1: some.

Python's standard library is all it needs.
"""

import argparse
import collections
import concurrent.futures
import difflib
import fnmatch
import hashlib
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import compare_scenarios as scenarios

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
DATA = ROOT / "crates/nbo/tests/data"
FILES = {
    "sample": ROOT / "examples/data/cells.ome.tiff",
    "microscope": DATA / "abif_axiovert1_.json",
    "settings": DATA / "derived_settings_axiovert1.json",
    "psf": DATA / "psf-beads.yaml",
}
TIFF_ENDINGS = (".tif", ".tiff", ".btf", ".tf2", ".tf8", ".companion.ome")
DOCUMENT_ENDINGS = (".json", ".xml", ".yaml", ".yml")
STORE_DOCUMENTS = ("zarr.json", ".zgroup", ".zattrs")
# A conversion's plan and journal are the program's own and gone when it is complete.
WORKSPACE = ".fairzarr"
# Where the reference differs from itself, it is asked so often.
REPEATS = 2
MOST_DIFF_LINES = 24

MASKS = [
    (re.compile(r", limited by [\w ]+ \(\d+ % of [^)]* time\)"), ""),
    (re.compile(r"\b\d+\.\d+ s\b( \(\d+ MB/s\))?"), "# s"),
    (re.compile(r'"(seconds|seconds_left|bytes_per_second)": [\d.e+-]+'), r'"\1": #'),
]
# Times of the stages; their names stay.
STAGES = re.compile(r'("stats": \{)(.*?)(\n  \},?\n)', re.DOTALL)
# The number of the process in the name of a file that is not finished.
PROCESS = re.compile(r"\.\d+\.unfinished\b")


def main():
    args = arguments()
    exceptions = Exceptions.read(args.exceptions)
    inputs = collect(args)
    pairs = [
        (scenario, path)
        for scenario in scenarios.SCENARIOS
        if fnmatch.fnmatch(scenario.name, args.scenario)
        for path in inputs[scenario.kind]
    ]
    for kind, paths in inputs.items():
        if kind != scenarios.NOTHING:
            print(f"{len(paths)} inputs of kind {kind}")
    if args.sample:
        pairs = sample(pairs, args.sample, args.seed)
    print(f"{len(pairs)} cases, {args.jobs} at a time")
    bench = Bench(args)
    total = Total()
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(bench.case, *pair) for pair in pairs]):
            total.add(done.result(), exceptions, args.show)
            if args.verbose and total.cases % 50 == 0:
                print(f"... {total.cases} cases, {time.monotonic() - start:.0f} s", flush=True)
    total.summary(exceptions)
    return 1 if total.different else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=pathlib.Path)
    parser.add_argument("candidate", type=pathlib.Path)
    own = [ROOT / "examples/data", ROOT / "crates/ome-tiff/tests/data", HERE / "data/golden"]
    parser.add_argument("--inputs", nargs="*", type=pathlib.Path, default=[path for path in own if path.exists()],
                        help="files, stores, and folders of such [default: those of this repository]")
    parser.add_argument("--documents", nargs="*", type=pathlib.Path, default=[DATA], help="folders of documents on microscopes and quality control")
    parser.add_argument("--scenario", default="*", help="only those whose name matches this pattern")
    parser.add_argument("--sample", type=int, help="only so many cases, spread over the scenarios")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--exceptions", type=pathlib.Path, default=HERE / "compare_exceptions.txt")
    parser.add_argument("--timeout", type=float, default=180, help="seconds that a step may take")
    parser.add_argument("--show", type=int, default=40, help="how many differences are printed in full")
    parser.add_argument("--scratch", type=pathlib.Path, help="where to work [default: the system's temporary folder]")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    for program in (args.reference, args.candidate):
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not a program")
    return args


def collect(args):
    """Inputs by kind."""
    found = {scenarios.TIFF: set(), scenarios.STORE: set(), scenarios.DOCUMENT: set(), scenarios.NOTHING: [None]}
    for top in args.inputs:
        for path in walk(top, found[scenarios.STORE]):
            if path.name.lower().endswith(TIFF_ENDINGS):
                found[scenarios.TIFF].add(path)
            elif path.name.lower().endswith(".ozx"):
                found[scenarios.STORE].add(path)
    for top in args.documents:
        for path in walk(top, set()):
            if path.name.lower().endswith(DOCUMENT_ENDINGS):
                found[scenarios.DOCUMENT].add(path)
    return {kind: sorted(paths) if kind != scenarios.NOTHING else paths for kind, paths in found.items()}


def walk(top, stores):
    """Files below a folder; stores are put into `stores` and not entered."""
    top = top.resolve()
    if not top.exists():
        print(f"warning: {top} does not exist", file=sys.stderr)
    if top.is_file():
        yield top
    for folder, folders, files in os.walk(top):
        folder = pathlib.Path(folder)
        if any(name in files for name in STORE_DOCUMENTS):
            stores.add(folder)
            folders.clear()
            continue
        folders.sort()
        yield from (folder / name for name in files if (folder / name).is_file())


def sample(pairs, count, seed):
    """`count` cases, from every scenario about as many."""
    dice = random.Random(seed)
    by_scenario = collections.defaultdict(list)
    for pair in pairs:
        by_scenario[pair[0].name].append(pair)
    for group in by_scenario.values():
        dice.shuffle(group)
    chosen = []
    while len(chosen) < count and by_scenario:
        for name in list(by_scenario):
            chosen.append(by_scenario[name].pop())
            if not by_scenario[name]:
                del by_scenario[name]
    return chosen[:count]


class Bench:
    """Runs scenarios with both programs."""

    def __init__(self, args):
        self.programs = args.reference.resolve(), args.candidate.resolve()
        self.timeout = args.timeout
        self.scratch = args.scratch

    def case(self, scenario, path):
        """What differs, what is unsteady, and how much was compared."""
        reference, candidate = (self.run(program, scenario, path) for program in self.programs)
        differences = compare(reference, candidate)
        unsteady = set()
        for _ in range(REPEATS):
            if all(difference[0] in unsteady for difference in differences):
                break
            again = compare(reference, self.run(self.programs[0], scenario, path))
            unsteady |= {difference[0] for difference in again}
        return Result(scenario.name, path, [d for d in differences if d[0] not in unsteady], unsteady, [step[3] for step in reference.outputs], len(reference.files))

    def run(self, program, scenario, path):
        with tempfile.TemporaryDirectory(prefix="fairzarr-compare-", dir=self.scratch) as folder:
            folder = pathlib.Path(folder)
            outputs = [self.step(program, step, path, folder) for step in scenario.steps]
            return Run(outputs, tree(folder))

    def step(self, program, step, path, folder):
        if step.startswith("@"):
            change, target = step[1:].split()
            CHANGES[change](folder / target)
            return step, "", "", 0
        names = {**FILES, "in": path}
        words = [re.sub(r"\{(\w+)\}", lambda name: str(names[name[1]]), word) for word in shlex.split(step)]
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "LC_ALL": "C", "NO_COLOR": "1", "COLUMNS": "100"}
        try:
            done = subprocess.run([program, *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=self.timeout, check=False)
            out, err, code = done.stdout, done.stderr, done.returncode
        except subprocess.TimeoutExpired:
            out, err, code = b"", b"", "none: it took too long"
        text = (mask(text.decode("utf-8", "replace"), folder, program) for text in (out, err))
        return step, *text, code


def mask(text, folder, program):
    """An output without what is another one in each run."""
    text = text.replace(str(folder), "FOLDER").replace(str(program), "PROGRAM").replace(f"Usage: {program.name} ", "Usage: fairzarr ")
    text = STAGES.sub(lambda found: found[1] + re.sub(r": [\d.e+-]+", ": #", found[2]) + found[3], text)
    for pattern, by in MASKS:
        text = pattern.sub(by, text)
    return PROCESS.sub(".#.unfinished", text)


class Run:
    """What one program did: step, outputs and exit code of each step; the files that are left."""

    def __init__(self, outputs, files):
        self.outputs = outputs
        self.files = files


def tree(folder):
    """Every file with its bytes if they are few and else their digest, every empty folder."""
    files = {}
    for place, folders, names in os.walk(folder):
        place = pathlib.Path(place)
        if WORKSPACE in folders:
            folders.remove(WORKSPACE)
        for name in names:
            data = (place / name).read_bytes()
            files[str((place / name).relative_to(folder))] = data if len(data) < 1 << 20 else hashlib.sha256(data).digest()
        if not names and not folders and place != folder:
            files[f"{place.relative_to(folder)}/"] = b""
    return files


def compare(reference, candidate):
    """Places that differ, each with what is to be seen there."""
    differences = []
    for number, (old, new) in enumerate(zip(reference.outputs, candidate.outputs)):
        step = f"step {number + 1} ({old[0]})"
        for what, index in (("stdout", 1), ("stderr", 2)):
            if old[index] != new[index]:
                differences.append((f"{step} {what}", diff(old[index], new[index])))
        if old[3] != new[3]:
            differences.append((f"{step} exit code", f"-{old[3]}\n+{new[3]}"))
    for name in sorted({*reference.files, *candidate.files}):
        old, new = reference.files.get(name), candidate.files.get(name)
        if old != new:
            differences.append((f"file {name}", contents(old, new), old, new))
    return differences


def contents(old, new):
    if old is None:
        return "+only the candidate writes it"
    if new is None:
        return "-only the reference writes it"
    try:
        return diff(old.decode(), new.decode())
    except UnicodeDecodeError:
        first = next((n for n, pair in enumerate(zip(old, new)) if pair[0] != pair[1]), min(len(old), len(new)))
        return f"-{len(old)} bytes\n+{len(new)} bytes\n first difference at byte {first}"


def diff(old, new):
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


class Result:
    """The outcome of one case."""

    def __init__(self, scenario, path, differences, unsteady, codes, files):
        self.scenario, self.path, self.differences, self.unsteady = scenario, path, differences, unsteady
        self.codes, self.files = codes, files


class Exceptions:
    """Differences that are meant. `attribute | name | reason` is a member of JSON documents in stores that may differ, its name as a
    shell pattern. Else, one a line: scenario | input | place | text | reason, the first three as shell patterns
    (of the whole path, of the place as it is printed), the text as a regular expression that every changed line has to match."""

    def __init__(self, rules, attributes):
        self.rules, self.attributes = rules, attributes
        self.used = collections.Counter()

    @classmethod
    def read(cls, path):
        rules, attributes = [], []
        lines = path.read_text().splitlines() if path.exists() else []
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            fields = [field.strip() for field in re.split(r"\s\|\s", line)]
            if len(fields) == 3 and fields[0] == "attribute" and fields[2]:
                attributes.append((*fields[1:], number))
                continue
            if len(fields) != 5 or not fields[4]:
                sys.exit(f"{path}:{number}: an exception is: scenario | input | place | text | reason")
            rules.append((*fields[:3], re.compile(fields[3]), fields[4], number))
        return cls(rules, attributes)

    def accept_files(self, old, new):
        """Whether two JSON documents are the same but for attributes that may differ."""
        try:
            old, new = json.loads(old), json.loads(new)
        except (TypeError, ValueError):
            return False
        used = set()
        if self.without(old, used) != self.without(new, used):
            return False
        self.used.update(used)
        return True

    def without(self, value, used):
        if isinstance(value, list):
            return [self.without(item, used) for item in value]
        if not isinstance(value, dict):
            return value
        kept = {}
        for name, inner in value.items():
            rule = next((rule for rule in self.attributes if fnmatch.fnmatchcase(name, rule[0])), None)
            if rule:
                used.add((rule[2], rule[1]))
            else:
                kept[name] = self.without(inner, used)
        return kept

    def accept(self, scenario, path, place, shown):
        for rule_scenario, rule_input, rule_place, text, reason, number in self.rules:
            parts = ((scenario, rule_scenario), (str(path), rule_input), (place, rule_place))
            if all(fnmatch.fnmatchcase(value, pattern) for value, pattern in parts) and all(text.search(line) for line in shown.splitlines()):
                self.used[number, reason] += 1
                return True
        return False


class Total:
    """All outcomes together."""

    def __init__(self):
        self.cases = self.files = self.different = self.excepted = 0
        self.codes = collections.Counter()
        self.unsteady = collections.Counter()
        self.by_scenario = collections.Counter()
        self.lock = threading.Lock()

    def add(self, result, exceptions, show):
        with self.lock:
            self.cases += 1
            self.codes.update(result.codes)
            self.files += result.files
            for place in result.unsteady:
                self.unsteady[result.scenario, place.split(" ")[-1]] += 1
            left = [d[:2] for d in result.differences if not self.is_meant(result, d, exceptions)]
            self.excepted += len(result.differences) - len(left)
            if not left:
                return
            self.different += 1
            self.by_scenario[result.scenario] += 1
            if self.different > show:
                return
            print(f"\n{result.scenario}: {result.path}")
            for place, shown in left[:6]:
                lines = shown.splitlines()
                print(f"  {place}")
                for line in lines[:MOST_DIFF_LINES]:
                    print(f"    {line[:300]}")
                if len(lines) > MOST_DIFF_LINES:
                    print(f"    ... {len(lines)} lines")
            if len(left) > 6:
                print(f"  ... {len(left)} differences")
            sys.stdout.flush()

    @staticmethod
    def is_meant(result, difference, exceptions):
        place, shown, *files = difference
        return (files and exceptions.accept_files(*files)) or exceptions.accept(result.scenario, result.path, place, shown)

    def summary(self, exceptions):
        print(f"\n{self.cases} cases, {self.codes.total()} steps, {self.files} files: {self.cases - self.different} alike, {self.different} different")
        print("exit codes of the reference: " + ", ".join(f"{code} {count} times" for code, count in sorted(self.codes.items(), key=str)))
        for name, count in self.by_scenario.most_common():
            print(f"  {name}: {count} different")
        if self.excepted:
            print(f"{self.excepted} differences are meant:")
            for (number, reason), count in sorted(exceptions.used.items()):
                print(f"  {count} by line {number}: {reason}")
        rules = [(rule[5], rule[4]) for rule in exceptions.rules] + [(rule[2], rule[1]) for rule in exceptions.attributes]
        for number, reason in sorted(set(rules) - set(exceptions.used)):
            print(f"  line {number} was not needed: {reason}")
        if self.unsteady:
            print("unsteady in the reference itself, so not compared:")
            for (scenario, what), count in self.unsteady.most_common():
                print(f"  {scenario}: {what}, {count} times")


def chunks(store):
    """Objects that hold samples: neither documents nor what lies below OME."""
    files = (path for path in sorted(store.rglob("*")) if path.is_file() and "OME" not in path.parts)
    return [path for path in files if re.fullmatch(r"\d+(\.\d+)*", path.name)]


def change_object(store, change):
    found = chunks(store) if store.is_dir() else []
    if found:
        change(found[len(found) // 2])


def flip(path):
    data = bytearray(path.read_bytes())
    if data:
        data[len(data) // 2] ^= 0x10
        path.write_bytes(data)


def damage_metadata(store):
    """Turns a digit of the first scale of the root's metadata, or of the first document that has one."""
    names = ("zarr.json", ".zattrs")
    for path in sorted(path for path in store.rglob("*") if path.name in names):
        text = path.read_text()
        changed = re.sub(r'("scale":\s*\[[^\]]*?)([1-9])', r"\g<1>7\2", text, count=1)
        if changed != text:
            path.write_text(changed)
            return


CHANGES = {
    "damage-object": lambda store: change_object(store, flip),
    "remove-object": lambda store: change_object(store, lambda path: path.unlink()),
    "damage-metadata": damage_metadata,
}


if __name__ == "__main__":
    sys.exit(main())
