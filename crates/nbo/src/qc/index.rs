//! Building the index from a record.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value as Json;

use super::{Channel, Event, Images, Index, KINDS, LAYOUT, metrics};
use crate::catalogue;
use crate::identity::{Microscope, Sameness};
use crate::record::value::{self, is_date, is_sentinel};
use crate::record::{Object, Record};

/// How many identifiers an entry of [`Images`] or an [`Event`] names.
const NAMED_IMAGES: usize = 16;

/// Metrics that only a point spread function has.
const POINT_SPREAD: [&str; 8] = [
    "TheoreticalXYSpotSize_FWHM",
    "MedianXYSpotSize_FWHM",
    "MinXYSpotSize_FWHM",
    "MaxXYSpotSize_FWHM",
    "TheoreticaZSpotSize_FWHM",
    "MedianZSpotSize_FWHM",
    "LateralAsymmetry",
    "AxialAsymmetry",
];

/// Parts of an optical calibration that are kinds of their own.
const EVALUATIONS: [&str; 2] = ["ChromaticRegistrationEvaluation", "FieldUniformityEvaluation"];

/// Builds the index of a record.
pub fn index(record: &Record) -> Index {
    with_entries(record).0
}

/// The index of a record, and for each of its images, in the order of the record, the number of its entry in [`Index::images`].
pub(crate) fn with_entries(record: &Record) -> (Index, Vec<usize>) {
    // Images and instruments stand at the top.
    let top: Top = record.objects.iter().filter_map(|o| Some(((o.class.as_str(), o.id()?), o))).collect();
    let instruments: Vec<&Object> = record.all("Instrument").collect();
    let index = Index { layout: LAYOUT, ..Index::default() };
    let mut builder = Builder { index, top, groups: HashMap::new(), entries: Vec::new() };
    let held: Option<HashSet<usize>> =
        record.in_store.as_ref().map(|held| held.iter().flatten().copied().collect());
    for (number, image) in record.objects.iter().filter(|o| o.class == "Image").enumerate() {
        builder.image(image, held.as_ref().map(|held| held.contains(&number)));
    }
    let undescribed = record.in_store.iter().flatten().filter(|image| image.is_none()).count();
    if undescribed > 0 {
        let images = Images { in_store: Some(true), count: undescribed, ..Images::default() };
        builder.index.images.push(images);
    }
    for instrument in &instruments {
        for object in instrument.descendants() {
            if object.class == "IntensityCalibrationTool" || object.class == "LightSensor" {
                let mut event = event(object, &Event::default());
                event.date = day(object.str("LastCalibrationDate"));
                event.instrument = instrument.id().map(str::to_owned);
                event.instrument_key = Microscope::of(instrument).key();
                event.standard = name(object);
                builder.add(event, false);
            }
        }
    }
    for calibration in record.objects.iter().filter(|o| KINDS.contains(&o.class.as_str())) {
        builder.without_image(&instruments, calibration);
    }
    let known = |i: &&Object| Some((i.id()?.to_owned(), Microscope::of(i)));
    builder.index.instruments = instruments.iter().filter_map(known).collect::<BTreeMap<_, _>>();
    (builder.index, builder.entries)
}

/// Objects by class and identifier.
type Top<'a> = HashMap<(&'a str, &'a str), &'a Object>;

struct Builder<'a> {
    index: Index,
    top: Top<'a>,
    /// The entry of images by what they share: also the calibrations that they carry, because an image of an unknown
    /// microscope answers for no other.
    groups: HashMap<String, usize>,
    /// The entry of each image.
    entries: Vec<usize>,
}

