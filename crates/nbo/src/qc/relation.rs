//! Whether a calibration applies to images: by their microscope, and by kind their objective, detector, light.

use super::{Channel, Event, Images, Index};
use crate::identity::Sameness;

/// How many nanometres a wavelength may be away from the one that is asked for: the width of a line or of a band.
pub(super) const NEAR: f64 = 10.0;

/// How a calibration stands to images.
pub(super) enum Relation {
    /// It says nothing about them, and why.
    Not(String),
    /// The record does not say whether it does.
    Unclear(String),
    /// It applies: what it is to them, and whether they carry it themselves.
    Applies(&'static str, bool),
}

/// Whether a calibration is of a channel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Covers {
    Yes,
    No,
    /// It does not say.
    Unsaid,
}

/// Kinds that depend on the objective.
fn is_optical(kind: &str) -> bool {
    ["OpticalCalibration", "ChromaticRegistrationEvaluation", "FieldUniformityEvaluation"].contains(&kind)
}

pub(super) fn relation(index: &Index, event: &Event, images: &Images) -> Relation {
    use Relation::{Applies, Not, Unclear};
    let kind = event.kind.as_str();
    let detectors: Vec<&str> = images.channels.iter().filter_map(|c| c.detector.as_deref()).collect();
    let is_of_detector = kind == "DetectorCalibration";
    let of_other_detector = is_of_detector
        && !detectors.is_empty()
        && !event.detectors.is_empty()
        && !event.detectors.iter().any(|d| detectors.contains(&d.as_str()));
    if event.images.iter().any(|i| images.images.contains(i)) {
        // It may have been measured on another image, and that one was taken otherwise.
        let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        return if is_optical(kind) && differ(&event.objective, &images.objective) {
            Not("the calibration of this image was measured with another objective".into())
        } else if (is_optical(kind) || is_of_detector) && differ(&event.instrument, &images.instrument) {
            Not("the calibration of this image was measured on another microscope".into())
        } else if of_other_detector {
            Not("the calibration of this image is of another detector".into())
        } else {
            Applies("a calibration of this image", true)
        };
    }
    match same_microscope(index, event, images) {
        Sameness::Different(why) => return Not(format!("it is of another microscope: {why}")),
        Sameness::Unclear => {
            let known = images.instrument.is_some();
            let why = if known && (event.instrument.is_some() || event.microscope.is_some()) {
                "the record does not say whether it was made on the same microscope"
            } else {
                "the record does not say which microscope was used"
            };
            return Unclear(why.into());
        }
        Sameness::Same => {}
    }
    if is_of_detector {
        return if of_other_detector {
            Not("it is of another detector".into())
        } else if detectors.is_empty() || event.detectors.is_empty() {
            Unclear("the record does not say which detector was used".into())
        } else {
            Applies("a calibration of the same detector", false)
        };
    }
    if !is_optical(kind) {
        return Applies("a calibration of the same instrument", false);
    }
    match event.objective.as_ref().zip(images.objective.as_ref()) {
        Some((a, b)) if a == b => Applies("a calibration of the same instrument and objective", false),
        Some(_) => Not("it is of another objective".into()),
        None => Unclear("the record does not say which objective was used".into()),
    }
}

fn same_microscope(index: &Index, event: &Event, images: &Images) -> Sameness {
    if event.instrument.is_some() && event.instrument == images.instrument {
        return Sameness::Same;
    }
    let known = |id: &Option<String>| index.instruments.get(id.as_deref()?);
    let Some(own) = known(&images.instrument) else { return Sameness::Unclear };
    match (known(&event.instrument), &event.microscope) {
        (Some(other), _) => own.compare(other),
        // The record has several that answer to it, or this would have been found.
        (None, Some(named)) => match own.answers_to(named) {
            Sameness::Same => Sameness::Unclear,
            decided => decided,
        },
        (None, None) => Sameness::Unclear,
    }
}

/// Whether a calibration is of this channel: by light source or detector, name, or wavelength, whatever both say first.
pub(super) fn covers(event: &Event, channel: &Channel) -> Covers {
    let decided = |same: bool| if same { Covers::Yes } else { Covers::No };
    match event.kind.as_str() {
        "DetectorCalibration" => {
            return match &channel.detector {
                Some(detector) if !event.detectors.is_empty() => decided(event.detectors.contains(detector)),
                _ => Covers::Unsaid,
            };
        }
        "ExcitationCalibration" => {
            if let (Some(a), Some(b)) = (&event.light_source, &channel.light_source) {
                return decided(a == b);
            }
        }
        "ChromaticRegistrationEvaluation" => {
            let Some(light) = channel.emission.as_ref().and_then(super::Wavelength::nanometres) else {
                return Covers::Unsaid;
            };
            let pair: Vec<f64> = event.wavelengths.iter().filter_map(super::Wavelength::nanometres).collect();
            return if pair.is_empty() {
                Covers::Unsaid
            } else {
                decided(pair.iter().any(|measured| (measured - light).abs() <= NEAR))
            };
        }
        _ => {}
    }
    if let Some(name) = channel.name.as_ref().filter(|_| !event.channels.is_empty()) {
        return decided(event.channels.iter().any(|own| own.eq_ignore_ascii_case(name)));
    }
    let light = if event.kind == "ExcitationCalibration" { &channel.excitation } else { &channel.emission };
    let measured = event.wavelength.as_ref().and_then(super::Wavelength::nanometres);
    match measured.zip(light.as_ref().and_then(super::Wavelength::nanometres)) {
        Some((measured, light)) => decided((measured - light).abs() <= NEAR),
        None => Covers::Unsaid,
    }
}
