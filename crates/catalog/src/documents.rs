//! What is read of a store: its metadata documents, and whether they are those that were read before.

use fairzarr_ngff::parse_image;
use fairzarr_ome_xml::Document;
use fairzarr_ome_zarr::{StoredArray, attributes, image_groups, keys, sha256};
use fairzarr_store::Store;
use serde_json::{Map, Value};

use crate::error::Unread;

/// The metadata of a store.
pub(crate) struct Documents {
    /// Changes with any of the documents.
    pub(crate) fingerprint: String,
    pub(crate) root: Map<String, Value>,
    /// Attributes of the group `OME`.
    pub(crate) ome: Map<String, Value>,
    pub(crate) images: Vec<ImageDocuments>,
    pub(crate) metadata: Option<Document>,
}

/// The metadata of an image.
pub(crate) struct ImageDocuments {
    pub(crate) path: String,
    pub(crate) attributes: Map<String, Value>,
    /// The shape of its full resolution; empty where no array can be opened.
    pub(crate) shape: Vec<u64>,
    pub(crate) data_type: String,
}

/// Reads a store; `None` where its fingerprint is `known`. `salt` says what else the rows depend on.
pub(crate) fn read(store: &Store, salt: &str, known: Option<&str>) -> Result<Option<Documents>, Unread> {
    let root = attributes(store, "")?.ok_or(Unread::NotAStore)?;
    let text = |of: &Map<String, Value>| Value::Object(of.clone()).to_string();
    let mut digested = format!("{salt}\n{}", text(&root));
    // The root names the digest of the manifest, which has those of all other documents.
    let has_manifest = root.contains_key(keys::MANIFEST_MEMBER);
    if has_manifest && known == Some(sha256(digested.as_bytes()).as_str()) {
        return Ok(None);
    }
    let groups = image_groups(store)?;
    let metadata = store.get(keys::METADATA)?;
    if !has_manifest {
        for (_, group) in &groups {
            digested.push_str(&sha256(text(group).as_bytes()));
        }
        digested.push_str(&metadata.as_deref().map(sha256).unwrap_or_default());
    }
    let fingerprint = sha256(digested.as_bytes());
    if known == Some(fingerprint.as_str()) {
        return Ok(None);
    }
    let metadata = metadata.map(|bytes| Document::parse(bytes.to_vec())).transpose()?;
    let ome = attributes(store, keys::OME)?.unwrap_or_default();
    let mut images = Vec::new();
    for (path, attributes) in groups {
        let (shape, data_type) = match summarised(&attributes) {
            Some(said) => said,
            None => full_resolution(store, &path, &attributes)?,
        };
        images.push(ImageDocuments { path, attributes, shape, data_type });
    }
    Ok(Some(Documents { fingerprint, root, ome, images, metadata }))
}

/// Shape and data type as the summary has them, which costs no request.
fn summarised(attributes: &Map<String, Value>) -> Option<(Vec<u64>, String)> {
    let summary = attributes.get(keys::SUMMARY)?;
    let shape = summary["size"].as_object()?.values().map(Value::as_u64).collect::<Option<_>>()?;
    Some((shape, summary["type"].as_str()?.to_owned()))
}

fn full_resolution(
    store: &Store,
    path: &str,
    attributes: &Map<String, Value>,
) -> Result<(Vec<u64>, String), Unread> {
    let image = parse_image(attributes).ok();
    let level = image.as_ref().and_then(|(_, multiscale, _)| multiscale.datasets.first());
    let Some(level) = level else { return Ok((Vec::new(), String::new())) };
    match StoredArray::open(store, &keys::join(path, &level.path)) {
        Ok(array) => Ok((array.shape().to_vec(), array.data_type())),
        Err(error @ (fairzarr_ome_zarr::Error::Store(_) | fairzarr_ome_zarr::Error::Task(_))) => {
            Err(error.into())
        }
        // What cannot be opened has no size; everything else is known all the same.
        Err(_) => Ok((Vec::new(), String::new())),
    }
}
