//! Micro-Meta App: the microscope file and the image-settings file.
//!
//! Both are flat lists of components whose class is `Schema_ID`. What NBO names becomes fields and
//! children; everything else (drawing positions, bookkeeping, `linkedFields`, unknown keys, references in
//! the form `Class/uuid`) stays in `extra` under its key, so that [`write`] gives the same JSON again.

use serde_json::{Map, Value as Json, json};

use crate::Error;
use crate::catalogue::{self, Attribute, Class, Content as ClassContent, ReferenceKind};
use crate::record::value::{is_placeholder, is_uuid};
use crate::record::{Content, Field, Object, Origin, OriginKind, Record, resolve};

/// In `extra`: the slot of `ComponentSettings` that a part of a light path filled.
const SLOT: &str = "#slot";
/// In `extra`: keys whose value was a single object where NBO allows several, or the reverse.
const ODD: &str = "#odd";
/// In `extra`: the key of the stand in files older than model version 2.
const STAND: &str = "#stand";

/// Whether JSON is a microscope file.
pub(super) fn is_microscope(json: &Json) -> bool {
    json["components"].is_array()
        && (schema(json) == Some("Instrument")
            || json.get("MicroscopeStand").is_some()
            || json.get("Microscope").is_some())
}

/// Whether JSON is an image-settings file.
pub(super) fn is_settings(json: &Json) -> bool {
    schema(json) == Some("Image") && (json["Channels"].is_array() || json.get("Pixels").is_some())
}

/// Reads a microscope file.
pub(super) fn microscope(json: &Json) -> Record {
    let mut members = members(json);
    let stand_key = if members.contains_key("MicroscopeStand") { "MicroscopeStand" } else { "Microscope" };
    let stand = members.remove(stand_key);
    let components = members.remove("components");
    let mut instrument = object("Instrument", None, members);
    if let Some(Json::Object(stand)) = stand {
        let class = class_of(&stand).unwrap_or("InvertedMicroscopeStand").to_owned();
        let mut stand = object(&class, None, stand);
        stand.extra.insert(STAND.into(), stand_key.into());
        instrument.children.push(stand);
    }
    for component in array(components) {
        if let Json::Object(component) = component {
            let class = class_of(&component).unwrap_or("Component").to_owned();
            instrument.children.push(object(&class, None, component));
        }
    }
    Record { objects: vec![instrument], ..Record::default() }
}

/// Reads an image-settings file.
pub(super) fn settings(json: &Json) -> Record {
    let mut members = members(json);
    let (pixels, planes, channels) =
        (members.remove("Pixels"), members.remove("Planes"), members.remove("Channels"));
    let experiment = members.remove("Experiment");
    let instrument = members.get("InstrumentID").and_then(Json::as_str).map(str::to_owned);
    let mut image = object("Image", None, members);
    if let Some(id) = instrument {
        image.children.push(reference("InstrumentRef", &id));
    }
    let mut record = Record::default();
    match experiment {
        Some(Json::Object(members)) if !members.is_empty() => {
            let experiment = object("Experiment", None, members);
            if let Some(id) = experiment.id() {
                image.children.push(reference("ExperimentRef", id));
            }
            record.objects.push(experiment);
        }
        Some(other) => _ = image.extra.insert("Experiment".into(), other),
        None => {}
    }
    let class = catalogue::class("Pixels");
    let mut pixels = match pixels {
        Some(Json::Object(members)) => object("Pixels", None, members),
        _ => Object::new("Pixels"),
    };
    for (list, name) in [(planes, "Plane"), (channels, "Channel")] {
        for item in array(list) {
            if let Json::Object(mut item) = item {
                let path = item.remove("LightPath");
                let mut part = object(name, class, item);
                if let Some(Json::Object(path)) = path {
                    part.children.push(light_path(path));
                }
                pixels.children.push(part);
            }
        }
    }
    image.children.push(pixels);
    record.objects.push(image);
    record
}

/// Writes the record as the file that it came from.
///
/// # Errors
/// [`Error::NotExpressible`] if the record holds neither a microscope nor an image.
pub fn write(record: &Record) -> Result<Json, Error> {
    if let Some(image) = record.objects.iter().find(|o| o.class == "Image") {
        return Ok(write_settings(record, image));
    }
    let instrument =
        record.objects.iter().find(|o| o.class == "Instrument").ok_or(Error::NotExpressible {
            form: "Micro-Meta App JSON",
            why: "there is no Instrument and no Image".into(),
        })?;
    Ok(write_microscope(instrument))
}

