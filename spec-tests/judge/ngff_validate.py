#!/usr/bin/env python3
"""Counts what `fairzarr validate --deep` says of stores whose verdict is known.

    python ngff_validate.py --bin fairzarr --good FOLDER... --broken FOLDER... [--legal NAME...]
    python ngff_validate.py --bin fairzarr --conformance FOLDER      (FOLDER: manifest.json of the specification's cases)

A folder of broken stores may hold legal ones: those whose names begin with g_, and those that --legal names (they break a
recommendation, or nothing at all). One line for each verdict that is wrong, then the counts; exit code 1 where a good store
is rejected, or a broken one accepted that --undetectable does not name.
"""
import argparse, json, pathlib, subprocess, sys

arguments = argparse.ArgumentParser()
arguments.add_argument("--bin", default="fairzarr")
arguments.add_argument("--good", nargs="*", default=[], type=pathlib.Path)
arguments.add_argument("--broken", nargs="*", default=[], type=pathlib.Path)
arguments.add_argument("--legal", nargs="*", default=[])
arguments.add_argument("--undetectable", nargs="*", default=[])
arguments.add_argument("--conformance", type=pathlib.Path)
options = arguments.parse_args()
wrong = 0


def validate(store):
    run = subprocess.run([options.bin, "validate", "--deep", "--json", store], capture_output=True, text=True)
    findings = json.loads(run.stdout)["findings"] if run.stdout else []
    broken = [found for found in findings if found["severity"] == "MUST"]
    for found in broken:
        assert found["clause"] and found["message"] and found["remedy"], found
    return run.returncode == 0, run.stderr.strip(), broken


def judge(stores, is_good):
    global wrong
    right = {True: 0, False: 0}
    total = {True: 0, False: 0}
    for store in stores:
        good, (valid, error, broken) = is_good(store.name), validate(store)
        total[good] += 1
        if valid == good:
            right[good] += 1
        else:
            wrong += store.name not in options.undetectable
            print(f"{'rejected' if good else 'accepted'}\t{store}\t{error or '; '.join(f['message'] for f in broken)}")
    return right, total


def stores(folders):
    return [path for folder in folders for path in sorted(folder.iterdir()) if path.is_dir() or path.suffix == ".ozx"]


if options.good:
    right, total = judge(stores(options.good), lambda name: True)
    print(f"good: {right[True]} of {total[True]} accepted")
if options.broken:
    right, total = judge(stores(options.broken), lambda name: name.startswith("g_") or name in options.legal)
    print(f"broken: {right[False]} of {total[False]} rejected; legal among them: {right[True]} of {total[True]} accepted")
if options.conformance:
    counts = {}
    for case in json.loads((options.conformance / "manifest.json").read_text())["cases"]:
        if case["mode"] == "fragment" or "/examples/" in case["file"]:
            continue
        path = (options.conformance / case["file"]).resolve()
        run = subprocess.run([options.bin, "conformance", case["mode"], path], capture_output=True, text=True, check=True)
        expected = case.get("valid", case.get("expected")) in (True, "valid")
        right, total = counts.get((case["version"], case["mode"]), (0, 0))
        agrees = json.loads(run.stdout)["valid"] == expected
        counts[case["version"], case["mode"]] = (right + agrees, total + 1)
        if not agrees:
            print(f"differs\t{case['file']}")
    for (version, mode), (right, total) in counts.items():
        print(f"conformance {version} {mode}: {right} of {total}")
sys.exit(wrong > 0)
