//! Provenance and quality control in an OME-Zarr that exists, of any origin: added without touching a pixel, and
//! taken out again to the byte.
//!
//! What is changed is written down first, in `OME/embedded.json`: every member with its text before, and every new
//! object. Documents are changed as texts, one at a time, the root's last.
//!
//! A manifest that the store has is kept true. It does not thereby hide what others changed before: documents that were not
//! as the manifest said are named in the history, and an undo leaves them as doubtful as they were.

use fairzarr_nbo::merge::{Conflict, StoreImage};
use fairzarr_nbo::{Record, placement};
use fairzarr_ngff::{Version, group_document, parse_image};
use fairzarr_ome_xml::Document;
use fairzarr_ome_zarr::keys::{self, join};
use fairzarr_ome_zarr::{
    Consolidation, OmeImages, RecordedObject, SUMMARY_SCHEMA, StoredArray, Subject, Summaries, attributes,
    put,
};
use fairzarr_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::again::of_metadata;
use crate::error::damaged;
use crate::step::finish_interrupted;
use crate::texts::{Place, Texts, put_texts};
use crate::{Error, Provenance, Sidecar};

/// What an embedding did.
#[derive(Clone, Debug, Default)]
pub struct EmbedReport {
    /// Metadata documents that were changed.
    pub documents: Vec<String>,
    /// Where the new documents differ from what the store said; both are kept.
    pub conflicts: Vec<Conflict>,
}

/// Every change, in the order made.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Journal {
    changes: Vec<Change>,
    /// Keys, and prefixes of arrays, that were not there before.
    objects: BTreeSet<String>,
    /// What the manifest said of documents that were something else when they were embedded in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    not_as_recorded: BTreeMap<String, RecordedObject>,
}

/// A member of a JSON object in a document of the store.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Change {
    document: String,
    path: Vec<String>,
    member: String,
    /// The text of its value before; none if it is new.
    before: Option<String>,
}

/// Adds documents to the record of a store; `images` are the groups of its images in series order, an empty path for
/// the root.
///
/// # Errors
/// When the store is no Zarr, is damaged, or cannot be written.
pub fn embed(store: &Store, images: &[String], sidecars: &[Sidecar]) -> Result<EmbedReport, Error> {
    let was_interrupted = finish_interrupted(store)?;
    let mut editor = Editor::open(store)?;
    let record = editor.record(images)?;
    let known: BTreeSet<String> = record.sources.iter().map(|source| source.sha256.clone()).collect();
    let new: Vec<Sidecar> =
        sidecars.iter().filter(|sidecar| !known.contains(sidecar.sha256())).cloned().collect();
    if was_interrupted && new.is_empty() {
        return Ok(EmbedReport::default());
    }
    let key = |n: usize, ending: &str| keys::embedded(new.get(n).map_or("", Sidecar::sha256), ending);
    let said = images.iter().map(|path| editor.image(path)).collect::<Result<Vec<StoreImage>, Error>>()?;
    let provenance = Provenance::new(record, &said, &new, None, key);
    let mut of_root = Map::new();
    for (path, mut attributes) in provenance.attributes(images) {
        if path.is_empty() {
            attributes.insert(keys::HISTORY.into(), editor.history(&provenance)?);
            of_root.clone_from(&attributes);
        }
        editor.change(path, &attributes)?;
    }
    editor.summaries(images, &provenance, &of_root)?;
    let documents = editor.write(&provenance)?;
    Ok(EmbedReport { documents, conflicts: provenance.conflicts })
}

/// Takes out all that [`embed`] added. What others added since stays.
///
/// # Errors
/// [`Error::NothingEmbedded`], and when the store cannot be read or written.
pub fn remove_embedded(store: &Store) -> Result<EmbedReport, Error> {
    finish_interrupted(store)?;
    let mut editor = Editor::open(store)?;
    if editor.journal.changes.is_empty() && editor.journal.objects.is_empty() {
        return Err(Error::NothingEmbedded(store.location().to_string()));
    }
    for change in std::mem::take(&mut editor.journal.changes).into_iter().rev() {
        editor.undo(&change)?;
    }
    let Editor { texts, journal, .. } = editor;
    if let Some(manifest) = texts.manifest() {
        manifest.forget(journal.objects.iter().map(String::as_str).chain([keys::EMBEDDED]));
    }
    let documents = put_texts(store, texts, &journal.not_as_recorded)?;
    for object in &journal.objects {
        store.delete(object)?;
        store.delete_prefix(object)?;
    }
    store.delete(keys::EMBEDDED)?;
    store.sync()?;
    Ok(EmbedReport { documents, conflicts: Vec::new() })
}

