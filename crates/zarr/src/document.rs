//! The metadata documents of Zarr groups.

use serde_json::{Map, Value, json};

use crate::Format;

/// A metadata document of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// File name, relative to the node: `zarr.json`, `.zgroup`, `.zarray` or `.zattrs`.
    pub name: &'static str,
    /// What is in the file.
    pub bytes: Vec<u8>,
}

/// The documents that declare a group: `zarr.json`, or `.zgroup` and `.zattrs`.
pub fn group_document(format: impl Into<Format>, attributes: Map<String, Value>) -> Vec<Document> {
    if format.into() == Format::V2 {
        let mut documents = vec![Document { name: ".zgroup", bytes: text(&json!({"zarr_format": 2})) }];
        if !attributes.is_empty() {
            documents.push(Document { name: ".zattrs", bytes: text(&Value::Object(attributes)) });
        }
        return documents;
    }
    let mut object = Map::new();
    object.insert("zarr_format".into(), 3.into());
    object.insert("node_type".into(), "group".into());
    object.insert("attributes".into(), Value::Object(attributes));
    vec![Document { name: "zarr.json", bytes: text(&Value::Object(object)) }]
}

/// Members in the order given: the same input gives the same bytes. Indented by two spaces unless it is so large that nobody
/// reads it by eye, and that those who fetch it would mind.
pub(crate) fn text(value: &Value) -> Vec<u8> {
    let compact = value.to_string();
    if compact.len() > LONGEST_INDENTED { compact.into_bytes() } else { format!("{value:#}").into_bytes() }
}

/// Bytes, without white space, up to which a document is indented.
const LONGEST_INDENTED: usize = 16 << 10;
