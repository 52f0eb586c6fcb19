//! Records of the 4DN data portal.
//!
//! A microscope configuration holds a Micro-Meta App file. The others (quality-control sets, imaging
//! paths, the flat microscope settings of 2018 to 2020, whose tier letters are not NBO tiers) describe
//! inputs and samples in words that NBO has no fields for; they are kept whole.

use serde_json::{Map, Value as Json, json};

use super::micro_meta;
use crate::record::Record;

/// What the portal's kinds of record have and others do not.
const MARKS: [(&str, &str); 4] = [
    ("file_set_microscope_qc", "fileset_type"),
    ("imaging_path", "imaging_rounds"),
    ("imaging_path", "labeled_probe"),
    ("microscope_setting", "ch00_light_source_center_wl"),
];

pub(super) fn is_portal(json: &Json) -> bool {
    let items = items(json);
    !items.is_empty() && items.iter().all(|item| kind(item).is_some())
}

pub(super) fn read(json: &Json) -> Record {
    let mut record = Record::default();
    let mut kept = Vec::new();
    for item in items(json) {
        let mut item = item.clone();
        if is_configuration(&item) {
            let microscope =
                item.as_object_mut().and_then(|o| o.shift_remove("microscope")).unwrap_or_default();
            record.objects.extend(micro_meta::microscope(&microscope).objects);
        }
        kept.push(json!({"kind": kind(&item).unwrap_or("microscope_configuration"), "record": item}));
    }
    record.extra = Map::from_iter([("4dn-portal".to_owned(), kept.into())]);
    record
}

fn items(json: &Json) -> &[Json] {
    json.as_array().map_or_else(|| std::slice::from_ref(json), Vec::as_slice)
}

fn is_configuration(item: &Json) -> bool {
    micro_meta::is_microscope(&item["microscope"])
}

fn kind(item: &Json) -> Option<&'static str> {
    if is_configuration(item) {
        return Some("microscope_configuration");
    }
    // Every portal record says who sent it.
    let sent = item.get("award").is_some() && item.get("lab").is_some();
    MARKS
        .iter()
        .find(|(_, mark)| sent && item.get(*mark).is_some())
        .map(|(kind, _)| *kind)
        .or_else(|| (sent && item.get("type_labeled_probe").is_some()).then_some("imaging_path"))
}
