//! Documents of a store while they are changed as texts, and the copies of them where metadata are consolidated: every byte that
//! is not changed stays, so that a change can be taken back to the byte.

use fairzarr_ngff::Version;
use fairzarr_ome_zarr::keys::{self, join};
use fairzarr_ome_zarr::{RecordedObject, sha256};
use fairzarr_store::Store;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::Error;
use crate::error::damaged;
use crate::json_edit;
use crate::manifest::KeptManifest;
use crate::step::{Document, Step};

/// Documents of a store as they will be. Nothing is written before [`put_texts`].
pub struct Texts<'s> {
    store: &'s Store,
    version: Version,
    by_key: BTreeMap<String, String>,
    /// SHA-256 of what each of them was.
    before: BTreeMap<String, String>,
    copies: Option<Copies>,
    manifest: Option<KeptManifest>,
}

/// The copies of all nodes at the root. Each that is changed is taken out of the large text and put back at the end, so that
/// a store of many images is not read once for each of them.
struct Copies {
    document: String,
    /// Where the object of copies lies in the document.
    path: Vec<String>,
    /// The document as it was, and where each copy lies in it.
    text: String,
    places: HashMap<String, Range<usize>>,
    changed: BTreeMap<String, String>,
}

/// An object in a document: its key, and the names that lead to the object.
pub type Place = (String, Vec<String>);

impl<'s> Texts<'s> {
    /// The documents of a store in the Zarr format of `version`, with its copies where there are any.
    ///
    /// # Errors
    /// When the store cannot be read or is damaged.
    pub fn open(store: &'s Store, version: Version) -> Result<Self, Error> {
        let manifest = KeptManifest::open(store)?;
        let (by_key, before) = (BTreeMap::new(), BTreeMap::new());
        let mut texts = Self { store, version, by_key, before, copies: None, manifest };
        let (document, path): (_, &[&str]) = match version {
            Version::V04 if store.exists(keys::ZMETADATA)? => (keys::ZMETADATA, &["metadata"]),
            Version::V04 => return Ok(texts),
            _ => ("zarr.json", &["consolidated_metadata", "metadata"]),
        };
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        let text = texts.load(document)?.clone();
        if let Some(places) = json_edit::values(&text, &path) {
            let places = places.into_iter().collect();
            let changed = BTreeMap::new();
            texts.copies = Some(Copies { document: document.into(), path, text, places, changed });
        }
        Ok(texts)
    }

    /// The store's manifest, where it has one that its root names.
    pub fn manifest(&self) -> Option<&KeptManifest> {
        self.manifest.as_ref()
    }

    /// Where the attributes of a group lie: its own document, and the copy of it.
    pub fn attributes(&mut self, group: &str) -> Vec<Place> {
        let (own, attributes) = match self.version {
            Version::V04 => (".zattrs", Vec::new()),
            _ => ("zarr.json", vec!["attributes".to_owned()]),
        };
        let mut places = vec![(join(group, own), attributes.clone())];
        if let Some(copies) = &self.copies {
            let name = if self.version == Version::V04 { join(group, own) } else { group.to_owned() };
            let place = (copies.document.clone(), [&copies.path[..], &[name], &attributes].concat());
            if let Some((text, rest)) = self.object(&place).ok().flatten()
                && json_edit::values(text, rest).is_some()
            {
                places.push(place);
            }
        }
        places
    }

    /// Where copies of whole documents lie, if metadata are consolidated.
    pub(crate) fn copies(&self) -> Option<Place> {
        self.copies.as_ref().map(|copies| (copies.document.clone(), copies.path.clone()))
    }

