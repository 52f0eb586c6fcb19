//! The summaries of images, made again from the store's other attributes, each of which has a proof of its own.

use fairzarr_nbo::{Record, placement};
use fairzarr_ome_xml::Document;
use fairzarr_ome_zarr::{Hierarchy, OmeImages, Subject, Summaries, attributes, has_summaries, keys};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::json;
use crate::origin::Seen;
use crate::report::{Difference, Differences};

/// How many values were compared. Stores that do not say that they have summaries need none.
pub(crate) fn check(
    seen: &[Seen],
    hierarchy: &Hierarchy,
    differences: &mut Differences,
) -> Result<usize, Error> {
    let (store, root) = (hierarchy.store(), hierarchy.root());
    let images = hierarchy.images();
    let is_expected = has_summaries(root);
    let mut groups: Vec<Map<String, Value>> = Vec::new();
    for image in images.iter().filter(|image| !image.path.is_empty()) {
        groups.push(attributes(store, &image.path)?.unwrap_or_default());
    }
    if !is_expected && groups.iter().chain([root]).all(|group| !group.contains_key(keys::SUMMARY)) {
        return Ok(0);
    }
    let mut record = Record::default();
    if root.contains_key("nbo:record") {
        match placement::read(root, &groups) {
            Ok(stored) => record = stored.record,
            Err(error) => {
                let place = "the root, nbo:record";
                differences.add(Difference::new(place, "a record", error.to_string()));
                return Ok(0);
            }
        }
    }
    let ome = attributes(store, keys::OME)?.unwrap_or_default();
    // A damaged document is the business of other proofs.
    let metadata = store.get(keys::METADATA)?.and_then(|bytes| Document::parse(bytes.to_vec()).ok());
    let described = OmeImages::new(metadata, images.len(), root, &ome);
    let summaries = Summaries::new(&record, root, &ome);
    let mut below = groups.iter();
    let mut values = 0;
    for (series, (image, seen)) in images.iter().zip(seen).enumerate() {
        let group = if image.path.is_empty() { Some(root) } else { below.next() };
        let Some(group) = group else { continue };
        let expected = summaries.image(&Subject {
            series,
            path: &image.path,
            attributes: group,
            shape: seen.shapes.first().map(Vec::as_slice).unwrap_or_default(),
            data_type: &seen.data_type,
            in_model: described.in_model(series),
            planes: described.planes(series),
        });
        // As a document has it: numbers that were written and read again.
        let expected: Value = serde_json::from_str(&expected.to_string()).unwrap_or_default();
        let place = if image.path.is_empty() { "the root" } else { &image.path };
        let mut found = Vec::new();
        let place = format!("{place}, {}", keys::SUMMARY);
        values += json::compare(&place, Some(&expected), group.get(keys::SUMMARY), &mut found);
        differences.extend(found);
    }
    Ok(values)
}
