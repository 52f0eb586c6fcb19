//! The NBO record that an OME-XML document implies.
//!
//! Units are made explicit before anything is mapped: the two vocabularies share names but not
//! defaults (exposure s or ms, PhysicalSizeZ µm or nm, working distance µm or mm, voltage V or mV,
//! read-out rate MHz or Hz), and a bare number copied from one to the other is wrong by a thousand.
//! A value keeps its own unit; it is not converted.
//!
//! Every value is marked: taken over, a default of the OME schema, spelt as the NBO list spells it,
//! guessed where a list has no exact counterpart, computed, or an identifier made up to connect objects.
//! Nothing else is made up. What NBO has no place for is kept in `extra` under its OME name (`OME:@…`).

mod acquisition;
mod hardware;
mod tables;

use std::collections::{HashMap, HashSet};

use fairzarr_ome_xml::{Document, Element, Ome};
use serde_json::{Map, Value as Json};

use crate::catalogue::{self, Class};
use crate::record::value;
use crate::record::{Content, Field, Object, Origin, OriginKind, Record};

/// How many planes of an image a record describes. More are summed up in `extra`: a record is JSON, and
/// per-plane metadata of any size belongs into arrays.
pub const MAX_PLANES: usize = 16;

/// Derives the record of a document from what OME's own vocabulary says in it. Its annotations, which may hold NBO
/// itself, are read by [`crate::ingest::from_ome`].
pub fn from_ome(document: &Document) -> Record {
    let ome = document.ome();
    let context = Context::new(ome);
    let mut record = Record::default();
    record.objects.extend(ome.experiments.iter().map(experiment));
    record.objects.extend(ome.experimenters.iter().map(|e| copy(e, "Experimenter", &[])));
    for (i, instrument) in ome.instruments.iter().enumerate() {
        record.objects.push(context.instrument(i, instrument));
    }
    record.objects.extend(ome.images.iter().map(|i| context.image(i)));
    record.in_store = Some((0..ome.images.len()).map(Some).collect());
    record
}

/// How well an NBO value stands for an OME value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Confidence {
    /// The same thing, perhaps under another name.
    Same,
    /// One of several; another may be right.
    Guess,
    /// Less than the OME value says.
    Lossy,
}

/// What has to be known of the whole document.
struct Context<'a> {
    /// Hardware elements by identifier.
    hardware: HashMap<&'a str, &'a Element<'static>>,
    excitation: HashSet<&'a str>,
    emission: HashSet<&'a str>,
    dichroic: HashSet<&'a str>,
}

impl<'a> Context<'a> {
    fn new(ome: &'a Ome) -> Self {
        let mut context = Self {
            hardware: HashMap::new(),
            excitation: HashSet::new(),
            emission: HashSet::new(),
            dichroic: HashSet::new(),
        };
        for element in ome.instruments.iter().flat_map(fairzarr_ome_xml::Element::elements) {
            if let Some(id) = element.attr("ID") {
                context.hardware.insert(id, element);
            }
            if element.name() == "FilterSet" {
                context.roles(element);
            }
        }
        let channels = ome.images.iter().filter_map(|i| i.pixels.as_ref()).flat_map(|p| &p.channels);
        for path in channels.filter_map(|c| c.light_path.as_ref()) {
            context.roles(path);
        }
        context
    }

    /// What a filter is for is known only from who refers to it.
    fn roles(&mut self, holder: &'a Element<'static>) {
        for reference in holder.elements() {
            let Some(id) = reference.attr("ID") else { continue };
            match reference.name() {
                "ExcitationFilterRef" => self.excitation.insert(id),
                "EmissionFilterRef" => self.emission.insert(id),
                "DichroicRef" => self.dichroic.insert(id),
                _ => false,
            };
        }
    }
}

fn experiment(element: &Element<'static>) -> Object {
    let mut experiment = copy(element, "Experiment", &[("Type", "")]);
    // OME has a list of types, NBO one purpose.
    let types: Vec<_> = element.attr("Type").into_iter().flat_map(str::split_whitespace).collect();
    if let [only] = types.as_slice() {
        push_listed(&mut experiment, "Purpose", ("Experiment", "Type"), only);
    }
    for child in element.elements() {
        if child.name() == "ExperimenterRef" {
            experiment.children.push(copy(child, "ExperimenterRef", &[]));
        }
    }
    experiment
}

/// An object of class `name` with the element's attributes: under the name that `renames` gives (empty:
/// no place in NBO), under their own where NBO has the same, otherwise in `extra`. Units are made explicit.
fn copy(element: &Element<'_>, name: &str, renames: &[(&str, &str)]) -> Object {
    let class = catalogue::class(name);
    let mut object = Object::new(name);
    for (attribute, text) in element.attributes() {
        let renamed = renames.iter().find(|(ome, _)| *ome == attribute).map(|(_, nbo)| *nbo);
        let target = renamed.unwrap_or(attribute);
        match class.and_then(|c| c.attribute(target)) {
            Some(_) => {
                let from = renamed.map(|_| format!("OME:{}@{attribute}", element.name()));
                push_text(&mut object, target, text, from);
            }
            None => keep(&mut object, attribute, text),
        }
    }
    units(&mut object, element, renames);
    if let Some(text) = element.child("Description").map(Element::text) {
        push_description(&mut object, &text);
    }
    object
}

