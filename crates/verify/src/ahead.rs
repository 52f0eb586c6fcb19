//! What is far away is fetched ahead: the proofs ask for documents and small images one after the other, and of a plate there are
//! thousands.

use fairzarr_ome_zarr::{Error as ZarrError, Hierarchy, Manifest, OpenImage, StoredArray};
use fairzarr_store::{Class, Store};
use fairzarr_task::{Job, in_order};
use fairzarr_zarr::chunk_key;

use crate::Context;
use crate::error::Error;

/// Fetches everything that the manifest names, which one proof reads whole and others in parts, into a store that keeps what it
/// has read.
pub(crate) fn documents(store: &Store, job: &Job) -> Result<(), Error> {
    if !store.is_remote() {
        return Ok(());
    }
    let manifest = match Manifest::read(store) {
        Ok(Some(manifest)) => manifest,
        Err(ZarrError::Store(error)) if error.is_of_place() => return Err(error.into()),
        // What else is wrong with it is told by its own proof.
        _ => return Ok(()),
    };
    let mut room = job.memory / 4;
    let mut fits = |size: u64| {
        let rest = room.checked_sub(size).filter(|_| size <= DOCUMENT);
        room = rest.unwrap_or(room);
        rest.is_some()
    };
    let keys = manifest.objects().iter().filter(|(_, recorded)| fits(recorded.size)).map(|(key, _)| key);
    in_order(keys.collect(), store.at_once(), |key| {
        job.cancel.check()?;
        match store.probe(key) {
            // A manifest that was changed can name what no store can hold.
            Err(error) if error.class() != Class::Usage => Err(Error::from(error)),
            _ => Ok(()),
        }
    })?;
    Ok(())
}

/// Fetches the documents and objects of the next images, many at the same time, into a store that keeps what it has read.
pub(crate) struct Ahead<'a> {
    hierarchy: &'a Hierarchy,
    context: Context<'a>,
    /// The first image that nothing has been fetched of.
    next: usize,
    /// The objects that were fetched of the images before it.
    fetched: Vec<String>,
}

impl<'a> Ahead<'a> {
    pub(crate) fn new(hierarchy: &'a Hierarchy, context: Context<'a>) -> Self {
        Self { hierarchy, context, next: 0, fetched: Vec::new() }
    }

    /// Makes sure that the small objects of an image have been fetched, and those of the images that follow.
    pub(crate) fn at(&mut self, index: usize) -> Result<(), Error> {
        let store = self.hierarchy.store();
        if !self.context.is_remote || index < self.next {
            return Ok(());
        }
        // All proofs of the images before are done. Their documents are read again by others.
        self.fetched.drain(..).for_each(|key| store.forget(&key));
        self.next = self.hierarchy.images().len().min(index + IMAGES);
        let fetched = in_order((index..self.next).collect(), store.at_once(), |index| {
            self.context.job.cancel.check()?;
            let image = match self.hierarchy.open_image(index) {
                Ok(image) => image,
                Err(ZarrError::Store(error)) if error.is_of_place() => return Err(error.into()),
                // What is wrong with an image is found when its turn comes.
                Err(_) => return Ok(Vec::new()),
            };
            let keys = self.keys(&image);
            for key in &keys {
                store.probe(key)?;
            }
            Ok::<_, Error>(keys)
        });
        self.fetched = fetched?.into_iter().flatten().collect();
        Ok(())
    }

    /// The objects of an image that all proofs together need for sure, if they are few and small.
    fn keys(&self, image: &OpenImage<'_>) -> Vec<String> {
        let whole = !self.context.options.sample.is_part();
        let grid = |array: &StoredArray| -> Vec<u64> {
            let sizes = array.shape().iter().zip(array.object_shape());
            sizes.map(|(size, side)| size.div_ceil((*side).max(1))).collect()
        };
        let mut keys = Vec::new();
        let mut bytes = 0_u64;
        for array in &image.levels {
            let grid = grid(array);
            let count = grid.iter().try_fold(1_u64, |all, side| all.checked_mul(*side));
            // Of a sample, each part of one object needs all of it.
            let Some(count) = count.filter(|count| *count == 1 || whole && *count <= OBJECTS) else {
                continue;
            };
            bytes = bytes.saturating_add(array.object_bytes().saturating_mul(count));
            if bytes > BYTES {
                break;
            }
            for n in 0..count {
                let mut rest = n;
                let mut index = vec![0; grid.len()];
                for (at, side) in index.iter_mut().zip(&grid).rev() {
                    (*at, rest) = (rest % side, rest / side);
                }
                keys.push(chunk_key(image.stored.version, array.path(), &index));
            }
        }
        keys
    }
}

/// The largest document that is fetched ahead.
const DOCUMENT: u64 = 16 << 20;
/// Images that are fetched at a time.
const IMAGES: usize = 64;
/// Objects of an array, and decoded bytes of an image, up to which they are fetched ahead.
const OBJECTS: u64 = 16;
const BYTES: u64 = 4 << 20;
