//! The metadata documents of Zarr groups.

use serde_json::{Map, Value, json};

use crate::Version;

/// A metadata document: its file name, relative to the node, and its bytes.
pub type Document = (&'static str, Vec<u8>);

/// The documents that declare a group: `zarr.json`, or `.zgroup` and `.zattrs`.
pub fn group_document(version: Version, attributes: Map<String, Value>) -> Vec<Document> {
    if version.zarr_format() == 2 {
        let mut documents = vec![(".zgroup", text(&json!({"zarr_format": 2})))];
        if !attributes.is_empty() {
            documents.push((".zattrs", text(&Value::Object(attributes))));
        }
        return documents;
    }
    let mut object = Map::new();
    object.insert("zarr_format".into(), 3.into());
    object.insert("node_type".into(), "group".into());
    object.insert("attributes".into(), Value::Object(attributes));
    vec![("zarr.json", text(&Value::Object(object)))]
}

/// Members in the order given: the same input gives the same bytes. Indented by two spaces unless it is so large that nobody
/// reads it by eye, and that those who fetch it would mind.
pub(crate) fn text(value: &Value) -> Vec<u8> {
    let compact = value.to_string();
    if compact.len() > LONGEST_INDENTED { compact.into_bytes() } else { format!("{value:#}").into_bytes() }
}

/// Bytes, without white space, up to which a document is indented.
const LONGEST_INDENTED: usize = 16 << 10;
