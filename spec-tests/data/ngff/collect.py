"""Collects the conformance cases of the NGFF specification into one file per version.

usage: collect.py FOLDER, where FOLDER holds manifest.json and the cases that it lists, one file or *.ome.zarr
directory each, extracted from the branches 0.4, 0.5 and main (0.6rc0) of https://github.com/ome/ngff-spec.

Each case becomes one line: what it is called, what it is, the verdict that the specification expects, and the
attributes. Kept as text where a case is not JSON.
"""
import json
import pathlib
import sys

source = pathlib.Path(sys.argv[1])
manifest = json.loads((source / "manifest.json").read_text())
for version, commit in manifest["commits"].items():
    lines = []
    for case in manifest["cases"]:
        if case["version"] != version or case["mode"] == "fragment":
            continue
        path = source / case["file"]
        text = (path / "zarr.json" if path.is_dir() else path).read_text()
        entry = {
            "name": case["file"].removeprefix(version + "/").removesuffix(".json"),
            "kind": case["kind"],
            "strict": case["strict"],
            "valid": case["valid"],
        }
        try:
            document = json.loads(text)
            attributes = document.get("attributes", document) if "ome" not in document else document
            attributes.pop("_conformance", None)
            entry["attributes"] = attributes
        except json.JSONDecodeError:
            entry["not_json"] = text
        lines.append(json.dumps(entry, separators=(",", ":")))
    target = pathlib.Path(__file__).with_name(f"{version}.jsonl")
    target.write_text("\n".join(lines) + "\n")
    print(target.name, len(lines), "cases of", commit)
