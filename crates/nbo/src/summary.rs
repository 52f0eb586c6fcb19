//! What a record says of one image, in the few values that most readers ask for: date, microscope, objective, channels, and the
//! calibration of each kind that decides.
//!
//! Nothing is inferred. The objective is the one that the image's settings refer to, not the only one of the microscope; where
//! nothing is referred to, nothing is said.

use std::collections::HashMap;

use serde::Serialize;

use crate::catalogue;
use crate::identity::{Microscope, said};
use crate::qc::{self, Channel, Outcome, Wavelength};
use crate::record::value::{date, is_sentinel, text};
use crate::record::{Field, Object, OriginKind, Record};
use crate::unit;

/// Longest text of a summary in characters; longer ones end with an ellipsis.
const LONGEST: usize = 120;

/// A record, looked through once for all of its images.
pub struct Summaries<'a> {
    images: Vec<&'a Object>,
    /// Instruments and what is in them, by identifier.
    hardware: HashMap<&'a str, &'a Object>,
    /// By image of the record, the number of its entry in `calibrations`.
    entries: Vec<usize>,
    calibrations: Vec<Vec<Calibration>>,
}

/// What a record says of an image.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Said {
    /// Day of acquisition, as yyyy-mm-dd.
    pub day: Option<String>,
    /// When it was acquired, as the source says it.
    pub acquired: Option<String>,
    /// The microscope that it was taken with, if the image refers to one.
    pub microscope: Option<Taken>,
    /// The objective that it was taken with.
    pub objective: Option<Objective>,
    /// Its channels, in order.
    pub channels: Vec<ChannelSaid>,
    /// Sizes of a pixel along z, y and x.
    pub pixel_size: [Option<Quantity>; 3],
    /// Time from one time point to the next.
    pub time_increment: Option<Quantity>,
    /// One entry for each kind of calibration that the record has.
    pub calibrations: Vec<Calibration>,
}

/// A value in an SI unit, and as the source writes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Quantity {
    /// Value in `unit`; none if the written unit is none that can be converted (`pixel`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// SI unit: `m` or `s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'static str>,
    /// Number and unit of the source.
    pub written: String,
}

/// Least and greatest of several quantities.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Range {
    /// Least value in `unit`.
    pub min: f64,
    /// Greatest value in `unit`.
    pub max: f64,
    /// SI unit.
    pub unit: &'static str,
    /// As the source writes them.
    pub written: String,
}

/// The microscope that an image was taken with.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Taken {
    /// Its identifier in the record.
    pub id: String,
    /// What identifies it.
    #[serde(flatten)]
    pub microscope: Microscope,
}

/// An objective.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Objective {
    /// Its identifier in the record.
    pub id: String,
    /// What its people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Maker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Numerical aperture.
    #[serde(rename = "NA", skip_serializing_if = "Option::is_none")]
    pub na: Option<f64>,
    /// Magnification, as a factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub magnification: Option<f64>,
    /// What it is immersed in, as the source says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub immersion: Option<String>,
}

/// A channel.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChannelSaid {
    /// Name.
    pub name: Option<String>,
    /// Samples of each pixel, which are as many channels of the array.
    pub samples: usize,
    /// Fluorophore.
    pub fluorophore: Option<String>,
    /// Wavelength of excitation.
    pub excitation: Option<Quantity>,
    /// Wavelength of emission.
    pub emission: Option<Quantity>,
    /// Exposure time of the planes that the record describes.
    pub exposure: Option<Range>,
    /// Maker and model of the light source, or its name.
    pub light_source: Option<String>,
    /// Its identifier in the record.
    pub light_source_id: Option<String>,
    /// Maker and model of the detector, or its name.
    pub detector: Option<String>,
    /// Its identifier in the record.
    pub detector_id: Option<String>,
}

/// Of one kind of calibration the one that decides about an image, or why none does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Calibration {
    /// NBO class.
    pub kind: &'static str,
    /// `pass` where one applies, `fail` where none does, `unknown` where the record does not say.
    pub outcome: Outcome,
    /// Its day, as yyyy-mm-dd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Whole days from it to the acquisition; negative if it came later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_days: Option<i64>,
    /// All of that in a line.
    pub text: String,
}

impl<'a> Summaries<'a> {
    /// Looks a record through.
    pub fn new(record: &'a Record) -> Self {
        let mut hardware = HashMap::new();
        for instrument in record.objects.iter().filter(|object| object.class == "Instrument") {
            for part in instrument.descendants() {
                if let Some(id) = part.id() {
                    hardware.entry(id).or_insert(part);
                }
            }
        }
        let (index, entries) = qc::with_entries(record);
        let calibrations = index.images.iter().map(|images| {
            index
                .latest(images)
                .into_iter()
                .map(|(kind, verdict)| {
                    let of = verdict.date.as_ref().map(|day| format!(" of {day}")).unwrap_or_default();
                    let text = shortened(&format!("{kind}{of}: {}", verdict.reason));
                    let (outcome, age_days) = (verdict.outcome, verdict.age_days);
                    Calibration { kind, outcome, date: verdict.date, age_days, text }
                })
                .collect()
        });
        let calibrations = calibrations.collect();
        let images = record.objects.iter().filter(|object| object.class == "Image").collect();
        Self { images, hardware, entries, calibrations }
    }

