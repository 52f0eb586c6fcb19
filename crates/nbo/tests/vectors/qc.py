#!/usr/bin/env python3
"""Writes qc.json: indexes of quality control, demands, and the answers of the program to them.

The answers are checked by crates/nbo/tests/qc_vectors.rs and by js/test/qc.test.js, so that both sides judge alike. The
indexes are drawn from a fixed seed; what decides (microscope, objective, detector, light, day, metric) is drawn so that
equal, different and missing values all occur.

    qc.py --bin ../../../../target/release/fairzarr
"""
import argparse
import json
import pathlib
import random
import subprocess
import tempfile

DIFFERENT, USAGE = 1, 2
GOOD = [
    "OpticalCalibration", "OpticalCalibration within 90 days", "OpticalCalibration within 90 days either side",
    "OpticalCalibration within 30 days and MedianXYSpotSize_FWHM <= 250 nm",
    "OpticalCalibration and MedianXYSpotSize_FWHM <= 0.25 µm", "OpticalCalibration and MedianXYSpotSize_FWHM < 0.25 \u03bcm",
    "OpticalCalibration and MedianXYSpotSize_FWHM <= 1.2 x TheoreticalXYSpotSize_FWHM",
    "OpticalCalibration in channel gfp and MedianXYSpotSize_FWHM <= 250 nm", "OpticalCalibration at 525 nm within 90 days",
    "OpticalCalibration in channel Alexa Fluor 488 at 0.52 µm", "OpticalCalibration and SampleSize >= 10",
    "OpticalCalibration and SampleSize >= 10 and MedianXYSpotSize_FWHM > 1e-7 m", "OpticalCalibration and NyquistRate > 2",
    "FieldUniformityEvaluation within 30 days", "FieldUniformityEvaluation and MeanMaxtoCornerIntensityRatio < 1.2",
    "ExcitationCalibration at 488 nm within 30 days and ObseredIlluminationPowerAtSample >= 5 mW",
    "ExcitationCalibration and ObseredIlluminationPowerAtSample >= 0.005 W", "ExcitationCalibration within 365 days",
    "DetectorCalibration within 90 days", "DetectorCalibration and SampleSize > 2",
    "ChromaticRegistrationEvaluation and XChromaticShift_RT <= 60 nm", "ChromaticRegistrationEvaluation at 605 nm and XChromaticShift_RT <= 60 nm",
    "MechanicalCalibration within 1 day", "MechanicalCalibration and MeasuredXSettlingTime <= 0.2 s",
    "IntensityCalibrationTool", "LightSensor within 400 days",
]
BAD = [
    "", "Calibration within 90 days", "OpticalCalbration", "OpticalCalibration in 90 days", "OpticalCalibration within -1 days",
    "OpticalCalibration within 1.5 days", "OpticalCalibration within 5000000000 days", "OpticalCalibration within 3 weeks",
    "OpticalCalibration within 3 days either", "OpticalCalibration and X = 3", "OpticalCalibration and MedianXYSpotSize_FWHM <=",
    "OpticalCalibration and MedianXYSpotSize_FWHM <= NaN nm", "OpticalCalibration and MedianXYSpotSize_FWHM <= inf nm",
    "OpticalCalibration and MedianXYSpotSize_FWHM <= 3 ms", "OpticalCalibration and MedianXYSpotSize <= 3 nm",
    "OpticalCalibration and FocusScore >= 1", "OpticalCalibration in channel within 3 days", "OpticalCalibration at 488",
    "OpticalCalibration at 488 ms", "OpticalCalibration and SampleSize >= 3 nm", "ImageQuality within 3 days",
    "ImageQuality at 488 nm", "ImageQuality and SaturatedFraction <= 1 %", "ImageQuality and MedianXYSpotSize_FWHM <= 250 nm",
    "OpticalCalibration and MedianXYSpotSize_FWHM <= 2 x Nothing", "OpticalCalibration within 3 days and", "opticalcalibration",
]
QUALITY = [
    "ImageQuality", "ImageQuality and SaturatedFraction <= 0.001", "ImageQuality in channel gfp and FocusScore >= 0.01",
    "ImageQuality in channel Cy5", "ImageQuality and SignalToNoise >= 5 and SaturatedFraction < 0.5",
    "ImageQuality and SaturatedFraction < 2 x FocusScore",
]
METRICS = {
    "OpticalCalibration": [("MedianXYSpotSize_FWHM", "nm", [0.0001, 228.0, 250.0, 260.5]), ("MedianXYSpotSize_FWHM", "µm", [0.228]),
                           ("TheoreticalXYSpotSize_FWHM", "nm", [190.0]), ("SampleSize", None, [3.0, 25.0]), ("NyquistRate", None, [2.2])],
    "FieldUniformityEvaluation": [("MeanMaxtoCornerIntensityRatio", None, [1.1, 1.5])],
    "ExcitationCalibration": [("ObseredIlluminationPowerAtSample", "mW", [2.0, 7.4])],
    "DetectorCalibration": [("SampleSize", None, [2.0, 3.0])],
    "ChromaticRegistrationEvaluation": [("XChromaticShift_RT", "nm", [42.0, 90.0])],
    "MechanicalCalibration": [("MeasuredXSettlingTime", "ms", [100.0, 300.0])],
    "IntensityCalibrationTool": [], "LightSensor": [],
}
NAMED = ["OpticalCalibration", "FieldUniformityEvaluation", "ExcitationCalibration", "ChromaticRegistrationEvaluation"]
DAYS = ["2024-03-14", "2024-02-01", "2023-11-30", "2024-03-20", "2024-02-29", "2023-02-29", None]
ACQUIRED = ["2024-03-14"] * 4 + ["2024-02-29", "2023-12-31", None]


