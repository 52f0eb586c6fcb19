//! The manifest of a store, `OME/manifest.json`: a digest of every object that is no chunk of an image.
//!
//! Chunks of images are proved by their samples (the digests under [`keys::DIGESTS`]); all else, which no digest of samples
//! covers, is listed here: metadata documents, the source's documents, and the arrays of plane tables and digests. Of a JSON
//! document the manifest has a digest of its values and not of its bytes, so that a document that was only written anew is
//! told from one that says something else. The attribute [`keys::MANIFEST_MEMBER`] of the root has the manifest's own digest;
//! in the root's documents it is left out of what is digested, so that each can vouch for the other.
//!
//! `docs/digests.md` says all that another program needs to check one.

mod canonical;
mod recorder;

use fairzarr_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::documents::hex;
use crate::{Error, keys};

pub use recorder::{ManifestRecorder, NO_DIGEST};

/// The schema that is written.
pub const MANIFEST_SCHEMA: u64 = 1;
const ALGORITHM: &str = "sha256";

/// Digests of the objects of a store, by key.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Manifest {
    objects: BTreeMap<String, Recorded>,
}

/// What is recorded of one object.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Recorded {
    /// Its bytes.
    pub size: u64,
    /// Its digest.
    #[serde(flatten)]
    pub content: Content,
}

/// SHA-256 of an object in lower-case hexadecimal digits.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Of its bytes.
    Bytes(String),
    /// Of its canonical form, which says what a JSON document says.
    Json(String),
}

/// How an object compares with what is recorded of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// It is the same.
    Same,
    /// A JSON document with other bytes and the same values.
    Rewritten,
    /// It says something else.
    Changed,
}

impl Recorded {
    /// What is to be recorded of an object. JSON that the store keeps as a document of the source is as any other file.
    pub fn of(key: &str, bytes: &[u8]) -> Self {
        let size = bytes.len() as u64;
        let form = if is_json(key) { canonical::canonical(bytes, left_out(key)) } else { None };
        let content = match form {
            Some(form) => Content::Json(sha256_of(&form)),
            None => Content::Bytes(sha256_of(bytes)),
        };
        Self { size, content }
    }

    /// Compares an object with it.
    pub fn compare(&self, key: &str, bytes: &[u8]) -> Comparison {
        let same = match &self.content {
            Content::Bytes(recorded) => self.size == bytes.len() as u64 && sha256_of(bytes) == *recorded,
            Content::Json(recorded) => {
                canonical::canonical(bytes, left_out(key)).is_some_and(|form| sha256_of(&form) == *recorded)
            }
        };
        match same {
            true if self.size == bytes.len() as u64 => Comparison::Same,
            true => Comparison::Rewritten,
            false => Comparison::Changed,
        }
    }

    /// The digest, whichever it is.
    pub fn sha256(&self) -> &str {
        let (Content::Bytes(digest) | Content::Json(digest)) = &self.content;
        digest
    }
}

impl Manifest {
    /// The manifest of a store; `None` where there is none. Whether it is the one that the root names is another question:
    /// [`Manifest::digest`] and [`manifest_digest`] answer it together.
    ///
    /// # Errors
    /// When the store cannot be read, or what is there is no manifest of a schema that is known here.
    pub fn read(store: &Store) -> Result<Option<Self>, Error> {
        store.probe(keys::MANIFEST)?.map(|bytes| Self::parse(&bytes)).transpose()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Metadata { path: keys::MANIFEST.into(), reason };
        let document: Document =
            serde_json::from_slice(bytes).map_err(|error| refuse(format!("it cannot be read: {error}")))?;
        let Document { schema, algorithm, objects } = document;
        if schema != MANIFEST_SCHEMA || algorithm != ALGORITHM {
            return Err(refuse(format!(
                "found schema {schema} with {algorithm}, expected schema {MANIFEST_SCHEMA} with {ALGORITHM}"
            )));
        }
        let manifest = Self { objects };
        // The digest is of what is known here: whatever else the document said would not be covered by it.
        if canonical::canonical(bytes, None) != canonical::canonical(&manifest.to_bytes(), None) {
            return Err(refuse("it has members that no manifest of its schema has".into()));
        }
        Ok(manifest)
    }

    /// SHA-256 of the canonical form, in lower-case hexadecimal digits: the identity of all that the store says and,
    /// through the digests that it holds, of its samples.
    pub fn digest(&self) -> String {
        canonical::canonical(&self.to_bytes(), None).map_or_else(String::new, |form| sha256_of(&form))
    }

