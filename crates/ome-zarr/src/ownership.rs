//! What of a place belongs to the store that lies there, and what others have put beside it.
//!
//! Whoever replaces a store removes what is the store's, file by file, and nothing else. A store that has a manifest owns what
//! the manifest lists and the chunks of the arrays in it: labels that somebody has added since are not in it. Of a store of
//! another program everything counts that Zarr and NGFF name: documents of groups and arrays that hang together from the root,
//! chunks of these arrays, and the OME-XML.

use fairzarr_store::Store;
use fairzarr_task::in_order;
use serde_json::Value;
use std::collections::BTreeSet;

use crate::keys::{self, WORKSPACE};
use crate::{Error, Manifest};

/// What lies at a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Occupant {
    /// Nothing at all.
    Nothing,
    /// A store whose root has its last document.
    Whole,
    /// A conversion that was begun, or a removal that was interrupted.
    Unfinished,
    /// Something that is no Zarr.
    Other,
}

/// The objects of a place by whether they belong to the store that lies there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ownership {
    /// What lies there.
    pub occupant: Occupant,
    /// Keys of the store, in the order in which they can be removed: as long as anything is left, what is left is known as
    /// the store's.
    pub owned: Vec<String>,
    /// Keys of objects that are no part of a store.
    pub foreign: Vec<String>,
}

impl Ownership {
    /// Looks at all objects of a place.
    ///
    /// # Errors
    /// When the place cannot be listed, or a document cannot be read.
    pub fn of(store: &Store) -> Result<Self, Error> {
        let keys: Vec<String> = store.list("")?.into_iter().map(|(key, _)| key).collect();
        let has = |key: &str| keys.binary_search_by(|other| other.as_str().cmp(key)).is_ok();
        let is_begun = has(&keys::plan()) || has(&removing());
        let rule = if has("zarr.json") || has(".zgroup") || has(".zarray") {
            Rule::of_store(store, &keys)?
        } else if is_begun || keys.iter().all(|key| in_workspace(key)) {
            Rule::Forms
        } else {
            Rule::Nothing
        };
        let (mut owned, foreign): (Vec<String>, Vec<String>) =
            keys.into_iter().partition(|key| in_workspace(key) || rule.owns(key));
        owned.sort_by_cached_key(|key| removal_order(key));
        let occupant = match rule {
            _ if owned.is_empty() && foreign.is_empty() => Occupant::Nothing,
            Rule::Nothing => Occupant::Other,
            Rule::Forms => Occupant::Unfinished,
            Rule::Listed { .. } | Rule::Named { .. } => Occupant::Whole,
        };
        Ok(Self { occupant, owned, foreign })
    }

    /// The foreign objects in words, of many the first; `None` where there is none.
    pub fn foreign_names(&self) -> Option<String> {
        let named: Vec<&str> = self.foreign.iter().take(NAMED).map(String::as_str).collect();
        let more = match self.foreign.len().checked_sub(named.len()) {
            Some(more) if more > 0 => format!(" and {more} more"),
            _ => String::new(),
        };
        (!named.is_empty()).then(|| format!("{}{more}", named.join(", ")))
    }
}

/// The object that marks a place whose store is being removed.
pub fn removing() -> String {
    format!("{WORKSPACE}/removing")
}

/// Foreign objects that a message names.
const NAMED: usize = 10;

/// How the objects of a store are known.
enum Rule {
    /// By the manifest, and by the arrays in it.
    Listed { manifest: Manifest, arrays: BTreeSet<String> },
    /// By the documents of groups and arrays that hang together from the root.
    Named { nodes: BTreeSet<String>, arrays: BTreeSet<String> },
    /// By the form of the key alone: of an unfinished store the documents are not there yet.
    Forms,
    /// There is no store.
    Nothing,
}

