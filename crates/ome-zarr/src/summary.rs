//! `fairzarr:summary`: what most readers ask of an image, at the image itself. `docs/summary.md` says what is in it.
//!
//! It is made of the other attributes of the store and of what its OME-XML says of planes, and of nothing else, so that it can
//! be made again from a store by whoever changes those or doubts it.

use fairzarr_nbo::Record;
use fairzarr_nbo::summary::{ChannelSaid, Quantity, Range, Said, Summaries as Records, shortened};
use fairzarr_ngff::{Multiscale, Omero, parse_image, units};
use fairzarr_ome_xml::{Document, Planes};
use serde_json::{Map, Value, json};

use crate::Conversion;
use crate::keys::{CONVERSION, HISTORY, MODEL, OME};

/// The version of what is written.
pub const SUMMARY_SCHEMA: u64 = 1;

/// Longest summary in bytes of JSON. Channels beyond are counted, and not described.
pub const LONGEST_SUMMARY: usize = 8192;

/// What the summaries of a store are made of, looked through once for all images.
pub struct Summaries<'a> {
    records: Records<'a>,
    /// By image of the store its number in the record.
    held: Vec<Option<usize>>,
    coverage: Option<Value>,
    /// By image of the OME model, where the tables of its planes are.
    tables: Vec<Option<Value>>,
}

/// An image as its group and arrays have it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its number among the images of the store.
    pub series: usize,
    /// The path of its group; empty for the root.
    pub path: &'a str,
    /// The attributes of its group.
    pub attributes: &'a Map<String, Value>,
    /// The shape of its full resolution, in the order of its axes.
    pub shape: &'a [u64],
    /// The data type of that, by its name in Zarr v3.
    pub data_type: &'a str,
    /// Its number in the OME model of the store.
    pub in_model: Option<usize>,
    /// What the OME-XML says of its planes.
    pub planes: Option<&'a Planes>,
}

/// What the OME-XML of a store says of its images: their planes, and their numbers in the OME model.
#[derive(Debug, Default)]
pub struct OmeImages {
    metadata: Option<Document>,
    numbers: Vec<Option<usize>>,
}

impl<'a> Summaries<'a> {
    /// `root` has the attributes of the root, with those of the record; `ome` those of the group `OME`.
    pub fn new(record: &'a Record, root: &Map<String, Value>, ome: &Map<String, Value>) -> Self {
        let images = model_images(ome);
        Self {
            records: Records::new(record),
            held: record.in_store.clone().unwrap_or_default(),
            coverage: root.get("nbo:coverage").and_then(coverage),
            tables: images.iter().enumerate().map(|(number, image)| table(number, image)).collect(),
        }
    }

    /// The summary of an image.
    pub fn image(&self, subject: &Subject<'_>) -> Value {
        self.made(subject, LONGEST_SUMMARY)
    }

    /// The summary of an image with all of its channels, however long.
    pub fn whole(&self, subject: &Subject<'_>) -> Value {
        self.made(subject, usize::MAX)
    }

    /// What the record says of an image of the store.
    pub fn said(&self, series: usize) -> Option<Said> {
        self.held.get(series).copied().flatten().and_then(|number| self.records.image(number))
    }

    fn made(&self, subject: &Subject<'_>, longest: usize) -> Value {
        let parsed = parse_image(subject.attributes).ok();
        let (multiscale, omero) = match parsed {
            Some((_, multiscale, omero)) => (multiscale, omero),
            None => (Multiscale::default(), None),
        };
        let said = self.said(subject.series).unwrap_or_default();
        let mut summary = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value.filter(|value| !value.is_null()) {
                summary.insert(name.into(), value);
            }
        };
        put("schema", Some(SUMMARY_SCHEMA.into()));
        put("name", multiscale.name.as_deref().map(|name| shortened(name).into()));
        put("acquisitionDate", said.day.clone().map(Value::from));
        put("acquired", said.acquired.clone().map(Value::from));
        let axes = || multiscale.axes.iter().zip(subject.shape);
        put("size", Some(axes().map(|(axis, size)| (axis.name.clone(), json!(size))).collect()));
        put("type", Some(subject.data_type.into()));
        put("pixelSize", object(pixel_size(&multiscale, &said)));
        put("microscope", said.microscope.as_ref().and_then(|of| object_of(json!(of))));
        put("objective", said.objective.as_ref().and_then(|of| object_of(json!(of))));
        let up = vec![".."; subject.path.split('/').filter(|part| !part.is_empty()).count()].join("/");
        put("root", Some(if up.is_empty() { ".".into() } else { up.into() }));
        put("planes", subject.in_model.and_then(|number| self.tables.get(number)?.clone()));
        let image = subject.attributes.get("nbo:record").and_then(|record| record["image"]["@id"].as_str());
        put("record", image.map(|image| json!({"attribute": "nbo:record", "image": image})));
        put("qc", Some(json!(said.calibrations)));
        put("coverage", self.coverage.clone());
        let count = axes().find(|(axis, _)| axis.name == "c").map_or(1, |(_, size)| *size);
        let channels = Channels { said: &said, omero: omero.as_ref(), planes: subject.planes, count };
        channels.put(&mut summary, longest);
        summary.into()
    }
}

