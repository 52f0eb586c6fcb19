//! A store in a later version of NGFF is valid, proved, and says all that it said; in place, that can be taken back to the byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{cells, convert, fairzarr, text, tree};

fn upgrade(arguments: &[&str]) -> crate::support::Outcome {
    fairzarr([&["upgrade"], arguments].concat())
}

/// Validates the store, and proves it with its source and without.
#[track_caller]
fn assert_proved(store: &Path, version: &str) {
    let valid = fairzarr(["validate", &text(store), "--deep", "--json"]).done().json();
    assert_eq!(
        (valid["version"].as_str(), valid["findings"].as_array().map(Vec::len)),
        (Some(version), Some(0))
    );
    fairzarr(["verify", &text(store)]).done();
    fairzarr(["verify", &text(&cells()), &text(store)]).done();
}

/// Files that are not the same, or are there once.
fn differing<'a>(one: &'a BTreeMap<String, Vec<u8>>, other: &'a BTreeMap<String, Vec<u8>>) -> Vec<&'a str> {
    let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
    names.filter(|name| one.get(*name) != other.get(*name)).map(String::as_str).collect()
}

fn document(store: &Path, name: &str) -> Value {
    serde_json::from_slice(&fs::read(store.join(name)).unwrap()).unwrap()
}

/// A label image with a foreign codec order, attributes of others, and a file between the groups.
fn add_foreign(store: &Path, format_2: bool) {
    let labels = store.join("labels/cells");
    fs::create_dir_all(labels.join("0")).unwrap();
    fs::write(store.join("labels/notes.txt"), "mine").unwrap();
    let image = json!({
        "axes": [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}],
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}],
        "name": "cells", "type": "none", "metadata": {},
    });
    let group = |path: &Path, members: Value| {
        if format_2 {
            fs::write(path.join(".zgroup"), r#"{"zarr_format": 2}"#).unwrap();
            fs::write(path.join(".zattrs"), members.to_string()).unwrap();
        } else {
            let mut members = members;
            let mine = members.as_object_mut().unwrap().remove("mine");
            members["version"] = json!("0.5");
            let attributes = json!({"ome": members, "mine": mine});
            let group = json!({"zarr_format": 3, "node_type": "group", "attributes": attributes});
            fs::write(path.join("zarr.json"), group.to_string()).unwrap();
        }
    };
    group(&store.join("labels"), json!({"labels": ["cells"]}));
    group(&labels, json!({"multiscales": [image], "image-label": {"version": "0.4"}, "mine": [1.5, "ü"]}));
    if format_2 {
        let array = json!({
            "zarr_format": 2, "shape": [2, 3], "chunks": [2, 2], "dtype": ">u2", "compressor": null, "fill_value": null,
            "order": "F", "filters": null, "dimension_separator": "/",
        });
        fs::write(labels.join("0/.zarray"), array.to_string()).unwrap();
        fs::create_dir(labels.join("0/0")).unwrap();
        fs::write(labels.join("0/0/1"), [0, 1, 0, 2, 0, 3, 0, 4]).unwrap();
    }
}

#[test]
fn a_store_of_0_4_is_written_anew_with_its_chunks_moved() {
    let dir = TempDir::new().unwrap();
    let old = dir.path().join("old.zarr");
    convert(&cells(), &old, &["--ngff", "0.4"]).done();
    add_foreign(&old, true);
    let before = tree(&old);
    for version in ["0.5", "0.6"] {
        let new = dir.path().join(format!("{version}.zarr"));
        let told = upgrade(&[&text(&old), &text(&new), "--to", version, "--json"]).done().json();
        assert_eq!((told["from"].as_str(), told["recoded"].as_u64()), (Some("0.4"), Some(0)), "{told}");
        fairzarr(["verify", &text(&new)]).done();
        fairzarr(["verify", &text(&cells()), &text(&new)]).done();
        let valid = fairzarr(["validate", &text(&new), "--deep", "--json"]).json();
        assert_eq!(valid["version"], version);
        assert_eq!(fs::read(new.join("0/c/0/0/0/0/0")).unwrap(), fs::read(old.join("0/0/0/0/0/0")).unwrap());
        let labels = document(&new, "labels/cells/zarr.json");
        assert_eq!(labels["attributes"]["mine"], json!([1.5, "ü"]));
        assert_eq!(labels["attributes"]["ome"]["version"], version);
        let array = document(&new, "labels/cells/0/zarr.json");
        assert_eq!(array["codecs"][0]["name"], "transpose");
        assert_eq!(
            (&array["codecs"][1]["configuration"]["endian"], &array["dimension_names"]),
            (&json!("big"), &json!(["y", "x"]))
        );
        assert!(new.join("labels/cells/0/c/0/1").is_file() && new.join("labels/notes.txt").is_file());
        let root = document(&new, "zarr.json");
        assert!(root["consolidated_metadata"]["metadata"]["labels/cells/0"].is_object());
        assert_eq!(root["attributes"]["fairzarr:history"][0]["action"], "upgrade");
    }
    assert_eq!(differing(&before, &tree(&old)), [""; 0]);
    // Never over something, never half.
    upgrade(&[&text(&old), &text(&dir.path().join("0.5.zarr")), "--to", "0.5"]).ends_with(8);
    upgrade(&[&text(&old), "--to", "0.5"]).ends_with(2);
    let attributes = fs::read_to_string(old.join(".zattrs")).unwrap();
    fs::write(old.join(".zattrs"), attributes.replace("micrometer", "nanometer")).unwrap();
    let refused = dir.path().join("refused.zarr");
    let told = upgrade(&[&text(&old), &text(&refused), "--to", "0.5"]).ends_with(3);
    assert!(told.err.contains(".zattrs") && !refused.join("zarr.json").exists(), "{told:?}");
}

