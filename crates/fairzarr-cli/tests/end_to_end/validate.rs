//! `validate`: the verdict on hierarchies of every kind, and on what is broken in them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tiff::{Picture, Sample, Tiff};
use crate::support::{cells, convert, fairzarr, text};

fn validate(store: &Path) -> crate::support::Outcome {
    fairzarr(["validate", "--json", &text(store)])
}

/// Changes a JSON document of a store.
fn edit(document: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(document).unwrap()).unwrap();
    change(&mut value);
    fs::write(document, value.to_string()).unwrap();
}

#[test]
fn what_the_program_writes_is_valid() {
    let dir = TempDir::new().unwrap();
    for version in ["0.4", "0.5", "0.6"] {
        let target = dir.path().join(version);
        convert(&cells(), &target, &["--ngff", version]).done();
        let verdict = validate(&target).done().json();
        assert_eq!((&verdict["valid"], &verdict["version"]), (&json!(true), &json!(version)));
        assert_eq!(
            (&verdict["groups"], &verdict["arrays"], &verdict["findings"]),
            (&json!(1), &json!(3), &json!([]))
        );
    }
    let (source, target) = (dir.path().join("two.ome.tiff"), dir.path().join("two.zarr"));
    let picture = || Picture { sample: Sample::U8, size: [1, 1, 1, 32, 32], interleaved: 1 };
    Tiff::many(vec![picture(), picture()]).write(&source);
    convert(&source, &target, &[]).done();
    let verdict = validate(&target).done().json();
    // The root, OME, and both images.
    assert_eq!(
        (&verdict["valid"], &verdict["groups"], &verdict["arrays"]),
        (&json!(true), &json!(4), &json!(2))
    );
}

#[test]
fn what_is_broken_is_named_with_its_group_and_clause() {
    let dir = TempDir::new().unwrap();
    let target = dir.path().join("broken.zarr");
    convert(&cells(), &target, &[]).done();
    edit(&target.join("1/zarr.json"), |array| array["dimension_names"] = json!(["t", "c", "z", "x", "y"]));
    fs::remove_file(target.join("2/zarr.json")).unwrap();
    edit(&target.join("zarr.json"), |root| {
        root["attributes"]["ome"]["multiscales"][0]["axes"][1]["type"] = json!("space");
    });
    let told = validate(&target).ends_with(1);
    let verdict = told.json();
    assert_eq!(verdict["valid"], json!(false));
    let messages: Vec<_> = verdict["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["message"].as_str().unwrap())
        .collect();
    assert!(messages.iter().any(|message| message.contains("no zarr.json")), "{messages:?}");

    let words = fairzarr(["validate", &text(&target)]).ends_with(1);
    assert!(words.out.contains("(root): MUST"), "{words:?}");
    assert!(words.out.lines().last().unwrap().contains("not valid NGFF 0.5"), "{words:?}");
}

#[test]
fn a_missing_image_of_a_collection_and_a_missing_label_are_found() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("two.ome.tiff"), dir.path().join("two.zarr"));
    let picture = || Picture { sample: Sample::U8, size: [1, 1, 1, 32, 32], interleaved: 1 };
    Tiff::many(vec![picture(), picture()]).write(&source);
    convert(&source, &target, &["--no-consolidated"]).done();
    fs::remove_dir_all(target.join("1")).unwrap();
    let labels = json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", "labels": ["nuclei"]}}});
    fs::create_dir(target.join("0/labels")).unwrap();
    fs::write(target.join("0/labels/zarr.json"), labels.to_string()).unwrap();
    let verdict = validate(&target).ends_with(1).json();
    let demands = verdict["findings"].as_array().unwrap().iter().filter(|found| found["severity"] == "MUST");
    let groups: Vec<_> = demands.map(|found| found["group"].clone()).collect();
    assert_eq!(groups, ["0/labels/nuclei", "1"]);
}

#[test]
fn what_is_no_ome_zarr_is_an_input_error() {
    let dir = TempDir::new().unwrap();
    let told = validate(dir.path()).ends_with(3);
    assert!(told.message().contains("not an OME-Zarr"), "{told:?}");
    fs::write(dir.path().join("zarr.json"), r#"{"zarr_format": 3, "node_type": "group", "attributes": {}}"#)
        .unwrap();
    assert!(validate(dir.path()).ends_with(3).message().contains("no NGFF metadata"));
}

#[test]
fn consolidated_metadata_are_the_nodes_and_all_of_them() {
    let dir = TempDir::new().unwrap();
    for (version, document, at) in [
        ("0.4", ".zmetadata", "/metadata/1~1.zarray"),
        ("0.5", "zarr.json", "/consolidated_metadata/metadata/1"),
    ] {
        let target = dir.path().join(version);
        convert(&cells(), &target, &["--ngff", version]).done();
        let document = target.join(document);
        let copies: Value = serde_json::from_slice(&fs::read(&document).unwrap()).unwrap();
        let copy = copies.pointer(at).unwrap();
        let array = at.rsplit('/').next().unwrap().replace("~1", "/");
        let array = target.join(if version == "0.4" { array } else { format!("{array}/zarr.json") });
        assert_eq!(*copy, serde_json::from_slice::<Value>(&fs::read(array).unwrap()).unwrap());
        edit(&document, |copies| {
            let (parent, name) = at.rsplit_once('/').unwrap();
            let name = name.replace("~1", "/");
            copies.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(&name);
        });
        let findings = validate(&target).done().json()["findings"].clone();
        let message = "1 nodes are not consolidated, expected all of them or none; the first is 1";
        assert_eq!((&findings[0]["message"], &findings[0]["severity"]), (&json!(message), &json!("SHOULD")));

        let without = dir.path().join(format!("{version}-without"));
        convert(&cells(), &without, &["--ngff", version, "--no-consolidated"]).done();
        assert!(!without.join(".zmetadata").exists());
        assert!(
            !fs::read_to_string(without.join(if version == "0.4" { ".zattrs" } else { "zarr.json" }))
                .unwrap()
                .contains("consolidated_metadata")
        );
        validate(&without).done();
    }
}