/// What `OME/embedded.json` of a store of Zarr 2 says, for the same store in Zarr 3: documents and members under their new names.
///
/// # Errors
/// When it cannot be read.
pub fn embedded_in_zarr_3(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let refuse = |error: serde_json::Error| damaged(keys::EMBEDDED, format!("cannot be read: {error}"));
    let mut journal: Journal = serde_json::from_slice(bytes).map_err(refuse)?;
    // The attributes of a node, or all of it, by the key of its document in Zarr 2.
    let node = |key: &str| -> Option<(String, bool)> {
        let (path, name) = key.rsplit_once('/').unwrap_or(("", key));
        match name {
            ".zattrs" => Some((path.to_owned(), true)),
            ".zgroup" | ".zarray" => Some((path.to_owned(), false)),
            _ => None,
        }
    };
    let copies = ["consolidated_metadata", "metadata"].map(str::to_owned);
    let mut changes = Vec::new();
    for mut change in std::mem::take(&mut journal.changes) {
        if change.document == keys::ZMETADATA {
            // Below `metadata` stand the documents by their keys: those that are members are new, the others were changed.
            let is_member = change.path.len() == 1;
            let key = if is_member { &change.member } else { &change.path[change.path.len().min(2) - 1] };
            let Some((path, of_attributes)) = node(key) else { continue };
            change.document = "zarr.json".into();
            match (is_member, of_attributes) {
                // One document stands for both.
                (true, true) => continue,
                (true, false) => (change.path, change.member) = (copies.to_vec(), path),
                (false, _) => {
                    let rest = change.path.get(2..).unwrap_or_default();
                    change.path = [&copies[..], &[path, "attributes".to_owned()], rest].concat();
                }
            }
        } else if let Some((path, _)) = node(&change.document) {
            change.document = join(&path, "zarr.json");
            change.path.insert(0, "attributes".into());
        }
        changes.push(change);
    }
    journal.changes = changes;
    let named = |key: String| node(&key).map_or(key, |(path, _)| join(&path, "zarr.json"));
    journal.objects = journal.objects.into_iter().map(named).collect();
    // An upgrade refuses a store with documents that are not as recorded.
    journal.not_as_recorded.clear();
    serde_json::to_vec(&journal).map_err(refuse)
}

struct Editor<'s> {
    store: &'s Store,
    version: Version,
    /// What was written down by earlier embeddings, and by this one.
    journal: Journal,
    /// Documents that are changed.
    texts: Texts<'s>,
}

