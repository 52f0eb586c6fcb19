//! Provenance and quality control in an OME-Zarr that exists, of any origin: added without touching a pixel, and
//! taken out again to the byte.
//!
//! What is changed is written down first, in `OME/embedded.json`: every member with its text before, and every new
//! object. Documents are changed as texts, one at a time, the root's last.

use fairzarr_nbo::merge::Conflict;
use fairzarr_nbo::{Record, derive, ingest, placement};
use fairzarr_ngff::{Version, group_document};
use fairzarr_ome_xml::Document;
use fairzarr_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::commit::put;
use crate::json_text;
use crate::provenance::{Provenance, Sidecar};

/// Where it is written down what was changed.
const JOURNAL: &str = "OME/embedded.json";
/// The attribute of the root that tells what was done to the store.
const HISTORY: &str = "fairzarr:history";

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
/// When a document cannot be read, the store is no Zarr, or it cannot be written.
pub fn embed(
    store: &Store,
    images: &[String],
    sidecars: &[Sidecar],
    mapping: Option<&ingest::Mapping>,
) -> Result<EmbedReport, Error> {
    let mut editor = Editor::open(store)?;
    let (record, placed) = editor.record(images)?;
    let known: BTreeSet<String> = record.sources.iter().map(|source| source.sha256.clone()).collect();
    let new: Vec<Sidecar> =
        sidecars.iter().filter(|sidecar| !known.contains(&sidecar.digest())).cloned().collect();
    let key = |n: usize, ending: &str| {
        let digest = new.get(n).map(Sidecar::digest).unwrap_or_default();
        format!("OME/sources/{}.{ending}", digest.get(..16).unwrap_or_default())
    };
    let provenance = Provenance::new(record, &new, mapping, None, key)?;
    let placed = placed.unwrap_or_else(|| provenance.named(&editor.names(images)));
    let images: Vec<(String, Option<usize>)> = images.iter().cloned().zip(placed).collect();
    for (path, mut attributes) in provenance.attributes(&images) {
        if path.is_empty() {
            attributes.insert(HISTORY.into(), editor.history(&provenance)?);
        }
        editor.change(path, &attributes)?;
    }
    editor.write(&provenance)?;
    Ok(EmbedReport { documents: editor.texts.into_keys().collect(), conflicts: provenance.conflicts })
}

/// Takes out all that [`embed`] added. What others added since stays.
///
/// # Errors
/// [`Error::Request`] when nothing was embedded, and when the store cannot be read or written.
pub fn remove_embedded(store: &Store) -> Result<EmbedReport, Error> {
    let mut editor = Editor::open(store)?;
    if editor.journal.changes.is_empty() && editor.journal.objects.is_empty() {
        return Err(Error::Request(format!("nothing is embedded in {}", store.location())));
    }
    for change in std::mem::take(&mut editor.journal.changes).into_iter().rev() {
        editor.undo(&change)?;
    }
    editor.put_texts()?;
    for object in &editor.journal.objects {
        store.delete(object)?;
        store.delete_prefix(object)?;
    }
    store.delete(JOURNAL)?;
    store.sync()?;
    Ok(EmbedReport { documents: editor.texts.into_keys().collect(), conflicts: Vec::new() })
}

struct Editor<'s> {
    store: &'s Store,
    version: Version,
    /// What was written down by earlier embeddings, and by this one.
    journal: Journal,
    /// Documents that are changed, by key.
    texts: BTreeMap<String, String>,
}

