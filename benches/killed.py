#!/usr/bin/env python3
"""Kills conversions at random moments, resumes them, and compares every byte with a conversion that nothing happened to.

python3 benches/killed.py [--work DIR] [--kills 50] [--seed 1] [--mib 64] [--binary PATH]
Needs numpy and tifffile for the input, and a build: cargo build --release -p fairzarr

Each target is killed (SIGKILL) once at a moment that is drawn evenly from the time of a whole conversion, and then resumed
until it is done; of every fifth target the resumption is killed too. Modes: encoded chunks in Zarr 2 and in shards, and the
source's tiles as they are. Ends with 1 when any file differs, is missing, or is one too many.
"""
import argparse
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--work", default=None)
parser.add_argument("--kills", type=int, default=50, help="of each mode")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--mib", type=int, default=64)
target = os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target")
parser.add_argument("--binary", default=str(pathlib.Path(target) / "release" / "fairzarr"))
args = parser.parse_args()

work = pathlib.Path(args.work or tempfile.mkdtemp(prefix="fairzarr-killed-"))
work.mkdir(parents=True, exist_ok=True)
source = work / f"deflate-{args.mib}.ome.tiff"
if not source.exists():
    size = ["--mib", str(args.mib), "--side", "2048", "--tile", "256", "--compression", "deflate"]
    subprocess.run([sys.executable, HERE / "make_input.py", source, *size], check=True)
modes = {
    "source tiles": ["--chunk", "source"],
    "source tiles in shards": ["--chunk", "source", "--shard", "1024,1024"],
    "encoded, Zarr 2": ["--ngff", "0.4", "--chunk", "256"],
    "encoded, shards": ["--chunk", "128", "--shard", "512,512"],
}


def tree(root):
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def start(store, options, *more):
    command = [args.binary, "convert", source, store, "--durability", "none", "--jobs", "2", *options, *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def whole(process):
    _, error = process.communicate()
    if process.returncode:
        raise SystemExit(f"a conversion ended with {process.returncode}: {error.decode()}")


def killed(process, moment):
    """Whether the signal came before the end."""
    time.sleep(moment)
    process.kill()
    process.communicate()
    return process.returncode < 0


random.seed(args.seed)
failed = 0
for name, options in modes.items():
    reference = work / "whole.zarr"
    shutil.rmtree(reference, ignore_errors=True)
    begin = time.monotonic()
    whole(start(reference, options))
    duration = time.monotonic() - begin
    expected = tree(reference)
    hits = again = different = tries = kept = 0
    while hits < args.kills:
        tries += 1
        store = work / "killed.zarr"
        shutil.rmtree(store, ignore_errors=True)
        if not killed(start(store, options), random.uniform(0, duration)):
            continue
        hits += 1
        kept += store.joinpath(".fairzarr/journal").exists()
        if hits % 5 == 0:
            again += killed(start(store, options, "--resume"), random.uniform(0, duration))
        process = start(store, options, "--resume")
        _, error = process.communicate()
        # Killed in its last moments, or resumed to the end just now, it is complete.
        if process.returncode and b"is complete" not in error:
            raise SystemExit(f"--resume ended with {process.returncode}: {error.decode()}")
        different += tree(store) != expected
    failed += different
    print(
        f"{name}: {hits} killed in {tries} tries within {duration:.2f} s, {kept} of them with finished units on record, "
        f"{again} killed again while resuming; {different} differ",
        flush=True,
    )
shutil.rmtree(work / "whole.zarr", ignore_errors=True)
shutil.rmtree(work / "killed.zarr", ignore_errors=True)
sys.exit(1 if failed else 0)
