//! Where a record lies in an OME-Zarr: attributes of the root and of each image.
//!
//! Hardware, people, and what images say alike (calibrations, settings) are said once, at the root; each image says
//! only what is its own and points to the root. Our keys stand beside `ome`, prefixed, and are declared in
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
use crate::record::json::{Common, LAYOUT, Writing};
use crate::record::shared::Shared;
use crate::record::{Object, Record, Source};

/// The identifier of this convention among Zarr conventions. Never changes.
pub const CONVENTION_UUID: &str = "776d1486-0685-475c-af41-5568c1a442c7";

/// The keys of this convention.
pub const KEYS: [&str; 4] = [RECORD, SOURCES, QC, COVERAGE];

const RECORD: &str = "nbo:record";
const SOURCES: &str = "nbo:sources";
const QC: &str = "nbo:qc";
const COVERAGE: &str = "nbo:coverage";

/// In the common record: before which object of its graph the images of the store stand.
const IMAGES_AT: &str = "imagesAt";

/// The attribute that declares conventions, of which others may be there too.
pub const CONVENTIONS: &str = "zarr_conventions";

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
    Placement::new(record, &BTreeSet::new()).root(reports)
}

/// The record of a store with several images, by the groups that it goes to.
pub struct Placement<'a> {
    record: &'a Record,
    /// The record's images; those that the store holds have their own groups.
    images: Vec<&'a Object>,
    placed: BTreeSet<usize>,
    shared: Shared<'a>,
}

impl<'a> Placement<'a> {
    /// `placed` are the images that the store holds, counted among the record's `Image` objects.
    pub fn new(record: &'a Record, placed: &BTreeSet<usize>) -> Self {
        let images: Vec<_> = record.objects.iter().filter(|o| o.class == "Image").collect();
        let held: Vec<_> = placed.iter().filter_map(|n| images.get(*n).copied()).collect();
        Self { record, shared: Shared::of(&held), images, placed: placed.clone() }
    }

    /// Attributes of the root: what the images have in common, and the images that the record describes and the
    /// store does not hold.
    pub fn root(&self, reports: &[Report]) -> Map<String, Json> {
        let mut images = 0;
        let mut at = None;
        let mut objects = Vec::new();
        for object in &self.record.objects {
            let image = object.class == "Image";
            if image && self.placed.contains(&images) {
                at = at.or(Some(objects.len()));
            } else {
                objects.push(object);
            }
            images += usize::from(image);
        }
        let at = at.filter(|at| *at < objects.len());
        let writing = Writing { objects, extra: Some(&self.record.extra), shared: Some(&self.shared) };
        let mut record = writing.whole();
        if let Some(at) = at {
            record[IMAGES_AT] = json!(at);
        }
        attributes(self.record, record, reports)
    }

    /// Attributes of one image. `root` is the relative path from its group to the root, for example `..` or
    /// `../../..`. Empty if the record has no such image.
    pub fn image(&self, image: usize, root: &str) -> Map<String, Json> {
        let Some(image) = self.images.get(image) else { return Map::new() };
        let writing = Writing { objects: vec![image], extra: None, shared: Some(&self.shared) };
        let record = writing.part(&json!({"path": root, "attribute": RECORD}));
        Map::from_iter([(RECORD.to_owned(), record), (CONVENTIONS.to_owned(), json!([convention()]))])
    }
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

/// A record as a store holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// For each group of an image, the number of the record's image that it holds.
    pub images: Vec<Option<usize>>,
    /// Whether a newer layout than this release writes is among it: what it does not know is left out, and the
    /// attributes must not be rewritten.
    pub newer: bool,
}

/// Reads the record of a store from the attributes of its root and of the groups of its images, the root not being
/// one of them.
///
/// # Errors
/// [`Error::Shape`] if there is no record at the root, or if it has not the shape of one.
pub fn read<'a>(
    root: &Map<String, Json>,
    images: impl IntoIterator<Item = &'a Map<String, Json>>,
) -> Result<Stored, Error> {
    let missing = || Error::Shape { at: format!("/{RECORD}"), expected: "a record" };
    let json = root.get(RECORD).ok_or_else(missing)?;
    let is_newer = |json: &Json| json["layout"].as_u64().is_some_and(|layout| layout > LAYOUT);
    let mut stored = Stored { record: Record::from_json(json)?, newer: is_newer(json), ..Stored::default() };
    if let Some(sources) = root.get(SOURCES).and_then(Json::as_array) {
        stored.record.sources = sources.iter().map(Source::from_json).collect();
    }
    let common = Common::of(json);
    // They stand where they stood; the number of an image counts those before it.
    let mut rest = Vec::new();
    if let Some(at) = json[IMAGES_AT].as_u64().and_then(|at| usize::try_from(at).ok()) {
        rest = stored.record.objects.split_off(at.min(stored.record.objects.len()));
    }
    let mut count = stored.record.objects.iter().filter(|o| o.class == "Image").count();
    for image in images {
        let Some(json) = image.get(RECORD) else {
            stored.images.push(None);
            continue;
        };
        let found = common.record(json)?.objects;
        stored.newer |= is_newer(json);
        stored.images.push(found.iter().any(|o| o.class == "Image").then_some(count));
        count += found.iter().filter(|o| o.class == "Image").count();
        stored.record.objects.extend(found);
    }
    stored.record.objects.append(&mut rest);
    Ok(stored)
}

/// The index of quality control of a store, from the attributes of its root.
///
/// # Errors
/// [`Error::Shape`] if there is none, [`Error::Syntax`] if it is not one.
pub fn read_index(root: &Map<String, Json>) -> Result<Index, Error> {
    let missing = || Error::Shape { at: format!("/{QC}"), expected: "an index of quality control" };
    Index::from_json(root.get(QC).ok_or_else(missing)?)
}

fn attributes(record: &Record, written: Json, reports: &[Report]) -> Map<String, Json> {
    let mut attributes = Map::new();
    attributes.insert(RECORD.into(), written);
    if !record.sources.is_empty() {
        attributes.insert(SOURCES.into(), record.sources.iter().map(Source::to_json).collect());
    }
    attributes.insert(QC.into(), crate::qc::index(record).to_json());
    if !reports.is_empty() {
        attributes.insert(COVERAGE.into(), reports.iter().map(coverage).collect());
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
