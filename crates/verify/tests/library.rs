//! Each proof notices what it is there for: a store is changed in one place, and the proof that has to fail fails.
#![allow(clippy::unwrap_used)]

use fairzarr_convert::{ChunkChoice, convert};
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use fairzarr_task::Job;
use fairzarr_verify::{Error, Options, Proof, Report, verify, verify_store};

fn cells() -> Fileset {
    Fileset::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/cells.ome.tiff")).unwrap()
}

fn converted() -> Store {
    let store = Store::memory();
    let mut options = fairzarr_convert::Options::default();
    options.chunk = ChunkChoice::Size(128, 128);
    convert(&cells(), &store, &options, &Job::new()).unwrap();
    store
}

fn against_the_source(store: &Store) -> Report {
    verify(&cells(), store, &Options::default(), &Job::new()).unwrap()
}

fn alone(store: &Store) -> Report {
    verify_store(store, &Options::default(), &Job::new()).unwrap()
}

fn failed(report: &Report) -> Vec<Proof> {
    report.checks.iter().filter(|check| !check.differences.is_empty()).map(|check| check.proof).collect()
}

/// Gives one object the bytes of another.
fn replaced(store: &Store, key: &str, by: &str) {
    let bytes = store.get(by).unwrap().unwrap();
    store.put(key, bytes).unwrap();
}

#[test]
fn a_store_that_was_not_changed_holds() {
    let store = converted();
    assert!(against_the_source(&store).holds(), "{}", against_the_source(&store));
    assert!(alone(&store).holds(), "{}", alone(&store));
}

#[test]
fn another_chunk_is_other_pixels() {
    let store = converted();
    replaced(&store, "0/c/0/0/0/1/1", "0/c/0/0/0/0/0");
    assert!(failed(&against_the_source(&store)).contains(&Proof::Pixels));
    assert!(failed(&alone(&store)).contains(&Proof::Samples));
}

#[test]
fn another_chunk_of_a_reduced_level_is_no_mean() {
    let store = converted();
    replaced(&store, "1/c/0/0/0/0/0", "1/c/0/1/0/0/0");
    for report in [against_the_source(&store), alone(&store)] {
        assert_eq!(failed(&report), [Proof::Pyramid]);
    }
}

#[test]
fn a_lost_object_and_one_too_many_are_named() {
    let store = converted();
    store.delete("0/c/0/0/0/1/1").unwrap();
    replaced(&store, "0/c/9/0/0/0/0", "0/c/0/0/0/0/0");
    for report in [against_the_source(&store), alone(&store)] {
        let objects = report.checks.iter().find(|check| check.proof == Proof::Objects).unwrap();
        assert_eq!(objects.differences.len(), 2, "{report}");
    }
}

#[test]
fn a_changed_document_is_noticed_with_and_without_the_source() {
    let store = converted();
    let key = "OME/sources/0.ome.xml";
    let text = String::from_utf8(store.get(key).unwrap().unwrap().to_vec()).unwrap();
    store.put(key, text.replacen("OME", "OMF", 1)).unwrap();
    assert!(failed(&against_the_source(&store)).contains(&Proof::Documents));
    assert!(failed(&alone(&store)).contains(&Proof::Documents));
}

#[test]
fn a_cancelled_verification_proves_nothing() {
    let (store, job) = (converted(), Job::new());
    job.cancel.cancel();
    assert!(matches!(verify(&cells(), &store, &Options::default(), &job), Err(Error::Interrupted)));
    assert!(matches!(verify_store(&store, &Options::default(), &job), Err(Error::Interrupted)));
}
