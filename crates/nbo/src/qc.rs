//! The index of quality control: which calibrations a record holds, of what and when, and whether an
//! image satisfies a demand such as `OpticalCalibration within 90 days`.
//!
//! A calibration says nothing about objective or instrument itself. It hangs on an image (a channel, a
//! plane), and theirs are its own; an optical calibration takes the objective of the image it was
//! measured on, if the record holds that. An image answers a demand by a calibration nested in it, or
//! by one of another image with the same instrument (and objective, for optical measurements). Results that came
//! without an image (microscope-metrics) belong to the instrument that they name.
//!
//! Age is counted in whole days, from calibration to acquisition, on or before it unless a demand says
//! `either side`. A day is the one that is written, in its own time zone: a date without a time cannot be moved to
//! another. Where a date is missing the answer is *unknown*, never *pass*.
//!
//! ```
//! use fairzarr_nbo::qc::Requirement;
//! let r: Requirement = "OpticalCalibration within 90 days and MedianXYSpotSize_FWHM <= 250 nm".parse().unwrap();
//! assert_eq!(r.within_days, Some(90));
//! ```

mod require;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::catalogue::{self, Class, Kind};
use crate::record::value::{is_date, is_sentinel, is_uuid, state};
use crate::record::{Object, Record, value};

pub use require::{Condition, Limit, Outcome, Requirement, Verdict};

/// What can be demanded of a record in quality control.
pub const KINDS: [&str; 8] = [
    "OpticalCalibration",
    "ChromaticRegistrationEvaluation",
    "FieldUniformityEvaluation",
    "ExcitationCalibration",
    "DetectorCalibration",
    "MechanicalCalibration",
    "IntensityCalibrationTool",
    "LightSensor",
];

/// The index of one store.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Index {
    /// Calibrations, one entry each.
    pub events: Vec<Event>,
    /// Images that share date, instrument and objective.
    pub images: Vec<Images>,
}

/// One calibration.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Event {
    /// NBO class.
    pub kind: String,
    /// Identifier of the NBO object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Day, as yyyy-mm-dd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The first of the images that carry it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Images that it was measured on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measured_on: Vec<String>,
    /// Identifier of the instrument in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// What identifies the instrument beyond this record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument_key: Option<String>,
    /// Identifier of the objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// Name or identifier of the channel; of several, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The light it was measured with, or measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wavelength: Option<Wavelength>,
    /// What was measured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// What it was measured with: name or model of bead slide, sensor, method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard: Option<String>,
    /// Software with version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
}

/// A wavelength.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Wavelength {
    /// Value.
    pub value: f64,
    /// Unit symbol.
    pub unit: String,
}

/// One measured value.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metric {
    /// NBO attribute.
    pub name: String,
    /// Value.
    pub value: f64,
    /// Unit symbol; none for ratios and where the record says none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// median, mean, minimum, maximum or standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<String>,
    /// Number of measurements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
}

/// Images that share date, instrument and objective, which in a plate are all.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Images {
    /// Day of acquisition, as yyyy-mm-dd.
    pub acquisition_date: Option<String>,
    /// Identifier of the instrument in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// What identifies the instrument beyond this record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument_key: Option<String>,
    /// Identifier of the objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// How many there are.
    pub count: usize,
    /// Identifiers of the first of them.
    pub images: Vec<String>,
}

/// Objects by class and identifier.
type Top<'a> = HashMap<(&'a str, &'a str), &'a Object>;

/// How many identifiers an entry of [`Images`] or an [`Event`] names.
const NAMED_IMAGES: usize = 16;

