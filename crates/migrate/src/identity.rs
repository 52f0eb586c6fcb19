//! What a store is known by: the digest of its manifest, which stands for all that it says and, through the digests that it
//! lists, for all its samples.

use fairzarr::ome_zarr::{Manifest, attributes, keys, manifest_digest};
use fairzarr::store::Store;
use serde_json::{Map, Value};

use crate::{Class, Failure};

/// What a store is known by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    /// The digest of its manifest, in hexadecimal.
    pub(crate) digest: String,
    /// Those that it had before something was embedded in it, as its history has them.
    earlier: Vec<String>,
}

impl Identity {
    /// Whether this is the store that had this digest, though more may have been embedded in it since.
    pub(crate) fn continues(&self, digest: &str) -> bool {
        self.digest == digest || self.earlier.iter().any(|earlier| earlier == digest)
    }
}

/// The identity of a store; `None` where there is no store, or one without a manifest.
///
/// # Errors
/// When the store cannot be read, and when its root names another manifest than the one that is there.
pub(crate) fn identity(store: &Store) -> Result<Option<Identity>, Failure> {
    let differs = |cause: String| Failure::new(Class::Difference, cause);
    let Some(root) = attributes(store, "")? else { return Ok(None) };
    let manifest = Manifest::read(store)?;
    match (manifest_digest(&root), manifest.map(|manifest| manifest.digest())) {
        (None, None) => Ok(None),
        (Some(named), Some(digest)) if named == digest => {
            Ok(Some(Identity { digest, earlier: earlier(&root) }))
        }
        (named, found) => Err(differs(format!(
            "its root names the manifest {}, and {} is there",
            named.unwrap_or("none"),
            found.as_deref().unwrap_or("none")
        ))),
    }
}

fn earlier(root: &Map<String, Value>) -> Vec<String> {
    let events = root.get(keys::HISTORY).and_then(Value::as_array).into_iter().flatten();
    // A change that others had made before does not become part of the store by what was embedded later.
    let whole = events.filter(|event| event.get("not_as_recorded").is_none());
    whole.filter_map(|event| event.get("manifest").and_then(Value::as_str).map(str::to_owned)).collect()
}
