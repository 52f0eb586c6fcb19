//! Source documents of a store, and the proof that every distinct OME-XML of the source is among them byte for byte.

use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::Error;
use crate::report::{Check, Difference};
use crate::store_images::attributes;

/// A document that the store keeps byte for byte.
#[derive(Clone, Debug)]
pub struct StoredDocument {
    /// Where it lies below the store's root.
    pub key: String,
    /// SHA-256 in lower-case hexadecimal digits, if the store has recorded it.
    pub sha256: Option<String>,
}

impl StoredDocument {
    /// The bytes, which are checked against the recorded digest.
    ///
    /// # Errors
    /// When the document is missing, or not what was recorded.
    pub fn read(&self, store: &Store) -> Result<Vec<u8>, Error> {
        let refuse = |reason: String| Error::Metadata { path: self.key.clone(), reason };
        let bytes = store.get(&self.key)?.ok_or_else(|| refuse("this document is missing".into()))?;
        let found = hex(&Sha256::digest(&bytes));
        match &self.sha256 {
            Some(recorded) if *recorded != found => {
                Err(refuse(format!("its SHA-256 is {found}, but {recorded} was recorded")))
            }
            _ => Ok(bytes.to_vec()),
        }
    }
}

/// The source documents that the store records, in order; where it records none, what lies in `OME/sources`.
///
/// # Errors
/// When the store cannot be read.
pub fn sources(store: &Store) -> Result<Vec<StoredDocument>, Error> {
    let root = attributes(store, "")?.unwrap_or_default();
    let recorded = recorded(&root);
    if recorded.is_empty() {
        let found = store.list_if_allowed("OME/sources")?.unwrap_or_default();
        return Ok(found.into_iter().map(|(key, _)| StoredDocument { key, sha256: None }).collect());
    }
    let member = |document: &Value, name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(recorded
        .iter()
        .filter_map(|document| {
            Some(StoredDocument { key: member(document, "path")?, sha256: member(document, "sha256") })
        })
        .collect())
}

/// What a store records of documents, each once: those of the source, and those that NBO provenance came from.
pub(crate) fn recorded(root: &Map<String, Value>) -> Vec<Value> {
    let lists = ["fairzarr:sources", "nbo:sources"].map(|key| root.get(key).and_then(Value::as_array));
    let mut paths = BTreeSet::new();
    let new = |document: &&Value| {
        document.get("path").and_then(Value::as_str).is_some_and(|path| paths.insert(path.to_owned()))
    };
    lists.into_iter().flatten().flatten().filter(new).cloned().collect()
}

/// Compares by SHA-256, whatever the documents are called in the store.
pub(crate) fn compare(source: &Fileset, store: &Store) -> Result<Check, Error> {
    let mut stored = BTreeMap::new();
    let keys: Vec<String> = match store.list_if_allowed("OME/sources")? {
        Some(found) => found.into_iter().map(|(key, _)| key).collect(),
        None => sources(store)?.into_iter().map(|document| document.key).collect(),
    };
    for key in keys {
        if let Some(bytes) = store.get(&key)? {
            stored.insert(Sha256::digest(&bytes), key);
        }
    }
    let mut differences = Vec::new();
    for document in source.sources() {
        let digest = Sha256::digest(&document.bytes);
        if !stored.contains_key(&digest) {
            differences.push(Difference {
                place: format!("{} of {}", document.role, document.name),
                expected: format!(
                    "{} bytes with SHA-256 {} under OME/sources",
                    document.bytes.len(),
                    hex(&digest)
                ),
                found: match stored.len() {
                    0 => "no documents there".into(),
                    n => format!("{n} other documents"),
                },
            });
        }
    }
    let covered = format!("{} source documents by SHA-256", source.sources().len());
    Ok(Check { name: "documents", covered, differences })
}

pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
