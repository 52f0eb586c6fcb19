//! `fairzarr conformance`: one case of the NGFF specification's conformance suite, answered as its runner wants it.
//!
//! The runner calls a program with the path of a case, and expects exit code 0 and one JSON object on standard output
//! whatever the verdict is. What kind of group a case holds, and whether its recommendations count as demands, is said
//! by the folders `{spec|strict}/{valid|invalid}/KIND` that it lies in, or by the schema that the case itself names.

use fairzarr_ngff::{Finding, NodeKind, Severity, validate};
use fairzarr_store::read_document;
use fairzarr_zarr::{Format, Node, judge};
use serde_json::{Map, Value, json};
use std::path::Path;

use crate::args::{Conformance, ConformanceCase};
use crate::exit::{Code, Failure};
use crate::print;
use crate::telling;

/// What a case may have in bytes.
const CASE_BYTES: u64 = 64 << 20;

pub(crate) fn run(args: &Conformance) -> Result<Code, Failure> {
    let verdict = match args {
        Conformance::Attributes(case) => {
            verdict(case, read(&case.path).map(|attributes| (attributes, Vec::new())))
        }
        Conformance::Zarr(case) => {
            let document = read(&case.path.join("zarr.json"));
            verdict(
                case,
                document.map(|mut document| {
                    let findings = judge(Format::V3, Node::Group, &document);
                    let attributes = match document.remove("attributes") {
                        Some(Value::Object(attributes)) => attributes,
                        _ => Map::new(),
                    };
                    (attributes, findings)
                }),
            )
        }
    };
    if telling::is_json() {
        let (Conformance::Attributes(case) | Conformance::Zarr(case)) = args;
        return print::outcome("conformance", Code::Done, &case.path.display().to_string(), verdict);
    }
    print::json_line(&verdict)?;
    Ok(Code::Done)
}

fn read(path: &Path) -> Result<Map<String, Value>, String> {
    let bytes = read_document(path, CASE_BYTES).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| format!("{} is not a JSON object: {error}", path.display()))
}

fn verdict(case: &ConformanceCase, read: Result<(Map<String, Value>, Vec<Finding>), String>) -> Value {
    let (attributes, mut findings) = match read {
        Ok(read) => read,
        Err(message) => return json!({"valid": false, "message": message}),
    };
    let folders: Vec<&str> = case.path.iter().filter_map(|folder| folder.to_str()).collect();
    let schema = attributes.get("_conformance").and_then(|case| case.pointer("/schema/id")?.as_str());
    let schema = schema.unwrap_or_default().to_owned();
    let strict = case.strict || folders.contains(&"strict") || schema.contains("strict_");
    let folder = folders.len().checked_sub(2).map_or("", |parent| folders[parent]);
    let kind = kind(folder).or_else(|| {
        let name = schema.rsplit('/').next()?.trim_start_matches("strict_").strip_suffix(".schema")?;
        kind(name)
    });
    findings.extend(validate(None, &Value::Object(attributes), kind));
    let least = if strict { Severity::Should } else { Severity::Must };
    let broken: Vec<String> =
        findings.iter().filter(|found| found.severity >= least).map(ToString::to_string).collect();
    json!({"valid": broken.is_empty(), "message": broken.join("; ")})
}

fn kind(name: &str) -> Option<NodeKind> {
    Some(match name {
        "image" | "transforms" => NodeKind::Image,
        "label" => NodeKind::Label,
        "plate" => NodeKind::Plate,
        "well" => NodeKind::Well,
        "bf2raw" => NodeKind::Bioformats2raw,
        "ome" => NodeKind::Series,
        "scene" => NodeKind::Scene,
        _ => return None,
    })
}
