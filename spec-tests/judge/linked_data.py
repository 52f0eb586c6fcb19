"""Records as linked data, by software of others (pyld, rdflib): whether records of several stores in one graph keep
apart what is apart, dates are dates, and the published query has the answer of `fairzarr qc`.

usage: linked_data.py --bin FAIRZARR --image IMAGE.ome.tiff DIR   (DIR is written to)
"""
import argparse
import json
import pathlib
import subprocess
import sys

import rdflib
from pyld import jsonld

ROOT = pathlib.Path(__file__).resolve().parents[2]
N = "http://www.NamespaceTest.org/Schemas/NBO/2020-11#"
QUERY = (ROOT / "docs/queries/psf-within-90-days.rq").read_text()
DEMAND = "OpticalCalibration within 90 days"
DOCUMENT = """<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Instrument ID="Instrument:0" Name="{name}">
<InvertedMicroscopeStand ID="Microscope:0" Manufacturer="{maker}" Model="M" CatalogNumber="{serial}"/>
<Objective ID="Objective:0" LensNA="{na}"/></Instrument>
<Image ID="Image:0" Name="{image}" AcquisitionDate="2024-03-14"><InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>{calibration}</Image></OME>"""
CALIBRATION = '<OpticalCalibration ID="OpticalCalibration:0" Date="{}" MedianXYSpotSize_FWHM="230"/>'
# Name, maker, serial number, aperture, day of the calibration if there is one, and whether the query finds the image.
STORES = [
    ("good", "Zeiss", "SN-1", "1.4", "2024-03-01", True),
    ("old", "Zeiss", "SN-1", "1.4", "2023-12-14", False),
    ("edge", "Carl Zeiss", "SN-1", "1.4", "2023-12-15", True),
    ("later", "Nikon", "SN-2", "1.4", "2024-03-15", False),
    ("weak", "Nikon", "SN-3", "0.3", "2024-03-01", False),
    ("none", "Nikon", "SN-4", "1.4", None, False),
]


def fail(message):
    print("WRONG", message)
    sys.exit(1)


def graph(record, base):
    quads = jsonld.to_rdf(record, {"format": "application/n-quads", "base": base})
    found = rdflib.Graph()
    found.parse(data=quads, format="nt")
    return found


def found(of):
    return sorted(str(row.name) for row in of.query(QUERY))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--bin", required=True)
    arguments.add_argument("--image", required=True)
    arguments.add_argument("directory", type=pathlib.Path)
    options = arguments.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    context = json.loads((ROOT / "docs/schemas/nbo-context.jsonld").read_text())["@context"]
    both = rdflib.Graph()
    expected = []
    for name, maker, serial, na, day, right in STORES:
        document = options.directory / f"{name}.xml"
        calibration = CALIBRATION.format(day) if day else ""
        document.write_text(
            DOCUMENT.format(name=name, maker=maker, serial=serial, na=na, image=name, calibration=calibration)
        )
        # A record on its own: every image in it is asked about.
        store = options.directory / f"{name}.zarr"
        run = [options.bin, "convert", options.image, str(store), "--nbo", str(document), "--overwrite"]
        subprocess.run(run, check=True, capture_output=True)
        attributes = json.loads((store / "zarr.json").read_text())["attributes"]
        record = attributes["nbo:record"]
        if record["@context"] != context:
            fail(f"{name}: the context is not the published one")
        alone = graph(record, f"https://example.org/{name}.zarr/")
        if found(alone) != ([name] if right else []):
            fail(f"{name}: the query finds {found(alone)}")
        judged = subprocess.run(
            [options.bin, "qc", str(store), "--require", DEMAND], capture_output=True, text=True
        ).stdout
        passes = any(line.startswith("other") and "would be: pass" in line for line in judged.splitlines())
        if passes != (right or name == "weak"):
            fail(f"{name}: qc says {judged}")
        dates = list(alone.objects(None, rdflib.URIRef(N + "AcquisitionDate")))
        if not dates or any(d.datatype != rdflib.XSD.date for d in dates):
            fail(f"{name}: dates are {dates}")
        numbers = list(alone.objects(None, rdflib.URIRef(N + "LensNA")))
        if not any(isinstance(n.value, float) and n.value == float(na) for n in numbers):
            fail(f"{name}: numbers are {numbers}")
        for triple in alone:
            both.add(triple)
        expected += [name] if right else []
    if found(both) != sorted(expected):
        fail(f"in one graph the query finds {found(both)}, not {sorted(expected)}")
    named = "PREFIX n: <%s> SELECT DISTINCT ?i WHERE { ?i a n:Instrument ; n:InvertedMicroscopeStand/n:CatalogNumber ?s }" % N
    microscopes = list(both.query(named))
    if len(microscopes) != len({serial for _, _, serial, *_ in STORES}):
        fail(f"microscopes are {[str(row.i) for row in microscopes]}")
    units = graph(json.loads((ROOT / "docs/schemas/nbo-units.jsonld").read_text()), "https://example.org/")
    micro = units.value(None, rdflib.URIRef(N + "UnitSpelling"), rdflib.Literal("µm"))
    if str(micro) != "http://qudt.org/vocab/unit/MicroM":
        fail(f"µm is {micro}")
    print(f"{len(STORES)} stores in one graph of {len(both)} triples: the query and qc agree")


main()
