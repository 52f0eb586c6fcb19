//! The conformance suite: one function that takes an empty store and leaves it empty.

use bytes::Bytes;
#[cfg(feature = "cloud")]
use fairzarr_store::StoreOptions;
use fairzarr_store::{Children, Class, Error, Store};

/// Runs every check on `store`, which must be empty.
pub(crate) fn run(store: &Store) {
    absence(store);
    objects(store);
    ranges(store);
    create_only(store);
    names(store);
    listing(store);
    background(store);
    threads(store);
    bad_keys(store);
    store.sync().unwrap();
    assert_eq!(store.list("").unwrap(), []);
}

/// An object that goes up in parts.
#[cfg(feature = "cloud")]
pub(crate) fn run_large(store: &Store) {
    let data = Bytes::from(crate::servers::noise(StoreOptions::default().part_bytes + 1_000_000, 9));
    store.put_in_background("large", data.clone()).unwrap();
    store.flush().unwrap();
    assert_eq!(store.size("large").unwrap(), Some(data.len() as u64));
    assert!(store.get("large").unwrap().unwrap() == data);
    assert_eq!(store.get_suffix("large", 100).unwrap().unwrap(), data[data.len() - 100..]);
    store.delete("large").unwrap();
}

fn absence(store: &Store) {
    assert_eq!(store.get("no/such").unwrap(), None);
    assert_eq!(store.get_range("no/such", 0..1).unwrap(), None);
    assert_eq!(store.get_suffix("no/such", 1).unwrap(), None);
    assert_eq!(store.get_ranges("no/such", &[0..1, 2..3]).unwrap(), None);
    assert_eq!(store.size("no/such").unwrap(), None);
    assert!(!store.exists("no/such").unwrap());
    assert_eq!(store.list("no").unwrap(), []);
    assert_eq!(store.list_children("no").unwrap(), Children::default());
    store.delete("no/such").unwrap();
    store.delete_prefix("no").unwrap();
}

fn objects(store: &Store) {
    store.put("a/b/c", "first").unwrap();
    assert_eq!(store.get("a/b/c").unwrap().unwrap(), "first");
    assert_eq!(store.size("a/b/c").unwrap(), Some(5));
    store.put("a/b/c", "second, and longer").unwrap();
    assert_eq!(store.get("a/b/c").unwrap().unwrap(), "second, and longer");
    store.put("a/b/c", "3rd").unwrap();
    assert_eq!(store.get("a/b/c").unwrap().unwrap(), "3rd");
    store.put("a/empty", Bytes::new()).unwrap();
    assert_eq!(store.get("a/empty").unwrap().unwrap(), "");
    assert_eq!(store.size("a/empty").unwrap(), Some(0));
    store.delete("a/b/c").unwrap();
    assert!(!store.exists("a/b/c").unwrap());
    // A directory that has lost its last object can be written to again.
    store.delete_prefix("a").unwrap();
    store.put("a/b/c", "again").unwrap();
    assert_eq!(store.list("").unwrap(), [("a/b/c".to_owned(), 5)]);
    store.delete_prefix("").unwrap();
}

/// What not every server does that calls itself S3: directories are not objects, a suffix may be longer than all, and
/// conditional writes exclude each other.
pub(crate) fn run_strict(store: &Store) {
    store.put("a/b/c", "x").unwrap();
    assert_eq!(store.get("a/b").unwrap(), None);
    assert_eq!(store.size("a/b").unwrap(), None);
    assert!(!store.exists("a").unwrap());
    assert_eq!(store.get_suffix("a/b/c", 100).unwrap().unwrap(), "x");
    store.put("a/empty", "").unwrap();
    assert_eq!(store.get_suffix("a/empty", 100).unwrap().unwrap(), "");
    store.delete_prefix("").unwrap();

    // Of many who try at once, exactly one succeeds.
    let winners: Vec<String> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|i| {
                scope.spawn(move || {
                    let mine = format!("writer {i}");
                    store.put_new("race", mine.clone()).unwrap().then_some(mine)
                })
            })
            .collect();
        tries.into_iter().filter_map(|handle| handle.join().unwrap()).collect()
    });
    assert_eq!(winners.len(), 1);
    assert_eq!(store.get("race").unwrap().unwrap(), winners[0]);
    store.delete("race").unwrap();
}