/// Writes an instrument as a microscope file.
pub fn write_microscope(instrument: &Object) -> Json {
    let mut json = write_fields(instrument);
    ensure(&mut json, "Schema_ID", "Instrument.json");
    let mut components = Vec::new();
    for child in &instrument.children {
        let is_stand = catalogue::class(&child.class).is_some_and(|c| c.is_a("MicroscopeStandGroup"));
        if is_stand {
            let key = child.extra.get(STAND).and_then(Json::as_str).unwrap_or("MicroscopeStand");
            json.insert(key.to_owned(), component(child));
        } else {
            components.push(component(child));
        }
    }
    json.insert("components".into(), components.into());
    Json::Object(json)
}

fn write_settings(record: &Record, image: &Object) -> Json {
    let mut json = write_fields(image);
    ensure(&mut json, "Schema_ID", "Image.json");
    let known = |id| record.find(id, &["Experiment"]);
    if let Some(experiment) = image.child("ExperimentRef").and_then(Object::target).and_then(known) {
        json.insert("Experiment".into(), component(experiment));
    }
    for child in image.children.iter().filter(|c| c.class != "Pixels") {
        write_child(&mut json, catalogue::class("Image"), image, child);
    }
    if let Some(pixels) = image.child("Pixels") {
        let list = |class| -> Json { pixels.children_of(class).map(part).collect() };
        json.insert("Planes".into(), list("Plane"));
        json.insert("Channels".into(), list("Channel"));
        let mut rest = pixels.clone();
        rest.children.retain(|c| c.class != "Plane" && c.class != "Channel");
        json.insert("Pixels".into(), part(&rest));
    }
    Json::Object(json)
}

fn light_path(mut members: Map<String, Json>) -> Object {
    let slots = members.remove("ComponentSettings");
    let mut path = object("LightPath", None, members);
    let class = catalogue::class("LightPath");
    let mut rest = Map::new();
    let Some(Json::Object(slots)) = slots else {
        path.extra.extend(slots.map(|s| ("ComponentSettings".to_owned(), s)));
        return path;
    };
    for (slot, value) in slots {
        let part = value.as_object().and_then(|item| slot_part(class, &slot, item));
        match part {
            Some(mut part) => {
                part.extra.insert(SLOT.into(), slot.into());
                path.children.push(part);
            }
            None => _ = rest.insert(slot, value),
        }
    }
    path.extra.insert("ComponentSettings".into(), Json::Object(rest));
    path
}

/// What fills a slot: settings, or the bare fact that a component was in the path.
fn slot_part(path: Option<&'static Class>, slot: &str, item: &Map<String, Json>) -> Option<Object> {
    let fits = |name: &str| path.is_some_and(|p| p.child(name).is_some());
    if let Some(class) = class_of(item) {
        return fits(class).then(|| object(class, path, item.clone()));
    }
    let reference = match slot {
        "Dichroic" => "StandardDichroicRef".to_owned(),
        _ => format!("{slot}Ref"),
    };
    (fits(&reference) && item.get("Component_ID").is_some_and(Json::is_string))
        .then(|| object(&reference, path, item.clone()))
}

/// An object of a class from its members; what the class does not name goes to `extra`.
fn object(name: &str, parent: Option<&'static Class>, members: Map<String, Json>) -> Object {
    let class = resolve(parent, name);
    let owns_id = class.is_none_or(Class::owns_id);
    let mut object = Object::new(name);
    let mut odd = Vec::new();
    for (key, value) in members {
        let attribute = class.and_then(|c| c.attribute(&key));
        let child = class.and_then(|c| c.child(&key));
        match value {
            // The identifier of a settings object is that of the component; its own has no place in NBO.
            Json::String(id) if key == "Component_ID" && !owns_id => {
                let attribute = class.and_then(Class::reference).map_or("ID", |r| r.attribute);
                object.fields.insert(0, field(attribute, None, id.clone().into()));
                object.extra.insert(key, id.into());
            }
            value if key == "ID" && !owns_id => _ = object.extra.insert(key, value),
            value @ (Json::String(_) | Json::Number(_) | Json::Bool(_))
                if attribute.is_some() || (class.is_none() && (key == "ID" || key == "Name")) =>
            {
                object.fields.push(field(&key, attribute, value));
            }
            Json::String(text) if child.is_some_and(|c| c.class.content == ClassContent::Text) => {
                let mut child = Object::new(&key);
                child.content = Content::Text(text);
                object.children.push(child);
            }
            Json::Object(members) if child.is_some() => {
                if child.is_some_and(|c| c.slot.max != 1) {
                    odd.push(Json::from(key.as_str()));
                }
                object.children.push(self::object(&key, class, members));
            }
            Json::Array(items)
                if child.is_some() && !items.is_empty() && items.iter().all(Json::is_object) =>
            {
                if child.is_some_and(|c| c.slot.max == 1) {
                    odd.push(Json::from(key.as_str()));
                }
                for item in items {
                    if let Json::Object(members) = item {
                        object.children.push(self::object(&key, class, members));
                    }
                }
            }
            value => {
                let name = format!("{key}Ref");
                if class.is_some_and(|c| c.child(&name).is_some()) {
                    let one = std::slice::from_ref(&value);
                    let targets = value.as_array().map_or(one, Vec::as_slice);
                    object.children.extend(
                        targets
                            .iter()
                            .filter_map(Json::as_str)
                            .filter_map(target)
                            .map(|id| reference(&name, id)),
                    );
                }
                object.extra.insert(key, value);
            }
        }
    }
    if !odd.is_empty() {
        object.extra.insert(ODD.into(), odd.into());
    }
    object.name_units(class);
    object
}