/// Names the unit of every quantity that the document leaves to its schema.
fn units(object: &mut Object, element: &Element<'_>, renames: &[(&str, &str)]) {
    let class = catalogue::class(&object.class);
    for (_, attribute, default) in tables::UNIT_DEFAULTS.iter().filter(|(e, _, _)| *e == element.name()) {
        if element.attr(attribute).is_none() {
            continue;
        }
        let target = renames.iter().find(|(ome, _)| ome == attribute).map_or(*attribute, |(_, nbo)| *nbo);
        match class.and_then(|c| c.attribute(target)) {
            Some(a) => push_unit(object, a, element.attr(&format!("{attribute}Unit")), default),
            None if element.attr(&format!("{attribute}Unit")).is_none() => {
                object.extra.insert(format!("OME:@{attribute}Unit"), (*default).into());
            }
            None => {}
        }
    }
}

/// The unit that OME means where an attribute of an element names none.
pub(crate) fn ome_unit(element: &str, attribute: &str) -> Option<&'static str> {
    tables::UNIT_DEFAULTS.iter().find(|(e, a, _)| *e == element && *a == attribute).map(|(_, _, unit)| *unit)
}

/// Sets the unit of a quantity: what the document says, or the default of its schema.
fn push_unit(object: &mut Object, value: &catalogue::Attribute, said: Option<&str>, default: &str) {
    let Some(unit) = value.unit else {
        let said = said.unwrap_or(default);
        object.extra.insert(format!("OME:@{}Unit", value.name), said.into());
        return;
    };
    // The name of the unit attribute may differ between the vocabularies.
    object.fields.retain(|f| f.name != unit);
    let listed = catalogue::class(&object.class)
        .and_then(|c| c.attribute(unit))
        .and_then(super::catalogue::Attribute::values);
    let symbol = said.unwrap_or(default);
    let (symbol, respelt) = match listed {
        // NBO writes some symbols differently (`Pixel`).
        Some(list) if !list.values.contains(&symbol) => {
            let folded = |s: &str| s.replace('\u{3bc}', "µ").to_lowercase();
            match list.values.iter().filter(|v| folded(v) == folded(symbol)).collect::<Vec<_>>().as_slice() {
                [only] => (**only, true),
                _ => (symbol, false),
            }
        }
        _ => (symbol, false),
    };
    let origin = match said {
        None => Origin::from(OriginKind::Defaulted, "OME 2016-06"),
        Some(said) if respelt => Origin::from(OriginKind::Normalised, said),
        Some(_) => Origin::of(OriginKind::Derived),
    };
    object.push(unit, symbol, origin);
}

fn push_text(object: &mut Object, name: &str, text: &str, from: Option<String>) {
    let attribute = catalogue::class(&object.class).and_then(|c| c.attribute(name));
    let mut field = value::field(name, attribute, text);
    if field.origin.kind == OriginKind::Explicit {
        field.origin.kind = OriginKind::Derived;
    }
    field.origin.from = from;
    object.fields.push(field);
}

/// A value of a list: as NBO spells it, with a mark where it is more than a new name.
fn push_listed(object: &mut Object, name: &str, (element, attribute): (&str, &str), text: &str) {
    let known = tables::VALUES.iter().find(|v| v.0 == element && v.1 == attribute && v.2 == text);
    match known {
        Some((_, _, _, "", _)) | None => keep(object, attribute, text),
        Some((_, _, _, nbo, confidence)) => {
            let kind = match confidence {
                Confidence::Same if *nbo == text => OriginKind::Derived,
                Confidence::Same => OriginKind::Normalised,
                Confidence::Guess | Confidence::Lossy => OriginKind::Guessed,
            };
            let value =
                value::field(name, catalogue::class(&object.class).and_then(|c| c.attribute(name)), nbo)
                    .value;
            let from = (kind != OriginKind::Derived).then(|| text.to_owned());
            object.fields.push(Field {
                name: name.to_owned(),
                value,
                text: None,
                origin: Origin { kind, from },
            });
        }
    }
}

/// Keeps what NBO has no place for, under its OME name.
fn keep(object: &mut Object, attribute: &str, text: &str) {
    object.extra.insert(format!("OME:@{attribute}"), text.into());
}

fn push_description(object: &mut Object, text: &str) {
    let class = catalogue::class(&object.class);
    if class.and_then(|c| c.child("Description")).is_some() {
        let mut description = Object::new("Description");
        description.content = Content::Text(text.to_owned());
        object.children.push(description);
    } else {
        object.extra.insert("OME:Description".into(), text.into());
    }
}

fn reference(class: &str, id: &str) -> Object {
    let mut reference = Object::new(class);
    let attribute = catalogue::class(class).and_then(Class::reference).map_or("ID", |r| r.attribute);
    reference.push(attribute, id, Origin::of(OriginKind::Derived));
    reference
}

/// The `K` and text of every `M`, in order, repeated keys included.
fn map(element: &Element<'_>) -> Json {
    let pair =
        |m: &Element<'_>| Json::from(vec![m.attr("K").unwrap_or_default().to_owned(), m.text().into_owned()]);
    element.children("M").map(pair).collect()
}

/// An element that NBO has no class for, as JSON: attributes under `@`, children by name.
fn raw(element: &Element<'_>) -> Json {
    let mut json: Map<String, Json> =
        element.attributes().map(|(name, value)| (format!("@{name}"), value.into())).collect();
    for child in element.elements() {
        let list = json.entry(child.name().to_owned()).or_insert_with(|| Json::Array(Vec::new()));
        if let Json::Array(list) = list {
            list.push(raw(child));
        }
    }
    let text = element.text();
    if !text.trim().is_empty() {
        json.insert("#text".into(), text.as_ref().into());
    }
    json.into()
}
