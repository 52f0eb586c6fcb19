//! Microscope settings of the 4DN portal, tiers D1 to A2: flat members, those of a channel with the prefix `ch00_`.
//! Units are those of the portal's schema: pixel size and step in µm, working distance and field number in mm,
//! wavelengths in nm. Of powers and times, which are texts there, the unit is in the text.

use serde_json::Value as Json;

use super::{identifier, said};
use crate::catalogue;
use crate::record::value::{State, state};
use crate::record::{Object, Origin, OriginKind};

/// Channels that the portal has members for.
const CHANNELS: usize = 10;

/// The microscope, and the image that the settings are of.
pub(super) fn objects(item: &Json) -> Vec<Object> {
    let uuid = item["uuid"].as_str().unwrap_or("0");
    let made = || Origin::of(OriginKind::Synthesised);
    let mut instrument = Object::new("Instrument");
    instrument.push("ID", identifier("Instrument", item), made());
    // Whether it is upright or inverted is not said.
    let mut stand = Object::new("MicroscopeStandGroup");
    text(&mut stand, "Model", item, "microscope_model");
    if !stand.fields.is_empty() {
        instrument.children.push(stand);
    }
    let mut image = Object::new("Image");
    image.push("ID", identifier("Image", item), made());
    image.children.push(reference("InstrumentRef", identifier("Instrument", item)));
    let objective_id = identifier("Objective", item);
    if let Some(objective) = objective(item, &objective_id) {
        instrument.children.push(objective);
        image.children.push(reference("ObjectiveSettings", objective_id));
    }
    let mut pixels = Object::new("Pixels");
    pixels.push("ID", identifier("Pixels", item), made());
    if let Some(order) = item["image_channel_encoding"].as_str() {
        pixels.push("DimensionOrder", order.to_uppercase(), said("image_channel_encoding"));
    }
    for (field, key) in [
        ("PhysicalSizeX", "image_pixel_size"),
        ("PhysicalSizeY", "image_pixel_size"),
        ("PhysicalSizeZ", "image_z_step"),
    ] {
        quantity(&mut pixels, field, item, key, "µm");
    }
    for channel in 0..CHANNELS {
        let key = format!("ch{channel:02}");
        if let Some(found) = self::channel(item, &key, uuid, &mut instrument) {
            pixels.children.push(found);
        }
    }
    image.children.push(pixels);
    vec![instrument, image]
}

fn objective(item: &Json, id: &str) -> Option<Object> {
    let mut objective = Object::new("Objective");
    text(&mut objective, "Model", item, "objective_model");
    for (field, key) in [("LensNA", "objective_na"), ("Magnification", "objective_magnification")] {
        if let Some(number) = item[key].as_f64() {
            objective.push(field, number, said(key));
        }
    }
    quantity(&mut objective, "WorkingDistance", item, "objective_working_distance", "mm");
    quantity(&mut objective, "ObjectiveViewField", item, "objective_field_number", "mm");
    if objective.fields.is_empty() {
        return None;
    }
    objective.push("ID", id, Origin::of(OriginKind::Synthesised));
    Some(objective)
}

/// A channel with its light path; its light source, filters and detector are added to the instrument.
fn channel(item: &Json, key: &str, uuid: &str, instrument: &mut Object) -> Option<Object> {
    let member = |name: &str| format!("{key}_{name}");
    let has = item.as_object()?.keys().any(|own| own.starts_with(&format!("{key}_")));
    if !has {
        return None;
    }
    let made = || Origin::of(OriginKind::Synthesised);
    let mut channel = Object::new("Channel");
    channel.push("ID", format!("Channel:{uuid}:{key}"), made());
    channel.push("Name", key, Origin::from(OriginKind::Computed, "4DN portal: number of the channel"));
    listed(&mut channel, "IlluminationType", item, "microscope_modality");
    let mut path = Object::new("LightPath");

    let kind = item[member("light_source_type")].as_str();
    let mut source = Object::new(light_source(kind));
    text(&mut source, "Model", item, &member("light_source_model"));
    let mut light = Object::new(if source.class == "LightEmittingDiode" {
        "LEDModule"
    } else {
        "IlluminationWavelengthRange"
    });
    quantity(&mut light, "PeakWavelength", item, &member("light_source_center_wl"), "nm");
    if !light.fields.is_empty() {
        source.children.push(light);
    }
    keep(
        &mut source,
        item,
        &[member("light_source_type"), member("power_output"), member("lasers_diodes"), member("coupling")],
    );
    if !(source.fields.is_empty() && source.children.is_empty() && source.extra.is_empty()) {
        let id = format!("LightSource:{uuid}:{key}");
        source.fields.insert(0, identified(&id));
        path.children.push(reference("LightSourceSettings", id));
        instrument.children.push(source);
    }

    let mut cube = Object::new("FilterCube");
    text(&mut cube, "Name", item, &member("filter_set"));
    text(&mut cube, "Model", item, &member("filter_set_model"));
    if !cube.fields.is_empty() {
        let id = format!("FilterSet:{uuid}:{key}");
        cube.fields.insert(0, identified(&id));
        instrument.children.push(cube);
    }

    let kind = item[member("detector_type")].as_str();
    let class = detector(kind.or(item["camera_chip_type"].as_str()));
    let mut detector = Object::new(class);
    let own = member("detector_model");
    text(&mut detector, "Model", item, if item[&own].is_string() { &own } else { "camera_model" });
    text(&mut detector, "CatalogNumber", item, "camera_serial");
    keep(&mut detector, item, &[member("detector_type"), "camera_chip_size".to_owned()]);
    if !(detector.fields.is_empty() && detector.extra.is_empty()) {
        let id = format!("Detector:{uuid}:{key}");
        let settings = catalogue::class(class).and_then(|c| c.settings).unwrap_or("GenericDetectorSettings");
        detector.fields.insert(0, identified(&id));
        let mut used = reference(settings, id);
        keep(&mut used, item, &[member("integration_time")]);
        path.children.push(used);
        instrument.children.push(detector);
    }
    if !path.children.is_empty() {
        channel.children.push(path);
    }
    Some(channel)
}