impl OmeImages {
    /// Of a store of so many images. `metadata` is its METADATA.ome.xml.
    pub fn new(
        metadata: Option<Document>,
        images: usize,
        root: &Map<String, Value>,
        ome: &Map<String, Value>,
    ) -> Self {
        // Ours may have further images, of pages that no metadata mention, and those come last. Of what others have written,
        // nothing is known to be of an image of the store unless there are as many.
        let is_ours = root.contains_key(CONVERSION);
        let described = metadata.as_ref().map_or(0, |document| document.ome().images.len());
        let metadata = metadata.filter(|_| described == images || is_ours && described < images);
        let described = metadata.as_ref().map_or(&[][..], |document| &document.ome().images);
        let model = model_images(ome);
        if described.len() == model.len() {
            return Self { numbers: (0..model.len()).map(Some).collect(), metadata };
        }
        // The model has the images of the whole source, in the same order; an image is known there by its ID, or by what was
        // written down of which were converted.
        let series = Conversion::of(root).and_then(Conversion::series).unwrap_or_default();
        let mut from = 0;
        let numbers = described.iter().enumerate().map(|(place, image)| {
            let by_id =
                || (from..model.len()).find(|number| model[*number]["ID"].as_str() == Some(&image.id));
            let number = by_id().or_else(|| series.get(place).copied().filter(|n| *n < model.len()))?;
            from = number + 1;
            Some(number)
        });
        let numbers = numbers.collect();
        Self { metadata, numbers }
    }

    /// The number of an image of the store in the OME model.
    pub fn in_model(&self, series: usize) -> Option<usize> {
        self.numbers.get(series).copied().flatten()
    }

    /// The planes of an image of the store.
    pub fn planes(&self, series: usize) -> Option<&Planes> {
        Some(&self.metadata.as_ref()?.ome().images.get(series)?.pixels.as_ref()?.planes)
    }
}

/// Whether a store says of itself that its images have summaries.
pub fn has_summaries(root: &Map<String, Value>) -> bool {
    let says = |step: &Value| step.get("summary").is_some();
    let history = root.get(HISTORY).and_then(Value::as_array);
    root.get(CONVERSION).is_some_and(says) || history.into_iter().flatten().any(says)
}

/// The channels of an image's array, of which the record may say something.
struct Channels<'a> {
    said: &'a Said,
    omero: Option<&'a Omero>,
    planes: Option<&'a Planes>,
    count: u64,
}

impl Channels<'_> {
    /// As many as there is room for, and how many there are besides.
    fn put(&self, summary: &mut Map<String, Value>, longest: usize) {
        let ours = self.said_by_place();
        let exposures = self.planes.map(exposures).unwrap_or_default();
        let mut listed = Vec::new();
        let mut room = longest.saturating_sub(Value::Object(summary.clone()).to_string().len() + FRAME);
        for place in 0..self.count.min(MOST_CHANNELS) {
            let at = usize::try_from(place).ok().and_then(|place| ours.get(place)).copied().flatten();
            let channel = self.channel(place, at, &exposures);
            let length = channel.to_string().len() + 1;
            let Some(left) = room.checked_sub(length) else { break };
            room = left;
            listed.push(channel);
        }
        let more = self.count - listed.len() as u64;
        summary.insert("channels".into(), listed.into());
        if more > 0 {
            summary.insert("channelsNotListed".into(), more.into());
        }
    }

    /// For each channel of the array the number of the record's channel that it belongs to. A pixel of several samples is one
    /// channel of the record; where the two do not add up, nothing is known.
    fn said_by_place(&self) -> Vec<Option<usize>> {
        let channels = &self.said.channels;
        let samples = channels.iter().fold(0_u64, |sum, channel| sum.saturating_add(channel.samples as u64));
        if samples == self.count && self.count <= MOST_CHANNELS {
            let places = channels.iter().enumerate();
            return places.flat_map(|(number, of)| std::iter::repeat_n(Some(number), of.samples)).collect();
        }
        if channels.len() as u64 == self.count {
            return (0..channels.len()).map(Some).collect();
        }
        Vec::new()
    }

    fn channel(&self, place: u64, at: Option<usize>, exposures: &[Option<Range>]) -> Value {
        let none = ChannelSaid::default();
        let said = at.and_then(|at| self.said.channels.get(at)).unwrap_or(&none);
        let label = usize::try_from(place).ok().and_then(|place| self.omero?.channels.get(place));
        let label = label.map(|channel| shortened(&channel.label)).filter(|label| !label.is_empty());
        let exposure = at.and_then(|at| exposures.get(at)).and_then(Option::as_ref);
        let mut channel = Map::new();
        for (name, value) in [
            ("name", json!(said.name.clone().or(label))),
            ("fluorophore", json!(said.fluorophore)),
            ("excitation", json!(said.excitation)),
            ("emission", json!(said.emission)),
            ("exposure", json!(exposure.or(said.exposure.as_ref()))),
            ("lightSource", json!(said.light_source)),
            ("detector", json!(said.detector)),
        ] {
            if !value.is_null() {
                channel.insert(name.into(), value);
            }
        }
        channel.into()
    }
}