impl Builder<'_> {
    /// Adds an image and what it carries.
    fn image(&mut self, image: &Object, in_store: Option<bool>) {
        let instrument = image.child("InstrumentRef").and_then(Object::target);
        let channels = channels(image);
        let here = Event {
            images: image.id().map(str::to_owned).into_iter().collect(),
            instrument: instrument.map(str::to_owned),
            instrument_key: self.key(instrument),
            objective: objective(image).map(str::to_owned),
            detectors: detectors(&channels),
            ..Event::default()
        };
        let entry = Images {
            acquisition_date: day(image.str("AcquisitionDate")),
            instrument: here.instrument.clone(),
            instrument_key: here.instrument_key.clone(),
            objective: here.objective.clone(),
            channels,
            in_store,
            ..Images::default()
        };
        let shared = serde_json::to_string(&entry).unwrap_or_default();
        let group = format!("{shared}{:?}", carried(image).collect::<Vec<_>>());
        let first = !self.groups.contains_key(&group);
        let place = *self.groups.entry(group).or_insert(self.index.images.len());
        self.entries.push(place);
        if first {
            self.index.images.push(entry);
        }
        if let Some(images) = self.index.images.get_mut(place) {
            images.count += 1;
            if images.images.len() < NAMED_IMAGES {
                images.images.push(image.id().unwrap_or_default().to_owned());
            }
        }
        self.below(image, &here, first);
    }

    /// A calibration that came without an image belongs to the microscope that it names, and to its objective if that is
    /// the only one.
    fn without_image(&mut self, instruments: &[&Object], calibration: &Object) {
        let named = calibration.extra.get("microscope").map(Microscope::named);
        let of = named.as_ref().and_then(|named| named_by(instruments, named));
        let mut objectives = of.into_iter().flat_map(|i| i.children_of("Objective")).filter_map(Object::id);
        let channel = calibration.extra.get("channel").and_then(Json::as_str);
        let here = Event {
            instrument: of.and_then(Object::id).map(str::to_owned),
            instrument_key: of.and_then(|of| Microscope::of(of).key()),
            microscope: named.filter(|_| of.is_none()),
            // A microscope with one objective leaves no choice.
            objective: objectives.next().filter(|_| objectives.next().is_none()).map(str::to_owned),
            channels: channel.map(str::to_owned).into_iter().collect(),
            wavelength: calibration
                .extra
                .get("emission")
                .and_then(|light| serde_json::from_value(light.clone()).ok()),
            ..Event::default()
        };
        self.with_parts(calibration, &here, false);
    }

    fn below(&mut self, object: &Object, here: &Event, first: bool) {
        let mut here = here.clone();
        if object.class == "Channel" {
            here.channels =
                object.str("Name").or_else(|| object.id()).map(str::to_owned).into_iter().collect();
            let used = channel(object);
            here.detectors = used.detector.into_iter().collect();
            here.light_source = used.light_source;
        }
        for child in &object.children {
            if KINDS.contains(&child.class.as_str()) {
                self.with_parts(child, &here, first);
            } else {
                self.below(child, &here, first);
            }
        }
    }

    fn with_parts(&mut self, calibration: &Object, here: &Event, first: bool) {
        let mut event = event(calibration, here);
        event.measured_on = measured_on(calibration);
        let measured = event.measured_on.iter().find_map(|id| self.top.get(&("Image", id.as_str()))).copied();
        if let Some(image) = measured {
            self.measured(image, &mut event);
        }
        if calibration.class == "OpticalCalibration" {
            optical(calibration, &mut event);
        }
        let parts = event.clone();
        if event.kind != "DetectorCalibration" {
            event.detectors.clear();
        }
        if event.kind != "ExcitationCalibration" {
            event.light_source = None;
        }
        self.below(calibration, &parts, first);
        self.add(event, first);
    }

    /// What was measured on an image was measured with what that was taken with.
    fn measured(&self, image: &Object, event: &mut Event) {
        let channels = channels(image);
        match event.kind.as_str() {
            "OpticalCalibration" => {
                event.objective = objective(image).map(str::to_owned).or(event.objective.take());
                let named = image.child("Pixels").into_iter().flat_map(|p| p.children_of("Channel"));
                let names: Vec<String> = named.filter_map(|c| c.str("Name")).map(str::to_owned).collect();
                if !names.is_empty() {
                    event.channels = names;
                }
                // The light of the one channel; of several it is not said which was measured.
                if let [only] = channels.as_slice() {
                    event.wavelength.clone_from(&only.emission);
                }
            }
            "DetectorCalibration" => {
                let measured = detectors(&channels);
                if !measured.is_empty() {
                    event.detectors = measured;
                }
            }
            _ => return,
        }
        if let Some(id) = image.child("InstrumentRef").and_then(Object::target) {
            event.instrument = Some(id.to_owned());
            event.instrument_key = self.key(Some(id));
        }
    }

    fn key(&self, instrument: Option<&str>) -> Option<String> {
        Microscope::of(self.top.get(&("Instrument", instrument?))?).key()
    }

    /// One calibration may be repeated under every image it applies to. Of those it names the first ones, and the
    /// `first` of each entry of images.
    fn add(&mut self, mut event: Event, first: bool) {
        let images = std::mem::take(&mut event.images);
        let alike = self.index.events.iter_mut().find(|known| {
            event.images.clone_from(&known.images);
            **known == event
        });
        match alike {
            Some(known) if first || known.images.len() < NAMED_IMAGES => known.images.extend(images),
            Some(_) => {}
            None => {
                event.images = images;
                self.index.events.push(event);
            }
        }
    }
}