impl<'s> Editor<'s> {
    fn open(store: &'s Store) -> Result<Self, Error> {
        let version = if store.exists("zarr.json")? {
            Version::V05
        } else if store.exists(".zattrs")? {
            Version::V04
        } else {
            return Err(Error::NotAStore(store.location().to_string()));
        };
        let journal = match store.get(keys::EMBEDDED)? {
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| damaged(keys::EMBEDDED, format!("cannot be read: {error}")))?,
            None => Journal::default(),
        };
        Ok(Self { store, version, journal, texts: Texts::open(store, version)? })
    }

    /// The store's record, with which of its images each group holds as far as that is known.
    fn record(&mut self, images: &[String]) -> Result<Record, Error> {
        let root = self.attributes("")?;
        if root.contains_key("nbo:record") {
            let below = images.iter().filter(|path| !path.is_empty());
            let groups: Vec<_> = below.map(|path| self.attributes(path)).collect::<Result<_, _>>()?;
            let stored = placement::read(&root, &groups).map_err(Error::Record)?;
            if stored.newer {
                return Err(Error::NewerRecord);
            }
            return Ok(stored.record);
        }
        of_metadata(self.store, images.len())
    }

    /// What the store's own metadata say of an image: its name, sizes and channels.
    fn image(&mut self, path: &str) -> Result<StoreImage, Error> {
        let attributes = match self.attributes(path) {
            // What a store does not say well is not known; a store that does not answer is another matter.
            Err(error @ Error::Store(_)) => return Err(error),
            other => other.unwrap_or_default(),
        };
        let ome = attributes.get("ome").and_then(Value::as_object).unwrap_or(&attributes);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let multiscale = ome.get("multiscales").and_then(|all| all.get(0)).cloned().unwrap_or_default();
        let mut image = StoreImage::new(text(&multiscale["name"]));
        let labels = ome.get("omero").and_then(|omero| omero["channels"].as_array());
        let labels: Option<Vec<String>> =
            labels.and_then(|all| all.iter().map(|c| text(&c["label"])).collect());
        image.channels = labels.unwrap_or_default();
        let shape = match multiscale["datasets"][0]["path"].as_str() {
            Some(level) => self.shape(path, level)?,
            None => None,
        };
        // Axes of 0.4 to 0.6 have names; those before are always t, c, z, y and x.
        for (axis, size) in
            multiscale["axes"].as_array().into_iter().flatten().zip(shape.into_iter().flatten())
        {
            let name = axis["name"].as_str().unwrap_or_default();
            if let Some(slot) = ["t", "c", "z", "y", "x"].iter().position(|known| *known == name) {
                image.sizes[slot] = size.as_u64();
            }
        }
        Ok(image)
    }

    /// The shape of an array below an image.
    fn shape(&self, image: &str, level: &str) -> Result<Option<Vec<Value>>, Error> {
        let name = if self.version == Version::V04 { ".zarray" } else { "zarr.json" };
        let key =
            [image, level, name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        let Some(bytes) = self.store.get(&key)? else { return Ok(None) };
        let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(document["shape"].as_array().cloned())
    }

    /// What is done now, after what was done before.
    fn history(&mut self, provenance: &Provenance) -> Result<Value, Error> {
        let mut history = match self.attributes("")?.remove(keys::HISTORY) {
            Some(Value::Array(history)) => history,
            _ => Vec::new(),
        };
        let mut event = json!({
            "action": "embed", "program": "fairzarr", "version": env!("CARGO_PKG_VERSION"),
            "sources": provenance.sources(), "journal": keys::EMBEDDED, "summary": SUMMARY_SCHEMA,
        });
        if let Some(manifest) = self.texts.manifest() {
            event["manifest"] = manifest.before().into();
            if !manifest.not_as_recorded().is_empty() {
                event["not_as_recorded"] = manifest.not_as_recorded().keys().cloned().collect();
            }
        }
        history.push(event);
        Ok(history.into())
    }

    /// Sets attributes of a group, in its own document and wherever metadata are consolidated.
    fn change(&mut self, group: &str, attributes: &Map<String, Value>) -> Result<(), Error> {
        for place in self.texts.attributes(group) {
            for (member, value) in attributes {
                let before = self.texts.get(&place, member)?;
                let value = match &before {
                    Some(before) if member == placement::CONVENTIONS => declared(before, value),
                    _ => value.clone(),
                };
                self.set(&place, member, &value.to_string())?;
            }
        }
        Ok(())
    }

    /// Sets the summary of every image, as follows from what has been changed. One that cannot be read as an image has none.
    fn summaries(
        &mut self,
        images: &[String],
        provenance: &Provenance,
        of_root: &Map<String, Value>,
    ) -> Result<(), Error> {
        let mut root = self.attributes("")?;
        root.extend(of_root.clone());
        let ome = attributes(self.store, keys::OME)?.unwrap_or_default();
        let metadata = self.store.get(keys::METADATA)?;
        let metadata = metadata.map(|bytes| Document::parse(bytes.to_vec())).transpose()?;
        let described = OmeImages::new(metadata, images.len(), &root, &ome);
        let summaries = Summaries::new(provenance.record(), &root, &ome);
        for (series, path) in images.iter().enumerate() {
            let group = self.attributes(path)?;
            let image = parse_image(&group).ok();
            let Some(level) = image.as_ref().and_then(|(_, multiscale, _)| multiscale.datasets.first())
            else {
                continue;
            };
            let array = match StoredArray::open(self.store, &join(path, &level.path)) {
                Ok(array) => array,
                // A store or a machine that refuses is another matter than an array that nobody can open.
                Err(error @ (fairzarr_ome_zarr::Error::Store(_) | fairzarr_ome_zarr::Error::Task(_))) => {
                    return Err(error.into());
                }
                Err(_) => continue,
            };
            let summary = summaries.image(&Subject {
                series,
                path,
                attributes: &group,
                shape: array.shape(),
                data_type: &array.data_type(),
                in_model: described.in_model(series),
                planes: described.planes(series),
            });
            for place in self.texts.attributes(path) {
                self.set(&place, keys::SUMMARY, &summary.to_string())?;
            }
        }
        Ok(())
    }

    /// Copies documents that are new to where metadata are consolidated.
    fn consolidate(&mut self, new: &Consolidation) -> Result<(), Error> {
        let Some(place) = self.texts.copies() else { return Ok(()) };
        for (key, text) in new.documents() {
            if let Some(name) = self.texts.name_of_copy(&key).map(str::to_owned) {
                self.set(&place, &name, &text)?;
            }
        }
        Ok(())
    }

    /// Sets one member, and writes down what it was.
    fn set(&mut self, place: &Place, member: &str, value: &str) -> Result<(), Error> {
        let (document, path) = place;
        let before = self.texts.get(place, member)?;
        if !self.texts.set(place, member, Some(value))? {
            return Err(damaged(document, format!("has no object {}", path.join("/"))));
        }
        let change =
            Change { document: document.clone(), path: path.clone(), member: member.to_owned(), before };
        let known = self.journal.changes.iter().any(|known| {
            (&known.document, &known.path, &known.member) == (&change.document, &change.path, &change.member)
        });
        if !known {
            self.journal.changes.push(change);
        }
        Ok(())
    }

    fn undo(&mut self, change: &Change) -> Result<(), Error> {
        let Change { document, path, member, before } = change;
        let place = (document.clone(), path.clone());
        let Some(now) = self.texts.get(&place, member)? else { return Ok(()) };
        let mut before = before.clone();
        if member == keys::HISTORY {
            // What was done beside embedding has been done still.
            let history: Vec<Value> = serde_json::from_str(&now).unwrap_or_default();
            let rest: Vec<Value> = history.into_iter().filter(|event| event["action"] != "embed").collect();
            let same = before.as_deref().map_or_else(
                || rest.is_empty(),
                |before| serde_json::from_str(before).ok() == Some(rest.clone()),
            );
            if !same {
                before = (!rest.is_empty()).then(|| Value::from(rest).to_string());
            }
        }
        if member == placement::CONVENTIONS {
            let rest = others(&now);
            let same =
                before.as_deref().map_or_else(|| rest.as_slice().is_empty(), |before| others(before) == rest);
            // Others have declared or withdrawn theirs since.
            if !same {
                before = Some(Value::from(rest).to_string());
            }
        }
        self.texts.set(&place, member, before.as_deref())?;
        Ok(())
    }

    fn attributes(&mut self, group: &str) -> Result<Map<String, Value>, Error> {
        let name = if self.version == Version::V04 { ".zattrs" } else { "zarr.json" };
        let key = join(group, name);
        let mut object: Map<String, Value> = serde_json::from_str(self.texts.text(&key)?)
            .map_err(|error| damaged(&key, format!("is not a JSON object: {error}")))?;
        if self.version == Version::V04 {
            return Ok(object);
        }
        Ok(match object.remove("attributes") {
            Some(Value::Object(attributes)) => attributes,
            _ => Map::new(),
        })
    }

    /// Writes everything; the keys of the documents that were changed.
    fn write(mut self, provenance: &Provenance) -> Result<Vec<String>, Error> {
        let mut new = provenance.objects();
        for group in [keys::OME, keys::CALIBRATION] {
            let documents = group_document(self.version, Map::new());
            let used = new.iter().any(|key| key.starts_with(group));
            let name = documents.first().map_or("", |document| document.name);
            let key = format!("{group}/{name}");
            if used && !self.store.exists(&key)? {
                new.push(key);
            }
        }
        for key in new {
            if !self.store.exists(&key)? && self.store.list(&key)?.is_empty() {
                self.journal.objects.insert(key);
            }
        }
        if let Some(manifest) = self.texts.manifest() {
            for (key, recorded) in manifest.not_as_recorded() {
                // What was doubtful before an earlier embedding is so still.
                self.journal.not_as_recorded.entry(key.clone()).or_insert_with(|| recorded.clone());
            }
        }
        self.put_journal()?;
        let copies = Consolidation::new();
        let watched = copies.watch(self.target());
        if self.journal.objects.iter().any(|key| key == "OME/zarr.json" || key == "OME/.zgroup") {
            put(&watched, keys::OME, group_document(self.version, Map::new()))?;
        }
        provenance.write(&watched, self.version)?;
        self.consolidate(&copies)?;
        self.put_journal()?;
        self.store.sync()?;
        let documents = put_texts(self.store, self.texts, &BTreeMap::new())?;
        self.store.sync()?;
        Ok(documents)
    }

    fn put_journal(&self) -> Result<(), Error> {
        let journal = serde_json::to_vec(&self.journal)
            .map_err(|error| damaged(keys::EMBEDDED, format!("cannot be made: {error}")))?;
        Ok(self.target().put(keys::EMBEDDED, journal)?)
    }

    /// What is written with: the manifest learns of it.
    fn target(&self) -> &Store {
        self.texts.manifest().map_or(self.store, |manifest| manifest.store())
    }
}

/// Declarations of conventions, ours last.
fn declared(before: &str, ours: &Value) -> Value {
    let ours = ours.as_array().cloned().unwrap_or_default();
    others(before).into_iter().chain(ours).collect()
}

/// Declarations of other conventions.
fn others(declared: &str) -> Vec<Value> {
    let declared: Vec<Value> = serde_json::from_str(declared).unwrap_or_default();
    declared.into_iter().filter(|entry| entry["uuid"] != placement::CONVENTION_UUID).collect()
}
