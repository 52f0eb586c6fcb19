//! The groups and arrays of a store, from a listing of its objects.

use fairzarr_ngff::{Version, upgraded};
use fairzarr_ome_zarr::keys::{self, join};
use fairzarr_store::Store;
use fairzarr_task::in_order;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::error::unfit;

/// Documents that are asked for at the same time.
const AT_ONCE: usize = 16;
/// Names of the documents of nodes.
pub(crate) const DOCUMENTS: [&str; 4] = ["zarr.json", ".zarray", ".zattrs", ".zgroup"];

/// All groups and arrays, and the version of their hierarchy.
pub(crate) struct Nodes {
    pub(crate) version: Version,
    pub(crate) by_path: BTreeMap<String, Node>,
}

/// A group or an array.
pub(crate) struct Node {
    pub(crate) attributes: Map<String, Value>,
    /// The members of an array's document.
    pub(crate) array: Option<Map<String, Value>>,
}

/// Whether an object is the metadata document of a node.
pub(crate) fn is_document(key: &str) -> bool {
    DOCUMENTS.contains(&name_of(key)) && !key.starts_with(&format!("{}/", keys::SOURCES))
}

fn name_of(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

impl Nodes {
    /// Reads the documents of all nodes among `objects`, and refuses what is of version `to` already.
    pub(crate) fn read(store: &Store, objects: &[(String, u64)], to: Version) -> Result<Self, Error> {
        if objects.iter().any(|(key, _)| key.starts_with(&format!("{}/", keys::WORKSPACE))) {
            return Err(Error::Unfinished(store.location().to_string()));
        }
        let documents: Vec<&str> =
            objects.iter().map(|(key, _)| key.as_str()).filter(|key| is_document(key)).collect();
        let paths: BTreeSet<&str> =
            documents.iter().map(|key| key.rsplit_once('/').map_or("", |(path, _)| path)).collect();
        let there: BTreeSet<&str> = documents.into_iter().collect();
        let nodes = in_order(paths.into_iter().collect(), AT_ONCE, |path| {
            let read = |name: &str| -> Result<Option<Map<String, Value>>, Error> {
                let key = join(path, name);
                if !there.contains(key.as_str()) {
                    return Ok(None);
                }
                let bytes = store.get(&key).map_err(Error::Original)?;
                let bytes = bytes.ok_or_else(|| unfit(&key, "it was listed, and is gone now"))?;
                let document = serde_json::from_slice(&bytes);
                document.map(Some).map_err(|error| unfit(&key, format!("it is no JSON object: {error}")))
            };
            let node = if let Some(mut document) = read("zarr.json")? {
                let attributes = match document.get("attributes") {
                    Some(Value::Object(attributes)) => attributes.clone(),
                    _ => Map::new(),
                };
                match document.get("node_type").and_then(Value::as_str) {
                    Some("array") => Node { attributes, array: Some(document) },
                    Some("group") => {
                        document.shift_remove("consolidated_metadata");
                        Node { attributes, array: None }
                    }
                    _ => return Err(unfit(path, "its zarr.json is neither that of a group nor of an array")),
                }
            } else {
                Node { attributes: read(".zattrs")?.unwrap_or_default(), array: read(".zarray")? }
            };
            Ok::<_, Error>((path.to_owned(), node))
        })?;
        let by_path: BTreeMap<String, Node> = nodes.into_iter().collect();
        let version = version(store, &by_path, to)?;
        Ok(Self { version, by_path })
    }

    /// The attributes of a group in a later version; `None` where nothing of them changes.
    pub(crate) fn attributes(&self, path: &str, to: Version) -> Result<Option<Map<String, Value>>, Error> {
        let Some(node) = self.by_path.get(path).filter(|node| node.array.is_none()) else { return Ok(None) };
        upgraded(&node.attributes, self.version, to).map_err(|error| unfit(path, error.to_string()))
    }

    /// Names of the axes of all arrays that are levels of images, by the arrays' paths.
    pub(crate) fn axes(&self) -> BTreeMap<String, Vec<String>> {
        let mut names = BTreeMap::new();
        for (path, node) in &self.by_path {
            let members = node.attributes.get("ome").and_then(Value::as_object).unwrap_or(&node.attributes);
            for multiscale in members.get("multiscales").and_then(Value::as_array).into_iter().flatten() {
                let axes = multiscale["axes"].as_array().into_iter().flatten();
                let Some(axes) =
                    axes.map(|axis| axis["name"].as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
                else {
                    continue;
                };
                for dataset in multiscale["datasets"].as_array().into_iter().flatten() {
                    if let Some(level) = dataset["path"].as_str() {
                        names.insert(join(path, level), axes.clone());
                    }
                }
            }
        }
        names
    }

    /// Whether the digests that were recorded of samples are those of stored chunks: no sample was decoded.
    pub(crate) fn has_digests_of_stored_bytes(&self) -> bool {
        let grids = self.by_path.get(keys::DIGESTS).map(|digests| &digests.attributes);
        let all = ["images", "levels"].map(|name| grids.and_then(|grids| grids.get(name)?.as_array()));
        let is_unseen = |grid: &Value| {
            // The width of a tile is the last number; none stands for stored bytes.
            grid.as_array().and_then(|grid| grid.last()?.as_u64()) == Some(0)
        };
        all.into_iter().flatten().flatten().any(is_unseen)
    }

    /// The array that an object lies in.
    pub(crate) fn array_of(&self, key: &str) -> Option<(&str, &Map<String, Value>)> {
        let mut path = key;
        while let Some((above, _)) = path.rsplit_once('/') {
            path = above;
            if let Some((path, Node { array: Some(array), .. })) = self.by_path.get_key_value(path) {
                return Some((path, array));
            }
        }
        None
    }
}

/// The version of a hierarchy; that of the first group which says one, where the root does not.
fn version(store: &Store, nodes: &BTreeMap<String, Node>, to: Version) -> Result<Version, Error> {
    let place = || store.location().to_string();
    let Some(root) = nodes.get("") else {
        return Err(Error::Unfit { place: place(), reason: "there is no Zarr at its root".into() });
    };
    let found = Version::of(&root.attributes).map_err(|error| unfit("", error.to_string()))?;
    let below = || nodes.values().find_map(|node| Version::of(&node.attributes).ok().flatten());
    match found.or_else(below) {
        None => {
            Err(Error::Unfit { place: place(), reason: "none of its groups has metadata of NGFF".into() })
        }
        Some(found) if found >= to => Err(Error::Already { place: place(), found: found.to_string() }),
        Some(found) => Ok(found),
    }
}
