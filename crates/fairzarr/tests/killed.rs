//! A change of a store's documents that is killed, whenever that is, is finished by running it again: nothing is left half changed.
#![cfg(all(feature = "convert", feature = "upgrade", feature = "verify"))]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use fairzarr::convert::{ChunkChoice, Options, Sidecar, convert};
use fairzarr::ngff::Version;
use fairzarr::ome_tiff::Fileset;
use fairzarr::provenance::{embed, remove_embedded};
use fairzarr::store::backend::{Backend, Part};
use fairzarr::store::{Error, Location, Store, StoreOptions};
use fairzarr::task::Job;
use fairzarr::upgrade::{in_place, to_place, undo};
use fairzarr::verify::{Options as Settings, verify_store};

type Objects = BTreeMap<String, Vec<u8>>;
/// What is done, the store before, the doing, the store after.
type Case<'c> = (&'c str, &'c Objects, &'c dyn Fn(&Store) -> bool, &'c Objects);

/// A place whose writer dies: of what is written and removed after that nothing arrives.
#[derive(Debug)]
struct Mortal {
    objects: Arc<Mutex<Objects>>,
    /// Writes and removals that still arrive.
    left: AtomicI64,
}

impl Mortal {
    fn write<T>(&self, key: &str, work: impl FnOnce(&mut Objects) -> T) -> Result<T, Error> {
        if self.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            return Err(Error::Archive { location: key.into(), reason: "the writer was killed".into() });
        }
        Ok(work(&mut self.objects.lock().unwrap()))
    }
}

impl Backend for Mortal {
    fn put(&self, key: &str, bytes: bytes::Bytes) -> Result<(), Error> {
        self.write(key, |objects| drop(objects.insert(key.to_owned(), bytes.to_vec())))
    }

    fn put_new(&self, key: &str, bytes: bytes::Bytes) -> Result<bool, Error> {
        if self.objects.lock().unwrap().contains_key(key) {
            return Ok(false);
        }
        self.put(key, bytes).map(|()| true)
    }

    fn read(&self, key: &str, part: Part) -> Result<Option<bytes::Bytes>, Error> {
        let Some(bytes) = self.objects.lock().unwrap().get(key).cloned() else { return Ok(None) };
        let range = part.resolve(bytes.len() as u64, "memory", key)?;
        Ok(Some(bytes::Bytes::from(bytes).slice(range.start as usize..range.end as usize)))
    }

    fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        Ok(self.objects.lock().unwrap().get(key).map(|bytes| bytes.len() as u64))
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        let objects = self.objects.lock().unwrap();
        let below = |key: &str| {
            prefix.is_empty() || key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
        };
        let found = objects.iter().filter(|(key, _)| below(key));
        Ok(found.map(|(key, bytes)| (key.clone(), bytes.len() as u64)).collect())
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        if !self.objects.lock().unwrap().contains_key(key) {
            return Ok(());
        }
        self.write(key, |objects| drop(objects.remove(key)))
    }
}

/// A store with these objects, and they as they become.
fn store(objects: &Objects, left: i64) -> (Store, Arc<Mutex<Objects>>) {
    let shared = Arc::new(Mutex::new(objects.clone()));
    let mortal = Mortal { objects: Arc::clone(&shared), left: AtomicI64::new(left) };
    let place = Location::of_backend("mortal", "store").unwrap();
    (Store::from_backend(place, mortal, &StoreOptions::default()), shared)
}

/// What a change makes of a store: `Err` where it was killed.
fn after(objects: &Objects, left: i64, change: &dyn Fn(&Store) -> bool) -> Result<Objects, Objects> {
    let (store, shared) = store(objects, left);
    let is_done = change(&store);
    let found = shared.lock().unwrap().clone();
    if is_done { Ok(found) } else { Err(found) }
}

fn assert_same(found: &Objects, expected: &Objects, what: &str) {
    let keys: Vec<&String> = found.keys().chain(expected.keys()).collect();
    let others: Vec<_> = keys.into_iter().filter(|key| found.get(*key) != expected.get(*key)).collect();
    assert!(others.is_empty(), "{what}: {others:?}");
}

