//! Consolidated metadata: copies of the documents of all nodes at the root of a store. A reader that cannot list what is in a
//! group, as over plain HTTP, finds everything by them, with one request.
//!
//! In Zarr v3 they are a member of the root's `zarr.json`, in Zarr v2 the document `.zmetadata`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fairzarr_ngff::{Document, Version, group_document};
use fairzarr_store::Store;
use fairzarr_task::lock;
use serde_json::{Map, Value};

use crate::keys::ZMETADATA;
use crate::watched::watched;

/// Bytes of consolidated metadata that a store has at most. Every reader fetches the root's document first, also one that
/// wants a single image of a large plate; beyond this the plate is left without.
pub const MOST_CONSOLIDATED: u64 = 8 << 20;

/// Collects the documents that are written to a store, until the root's are made.
#[derive(Clone, Debug, Default)]
pub struct Consolidation(Arc<Mutex<Copies>>);

#[derive(Debug, Default)]
struct Copies {
    /// The documents in one line each, by key; nothing any more once they are too many.
    by_key: BTreeMap<String, String>,
    bytes: u64,
}

impl Consolidation {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same place as `store`; metadata documents that are written through it are copied.
    pub fn watch(&self, store: &Store) -> Store {
        let copies = Self::clone(self);
        watched(store, move |key, bytes| copies.see(key, bytes))
    }

    fn see(&self, key: &str, bytes: &[u8]) {
        let name = key.rsplit('/').next().unwrap_or(key);
        if !DOCUMENTS.contains(&name) {
            return;
        }
        let Ok(document) = serde_json::from_slice::<Value>(bytes) else { return };
        let mut copies = lock(&self.0);
        let text = document.to_string();
        copies.bytes += (key.len() + text.len()) as u64;
        if let Some(before) = copies.by_key.insert(key.to_owned(), text) {
            copies.bytes -= (key.len() + before.len()) as u64;
        }
        if copies.bytes > MOST_CONSOLIDATED {
            copies.by_key.clear();
        }
    }

    /// How many bytes are left out because they are more than [`MOST_CONSOLIDATED`].
    pub fn left_out(&self) -> Option<u64> {
        let bytes = lock(&self.0).bytes;
        (bytes > MOST_CONSOLIDATED).then_some(bytes)
    }

    /// The documents that have been written, by key, each in one line; none where they are too many.
    pub fn documents(&self) -> Vec<(String, String)> {
        lock(&self.0).by_key.iter().map(|(key, text)| (key.clone(), text.clone())).collect()
    }

    /// The documents of a root group with these attributes, with copies of all that has been written below it. The last one
    /// is that without which nobody takes the store for a complete one.
    pub fn root(&self, version: Version, attributes: Map<String, Value>) -> Vec<Document> {
        let mut documents = group_document(version, attributes);
        if self.left_out().is_some() {
            return documents;
        }
        if version.zarr_format() == 2 {
            for Document { name, bytes } in &documents {
                self.see(name, bytes);
            }
            let members = self.members(|key| Some(key.to_owned()));
            let text =
                format!("{{\n  \"metadata\": {{{members}\n  }},\n  \"zarr_consolidated_format\": 1\n}}");
            let before_last = documents.len().saturating_sub(1);
            documents.insert(before_last, Document { name: ZMETADATA, bytes: text.into_bytes() });
            return documents;
        }
        let members = self.members(|key| key.strip_suffix("/zarr.json").map(str::to_owned));
        if let Some(Document { bytes, .. }) = documents.first_mut() {
            // A member more at the end of the object, one line for each node.
            bytes.pop();
            while bytes.last().is_some_and(u8::is_ascii_whitespace) {
                bytes.pop();
            }
            let inline = format!(
                ",\n  \"consolidated_metadata\": {{\n    \"kind\": \"inline\",\n    \"must_understand\": false,\n    \
                 \"metadata\": {{{members}\n    }}\n  }}\n}}"
            );
            bytes.extend_from_slice(inline.as_bytes());
        }
        documents
    }

