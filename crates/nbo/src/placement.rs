//! Where a record lies in an OME-Zarr: attributes of the root and of each image.
//!
//! Hardware, people and calibrations' standards are said once, at the root; each image says only how it
//! was acquired and points to the root. Our keys stand beside `ome`, prefixed, and are declared in
//! `zarr_conventions`. `docs/nbo-zarr-convention.md` is the specification.
//!
//! | Attribute | Where | |
//! |---|---|---|
//! | `nbo:record` | root | the record; without images if the store has several |
//! | `nbo:record` | each image | its `Image` object, with `common` pointing to the root |
//! | `nbo:sources` | root | the documents, where their bytes are, their digests |
//! | `nbo:qc` | root | the index of quality control |
//! | `nbo:coverage` | root | results of the three-axis check |

pub mod maps;

use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

use crate::Error;
use crate::check::Report;
use crate::qc::Index;
use crate::record::{Object, Record, Source};

/// The identifier of this convention among Zarr conventions. Never changes.
pub const CONVENTION_UUID: &str = "776d1486-0685-475c-af41-5568c1a442c7";

/// The keys of this convention.
pub const KEYS: [&str; 4] = ["nbo:record", "nbo:sources", "nbo:qc", "nbo:coverage"];

/// The attribute that declares conventions, of which others may be there too.
pub const CONVENTIONS: &str = "zarr_conventions";

/// Above this many bytes the planes of an image are left to the per-plane arrays.
const IMAGE_BYTES: usize = 8 * 1024;

/// This convention's entry for `zarr_conventions`.
pub fn convention() -> Json {
    json!({
        "uuid": CONVENTION_UUID,
        "name": "nbo:",
        "description": "Microscope provenance and quality control by 4DN-BINA-OME (NBO) 2.01"
    })
}

/// Attributes of a store with one image at its root: the whole record.
pub fn root_attributes(record: &Record, reports: &[Report]) -> Map<String, Json> {
    attributes(record, &BTreeSet::new(), reports)
}

/// Attributes of the root of a store with several images: what they have in common, and the images that the
/// record describes and the store does not hold. `placed` are those that it does hold, counted among the
/// record's `Image` objects.
pub fn common_attributes(record: &Record, placed: &BTreeSet<usize>, reports: &[Report]) -> Map<String, Json> {
    attributes(record, placed, reports)
}

/// Attributes of one image of a store with several. `root` is the relative path from the image's group to
/// the root, for example `..` or `../../..`. Empty if the record has no such image.
pub fn image_attributes(record: &Record, image: usize, root: &str) -> Map<String, Json> {
    let Some(image) = record.objects.iter().filter(|o| o.class == "Image").nth(image) else {
        return Map::new();
    };
    let mut alone = Record { objects: vec![image.clone()], ..Record::default() };
    let mut json = image_json(&alone, root);
    if json.to_string().len() > IMAGE_BYTES {
        leave_planes(&mut alone.objects[0]);
        json = image_json(&alone, root);
    }
    Map::from_iter([("nbo:record".to_owned(), json), (CONVENTIONS.to_owned(), json!([convention()]))])
}

/// Puts attributes of this convention among others, in place of what it said before.
pub fn insert(attributes: &mut Map<String, Json>, ours: Map<String, Json>) {
    remove(attributes);
    for (key, value) in ours {
        match attributes.get_mut(&key).and_then(Json::as_array_mut) {
            // Other conventions stay declared.
            Some(declared) if key == CONVENTIONS => {
                declared.extend(value.as_array().cloned().unwrap_or_default());
            }
            _ => _ = attributes.insert(key, value),
        }
    }
}

/// Takes attributes of this convention out; everything else stays as and where it is.
pub fn remove(attributes: &mut Map<String, Json>) {
    for key in KEYS {
        attributes.shift_remove(key);
    }
    if let Some(declared) = attributes.get_mut(CONVENTIONS).and_then(Json::as_array_mut) {
        declared.retain(|c| c["uuid"] != CONVENTION_UUID);
        if declared.is_empty() {
            attributes.shift_remove(CONVENTIONS);
        }
    }
}

/// Reads the record of a store from the attributes of its root and, if it has several images, of those.
///
/// # Errors
/// [`Error::Shape`] if there is no record at the root, or one of a newer layout.
pub fn read<'a>(
    root: &Map<String, Json>,
    images: impl IntoIterator<Item = &'a Map<String, Json>>,
) -> Result<Record, Error> {
    let missing = || Error::Shape { at: "/nbo:record".into(), expected: "a record" };
    let mut record = Record::from_json(root.get("nbo:record").ok_or_else(missing)?)?;
    if let Some(sources) = root.get("nbo:sources").and_then(Json::as_array) {
        record.sources = sources.iter().map(Source::from_json).collect();
    }
    for image in images {
        if let Some(json) = image.get("nbo:record") {
            record.objects.extend(Record::from_json(json)?.objects);
        }
    }
    Ok(record)
}

/// The index of quality control of a store, from the attributes of its root.
///
/// # Errors
/// [`Error::Shape`] if there is none, [`Error::Syntax`] if it is not one.
pub fn read_index(root: &Map<String, Json>) -> Result<Index, Error> {
    let missing = || Error::Shape { at: "/nbo:qc".into(), expected: "an index of quality control" };
    Index::from_json(root.get("nbo:qc").ok_or_else(missing)?)
}

fn attributes(record: &Record, elsewhere: &BTreeSet<usize>, reports: &[Report]) -> Map<String, Json> {
    let mut images = 0;
    let shown = |object: &&Object| {
        let image = object.class == "Image";
        images += usize::from(image);
        !image || !elsewhere.contains(&(images - 1))
    };
    let objects = record.objects.iter().filter(shown).cloned().collect();
    let said = Record { objects, sources: Vec::new(), extra: record.extra.clone() };
    let mut attributes = Map::new();
    attributes.insert("nbo:record".into(), said.to_json());
    if !record.sources.is_empty() {
        attributes.insert("nbo:sources".into(), record.sources.iter().map(Source::to_json).collect());
    }
    attributes.insert("nbo:qc".into(), crate::qc::index(record).to_json());
    if !reports.is_empty() {
        attributes.insert("nbo:coverage".into(), reports.iter().map(coverage).collect());
    }
    attributes.insert(CONVENTIONS.into(), json!([convention()]));
    attributes
}

/// What is worth keeping of a check: the figures. The findings can be had again from the record.
fn coverage(report: &Report) -> Json {
    use crate::check::Severity;
    json!({
        "policy": report.policy,
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "tiers": report.coverage
    })
}

fn image_json(record: &Record, root: &str) -> Json {
    let mut json = record.to_json();
    json["common"] = json!({"path": root, "attribute": "nbo:record"});
    json
}

fn leave_planes(image: &mut Object) {
    for pixels in image.children.iter_mut().filter(|c| c.class == "Pixels") {
        let planes = pixels.children_of("Plane").count();
        pixels.children.retain(|c| c.class != "Plane");
        let summary = pixels.extra.entry("OME:Plane").or_insert_with(|| json!({"count": planes}));
        summary["described"] = json!(0);
    }
}
