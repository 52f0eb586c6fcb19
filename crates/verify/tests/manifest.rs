//! No change of a value in a store passes in silence, with its source and without; changes of no value are told apart.
#![allow(clippy::unwrap_used, clippy::panic)]

use fairzarr_convert::{ChunkChoice, Layout, convert};
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::{Manifest, attributes, manifest_digest};
use fairzarr_store::Store;
use fairzarr_task::Job;
use fairzarr_verify::{Options, Proof, Report, verify, verify_store};
use serde_json::{Value, json};

fn cells() -> Fileset {
    Fileset::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/cells.ome.tiff")).unwrap()
}

fn converted() -> Store {
    let store = Store::memory();
    let mut options = fairzarr_convert::Options::default();
    options.chunk = ChunkChoice::Size(128, 128);
    options.layout = Layout::Bioformats2raw;
    convert(&cells(), &store, &options, &Job::new()).unwrap();
    store
}

fn reports(store: &Store) -> [Report; 2] {
    let (options, job) = (Options::default(), Job::new());
    [verify(&cells(), store, &options, &job).unwrap(), verify_store(store, &options, &job).unwrap()]
}

/// That both reports find something, the manifest among it.
#[track_caller]
fn refuted(store: &Store, what: &str) {
    for report in reports(store) {
        let check = report.checks.iter().find(|check| check.proof == Proof::Manifest).unwrap();
        assert!(!check.differences.is_empty(), "{what}: {report}");
    }
}

/// That both hold, with a note that says this.
#[track_caller]
fn noted(store: &Store, expected: &str) {
    for report in reports(store) {
        let notes: Vec<&String> = report.checks.iter().flat_map(|check| &check.notes).collect();
        assert!(report.holds(), "{report}");
        assert!(notes.iter().any(|note| note.contains(expected)), "{expected}: {report}");
    }
}

fn text(store: &Store, key: &str) -> String {
    String::from_utf8(store.get(key).unwrap().unwrap().to_vec()).unwrap()
}

fn edit(store: &Store, key: &str, change: impl FnOnce(&mut Value)) {
    let mut document: Value = serde_json::from_str(&text(store, key)).unwrap();
    change(&mut document);
    store.put(key, document.to_string()).unwrap();
}

#[test]
fn a_changed_value_in_any_document_is_noticed() {
    for (key, pointer) in [
        ("zarr.json", "/attributes/fairzarr:conversion/codec"),
        ("zarr.json", "/attributes/nbo:record/spec/sha256"),
        ("0/zarr.json", "/attributes/nbo:record/@graph/0/Name"),
        ("zarr.json", "/attributes/nbo:qc/images/0/inStore"),
        ("zarr.json", "/attributes/nbo:coverage"),
        ("zarr.json", "/attributes/fairzarr:sources/0/file"),
        ("0/zarr.json", "/attributes/ome/omero/channels/0/window/end"),
        ("0/zarr.json", "/attributes/fairzarr:statistics/channels/0/min"),
        ("0/0/zarr.json", "/fill_value"),
        ("0/0/zarr.json", "/dimension_names/0"),
        ("OME/digests/zarr.json", "/attributes/images/0/0"),
        ("OME/planes/0/ExposureTime/zarr.json", "/attributes"),
        ("OME/tiff-tags.json", "/pages/0/tags/0/code"),
    ] {
        let store = converted();
        let mut is_there = false;
        edit(&store, key, |document| {
            let Some(value) = document.pointer_mut(pointer) else { return };
            is_there = true;
            *value = match &*value {
                Value::Number(number) => number
                    .as_u64()
                    .map_or_else(|| json!(number.as_f64().unwrap() + 1.0), |whole| json!(whole + 1)),
                Value::String(text) => format!("{text}x").into(),
                Value::Object(_) => json!({"unit": "another"}),
                Value::Array(_) => json!([]),
                Value::Bool(_) | Value::Null => json!("another"),
            };
        });
        assert!(is_there, "{key} has no {pointer}");
        // Digests that do not fit their array end a verification before it has a report.
        if key.starts_with("OME/digests") {
            let alone = verify_store(&store, &Options::default(), &Job::new());
            assert!(alone.is_err() || !alone.unwrap().holds());
        } else {
            refuted(&store, &format!("{key} {pointer}"));
        }
    }
}

