//! The objects of a store at a place that cannot be listed, as its metadata name them.

use fairzarr_ngff::parse_image;
use fairzarr_store::{Class, Store};
use fairzarr_task::in_order;
use fairzarr_zarr::{ArrayDocument, Format};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use crate::group::attributes;
use crate::keys::{self, join};
use crate::{Conversion, Error, Manifest, images};

/// All objects that a store's metadata name, with their sizes, sorted by key: what its manifest lists, what is consolidated at its
/// root, the documents of groups and arrays to which NGFF leads, the OME-XML, and the chunks of all arrays.
///
/// What else lies there nobody can know. A chunk that is not there is left out, as readers take it for one of nothing but the fill
/// value, unless the store says that it has all of them.
///
/// # Errors
/// When the place cannot be read, the store holds no image, or something is not there that has to be.
pub fn named_objects(store: &Store) -> Result<Vec<(String, u64)>, Error> {
    // Documents are looked for by several ways, and each is fetched once.
    let store = &store.keeping(KEPT);
    let images = images(store)?;
    let root = attributes(store, "")?.unwrap_or_default();
    let complete = Conversion::of(&root).is_some_and(|conversion| !conversion.omits_empty());
    let mut listed = consolidated(store)?;
    if let Some(manifest) = Manifest::read(store)? {
        listed.extend(manifest.objects().keys().cloned());
    }
    let levels: BTreeSet<String> = images
        .iter()
        .flat_map(|image| (0..image.multiscale.datasets.len()).filter_map(|level| image.array_path(level)))
        .collect();
    let mut nodes = levels.clone();
    nodes.insert(keys::OME.to_owned());
    nodes.extend(images.iter().map(|image| image.path.clone()));
    nodes
        .extend(in_order(images, store.at_once(), |image| labels(store, &image.path))?.into_iter().flatten());
    let above: Vec<String> = nodes.iter().flat_map(|path| above(path)).collect();
    nodes.extend(above);
    let documents: &[&str] =
        if store.probe("zarr.json")?.is_some() { &["zarr.json"] } else { &[".zgroup", ".zattrs", ".zarray"] };
    let mut asked: BTreeSet<String> =
        nodes.iter().flat_map(|path| documents.iter().map(|name| join(path, name))).collect();
    asked.extend(
        [keys::ZMETADATA, keys::METADATA, keys::MANIFEST, keys::EMBEDDED, keys::UPGRADED].map(Into::into),
    );
    asked.extend(listed.iter().cloned());
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for (key, size) in sizes(store, asked.into_iter().collect())? {
        match size {
            Some(size) => {
                found.insert(key, size);
            }
            None if listed.contains(&key) => return Err(missing(key)),
            None => {}
        }
    }
    let mut objects: BTreeMap<String, u64> = BTreeMap::new();
    let arrays = in_order(found.keys().cloned().collect(), store.at_once(), |key| array(store, &key))?;
    for (path, array) in arrays.into_iter().flatten() {
        let refuse = |reason: &str| Error::Array { path: path.clone(), reason: reason.to_owned() };
        let keys = array.chunk_keys().ok_or_else(|| refuse("how its chunks are named is not known here"))?;
        let count = keys.count().filter(|count| *count <= MOST_CHUNKS);
        let count = count.ok_or_else(|| refuse("it has more chunks than can be asked for one by one"))?;
        let names: Vec<String> = (0..count).map(|number| join(&path, &keys.name(number))).collect();
        let is_complete = complete && levels.contains(&path);
        for (key, size) in sizes(store, names)? {
            match size {
                Some(size) => {
                    objects.insert(key, size);
                }
                None if is_complete => return Err(missing(key)),
                None => {}
            }
        }
    }
    objects.extend(found);
    Ok(objects.into_iter().collect())
}

fn missing(key: String) -> Error {
    Error::Metadata { path: key, reason: "the store's metadata name it, and it is not there".into() }
}

/// Sizes of objects; `None` where there is none.
fn sizes(store: &Store, keys: Vec<String>) -> Result<Vec<(String, Option<u64>)>, Error> {
    in_order(keys, store.at_once(), |key| {
        let size = match store.size(&key) {
            // Public places that nobody may list answer so for what they do not hold, and metadata can name what none can.
            Err(error) if matches!(error.class(), Class::Permission | Class::Usage) => None,
            other => other?,
        };
        Ok((key, size))
    })
}

/// Keys of the documents whose copies are consolidated at the root.
fn consolidated(store: &Store) -> Result<BTreeSet<String>, Error> {
    let parsed =
        |bytes: Option<bytes::Bytes>| -> Option<Map<String, Value>> { serde_json::from_slice(&bytes?).ok() };
    if let Some(root) = parsed(store.probe("zarr.json")?) {
        let copies = root.get("consolidated_metadata").and_then(|copies| copies.get("metadata")?.as_object());
        return Ok(copies.into_iter().flat_map(Map::keys).map(|path| join(path, "zarr.json")).collect());
    }
    let copies = parsed(store.probe(keys::ZMETADATA)?);
    let copies = copies.as_ref().and_then(|copies| copies.get("metadata")?.as_object());
    Ok(copies.into_iter().flat_map(Map::keys).cloned().collect())
}

/// The groups and arrays of an image's labels.
fn labels(store: &Store, image: &str) -> Result<Vec<String>, Error> {
    let group = join(image, "labels");
    let Some(found) = attributes(store, &group)? else { return Ok(Vec::new()) };
    let names = found.get("ome").unwrap_or(&Value::Null).get("labels").or_else(|| found.get("labels"));
    let names = names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut nodes = Vec::new();
    for path in names.map(|name| join(&group, name)) {
        let label = attributes(store, &path)?.and_then(|found| parse_image(&found).ok());
        let datasets = label.into_iter().flat_map(|(_, multiscale, _)| multiscale.datasets);
        nodes.extend(datasets.map(|dataset| join(&path, &dataset.path)));
        nodes.push(path);
    }
    nodes.push(group);
    Ok(nodes)
}

/// All groups above a path, the root included.
fn above(path: &str) -> impl Iterator<Item = String> + '_ {
    let ends = path.match_indices('/').map(|(end, _)| end);
    std::iter::once(0).chain(ends).map(|end| path[..end].to_owned())
}

/// The array that a document declares, with its path.
fn array(store: &Store, key: &str) -> Result<Option<(String, ArrayDocument)>, Error> {
    let (path, name) = key.rsplit_once('/').unwrap_or(("", key));
    let format = match name {
        "zarr.json" => Format::V3,
        ".zarray" => Format::V2,
        _ => return Ok(None),
    };
    let Some(bytes) = store.get(key)? else { return Ok(None) };
    let document = ArrayDocument::parse(format, &bytes);
    let document = document.map_err(|error| Error::Array { path: path.into(), reason: error.to_string() })?;
    let is_array =
        format == Format::V2 || document.members.get("node_type").and_then(Value::as_str) == Some("array");
    Ok(is_array.then(|| (path.to_owned(), document)))
}

/// Documents that are kept while they are looked for.
const KEPT: u64 = 128 << 20;
/// Chunks of one array that are asked for one by one.
const MOST_CHUNKS: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_above_a_path_end_with_the_root() {
        assert_eq!(above("A/1/0").collect::<Vec<_>>(), ["", "A", "A/1"]);
        assert_eq!(above("").collect::<Vec<_>>(), [""]);
    }
}