#[test]
fn from_0_5_to_0_6_documents_change_where_they_are_and_back_to_the_byte() {
    let dir = TempDir::new().unwrap();
    let store = dir.path().join("cells.zarr");
    convert(&cells(), &store, &["--layout", "bioformats2raw"]).done();
    let plain = tree(&store);
    upgrade(&[&text(&store), "--to", "0.6"]).done();
    assert_proved(&store, "0.6");
    upgrade(&[&text(&store), "--to", "0.6"]).ends_with(2);
    upgrade(&[&text(&store), "--undo"]).done();
    assert_eq!(differing(&plain, &tree(&store)), [""; 0]);
    upgrade(&[&text(&store), "--undo"]).ends_with(2);

    // A run that was interrupted after it had changed a group is finished by the next.
    upgrade(&[&text(&store), "--to", "0.6"]).done();
    let (journal, image) =
        (fs::read(store.join("OME/upgraded.json")).unwrap(), fs::read(store.join("0/zarr.json")).unwrap());
    upgrade(&[&text(&store), "--undo"]).done();
    fs::write(store.join("OME/upgraded.json"), journal).unwrap();
    fs::write(store.join("0/zarr.json"), image).unwrap();
    upgrade(&[&text(&store), "--to", "0.6"]).done();
    assert_proved(&store, "0.6");
    upgrade(&[&text(&store), "--undo"]).done();
    assert_eq!(differing(&plain, &tree(&store)), [""; 0]);
}

#[test]
fn what_was_embedded_can_be_taken_out_after_an_upgrade() {
    let dir = TempDir::new().unwrap();
    let psf = dir.path().join("psf.yaml");
    fs::write(&psf, include_str!("../../../nbo/tests/data/psf-beads.yaml")).unwrap();
    let store = dir.path().join("new.zarr");
    convert(&cells(), &store, &[]).done();
    let plain = tree(&store);
    fairzarr(["embed", &text(&store), "--nbo", &text(&psf)]).done();
    upgrade(&[&text(&store), "--to", "0.6"]).done();
    fairzarr(["embed", &text(&store), "--remove"]).done();
    assert_proved(&store, "0.6");
    let history = document(&store, "zarr.json")["attributes"]["fairzarr:history"].clone();
    assert_eq!((history[0]["action"].as_str(), history[1].as_str()), (Some("upgrade"), None));
    upgrade(&[&text(&store), "--undo"]).done();
    assert_eq!(differing(&plain, &tree(&store)), [""; 0]);

    let (old, new) = (dir.path().join("old4.zarr"), dir.path().join("new5.zarr"));
    convert(&cells(), &old, &["--ngff", "0.4"]).done();
    fairzarr(["embed", &text(&old), "--nbo", &text(&psf)]).done();
    upgrade(&[&text(&old), &text(&new), "--to", "0.5"]).done();
    assert_proved(&new, "0.5");
    fairzarr(["embed", &text(&new), "--remove"]).done();
    assert_proved(&new, "0.5");
    assert_eq!(document(&new, "zarr.json")["attributes"]["nbo:sources"].as_array().map(Vec::len), Some(1));
}

#[test]
fn labels_of_other_programs_come_along_in_place() {
    let dir = TempDir::new().unwrap();
    let store = dir.path().join("cells.zarr");
    convert(&cells(), &store, &[]).done();
    add_foreign(&store, false);
    let before = tree(&store);
    upgrade(&[&text(&store), "--to", "0.6"]).done();
    let labels = document(&store, "labels/cells/zarr.json");
    assert_eq!(labels["attributes"]["ome"]["multiscales"][0]["coordinateSystems"][0]["name"], "intrinsic");
    assert_eq!(labels["attributes"]["mine"], json!([1.5, "ü"]));
    upgrade(&[&text(&store), "--undo"]).done();
    assert_eq!(differing(&before, &tree(&store)), [""; 0]);
}
