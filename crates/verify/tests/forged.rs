//! Somebody who edits a value and rewrites the manifest does not pass: what follows from the documents that a store keeps, and from its
//! samples, is derived again, also without the source. `FAIRZARR_EDITS` says how many random edits are made, `FAIRZARR_SEED` from which
//! seed.
#![allow(clippy::unwrap_used, clippy::panic)]

use fairzarr_convert::{ChunkChoice, Layout, convert};
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::{Manifest, ManifestRecorder, NO_DIGEST};
use fairzarr_store::Store;
use fairzarr_task::Job;
use fairzarr_verify::{Options, Proof, Report, verify, verify_store};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn cells() -> Fileset {
    Fileset::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/cells.ome.tiff")).unwrap()
}

fn converted(layout: Layout) -> Store {
    let store = Store::memory();
    let mut options = fairzarr_convert::Options::default();
    options.chunk = ChunkChoice::Size(128, 128);
    options.layout = layout;
    convert(&cells(), &store, &options, &Job::new()).unwrap();
    store
}

/// Makes the manifest say what is there, as a forger would who knows docs/digests.md.
fn forge(store: &Store) {
    let before = Manifest::read(store).unwrap().unwrap();
    let (recorder, _) = ManifestRecorder::new(store, Some(before.clone()));
    let name = |digest: &str| {
        edit(store, "zarr.json", |root| root["attributes"]["fairzarr:manifest"]["sha256"] = digest.into());
    };
    name(NO_DIGEST);
    for key in before.objects().keys() {
        match store.get(key).unwrap() {
            Some(bytes) => recorder.add(key, &bytes),
            None => recorder.remove(key),
        }
    }
    name(&recorder.write(store).unwrap());
}

fn edit(store: &Store, key: &str, change: impl FnOnce(&mut Value)) {
    let mut document: Value = serde_json::from_slice(&store.get(key).unwrap().unwrap()).unwrap();
    change(&mut document);
    store.put(key, document.to_string()).unwrap();
}

fn reports(store: &Store) -> [Report; 2] {
    let (options, job) = (Options::default(), Job::new());
    [verify(&cells(), store, &options, &job).unwrap(), verify_store(store, &options, &job).unwrap()]
}

/// That a forged edit of a value is found by this proof, with the source and without.
#[track_caller]
fn refuted(proof: Proof, key: &str, pointer: &str, value: &Value) {
    let store = converted(Layout::Bioformats2raw);
    edit(&store, key, |document| {
        let found = document.pointer_mut(pointer).unwrap_or_else(|| panic!("{key} has no {pointer}"));
        *found = value.clone();
    });
    forge(&store);
    for report in reports(&store) {
        let of = |proof| report.checks.iter().find(|check| check.proof == proof).unwrap();
        assert!(of(Proof::Manifest).differences.is_empty(), "the manifest was forged well: {report}");
        assert!(!of(proof).differences.is_empty(), "{key} {pointer}: {report}");
    }
}

#[test]
fn a_forged_name_scale_unit_channel_or_window_is_found_by_derivation() {
    for (pointer, value) in [
        ("/multiscales/0/name", json!("other")),
        ("/multiscales/0/axes/4/unit", json!("meter")),
        ("/multiscales/0/datasets/0/coordinateTransformations/0/scale/4", json!(0.2)),
        ("/multiscales/0/metadata/version", json!("9")),
        ("/omero/channels/0/label", json!("other")),
        ("/omero/channels/0/color", json!("123456")),
        ("/omero/channels/0/active", json!(false)),
        ("/omero/channels/0/window/start", json!(7.5)),
        ("/omero/rdefs/defaultT", json!(1)),
    ] {
        refuted(Proof::Derivation, "0/zarr.json", &format!("/attributes/ome{pointer}"), &value);
    }
    refuted(Proof::Derivation, "zarr.json", "/attributes/ome/bioformats2raw.layout", &json!(4));
}

#[test]
fn a_member_that_was_added_among_those_of_ngff_is_found_by_derivation() {
    refuted(Proof::Derivation, "0/zarr.json", "/attributes/ome/omero/channels/0", &json!({"lut": "fire"}));
}