/// The instrument that results name: by what identifies it, or else by what they call it, if that is one alone.
fn named_by<'a>(instruments: &[&'a Object], named: &Microscope) -> Option<&'a Object> {
    let only = |test: &dyn Fn(&Microscope) -> Sameness| {
        let mut found = instruments.iter().filter(|i| test(&Microscope::of(i)) == Sameness::Same);
        found.next().filter(|_| found.next().is_none()).copied()
    };
    only(&|scope| scope.compare(named)).or_else(|| only(&|scope| scope.answers_to(named)))
}

/// Class, identifier and date of every calibration below an image.
fn carried(image: &Object) -> impl Iterator<Item = String> + '_ {
    let calibrations = image.descendants().into_iter().filter(|o| KINDS.contains(&o.class.as_str()));
    calibrations.map(|o| format!("{} {:?} {:?}", o.class, o.id(), o.str("Date")))
}

fn event(object: &Object, here: &Event) -> Event {
    let pair = ["ReferenceWavelength", "TestWavelength"].map(|field| metrics::wavelength(object, field));
    Event {
        kind: object.class.clone(),
        id: object.id().map(str::to_owned),
        date: day(object.str("Date")).or_else(|| here.date.clone()),
        metrics: metrics::of(object),
        standard: object.str("Method").map(str::to_owned),
        software: object.child("CalibrationSoftware").and_then(software),
        wavelength: ["ObservedEx-Wavelength", "NominalEx-Wavelength"]
            .iter()
            .find_map(|field| metrics::wavelength(object, field))
            .or_else(|| here.wavelength.clone()),
        wavelengths: pair.into_iter().flatten().collect(),
        point_spread_function: None,
        ..here.clone()
    }
}

fn optical(calibration: &Object, event: &mut Event) {
    let is_standard =
        |c: &&Object| catalogue::class(&c.class).is_some_and(|c| c.is_a("OpticalCalibrationStandardGroup"));
    let standard = calibration.children.iter().find(is_standard);
    event.standard = standard.and_then(name);
    let beads = standard.into_iter().flat_map(Object::descendants).find(|o| o.class == "WavelengthRange");
    event.wavelength = event.wavelength.take().or_else(|| metrics::wavelength(beads?, "PeakWavelength"));
    // What was measured of it, or at least what it was measured on, unless that is said to be for something else.
    let is_measured = event.metrics.iter().any(|m| POINT_SPREAD.contains(&m.name.as_str()));
    let evaluates = calibration.children.iter().any(|c| EVALUATIONS.contains(&c.class.as_str()));
    let is_of_beads =
        standard.is_some_and(|s| ["ColoredBeadsSlide", "DNAOrigami"].contains(&s.class.as_str()));
    event.point_spread_function =
        Some(is_measured || !evaluates && (!event.measured_on.is_empty() || is_of_beads));
}

fn measured_on(object: &Object) -> Vec<String> {
    let is_image = |c: &&Object| c.class.ends_with("ImageRef");
    object.children.iter().filter(is_image).filter_map(Object::target).map(str::to_owned).collect()
}

fn objective(image: &Object) -> Option<&str> {
    image.child("ObjectiveSettings").and_then(Object::target)
}

fn channels(image: &Object) -> Vec<Channel> {
    image.child("Pixels").into_iter().flat_map(|p| p.children_of("Channel")).map(channel).collect()
}

/// What is known of a channel, and what it was taken with.
pub(crate) fn channel(object: &Object) -> Channel {
    let path = object.child("LightPath");
    let used = |head: &str| {
        let is_a = |o: &&Object| catalogue::class(&o.class).is_some_and(|c| c.is_a(head));
        path.and_then(|path| path.children.iter().find(is_a)?.target()).map(str::to_owned)
    };
    let dye = object.child("Fluorophore");
    let light = |field: &str| metrics::wavelength(dye?, field);
    Channel {
        // Without a name it goes by its identifier, as in the calibrations that it carries.
        name: object.str("Name").or_else(|| object.id()).map(str::to_owned),
        excitation: light("ExcitationWavelength"),
        emission: light("EmissionWavelength"),
        detector: used("DetectorSettingsGroup"),
        light_source: used("LightSourceSettings"),
    }
}

fn detectors(channels: &[Channel]) -> Vec<String> {
    let mut found: Vec<String> = channels.iter().filter_map(|c| c.detector.clone()).collect();
    found.sort();
    found.dedup();
    found
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

/// The day of a date or date and time; none if the source says none that exists.
fn day(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    value::date(text)?;
    let day = text.get(..10)?;
    is_date(day).then(|| day.to_owned())
}