/// Builds the index of a record.
pub fn index(record: &Record) -> Index {
    let mut index = Index::default();
    // Images and instruments stand at the top.
    let top: Top = record.objects.iter().filter_map(|o| Some(((o.class.as_str(), o.id()?), o))).collect();
    let mut groups = HashMap::new();
    for image in record.objects.iter().filter(|o| o.class == "Image") {
        index.image(&top, image, &mut groups);
    }
    let hardware: Vec<&Object> = record.all("Instrument").collect();
    for instrument in &hardware {
        for object in instrument.descendants() {
            if object.class == "IntensityCalibrationTool" || object.class == "LightSensor" {
                let mut event = event(object, &Event::default());
                event.date = day(object.str("LastCalibrationDate"));
                event.instrument = instrument.id().map(str::to_owned);
                event.instrument_key = key(instrument);
                event.standard = name(object);
                index.add(event, false);
            }
        }
    }
    for calibration in record.objects.iter().filter(|o| KINDS.contains(&o.class.as_str())) {
        let of = hardware.iter().copied().find(|instrument| is_named(instrument, calibration));
        let mut objectives = of.into_iter().flat_map(|i| i.children_of("Objective")).filter_map(Object::id);
        let here = Event {
            instrument: of.and_then(Object::id).map(str::to_owned),
            instrument_key: of.and_then(key),
            // An instrument with one objective leaves no choice.
            objective: objectives.next().filter(|_| objectives.next().is_none()).map(str::to_owned),
            channel: calibration.extra.get("channel").and_then(Json::as_str).map(str::to_owned),
            ..Event::default()
        };
        index.event_with_parts(&top, calibration, &here, false);
    }
    index
}

/// Whether a calibration without an image names this instrument: by its name, by maker and model, or by serial number.
fn is_named(instrument: &Object, calibration: &Object) -> bool {
    let Some(named) = calibration.extra.get("microscope") else { return false };
    let said =
        |key: &str| named[key].as_str().map(|text| text.trim().to_lowercase()).filter(|t| !t.is_empty());
    let is_stand = |c: &&Object| catalogue::class(&c.class).is_some_and(|c| c.is_a("MicroscopeStandGroup"));
    let stand = instrument.children.iter().find(is_stand);
    let known = |object: Option<&Object>, field: &str| {
        object.and_then(|o| o.str(field)).map(|text| text.trim().to_lowercase())
    };
    let same = |key: &str, known: Option<String>| said(key).is_some() && said(key) == known;
    same("name", known(Some(instrument), "Name"))
        || same("serial_number", known(stand, "CatalogNumber"))
        || same("manufacturer", known(stand, "Manufacturer")) && same("model", known(stand, "Model"))
}

impl Index {
    /// The index as a JSON attribute.
    pub fn to_json(&self) -> Json {
        serde_json::json!({"events": self.events, "images": self.images})
    }

    /// Reads the attribute.
    ///
    /// # Errors
    /// [`crate::Error::Syntax`] if it is not an index.
    pub fn from_json(json: &Json) -> Result<Self, crate::Error> {
        Self::deserialize(json)
            .map_err(|e| crate::Error::Syntax { form: "quality-control index", why: e.to_string() })
    }

    /// `groups` has the entry of images by what they share: also the calibrations that they carry, because an image
    /// of unknown instrument answers for no other.
    fn image(&mut self, top: &Top, image: &Object, groups: &mut HashMap<Group, usize>) {
        let instrument = image.child("InstrumentRef").and_then(Object::target);
        let hardware = instrument.and_then(|id| top.get(&("Instrument", id))).copied();
        let here = Event {
            images: image.id().map(str::to_owned).into_iter().collect(),
            instrument: instrument.map(str::to_owned),
            instrument_key: hardware.and_then(key),
            objective: objective(image).map(str::to_owned),
            ..Event::default()
        };
        let date = day(image.str("AcquisitionDate"));
        let id = image.id().unwrap_or_default().to_owned();
        let group = (
            date.clone(),
            here.instrument.clone(),
            here.objective.clone(),
            carried(image).collect::<Vec<_>>(),
        );
        let first = !groups.contains_key(&group);
        let entry = *groups.entry(group).or_insert(self.images.len());
        if first {
            self.images.push(Images {
                acquisition_date: date,
                instrument: here.instrument.clone(),
                instrument_key: here.instrument_key.clone(),
                objective: here.objective.clone(),
                ..Images::default()
            });
        }
        let images = &mut self.images[entry];
        images.count += 1;
        if images.images.len() < NAMED_IMAGES {
            images.images.push(id);
        }
        self.events_below(top, image, &here, first);
    }