/// Channels that are looked at; what a shape says is nobody's promise.
const MOST_CHANNELS: u64 = 65_536;

/// Bytes of the names and brackets around the channels.
const FRAME: usize = 64;

/// Least and greatest exposure time by channel.
fn exposures(planes: &Planes) -> Vec<Option<Range>> {
    let mut ranges: Vec<Option<Range>> = Vec::new();
    for (plane, channel) in planes.the_c.iter().enumerate() {
        let Some((time, unit)) = planes.exposure_time.get(plane) else { continue };
        let channel = *channel as usize;
        // A number that no channel has is no reason to take memory.
        if channel as u64 >= MOST_CHANNELS {
            continue;
        }
        if ranges.len() <= channel {
            ranges.resize(channel + 1, None);
        }
        if let Some(range) = ranges.get_mut(channel) {
            Range::widen(range, time, unit.symbol());
        }
    }
    ranges
}

/// Sizes along x, y and z and the time increment. What NGFF says holds; the record knows how the source writes it.
fn pixel_size(multiscale: &Multiscale, said: &Said) -> Map<String, Value> {
    let scale = multiscale.datasets.first().map(|level| level.scale.as_slice()).unwrap_or_default();
    let [z, y, x] = &said.pixel_size;
    let mut sizes = Map::new();
    for (name, recorded) in [("x", x), ("y", y), ("z", z), ("t", &said.time_increment)] {
        let axis = multiscale.axes.iter().zip(scale).find(|(axis, _)| axis.name == name);
        let of_axis = axis.and_then(|(axis, size)| {
            let symbol = units::ome_symbol(axis.unit.as_deref()?)?;
            Some(Quantity::new(*size, symbol, &size.to_string()))
        });
        let agreed =
            recorded.as_ref().filter(|recorded| of_axis.as_ref().is_none_or(|of| of.agrees(recorded)));
        if let Some(size) = agreed.or(of_axis.as_ref()) {
            sizes.insert(name.into(), json!(size));
        }
    }
    sizes
}

/// By policy and tier, how many of the fields that have to be filled are.
fn coverage(reports: &Value) -> Option<Value> {
    let reports = reports.as_array()?.iter().map(|report| {
        let tiers = report["tiers"].as_array().into_iter().flatten();
        let tiers = tiers
            .map(|tier| json!({"tier": tier["tier"], "filled": tier["must_filled"], "of": tier["must"]}));
        json!({
            "policy": shortened(report["policy"].as_str().unwrap_or_default()),
            "errors": report["errors"], "warnings": report["warnings"], "tiers": tiers.collect::<Vec<_>>(),
        })
    });
    Some(reports.collect())
}

/// The images of the structured OME model.
fn model_images(ome: &Map<String, Value>) -> &[Value] {
    let images = ome.get(MODEL).and_then(|model| model["OME"][0]["Image"].as_array());
    images.map(Vec::as_slice).unwrap_or_default()
}

/// Where the planes of an image of the model are.
fn table(number: usize, image: &Value) -> Option<Value> {
    let planes = &image["Pixels"][0]["Plane"];
    let path = format!("{OME}/{}", planes["#table"].as_str()?);
    let mut table = json!({"path": path, "rows": planes["rows"]});
    if let Some(first) = planes.get("first") {
        // One table for all images: this is the number of this one there.
        table["first"] = first.clone();
        table["image"] = number.into();
    }
    Some(table)
}

fn object(members: Map<String, Value>) -> Option<Value> {
    (!members.is_empty()).then(|| members.into())
}

fn object_of(value: Value) -> Option<Value> {
    value.as_object().is_some_and(|members| !members.is_empty()).then_some(value)
}
