#!/usr/bin/env python3
"""Runs the shared cases (inputs that once failed, with what is right) and judges each: files of public reports, faults,
identity and verdicts, edits of metadata, a file in shares.

    python spec-tests/judge/cases.py --bin target/release/fairzarr --cases ../shared/cases --work target/ci/cases

A line a case that is wrong, then the counts. Ends with 1 if one is wrong. What a machine lacks (strace, a Python package) is
counted as not run, and named. Needs numpy, tifffile and zarr, for all cases imagecodecs too.
"""
import argparse, importlib, os, pathlib, re, shutil, subprocess, sys

import numpy as np
import tifffile
import zarr

wrong, right, skipped = [], 0, []


def judge(name, holds, seen=""):
    global right
    if holds:
        right += 1
    else:
        wrong.append(name)
        print(f"WRONG {name}: {seen}"[:400], flush=True)


def run(*command, timeout=300, **kwargs):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace", timeout=timeout, **kwargs)


def same(store, number, count, wanted):
    """Whether an image of a store has these samples; axes of length one are not compared, because layouts differ in them."""
    group = zarr.open_group(store, mode="r")
    for place in ["0"] if count == 1 else []:
        if place in group and isinstance(group[place], zarr.Array):
            return np.array_equal(group[place][:].squeeze(), wanted.squeeze(), equal_nan=wanted.dtype.kind == "f")
    place = f"{number}/0"
    if place not in group:
        return False
    return np.array_equal(group[place][:].squeeze(), wanted.squeeze(), equal_nan=wanted.dtype.kind == "f")


def reports(fz, cases):
    """About eighty conditions of public reports: what has known samples is converted, with these, and every proof holds."""
    sys.path.insert(0, str(cases / "tiff"))
    gen = importlib.import_module("gen")
    for more in ["gen_more", "gen_more2"]:
        importlib.import_module(more)
    for name, (reference, make) in gen.CASES.items():
        try:
            path, expected = make()
        except (ImportError, KeyError) as missing:
            if isinstance(missing, KeyError) and "imagecodecs" not in str(missing):
                raise
            skipped.append(f"report {name} ({getattr(missing, 'name', 'imagecodecs')})")
            continue
        except FileNotFoundError:
            # It is made of a case that was not made.
            skipped.append(f"report {name} (another case)")
            continue
        if expected is not None:
            # Later cases are made of earlier ones.
            np.savez(f"out/tiff/{name}.npz", *expected)
        store = f"out/z/{name}.zarr"
        options = ["--on-missing", "fill"] if name == "hcs_nodata" else []
        made = run(fz, "convert", path, store, *options)
        what = f"report {name} ({reference})"
        if expected is None:
            # Right is an image or a refusal, but never a crash; and what was made is proven.
            judge(what, made.returncode in (0, 1, 3), made.stderr)
        else:
            judge(what, made.returncode == 0, made.stderr)
        if made.returncode:
            continue
        for command in [("verify", path, store), ("verify", store), ("validate", store)]:
            found = run(fz, *command)
            judge(f"{what}: {command[0]}", found.returncode == 0, found.stdout[-300:] + found.stderr[-100:])
        for number, wanted in enumerate(expected or []):
            judge(f"{what}: samples of image {number}", same(store, number, len(expected), wanted), "they differ")