    fn events_below(&mut self, top: &Top, object: &Object, here: &Event, first: bool) {
        let mut here = here.clone();
        if object.class == "Channel" {
            here.channel = object.str("Name").or_else(|| object.id()).map(str::to_owned);
        }
        for child in &object.children {
            if KINDS.contains(&child.class.as_str()) {
                self.event_with_parts(top, child, &here, first);
            } else {
                self.events_below(top, child, &here, first);
            }
        }
    }

    fn event_with_parts(&mut self, top: &Top, calibration: &Object, here: &Event, first: bool) {
        let mut event = event(calibration, here);
        event.measured_on = measured_on(calibration);
        if calibration.class == "OpticalCalibration" {
            optical(top, calibration, &mut event);
        }
        self.events_below(top, calibration, &event, first);
        self.add(event, first);
    }

    /// One calibration may be repeated under every image it applies to. Of those it names the first ones, and the
    /// `first` of each entry of images.
    fn add(&mut self, mut event: Event, first: bool) {
        let images = std::mem::take(&mut event.images);
        let alike = self.events.iter_mut().find(|known| {
            event.images.clone_from(&known.images);
            **known == event
        });
        match alike {
            Some(known) if first || known.images.len() < NAMED_IMAGES => known.images.extend(images),
            Some(_) => {}
            None => {
                event.images = images;
                self.events.push(event);
            }
        }
    }
}

/// What images of one entry share: day, instrument, objective, and the calibrations that they carry.
type Group = (Option<String>, Option<String>, Option<String>, Vec<String>);

/// Class, identifier and date of every calibration below an image.
fn carried(image: &Object) -> impl Iterator<Item = String> + '_ {
    let calibrations = image.descendants().into_iter().filter(|o| KINDS.contains(&o.class.as_str()));
    calibrations.map(|o| format!("{} {:?} {:?}", o.class, o.id(), o.str("Date")))
}

fn event(object: &Object, here: &Event) -> Event {
    Event {
        kind: object.class.clone(),
        id: object.id().map(str::to_owned),
        date: day(object.str("Date")).or_else(|| here.date.clone()),
        metrics: metrics(object),
        standard: object.str("Method").map(str::to_owned),
        software: object.child("CalibrationSoftware").and_then(software),
        wavelength: ["ObservedEx-Wavelength", "NominalEx-Wavelength"]
            .iter()
            .find_map(|field| wavelength(object, field))
            .or_else(|| here.wavelength.clone()),
        ..here.clone()
    }
}

/// A wavelength with its unit, the model's own if the record says none.
fn wavelength(object: &Object, field: &str) -> Option<Wavelength> {
    let attribute = catalogue::class(&object.class)?.attribute(field)?;
    let filled = state(attribute, &object.field(field)?.value) == value::State::Filled;
    let value = object.number(field).filter(|value| filled && value.is_finite())?;
    let unit = attribute.unit.and_then(|unit| object.str(unit)).or(attribute.unit_default)?;
    Some(Wavelength { value, unit: unit.to_owned() })
}

fn optical(top: &Top, calibration: &Object, event: &mut Event) {
    let measured = event.measured_on.iter().find_map(|id| top.get(&("Image", id.as_str())));
    if let Some(image) = measured {
        event.objective = objective(image).map(str::to_owned).or(event.objective.take());
        if let Some(id) = image.child("InstrumentRef").and_then(Object::target) {
            event.instrument = Some(id.to_owned());
            event.instrument_key = top.get(&("Instrument", id)).and_then(|instrument| key(instrument));
        }
        let channels: Vec<_> = image
            .child("Pixels")
            .map(|p| p.children_of("Channel").filter_map(|c| c.str("Name")).collect())
            .unwrap_or_default();
        event.channel = (!channels.is_empty()).then(|| channels.join(", "));
        // The light of the one channel; of several it is not said which was measured.
        let mut measured = image.child("Pixels").into_iter().flat_map(|p| p.children_of("Channel"));
        if let (Some(channel), None) = (measured.next(), measured.next()) {
            event.wavelength = channel.child("Fluorophore").and_then(|f| wavelength(f, "EmissionWavelength"));
        }
    }
    let is_standard =
        |c: &&Object| catalogue::class(&c.class).is_some_and(|c| c.is_a("OpticalCalibrationStandardGroup"));
    let standard = calibration.children.iter().find(is_standard);
    event.standard = standard.and_then(name);
    let beads = standard.into_iter().flat_map(Object::descendants).find(|o| o.class == "WavelengthRange");
    event.wavelength = event.wavelength.take().or_else(|| wavelength(beads?, "PeakWavelength"));
}