impl<'s> Editor<'s> {
    fn open(store: &'s Store) -> Result<Self, Error> {
        let version = if store.exists("zarr.json")? {
            Version::V05
        } else if store.exists(".zattrs")? {
            Version::V04
        } else {
            return Err(Error::Request(format!("{} is not an OME-Zarr", store.location())));
        };
        let journal = match store.get(JOURNAL)? {
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| Error::Request(format!("{JOURNAL} cannot be read: {error}")))?,
            None => Journal::default(),
        };
        Ok(Self { store, version, journal, texts: BTreeMap::new() })
    }

    /// The store's record, and which of its images each group holds; `None` where the store says nothing of them.
    #[expect(clippy::type_complexity, reason = "two results of one walk")]
    fn record(&mut self, images: &[String]) -> Result<(Record, Option<Vec<Option<usize>>>), Error> {
        let refuse = |error: fairzarr_nbo::Error| Error::Request(format!("the store's own record: {error}"));
        let root = self.attributes("")?;
        if root.contains_key("nbo:record") {
            let groups: Vec<_> = images
                .iter()
                .map(|path| if path.is_empty() { Ok(Map::new()) } else { self.attributes(path) })
                .collect::<Result<_, _>>()?;
            let stored = placement::read(&root, &groups).map_err(refuse)?;
            if stored.newer {
                let why =
                    "the store's record is of a newer layout than this program writes; it is left as it is";
                return Err(Error::Request(why.into()));
            }
            return Ok((stored.record, Some(stored.images)));
        }
        let Some(bytes) = self.store.get("OME/METADATA.ome.xml")? else {
            return Ok((Record::default(), None));
        };
        let mut record = derive::from_ome(&Document::parse(bytes.to_vec())?);
        let mut source = ingest::source("METADATA.ome.xml", ingest::Form::OmeXml, "application/xml", &bytes);
        source.path = Some("OME/METADATA.ome.xml".into());
        record.sources.push(source);
        let placed = (count_images(&record) == images.len()).then(|| (0..images.len()).map(Some).collect());
        Ok((record, placed))
    }

    /// The names that the store gives its images.
    fn names(&mut self, images: &[String]) -> Vec<Option<String>> {
        let mut name = |path: &String| {
            let attributes = self.attributes(path).ok()?;
            let ome = attributes.get("ome").and_then(Value::as_object).unwrap_or(&attributes);
            ome.get("multiscales")?.get(0)?.get("name")?.as_str().map(str::to_owned)
        };
        images.iter().map(&mut name).collect()
    }

    /// What is done now, after what was done before.
    fn history(&mut self, provenance: &Provenance) -> Result<Value, Error> {
        let mut history = match self.attributes("")?.remove(HISTORY) {
            Some(Value::Array(history)) => history,
            _ => Vec::new(),
        };
        history.push(json!({
            "action": "embed", "program": "fairzarr", "version": env!("CARGO_PKG_VERSION"),
            "sources": provenance.sources(), "journal": JOURNAL,
        }));
        Ok(history.into())
    }

    /// Sets attributes of a group, in its own document and wherever metadata are consolidated.
    fn change(&mut self, group: &str, attributes: &Map<String, Value>) -> Result<(), Error> {
        for (document, path) in self.places(group)? {
            for (member, value) in attributes {
                let text = self.text(&document)?;
                let before = json_text::get(text, &path, member).map(str::to_owned);
                let value = match &before {
                    Some(before) if member == placement::CONVENTIONS => declared(before, value),
                    _ => value.clone(),
                };
                let changed = json_text::set(text, &path, member, &value.to_string())
                    .ok_or_else(|| Error::Request(format!("{document}: no object {}", path.join("/"))))?;
                self.texts.insert(document.clone(), changed);
                let change =
                    Change { document: document.clone(), path: path.clone(), member: member.clone(), before };
                let known = self.journal.changes.iter().any(|known| {
                    (&known.document, &known.path, &known.member)
                        == (&change.document, &change.path, &change.member)
                });
                if !known {
                    self.journal.changes.push(change);
                }
            }
        }
        Ok(())
    }

    fn undo(&mut self, change: &Change) -> Result<(), Error> {
        let Change { document, path, member, before } = change;
        let text = self.text(document)?;
        let Some(now) = json_text::get(text, path, member) else { return Ok(()) };
        let mut before = before.clone();
        if member == placement::CONVENTIONS {
            let rest = others(now);
            let same =
                before.as_deref().map_or_else(|| rest.as_slice().is_empty(), |before| others(before) == rest);
            // Others have declared or withdrawn theirs since.
            if !same {
                before = Some(Value::from(rest).to_string());
            }
        }
        let changed = match before {
            Some(before) => json_text::set(text, path, member, &before),
            None => json_text::remove(text, path, member),
        };
        if let Some(changed) = changed {
            self.texts.insert(document.clone(), changed);
        }
        Ok(())
    }

    /// Documents with the attributes of a group, and the path of the object that holds them.
    fn places(&mut self, group: &str) -> Result<Vec<(String, Vec<String>)>, Error> {
        let own = |name: &str| if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") };
        let parts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        let mut places = Vec::new();
        if self.version == Version::V04 {
            places.push((own(".zattrs"), Vec::new()));
            if self.store.exists(".zmetadata")? {
                places.push((".zmetadata".to_owned(), parts(&["metadata", &own(".zattrs")])));
            }
        } else {
            places.push((own("zarr.json"), parts(&["attributes"])));
            places.push((
                "zarr.json".to_owned(),
                parts(&["consolidated_metadata", "metadata", group, "attributes"]),
            ));
        }
        let mut found = Vec::new();
        for (n, (document, path)) in places.into_iter().enumerate() {
            // Consolidated copies are changed where there are any.
            let copied = path.split_last().is_some_and(|(name, above)| {
                self.text(&document).is_ok_and(|text| json_text::get(text, above, name).is_some())
            });
            if n == 0 || copied {
                found.push((document, path));
            }
        }
        Ok(found)
    }

    fn attributes(&mut self, group: &str) -> Result<Map<String, Value>, Error> {
        let name = if self.version == Version::V04 { ".zattrs" } else { "zarr.json" };
        let key = if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") };
        let mut object: Map<String, Value> = serde_json::from_str(self.text(&key)?)
            .map_err(|error| Error::Request(format!("{key} is not a JSON object: {error}")))?;
        if self.version == Version::V04 {
            return Ok(object);
        }
        Ok(match object.remove("attributes") {
            Some(Value::Object(attributes)) => attributes,
            _ => Map::new(),
        })
    }

    /// A document as it will be.
    fn text(&mut self, key: &str) -> Result<&str, Error> {
        if !self.texts.contains_key(key) {
            let refuse = |reason: &str| Error::Request(format!("{key} {reason}"));
            let bytes = self.store.get(key)?.ok_or_else(|| refuse("is missing"))?;
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| refuse("is not UTF-8"))?;
            let _: Value = serde_json::from_str(&text).map_err(|error| refuse(&error.to_string()))?;
            self.texts.insert(key.to_owned(), text);
        }
        Ok(self.texts.get(key).map_or("", String::as_str))
    }

    fn write(&mut self, provenance: &Provenance) -> Result<(), Error> {
        let mut new = provenance.objects();
        for group in ["OME", "OME/calibration"] {
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
        let journal = serde_json::to_vec(&self.journal).map_err(|error| Error::Request(error.to_string()))?;
        self.store.put(JOURNAL, journal)?;
        if self.journal.objects.iter().any(|key| key == "OME/zarr.json" || key == "OME/.zgroup") {
            put(self.store, "OME", group_document(self.version, Map::new()))?;
        }
        provenance.write(self.store, self.version)?;
        self.store.sync()?;
        self.put_texts()?;
        self.store.sync()?;
        Ok(())
    }

    /// Writes the documents, the root's last.
    fn put_texts(&self) -> Result<(), Error> {
        let is_root = |key: &str| !key.contains('/');
        for root in [false, true] {
            for (key, text) in self.texts.iter().filter(|(key, _)| is_root(key) == root) {
                self.store.put(key, text.clone())?;
            }
        }
        Ok(())
    }
}

fn count_images(record: &Record) -> usize {
    record.objects.iter().filter(|object| object.class == "Image").count()
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