impl Rule {
    fn of_store(store: &Store, keys: &[String]) -> Result<Self, Error> {
        let manifest = Manifest::read(store).unwrap_or_default();
        let mut nodes = BTreeSet::new();
        let mut arrays = BTreeSet::new();
        let documents = keys.iter().filter(|key| !in_workspace(key)).filter_map(|key| {
            let (path, name) = key.rsplit_once('/').unwrap_or(("", key));
            DOCUMENTS.contains(&name).then_some((key, path, name))
        });
        // A plate has thousands of documents, and each may be a request.
        let types = in_order(documents.collect(), AT_ONCE, |(key, path, name)| {
            let node = if name == "zarr.json" { node_type(store, key)? } else { None };
            Ok::<_, Error>((path, name, node))
        })?;
        for (path, name, node) in types {
            let is_node = match name {
                "zarr.json" => match node {
                    Some(node) if node == "array" => arrays.insert(path.to_owned()),
                    node => node.is_some(),
                },
                ".zarray" => arrays.insert(path.to_owned()),
                name => name == ".zgroup",
            };
            if is_node {
                nodes.insert(path.to_owned());
            }
        }
        match manifest {
            Some(manifest) => {
                let listed = |path: &String| {
                    ["zarr.json", ".zarray"]
                        .iter()
                        .any(|name| manifest.objects().contains_key(&keys::join(path, name)))
                };
                arrays.retain(listed);
                Ok(Self::Listed { manifest, arrays })
            }
            None if nodes.contains("") => {
                let hangs_together = |path: &String| above(path).all(|above| nodes.contains(above));
                let connected: BTreeSet<String> =
                    nodes.iter().filter(|path| hangs_together(path)).cloned().collect();
                arrays.retain(|path| connected.contains(path));
                Ok(Self::Named { nodes: connected, arrays })
            }
            None => Ok(Self::Nothing),
        }
    }

    fn owns(&self, key: &str) -> bool {
        let (path, name) = key.rsplit_once('/').unwrap_or(("", key));
        let is_root = path.is_empty() && DOCUMENTS.contains(&name);
        match self {
            Self::Nothing => false,
            Self::Listed { manifest, arrays } => {
                is_root
                    || [keys::MANIFEST, keys::EMBEDDED, keys::UPGRADED, keys::CHANGING].contains(&key)
                    || manifest.objects().contains_key(key)
                    || is_chunk_of(arrays, key)
            }
            Self::Named { nodes, arrays } => {
                DOCUMENTS.contains(&name) && nodes.contains(path) || is_known(key) || is_chunk_of(arrays, key)
            }
            Self::Forms => {
                DOCUMENTS.contains(&name) || is_known(key) || key.contains('/') && has_chunk_form(name)
            }
        }
    }
}

/// Documents that are read at the same time.
const AT_ONCE: usize = 32;

/// Documents that make a place a node of the hierarchy.
const DOCUMENTS: [&str; 5] = ["zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata"];

fn in_workspace(key: &str) -> bool {
    key.strip_prefix(WORKSPACE).is_some_and(|rest| rest.starts_with('/'))
}

/// What `zarr.json` says that its place is; `None` if it is no document of Zarr.
fn node_type(store: &Store, key: &str) -> Result<Option<String>, Error> {
    let bytes = store.get(key)?.unwrap_or_default();
    let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(document.get("node_type").and_then(Value::as_str).map(str::to_owned))
}

/// The files beside the arrays that this program and others write.
fn is_known(key: &str) -> bool {
    let of_source = key.strip_prefix(keys::SOURCES).is_some_and(|rest| rest.starts_with('/'));
    let made = [keys::EMBEDDED, keys::UPGRADED, keys::CHANGING, keys::MANIFEST];
    let files = [keys::METADATA, keys::TIFF_TAGS];
    of_source || files.contains(&key) || made.contains(&key)
}