#[test]
fn a_forged_record_source_coverage_or_index_is_found_by_the_record() {
    for (key, pointer, value) in [
        ("zarr.json", "nbo:record/spec/version", json!("9")),
        ("0/zarr.json", "nbo:record/@graph/0/Name", json!("other")),
        ("zarr.json", "nbo:sources/0/sha256", json!("00")),
        ("zarr.json", "nbo:qc/images/0/inStore", json!(false)),
        ("zarr.json", "nbo:coverage/0/errors", json!(0)),
        ("zarr.json", "nbo:coverage/0/tiers", json!([])),
        ("zarr.json", "zarr_conventions/0/name", json!("other")),
        ("zarr.json", "fairzarr:sources/0/bytes", json!(3)),
    ] {
        refuted(Proof::Record, key, &format!("/attributes/{pointer}"), &value);
    }
}

#[test]
fn forged_statistics_are_found_by_counting_again() {
    for (pointer, value) in [
        ("count", json!(1)),
        ("min", json!(-3.0)),
        ("max", json!(1e9)),
        ("percentiles/50", json!(-1.0)),
        ("zero_fraction", json!(0.75)),
        ("saturated_fraction", json!(0.75)),
        ("not_finite_fraction", json!(0.75)),
        ("quality/SaturatedFraction", json!(0.75)),
        ("quality/DynamicRangeUsed", json!(0.99)),
        ("quality/Background", json!(-1.0)),
        ("quality/NoiseSD", json!(0.001)),
        ("quality/SignalToNoise", json!(1e6)),
        ("quality/FocusScore", json!(1e6)),
        ("quality/Uniformity", json!(0.999)),
        ("quality/planes/FocusScore/0", json!(1e6)),
        ("quality/planes/Mean/0", json!(1e6)),
    ] {
        let pointer = format!("/attributes/fairzarr:statistics/channels/0/{pointer}");
        refuted(Proof::Statistics, "0/zarr.json", &pointer, &value);
    }
}

#[test]
fn a_forged_metadata_document_is_found_without_the_source() {
    let store = converted(Layout::Image);
    let text = String::from_utf8(store.get("OME/METADATA.ome.xml").unwrap().unwrap().to_vec()).unwrap();
    let other = text.replacen("Name=\"", "Name=\"x", 1);
    assert_ne!(text, other);
    store.put("OME/METADATA.ome.xml", other).unwrap();
    forge(&store);
    for report in reports(&store) {
        let check = report.checks.iter().find(|check| check.proof == Proof::Metadata).unwrap();
        assert!(!check.differences.is_empty(), "{report}");
    }
}

#[test]
fn forged_tags_are_found_with_the_source_and_said_to_rest_on_the_manifest_without() {
    let page = "/pages/0";
    let edits: [(_, fn(&mut Value)); 10] = [
        ("code", |page| page["tags"][0]["code"] = json!(12345)),
        ("name", |page| page["tags"][0]["name"] = json!("Other")),
        ("type", |page| page["tags"][0]["type"] = json!("DOUBLE")),
        ("value", |page| page["tags"][0]["value"] = json!(77)),
        ("member", |page| page["tags"][0]["comment"] = json!("other")),
        ("image", |page| page["image"] = json!(5)),
        ("beside the tags", |page| page["comment"] = json!("other")),
        ("an error instead", |page| *page = json!({"error": "it is damaged"})),
        ("lost", |page| drop(page["tags"].as_array_mut().unwrap().pop())),
        ("added", |page| {
            let tags = page["tags"].as_array_mut().unwrap();
            tags.push(tags[0].clone());
        }),
    ];
    for (what, change) in edits {
        let store = converted(Layout::Image);
        edit(&store, "OME/tiff-tags.json", |document| change(document.pointer_mut(page).unwrap()));
        forge(&store);
        let [with, without] = reports(&store);
        let tags = with.checks.iter().find(|check| check.proof == Proof::Tags).unwrap();
        assert_eq!(tags.differences.len(), 1, "{what}: {with}");
        let manifest = without.checks.iter().find(|check| check.proof == Proof::Manifest).unwrap();
        assert!(manifest.covered.contains("TIFF tags"), "{without}");
    }
}

#[test]
fn a_record_of_tags_that_is_gone_or_says_more_is_no_record() {
    for other in [None, Some("{}"), Some("[]"), Some("{\"pages\": []}"), Some("no JSON")] {
        let store = converted(Layout::Image);
        match other {
            Some(text) => store.put("OME/tiff-tags.json", text.to_owned()).unwrap(),
            None => store.delete("OME/tiff-tags.json").unwrap(),
        }
        forge(&store);
        let [with, _] = reports(&store);
        let tags = with.checks.iter().find(|check| check.proof == Proof::Tags).unwrap();
        assert!(!tags.differences.is_empty(), "{other:?}: {with}");
    }
    let store = converted(Layout::Image);
    edit(&store, "OME/tiff-tags.json", |document| document["comment"] = json!("other"));
    forge(&store);
    let [with, _] = reports(&store);
    assert!(!with.holds(), "{with}");
}