    /// The name of a document's copy among the others.
    pub(crate) fn name_of_copy<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.version == Version::V04 { Some(key) } else { key.strip_suffix("/zarr.json") }
    }

    /// The text of a member; none where there is no such member or object.
    ///
    /// # Errors
    /// When the document is missing or damaged.
    pub fn get(&mut self, place: &Place, member: &str) -> Result<Option<String>, Error> {
        let found = self.object(place)?;
        Ok(found.and_then(|(text, path)| json_edit::get(text, path, member)).map(str::to_owned))
    }

    /// Sets a member, or takes it away where there is no value. `false` where there is no object at that place.
    ///
    /// # Errors
    /// When the document is missing or damaged.
    pub fn set(&mut self, place: &Place, member: &str, value: Option<&str>) -> Result<bool, Error> {
        if let Some(copies) = &mut self.copies
            && (&copies.document, &copies.path) == (&place.0, &place.1)
        {
            copies.changed.remove(member);
            copies.places.remove(member);
        }
        let Some((text, path)) = self.object(place)? else { return Ok(false) };
        let changed = match value {
            Some(value) => json_edit::set(text, path, member, value),
            None => json_edit::remove(text, path, member),
        };
        let is_there = changed.is_some();
        if let Some(changed) = changed {
            *text = changed;
        }
        Ok(is_there)
    }

    /// A whole document.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn text(&mut self, key: &str) -> Result<&str, Error> {
        self.load(key).map(|text| text.as_str())
    }

    /// All documents that were looked at or changed, by key; the SHA-256 of what they were; and the manifest.
    fn finish(mut self) -> (BTreeMap<String, String>, BTreeMap<String, String>, Option<KeptManifest>) {
        if let Some(copies) = self.copies
            && let Some(text) = self.by_key.get_mut(&copies.document)
            && let Some(changed) = json_edit::set_all(text, &copies.path, &copies.changed)
        {
            *text = changed;
        }
        (self.by_key, self.before, self.manifest)
    }

    /// The text that an object is in, and the names that lead to it from there.
    fn object<'a>(&'a mut self, place: &'a Place) -> Result<Option<(&'a mut String, &'a [String])>, Error> {
        let (document, path) = place;
        let is_copied = self.copies.as_ref().is_some_and(|copies| {
            copies.document == *document && path.len() > copies.path.len() && path.starts_with(&copies.path)
        });
        if !is_copied {
            return Ok(Some((self.load(document)?, path)));
        }
        let Some(copies) = &mut self.copies else { return Ok(None) };
        let Some((name, rest)) = path[copies.path.len()..].split_first() else { return Ok(None) };
        if !copies.changed.contains_key(name) {
            let copy = copies.places.get(name).and_then(|place| copies.text.get(place.clone()));
            let Some(copy) = copy.map(str::to_owned) else { return Ok(None) };
            copies.changed.insert(name.clone(), copy);
        }
        Ok(copies.changed.get_mut(name).map(|text| (text, rest)))
    }

    fn load(&mut self, key: &str) -> Result<&mut String, Error> {
        if !self.by_key.contains_key(key) {
            let refuse = |reason: &str| damaged(key, reason.into());
            let bytes = self.store.get(key)?.ok_or_else(|| refuse("is missing"))?;
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| refuse("is not UTF-8"))?;
            let _: Value = serde_json::from_str(&text).map_err(|error| refuse(&error.to_string()))?;
            if let Some(manifest) = &mut self.manifest {
                manifest.look_at(key, &bytes);
            }
            self.before.insert(key.to_owned(), sha256(&bytes));
            self.by_key.insert(key.to_owned(), text);
        }
        self.by_key.get_mut(key).ok_or_else(|| damaged(key, "is missing".into()))
    }
}

/// Writes the documents, then the manifest, and the root's documents last; their keys. One that is killed on the way is finished by
/// [`finish_interrupted`](crate::finish_interrupted). `doubtful` are documents of which the manifest goes on saying what it said before.
///
/// # Errors
/// When a document is missing or damaged, or the store cannot be written.
pub fn put_texts(
    store: &Store,
    mut texts: Texts<'_>,
    doubtful: &BTreeMap<String, RecordedObject>,
) -> Result<Vec<String>, Error> {
    let root = texts.attributes("");
    for (document, _) in &root {
        texts.text(document)?;
    }
    let (mut texts, mut before, manifest) = texts.finish();
    let is_root = |key: &str| !key.contains('/');
    let manifest = match &manifest {
        Some(manifest) => {
            // Documents that others have added are not vouched for because they were changed.
            for (key, text) in texts.iter().filter(|(key, _)| !is_root(key) && manifest.lists(key)) {
                manifest.add(key, text.as_bytes());
            }
            Some(manifest.seal(&mut texts, &root, doubtful)?)
        }
        None => None,
    };
    let keys = texts.keys().cloned().collect();
    let mut step = Step { manifest, ..Step::default() };
    for (key, text) in texts {
        let document = Document { before: before.remove(&key).unwrap_or_default(), text };
        let documents = if is_root(&key) { &mut step.root } else { &mut step.nodes };
        documents.insert(key, document);
    }
    // What was written with the manifest's own handle, in the background, is there before anything names it.
    store.flush()?;
    step.take(store)?;
    Ok(keys)
}