fn is_chunk_of(arrays: &BTreeSet<String>, key: &str) -> bool {
    let array = above(key).find(|path| arrays.contains(*path));
    array.is_some_and(|path| {
        let name = key[path.len()..].trim_start_matches('/');
        let rest = name.strip_prefix("c/").or_else(|| name.strip_prefix("c.")).unwrap_or(name);
        name == "c" || rest.split('/').all(has_chunk_form)
    })
}

/// Whether a part of a key counts chunks: `7`, or `0.0.3.1`.
fn has_chunk_form(name: &str) -> bool {
    name.split('.').all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Chunks go first, documents from the leaves to the root, and the root's own last, with the manifest before them.
fn removal_order(key: &str) -> (u8, usize, String) {
    let name = key.rsplit('/').next().unwrap_or(key);
    let depth = usize::MAX - key.matches('/').count();
    let group = match key {
        _ if in_workspace(key) => 4,
        _ if !key.contains('/') => 3,
        keys::MANIFEST => 2,
        _ if DOCUMENTS.contains(&name) => 1,
        _ => 0,
    };
    (group, depth, key.to_owned())
}

/// The folders that a path is in, the nearest first, the root's empty path last.
fn above(path: &str) -> impl Iterator<Item = &str> {
    let root = (!path.is_empty()).then_some("");
    path.rmatch_indices('/').map(|(at, _)| &path[..at]).chain(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ownership(objects: &[(&str, &str)]) -> Ownership {
        let store = Store::memory();
        for (key, text) in objects {
            store.put(key, (*text).to_owned()).unwrap();
        }
        Ownership::of(&store).unwrap()
    }

    const GROUP: &str = r#"{"zarr_format": 3, "node_type": "group"}"#;
    const ARRAY: &str = r#"{"zarr_format": 3, "node_type": "array"}"#;

    #[test]
    fn a_store_of_another_program_owns_what_hangs_together_from_its_root() {
        let found = ownership(&[
            ("zarr.json", GROUP),
            ("0/zarr.json", ARRAY),
            ("0/c/0/0", ""),
            ("0/c/0/note.txt", ""),
            ("OME/METADATA.ome.xml", ""),
            ("OME/zarr.json", GROUP),
            ("figures/one.png", ""),
            ("figures/x.zarr/zarr.json", GROUP),
            ("7", ""),
        ]);
        assert_eq!(found.occupant, Occupant::Whole);
        assert_eq!(found.foreign, ["0/c/0/note.txt", "7", "figures/one.png", "figures/x.zarr/zarr.json"]);
        assert_eq!(
            found.owned,
            ["0/c/0/0", "OME/METADATA.ome.xml", "0/zarr.json", "OME/zarr.json", "zarr.json"]
        );
    }

    #[test]
    fn attributes_alone_make_no_store() {
        for objects in [&[(".zattrs", "{}"), ("photo.jpg", "")][..], &[("zarr.json", "[]"), ("0/c/0", "")]] {
            let found = ownership(objects);
            assert_eq!((found.occupant, found.owned.len()), (Occupant::Other, 0), "{objects:?}");
        }
        let second = ownership(&[(".zgroup", "{}"), ("0/.zarray", "{}"), ("0/0.0.1", ""), ("0/a.txt", "")]);
        assert_eq!((second.occupant, second.foreign), (Occupant::Whole, vec!["0/a.txt".to_owned()]));
    }

    #[test]
    fn an_unfinished_store_owns_what_has_its_forms() {
        let plan = keys::plan();
        let found = ownership(&[
            (plan.as_str(), "{}"),
            ("A/1/0/0/c/0/0/0/1", ""),
            ("A/1/0/0/notes", ""),
            ("OME/sources/0.ome.xml", ""),
            ("thesis.txt", ""),
        ]);
        assert_eq!(found.occupant, Occupant::Unfinished);
        assert_eq!(found.foreign_names().unwrap(), "A/1/0/0/notes, thesis.txt");
        assert_eq!(ownership(&[]).occupant, Occupant::Nothing);
    }
}