    /// What is said of an image, by its number among the images of the record.
    pub fn image(&self, number: usize) -> Option<Said> {
        let image = *self.images.get(number)?;
        let (day, acquired) = acquisition(image);
        let pixels = image.child("Pixels");
        let size = |field: &str| quantity(pixels?, field);
        let exposures = pixels.map(exposures).unwrap_or_default();
        let channels = pixels.into_iter().flat_map(|pixels| pixels.children_of("Channel"));
        let channels = channels.enumerate().map(|(index, object)| ChannelSaid {
            exposure: exposures.get(&index).cloned(),
            ..self.channel(object)
        });
        let entry = self.entries.get(number).and_then(|entry| self.calibrations.get(*entry));
        Some(Said {
            day,
            acquired,
            microscope: image.child("InstrumentRef").and_then(Object::target).map(|id| {
                let microscope = self.hardware.get(id).map(|part| Microscope::of(part)).unwrap_or_default();
                Taken { id: shortened(id), microscope: short_names(microscope) }
            }),
            objective: image
                .child("ObjectiveSettings")
                .and_then(Object::target)
                .map(|id| objective(id, self.hardware.get(id).copied())),
            channels: channels.collect(),
            pixel_size: ["PhysicalSizeZ", "PhysicalSizeY", "PhysicalSizeX"].map(size),
            time_increment: size("TimeIncrement"),
            calibrations: entry.cloned().unwrap_or_default(),
        })
    }

    fn channel(&self, object: &Object) -> ChannelSaid {
        let Channel { excitation, emission, detector, light_source, .. } = qc::channel(object);
        let called = |id: &Option<String>| self.hardware.get(id.as_deref()?).map(|part| called(part));
        let light = |of: Option<Wavelength>| {
            of.map(|Wavelength { value, unit }| Quantity::new(value, &unit, &value.to_string()))
        };
        ChannelSaid {
            name: value(object, "Name"),
            samples: object.number("SamplesPerPixel").filter(|n| *n >= 1.0).map_or(1, |n| n as usize),
            fluorophore: object.child("Fluorophore").and_then(|dye| value(dye, "Name")),
            excitation: light(excitation),
            emission: light(emission),
            exposure: None,
            light_source: called(&light_source),
            light_source_id: light_source,
            detector: called(&detector),
            detector_id: detector,
        }
    }
}

impl Quantity {
    /// A value in a unit of OME or NBO, whose number the source writes as `digits`.
    pub fn new(value: f64, symbol: &str, digits: &str) -> Self {
        let si = ["m", "s"].into_iter().find_map(|si| Some((unit::convert(value, symbol, si)?, si)));
        let si = si.filter(|(value, _)| value.is_finite());
        let written = shortened(format!("{digits} {symbol}").trim_end());
        Self { value: si.map(|(value, _)| value), unit: si.map(|(_, unit)| unit), written }
    }

    /// The value in another unit of the same kind.
    pub fn in_unit(&self, symbol: &str) -> Option<f64> {
        converted(self.value?, self.unit?, symbol)
    }

    /// Whether both are the same but for rounding.
    pub fn agrees(&self, other: &Self) -> bool {
        let values = self.value.zip(other.value);
        self.unit == other.unit && values.is_some_and(|(a, b)| (a - b).abs() <= 1e-6 * a.abs().max(b.abs()))
    }
}

impl Range {
    /// Takes a duration in, as the source says it. What is no number or no duration is left out.
    pub fn widen(range: &mut Option<Self>, value: f64, symbol: &str) {
        let Some(seconds) = unit::convert(value, symbol, "s").filter(|seconds| seconds.is_finite()) else {
            return;
        };
        let written = format!("{value} {symbol}");
        match range {
            None => *range = Some(Self { min: seconds, max: seconds, unit: "s", written }),
            Some(known) => {
                let (least, greatest) = match known.written.split_once(TO) {
                    Some((least, greatest)) => (least.to_owned(), greatest.to_owned()),
                    None => (known.written.clone(), known.written.clone()),
                };
                if seconds < known.min {
                    known.min = seconds;
                    known.written = format!("{written}{TO}{greatest}");
                } else if seconds > known.max {
                    known.max = seconds;
                    known.written = format!("{least}{TO}{written}");
                }
            }
        }
    }
}

/// A value in another unit of the same kind, to fifteen digits: 1e-7 m are 0.1 µm.
pub fn converted(value: f64, from: &str, to: &str) -> Option<f64> {
    unit::convert(value, from, to).filter(|value| value.is_finite())
}

