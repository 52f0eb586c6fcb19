//! Drafts of 0.9 are judged by what their schemas say of axes, their orientation, and `omero`; 0.6 by its own rules.

use fairzarr_ngff::{NodeKind, Severity, Version, parse_image, validate};
use serde_json::{Value, json};

fn image(version: &str) -> Value {
    json!({"ome": {"version": version, "multiscales": [{
        "name": "n", "type": "mean", "metadata": {},
        "coordinateSystems": [{"name": "intrinsic", "axes": [
            {"name": "y", "type": "space", "unit": "micrometer"}, {"name": "x", "type": "space", "unit": "micrometer"},
        ]}],
        "datasets": [{"path": "0", "coordinateTransformations": [
            {"type": "scale", "scale": [1.0, 1.0], "input": {"path": "0"}, "output": {"name": "intrinsic"}},
        ]}],
    }], "omero": {"channels": [{"color": "FFFFFF", "window": {"min": 0, "max": 9, "start": 0, "end": 9}}]}}})
}

/// The demands that are broken.
fn broken(attributes: &Value) -> Vec<String> {
    let findings = validate(None, attributes, Some(NodeKind::Image));
    findings.iter().filter(|finding| finding.severity == Severity::Must).map(ToString::to_string).collect()
}

const AXES: &str = "/ome/multiscales/0/coordinateSystems/0/axes";

#[test]
fn a_draft_is_held_to_what_its_schemas_say_and_to_no_more() {
    let axis = format!("{AXES}/1");
    let orientation = |kind: &str, value: &str| json!({"type": kind, "value": value});
    let channel = "/ome/omero/channels/0";
    let cases: Vec<(&str, String, &str, Option<Value>, bool)> = vec![
        ("orientation", axis.clone(), "orientation", Some(orientation("anatomical", "left-to-right")), true),
        ("another value", axis.clone(), "orientation", Some(orientation("anatomical", "sideways")), false),
        ("another type", axis.clone(), "orientation", Some(orientation("astral", "left-to-right")), false),
        ("no value", axis.clone(), "orientation", Some(json!({"type": "anatomical"})), false),
        ("no object", axis.clone(), "orientation", Some(json!("left-to-right")), false),
        ("a type of one's own", axis.clone(), "type", Some(json!("lifetime")), true),
        ("no name", axis.clone(), "name", None, false),
        ("an empty name", axis.clone(), "name", Some(json!("")), false),
        ("a name twice", axis.clone(), "name", Some(json!("y")), false),
        ("a unit that is none", axis.clone(), "unit", Some(json!(3)), false),
        ("discrete", axis, "discrete", Some(json!("no")), false),
        ("a window of two", channel.into(), "window", Some(json!({"start": 0, "end": 1})), true),
        ("a window of one", channel.into(), "window", Some(json!({"start": 0})), false),
        ("no window", channel.into(), "window", None, true),
        ("no colour", channel.into(), "color", None, true),
        ("a colour that is none", channel.into(), "color", Some(json!(5)), false),
        ("inverted", channel.into(), "inverted", Some(json!("yes")), false),
    ];
    for version in ["0.9.dev1", "0.9.dev2"] {
        assert_eq!(broken(&image(version)), Vec::<String>::new());
        for (what, at, member, value, is_valid) in &cases {
            let mut attributes = image(version);
            let object = attributes.pointer_mut(at).and_then(Value::as_object_mut).unwrap();
            match value {
                Some(value) => object.insert((*member).to_owned(), value.clone()),
                None => object.remove(*member),
            };
            let found = broken(&attributes);
            assert_eq!(found.is_empty(), *is_valid, "{what}: {found:?}");
        }
    }
}

#[test]
fn axes_of_a_draft_are_of_any_number_and_order_and_those_of_0_6_are_not() {
    let axes: Vec<Value> = ["x", "y", "lifetime", "t", "c", "z", "angle"]
        .map(|name| json!({"name": name, "type": if ["x", "y", "z"].contains(&name) { "space" } else { name }}))
        .into();
    let with = |version: &str| {
        let mut attributes = image(version);
        let count = axes.len();
        *attributes.pointer_mut(AXES).unwrap() = json!(axes);
        let scale = "/ome/multiscales/0/datasets/0/coordinateTransformations/0/scale";
        *attributes.pointer_mut(scale).unwrap() = json!(vec![1.0; count]);
        broken(&attributes)
    };
    assert_eq!(with("0.9.dev1"), Vec::<String>::new());
    assert!(!with("0.6").is_empty());
    let mut none = image("0.9.dev1");
    *none.pointer_mut(AXES).unwrap() = json!([]);
    assert!(!broken(&none).is_empty());
}

#[test]
fn images_of_a_draft_are_read_as_those_of_0_6_and_other_versions_are_not() {
    let read = |version: &str| parse_image(image(version).as_object().unwrap());
    let (version, multiscale, omero) = read("0.9.dev1").unwrap();
    assert_eq!((version, multiscale.axes.len(), multiscale.datasets.len()), (Version::V06, 2, 1));
    assert!(omero.is_some());
    assert!(read("0.8").is_err() && read("1.0").is_err());
}