#[test]
fn what_cannot_be_derived_is_said() {
    let store = converted(Layout::Image);
    edit(&store, "zarr.json", |root| {
        root["attributes"]["fairzarr:conversion"]["version"] = "0.0.1".into();
    });
    forge(&store);
    for report in reports(&store) {
        for proof in [Proof::Derivation, Proof::Record] {
            let check = report.checks.iter().find(|check| check.proof == proof).unwrap();
            assert!(check.notes.iter().any(|note| note.starts_with("not derived: ")), "{report}");
        }
    }
}

#[test]
fn a_manifest_forged_over_nothing_holds() {
    for layout in [Layout::Image, Layout::Bioformats2raw] {
        let store = converted(layout);
        forge(&store);
        for report in reports(&store) {
            assert!(report.holds(), "{report}");
        }
    }
}

/// Numbers that look random and are the same everywhere (SplitMix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// The pointers of all values in a document but the document itself.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    let mut add = |name: &str, value: &Value| {
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        pointers(value, &at, out);
        out.push(at);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| add(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| add(&n.to_string(), item)),
        _ => {}
    }
}

/// Members of the root that follow from the files of the source and the options alone: without the source nothing contradicts them but
/// the manifest.
const OF_THE_SOURCE: [&str; 2] = ["/attributes/fairzarr:conversion", "/attributes/fairzarr:sources"];

#[test]
fn random_edits_of_values_never_pass_in_silence() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (edits, seed) = (number("FAIRZARR_EDITS").unwrap_or(24), number("FAIRZARR_SEED").unwrap_or(1));
    let mut draw = Draw(seed);
    let store = converted(Layout::Image);
    let good: Vec<(String, Vec<u8>)> = store
        .list("")
        .unwrap()
        .into_iter()
        .map(|(key, _)| (key.clone(), store.get(&key).unwrap().unwrap().to_vec()))
        .collect();
    let root: Value = serde_json::from_slice(&store.get("zarr.json").unwrap().unwrap()).unwrap();
    let mut places = Vec::new();
    pointers(&root, "", &mut places);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut silent = Vec::new();
    for _ in 0..edits {
        let (kind, what) = if draw.below(2) == 0 {
            let (key, bytes) = &good[draw.below(good.len())];
            let mut other = bytes.clone();
            let at = draw.below(other.len());
            other[at] ^= 1 << draw.below(8);
            let kind = if say_the_same(bytes, &other) { "bit without a change of a value" } else { "bit" };
            store.put(key, other).unwrap();
            (kind, format!("{key}, byte {at}"))
        } else {
            let pointer = &places[draw.below(places.len())];
            let mut document = root.clone();
            let value = document.pointer_mut(pointer).unwrap();
            *value = match &*value {
                Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
                Value::String(text) => json!(format!("{text}x")),
                Value::Bool(is) => json!(!*is),
                Value::Array(items) if !items.is_empty() => json!([]),
                _ => json!("other"),
            };
            store.put("zarr.json", document.to_string()).unwrap();
            let of_source = OF_THE_SOURCE.iter().any(|of| pointer.starts_with(of));
            if draw.below(2) == 0
                && !of_source
                && !pointer.contains("fairzarr:manifest")
                && pointer != "/attributes"
            {
                forge(&store);
                ("forged value", pointer.clone())
            } else {
                ("value", pointer.clone())
            }
        };
        let (options, job) = (Options::default(), Job::new());
        let holds = verify_store(&store, &options, &job).is_ok_and(|report| report.holds());
        *counts.entry(kind).or_default() += 1;
        if holds && kind != "bit without a change of a value" {
            silent.push(format!("{kind} of {what}"));
        }
        for (key, bytes) in &good {
            store.put(key, bytes.clone()).unwrap();
        }
    }
    println!("seed {seed}, {edits} edits: {counts:?}");
    assert!(silent.is_empty(), "{} of {edits} in silence: {silent:#?}", silent.len());
}

/// Whether two documents say the same in other bytes, as when a bit makes another white space of one.
fn say_the_same(before: &[u8], after: &[u8]) -> bool {
    let read = |bytes| serde_json::from_slice::<Value>(bytes).ok();
    read(before).is_some_and(|before| read(after) == Some(before))
}
