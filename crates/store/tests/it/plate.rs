//! A plate of 100,000 objects: what listing and opening it costs, in requests. The times are printed
//! (`cargo test -p fairzarr-store --test it plate -- --nocapture`); they grow as the number of objects does.

use std::time::Instant;

use fairzarr_store::{Store, StoreOptions};

/// Objects of one well: documents and chunks of a field.
const WELL: usize = 50;

/// Keys of a plate of so many objects.
fn keys(objects: usize) -> impl Iterator<Item = String> {
    (0..objects).map(|n| {
        let (well, n) = (n / WELL, n % WELL);
        let place = format!("{}/{}/0", (b'A' + (well % 16) as u8) as char, well / 16);
        if n == 0 { format!("{place}/zarr.json") } else { format!("{place}/0/c/0/0/0/0/{n}") }
    })
}

/// Lists a store whole and level by level; the seconds that the first took.
fn list(store: &Store, objects: usize) -> f64 {
    let start = Instant::now();
    let listed = store.list("").unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(listed.len(), objects);
    assert!(listed.is_sorted());
    assert_eq!(store.list_children("").unwrap().directories.len(), 16);
    assert_eq!(store.list("A/0").unwrap().len(), WELL);
    seconds
}

#[test]
fn in_memory() {
    for objects in [25_000, 50_000, 100_000] {
        let store = Store::memory();
        for key in keys(objects) {
            store.put(&key, "x").unwrap();
        }
        let seconds = list(&store, objects);
        assert_eq!(store.requests().lists, 3);
        eprintln!("memory: {objects} objects in {seconds:.3} s");
    }
}

#[cfg(feature = "cloud")]
#[test]
fn on_a_server() {
    for objects in [25_000, 50_000, 100_000] {
        let server = crate::listed::Listed::start(keys(objects).map(|key| (format!("p/{key}"), 1)));
        let store = crate::servers::s3::open_at(server.address, "bucket/p", &StoreOptions::default());
        let seconds = list(&store, objects);
        // A thousand names a page, a page each for one level and for one well, and no other question.
        let asked = store.requests();
        assert_eq!(asked.lists as usize, objects / 1000 + 2);
        assert_eq!(asked.gets + asked.heads, 0);
        eprintln!("server: {objects} objects with {} requests in {seconds:.3} s", asked.lists);
    }
}

#[test]
fn in_one_file() {
    let folder = Store::memory();
    for objects in [25_000, 50_000, 100_000] {
        let name = format!("{objects}.ozx");
        let mut archive = fairzarr_store::ArchiveWriter::create(&folder, &name, 0, "").unwrap().unwrap();
        for key in keys(objects) {
            archive.add(&key, b"x").unwrap();
        }
        archive.finish().unwrap();
        let before = folder.requests().gets;
        let seconds = list(&Store::archive(&folder, &name, &StoreOptions::default()), objects);
        let asked = folder.requests().gets - before;
        // The directory has some 100 bytes an object and is read on in runs of up to 4 MiB.
        assert!(asked <= 16, "{asked} reads");
        eprintln!("archive: {objects} objects with {asked} reads in {seconds:.3} s");
    }
}