/// Between the least and the greatest value as written.
const TO: &str = " to ";

/// The day, if the record says one that exists, and what the source says.
fn acquisition(image: &Object) -> (Option<String>, Option<String>) {
    let Some(field) = image.field("AcquisitionDate").filter(|field| said(&field.value).is_some()) else {
        return (None, None);
    };
    let recorded = text(&field.value);
    let day = recorded.trim().get(..10).filter(|_| date(recorded.trim()).is_some()).map(str::to_owned);
    let derived = field.origin.from.clone().filter(|_| field.origin.kind == OriginKind::Derived);
    (day, Some(shortened(&derived.unwrap_or(recorded))))
}

fn objective(id: &str, part: Option<&Object>) -> Objective {
    let none = Object::default();
    let object = part.unwrap_or(&none);
    let number = |name: &str| {
        let is_value = object.field(name).is_some_and(|field| !is_sentinel(&field.value));
        object.number(name).filter(|number| is_value && number.is_finite())
    };
    Objective {
        id: shortened(id),
        name: value(object, "Name"),
        manufacturer: value(object, "Manufacturer"),
        model: value(object, "Model"),
        na: number("LensNA"),
        magnification: number("Magnification"),
        immersion: immersion(object),
    }
}

/// What an objective is immersed in, in the words of the source.
pub fn immersion(objective: &Object) -> Option<String> {
    objective.field("ImmersionType").and_then(listed).or_else(|| {
        // What NBO's list does not know is kept under its OME name.
        said(objective.extra.get("OME:@Immersion")?).map(|text| shortened(&text))
    })
}

/// A value of a list in the words of the source.
fn listed(field: &Field) -> Option<String> {
    let is_translated = matches!(field.origin.kind, OriginKind::Guessed | OriginKind::Normalised);
    let words = field.origin.from.clone().filter(|_| is_translated);
    words.or_else(|| said(&field.value)).map(|text| shortened(&text))
}

/// Maker and model of a part, or what else it is called; at last its class.
fn called(part: &Object) -> String {
    let [maker, model, name] = ["Manufacturer", "Model", "Name"].map(|field| value(part, field));
    match (maker, model, name) {
        (Some(maker), Some(model), _) => shortened(&format!("{maker} {model}")),
        (_, _, Some(name)) => name,
        (maker, model, None) => model.or(maker).unwrap_or_else(|| part.class.clone()),
    }
}

/// A field with its unit; the model's own unit where the record names none.
fn quantity(object: &Object, name: &str) -> Option<Quantity> {
    let field = object.field(name)?;
    let number = object.number(name).filter(|number| number.is_finite() && !is_sentinel(&field.value))?;
    let attribute = catalogue::class(&object.class).and_then(|class| class.attribute(name))?;
    let said = attribute.unit.and_then(|unit| object.field(unit));
    let unit = said.and_then(|field| field.value.as_str()).or(attribute.unit_default)?;
    let digits = field.text.clone().unwrap_or_else(|| text(&field.value));
    let mut quantity = Quantity::new(number, unit, &digits);
    // NBO spells some units otherwise than the source.
    if let Some(unit) = said.filter(|field| field.origin.kind == OriginKind::Normalised)
        && let Some(unit) = &unit.origin.from
    {
        quantity.written = shortened(&format!("{digits} {unit}"));
    }
    Some(quantity)
}

/// Exposure times by channel, of the planes that the record describes.
fn exposures(pixels: &Object) -> HashMap<usize, Range> {
    let mut ranges: HashMap<usize, Option<Range>> = HashMap::new();
    for plane in pixels.children_of("Plane") {
        let channel = plane.number("TheC").filter(|c| *c >= 0.0).map(|c| c as usize);
        let unit = plane.str("ExposureTimeUnit").or_else(|| {
            catalogue::class("Plane").and_then(|class| class.attribute("ExposureTime")?.unit_default)
        });
        if let (Some(channel), Some(time), Some(unit)) = (channel, plane.number("ExposureTime"), unit) {
            Range::widen(ranges.entry(channel).or_default(), time, unit);
        }
    }
    ranges.into_iter().filter_map(|(channel, range)| Some((channel, range?))).collect()
}

fn value(object: &Object, field: &str) -> Option<String> {
    said(&object.field(field)?.value).map(|text| shortened(&text))
}

fn short_names(microscope: Microscope) -> Microscope {
    let Microscope { uuid, name, manufacturer, model, serial_number } = microscope;
    let [name, manufacturer, model, serial_number] =
        [name, manufacturer, model, serial_number].map(|text| text.map(|text| shortened(&text)));
    Microscope { uuid, name, manufacturer, model, serial_number }
}

/// A text in one line, of at most [`LONGEST`] characters.
pub fn shortened(text: &str) -> String {
    let mut line = String::new();
    // No more words are looked at than can be in the line.
    for word in text.split_whitespace().take(LONGEST) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().take(LONGEST + 1));
    }
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