def warned(fz, cases):
    """What no plane of the OME-XML uses is named, and is counted by verify."""
    for script, path, word in [
        ("c01_unreferenced_pages.py", "out/tiff/c01/mm910.ome.tif", "IFD 1"),
        ("c02_label_as_level.py", "out/tiff/c02/ome_label.ome.tif", "20 x 60"),
        ("c02_label_as_level.py", "out/tiff/c02/plain_label.tif", ""),
        ("c03_bfconvert_rgb_tiff.py", "out/tiff/c03/rgb3.tif", ""),
        ("c03_bfconvert_rgb_tiff.py", "out/tiff/c03/rgb4.tif", ""),
        ("c03_bfconvert_rgb_tiff.py", "out/tiff/c03/rgb3_z2.tif", ""),
        ("c04_plate_overview.py", "out/tiff/c04/overview.ome.tif", ""),
        ("c_imagej_calibration.py", "out/tiff/ij/a.tif", ""),
    ]:
        made = run(sys.executable, cases / "tiff" / script, env={**os.environ, "PYTHONPATH": str(cases / "tiff")})
        if made.returncode:
            skipped.append(f"{script} ({made.stderr.strip().splitlines()[-1:]})")
            continue
        store = f"out/z/{pathlib.Path(path).name}.zarr"
        shutil.rmtree(store, ignore_errors=True)
        made = run(fz, "convert", path, store)
        judge(f"{script} {path}", made.returncode == 0, made.stderr)
        if made.returncode == 0:
            judge(f"{script} {path}: said", word in made.stderr, made.stderr)
            found = run(fz, "verify", path, store)
            judge(f"{script} {path}: verify", found.returncode == 0, found.stdout[-300:])
    axes = zarr.open_group("out/z/a.tif.zarr", mode="r").attrs.asdict().get("ome", {}).get("multiscales", [{}])[0]
    scale = axes.get("datasets", [{}])[0].get("coordinateTransformations", [{}])[0].get("scale")
    judge("ImageJ calibration", scale == [0.5, 2.0, 0.2, 0.2] or scale == [0.5, 1.0, 2.0, 0.2, 0.2], scale)


def faults(fz, cases, data):
    """What must be refused is refused, with the exit code that is named after each arrow."""
    ran = run("bash", cases / "faults/repro/repro.sh", env={**os.environ, "FAIRZARR": fz, "NBO_DATA": str(data), "PYTHON": sys.executable},
              timeout=900)
    section, lines = None, {}
    for line in ran.stdout.splitlines() + ran.stderr.splitlines():
        if found := re.match(r"(\d+) [a-zA-Z]", line):
            section = int(found[1])
        lines.setdefault(section, []).append(line)
    codes = {n: [int(m[1]) for line in found if (m := re.search(r"\brc (\d+)", line))] for n, found in lines.items()}
    # The exit codes of each section, in order; a tuple names those that are right.
    wanted = {1: [3], 3: [0, 1], 4: [0, 1], 5: [0, 1], 6: [0, 1, 1], 8: [0, 0], 10: [(1, 3)], 11: [3, 3], 12: [0], 14: [3]}
    if shutil.which("strace"):
        wanted[2] = [3] * 5
    else:
        skipped.append("faults 2 (strace)")
    for section, codes_wanted in wanted.items():
        found = codes.get(section, [])
        holds = len(found) == len(codes_wanted) and all(
            f in (w if isinstance(w, tuple) else (w,)) for f, w in zip(found, codes_wanted))
        judge(f"faults {section}", holds, f"exit codes {found}, wanted {codes_wanted}: {lines.get(section)}")
    judge("faults 8: nothing is left", "8.ozx.unpacked" not in lines.get(8, []), lines.get(8))
    peaks = [int(m[1]) for line in sum(lines.values(), []) if (m := re.match(r"(\d+) KiB", line))]
    if shutil.which("time") or pathlib.Path("/usr/bin/time").exists():
        judge("faults 10: memory", len(peaks) == 2 and all(peak < 512 << 10 for peak in peaks), peaks)
    else:
        skipped.append("faults 10: memory (/usr/bin/time)")
    # cat -v shows an escape as ^[ and a bell as ^G; the program's own form has u{1b}.
    shown = "\n".join(lines.get(13, []))
    judge("faults 13: escapes", "u{1b}" in shown and "^[" not in shown and "^G" not in shown, shown)