#[test]
fn another_object_and_a_lost_one_are_noticed() {
    let keys: Vec<String> =
        Manifest::read(&converted()).unwrap().unwrap().objects().keys().cloned().collect();
    // Groups and arrays without which there is nothing to verify have tests of their own.
    let beside = keys.iter().filter(|key| key.starts_with("OME/") && !key.starts_with("OME/digests"));
    for key in beside.filter(|key| *key != "OME/zarr.json") {
        for lost in [true, false] {
            let store = converted();
            if lost {
                store.delete(key).unwrap();
            } else {
                let mut bytes = store.get(key).unwrap().unwrap().to_vec();
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
                store.put(key, bytes).unwrap();
            }
            refuted(&store, key);
        }
    }
}

#[test]
fn a_manifest_that_is_gone_or_changed_is_missed() {
    let store = converted();
    store.delete("OME/manifest.json").unwrap();
    refuted(&store, "no manifest");
    edit(&store, "zarr.json", |root| {
        root["attributes"].as_object_mut().unwrap().remove("fairzarr:manifest");
    });
    refuted(&store, "no manifest, and none named");

    let store = converted();
    edit(&store, "zarr.json", |root| {
        root["attributes"].as_object_mut().unwrap().remove("fairzarr:manifest");
    });
    refuted(&store, "none named");

    let store = converted();
    edit(&store, "OME/manifest.json", |manifest| {
        manifest["objects"].as_object_mut().unwrap().remove("OME/tiff-tags.json");
    });
    refuted(&store, "an entry less");
    store.put("OME/manifest.json", "[]").unwrap();
    refuted(&store, "no manifest any more");
}

#[test]
fn digests_that_are_gone_are_missed() {
    let store = converted();
    store.delete_prefix("OME/digests").unwrap();
    refuted(&store, "no digests");
    let alone = verify_store(&store, &Options::default(), &Job::new()).unwrap();
    assert!(alone.checks.iter().any(|check| check.proof == Proof::Samples && !check.differences.is_empty()));
}

#[test]
fn documents_written_anew_with_the_same_values_hold() {
    let store = converted();
    let found = text(&store, "0/zarr.json");
    store.put("0/zarr.json", format!("{found}\n")).unwrap();
    noted(&store, "0/zarr.json was written anew, with the same values");
    for key in ["zarr.json", "OME/manifest.json", "OME/tiff-tags.json"] {
        edit(&store, key, |_| {});
    }
    noted(&store, "OME/tiff-tags.json was written anew");
}

#[test]
fn extra_objects_are_reported_and_fail_only_where_they_change_a_reading() {
    let store = converted();
    store.put("notes.txt", "mine").unwrap();
    store.put("thumbnails/a/1.png", "mine").unwrap();
    store.put("thumbnails/b/1.png", "mine").unwrap();
    noted(&store, "notes.txt is no part");
    noted(&store, "thumbnails/ with 2 objects");
    for extra in ["OME/planes/0/ExposureTime/c/9/0/0", "0/.zattrs"] {
        let store = converted();
        store.put(extra, "{}").unwrap();
        refuted(&store, extra);
    }
}

#[test]
fn a_store_of_a_version_without_manifests_is_verified_as_before() {
    let store = converted();
    store.delete("OME/manifest.json").unwrap();
    edit(&store, "zarr.json", |root| {
        let attributes = root["attributes"].as_object_mut().unwrap();
        attributes.remove("fairzarr:manifest");
        attributes["fairzarr:conversion"].as_object_mut().unwrap().remove("manifest");
    });
    noted(&store, "recorded no manifest");
}

#[test]
fn the_root_names_the_manifest_that_is_there() {
    let store = converted();
    let root = attributes(&store, "").unwrap().unwrap();
    let manifest = Manifest::read(&store).unwrap().unwrap();
    assert_eq!(manifest_digest(&root), Some(manifest.digest().as_str()));
    for (key, recorded) in manifest.objects() {
        let bytes = store.get(key).unwrap().unwrap();
        assert_eq!(bytes.len() as u64, recorded.size, "{key}");
    }
    // All that is no chunk of an image is listed, but the manifest.
    let listed = store.list("").unwrap().into_iter().map(|(key, _)| key);
    let beside: Vec<String> = listed.filter(|key| !key.starts_with("0/") || !key.contains("/c/")).collect();
    let expected = manifest.objects().keys().cloned().chain(["OME/manifest.json".to_owned()]);
    assert_eq!(beside.len(), expected.count());
}

#[test]
fn a_store_that_no_reader_opens_does_not_hold() {
    let store = Store::memory();
    let mut options = fairzarr_convert::Options::default();
    options.version = fairzarr_ngff::Version::V04;
    convert(&cells(), &store, &options, &Job::new()).unwrap();
    store.delete(".zgroup").unwrap();
    for report in reports(&store) {
        assert!(
            report.checks.iter().any(|check| check.proof == Proof::Zarr && !check.differences.is_empty())
        );
    }
}
