#!/usr/bin/env python3
"""Whole conversions against `cp`, against the unavoidable work alone, and against peers that are on PATH; in one run.

python3 benches/compare.py [--work DIR] [--out DIR] [--runs 3] [--mib 512] [--large 4096] [--peers] [--tiles [--only]] [--flat] [--write]
Needs numpy and tifffile (for the inputs), and release builds: cargo build --release -p fairzarr -p fairzarr-benches

Each command runs as a process of its own, after one warm-up, in turns; the figures are medians of CPU seconds (user and
system), wall seconds, and peak resident memory. With --write the table goes to benches/results/DATE.md.

Inputs lie in --work and are kept but for those of --flat and --large; outputs go to --out and are removed. A file system in
memory (/dev/shm) is the place for them: on ext4, a quarter of the CPU time and more can be the kernel's search for free inodes
after the output of the run before was removed, and that is not what is measured here.

--flat: CPU time per GiB of pixels, from 64 MiB to 8 GiB and from 1 to 100,000 planes, and for a plate of 3,456 images.
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
parser.add_argument("--out", default=None, help="directory for outputs [default: --work]")
parser.add_argument("--target", default=os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
parser.add_argument("--runs", type=int, default=3)
parser.add_argument("--mib", type=int, default=512)
parser.add_argument("--large", type=int, default=0, help="MiB of a further, larger input for the memory figure")
parser.add_argument("--tiles", action="store_true", help="also tiles moved as they are, and checksums; needs imagecodecs")
parser.add_argument("--only", action="store_true", help="with --tiles: nothing else")
parser.add_argument("--peers", action="store_true", help="also run peers that are on PATH")
parser.add_argument("--flat", action="store_true", help="how the cost per pixel depends on the size (25 GiB of disk)")
parser.add_argument("--write", action="store_true")
args = parser.parse_args()

work = pathlib.Path(args.work or tempfile.mkdtemp(prefix="fairzarr-bench-"))
work.mkdir(parents=True, exist_ok=True)
outputs = pathlib.Path(args.out or work)
outputs.mkdir(parents=True, exist_ok=True)
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


def measure(cases, runs=args.runs, warm_up=1):
    """Runs the cases in turns, so that a machine that slows down slows all of them."""
    found = {name: [] for name, _, _ in cases}
    for n in range(warm_up + runs):
        for name, command, output in cases:
            result = once(command, output)
            if n >= warm_up:
                found[name].append(result)
    for name, _, _ in cases:
        cpu, wall, peak = (statistics.median(run[k] for run in found[name]) for k in range(3))
        rows.append((name, cpu, wall, peak))
        print(f"{name:<58} {cpu:8.2f} CPU s {wall:8.2f} s {peak:8.0f} MiB", flush=True)
    return {name: [statistics.median(run[k] for run in found[name]) for k in range(2)] for name, _, _ in cases}


out = str(outputs / "out.ome.zarr")
limit_out, copy_out = str(outputs / "limit"), str(outputs / "copy")
quiet = ["--preset", "fast", "--durability", "none", "--jobs", "2"]
ratios = []


def conversions():
    """The three kinds of sources, each against the unavoidable work on the same file."""
    size = ["--mib", str(args.mib)]
    inputs = {
        "uncompressed tiles": source(f"none-{args.mib}", *size),
        "Deflate tiles": source(f"deflate-{args.mib}", *size, "--compression", "deflate"),
        "uncompressed strips": source(f"strips-{args.mib}", *size, "--tile", "0"),
    }
    for label, path in inputs.items():
        cases = [
            (f"{label}: cp", ["cp", path, copy_out], copy_out),
            (f"{label}: unavoidable work", [limit, path, limit_out, "2"], limit_out),
            (f"{label}: unavoidable work, 64 chunks a file", [limit, path, limit_out, "2", "64"], limit_out),
            (f"{label}: fairzarr", [fairzarr, "convert", path, out, *quiet], out),
            (f"{label}: fairzarr, sharded", [fairzarr, "convert", path, out, *quiet, "--shard", "4096,4096"], out),
            (f"{label}: fairzarr, defaults", [fairzarr, "convert", path, out, "--jobs", "2"], out),
        ]
        found = measure(cases)
        for suffix, peer in (("", "unavoidable work"), (", sharded", "unavoidable work, 64 chunks a file")):
            ratio = found[f"{label}: fairzarr{suffix}"][0] / found[f"{label}: {peer}"][0]
            ratios.append((f"{label}: fairzarr{suffix} / {peer}", ratio))
    if args.peers:
        peers(inputs["uncompressed tiles"])


def tiles():
    """Tiles that are moved as they are, and checksums of the source; outputs beside the inputs, on the same disk."""
    # Against cp with and without waiting for the disk; the reduced levels are made and encoded in both.
    for label, name in (("Zstandard", "zstd"), ("Deflate", "deflate")):
        path = source(f"{name}-{args.mib}", "--mib", str(args.mib), "--compression", name)
        copy, out = str(work / "copy"), str(work / "out.ome.zarr")
        moved = [fairzarr, "convert", path, out, "--chunk", "source", "--preset", "fast", "--jobs", "2"]
        shards = ["--shard", "4096,4096"]
        cached = ["--durability", "none"]
        # Deflate data are always decoded.
        unseen = [
            (f"{label} tiles: moved, not decoded", [*moved, "--no-decode", *cached], out),
            (f"{label} tiles: moved, not decoded, sharded", [*moved, "--no-decode", *shards, *cached], out),
            (f"{label} tiles: moved, not decoded, to the disk", [*moved, "--no-decode"], out),
        ]
        found = measure([
            *(unseen if name == "zstd" else []),
            (f"{label} tiles: cp", ["cp", path, copy], copy),
            (f"{label} tiles: cp and sync", ["sh", "-c", 'cp "$0" "$1" && sync -f "$1"', path, copy], copy),
            (f"{label} tiles: moved", [*moved, *cached], out),
            (f"{label} tiles: moved, sharded", [*moved, *cached, *shards], out),
            (f"{label} tiles: moved, sharded, to the disk", [*moved, *shards], out),
            (f"{label} tiles: moved, sharded, SHA-256", [*moved, *cached, *shards, "--source-checksum", "sha256"], out),
            (f"{label} tiles: moved, sharded, BLAKE3", [*moved, *cached, *shards, "--source-checksum", "blake3"], out),
            (f"{label} tiles: encoded again, sharded", [fairzarr, "convert", path, out, *quiet, *shards], out),
        ])
        for moved, peer in (
            ("moved, not decoded", "cp"),
            ("moved, not decoded, sharded", "cp"),
            ("moved, not decoded, to the disk", "cp and sync"),
            ("moved, sharded", "cp"),
            ("moved, sharded, to the disk", "cp and sync"),
        ):
            if f"{label} tiles: {moved}" in found:
                ratio = found[f"{label} tiles: {peer}"][1] / found[f"{label} tiles: {moved}"][1]
                ratios.append((f"{label} tiles: speed of {moved} / {peer} (wall)", ratio))
        for checksum in ("SHA-256", "BLAKE3"):
            ratio = found[f"{label} tiles: moved, sharded, {checksum}"][0] / found[f"{label} tiles: moved, sharded"][0]
            ratios.append((f"{label} tiles: with {checksum} / without", ratio))
        pathlib.Path(copy).unlink(missing_ok=True)
        shutil.rmtree(out, ignore_errors=True)


def peers(path):
    """Other converters, as their users start them, on the uncompressed tiles."""
    known = [
        ("bioformats2raw", ["bioformats2raw", path, out]),
        ("ngff-zarr", ["ngff-zarr", "-i", path, "-o", out]),
        ("EuBI-Bridge", ["eubi", "to_zarr", path, out]),
        ("bioio-conversion", ["bioio-convert", path, "-d", str(outputs / "peer")]),
    ]
    places = {"bioio-conversion": str(outputs / "peer")}
    for name, command in known:
        if shutil.which(command[0]):
            try:
                measure([(f"peer: {name}", command, places.get(name, out))], 1, 0)
            except SystemExit as failed:
                print(f"{name} failed: {failed}", flush=True)
        else:
            print(f"{name} is not on PATH", flush=True)


def large():
    """The same image, larger: its peak memory must be that of the small one. Many chunks would be gathered into shards, so
    both are measured either way."""
    for shard in ("none", "4096,4096"):
        for mib in (args.mib or 512, args.large):
            path = source(f"none-{mib}", "--mib", str(mib))
            command = [fairzarr, "convert", path, out, *quiet, "--shard", shard]
            measure([(f"uncompressed tiles, {mib} MiB, --shard {shard}: fairzarr", command, out)], 1)
    pathlib.Path(path).unlink()


def flat():
    """CPU seconds per GiB of pixels, by the size of the image, the number of planes, and for a plate."""
    sizes = [(f"planes of 4096 x 4096, {mib} MiB", mib, ["--mib", str(mib)]) for mib in (64, 512, 4096, 8192)]
    small = ["--side", "256", "--tile", "256"]
    counts = [(f"{n:,} planes of 256 x 256", n / 8, [*small, "--planes", str(n)]) for n in (1, 100, 1000, 10_000, 100_000)]
    plates = [("a plate of 384 wells, 9 fields, 2 channels", 864, [*small, "--plate", "384,9"])]
    table = []
    for group in (sizes, counts, plates):
        first = None
        for name, mib, options in group:
            path = source("flat", *options)
            case = (name, [fairzarr, "convert", path, out, *quiet], out)
            found = measure([case], 3, 1) if mib < 2048 else measure([case], 1, 0)
            per_gib = found[name][0] / mib * 1024
            objects = sum(len(files) for _, _, files in os.walk(out))
            # One plane takes no longer than the program takes to start.
            first = first if first or mib < 10 else per_gib
            table.append((name, per_gib, per_gib / first if first else None, objects, rows[-1][3]))
            pathlib.Path(path).unlink()
            shutil.rmtree(out, ignore_errors=True)
    return table


if args.mib and not args.only:
    conversions()
if args.tiles:
    tiles()
if args.large:
    large()
by_size = flat() if args.flat else []
for place in (out, limit_out, str(outputs / "peer")):
    shutil.rmtree(place, ignore_errors=True)
pathlib.Path(copy_out).unlink(missing_ok=True)

lines = [
    f"# {datetime.date.today()}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores, {args.mib} MiB, median of {args.runs}",
    "",
    f"Outputs in {'memory' if str(outputs).startswith('/dev/shm') else 'a directory on disk'}; load of the machine at the end: {os.getloadavg()[1]:.1f}.",
    "",
    "| command | CPU s | wall s | peak MiB |",
    "| --- | ---: | ---: | ---: |",
    *(f"| {name} | {cpu:.2f} | {wall:.2f} | {peak:.0f} |" for name, cpu, wall, peak in rows),
    "",
    "| ratio of CPU time | |",
    "| --- | ---: |",
    *(f"| {name} | {ratio:.2f} |" for name, ratio in ratios),
]
if by_size:
    lines += [
        "",
        "| pixels | CPU s per GiB | to the smallest | objects | peak MiB |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {name} | {cost:.2f} | {'' if ratio is None else format(ratio, '.2f')} | {objects} | {peak:.0f} |"
            for name, cost, ratio, objects, peak in by_size
        ),
    ]
print("\n".join(lines))
if args.write:
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / f"{datetime.date.today()}.md").write_text("\n".join(lines) + "\n")