fn field(name: &str, attribute: Option<&Attribute>, value: Json) -> Field {
    let kind = if is_placeholder(attribute, &value) { OriginKind::Sentinel } else { OriginKind::Explicit };
    Field { name: name.to_owned(), value, text: None, origin: Origin::of(kind) }
}

fn reference(class: &str, id: &str) -> Object {
    let mut reference = Object::new(class);
    let attribute = catalogue::class(class).and_then(Class::reference).map_or("ID", |r| r.attribute);
    reference.fields.push(field(attribute, None, id.into()));
    reference
}

/// The identifier in `uuid` or `Class/uuid`; none in `na`.
fn target(text: &str) -> Option<&str> {
    let id = text.rsplit_once('/').map_or(text, |(_, id)| id);
    is_uuid(id).then_some(id)
}

fn component(object: &Object) -> Json {
    let mut json = part_members(object);
    ensure(&mut json, "Schema_ID", &format!("{}.json", object.class));
    Json::Object(json)
}

fn part(object: &Object) -> Json {
    Json::Object(part_members(object))
}

fn part_members(object: &Object) -> Map<String, Json> {
    let class = catalogue::class(&object.class);
    let mut json = write_fields(object);
    for child in &object.children {
        match child.extra.get(SLOT).and_then(Json::as_str) {
            Some(slot) => {
                if let Some(Json::Object(slots)) = json.get_mut("ComponentSettings") {
                    slots.insert(slot.to_owned(), part(child));
                }
            }
            None => write_child(&mut json, class, object, child),
        }
    }
    json
}

fn write_child(json: &mut Map<String, Json>, class: Option<&'static Class>, parent: &Object, child: &Object) {
    let is_reference =
        resolve(class, &child.class).and_then(Class::reference).is_some_and(|r| r.kind == ReferenceKind::Ref);
    let odd = parent.extra.get(ODD).and_then(Json::as_array);
    let odd = odd.is_some_and(|keys| keys.iter().any(|k| k == child.class.as_str()));
    let single = class.and_then(|c| c.child(&child.class)).is_some_and(|c| c.slot.max == 1) != odd;
    match &child.content {
        // References stand in `extra` in the words of the source.
        _ if is_reference => {
            if let Some(key) = child.class.strip_suffix("Ref")
                && key != "Instrument"
                && key != "Experiment"
                && !json.contains_key(key)
            {
                json.insert(key.to_owned(), json!(child.target()));
            }
        }
        Content::Text(text) => _ = json.insert(child.class.clone(), json!(text)),
        _ if single => _ = json.insert(child.class.clone(), part(child)),
        _ => {
            let list = json.entry(child.class.clone()).or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(part(child));
            }
        }
    }
}

/// Fields, and over them what `extra` keeps in the words of the source.
fn write_fields(object: &Object) -> Map<String, Json> {
    let owns_id = catalogue::class(&object.class).is_none_or(Class::owns_id);
    let mut json = Map::new();
    for field in object.fields.iter().filter(|field| field.origin != Origin::model_default()) {
        let key = if field.name == "ID" && !owns_id { "Component_ID" } else { field.name.as_str() };
        json.insert(key.to_owned(), field.value.clone());
    }
    for (key, value) in object.extra.iter().filter(|(key, _)| !key.starts_with('#')) {
        json.insert(key.clone(), value.clone());
    }
    json
}

fn ensure(json: &mut Map<String, Json>, key: &str, value: &str) {
    json.entry(key).or_insert_with(|| value.into());
}

fn schema(json: &Json) -> Option<&str> {
    class_of(json.as_object()?)
}

/// The class in `Schema_ID`. Light sources carry their role in front of it, which `extra` keeps.
fn class_of(members: &Map<String, Json>) -> Option<&str> {
    let name = members.get("Schema_ID")?.as_str()?.trim();
    let name = name.strip_suffix(".json").unwrap_or(name);
    let name = name
        .strip_prefix("Fluorescence_LightSource_")
        .or(name.strip_prefix("Transmitted_LightSource_"))
        .unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

fn members(json: &Json) -> Map<String, Json> {
    json.as_object().cloned().unwrap_or_default()
}

fn array(json: Option<Json>) -> Vec<Json> {
    match json {
        Some(Json::Array(items)) => items,
        _ => Vec::new(),
    }
}
