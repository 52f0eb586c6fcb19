//! What every kind of store has to do, run against each of them.

use fairzarr_store::{Class, Durability, Location, Store, StoreOptions};

use crate::suite;

#[test]
fn local() {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::local(directory.path().join("not/yet/there"));
    for durability in [Durability::None, Durability::End, Durability::Each] {
        let options = StoreOptions { durability, ..StoreOptions::default() };
        let store = Store::open(&location, &options).unwrap();
        suite::run(&store);
        suite::run_strict(&store);
    }
}

#[test]
fn private_memory() {
    suite::run(&Store::memory());
    suite::run_strict(&Store::memory());
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

#[cfg(feature = "cloud")]
#[test]
fn s3() {
    let server = crate::servers::s3::S3::start();
    suite::run(&server.open("bucket", &StoreOptions::default()));
    suite::run(&server.open("bucket/deep/er.ome.zarr", &StoreOptions::default()));
}

#[test]
fn what_a_crash_leaves_is_not_listed() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::local(directory.path()), &StoreOptions::default()).unwrap();
    store.put("0/c/0", "chunk").unwrap();
    std::fs::write(directory.path().join("0/c/.fairzarr-tmp-1-1"), "half of a chu").unwrap();
    assert_eq!(store.list("").unwrap(), [("0/c/0".to_owned(), 5)]);
    assert!(store.list_children("0/c").unwrap().directories.is_empty());
    // A write leaves nothing but the object.
    store.put("0/c/1", "chunk").unwrap();
    store.put_new("0/c/2", "chunk").unwrap();
    assert_eq!(std::fs::read_dir(directory.path().join("0/c")).unwrap().count(), 4);
    assert_eq!(store.remove_leftovers().unwrap(), 1);
    assert_eq!(std::fs::read_dir(directory.path().join("0/c")).unwrap().count(), 3);
    assert_eq!(store.list("").unwrap().len(), 3);
}

#[test]
fn a_writer_takes_over_what_a_killed_one_has_left() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::local(directory.path()), &StoreOptions::default()).unwrap();
    let files = || std::fs::read_dir(directory.path()).unwrap().count();
    std::fs::write(directory.path().join(".fairzarr-tmp-x.ozx"), "longer than what is written now").unwrap();
    let mut writer = store.writer("x.ozx", 0).unwrap();
    writer.append(b"first").unwrap();
    assert_eq!(files(), 1);
    // One that is at work is left alone.
    let mut other = store.writer("x.ozx", 0).unwrap();
    other.append(b"other").unwrap();
    assert_eq!(files(), 2);
    writer.finish().unwrap();
    assert_eq!(store.get("x.ozx").unwrap().unwrap(), "first");
    other.finish().unwrap();
    assert_eq!(store.get("x.ozx").unwrap().unwrap(), "other");
    drop(store.writer("x.ozx", 0).unwrap());
    assert_eq!(files(), 1);
}

#[cfg(unix)]
#[test]
fn links_are_read_but_do_not_make_listings_endless() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::local(directory.path()), &StoreOptions::default()).unwrap();
    store.put("a/x", "1234").unwrap();
    std::os::unix::fs::symlink(directory.path(), directory.path().join("a/loop")).unwrap();
    std::os::unix::fs::symlink("x", directory.path().join("a/y")).unwrap();
    std::os::unix::fs::symlink("nowhere", directory.path().join("a/z")).unwrap();
    assert_eq!(store.list("").unwrap(), [("a/x".to_owned(), 4), ("a/y".to_owned(), 4)]);
    assert_eq!(store.get("a/y").unwrap().unwrap(), "1234");
}

#[test]
fn local_failures_have_a_class() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "").unwrap();
    let store =
        Store::open(&Location::local(directory.path().join("file")), &StoreOptions::default()).unwrap();
    let error = store.put("a", "1").unwrap_err();
    assert_eq!(error.class(), Class::Local);
    assert!(error.to_string().contains("cannot write a in "), "{error}");
    assert_eq!(store.get("a").unwrap(), None);
}

#[test]
fn local_listings_are_linear() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::local(directory.path()), &StoreOptions::default()).unwrap();
    for row in 0..20 {
        for column in 0..100 {
            store.put(&format!("{row}/c/{column}"), "x").unwrap();
        }
    }
    assert_eq!(store.list("").unwrap().len(), 2000);
    // The root, 20 rows, 20 times "c".
    assert_eq!(store.requests().lists, 41);
    assert_eq!(store.requests().puts, 2000);
}
