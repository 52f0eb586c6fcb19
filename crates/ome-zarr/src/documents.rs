//! The documents that a store keeps byte for byte.

use fairzarr_store::Store;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::Error;
use crate::group::attributes;
use crate::keys;

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
        let found = sha256(&bytes);
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
        let found = store.list_if_allowed(keys::SOURCES)?.unwrap_or_default();
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
pub fn recorded(root: &Map<String, Value>) -> Vec<Value> {
    let lists = [keys::SOURCE_LIST, "nbo:sources"].map(|key| root.get(key).and_then(Value::as_array));
    let mut paths = BTreeSet::new();
    let new = |document: &&Value| {
        document.get("path").and_then(Value::as_str).is_some_and(|path| paths.insert(path.to_owned()))
    };
    lists.into_iter().flatten().flatten().filter(new).cloned().collect()
}

/// SHA-256 in lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
