//! What every kind of store has to do, run against each of them.

mod suite;

use fairzarr_store::{Location, Store, StoreOptions};

#[test]
fn local() {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::local(directory.path().join("not/yet/there"));
    suite::run(&Store::open(&location, &StoreOptions::default()).unwrap());
}

#[test]
fn private_memory() {
    suite::run(&Store::memory());
}

#[test]
fn shared_memory() {
    let open = |text: &str| Store::open(&text.parse().unwrap(), &StoreOptions::default()).unwrap();
    suite::run(&open("memory:conformance/store"));
    // Another handle sees the same objects, a neighbour does not.
    open("memory:shared/a").put("x", "1").unwrap();
    assert!(open("memory:shared").exists("a/x").unwrap());
    assert!(!open("memory:shared/b").exists("x").unwrap());
    assert!(open("memory:shared/a/x").list("").unwrap().is_empty());
}
