//! The proof of objects: every chunk or shard that the arrays' grids call for is there, and nothing else is.

use fairzarr_ome_zarr::{Hierarchy, OpenImage, StoredArray};
use fairzarr_store::{Class, Store};
use fairzarr_task::in_order;
use fairzarr_zarr::chunk_key;
use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::report::{Check, Difference, Differences, Proof};

/// The proof, image by image.
pub(crate) struct Objects<'a> {
    store: &'a Store,
    /// Whether a missing object is a loss: chunks of zeros may have been left out.
    complete: bool,
    count: u64,
    differences: Differences,
    /// What was listed last.
    listed: Option<Listed>,
}

/// The objects below a folder in which several arrays lie: one listing for a row of a plate rather than one for each field.
struct Listed {
    folder: String,
    /// `None` where the place cannot list.
    objects: Option<BTreeMap<String, u64>>,
}

impl<'a> Objects<'a> {
    pub(crate) fn new(hierarchy: &'a Hierarchy) -> Self {
        let complete = hierarchy.conversion().is_some_and(|conversion| !conversion.omits_empty());
        let differences = Differences::new("places");
        Self { store: hierarchy.store(), complete, count: 0, differences, listed: None }
    }

    /// Looks for the objects of all levels of an image.
    pub(crate) fn image(&mut self, image: &OpenImage<'_>) -> Result<(), Error> {
        for array in &image.levels {
            let (version, path) = (image.stored.version, array.path());
            let stored: BTreeMap<String, u64> = match self.below(path)? {
                Some(listed) => listed,
                None => in_order(grid(array).collect(), self.store.at_once(), |index| {
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

    /// The objects of an array; `None` where the place cannot list.
    fn below(&mut self, path: &str) -> Result<Option<BTreeMap<String, u64>>, Error> {
        let folder = path.split('/').next().unwrap_or_default();
        if folder == path {
            let objects = self.store.list_if_allowed(path)?;
            return Ok(objects.map(|objects| objects.into_iter().collect()));
        }
        if self.listed.as_ref().is_none_or(|listed| listed.folder != folder) {
            let objects = self.store.list_if_allowed(folder)?;
            let objects = objects.map(|objects| objects.into_iter().collect());
            self.listed = Some(Listed { folder: folder.to_owned(), objects });
        }
        let objects = self.listed.as_ref().and_then(|listed| listed.objects.as_ref());
        // The character after the slash: all keys below the path, and no other, lie between.
        let range = format!("{path}/")..format!("{path}0");
        Ok(objects.map(|objects| objects.range(range).map(|(key, size)| (key.clone(), *size)).collect()))
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
