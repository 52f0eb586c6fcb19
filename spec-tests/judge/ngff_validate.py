#!/usr/bin/env python3
"""Counts what `fairzarr validate --deep` says of stores whose verdict is known.

    python ngff_validate.py --bin fairzarr --shared SHARED --work FOLDER [--others]
    python ngff_validate.py --bin fairzarr --good FOLDER... --broken FOLDER... [--legal NAME...]
    python ngff_validate.py --bin fairzarr --conformance FOLDER      (FOLDER: manifest.json of the specification's cases)

SHARED is the folder with checkers/, cases/ and facts/: the stores are made in FOLDER by their generators, and judged. With
--others the validators of the checker kit judge the same stores, and a table compares all (some five minutes).

A folder of broken stores may hold legal ones: those whose names begin with g_, and those that --legal names (they break a
recommendation, or nothing at all). One line for each verdict that is wrong, then the counts; exit code 1 where a good store
is rejected, a broken one accepted that --undetectable does not name, or a case of the specification judged otherwise that is
not in ngff_defects.tsv, where each has its reason.
"""
import argparse, json, pathlib, subprocess, sys

HERE = pathlib.Path(__file__).resolve().parent
# What the checker kit calls broken and no demand forbids: a unit by its symbol, a chunk that is not there (it holds the fill
# value), levels of different types before 0.6, fewer channels in omero than in the image, a version that is only recommended.
LEGAL = ["v4_version_missing", "v5_axis_unit_symbol", "v5_chunk_missing", "v5_level_dtype_differs", "v5_omero_channel_count",
         "v6_version_rc0"]
# A flipped bit inside of compressed samples.
UNDETECTABLE = ["v5_shard_bitflip"]
OTHERS = ["jsonschema", "yaozarrs", "ome_zarr_models", "ngff_zarr"]

arguments = argparse.ArgumentParser()
arguments.add_argument("--bin", default="fairzarr")
arguments.add_argument("--shared", type=pathlib.Path)
arguments.add_argument("--work", type=pathlib.Path)
arguments.add_argument("--others", action="store_true")
arguments.add_argument("--good", nargs="*", default=[], type=pathlib.Path)
arguments.add_argument("--broken", nargs="*", default=[], type=pathlib.Path)
arguments.add_argument("--legal", nargs="*", default=[])
arguments.add_argument("--undetectable", nargs="*", default=[])
arguments.add_argument("--conformance", type=pathlib.Path)
options = arguments.parse_args()
wrong = 0


def make(generator, *places):
    subprocess.run([sys.executable, generator, *places], check=True, stdout=subprocess.DEVNULL)


if options.shared:
    shared, work = options.shared.resolve(), options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    make(shared / "checkers/gen_testdata.py", work / "kit")
    make(shared / "checkers/gen_codecs.py", work / "codecs")
    make(shared / "cases/ngff/gen_more.py", work / "kit/good", work / "more")
    options.good += [work / "kit/good", work / "codecs"]
    options.broken += [work / "kit/broken", work / "more"]
    options.legal += LEGAL
    options.undetectable += UNDETECTABLE
    options.conformance = shared / "facts/ngff/conformance-data"


def validate(store):
    run = subprocess.run([options.bin, "validate", "--deep", "--json", store], capture_output=True, text=True)
    # A store that cannot be read at all has none.
    findings = json.loads(run.stdout).get("findings", [])
    broken = [found for found in findings if found["severity"] == "MUST"]
    for found in broken:
        assert found["clause"] and found["message"] and found["remedy"], found
    return run.returncode == 0, run.stderr.strip(), broken


def is_legal(name):
    return name.startswith("g_") or name in options.legal


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


def compare(good, broken):
    """What other validators say of the same stores, as a table in Markdown."""
    verdicts = options.work / "others.jsonl"
    verdicts.unlink(missing_ok=True)
    matrix = options.shared / "checkers/lib/matrix.py"
    subprocess.run([sys.executable, matrix, verdicts, ",".join(OTHERS), *good, *broken], check=True)
    counts = {name: [0, 0, 0] for name in OTHERS}
    legal = sum(is_legal(store.name) for store in broken)
    folders = {store.name: (store.parent in options.good, is_legal(store.name)) for store in [*good, *broken]}
    for verdict in map(json.loads, verdicts.read_text().splitlines()):
        is_good, is_lawful = folders[verdict["data"]]
        accepted = verdict["status"] in ("pass", "skip")
        column = 0 if is_good else 1 if not is_lawful else 2
        counts[verdict["checker"]][column] += accepted != (column == 1)
    print(f"| validator | {len(good)} good accepted | {len(broken) - legal} broken rejected | {legal} legal accepted |")
    print("| --- | --- | --- | --- |")
    for name in OTHERS:
        print(f"| {name} | {' | '.join(map(str, counts[name]))} |")


if options.good:
    right, total = judge(stores(options.good), lambda name: True)
    print(f"good: {right[True]} of {total[True]} accepted")
if options.broken:
    right, total = judge(stores(options.broken), is_legal)
    print(f"broken: {right[False]} of {total[False]} rejected; legal among them: {right[True]} of {total[True]} accepted")
if options.conformance:
    defects = dict(line.split("\t") for line in (HERE / "ngff_defects.tsv").read_text().splitlines())
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
        if agrees == (case["file"] in defects):
            wrong += 1
            print(f"{'agrees, though it is listed as defective' if agrees else 'differs'}\t{case['file']}")
    for (version, mode), (right, total) in counts.items():
        named = sum(name.startswith(f"{version}/{mode}/") for name in defects)
        print(f"conformance {version} {mode}: {right} of {total}; {named} defective cases are named in ngff_defects.tsv")
if options.others:
    compare(stores(options.good[:1]), stores(options.broken))
sys.exit(wrong > 0)
