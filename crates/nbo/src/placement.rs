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

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::Error;
use crate::check::Report;
use crate::qc::Index;
use crate::record::json::{Common, IMAGE, LAYOUT, Writing, image, images as images_of, iri};
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

/// In the common record: the position in its graph at which the images of the store belong.
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
    Placement::new(record, Images::AtRoot).root(reports)
}

/// Where the images of a store are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Images {
    /// The root is the only one.
    AtRoot,
    /// Each has a group of its own.
    InGroups,
}

/// The record of a store, by the groups that it goes to.
pub struct Placement<'a> {
    record: &'a Record,
    /// The record's images; those of the store have their own groups if there are several.
    images: Vec<&'a Object>,
    placed: BTreeSet<usize>,
    shared: Shared<'a>,
    /// The IRIs of microscopes that are known beyond the record.
    microscopes: BTreeMap<String, String>,
}

impl<'a> Placement<'a> {
    /// Of a record that says which of its images the store holds ([`Record::in_store`]).
    pub fn new(record: &'a Record, place: Images) -> Self {
        let images: Vec<_> = record.objects.iter().filter(|o| o.class == "Image").collect();
        let held = record.in_store.iter().flatten().flatten().filter(|_| place == Images::InGroups);
        let placed: BTreeSet<usize> = held.copied().collect();
        let apart: Vec<_> = placed.iter().filter_map(|n| images.get(*n).copied()).collect();
        Self { record, shared: Shared::of(&apart), images, placed, microscopes: iri::of_record(record) }
    }

    /// Attributes of the root: what the images have in common, and the images that the record describes and the
    /// store does not hold. Of a store with one image, all of it, and which image that is.
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
        let whole = self.placed.is_empty().then(|| self.record.in_store.as_ref()?.first().copied().flatten());
        let held = whole.flatten().and_then(|number| image(objects.iter().copied(), number));
        let writing = Writing {
            objects,
            extra: Some(&self.record.extra),
            shared: Some(&self.shared),
            microscopes: &self.microscopes,
        };
        let mut record = writing.whole();
        if let Some(at) = at {
            record[IMAGES_AT] = json!(at);
        }
        if let Some(held) = held {
            record[IMAGE] = held;
        }
        attributes(self.record, record, reports)
    }

    /// Attributes of one image. `root` is the relative path from its group to the root, for example `..` or
    /// `../../..`. Empty if the record has no such image.
    pub fn image(&self, image: usize, root: &str) -> Map<String, Json> {
        let Some(image) = self.images.get(image) else { return Map::new() };
        let writing = Writing {
            objects: vec![image],
            extra: None,
            shared: Some(&self.shared),
            microscopes: &self.microscopes,
        };
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
#[non_exhaustive]
pub struct Stored {
    /// The record, with what it says of which image of the store.
    pub record: Record,
    /// Whether a newer layout than this release writes is among it: what it does not know is left out, and the
    /// attributes must not be rewritten.
    pub newer: bool,
}

/// Reads the record of a store from the attributes of its root and of the groups of its images, in series order; the
/// root is not among them. Where it is the only image there are none.
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
    let mut stored = Stored { record: Record::from_json(json)?, newer: is_newer(json) };
    let record = &mut stored.record;
    if let Some(sources) = root.get(SOURCES).and_then(Json::as_array) {
        record.sources = sources.iter().map(Source::from_json).collect();
    }
    let common = Common::of(json);
    // They stand where they stood; the number of an image counts those before it.
    let mut rest = Vec::new();
    if let Some(at) = json[IMAGES_AT].as_u64().and_then(|at| usize::try_from(at).ok()) {
        rest = record.objects.split_off(at.min(record.objects.len()));
    }
    let count = |objects: &[Object]| objects.iter().filter(|o| o.class == "Image").count();
    let mut before = count(&record.objects);
    let mut held = Vec::new();
    for image in images {
        let Some(json) = image.get(RECORD) else {
            held.push(None);
            continue;
        };
        let found = common.record(json)?.objects;
        stored.newer |= is_newer(json);
        held.push(image_of(json, count(&found), true).map(|number| before + number));
        before += count(&found);
        record.objects.extend(found);
    }
    record.objects.append(&mut rest);
    if held.is_empty() {
        let first_is = record.sources.first().is_some_and(|source| source.form == "ome-xml");
        held.push(image_of(json, count(&record.objects), first_is));
    }
    record.in_store = Some(held);
    Ok(stored)
}

/// The number of the image that a node's record says is the node's. Layouts 1 and 2 did not say it: it is the first if
/// `first_is`, which holds in the group of an image, and where the record began with the OME-XML of the image.
fn image_of(record: &Json, images: usize, first_is: bool) -> Option<usize> {
    if record["layout"].as_u64().is_some_and(|layout| layout < 3) {
        return (first_is && images > 0).then_some(0);
    }
    images_of(record)?.first().copied().flatten()
}

/// What of a record is about its store: without images that the store does not hold, that carry no calibration and that
/// nothing else refers to. A record about no store, or of whose images none is known, stays whole.
pub fn about_the_store(record: &Record) -> Record {
    let Some(held) = record.in_store.as_ref().filter(|held| held.iter().any(Option::is_some)) else {
        return record.clone();
    };
    let calibrates = |o: &&Object| crate::qc::KINDS.contains(&o.class.as_str());
    let mut number = 0;
    // Each object, whether it is an image, and whether it is about the store by itself.
    let mut objects = Vec::with_capacity(record.objects.len());
    for object in &record.objects {
        let is_image = object.class == "Image";
        let is_held = is_image && held.contains(&Some(number));
        number += usize::from(is_image);
        objects.push((object, is_image, !is_image || is_held || object.descendants().iter().any(calibrates)));
    }
    let about = objects.iter().filter(|(.., about)| *about).flat_map(|(object, ..)| object.descendants());
    let referred: BTreeSet<&str> = about.filter_map(Object::target).collect();
    for (object, _, about) in &mut objects {
        *about |= object.id().is_some_and(|id| referred.contains(id));
    }
    // Where each image is among those that stay.
    let (mut places, mut next) = (Vec::new(), 0_usize);
    for (.., about) in objects.iter().filter(|(_, is_image, _)| *is_image) {
        places.push(about.then_some(next));
        next += usize::from(*about);
    }
    let in_store = held.iter().map(|n| n.and_then(|n| places.get(n).copied().flatten())).collect();
    Record {
        objects: objects
            .into_iter()
            .filter(|(.., about)| *about)
            .map(|(object, ..)| object.clone())
            .collect(),
        sources: record.sources.clone(),
        extra: record.extra.clone(),
        in_store: Some(in_store),
    }
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
