//! Whether the metadata of a whole store is valid NGFF: [`fairzarr_ngff::hierarchy`] over a store.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use fairzarr_ngff::Severity;
use fairzarr_ngff::hierarchy::{self, Depth, Documents, LedTo, NodeFinding, Stop, Validity};
use fairzarr_ome_zarr::Error as StoreError;
use fairzarr_store::{Class, Store};
use fairzarr_task::{in_order, lock};

use crate::error::Error;
use crate::report::{Check, Difference, Differences, Proof};

/// Judges the metadata of a store: the root, the wells of a plate, the `OME` group and the series of a bioformats2raw
/// collection, all images with the declarations of their arrays, and their labels.
///
/// # Errors
/// When the store cannot be read, or nothing at its root is NGFF.
pub fn validate_hierarchy(store: &Store, depth: Depth) -> Result<Validity, Error> {
    // Images of a plate that is a collection as well are read twice.
    let store = &if store.is_remote() { store.keeping(KEPT) } else { store.clone() };
    let place = Place { store, fetched: Mutex::default() };
    hierarchy::validate_hierarchy(&place, depth).map_err(|stop| match stop {
        Stop::Unreadable(error) => error,
        Stop::NoMetadata => {
            let reason = format!("the root group of {} holds no NGFF metadata", store.location());
            Error::from(StoreError::NotAnImage(reason))
        }
        // A place that refuses to show its root is another matter than one that has none.
        _ => store.get("zarr.json").err().map_or_else(
            || {
                Error::from(StoreError::NotAnImage(format!(
                    "{} is not an OME-Zarr: there is no zarr.json or .zattrs at its root",
                    store.location()
                )))
            },
            Error::from,
        ),
    })
}

/// That readers can open it: no demand of Zarr's own specification is broken, and the copies of documents that readers take in
/// their place say the same. What NGFF demands beyond that is for those to say who ask whether a store is valid.
pub(crate) fn zarr(store: &Store) -> Result<Check, Error> {
    let validity = validate_hierarchy(store, Depth::Documents)?;
    let mut differences = Differences::new("findings");
    for NodeFinding { node, finding, .. } in validity.findings {
        let of_zarr = finding.severity == Severity::Must && finding.clause.starts_with("zarr-");
        // Of a copy, not of copies that are not there.
        let of_copy = finding.clause == hierarchy::CONSOLIDATED && finding.path.matches('/').count() > 2;
        if of_zarr || of_copy {
            let place = if node.is_empty() { "the root".to_owned() } else { node };
            let expected = format!("what {} demands", finding.clause);
            differences.add(Difference::new(format!("{place} {}", finding.path), expected, finding.message));
        }
    }
    let covered = format!("{} groups and {} arrays", validity.groups, validity.arrays);
    Ok(Check::new(Proof::Zarr, covered, differences.finish()))
}

/// A store, and what was fetched of it ahead of being asked for.
struct Place<'s> {
    store: &'s Store,
    fetched: Mutex<HashMap<String, Option<Vec<u8>>>>,
}

impl Documents for Place<'_> {
    type Error = Error;

    fn document(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        if let Some(document) = lock(&self.fetched).remove(key) {
            return Ok(document);
        }
        match self.store.probe(key) {
            Ok(document) => Ok(document.map(|bytes| bytes.to_vec())),
            // Metadata can name what no store can hold.
            Err(error) if error.class() == Class::Usage => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn children(&self, path: &str) -> Result<Option<Vec<String>>, Error> {
        match self.store.list_children(path) {
            Ok(children) => Ok(Some(children.directories)),
            // Places that cannot list, or that this reader may not list.
            Err(error)
                if matches!(
                    error.class(),
                    Class::NotFound | Class::Permission | Class::Unsupported | Class::Usage
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn objects(&self, path: &str) -> Result<Option<Vec<(String, u64)>>, Error> {
        Ok(self.store.list_if_allowed(&format!("{path}/"))?)
    }

    fn part(&self, key: &str, start: u64, end: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(size) = self.store.size(key)? else { return Ok(None) };
        let range = start.min(size)..end.min(size);
        Ok(self.store.get_range(key, range)?.map(|bytes| bytes.to_vec()))
    }

    fn expect(&self, keys: &[String], led_to: &LedTo<'_>) {
        let mut keys = keys.to_vec();
        for _ in 0..ROUNDS {
            let mut asked_for = HashSet::new();
            keys.retain(|key| !lock(&self.fetched).contains_key(key) && asked_for.insert(key.clone()));
            if keys.is_empty() {
                return;
            }
            let fetched = in_order(keys, self.store.at_once(), |key| -> Result<Vec<String>, Error> {
                let document = self.store.probe(&key)?.map(|bytes| bytes.to_vec());
                // On this machine, what is parsed twice costs more than what is read later.
                let document_far_away = document.as_ref().filter(|_| self.store.is_remote());
                let more = document_far_away.map_or_else(Vec::new, |document| led_to(&key, document));
                lock(&self.fetched).insert(key, document);
                Ok(more)
            });
            // Whatever fails here is asked for again, and then fails with the key that it belongs to.
            let Ok(more) = fetched else { return };
            keys = more.into_iter().flatten().collect();
        }
    }
}

/// Documents that are kept of a place that is far away.
const KEPT: u64 = 128 << 20;
/// How far ahead documents lead: from a well to the arrays of the labels of its images, and no further in circles.
const ROUNDS: usize = 8;
