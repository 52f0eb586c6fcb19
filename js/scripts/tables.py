#!/usr/bin/env python3
"""Writes src/qc/tables.js: units, metrics and names of makers, for the demands on quality control.

Which metrics a kind has and which units they may have is asked of the program, by what it accepts; the factors of units
and the other names of makers and models are read from the tables in the crates. test/vectors.json, answered by the
program, shows whether both sides still agree.

    scripts/tables.py --bin ../target/release/fairzarr
"""
import argparse
import json
import math
import pathlib
import re
import subprocess
import tempfile

here = pathlib.Path(__file__).resolve().parent
crates = here.parent.parent / "crates"
KINDS = ["OpticalCalibration", "ChromaticRegistrationEvaluation", "FieldUniformityEvaluation", "ExcitationCalibration",
         "DetectorCalibration", "MechanicalCalibration", "IntensityCalibrationTool", "LightSensor"]
USAGE = 2


def units():
    source = (crates / "ome-xml/src/unit.rs").read_text()
    body = source[source.index("\nunits! {"):source.index("\nimpl Unit {")]
    found = {}
    for kind, inside in re.findall(r"(\w+) \{([^{}]*)\}", body.split("{", 1)[1]):
        for symbol, factor in re.findall(r'\w+ "([^"]+)" ([^;]+);', inside):
            expression = factor.replace("_", "").replace("std::f64::consts::PI", repr(math.pi))
            value = math.nan if "NAN" in expression else eval(expression, {"__builtins__": {}})
            found.setdefault(kind, {})[symbol] = value
    return found


def names(table):
    source = (crates / "nbo/src/identity/aliases.rs").read_text()
    body = re.search(rf"const {table}: .*?= \[(.*?)\n\];", source, re.S).group(1)
    return [re.findall(r'"([^"]+)"', line) for line in re.findall(r"&\[(.*?)\]", body, re.S)]


def metrics(binary, kinds_of_units):
    fields = subprocess.run([binary, "nbo", "fields", "--json"], capture_output=True, text=True, check=True).stdout
    fields = [json.loads(line) for line in fields.splitlines()]
    lists = re.findall(r'EnumList \{ name: "Units\w+", values: &\[(.*?)\]', (crates / "nbo/src/catalogue/tables.rs").read_text())
    listed = {symbol for values in lists for symbol in re.findall(r'"([^"]+)"', values)}
    symbols = sorted({s for of_kind in kinds_of_units.values() for s in of_kind} | listed)
    candidates = sorted({field["field"] for field in fields if field.get("field")})
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')

        def accepts(demand):
            run = subprocess.run([binary, "qc", folder, "--require", demand], capture_output=True)
            return run.returncode != USAGE

        found = {}
        for kind in KINDS:
            if accepts(f"{kind} and NoSuchMetric <= 1"):
                found[kind] = None
                continue
            of_kind = found[kind] = {}
            for name in filter(lambda name: accepts(f"{kind} and {name} <= 1"), candidates):
                allowed = [s for s in symbols if accepts(f"{kind} and {name} <= 1 {s}")]
                whole = [k for k, of_kind_ in kinds_of_units.items() if all(
                    s in allowed for s, factor in of_kind_.items() if not math.isnan(factor))]
                rest = [s for s in allowed if not any(
                    not math.isnan(kinds_of_units[k].get(s, math.nan)) for k in whole)]
                of_kind[name] = [whole, rest]
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    binary = str(pathlib.Path(parser.parse_args().bin).resolve())
    kinds_of_units = units()
    text = lambda value: json.dumps(value, ensure_ascii=False)
    lines = ["// Written by scripts/tables.py; not to be edited.", "",
             "/** Factors to the base unit of each kind, by symbol; null where nobody knows the size.",
             " * @type {Record<string, Record<string, number | null>>} */", "export const UNITS = {"]
    for kind, of_kind in kinds_of_units.items():
        lines.append(f"  {kind}: {text({s: None if math.isnan(f) else f for s, f in of_kind.items()})},")
    lines += ["};", "", "/** Metrics of each kind of calibration: the kinds of units that one may have, and further symbols;",
              " * null where any name is one.",
              " * @type {Record<string, Record<string, [string[], string[]]> | null>} */", "export const METRICS = {"]
    for kind, of_kind in metrics(binary, kinds_of_units).items():
        if of_kind is None:
            lines.append(f"  {kind}: null,")
            continue
        lines.append(f"  {kind}: {{")
        lines += [f"    {text(name)}: {text(allowed)}," for name, allowed in of_kind.items()]
        lines.append("  },")
    lines += ["};", ""]
    for table, what in [("MAKERS", "makers"), ("MODELS", "models of stands")]:
        lines += [f"/** Names of {what}: a line is one, the first name that it is compared by. */", f"export const {table} = ["]
        lines += [f"  {text(line)}," for line in names(table)]
        lines += ["];", ""]
    (here.parent / "src/qc/tables.js").write_text("\n".join(lines))


main()