fn ranges(store: &Store) {
    let data: Bytes = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let size = data.len() as u64;
    store.put("r", data.clone()).unwrap();
    assert_eq!(store.get_range("r", 0..4).unwrap().unwrap(), data[..4]);
    assert_eq!(store.get_range("r", 1001..2003).unwrap().unwrap(), data[1001..2003]);
    assert_eq!(store.get_range("r", size - 1..size).unwrap().unwrap(), data[data.len() - 1..]);
    assert_eq!(store.get_range("r", 7..7).unwrap().unwrap(), "");
    assert_eq!(store.get_range("r", size..size).unwrap().unwrap(), "");
    assert_eq!(store.get_suffix("r", 16).unwrap().unwrap(), data[data.len() - 16..]);
    assert_eq!(store.get_suffix("r", 0).unwrap().unwrap(), "");
    let several = store.get_ranges("r", &[300_000..300_010, 0..4, 4..8, 9..9]).unwrap().unwrap();
    assert_eq!(several, [&data[300_000..300_010], &data[..4], &data[4..8], b""]);
    for range in [size - 1..size + 1, size + 5..size + 6, 0..u64::MAX] {
        let error = store.get_range("r", range.clone()).unwrap_err();
        assert!(matches!(error, Error::Range { .. }), "{range:?}: {error}");
        assert_eq!(error.class(), Class::Truncated);
        let error = store.get_ranges("r", &[0..1, range.clone()]).unwrap_err();
        assert!(matches!(error, Error::Range { .. }), "{range:?}: {error}");
    }
    store.delete("r").unwrap();
}

fn create_only(store: &Store) {
    assert!(store.put_new("root/zarr.json", "mine").unwrap());
    assert!(!store.put_new("root/zarr.json", "yours").unwrap());
    assert_eq!(store.get("root/zarr.json").unwrap().unwrap(), "mine");
    store.delete("root/zarr.json").unwrap();
    assert!(store.put_new("root/zarr.json", "yours").unwrap());
    store.delete("root/zarr.json").unwrap();
}

fn names(store: &Store) {
    let names =
        [".zattrs", "OME/METADATA.ome.xml", "a b", "a%20b", "a+b", "c=1&d", "µm/é", "x#y", "~", "a:b@c"];
    for name in names {
        store.put(name, name.to_owned()).unwrap();
    }
    for name in names {
        assert_eq!(store.get(name).unwrap().unwrap(), name);
    }
    let mut expected: Vec<_> = names.iter().map(|name| ((*name).to_owned(), name.len() as u64)).collect();
    expected.sort();
    assert_eq!(store.list("").unwrap(), expected);
    store.delete_prefix("").unwrap();
}

fn listing(store: &Store) {
    for key in ["d/zarr.json", "d/0/c/0", "d/0/c/1", "d/0-x/c", "d/0.y", "e/f", "d0"] {
        store.put(key, "12").unwrap();
    }
    let keys =
        |prefix| -> Vec<String> { store.list(prefix).unwrap().into_iter().map(|(key, _)| key).collect() };
    assert_eq!(keys(""), ["d/0-x/c", "d/0.y", "d/0/c/0", "d/0/c/1", "d/zarr.json", "d0", "e/f"]);
    assert_eq!(keys("d/0"), ["d/0/c/0", "d/0/c/1"]);
    assert_eq!(keys("d/0/"), ["d/0/c/0", "d/0/c/1"]);
    assert_eq!(keys("d/zarr.json"), [""; 0]);
    let level = store.list_children("d").unwrap();
    assert_eq!(level.directories, ["0", "0-x"]);
    assert_eq!(level.objects, [("0.y".to_owned(), 2), ("zarr.json".to_owned(), 2)]);
    let level = store.list_children("").unwrap();
    assert_eq!(level.directories, ["d", "e"]);
    assert_eq!(level.objects, [("d0".to_owned(), 2)]);
    store.delete_prefix("d").unwrap();
    assert_eq!(keys(""), ["d0", "e/f"]);
    store.delete_prefix("").unwrap();
    assert_eq!(keys(""), [""; 0]);
}

fn background(store: &Store) {
    for i in 0..40_u8 {
        store.put_in_background(&format!("b/{i:02}"), vec![i; 10_000].into()).unwrap();
    }
    store.flush().unwrap();
    let listed = store.list("b").unwrap();
    assert_eq!(listed.len(), 40);
    assert!(listed.iter().all(|(_, size)| *size == 10_000));
    assert_eq!(store.get("b/39").unwrap().unwrap(), vec![39; 10_000]);
    store.delete_prefix("b").unwrap();
}

fn threads(store: &Store) {
    std::thread::scope(|scope| {
        for t in 0..8 {
            scope.spawn(move || {
                for i in 0..10 {
                    let key = format!("t/{t}/{i}");
                    store.put(&key, key.clone()).unwrap();
                    assert_eq!(store.get(&key).unwrap().unwrap(), key);
                }
            });
        }
    });
    assert_eq!(store.list("t").unwrap().len(), 80);
    store.delete_prefix("t").unwrap();
}

fn bad_keys(store: &Store) {
    for key in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "."] {
        assert!(matches!(store.put(key, ""), Err(Error::Key { .. })), "{key}");
        assert!(matches!(store.get(key), Err(Error::Key { .. })), "{key}");
        assert!(matches!(store.delete(key), Err(Error::Key { .. })), "{key}");
    }
    assert!(matches!(store.list("../"), Err(Error::Key { .. })));
    assert!(matches!(store.delete_prefix(".."), Err(Error::Key { .. })));
}
