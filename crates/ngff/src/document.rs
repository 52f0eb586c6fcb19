//! The metadata documents of Zarr groups.

use serde_json::{Map, Value, json};

use crate::Version;

/// A metadata document: its file name, relative to the node, and its bytes.
pub type Document = (&'static str, Vec<u8>);

/// The documents that declare a group: `zarr.json`, or `.zgroup` and `.zattrs`.
pub fn group_document(version: Version, attributes: Map<String, Value>) -> Vec<Document> {
    if version.zarr_format() == 2 {
        let mut documents = vec![(".zgroup", pretty(&json!({"zarr_format": 2})))];
        if !attributes.is_empty() {
            documents.push((".zattrs", pretty(&Value::Object(attributes))));
        }
        return documents;
    }
    let mut object = Map::new();
    object.insert("zarr_format".into(), 3.into());
    object.insert("node_type".into(), "group".into());
    object.insert("attributes".into(), Value::Object(attributes));
    vec![("zarr.json", pretty(&Value::Object(object)))]
}

/// Indented by two spaces, members in the order given: the same input gives the same bytes.
pub(crate) fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}").into_bytes()
}
