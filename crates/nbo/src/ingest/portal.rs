//! Records of the 4DN data portal.
//!
//! | Record | In NBO |
//! |---|---|
//! | microscope configuration | the Micro-Meta App file that it holds |
//! | microscope settings (D1 to A2) | microscope with objective, light sources and detectors; channels of an image ([`setting`]) |
//! | microscope QC set | an optical calibration with its beads, without a date |
//! | imaging path | the fluorophores of its labels |
//! | files, image settings, experiments | nothing: they name other records of the portal |
//!
//! Their tier letters are no tiers of NBO. Every record is kept whole, and what has no place in NBO is said.

mod setting;

use serde_json::{Map, Value as Json, json};

use super::{micro_meta, not_mapped};
use crate::record::{Object, Origin, OriginKind, Record};

/// What the portal's kinds of record have and others do not; the first that fits decides.
const MARKS: [(&str, &str); 11] = [
    ("file_set_microscope_qc", "fileset_type"),
    ("imaging_path", "imaging_rounds"),
    ("imaging_path", "labeled_probe"),
    ("imaging_path", "type_labeled_probe"),
    ("microscope_setting", "ch00_light_source_center_wl"),
    ("microscope_setting", "microscope_model"),
    ("microscope_setting", "objective_na"),
    ("experiment_mic", "imaging_paths"),
    ("experiment_mic", "microscopy_technique"),
    ("image_setting", "settings"),
    ("file", "file_format"),
];

const CONFIGURATION: &str = "microscope_configuration";

pub(super) fn is_portal(json: &Json) -> bool {
    let items = items(json);
    !items.is_empty() && items.iter().all(|item| kind(item).is_some())
}

pub(super) fn read(json: &Json) -> Record {
    let mut record = Record::default();
    let mut kept = Vec::new();
    let mut nothing = Vec::new();
    for item in items(json) {
        let kind = kind(item).unwrap_or(CONFIGURATION);
        let mut item = item.clone();
        let found = match kind {
            CONFIGURATION => {
                let held = item.as_object_mut().and_then(|o| o.shift_remove("microscope"));
                micro_meta::microscope(&held.unwrap_or_default()).objects
            }
            "microscope_setting" => setting::objects(&item),
            "file_set_microscope_qc" => vec![quality_control(&item)],
            "imaging_path" => fluorophores(&item),
            _ => Vec::new(),
        };
        if found.is_empty() {
            nothing.push(kind);
        }
        record.objects.extend(found);
        kept.push(json!({"kind": kind, "record": item}));
    }
    nothing.sort_unstable();
    for alike in nothing.chunk_by(|a, b| a == b) {
        let many = if alike.len() == 1 {
            "record of the 4DN portal names"
        } else {
            "records of the 4DN portal name"
        };
        let why = format!(
            "{} {many} other records and no hardware, acquisition or calibration ({}); what it says is kept whole",
            alike.len(),
            alike.first().copied().unwrap_or_default()
        );
        not_mapped(&mut record, why);
    }
    record.extra.insert("4dn-portal".to_owned(), kept.into());
    record
}

/// Beads and the images that a point spread function was measured on. The set has no date and no result, so that it
/// answers no question about the age of a calibration.
fn quality_control(item: &Json) -> Object {
    let mut object = Object::new("OpticalCalibration");
    object.push("ID", identifier("OpticalCalibration", item), Origin::of(OriginKind::Synthesised));
    if let Some(diameter) = item["bead_diameter"].as_f64() {
        let mut slide = Object::new("ColoredBeadsSlide");
        let mut beads = Object::new("ColoredBeads");
        beads.push("Diameter", diameter, said("bead_diameter (nm)"));
        beads.push("DiameterUnit", "nm", said("bead_diameter (nm)"));
        slide.children.push(beads);
        object.children.push(slide);
    }
    for key in [
        "objective_na",
        "magnification",
        "refractive_index",
        "pixel_size",
        "z_plane_distance",
        "files_in_set",
    ] {
        if let Some(value) = item.get(key) {
            object.extra.insert(key.to_owned(), value.clone());
        }
    }
    object
}

/// What an imaging path labels with. Which channel it is in only the experiment says, by the name of the path.
fn fluorophores(item: &Json) -> Vec<Object> {
    let labels = item["labels"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let mut found: Vec<Object> = Vec::new();
    for (n, label) in labels.enumerate() {
        let mut dye = Object::new("Fluorophore");
        let id = format!("{}:{n}", identifier("Fluorophore", item));
        dye.push("ID", id, Origin::of(OriginKind::Synthesised));
        dye.push("Name", label, said("labels"));
        let said: Map<String, Json> =
            ["aliases", "target", "type_labeled_probe", "labeled_probe", "other_probes"]
                .iter()
                .filter_map(|key| Some(((*key).to_owned(), item.get(*key)?.clone())))
                .collect();
        dye.extra.insert("imagingPath".into(), said.into());
        found.push(dye);
    }
    found
}

/// An identifier of this class by the record's own.
fn identifier(class: &str, item: &Json) -> String {
    let own = ["uuid", "accession"].iter().find_map(|key| item[*key].as_str());
    format!("{class}:{}", own.unwrap_or("0"))
}

fn said(key: &str) -> Origin {
    Origin::from(OriginKind::Explicit, format!("4DN portal: {key}"))
}

fn items(json: &Json) -> &[Json] {
    json.as_array().map_or_else(|| std::slice::from_ref(json), Vec::as_slice)
}

fn kind(item: &Json) -> Option<&'static str> {
    if micro_meta::is_microscope(&item["microscope"]) {
        return Some(CONFIGURATION);
    }
    // Every portal record says who sent it.
    let sent = item.get("award").is_some() && item.get("lab").is_some();
    MARKS.iter().find(|(_, mark)| sent && item.get(*mark).is_some()).map(|(kind, _)| *kind)
}
