//! The index of quality control: which calibrations a record holds, of what and when, and whether an
//! image satisfies a demand such as `OpticalCalibration within 90 days`.
//!
//! A calibration says nothing about objective, detector or microscope itself. It hangs on an image (a channel, a
//! plane), and theirs are its own; one that was measured on another image takes those of that image, if the record
//! holds it. Results that came without an image (microscope-metrics) belong to the microscope that they name.
//!
//! Of all calibrations those *apply* to an image that it carries itself, and those of the same microscope and, by kind,
//! the same objective, detector or light source. The latest of them before the acquisition *decides*, an image's own
//! before others. What a metric has to satisfy is asked of every channel of the image. What is missing gives
//! *unknown*, and nothing known never passes. `tests/verdicts.rs` states the rule for every combination.
//!
//! Age is counted in whole days, from calibration to acquisition, on or before it unless a demand says
//! `either side`. A day is the one that is written, in its own time zone: a date without a time cannot be moved to
//! another.
//!
//! ```
//! use fairzarr_nbo::qc::Requirement;
//! let r: Requirement = "OpticalCalibration within 90 days and MedianXYSpotSize_FWHM <= 250 nm".parse().unwrap();
//! assert_eq!(r.within_days, Some(90));
//! // What is misspelt is told before anything is asked.
//! let error = "OpticalCalbration within 90 days".parse::<Requirement>().unwrap_err();
//! assert!(error.to_string().contains("the nearest is OpticalCalibration"));
//! ```

mod index;
mod metrics;
mod quality;
mod question;
mod relation;
mod verdict;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::identity::Microscope;

pub use index::index;
pub(crate) use index::{channel, with_entries};
pub use quality::{
    Counted, ImageQuality, KIND as IMAGE_QUALITY, METRICS as IMAGE_QUALITY_METRICS,
    require as require_quality,
};
pub use question::{Condition, Limit, Requirement};
pub use verdict::{Outcome, Verdict};

/// The kinds of calibration that a record holds. [`IMAGE_QUALITY`] can be demanded too, and is in no record.
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

/// The layout of the index that is written. Older ones do not say which images are the store's, and are made anew from
/// the record.
pub const LAYOUT: u64 = 3;

/// The index of one store.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Index {
    /// [`LAYOUT`]; 0 where none is said.
    pub layout: u64,
    /// Calibrations, one entry each.
    pub events: Vec<Event>,
    /// Images that share what decides about calibrations.
    pub images: Vec<Images>,
    /// What identifies the microscopes, by their identifiers in the record.
    pub instruments: BTreeMap<String, Microscope>,
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
    /// The microscope that the document names, where the record has no instrument that is known to be it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microscope: Option<Microscope>,
    /// Identifier of the objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// Identifiers of the detectors, of a calibration of detectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub detectors: Vec<String>,
    /// Identifier of the light source, of a calibration of excitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub light_source: Option<String>,
    /// Names, or identifiers, of the channels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// The light it was measured with, or measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wavelength: Option<Wavelength>,
    /// The two wavelengths of a registration, that of reference first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wavelengths: Vec<Wavelength>,
    /// Of an optical calibration: whether it holds a point spread function, and not just the uniformity of the field or
    /// the registration of colours, which are kinds of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point_spread_function: Option<bool>,
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
    /// Unit symbol; none for ratios and counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// `schema` where the document leaves the unit to its schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_from: Option<String>,
    /// median, mean, minimum, maximum or standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<String>,
    /// Number of measurements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// Standard deviation of the measurements, in the unit of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
}

/// Images that share date, microscope, objective, channels and calibrations, which in a plate are all.
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
    /// Their channels, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// Whether the store holds them; not said in the record of a document that is about no store. Images of a store that
    /// nothing is known of are an entry without identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_store: Option<bool>,
    /// How many there are.
    pub count: usize,
    /// Identifiers of the first of them.
    pub images: Vec<String>,
}

/// A channel of an image, and what it was taken with.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Channel {
    /// Name; of one without, its identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of the light that excites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excitation: Option<Wavelength>,
    /// Of the light that is emitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emission: Option<Wavelength>,
    /// Identifier of the detector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detector: Option<String>,
    /// Identifier of the light source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub light_source: Option<String>,
}

impl Index {
    /// The index as a JSON attribute.
    pub fn to_json(&self) -> Json {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Reads the attribute.
    ///
    /// # Errors
    /// [`crate::Error::Syntax`] if it is not an index.
    pub fn from_json(json: &Json) -> Result<Self, crate::Error> {
        Self::deserialize(json)
            .map_err(|e| crate::Error::Syntax { form: "quality-control index", why: e.to_string() })
    }
}

impl Wavelength {
    /// In nanometres, if its unit is one of length.
    pub fn nanometres(&self) -> Option<f64> {
        crate::unit::convert(self.value, &self.unit, "nm")
    }
}
