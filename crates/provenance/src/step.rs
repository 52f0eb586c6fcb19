//! Documents of a store that change together: all that will stand in them is written down before the first of them changes, in
//! `OME/changing.json`, so that a change that was killed can be finished, and is none before that is whole.

use fairzarr_ome_zarr::{keys, sha256};
use fairzarr_store::Store;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::Error;
use crate::error::damaged;

/// What is written, in this order.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Step {
    /// Documents of groups and arrays.
    pub(crate) nodes: BTreeMap<String, Document>,
    /// The manifest, where the store has one.
    pub(crate) manifest: Option<String>,
    /// Documents of the root, which name the manifest.
    pub(crate) root: BTreeMap<String, Document>,
}

/// A document before and after.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Document {
    /// SHA-256 of what it was.
    pub(crate) before: String,
    /// What it will be.
    pub(crate) text: String,
}

/// Names of documents that a step may change.
const NAMES: [&str; 5] = ["zarr.json", ".zarray", ".zattrs", ".zgroup", keys::ZMETADATA];

impl Step {
    /// Writes it down, and then all of it.
    pub(crate) fn take(&self, store: &Store) -> Result<(), Error> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| damaged(keys::CHANGING, format!("cannot be made: {error}")))?;
        store.put(keys::CHANGING, bytes)?;
        store.sync()?;
        self.finish(store)
    }

    fn finish(&self, store: &Store) -> Result<(), Error> {
        for (key, document) in &self.nodes {
            store.put(key, document.text.clone())?;
        }
        if let Some(manifest) = &self.manifest {
            store.put(keys::MANIFEST, manifest.clone())?;
        }
        store.sync()?;
        for (key, document) in &self.root {
            store.put(key, document.text.clone())?;
        }
        store.sync()?;
        store.delete(keys::CHANGING)?;
        store.sync()?;
        Ok(())
    }

    /// Whether each document is what it was, or will be.
    fn check(&self, store: &Store) -> Result<(), Error> {
        for (key, document) in self.nodes.iter().chain(&self.root) {
            if !NAMES.contains(&key.rsplit('/').next().unwrap_or_default()) {
                return Err(damaged(keys::CHANGING, format!("names {key:?}, which is no metadata document")));
            }
            let found = store.get(key)?.map(|bytes| sha256(&bytes));
            if found.as_ref() != Some(&document.before) && found != Some(sha256(document.text.as_bytes())) {
                return Err(damaged(key, "was changed while a change of it was unfinished".into()));
            }
        }
        Ok(())
    }
}

/// Finishes a change of documents that was interrupted; `false` where there is none.
///
/// # Errors
/// When a document was changed since by others, or the store cannot be read or written.
pub fn finish_interrupted(store: &Store) -> Result<bool, Error> {
    let Some(bytes) = store.get(keys::CHANGING)? else { return Ok(false) };
    let step: Step = serde_json::from_slice(&bytes)
        .map_err(|error| damaged(keys::CHANGING, format!("cannot be read: {error}")))?;
    step.check(store)?;
    step.finish(store)?;
    Ok(true)
}