    /// What is recorded, by key in the order of bytes.
    pub fn objects(&self) -> &BTreeMap<String, Recorded> {
        &self.objects
    }

    /// The document: an object a line, sorted by key.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!(
            "{{\n  \"schema\": {MANIFEST_SCHEMA},\n  \"algorithm\": \"{ALGORITHM}\",\n  \"objects\": {{"
        );
        for (n, (key, Recorded { size, content })) in self.objects.iter().enumerate() {
            let (name, digest) = match content {
                Content::Bytes(digest) => ("bytes", digest),
                Content::Json(digest) => ("json", digest),
            };
            let comma = if n == 0 { "" } else { "," };
            let key = Value::from(key.as_str());
            let _ = write!(text, "{comma}\n    {key}: {{\"size\": {size}, \"{name}\": \"{digest}\"}}");
        }
        text.push_str("\n  }\n}\n");
        text.into_bytes()
    }
}

/// The manifest's digest as the root's attributes name it; `None` where they name none. It identifies a state of the store,
/// and is read with one small document.
pub fn manifest_digest(root: &Map<String, Value>) -> Option<&str> {
    root.get(keys::MANIFEST_MEMBER)?.get("sha256")?.as_str()
}

/// The document as it is stored.
#[derive(Deserialize)]
struct Document {
    schema: u64,
    algorithm: String,
    objects: BTreeMap<String, Recorded>,
}

/// Whether an object is a JSON document of the store's own.
fn is_json(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key);
    let of_source = key.strip_prefix(keys::SOURCES).is_some_and(|rest| rest.starts_with('/'));
    let is_document = [".zattrs", ".zgroup", ".zarray", ".zmetadata"].contains(&name);
    !of_source && (is_document || name.strip_suffix(".json").is_some())
}

/// The member that is left out of a document of the root.
fn left_out(key: &str) -> Option<&'static str> {
    (!key.contains('/')).then_some(keys::MANIFEST_MEMBER)
}

fn sha256_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let keys = ["zarr.json", "OME/METADATA.ome.xml", "OME/sources/0.json", "a \"b\"/zarr.json"];
        let objects = keys.iter().map(|key| ((*key).to_owned(), Recorded::of(key, b"{\"a\": 1}"))).collect();
        let manifest = Manifest { objects };
        assert_eq!(Manifest::parse(&manifest.to_bytes()).unwrap(), manifest);
        let kinds: Vec<bool> =
            manifest.objects.values().map(|entry| matches!(entry.content, Content::Json(_))).collect();
        assert_eq!(kinds, [false, false, true, true]);
        // Written anew by another program it is the same.
        let rewritten: Value = serde_json::from_slice(&manifest.to_bytes()).unwrap();
        assert_eq!(Manifest::parse(rewritten.to_string().as_bytes()).unwrap().digest(), manifest.digest());
    }

    #[test]
    fn a_document_written_anew_is_told_from_one_that_says_something_else() {
        let recorded = Recorded::of("0/zarr.json", b"{\"a\":1,\"b\":2}");
        let found =
            [&b"{\"a\":1,\"b\":2}"[..], b"{\"b\": 2, \"a\": 1}", b"{\"a\":1,\"b\":3}", b"{\"a\":1", b""];
        let expected = [
            Comparison::Same,
            Comparison::Rewritten,
            Comparison::Changed,
            Comparison::Changed,
            Comparison::Changed,
        ];
        assert_eq!(found.map(|bytes| recorded.compare("0/zarr.json", bytes)), expected);
        let bytes = Recorded::of("OME/sources/0.json", b"{\"a\":1}");
        assert_eq!(bytes.compare("OME/sources/0.json", b"{\"a\": 1}"), Comparison::Changed);
    }

    #[test]
    fn other_schemas_are_refused() {
        for text in [
            "{}",
            r#"{"schema": 2, "algorithm": "sha256", "objects": {}}"#,
            r#"{"schema": 1, "algorithm": "md5", "objects": {}}"#,
            r#"{"schema": 1, "algorithm": "sha256", "objects": {"a": {"size": 1}}}"#,
            r#"{"schema": 1, "algorithm": "sha256", "objects": {}, "more": 1}"#,
            r#"{"schema": 1, "algorithm": "sha256", "objects": {"a": {"size": 1, "bytes": "00", "more": 1}}}"#,
        ] {
            assert!(Manifest::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