fn converted(version: Version) -> Objects {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/cells.ome.tiff");
    let (store, shared) = store(&Objects::new(), i64::MAX);
    let mut options = Options::default();
    options.version = version;
    options.chunk = ChunkChoice::Size(4096, 4096);
    options.layout = fairzarr::convert::Layout::Bioformats2raw;
    convert(&Fileset::open(source).unwrap(), &store, &options, &Job::new()).unwrap();
    let objects = shared.lock().unwrap();
    objects.clone()
}

fn sidecar(name: &str, text: &str) -> Sidecar {
    Sidecar::parse(name, text.as_bytes().to_vec(), None).unwrap()
}

#[test]
fn a_change_that_is_killed_is_finished_by_the_next_run_to_the_byte() {
    let psf = sidecar("psf.yaml", include_str!("../../nbo/tests/data/psf-beads.yaml"));
    let other = sidecar("other.yaml", concat!(include_str!("../../nbo/tests/data/psf-beads.yaml"), "\n"));
    let images = ["0".to_owned()];
    let upgrading = |store: &Store| in_place(store, Version::V06).is_ok();
    let undoing = |store: &Store| undo(store).is_ok();
    let embedding = |store: &Store| embed(store, &images, std::slice::from_ref(&psf)).is_ok();
    let embedding_more = |store: &Store| embed(store, &images, std::slice::from_ref(&other)).is_ok();
    let removing = |store: &Store| remove_embedded(store).is_ok();

    let plain = converted(Version::V05);
    let upgraded = after(&plain, i64::MAX, &upgrading).unwrap();
    let embedded = after(&upgraded, i64::MAX, &embedding).unwrap();
    let more = after(&embedded, i64::MAX, &embedding_more).unwrap();
    let plain_4 = converted(Version::V04);
    let embedded_4 = after(&plain_4, i64::MAX, &embedding).unwrap();
    assert_same(&after(&upgraded, i64::MAX, &undoing).unwrap(), &plain, "undo");
    let cases: [Case<'_>; 7] = [
        ("upgrade", &plain, &upgrading, &upgraded),
        ("undo", &upgraded, &undoing, &plain),
        ("embed", &upgraded, &embedding, &embedded),
        ("embed more", &embedded, &embedding_more, &more),
        ("remove", &more, &removing, &upgraded),
        ("embed in Zarr 2", &plain_4, &embedding, &embedded_4),
        ("remove from Zarr 2", &embedded_4, &removing, &plain_4),
    ];
    for (name, before, change, expected) in cases {
        for writes in 0.. {
            let what = format!("{name}, killed after {writes} writes");
            let killed = match after(before, writes, change) {
                Ok(found) => {
                    assert_same(&found, expected, &what);
                    assert!(writes > 3, "{what}");
                    break;
                }
                Err(killed) => killed,
            };
            let again = after(&killed, i64::MAX, change);
            assert!(again.is_ok(), "{what}: not finished");
            let again = again.unwrap();
            assert_same(&again, expected, &what);
            // From when metadata change on, the proof says so.
            if name == "upgrade" && killed.contains_key("OME/changing.json") {
                let elsewhere =
                    to_place(&store(&killed, 0).0, &Store::memory(), Version::V06, false, &Job::new());
                assert!(elsewhere.is_err(), "{what}");
                let report = verify_store(&store(&killed, 0).0, &Settings::default(), &Job::new()).unwrap();
                assert!(!report.holds(), "{what}");
            }
        }
    }
    // An upgrade that was killed is taken back as one that was not, once it had begun.
    for writes in 1.. {
        let Err(killed) = after(&plain, writes, &upgrading) else { break };
        let back = after(&killed, i64::MAX, &undoing).unwrap();
        assert_same(&back, &plain, &format!("upgrade, killed after {writes} writes, undone"));
    }
    // What others have changed in the meantime is not written over.
    let mut killed = (2..).find_map(|writes| {
        let killed = after(&plain, writes, &upgrading).err()?;
        killed.contains_key("OME/changing.json").then_some(killed)
    });
    let killed = killed.as_mut().unwrap();
    killed.insert("0/zarr.json".into(), b"{}".to_vec());
    assert_same(&after(killed, i64::MAX, &upgrading).unwrap_err(), killed, "changed by others");
}