fn measured_on(object: &Object) -> Vec<String> {
    let is_image = |c: &&Object| c.class.ends_with("ImageRef");
    object.children.iter().filter(is_image).filter_map(Object::target).map(str::to_owned).collect()
}

fn objective(image: &Object) -> Option<&str> {
    image.child("ObjectiveSettings").and_then(Object::target)
}

fn software(object: &Object) -> Option<String> {
    Some(match object.str("Version") {
        Some(version) => format!("{} {version}", object.str("Name")?),
        None => object.str("Name")?.to_owned(),
    })
}

fn name(object: &Object) -> Option<String> {
    let value = |field| object.str(field).filter(|v| !is_sentinel(&(*v).into()));
    value("Name").or_else(|| value("Model")).map(str::to_owned)
}

/// What identifies an instrument in other records too: its UUID, or maker, model and catalogue number of
/// its stand. An identifier such as `Instrument:1` does not.
fn key(instrument: &Object) -> Option<String> {
    // A merged instrument may know its UUID by `sameAs`.
    let also = instrument.extra.get("sameAs").and_then(Json::as_str);
    if let Some(id) = instrument.id().into_iter().chain(also).find(|id| is_uuid(id)) {
        return Some(id.to_owned());
    }
    let is_stand = |c: &&Object| catalogue::class(&c.class).is_some_and(|c| c.is_a("MicroscopeStandGroup"));
    let stand = instrument.children.iter().find(is_stand)?;
    let parts: Option<Vec<_>> = ["Manufacturer", "Model", "CatalogNumber"]
        .iter()
        .map(|field| stand.str(field).filter(|v| !v.trim().is_empty() && !is_sentinel(&(*v).into())))
        .collect();
    Some(parts?.join(" | "))
}

fn metrics(object: &Object) -> Vec<Metric> {
    let class = catalogue::class(&object.class);
    let n = object.number("SampleSize").map(|n| n as u64);
    let values = class.into_iter().flat_map(Class::attributes).filter(|a| a.kind == Kind::Value);
    let measured = values.filter(|a| a.base.is_number() && !a.base.is_integer());
    measured
        .filter_map(|a| {
            let field = object.field(a.name)?;
            if state(a, &field.value) != value::State::Filled {
                return None;
            }
            let value = object.number(a.name).filter(|value| value.is_finite())?;
            // A standard deviation has the unit of what it deviates from.
            let base = a.name.strip_suffix("_SD").and_then(|base| class?.attribute(base));
            let unit = base.unwrap_or(a).unit;
            let said = unit.and_then(|u| object.str(u)).map(str::to_owned);
            Some(Metric {
                name: a.name.to_owned(),
                value,
                unit: said.or_else(|| base.unwrap_or(a).unit_default.map(str::to_owned)),
                statistic: statistic(a.name).map(str::to_owned),
                n,
            })
        })
        .collect()
}

fn statistic(name: &str) -> Option<&'static str> {
    match name {
        _ if name.starts_with("Median") => Some("median"),
        _ if name.starts_with("MeanMax") || name.starts_with("Mean") => Some("mean"),
        _ if name.starts_with("MinXY") => Some("minimum"),
        _ if name.starts_with("MaxXY") => Some("maximum"),
        _ if name.starts_with("SD") || name.ends_with("_SD") => Some("standard deviation"),
        _ => None,
    }
}

/// The day of a date or date and time; none if the source says none that exists.
fn day(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    value::date(text)?;
    let day = text.get(..10)?;
    is_date(day).then(|| day.to_owned())
}
