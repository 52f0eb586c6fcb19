//! The proof of objects: every chunk or shard that the arrays' grids call for is there, and nothing else is.

use fairzarr_ome_zarr::{Hierarchy, OpenImage, StoredArray};
use fairzarr_store::{Class, Store};
use fairzarr_task::in_order;
use fairzarr_zarr::chunk_key;
use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::report::{Check, Difference, Differences, Proof};

/// Objects that are asked for at the same time.
const AT_ONCE: usize = 16;

/// The proof, image by image.
pub(crate) struct Objects<'a> {
    store: &'a Store,
    /// Whether a missing object is a loss: chunks of zeros may have been left out.
    complete: bool,
    count: u64,
    differences: Differences,
}

impl<'a> Objects<'a> {
    pub(crate) fn new(hierarchy: &'a Hierarchy) -> Self {
        let complete = hierarchy.conversion().is_some_and(|conversion| !conversion.omits_empty());
        Self { store: hierarchy.store(), complete, count: 0, differences: Differences::new("places") }
    }

    /// Looks for the objects of all levels of an image.
    pub(crate) fn image(&mut self, image: &OpenImage<'_>) -> Result<(), Error> {
        for array in &image.levels {
            let (version, path) = (image.stored.version, array.path());
            let stored: BTreeMap<String, u64> = match self.store.list_if_allowed(path)? {
                Some(listed) => listed.into_iter().collect(),
                None => in_order(grid(array).collect(), AT_ONCE, |index| {
                    let key = chunk_key(version, path, &index);
                    let size = match self.store.size(&key) {
                        Err(error) if error.class() == Class::Permission => None,
                        other => other?,
                    };
                    Ok::<_, Error>(size.map(|size| (key, size)))
                })?
                .into_iter()
                .flatten()
                .collect(),
            };
            self.count += stored.len() as u64;
            let mut known: BTreeSet<&str> = BTreeSet::new();
            for index in grid(array) {
                let key = chunk_key(version, path, &index);
                match stored.get_key_value(&key) {
                    Some((key, size)) => {
                        known.insert(key);
                        if *size == 0 {
                            self.differences.add(Difference::new(key, "a chunk", "an empty object"));
                        }
                    }
                    None if self.complete => {
                        self.differences.add(Difference::new(key, "a chunk", "nothing"));
                    }
                    None => {}
                }
            }
            let metadata = ["zarr.json", ".zarray", ".zattrs"];
            let extra = stored.keys().filter(|key| {
                !known.contains(key.as_str())
                    && !metadata.iter().any(|name| key.strip_prefix(path) == Some(&format!("/{name}")))
            });
            let extra = extra.map(|key| Difference::new(key, "nothing", "an object outside of the grid"));
            self.differences.extend(extra);
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Check {
        let covered = format!("{} objects by name", self.count);
        Check::new(Proof::Objects, covered, self.differences.finish())
    }
}

/// Every index of the grid of stored objects.
fn grid(array: &StoredArray) -> impl Iterator<Item = Vec<u64>> {
    let counts: Vec<u64> = array
        .shape()
        .iter()
        .zip(array.object_shape())
        .map(|(size, side)| size.div_ceil((*side).max(1)))
        .collect();
    let total: u64 = counts.iter().product();
    (0..total).map(move |mut n| {
        let mut index = vec![0; counts.len()];
        for (place, count) in index.iter_mut().zip(&counts).rev() {
            *place = n % count;
            n /= count;
        }
        index
    })
}
