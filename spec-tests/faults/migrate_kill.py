"""Kills a migration at random moments, again and again, and lets it go on. The last run must end as one that was never killed: the
same outcome for every dataset, the same bytes in every store, nothing left beside the stores, and the same list of originals that
may go.

    python migrate_kill.py --bin FAIRZARR [--seed 1] [--datasets 36] [--kills 50]

Needs numpy, tifffile and imagecodecs, which packs with Zstandard. The archive has datasets of all kinds: single files of several types and sizes, time series in pieces that
name each other, sets with a companion, names that collide, documents beside images, plain TIFF, links, a name that is no Unicode,
damaged and empty files, and what is no image. All is drawn from the seed. Some kills come while the list of originals is made, which
must leave the state as it was. Prints a line for each round that went wrong, and at the end what was killed and how far it had come;
the exit code is 1 if anything was wrong.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import tifffile

STATE = "fairzarr-migration.sqlite"
TYPES = ("uint8", "uint16", "int16", "float32")
ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{uuid}"><Image ID="Image:0" Name="{name}">
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="{x}" SizeY="{y}" SizeZ="1" SizeC="1" SizeT="{t}">
<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{planes}</Pixels></Image></OME>"""
DOCUMENT = """<NBO:OME xmlns:NBO="http://www.NamespaceTest.org/Schemas/NBO/2020-11">
<NBO:Image ID="Image:1" Name="{name}" AcquisitionDate="2024-03-14"/></NBO:OME>"""


def uuid(draw):
    return f"urn:uuid:{draw.getrandbits(32):08x}-0000-4000-8000-{draw.getrandbits(48):012x}"


def pixels(draw, shape, kind="uint16"):
    numbers = numpy.random.default_rng(draw.getrandbits(32)).integers(0, 200, shape)
    return numbers.astype(kind)


def single(draw, path):
    size = draw.choice([40, 120, 700])
    shape = [draw.randint(1, 3), draw.randint(1, 2), size, size + draw.randint(0, 50)]
    tiles = {"tile": (64, 64)} if draw.random() < 0.4 else {}
    packing = draw.choice([None, "zlib", "zstd"])
    tifffile.imwrite(path, pixels(draw, shape, draw.choice(TYPES)), ome=True, metadata={"axes": "ZCYX"}, compression=packing, **tiles)


def plain(draw, path):
    tifffile.imwrite(path.with_suffix("").with_suffix(".tif"), pixels(draw, [60, 70], "uint8"), photometric="minisblack")


def series(draw, path, companion=False):
    """Pieces of one time series: each says where all of them are, or a document beside them does."""
    count, y, x = draw.randint(2, 4), draw.randint(20, 90), draw.randint(20, 90)
    stem = path.name.split(".")[0]
    parts = [(path.with_name(f"{stem}_t{t}.ome.tif"), uuid(draw)) for t in range(count)]
    planes = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="1"><UUID FileName="{part.name}">{of}</UUID></TiffData>' for t, (part, of) in enumerate(parts)
    )
    whole = lambda of: ENVELOPE.format(uuid=of, name=stem, x=x, y=y, t=count, planes=planes)
    document = path.with_name(f"{stem}.companion.ome")
    for part, of in parts:
        text = f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{of}"><BinaryOnly MetadataFile="{document.name}" UUID="{of}"/></OME>'
        tifffile.imwrite(part, pixels(draw, [y, x]), description=text if companion else whole(of), metadata=None)
    if companion:
        document.write_text(whole(uuid(draw)))


def described(draw, path):
    single(draw, path)
    path.with_suffix(".xml").write_text(DOCUMENT.format(name=path.name))


def colliding(draw, path):
    for ending in (".ome.tif", ".ome.tiff", ".tif"):
        single(draw, path.with_name(path.name.split(".")[0] + ending))


def damaged(draw, path):
    single(draw, path)
    data = path.read_bytes()
    path.write_bytes(data[: draw.randint(0, len(data) - 1)])


def other(draw, path):
    path.write_bytes(draw.randbytes(draw.randint(0, 400)))
    path.with_suffix(".txt").write_text("about")


