//! The crate's conformance checks, as assertions.

use fairzarr_store::{Store, conformance};

/// Runs the checks that every store passes on `store`, which must be empty.
pub(crate) fn run(store: &Store) {
    conformance::check(store).unwrap();
}

/// Runs the checks that not every server passes.
pub(crate) fn run_strict(store: &Store) {
    conformance::check_strict(store).unwrap();
}

/// An object that goes up in parts.
#[cfg(feature = "cloud")]
pub(crate) fn run_large(store: &Store) {
    let part_bytes = fairzarr_store::StoreOptions::default().part_bytes;
    let data = bytes::Bytes::from(crate::servers::noise(part_bytes + 1_000_000, 9));
    store.put_in_background("large", data.clone()).unwrap();
    store.flush().unwrap();
    assert_eq!(store.size("large").unwrap(), Some(data.len() as u64));
    assert!(store.get("large").unwrap().unwrap() == data);
    assert_eq!(store.get_suffix("large", 100).unwrap().unwrap(), data[data.len() - 100..]);
    store.delete("large").unwrap();
}
