//! The documents that a store keeps byte for byte.

use fairzarr_ome_xml::alike::{self, Edit};
use fairzarr_store::Store;
use serde_json::{Map, Value, json};
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
    /// The bytes, which are checked against the recorded digest. Of a document that is kept as what stands otherwise in it than in
    /// another one, they are those of the document itself, checked against the digest that is kept with its edits.
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
            _ if self.key.ends_with(keys::EDITS) => restored(store, &self.key, &bytes),
            _ => Ok(bytes.to_vec()),
        }
    }

    /// The name of a file for the document.
    pub fn file_name(&self) -> String {
        let name = self.key.rsplit('/').next().unwrap_or_default();
        name.strip_suffix(keys::EDITS).map_or_else(|| name.to_owned(), |number| format!("{number}.ome.xml"))
    }
}

/// The document that is kept in place of one that is nearly the same as the one at `like`: what stands otherwise in it, by which it
/// comes back byte for byte.
pub fn edits_document(like: &str, edits: &[Edit], bytes: &[u8]) -> Vec<u8> {
    let edits: Vec<Value> = edits
        .iter()
        .map(|edit| json!({"at": edit.at, "removed": edit.removed, "inserted": edit.inserted}))
        .collect();
    json!({"like": like, "edits": edits, "bytes": bytes.len(), "sha256": sha256(bytes)})
        .to_string()
        .into_bytes()
}

/// The document that the edits at `key` make of another one.
fn restored(store: &Store, key: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let refuse = |reason: String| Error::Metadata { path: key.to_owned(), reason };
    let document: Value = serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    let like = text("like").filter(|like| like.starts_with(keys::SOURCES) && like.ends_with(".ome.xml"));
    let like = like.ok_or_else(|| refuse("it does not say of which document it is a variant".into()))?;
    let edits: Option<Vec<Edit>> = document.get("edits").and_then(Value::as_array).and_then(|edits| {
        let number = |edit: &Value, name: &str| edit.get(name)?.as_u64()?.try_into().ok();
        let one = |edit: &Value| {
            let inserted = edit.get("inserted")?.as_str()?.to_owned();
            Some(Edit { at: number(edit, "at")?, removed: number(edit, "removed")?, inserted })
        };
        edits.iter().map(one).collect()
    });
    let edits = edits.ok_or_else(|| refuse("its edits are not numbers and texts".into()))?;
    let missing = || refuse(format!("{like}, of which it is a variant, is missing"));
    let whole = store.get(like)?.ok_or_else(missing)?;
    let made = alike::restored(&whole, &edits).map_err(|error| refuse(error.to_string()))?;
    let found = (Some(made.len() as u64), sha256(&made));
    let recorded =
        (document.get("bytes").and_then(Value::as_u64), text("sha256").unwrap_or("nothing").to_owned());
    if recorded != found {
        let ((bytes, sha256), (_, made_sha256)) = (recorded, found);
        return Err(refuse(format!(
            "it makes {} bytes with SHA-256 {made_sha256} of {like}, but {} with {sha256} were recorded",
            made.len(),
            bytes.map_or_else(|| "none".to_owned(), |bytes| bytes.to_string())
        )));
    }
    Ok(made)
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