/// The class of a light source that is called so; what is in no way clear is a source without further word.
fn light_source(kind: Option<&str>) -> &'static str {
    let kind = kind.unwrap_or_default().to_lowercase();
    match kind.as_str() {
        _ if kind.contains("laser") => "Laser",
        _ if kind.contains("led") || kind.contains("emitting diode") => "LightEmittingDiode",
        _ if ["arc", "mercury", "xenon", "metal halide"].iter().any(|word| kind.contains(word)) => "Arc",
        _ if ["halogen", "tungsten", "filament"].iter().any(|word| kind.contains(word)) => "Filament",
        _ => "GenericExcitationSource",
    }
}

fn detector(kind: Option<&str>) -> &'static str {
    let kind = kind.unwrap_or_default().to_lowercase();
    match kind.as_str() {
        _ if kind.contains("ccd") => "CCD",
        _ if kind.contains("cmos") => "CMOS",
        _ if kind.contains("pmt") || kind.contains("photomultiplier") => "PhotoMultiplierTube",
        _ if kind.contains("hybrid") => "HybridPhotoDetector",
        _ if kind.contains("photodiode") || kind.contains("apd") => "PhotoDiode",
        _ => "GenericDetector",
    }
}

/// A value that the list has, or the one of its values that begins so, if that is one alone. Otherwise it stays in
/// `extra`: a modality is seldom said in the words of the list.
fn listed(object: &mut Object, field: &str, item: &Json, key: &str) {
    let Some(text) = item[key].as_str() else { return };
    let attribute = catalogue::class(&object.class).and_then(|c| c.attribute(field));
    let exact = attribute.map(|a| state(a, &text.into()));
    match exact {
        Some(State::Filled) => object.push(field, text, said(key)),
        Some(State::NearlyListed(value)) => {
            object.push(field, value, Origin::from(OriginKind::Normalised, text));
        }
        _ => _ = object.extra.insert(key.to_owned(), text.into()),
    }
}

fn text(object: &mut Object, field: &str, item: &Json, key: &str) {
    if let Some(text) = item[key].as_str() {
        object.push(field, text, said(key));
    }
}

fn quantity(object: &mut Object, field: &str, item: &Json, key: &str, unit: &str) {
    let Some(number) = item[key].as_f64() else { return };
    object.push(field, number, said(key));
    if let Some(own) = catalogue::class(&object.class).and_then(|c| c.attribute(field)?.unit) {
        object.push(own, unit, said(key));
    }
}

fn keep(object: &mut Object, item: &Json, keys: &[String]) {
    for key in keys {
        if let Some(value) = item.get(key) {
            object.extra.insert(key.clone(), value.clone());
        }
    }
}

fn identified(id: &str) -> crate::record::Field {
    let origin = Origin::of(OriginKind::Synthesised);
    crate::record::Field { name: "ID".to_owned(), value: id.into(), text: None, origin }
}

fn reference(class: &str, id: String) -> Object {
    let mut reference = Object::new(class);
    let attribute =
        catalogue::class(class).and_then(catalogue::Class::reference).map_or("ID", |r| r.attribute);
    reference.push(attribute, id, Origin::of(OriginKind::Synthesised));
    reference
}
