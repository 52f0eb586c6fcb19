//! The NGFF specification's own conformance cases, against `fairzarr_ngff::validate`.
//!
//! A case is valid when no rule of the specification is broken; a strict case also when no recommendation is.
//! Cases where the verdict differs are listed, each with the reason.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use fairzarr_ngff::{NodeKind, Severity, Version, image_attributes, parse_image, validate};
use serde_json::{Value, json};

#[test]
fn v0_4() {
    check(Version::V04, 102, EXCEPTIONS_04);
}

#[test]
fn v0_5() {
    check(Version::V05, 96, EXCEPTIONS_05);
}

#[test]
fn v0_6() {
    check(Version::V06, 242, EXCEPTIONS_06);
}

/// Many cases of 0.6 are invalid (and some should be valid) only because their inputs and outputs are strings, the
/// form of older drafts. Brought to the form of 0.6, they say what they were written to say.
#[test]
fn v0_6_with_objects_as_ends() {
    let mut repaired = 0;
    let mut differing = Vec::new();
    for case in cases(Version::V06) {
        let Some(original) = case.attributes else { continue };
        let mut attributes = original.clone();
        ends_as_objects(&mut attributes, false);
        if attributes == original {
            continue;
        }
        repaired += 1;
        let mut findings = validate(None, &attributes, Some(case.kind));
        findings.retain(|finding| finding.severity == Severity::Must);
        if findings.is_empty() != case.valid {
            differing.push((case.name, findings));
        }
    }
    assert!(repaired > 30, "{repaired}");
    let names: Vec<&str> = differing.iter().map(|(name, _)| name.as_str()).collect();
    let expected: Vec<&str> = ENDS_AS_OBJECTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected, "{differing:#?}");
}

/// Every valid image is read, and what is written back is valid.
#[test]
fn valid_images_are_read_and_written_back() {
    let mut read = 0;
    for version in [Version::V04, Version::V05, Version::V06] {
        for case in cases(version).into_iter().filter(|case| case.valid && case.kind == NodeKind::Image) {
            let attributes = case.attributes.unwrap();
            if validate(None, &attributes, Some(case.kind)).iter().any(|f| f.severity == Severity::Must) {
                continue;
            }
            let (found, image, omero) = parse_image(attributes.as_object().unwrap())
                .unwrap_or_else(|error| panic!("{version} {}: {error}", case.name));
            assert_eq!(found, version);
            let written = Value::Object(image_attributes(version, &image, omero.as_ref()));
            let mut findings = validate(Some(version), &written, Some(case.kind));
            findings.retain(|finding| finding.severity == Severity::Must);
            assert!(findings.is_empty(), "{version} {}: {findings:#?}", case.name);
            read += 1;
        }
    }
    assert!(read > 40, "{read}");
}

/// Makes `"input": "a"` an object with a name, or with a path where the transformation is a level's.
fn ends_as_objects(value: &mut Value, in_level: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| ends_as_objects(item, in_level)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), &member) {
                    ("input", Value::String(end)) if in_level => *member = json!({"path": end}),
                    ("input" | "output", Value::String(end)) => *member = json!({"name": end}),
                    _ => ends_as_objects(member, in_level || name == "datasets"),
                }
            }
        }
        _ => {}
    }
}

struct Case {
    name: String,
    kind: NodeKind,
    strict: bool,
    valid: bool,
    /// `None` when the case is not JSON.
    attributes: Option<Value>,
}

fn check(version: Version, count: usize, exceptions: &[(&str, &str)]) {
    let cases = cases(version);
    assert_eq!(cases.len(), count);
    let mut differing = Vec::new();
    for case in &cases {
        let findings = case.attributes.as_ref().map(|attributes| validate(None, attributes, Some(case.kind)));
        let bad = |severity| findings.as_ref().is_none_or(|f| f.iter().any(|f| f.severity >= severity));
        let valid = !bad(if case.strict { Severity::Should } else { Severity::Must });
        if valid != case.valid {
            let findings: Vec<String> = findings.into_iter().flatten().map(|f| f.to_string()).collect();
            differing.push((case.name.clone(), findings));
        }
    }
    let unexpected: Vec<_> = differing
        .iter()
        .filter(|(name, _)| !exceptions.iter().any(|(exception, _)| exception == name))
        .collect();
    assert!(unexpected.is_empty(), "{} verdicts differ from {version}'s: {unexpected:#?}", unexpected.len());
    for (exception, reason) in exceptions {
        assert!(
            differing.iter().any(|(name, _)| name == exception),
            "{exception}: no exception any more ({reason})"
        );
    }
}

fn cases(version: Version) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/ngff/{version}.jsonl"));
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| Case::new(&serde_json::from_str(line).unwrap()))
        .collect()
}

