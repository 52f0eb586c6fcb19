#!/usr/bin/env python3
"""Judges by libxml2 what fairzarr makes of the OME-XML of many files.

    python ome_xml.py --bin fairzarr --xsd ome-2016-06.xsd FILE_OR_FOLDER...     (needs lxml)

Each OME-TIFF is converted in both Zarr formats. For each that converts:
- `extract --as original` must give the bytes that the recorded file of the source holds, with the recorded SHA-256;
- `extract --as ome-xml` must have the canonical form (C14N, with comments) of the original, N1 of docs/lossless.md apart;
- `OME/METADATA.ome.xml` must be valid 2016-06, if the original is, or is of an older version without references to nothing;
- `verify` must find everything equal.
One line a file on standard output; exit code 1 if any is WRONG.
"""
import argparse, hashlib, json, pathlib, re, shutil, subprocess, sys, tempfile
from lxml import etree

OME = ("http://www.openmicroscopy.org/", "openmicroscopy.org")


def foreign(element):
    namespace = etree.QName(element).namespace or ""
    return bool(namespace) and not namespace.startswith(OME[0])


def without_blanks(element, verbatim=False):
    """N1: white space between the children of an OME element is nothing."""
    if not isinstance(element.tag, str):
        return
    name = etree.QName(element).localname
    children = [child for child in element if isinstance(child.tag, str)]
    keeps = (
        verbatim or foreign(element) or name == "CustomAttributes"
        or (name == "Value" and any(foreign(c) or etree.QName(c).localname != "M" for c in children))
    )
    if children and not keeps:
        blank = lambda text: None if text is not None and not text.strip(" \t\r\n") else text
        element.text = blank(element.text)
        for child in element:
            child.tail = blank(child.tail)
    for child in element:
        without_blanks(child, keeps)


def parse(data):
    parser = etree.XMLParser(resolve_entities=False, huge_tree=True, no_network=True)
    return etree.fromstring(data, parser).getroottree()


def canonical(data, normalise):
    tree = parse(data)
    if normalise:
        without_blanks(tree.getroot())
    return etree.tostring(tree, method="c14n", with_comments=True)


def sound_source(schema, original, errors):
    """Whether a source cannot be blamed for these errors in what was made of it."""
    try:
        tree = parse(original)
    except etree.XMLSyntaxError:
        return False
    if b"2016-06" in original:
        return schema.validate(tree)
    # Older versions have no schema here that libxml2 reads. References to nothing are errors in all of them.
    named = (element for element in tree.iter() if isinstance(element.tag, str))
    ids = {e.get("ID") for e in named if not etree.QName(e).localname.endswith(("Ref", "Settings"))}
    dangling = [re.search(r"No match found for key-sequence \['([^']*)'\]", error) for error in errors]
    return not all(found and found.group(1) not in ids for found in dangling)


def run(*arguments):
    return subprocess.run([str(a) for a in arguments], capture_output=True, timeout=600)


def judge(binary, schema, path, ngff, scratch):
    """(verdict, remarks)"""
    store = scratch / "x.ome.zarr"
    shutil.rmtree(store, ignore_errors=True)
    converted = run(binary, "convert", path, store, "--ngff", ngff)
    if converted.returncode != 0:
        return "REFUSED", [converted.stderr.decode(errors="replace").strip()[:200]]
    root = json.loads((store / ("zarr.json" if ngff != "0.4" else ".zattrs")).read_text())
    sources = root.get("attributes", root).get("fairzarr:sources", [])
    if not sources:
        return "NO OME-XML", []
    wrong, remarks = [], []
    originals = []
    for index, source in enumerate(sources):
        original = run(binary, "extract", store, "--as", "original", "--index", index).stdout
        originals.append(original)
        holder = (path.parent / source["file"]).read_bytes()
        if hashlib.sha256(original).hexdigest() != source["sha256"] or original not in holder:
            wrong.append(f"document {index} is not the source's")
    verified = run(binary, "verify", path, store)
    if verified.returncode != 0:
        wrong.append("verify: " + (verified.stdout + verified.stderr).decode(errors="replace")[:600])
    made = run(binary, "extract", store, "--as", "ome-xml")
    if made.returncode != 0:
        return "WRONG", wrong + [made.stderr.decode()]
    # Several documents: the one that describes the images has the Image elements.
    equal, exact, well_formed = False, False, 0
    for original in originals:
        try:
            forms = canonical(original, False), canonical(original, True)
        except etree.XMLSyntaxError as error:
            remarks.append(f"not well-formed: {error}")
            continue
        well_formed += 1
        equal |= canonical(made.stdout, True) == forms[1]
        exact |= canonical(made.stdout, False) == forms[0]
    if well_formed and not equal:
        wrong.append("the canonical form of the XML made again is another")
    if well_formed and not exact:
        remarks.append("N1")
    metadata = store / "OME" / "METADATA.ome.xml"
    if metadata.exists() and schema is not None and not schema.validate(parse(metadata.read_bytes())):
        errors = [str(error) for error in schema.error_log]
        sound = any(sound_source(schema, original, errors) for original in originals)
        (wrong if sound else remarks).append(f"METADATA.ome.xml: {errors[0][:200]}")
    return ("WRONG" if wrong else "EQUAL"), wrong + remarks


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--bin", required=True)
    arguments.add_argument("--xsd")
    arguments.add_argument("--ngff", action="append")
    arguments.add_argument("places", nargs="+", type=pathlib.Path)
    arguments = arguments.parse_args()
    schema = etree.XMLSchema(etree.parse(arguments.xsd)) if arguments.xsd else None
    files = []
    for place in arguments.places:
        found = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
        files += [p for p in found if p.suffix.lower() in (".tif", ".tiff", ".btf", ".tf2", ".tf8", ".ome") or p.name.endswith("companion.ome")]
    counts = {}
    with tempfile.TemporaryDirectory() as scratch:
        for path in files:
            for ngff in arguments.ngff or ["0.5", "0.4"]:
                try:
                    verdict, remarks = judge(arguments.bin, schema, path, ngff, pathlib.Path(scratch))
                except Exception as error:  # noqa: BLE001 the other files are to be judged as well
                    verdict, remarks = "WRONG", [f"{type(error).__name__}: {error}"]
                counts[verdict] = counts.get(verdict, 0) + 1
                print(verdict, ngff, path, "; ".join(remarks), sep="\t", flush=True)
    print(counts, file=sys.stderr)
    sys.exit(1 if counts.get("WRONG") else 0)


main()
