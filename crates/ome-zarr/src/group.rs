//! Groups: their attributes read, their documents written.

use fairzarr_store::{Class, Store};
use serde_json::{Map, Value};

use crate::Error;
use crate::keys::join;

/// The attributes of a group; `None` when there is no group at `path`.
///
/// # Errors
/// When the store cannot be read or the document is not JSON.
pub fn attributes(store: &Store, path: &str) -> Result<Option<Map<String, Value>>, Error> {
    let object = |bytes: &[u8]| -> Result<Map<String, Value>, Error> {
        serde_json::from_slice(bytes)
            .map_err(|error| refused(path, format!("metadata is not a JSON object: {error}")))
    };
    let forbidden = match store.get(&join(path, "zarr.json")) {
        Ok(None) => None,
        Ok(Some(document)) => {
            return Ok(Some(match object(&document)?.remove("attributes") {
                Some(Value::Object(attributes)) => attributes,
                _ => Map::new(),
            }));
        }
        // Public places that nobody may list answer so for all that they do not hold.
        Err(error) if error.class() == Class::Permission => Some(error),
        Err(error) => return Err(error.into()),
    };
    if let Some(document) = store.probe(&join(path, ".zattrs"))? {
        return object(&document).map(Some);
    }
    if store.probe(&join(path, ".zgroup"))?.is_some() {
        return Ok(Some(Map::new()));
    }
    match forbidden {
        Some(error) if path.is_empty() => Err(error.into()),
        _ => Ok(None),
    }
}

/// Writes the documents of a group or an array, in the background.
///
/// # Errors
/// When an earlier write in the background failed.
pub fn put(store: &Store, path: &str, documents: Vec<fairzarr_ngff::Document>) -> Result<(), Error> {
    for document in documents {
        store.put_in_background(&join(path, document.name), document.bytes.into())?;
    }
    Ok(())
}

/// The error for a group's metadata; the root is called so.
pub(crate) fn refused(path: &str, reason: String) -> Error {
    let path = if path.is_empty() { "the root group".into() } else { path.into() };
    Error::Metadata { path, reason }
}