    /// All copies as members of a JSON object, by the names that `name` gives to their keys.
    ///
    /// Of groups of Zarr v3 without nodes it is said that nothing is in them: otherwise zarr-python asks the place for a listing,
    /// which places that cannot be listed refuse.
    fn members(&self, name: impl Fn(&str) -> Option<String>) -> String {
        let copies = lock(&self.0);
        let is_empty_group = |key: &str, text: &str| {
            let Some(path) = key.strip_suffix("zarr.json").filter(|path| !path.is_empty()) else {
                return false;
            };
            let mut below =
                copies.by_key.range(path.to_owned()..).take_while(|(other, _)| other.starts_with(path));
            text.contains(GROUP) && below.all(|(other, _)| other == key)
        };
        let members = copies.by_key.iter().filter_map(|(key, text)| {
            let name = Value::from(name(key)?);
            Some(match text.strip_suffix('}').filter(|_| is_empty_group(key, text)) {
                Some(open) => format!("\n      {name}: {open},{EMPTY}}}"),
                None => format!("\n      {name}: {text}"),
            })
        });
        members.collect::<Vec<_>>().join(",")
    }
}

/// How the copy of a group begins to say so.
const GROUP: &str = r#""node_type":"group""#;
/// What a copy of a group says in which nothing is.
const EMPTY: &str = r#""consolidated_metadata":{"kind":"inline","must_understand":false,"metadata":{}}"#;

/// The names of metadata documents.
const DOCUMENTS: [&str; 4] = ["zarr.json", ".zarray", ".zattrs", ".zgroup"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::put;
    use serde_json::json;

    fn attributes(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn written(version: Version) -> Vec<(&'static str, Value)> {
        let store = Store::memory();
        let copies = Consolidation::new();
        let watched = copies.watch(&store);
        watched.put("a/c/0", "no document").unwrap();
        put(&watched, "a/b", group_document(version, attributes(&json!({"x": [1.5, "\"}"]})))).unwrap();
        put(&watched, "a", group_document(version, Map::new())).unwrap();
        let documents = copies.root(version, attributes(&json!({"r": {}})));
        documents
            .into_iter()
            .map(|document| (document.name, serde_json::from_slice(&document.bytes).unwrap()))
            .collect()
    }

    #[test]
    fn nodes_are_copied_into_the_documents_of_the_root() {
        let group =
            |attributes: Value| json!({"zarr_format": 3, "node_type": "group", "attributes": attributes});
        let mut root = group(json!({"r": {}}));
        let mut empty = group(json!({"x": [1.5, "\"}"]}));
        empty["consolidated_metadata"] = json!({"kind": "inline", "must_understand": false, "metadata": {}});
        root["consolidated_metadata"] = json!({
            "kind": "inline", "must_understand": false,
            "metadata": {"a": group(json!({})), "a/b": empty},
        });
        assert_eq!(written(Version::V05), [("zarr.json", root)]);
        let zgroup = json!({"zarr_format": 2});
        let consolidated = json!({
            "metadata": {
                ".zattrs": {"r": {}}, ".zgroup": zgroup, "a/.zgroup": zgroup, "a/b/.zattrs": {"x": [1.5, "\"}"]},
                "a/b/.zgroup": zgroup,
            },
            "zarr_consolidated_format": 1,
        });
        let expected = [(".zgroup", zgroup), (".zmetadata", consolidated), (".zattrs", json!({"r": {}}))];
        assert_eq!(written(Version::V04), expected);
    }

    #[test]
    fn what_is_too_large_is_left_out_and_its_size_is_known() {
        let copies = Consolidation::new();
        let watched = copies.watch(&Store::memory());
        let text = "x".repeat(1 << 20);
        for n in 0..9 {
            let group = group_document(Version::V05, attributes(&json!({"text": text})));
            put(&watched, &n.to_string(), group).unwrap();
        }
        assert!(copies.left_out().is_some_and(|bytes| bytes > 9 << 20));
        let alone = group_document(Version::V05, Map::new());
        assert_eq!(copies.root(Version::V05, Map::new()), alone);
    }
}