def odd(draw, path):
    single(draw, path)
    os.rename(path, os.fsencode(path.parent) + b"/odd-\xe9-" + os.fsencode(path.name))


def linked(draw, path):
    single(draw, path)
    path.with_name(f"link-{path.name}").symlink_to(path.name)
    path.with_name(f"lost-{path.name}").symlink_to("nowhere")


KINDS = (single, single, plain, series, lambda draw, path: series(draw, path, companion=True), described, colliding, damaged, other, odd, linked)


def archive(draw, folder, count):
    for n in range(count):
        place = folder / draw.choice(["", "a", "a/b", "c d"])
        place.mkdir(parents=True, exist_ok=True)
        KINDS[n % len(KINDS)](draw, place / f"image{n}.ome.tif")


def tree(target):
    """Every entry with its content, but the state."""
    found = {}
    for path in sorted(target.rglob("*")):
        name = str(path.relative_to(target))
        if not name.startswith(STATE):
            found[name] = "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def outcomes(program, target):
    """What the state says of every dataset, without times, and which originals may go."""
    ask = lambda *words: subprocess.run([program, "migrate", *words, target], check=True, capture_output=True).stdout
    keep = ("path", "target", "state", "class", "images", "objects", "stored_bytes")
    datasets = [{name: line.get(name) for name in keep} for line in map(json.loads, ask("report").splitlines())]
    return datasets, ask("deletable")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--bin", required=True)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--datasets", type=int, default=36)
    arguments.add_argument("--kills", type=int, default=50)
    options = arguments.parse_args()
    program, draw, wrong = str(Path(options.bin).resolve()), random.Random(options.seed), []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        source, whole, target = folder / "source", folder / "whole", folder / "target"
        source.mkdir()
        archive(draw, source, options.datasets)
        words = [program, "migrate", source]
        chosen = ["--sidecars", "auto", "--chunk", "64", "--progress", "none", "-q"]
        begun = time.monotonic()
        first = subprocess.run([*words, whole, *chosen], capture_output=True, text=True)
        took = time.monotonic() - begun
        assert first.returncode in (0, 7), first.stderr
        expected, listed = tree(whole), outcomes(program, whole)
        killed = rounds = reached = 0
        while killed < options.kills:
            rounds += 1
            shutil.rmtree(target, ignore_errors=True)
            # Until it comes to its end by itself, or has been killed often enough.
            for _ in range(draw.randint(1, 12)):
                process = subprocess.Popen([*words, target, *chosen], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(draw.uniform(0, took * draw.choice([0.1, 0.4, 1.1])))
                process.send_signal(signal.SIGKILL)
                if process.wait() != -signal.SIGKILL:
                    break
                killed += 1
                reached += (target / STATE).exists()
                if (target / STATE).exists() and draw.random() < 0.2:
                    asked = subprocess.Popen([program, "migrate", "deletable", target], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    time.sleep(draw.uniform(0, 0.5))
                    asked.kill()
                    asked.wait()
            last = subprocess.run([*words, target, *chosen], capture_output=True, text=True, errors="replace")
            found, told = tree(target), outcomes(program, target)
            faults = []
            if last.returncode != first.returncode:
                faults.append(f"exit code {last.returncode} instead of {first.returncode}: {last.stderr.strip()[:300]}")
            names = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
            if names:
                faults.append(f"{len(names)} entries differ: {', '.join(names[:5])}")
            if told[0] != listed[0]:
                faults.append(f"outcomes differ: {[pair for pair in zip(told[0], listed[0]) if pair[0] != pair[1]][:3]}")
            if told[1] != listed[1]:
                faults.append("another list of originals")
            wrong += [f"round {rounds}: {fault}" for fault in faults]
            for fault in faults:
                print(f"round {rounds}: {fault}", flush=True)
        done = sum(dataset["state"] == "done" for dataset in listed[0])
        print(
            f"seed {options.seed}: {len(listed[0])} datasets, {done} of them done; {killed} kills in {rounds} rounds, {reached} of them after the state was begun; "
            f"{len(listed[1].splitlines())} originals may go; {len(wrong)} faults"
        )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