def identity(fz, cases, source):
    """Which image, microscope and calibration is meant: the verdict of each line."""
    ran = run("bash", cases / "provenance/repro.sh", env={**os.environ, "FAIRZARR": fz, "FAIRZARR_SRC": str(source), "PYTHON": sys.executable},
              timeout=900)
    parts = re.split(r"(?m)^(\d+) ", ran.stdout)
    text = {int(number): body for number, body in zip(parts[1::2], parts[2::2])}
    said = lambda number, pattern: re.search(pattern, text.get(number, ""), re.S) is not None
    judge("identity 1", said(1, r"rc=1.*channels: 2 "), text.get(1))
    judge("identity 2", said(2, r"fail.*rc=1"), text.get(2))
    judge("identity 3", said(3, r"fail.*rc=1"), text.get(3))
    judge("identity 4", said(4, r"EXPECTED") and not said(4, r"(?m)^pass\b") and said(4, r"fail|unknown"), text.get(4))
    judge("identity 5", said(5, r"rc=1 EXPECTED unknown.*rc=0 EXPECTED pass"), text.get(5))
    judge("identity 6", said(6, r"rc=1"), text.get(6))
    judge("identity 7", said(7, r"fail|unknown"), text.get(7))
    judge("identity 8", said(8, r"rc=1"), text.get(8))
    judge("identity 11", said(11, r'"saturated_fraction": *0\.96875'), text.get(11))


def edits(fz, cases, sample, data):
    """Forty edits of a store's metadata: none that changes a value passes, with the source or without."""
    store = "out/edited.ome.zarr"
    made = run(fz, "convert", sample, store, "--layout", "bioformats2raw", "--nbo", next(iter(sorted(data.glob("*.json")))))
    judge("edits: conversion", made.returncode == 0, made.stderr)
    ran = run(sys.executable, cases / "roundtrip/mut.py", sample, store, env={**os.environ, "FAIRZARR": fz}, timeout=1200)
    # A series of one image has one order.
    changes_nothing = ("unchanged", "OME: series order swapped", "extra file in root", "OME/planes")
    judged = 0
    for line in ran.stdout.splitlines():
        if not (found := re.match(r"(.*?) +verify SRC STORE: (.*?) +verify STORE: (.*)", line)):
            continue
        name, both = found[1], (found[2].strip(), found[3].strip())
        if name.startswith(changes_nothing):
            continue
        judge(f"edit {name}", "ok" not in both, both)
        judged += 1
    judge("edits: all of them", judged >= 30, f"{judged} judged, {ran.stderr[-200:]}")


def shares(fz, cases):
    """A file in four shares, with a checksum of the whole: each share ends, and the store is that of one process."""
    run(sys.executable, cases / "split/make_planes.py", "out/planes.ome.tif", "10")
    whole, parts = "out/whole.ome.zarr", "out/parts.ome.zarr"
    judge("shares: plan", run(fz, "plan", "out/planes.ome.tif", parts).returncode == 0)
    for number in range(1, 5):
        judge(f"shares: task {number}", run(fz, "run", "out/planes.ome.tif", parts, "--task", f"{number}/4", timeout=120).returncode == 0)
    judge("shares: commit", run(fz, "commit", "out/planes.ome.tif", parts).returncode == 0)
    judge("shares: whole", run(fz, "convert", "out/planes.ome.tif", whole).returncode == 0)
    one, other = (zarr.open_array(f"{store}/0", mode="r") for store in (whole, parts))
    judge("shares: samples", np.array_equal(one[:], other[:]) and np.array_equal(one[:].squeeze(), tifffile.imread("out/planes.ome.tif")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    parser.add_argument("--cases", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    args = parser.parse_args()
    source = pathlib.Path(__file__).resolve().parents[2]
    sample, data = source / "examples/data/cells.ome.tiff", source / "crates/nbo/tests/data"
    fz, cases = str(args.bin.resolve()), args.cases.resolve()
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    os.chdir(args.work)
    reports(fz, cases)
    warned(fz, cases)
    faults(fz, cases, data)
    identity(fz, cases, source)
    edits(fz, cases, sample, data)
    shares(fz, cases)
    print(f"{right} right, {len(wrong)} wrong, {len(skipped)} not run {skipped or ''}")
    return 1 if wrong or not right else 0


if __name__ == "__main__":
    sys.exit(main())
