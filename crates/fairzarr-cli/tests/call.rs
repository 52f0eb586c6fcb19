//! The program's commands, called by another program.
#![allow(clippy::unwrap_used)]

use fairzarr_cli::{Caller, call};
use std::path::Path;

fn sample() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/cells.ome.tiff").display().to_string()
}

#[test]
fn a_call_gives_what_the_program_prints() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("cells.ome.zarr").display().to_string();
    let caller = Caller::new();
    let watcher = caller.clone();
    let outcome = call(["convert", &sample(), &store, "--json"], &caller);
    assert_eq!((outcome.code, outcome.failure), (0, None));
    let result: serde_json::Value = serde_json::from_slice(&outcome.results).unwrap();
    assert_eq!(result["source_bytes"], 2_496_000);
    assert_eq!(watcher.progress(), None, "the call is over");

    let outcome = call(["verify", &sample(), &store, "--json"], &Caller::new());
    let result: serde_json::Value = serde_json::from_slice(&outcome.results).unwrap();
    assert_eq!(result["holds"], true);
}

#[test]
fn a_call_that_fails_says_why_in_one_sentence() {
    let outcome = call(["convert", "missing.ome.tiff", "out.ome.zarr"], &Caller::new());
    assert_eq!(outcome.code, 3);
    assert!(outcome.failure.unwrap().contains("missing.ome.tiff"));
    assert!(outcome.results.is_empty());

    let outcome = call(["convert", "one", "two", "--no-such-option"], &Caller::new());
    assert_eq!(outcome.code, 2);
    assert_eq!(outcome.failure.unwrap(), "unexpected argument '--no-such-option' found");
}

#[test]
fn a_call_that_was_stopped_before_it_began_writes_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("cells.ome.zarr");
    let caller = Caller::new();
    assert!(!caller.stop(), "nothing is under way");
    let outcome = call(["convert", &sample(), &store.display().to_string()], &caller);
    assert_eq!(outcome.code, 5);
    assert!(outcome.notes.iter().any(|note| note.contains("interrupted")), "{:?}", outcome.notes);
    assert!(!store.join("zarr.json").exists());
}

#[test]
fn a_document_comes_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("cells.ome.zarr").display().to_string();
    assert_eq!(call(["convert", &sample(), &store], &Caller::new()).code, 0);
    let outcome = call(["extract", &store, "--as", "original"], &Caller::new());
    let tiff = std::fs::read(sample()).unwrap();
    assert!(outcome.results.len() > 1000);
    assert!(tiff.windows(outcome.results.len()).any(|part| part == outcome.results));
}
