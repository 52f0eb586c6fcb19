//! The manifest of a store that is changed, kept true.

use fairzarr_ome_zarr::{
    Comparison, Error as ZarrError, Manifest, ManifestRecorder, NO_DIGEST, RecordedObject, attributes, keys,
    manifest_digest,
};
use fairzarr_store::Store;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::damaged;
use crate::{Error, json_edit};

/// A store with a manifest, and what is recorded of its objects while they are changed.
pub struct KeptManifest {
    before: Manifest,
    recorder: Arc<ManifestRecorder>,
    store: Store,
    not_as_recorded: BTreeMap<String, RecordedObject>,
}

impl KeptManifest {
    /// `None` where the store has no manifest, or not the one that its root names: a doubtful one is not made good by keeping it
    /// up.
    pub(crate) fn open(store: &Store) -> Result<Option<Self>, Error> {
        let manifest = match Manifest::read(store) {
            Err(ZarrError::Store(error)) => return Err(error.into()),
            Err(_) => None,
            Ok(manifest) => manifest,
        };
        let root = if manifest.is_some() { attributes(store, "")?.unwrap_or_default() } else { Map::new() };
        let is_named = |manifest: &Manifest| Some(manifest.digest().as_str()) == manifest_digest(&root);
        Ok(manifest.filter(is_named).map(|before| {
            let (recorder, store) = ManifestRecorder::new(store, Some(before.clone()));
            Self { before, recorder, store, not_as_recorded: BTreeMap::new() }
        }))
    }

    /// The handle to write with: the manifest learns of what goes through it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the manifest said of documents that were changed and are something else.
    pub fn not_as_recorded(&self) -> &BTreeMap<String, RecordedObject> {
        &self.not_as_recorded
    }

    /// Whether the manifest says something of an object.
    pub fn lists(&self, key: &str) -> bool {
        self.before.objects().contains_key(key)
    }

    /// The manifest's digest before the change.
    pub fn before(&self) -> String {
        self.before.digest()
    }

    /// Compares a document that is going to be changed with what the manifest says of it.
    pub(crate) fn look_at(&mut self, key: &str, bytes: &[u8]) {
        if let Some(recorded) = self.before.objects().get(key)
            && recorded.compare(key, bytes) == Comparison::Changed
        {
            self.not_as_recorded.insert(key.to_owned(), recorded.clone());
        }
    }

    /// Records a document that is going to be written.
    pub(crate) fn add(&self, key: &str, bytes: &[u8]) {
        self.recorder.add(key, bytes);
    }

    /// Takes objects out of the manifest: those with these keys, and those below them.
    pub fn forget<'k>(&self, keys: impl Iterator<Item = &'k str>) {
        keys.for_each(|key| self.recorder.remove(key));
    }

    /// The manifest as it will be, when all but the root's documents is recorded; its digest is put into `texts`, of which those in
    /// `named` have it at the path that is given. `doubtful` are objects that go on being recorded as they were.
    pub(crate) fn seal(
        &self,
        texts: &mut BTreeMap<String, String>,
        named: &[(String, Vec<String>)],
        doubtful: &BTreeMap<String, RecordedObject>,
    ) -> Result<String, Error> {
        name(texts, named, NO_DIGEST);
        for (key, text) in texts.iter().filter(|(key, _)| !key.contains('/')) {
            self.recorder.add(key, text.as_bytes());
        }
        for (key, recorded) in doubtful {
            self.recorder.restore(key, recorded.clone());
        }
        let manifest = self.recorder.manifest();
        name(texts, named, &manifest.digest());
        String::from_utf8(manifest.to_bytes())
            .map_err(|error| damaged(keys::MANIFEST, format!("cannot be made: {error}")))
    }
}

/// Sets the digest in the documents of the root; one that names none is left without.
fn name(texts: &mut BTreeMap<String, String>, named: &[(String, Vec<String>)], digest: &str) {
    for (document, path) in named {
        let path: Vec<String> = path.iter().cloned().chain([keys::MANIFEST_MEMBER.to_owned()]).collect();
        let value = Value::from(digest).to_string();
        let changed = texts.get(document).and_then(|text| {
            json_edit::get(text, &path, "sha256")?;
            json_edit::set(text, &path, "sha256", &value)
        });
        if let Some(changed) = changed {
            texts.insert(document.clone(), changed);
        }
    }
}
