"""Injects random faults into stores and counts, by kind, what `fairzarr verify` says of them with the source and without.

    python stores.py --bin FAIRZARR [--seed 1] [--faults 1000] [--json]

Needs numpy and tifffile. Every fault is one of

    bit, byte, cut, grow, empty, zeros   bytes of one object
    lost, swapped, renamed               objects
    value, member, order, number, text   one value in a JSON document, written anew with the rest as it was
    same                                 a JSON document written anew with the same values, or its members in another order
    extra                                an object that is no part of the store, outside of arrays

The first three groups change something and must be noticed both with the source and without; whether an edit changed a JSON
document's values is judged here, by Python's own reader. `same` and `extra` must pass, with a note for `extra`. Prints one line a
kind: how often it was injected, noticed, told apart and silent. Exits with 1 if a change of a value was silent, if what changes
nothing failed, or if the program ended in a way that it does not document.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy
import tifffile

DOCUMENTS = (".json", ".zattrs", ".zgroup", ".zarray")
STORES = {
    "0.5": ["--chunk", "24"],
    "0.4": ["--chunk", "24", "--ngff", "0.4"],
    "0.6-sharded": ["--chunk", "16", "--shard", "32", "--ngff", "0.6"],
    "several": ["--chunk", "24", "--layout", "bioformats2raw"],
    "zeros-left-out": ["--chunk", "16", "--omit-empty"],
}


def source(path):
    """Two times, two channels, 40 x 36 samples, with values in every table."""
    samples = numpy.random.default_rng(1).integers(0, 4000, (2, 2, 40, 36)).astype("u2")
    samples[1, 1, :20] = 0
    plane = {"PositionX": [0.5, 1.5, 2.5, 3.5], "DeltaT": [0.0, 0.1, 1.0, 1.1]}
    metadata = {"axes": "TCYX", "Name": "faults", "PhysicalSizeX": 0.1, "PhysicalSizeY": 0.1, "Plane": plane}
    tifffile.imwrite(path, samples, ome=True, metadata=metadata, compression="zlib", tile=(32, 32))


def leaves(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from leaves(item, (*path, name))
    if path:
        yield path


def edited(draw, kind, data):
    """Another JSON document; None where the kind does not apply."""
    document = json.loads(data)
    if kind == "same":
        turn = lambda v: dict(reversed([(n, turn(m)) for n, m in v.items()])) if isinstance(v, dict) else v
        return json.dumps(turn(document), indent=draw.choice([None, 1, 3])).encode()
    path = draw.choice(list(leaves(document)) or [None])
    if path is None:
        return None
    holder = document
    for name in path[:-1]:
        holder = holder[name]
    value = holder[path[-1]]
    if kind == "member":
        del holder[path[-1]]
    elif kind == "order" and isinstance(value, list) and len(value) > 1:
        holder[path[-1]] = value[1:] + value[:1]
    elif kind == "number" and isinstance(value, (int, float)) and not isinstance(value, bool):
        holder[path[-1]] = draw.choice([value + 1, -value, value * 2, value + 1e-9, 0])
    elif kind == "text" and isinstance(value, str):
        holder[path[-1]] = draw.choice([value + "x", value.swapcase(), value[:-1], value[::-1], ""])
    elif kind == "value":
        holder[path[-1]] = draw.choice([None, True, 7, "other", [], {}])
    else:
        return None
    return json.dumps(document).encode()


def spoiled(draw, kind, data):
    data = bytearray(data)
    at = draw.randrange(len(data)) if data else 0
    if kind == "bit" and data:
        data[at] ^= 1 << draw.randrange(8)
    elif kind == "byte" and data:
        data[at] = draw.randrange(256)
    elif kind == "cut":
        del data[at:]
    elif kind == "grow":
        data += draw.choice([b"\0", b"\n", b" ", b"junk"])
    elif kind == "empty":
        data.clear()
    elif kind == "zeros":
        data[:] = bytes(len(data))
    return bytes(data)


def values(key, data):
    """What an object says: of a JSON document its values, where it has any."""
    if not key.endswith(DOCUMENTS) or key.startswith("OME/sources/"):
        return data
    try:
        unique = lambda members: ["{}", sorted(members, key=lambda member: member[0])]
        return repr(json.loads(data.decode(), object_pairs_hook=unique, parse_int=float, parse_float=float))
    except ValueError:
        return data


KINDS = ["bit", "byte", "cut", "grow", "empty", "zeros", "lost", "swapped", "renamed", "extra", "same"]
KINDS += ["value", "member", "order", "number", "text"] * 2


def inject(draw, store, files):
    """One fault: its kind, and whether it changes a value; None where the drawn one changes nothing at all."""
    kind, key = draw.choice(KINDS), draw.choice(sorted(files))
    changed = {}
    if kind == "extra":
        folder = draw.choice(["", "OME/", "notes/", "OME/sources/"])
        changed[folder + draw.choice(["notes.txt", ".DS_Store", "zarr.json.bak"])] = b"junk"
    elif kind == "lost":
        changed[key] = None
    elif kind == "renamed":
        changed = {key: None, key + ".old": files[key]}
    elif kind == "swapped":
        other = draw.choice(sorted(files))
        changed = {key: files[other], other: files[key]}
    elif kind in ("same", "value", "member", "order", "number", "text"):
        key = draw.choice(sorted(name for name in files if name.endswith(DOCUMENTS) and "sources/" not in name))
        changed[key] = edited(draw, kind, files[key])
        if changed[key] is None:
            return None
    else:
        changed[key] = spoiled(draw, kind, files[key])
    if all(files.get(name) == data for name, data in changed.items()):
        return None
    says = lambda name, data: None if data is None else values(name, data)
    changes = any(says(name, data) != says(name, files.get(name)) for name, data in changed.items() if name in files)
    for name, data in changed.items():
        place = store / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data) if data is not None else place.unlink()
    return kind, changes, f"{kind} of {', '.join(changed)}", list(changed)


def undo(store, names, files):
    for name in names:
        place = store / name
        if name in files:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(files[name])
        else:
            place.unlink()
            while place.parent != store and not any(place.parent.iterdir()):
                place = place.parent
                place.rmdir()


def ended(command):
    """How the program ended; one that does not within two minutes hangs."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, None, "", "it hangs")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    run = lambda *words: ended([options.bin, *map(str, words)])
    counts, wrong = Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        tiff = Path(folder) / "faults.ome.tif"
        source(tiff)
        for n, (name, words) in enumerate(STORES.items()):
            draw, store = random.Random(f"{options.seed} {name}"), Path(folder) / name
            made = run("convert", tiff, store, "--progress", "none", *words)
            assert made.returncode == 0, made.stderr
            files = {str(f.relative_to(store)): f.read_bytes() for f in store.rglob("*") if f.is_file()}
            count = options.faults // len(STORES) + (n < options.faults % len(STORES))
            while count:
                fault = inject(draw, store, files)
                if fault is None:
                    continue
                count -= 1
                kind, changes, what, names = fault
                found = [run("verify", tiff, store, "--progress", "none"), run("verify", store)]
                codes = [each.returncode for each in found]
                undo(store, names, files)
                text = "".join(each.stdout + each.stderr for each in found)
                if any(code not in (0, 1, 3, 4, 12) for code in codes) or "panicked" in text:
                    outcome = "broken"
                elif changes:
                    outcome = "silent" if 0 in codes else "noticed"
                else:
                    outcome = "told apart" if codes == [0, 0] else "alarm"
                    if kind == "extra" and codes == [0, 0] and "note:" not in text:
                        outcome = "silent"
                counts[kind, outcome] += 1
                if outcome in ("silent", "alarm", "broken"):
                    wrong.append(f"{outcome.upper()} {name}: {what}, exit codes {codes}")
            shutil.rmtree(store)
    outcomes = ["noticed", "told apart", "silent", "alarm", "broken"]
    table = {kind: {o: counts[kind, o] for o in outcomes if counts[kind, o]} for kind in sorted(set(KINDS))}
    if options.json:
        print(json.dumps({"seed": options.seed, "faults": options.faults, "kinds": table, "wrong": wrong}, indent=1))
    else:
        print(*(f"{kind:8} {row}" for kind, row in table.items()), *wrong, sep="\n")
        print(f"seed {options.seed}: {options.faults} faults, {len(wrong)} wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
