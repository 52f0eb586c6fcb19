//! The manifest, made while a store is written.

use fairzarr_store::Store;
use fairzarr_task::lock;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::{Manifest, Recorded};
use crate::watched::watched;
use crate::{Error, keys};

/// Records every object that is written through the handle that [`ManifestRecorder::new`] gives, whoever writes it and by
/// whatever way: what is written so is in the manifest, and nothing has to be told of it.
#[derive(Debug, Default)]
pub struct ManifestRecorder {
    objects: Mutex<BTreeMap<String, Recorded>>,
}

impl ManifestRecorder {
    /// A recorder that begins with what `known` has, and the handle of the store that it watches.
    pub fn new(store: &Store, known: Option<Manifest>) -> (Arc<Self>, Store) {
        let recorder = Arc::new(Self { objects: Mutex::new(known.unwrap_or_default().objects) });
        let told = Arc::clone(&recorder);
        let recorded = watched(store, move |key, bytes| {
            if key != keys::MANIFEST {
                told.add(key, bytes);
            }
        });
        (recorder, recorded)
    }

    /// Records an object that is about to be written; a document of the root may differ from this in the manifest's digest.
    pub fn add(&self, key: &str, bytes: &[u8]) {
        lock(&self.objects).insert(key.to_owned(), Recorded::of(key, bytes));
    }

    /// Puts back what was recorded of an object before.
    pub fn restore(&self, key: &str, recorded: Recorded) {
        lock(&self.objects).insert(key.to_owned(), recorded);
    }

    /// Forgets an object that was removed, and all objects below it.
    pub fn remove(&self, key: &str) {
        let below = format!("{key}/");
        lock(&self.objects).retain(|other, _| other != key && !other.starts_with(&below));
    }

    /// What is recorded so far.
    pub fn manifest(&self) -> Manifest {
        Manifest { objects: lock(&self.objects).clone() }
    }

    /// Writes the manifest, in the background, and gives the digest that the root has to name. Called when all is recorded;
    /// what is written of the root afterwards may differ from what was recorded in that digest alone.
    ///
    /// # Errors
    /// When an earlier write in the background failed.
    pub fn write(&self, store: &Store) -> Result<String, Error> {
        let manifest = self.manifest();
        store.put_in_background(keys::MANIFEST, manifest.to_bytes().into())?;
        Ok(manifest.digest())
    }

    /// Writes the manifest of a new store, in the background, and gives the documents of its root: `documents` makes them from
    /// their attributes.
    ///
    /// # Errors
    /// When an earlier write in the background failed.
    pub fn seal<D>(
        &self,
        store: &Store,
        mut attributes: Map<String, Value>,
        documents: impl Fn(Map<String, Value>) -> D,
    ) -> Result<D, Error>
    where
        for<'d> &'d D: IntoIterator<Item = &'d fairzarr_ngff::Document>,
    {
        let named = |digest: &str| json!({"path": keys::MANIFEST, "sha256": digest});
        attributes.insert(keys::MANIFEST_MEMBER.into(), named(NO_DIGEST));
        for document in &documents(attributes.clone()) {
            self.add(document.name, &document.bytes);
        }
        attributes.insert(keys::MANIFEST_MEMBER.into(), named(&self.write(store)?));
        Ok(documents(attributes))
    }
}

/// As long as a digest, so that a document that has it in its place has the size of the final one.
pub const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";