def microscope(draw):
    fields = {
        "uuid": [None, None, None, "6fa459ea-ee8a-3ca4-894e-db77e160355e"], "name": ["Room B", "room b ", None],
        "manufacturer": ["Zeiss", "Carl Zeiss Microscopy GmbH", "Nikon", None],
        "model": ["Axio Observer Z1", "Axio Observer.Z1 / 7", "Ti2-E", "Ti", None], "serialNumber": ["SN-1", "sn-1", "SN-2", None, None],
    }
    drawn = {name: draw.choice(values) for name, values in fields.items()}
    return {name: value for name, value in drawn.items() if value}


def light(draw, values):
    value = draw.choice(values)
    return value and {"value": value[0], "unit": value[1]}


def without_nothing(members):
    return {name: value for name, value in members.items() if value not in (None, [])}


def event(draw, number):
    kind = draw.choice(list(METRICS) + NAMED * 2)
    metrics = [without_nothing({"name": name, "value": draw.choice(values), "unit": unit})
               for name, unit, values in METRICS[kind] if draw.random() < 0.8]
    pair = [[525.0, 605.0], [605.0, 528.0], [461.0, 525.0], []]
    return without_nothing({
        "kind": kind, "id": f"{kind}:{number}", "date": draw.choice(DAYS),
        "images": draw.choice([["Image:1"], ["Image:2"], []]), "instrument": draw.choice(["Instrument:1"] * 6 + ["Instrument:2", None]),
        "microscope": draw.choice([microscope(draw), None, None]), "objective": draw.choice(["Objective:1"] * 6 + ["Objective:2", None]),
        "detectors": draw.choice([["Detector:1"], ["Detector:2"], []]) if kind == "DetectorCalibration" else [],
        "lightSource": draw.choice(["LightSource:1", "LightSource:2", None]) if kind == "ExcitationCalibration" else None,
        "channels": draw.choice([["GFP"], ["DAPI"], ["alexa fluor 488"], [], []]),
        "wavelength": light(draw, [(525.0, "nm"), (0.461, "µm"), (488.0, "nm"), (3.0, "pixel"), None]),
        "wavelengths": [{"value": v, "unit": "nm"} for v in draw.choice(pair)] if kind == "ChromaticRegistrationEvaluation" else [],
        "pointSpreadFunction": draw.choice([True, True, False]) if kind == "OpticalCalibration" else None,
        "metrics": metrics,
    })


