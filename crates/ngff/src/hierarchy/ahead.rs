//! What the walk is going to ask for. A place far away can fetch it at the same time, and with it what the documents lead to:
//! the images of a well, the arrays and labels of an image.

use serde_json::{Map, Value};

use super::walk::Walk;
use super::{Documents, join, members, objects, resolve, strings};
use crate::Version;

impl<D: Documents> Walk<'_, D> {
    /// Groups that are going to be asked for, with what they lead to.
    pub(super) fn expect_groups<'p>(&self, paths: impl IntoIterator<Item = &'p String>) {
        let version = self.version;
        self.expect(
            &paths.into_iter().flat_map(|path| documents_of_group(version, path)).collect::<Vec<_>>(),
        );
    }

    /// What a group names that nobody was told of before.
    pub(super) fn expect_named(&self, path: &str, members: &Map<String, Value>) {
        self.expect(&named(self.version, path, members));
    }

    fn expect(&self, keys: &[String]) {
        let version = self.version;
        self.documents.expect(keys, &|key, document| led_to(version, key, document));
    }
}

/// The documents that are asked for where a group may be.
fn documents_of_group(version: Version, path: &str) -> Vec<String> {
    let names: &[&str] =
        if version.zarr_format() == 3 { &["zarr.json"] } else { &["zarr.json", ".zattrs", ".zgroup"] };
    names.iter().map(|name| join(path, name)).collect()
}

/// The documents that are asked for after this one, as far as they are of groups and arrays that it names.
fn led_to(version: Version, key: &str, document: &[u8]) -> Vec<String> {
    let (path, name) = key.rsplit_once('/').unwrap_or(("", key));
    let Ok(Value::Object(found)) = serde_json::from_slice(document) else { return Vec::new() };
    let attributes = match name {
        ".zattrs" => Some(&found),
        "zarr.json" => found.get("attributes").and_then(Value::as_object),
        _ => None,
    };
    let is_array = found.get("node_type").and_then(Value::as_str) == Some("array");
    attributes
        .filter(|_| !is_array)
        .map_or_else(Vec::new, |attributes| named(version, path, members(attributes)))
}

fn named(version: Version, path: &str, members: &Map<String, Value>) -> Vec<String> {
    let mut keys = Vec::new();
    let fields = members.get("well").and_then(|well| well.get("images"));
    let fields = objects(fields).filter_map(|image| image.get("path")?.as_str());
    for group in fields.chain(strings(members.get("labels"))).filter_map(|name| resolve(path, name)) {
        keys.extend(documents_of_group(version, &group));
    }
    if members.contains_key("multiscales") {
        let datasets = objects(members.get("multiscales")).flat_map(|item| objects(item.get("datasets")));
        let arrays = datasets.filter_map(|dataset| resolve(path, dataset.get("path")?.as_str()?));
        let name = if version.zarr_format() == 3 { "zarr.json" } else { ".zarray" };
        keys.extend(arrays.map(|array| join(&array, name)));
        // Whether there are labels, in whatever format, is asked of every image.
        keys.extend(["zarr.json", ".zattrs", ".zgroup"].map(|name| join(&join(path, "labels"), name)));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_next_is_what_documents_name() {
        let well = br#"{"attributes": {"ome": {"well": {"images": [{"path": "0"}, {"path": "1"}]}}}}"#;
        assert_eq!(led_to(Version::V05, "A/1/zarr.json", well), ["A/1/0/zarr.json", "A/1/1/zarr.json"]);
        let image = br#"{"multiscales": [{"datasets": [{"path": "0"}, {"path": "../x"}, {}]}]}"#;
        let labels = ["i/labels/zarr.json", "i/labels/.zattrs", "i/labels/.zgroup"];
        assert_eq!(
            led_to(Version::V04, "i/.zattrs", image),
            [&["i/0/.zarray", "x/.zarray"][..], &labels].concat()
        );
        let labels = br#"{"attributes": {"ome": {"labels": ["cells"]}}}"#;
        assert_eq!(led_to(Version::V05, "i/labels/zarr.json", labels), ["i/labels/cells/zarr.json"]);
        let array = br#"{"node_type": "array", "attributes": {"labels": ["cells"]}}"#;
        for nothing in [&array[..], b"{", b"[]", b"{}"] {
            assert_eq!(led_to(Version::V05, "zarr.json", nothing), [""; 0]);
        }
    }
}