impl Case {
    fn new(entry: &Value) -> Self {
        let kind = match entry["kind"].as_str().unwrap() {
            "image" | "transforms" => NodeKind::Image,
            "label" => NodeKind::Label,
            "plate" => NodeKind::Plate,
            "well" => NodeKind::Well,
            "bf2raw" => NodeKind::Bioformats2raw,
            "ome" => NodeKind::Series,
            "scene" => NodeKind::Scene,
            other => panic!("{other} is not a kind of case"),
        };
        Self {
            name: entry["name"].as_str().unwrap().into(),
            kind,
            strict: entry["strict"].as_bool().unwrap(),
            valid: entry["valid"].as_bool().unwrap(),
            attributes: entry.get("attributes").cloned(),
        }
    }
}

const EXCEPTIONS_04: &[(&str, &str)] = &[
    ("attributes/spec/valid/image/mismatch_axes_units", SHORT_SCALE),
    ("attributes/spec/valid/plate/minimal_acquisitions", COLUMN_FIRST),
    ("attributes/spec/valid/plate/minimal_no_acquisitions", COLUMN_FIRST),
    ("attributes/spec/valid/plate/non_alphanumeric_row", COLUMN_FIRST),
    ("attributes/strict/valid/plate/strict_acquisitions", COLUMN_FIRST),
    ("attributes/strict/valid/plate/strict_no_acquisitions", COLUMN_FIRST),
];

const EXCEPTIONS_05: &[(&str, &str)] = &[];

const EXCEPTIONS_06: &[(&str, &str)] = &[
    ("attributes/spec/valid/image/mismatch_axes_units", SHORT_SCALE),
    (
        "attributes/spec/valid/image/multiscales_transform_additional_transforms",
        "its byDimension gives two of three output axes; the text demands each exactly once",
    ),
    ("attributes/spec/valid/plate/minimal_acquisitions", COLUMN_FIRST),
    ("attributes/spec/valid/plate/minimal_no_acquisitions", COLUMN_FIRST),
    ("attributes/spec/valid/plate/non_alphanumeric_row", COLUMN_FIRST),
    ("attributes/strict/valid/image/image_omero", UNDEFINED_SYSTEM),
    (
        "attributes/strict/valid/image/multiscales_example",
        "the input of its second level is \"s1\", the path of no level",
    ),
    ("attributes/strict/valid/plate/strict_acquisitions", COLUMN_FIRST),
    ("attributes/strict/valid/plate/strict_no_acquisitions", COLUMN_FIRST),
    ("zarr/spec/valid/image/custom_type_axes.ome.zarr", STRING_ENDS),
    ("zarr/spec/valid/image/invalid_axis_units.ome.zarr", STRING_ENDS),
    ("zarr/spec/valid/image/mismatch_axes_units.ome.zarr", STRING_ENDS),
    ("zarr/spec/valid/image/missing_name.ome.zarr", STRING_ENDS),
    ("zarr/spec/valid/image/untyped_axes.ome.zarr", STRING_ENDS),
    ("zarr/spec/valid/plate/minimal_acquisitions.ome.zarr", COLUMN_FIRST),
    ("zarr/spec/valid/plate/minimal_no_acquisitions.ome.zarr", COLUMN_FIRST),
    ("zarr/spec/valid/plate/non_alphanumeric_row.ome.zarr", COLUMN_FIRST),
    ("zarr/strict/valid/image/image.ome.zarr", STRING_ENDS),
    ("zarr/strict/valid/image/image_metadata.ome.zarr", STRING_ENDS),
    ("zarr/strict/valid/image/image_omero.ome.zarr", STRING_ENDS),
    ("zarr/strict/valid/image/multiscales_example.ome.zarr", STRING_ENDS),
    ("zarr/strict/valid/image/multiscales_transformations.ome.zarr", STRING_ENDS),
    ("zarr/strict/valid/plate/strict_acquisitions.ome.zarr", COLUMN_FIRST),
    ("zarr/strict/valid/plate/strict_no_acquisitions.ome.zarr", COLUMN_FIRST),
    ("examples/label/colors_properties", RECOMMENDED),
    ("examples/image/multiscales_example_relative", "has its members outside \"ome\""),
    ("examples/image/multiscales_reference_to_label", RECOMMENDED),
];

/// Cases whose verdict differs from the expected one once their ends are objects.
const ENDS_AS_OBJECTS: &[(&str, &str)] = &[
    ("attributes/spec/invalid/image/invalid_multiscale_transform_input_output", ONLY_STRINGS),
    ("attributes/spec/invalid/scene/scene_input_output_not_object", ONLY_STRINGS),
    ("zarr/spec/valid/image/mismatch_axes_units.ome.zarr", SHORT_SCALE),
    ("zarr/strict/valid/image/image_omero.ome.zarr", UNDEFINED_SYSTEM),
];

const SHORT_SCALE: &str = "has a scale of two numbers for three axes, which the schema cannot see";
const COLUMN_FIRST: &str =
    "its wells' paths are column/row; the text demands row/column, as the cases of 0.5 do";
const STRING_ENDS: &str = "its inputs and outputs are strings, the form of the drafts before 0.6";
const RECOMMENDED: &str = "counted as strict, but lacks recommended members of its multiscales";
const ONLY_STRINGS: &str = "strings as ends are all that is wrong with it";
const UNDEFINED_SYSTEM: &str = "transforms from a coordinate system \"intrinsic\" that it does not define";