def images(draw, number, in_store):
    channel = lambda name: without_nothing({
        "name": name, "excitation": light(draw, [(488.0, "nm"), None]), "emission": light(draw, [(525.0, "nm"), (605.0, "nm"), (461.0, "nm"), None]),
        "detector": draw.choice(["Detector:1", None]), "lightSource": draw.choice(["LightSource:1", None])})
    names = draw.choice([["GFP"], ["DAPI", "GFP"], ["Alexa Fluor 488", None], []])
    return {"acquisitionDate": draw.choice(ACQUIRED), **without_nothing({
        "instrument": draw.choice(["Instrument:1"] * 6 + ["Instrument:3", None]), "objective": draw.choice(["Objective:1"] * 6 + [None]),
        "channels": [channel(name) for name in names], "inStore": in_store}),
        "count": draw.choice([1, 96]), "images": draw.choice([[f"Image:{number}"]] * 9 + [[]])}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    binary = str(pathlib.Path(parser.parse_args().bin).resolve())
    draw = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        def ask(attributes, demands):
            node = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
            (pathlib.Path(folder) / "zarr.json").write_text(json.dumps(node))
            require = [word for demand in demands for word in ("--require", demand)]
            run = subprocess.run([binary, "qc", folder, "--json", *require], capture_output=True, text=True)
            return run.returncode, json.loads(run.stdout.splitlines()[-1])

        for demand in BAD:
            assert ask({}, [demand])[0] == USAGE, demand
        cases = []
        for _ in range(60):
            index = {
                "layout": 3, "events": [event(draw, n) for n in range(draw.choice([0, 1, 2, 4, 7]))],
                "images": [images(draw, n + 1, n == 0 or draw.choice([True, False])) for n in range(draw.choice([1, 1, 1, 1, 2, 0]))],
                "instruments": {f"Instrument:{n}": microscope(draw) for n in (1, 2)},
            }
            kinds = {event["kind"] for event in index["events"]}
            of_these = [demand for demand in GOOD if demand.split()[0] in kinds]
            demands = draw.sample(of_these, min(5, len(of_these))) + draw.sample(GOOD, 1)
            code, told = ask({"nbo:qc": index}, demands)
            assert code in (0, DIFFERENT), told
            answers = [{"demand": a["require"], "verdicts": a["verdicts"], "others": a["notOfThisStore"]} for a in told["answers"]]
            cases.append({"index": index, "answers": answers})
        quality = []
        for _ in range(12):
            numbers = lambda: {name: draw.choice([0.0, 0.004, 0.5, 12.0, None]) for name in ("SaturatedFraction", "FocusScore", "SignalToNoise")}
            channels = [draw.choice([{"quality": numbers()}, {"quality": numbers()}, {}]) for _ in range(draw.choice([1, 2]))]
            labels = [{"label": label, "color": "FFFFFF", "window": {"start": 0, "end": 1, "min": 0, "max": 1}} for label in ("GFP", "")][:len(channels)]
            axes = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
            scale = [{"type": "scale", "scale": [1.0, 1.0]}]
            ome = {"version": "0.5", "omero": {"channels": labels},
                   "multiscales": [{"name": draw.choice(["cells", ""]), "axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}]}
            attributes = {"ome": ome, "fairzarr:statistics": {"channels": channels}}
            told = ask(attributes, QUALITY)[1]
            quality.append({"attributes": attributes, "answers": [{"demand": a["require"], "verdicts": a["verdicts"]} for a in told["answers"]]})
    lines = lambda items: "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items) + "\n]"
    text = f'{{"refused": {lines(BAD)},\n"cases": {lines(cases)},\n"quality": {lines(quality)}}}\n'
    (pathlib.Path(__file__).parent / "qc.json").write_text(text)


main()
