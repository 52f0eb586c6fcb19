//! Consolidated metadata: copies of documents at the root, which readers take in the place of the nodes.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::node::Group;
use super::walk::Walk;
use super::{Documents, Stop, join};
use crate::Finding;

impl<D: Documents> Walk<'_, D> {
    /// Compares what is consolidated at a root with the nodes themselves.
    pub(super) fn consolidated(&mut self, path: &str, root: &Group) -> Result<(), Stop<D::Error>> {
        /// More nodes than any hierarchy has.
        const MOST: usize = 1_000_000;
        let copies: Vec<(String, Value)> = if let Some(inline) = root.document.get("consolidated_metadata") {
            let Some(nodes) = inline.get("metadata").and_then(Value::as_object) else { return Ok(()) };
            nodes.iter().take(MOST).map(|(node, copy)| (join(node, "zarr.json"), copy.clone())).collect()
        } else if let Some(bytes) = self.documents.document(&join(path, ".zmetadata"))? {
            let Ok(document) = serde_json::from_slice::<Map<String, Value>>(&bytes) else {
                let message = ".zmetadata is not a JSON object, expected an object";
                self.add(path, Finding::must(".zmetadata", CONSOLIDATED, message));
                return Ok(());
            };
            let Some(Value::Object(documents)) = document.get("metadata") else { return Ok(()) };
            documents.iter().take(MOST).map(|(key, copy)| (key.clone(), copy.clone())).collect()
        } else {
            return Ok(());
        };
        self.all_are_consolidated(path, &copies);
        for copies in copies.chunks(AT_ONCE) {
            let keys: Vec<String> = copies.iter().map(|(key, _)| join(path, key)).collect();
            self.documents.expect(&keys, &|_, _| Vec::new());
            for (key, copy) in copies {
                self.compare(path, key, copy)?;
            }
        }
        Ok(())
    }

    /// Finds nodes that metadata name and that are not consolidated: a reader of consolidated metadata does not see them.
    fn all_are_consolidated(&mut self, path: &str, copies: &[(String, Value)]) {
        let copied: HashSet<String> = copies
            .iter()
            .map(|(key, _)| key.rsplit_once('/').unwrap_or(("", key)))
            // What makes a node one; attributes alone do not.
            .filter(|(_, name)| ["zarr.json", ".zgroup", ".zarray"].contains(name))
            .map(|(node, _)| join(path, node))
            .collect();
        let below = |node: &&String| path.is_empty() || node.starts_with(&format!("{path}/"));
        let arrays = self.seen_arrays.iter().filter(|(_, array)| array.is_some()).map(|(node, _)| node);
        let nodes = self.visited.iter().chain(arrays).filter(|node| *node != path).filter(below);
        let mut missing: Vec<&String> = nodes.filter(|node| !copied.contains(*node)).collect();
        missing.sort();
        let Some(first) = missing.first() else { return };
        let message = format!(
            "{} nodes are not consolidated, expected all of them or none; the first is {first}",
            missing.len()
        );
        let finding = Finding::should(COPIES, CONSOLIDATED, message);
        self.add(path, finding.with_remedy(REMEDY));
    }

    fn compare(&mut self, path: &str, key: &str, copy: &Value) -> Result<(), Stop<D::Error>> {
        let at = format!("{COPIES}/{}", key.replace('~', "~0").replace('/', "~1"));
        let Some(bytes) = self.documents.document(&join(path, key))? else {
            let finding = Finding::must(
                at,
                CONSOLIDATED,
                format!("{key} is consolidated, but there is no such document"),
            );
            self.add(path, finding.with_remedy(REMEDY));
            return Ok(());
        };
        // What is no JSON has been found where it lies, if metadata lead there.
        let Ok(document) = serde_json::from_slice::<Value>(&bytes) else { return Ok(()) };
        let Some(document) = document.as_object() else { return Ok(()) };
        let Some(copy) = copy.as_object() else {
            let message = format!("what is consolidated of {key} is no JSON object, expected a copy of it");
            self.add(path, Finding::must(at, CONSOLIDATED, message).with_remedy(REMEDY));
            return Ok(());
        };
        let names = copy.keys().chain(document.keys());
        let mut differing: Vec<&str> = names
            .map(String::as_str)
            .filter(|name| *name != "consolidated_metadata" && !same(copy.get(*name), document.get(*name)))
            .collect();
        differing.sort_unstable();
        differing.dedup();
        let is_attributes = key == ".zattrs" || key.ends_with("/.zattrs");
        if let Some(decisive) = differing.iter().find(|name| !is_attributes && DECISIVE.contains(name)) {
            let message = format!("{key}: {decisive} differs from what is consolidated");
            self.add(path, Finding::must(at, CONSOLIDATED, message).with_remedy(REMEDY));
        } else if let Some(other) = differing.first() {
            let message = format!("{key}: {other} differs from what is consolidated");
            self.add(path, Finding::should(at, CONSOLIDATED, message).with_remedy(REMEDY));
        }
        Ok(())
    }
}

/// Whether two values mean the same: writers spell numbers differently, and null where there is nothing.
fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a == b || a.as_f64() == b.as_f64(),
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(Some(a), Some(b)))
        }
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            // Each name once: twice at every level would be a million times in twenty.
            let only_b = b.keys().filter(|name| !a.contains_key(*name));
            a.keys().chain(only_b).all(|name| same(a.get(name), b.get(name)))
        }
        (None | Some(Value::Null), None | Some(Value::Null)) => true,
        (Some(Value::Array(items)), None) | (None, Some(Value::Array(items))) => items.is_empty(),
        (Some(Value::Object(members)), None) | (None, Some(Value::Object(members))) => members.is_empty(),
        (a, b) => a == b,
    }
}

/// Members that decide which samples a reader sees.
const DECISIVE: &[&str] = &[
    "zarr_format",
    "node_type",
    "shape",
    "data_type",
    "chunk_grid",
    "chunk_key_encoding",
    "codecs",
    "fill_value",
    "storage_transformers",
    "chunks",
    "dtype",
    "compressor",
    "filters",
    "order",
    "dimension_separator",
];
const REMEDY: &str = "consolidate the metadata again, or remove what is consolidated";
/// The clause of findings on copies of documents at a root.
pub const CONSOLIDATED: &str = "consolidated-metadata";
/// Where all copies are.
const COPIES: &str = "/consolidated_metadata/metadata";
const AT_ONCE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn deeply_nested_values_are_compared_once() {
        let nested = |leaf: Value| (0..100).fold(leaf, |inside, _| json!({"a": [inside]}));
        let (one, other) = (nested(json!({"x": 1})), nested(json!({"x": 1.0, "y": null})));
        assert!(same(Some(&one), Some(&other)));
        assert!(!same(Some(&one), Some(&nested(json!({"x": 2})))));
    }
}
