//! NGFF values that follow from the OME-XML, or where there is none from the tags and what ImageJ and scanners
//! say: derived again from the source and the stored arrays' shapes, and compared with what the store says.

use fairzarr_ngff::from_ome::{self, Plates};
use fairzarr_ngff::{Axis, AxisKind, Dataset, Version};
use fairzarr_ome_tiff::{Fileset, Image};
use fairzarr_ome_xml as ome_xml;
use fairzarr_ome_zarr::{Hierarchy, OpenImage, StoredImage, attributes, keys};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fmt::Debug;

use crate::error::Error;
use crate::report::{Check, Difference, Proof};

/// How far a stored number may be from the derived one, as a fraction of it: unit conversions round.
const TOLERANCE: f64 = 1e-12;

/// The proof, image by image.
pub(crate) struct Derivation<'a> {
    source: &'a Fileset,
    found: Found,
    derived: usize,
    /// Other programs do not look at PhotometricInterpretation.
    by_fairzarr: bool,
    /// What was asked for at the conversion.
    stage_positions: bool,
    delta_t: bool,
}

impl<'a> Derivation<'a> {
    pub(crate) fn new(source: &'a Fileset, hierarchy: &Hierarchy) -> Self {
        let conversion = hierarchy.conversion();
        Self {
            source,
            found: Found::default(),
            derived: 0,
            by_fairzarr: conversion.is_some(),
            stage_positions: conversion.is_some_and(|conversion| conversion.has_stage_positions()),
            delta_t: conversion.is_some_and(|conversion| conversion.has_delta_t()),
        }
    }

    /// Compares an image.
    pub(crate) fn image(&mut self, image: &OpenImage<'_>) {
        let OpenImage { index, stored, levels: arrays, .. } = image;
        let (index, found) = (*index, &mut self.found);
        let Some(image) = self.source.images().get(index) else { return };
        let mut described = self.source.described(image);
        if self.delta_t {
            described = from_ome::with_delta_t(described);
        }
        let described = &described;
        let origin = if self.stage_positions {
            from_ome::origin(self.source.document().map(ome_xml::Document::ome), described)
        } else {
            [0.0; 5]
        };
        self.derived += 1;
        let place = |what: &str| format!("image {index}, {what}");
        let name = from_ome::name(described, index);
        found.equal(place("name"), &name, &stored.multiscale.name.clone().unwrap_or_default());
        let shapes: Vec<Vec<u64>> = arrays.iter().map(|array| array.shape().to_vec()).collect();
        axes(found, index, described, &stored.multiscale.axes);
        levels(found, index, (described, origin), stored, &shapes);
        let samples = image.channel_groups().iter().map(ExactSizeIterator::len).max().unwrap_or(1);
        channels(found, index, described, samples, stored);
        if self.by_fairzarr {
            inverted(found, index, image, stored);
        }
    }

    /// Compares the plates, if there are any.
    pub(crate) fn finish(mut self, hierarchy: &Hierarchy) -> Result<Check, Error> {
        plates(&mut self.found, self.source, hierarchy)?;
        let covered = format!("{} values of {} images", self.found.compared, self.derived);
        Ok(Check::new(Proof::Derivation, covered, self.found.differences))
    }
}

/// What has been compared so far.
#[derive(Default)]
struct Found {
    compared: usize,
    differences: Vec<Difference>,
}

impl Found {
    fn equal<T: Debug + PartialEq>(&mut self, place: String, expected: &T, found: &T) {
        self.compared += 1;
        if expected != found {
            let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
            self.differences.push(Difference { place, expected, found });
        }
    }

    fn near(&mut self, place: String, expected: f64, found: f64) {
        self.compared += 1;
        if (expected - found).abs() > TOLERANCE * expected.abs() || !found.is_finite() {
            let (expected, found) = (expected.to_string(), found.to_string());
            self.differences.push(Difference { place, expected, found });
        }
    }
}

/// Names, kinds and units. Other software may leave out axes of length one.
fn axes(found: &mut Found, image: usize, described: &ome_xml::Image, stored: &[Axis]) {
    let derived = from_ome::axes(described);
    for axis in stored {
        let place = |what: &str| format!("image {image}, axis {}, {what}", axis.name);
        let Some(derived) = derived.iter().find(|derived| derived.name == axis.name) else {
            found.equal(place("name"), &"one of t, c, z, y, x", &axis.name.as_str());
            continue;
        };
        let kind = |axis: &Axis| axis.kind.clone().unwrap_or(AxisKind::Custom(String::new()));
        found.equal(place("type"), &kind(derived), &kind(axis));
        let unit = |axis: &Axis| axis.unit.clone().unwrap_or_else(|| "none".into());
        found.equal(place("unit"), &unit(derived), &unit(axis));
    }
}

/// Scales and translations.
fn levels(
    found: &mut Found,
    image: usize,
    (described, origin): (&ome_xml::Image, from_ome::Origin),
    stored: &StoredImage,
    shapes: &[Vec<u64>],
) {
    let names: Vec<&str> = stored.multiscale.axes.iter().map(|axis| axis.name.as_str()).collect();
    let place_of = AXES.map(|axis| names.iter().position(|name| *name == axis));
    let mut factors = Vec::new();
    let mut factor: from_ome::Factors = [1.0; 5];
    for (level, shape) in shapes.iter().enumerate() {
        for (factor, place) in factor.iter_mut().zip(place_of) {
            let size = |shape: &Vec<u64>| place.and_then(|place| shape.get(place)).copied();
            if let Some((before, now)) = level.checked_sub(1).and_then(|n| size(&shapes[n])).zip(size(shape))
            {
                *factor *= step(before, now);
            }
        }
        factors.push(factor);
    }
    let derived = from_ome::datasets(described, &factors, stored.method(), origin);
    for (level, (derived, dataset)) in derived.iter().zip(&stored.multiscale.datasets).enumerate() {
        for (axis, place) in place_of.iter().enumerate() {
            let Some(place) = *place else { continue };
            let what = |what: &str| format!("image {image}, level {level}, {what} along {}", AXES[axis]);
            let scale = dataset.scale.get(place).copied().unwrap_or(f64::NAN);
            found.near(what("scale"), derived.scale[axis], scale);
            let at = |dataset: &Dataset, index: usize| match &dataset.translation {
                Some(translation) => translation.get(index).copied().unwrap_or(f64::NAN),
                None => 0.0,
            };
            found.near(what("translation"), at(derived, axis), at(dataset, place));
        }
    }
}

/// Samples of a level that one of the next spans. A side that is not even is halved and rounded.
fn step(before: u64, now: u64) -> f64 {
    if before == now {
        1.0
    } else if now == before / 2 || now == before.div_ceil(2) {
        2.0
    } else {
        before as f64 / now.max(1) as f64
    }
}

/// Names and colours. Images without rendering settings, as those of complex samples, have none.
fn channels(
    found: &mut Found,
    image: usize,
    described: &ome_xml::Image,
    samples: usize,
    stored: &StoredImage,
) {
    let Some(omero) = &stored.omero else { return };
    let derived = from_ome::channels(described, omero.channels.len(), samples);
    for (channel, (derived, stored)) in derived.iter().zip(&omero.channels).enumerate() {
        let place = |what: &str| format!("image {image}, channel {channel}, {what}");
        found.equal(place("name"), &derived.label, &stored.label);
        found.equal(place("colour"), &derived.color, &stored.color);
    }
}

/// Whether the lowest value is white.
fn inverted(found: &mut Found, index: usize, image: &Image, stored: &StoredImage) {
    let expected = image.appearance().inverted;
    for (channel, stored) in stored.omero.iter().flat_map(|omero| &omero.channels).enumerate() {
        let is_inverted = stored.extra.get("inverted") == Some(&Value::Bool(true));
        found.equal(format!("image {index}, channel {channel}, inverted"), &expected, &is_inverted);
    }
}

/// Rows, columns, wells, fields and acquisitions, where the store has a plate.
fn plates(found: &mut Found, source: &Fileset, hierarchy: &Hierarchy) -> Result<(), Error> {
    let root = hierarchy.root();
    let Some(ome) = source.document().map(ome_xml::Document::ome) else { return Ok(()) };
    if member(root, "plate").is_none() {
        return Ok(());
    }
    let refuse = |error: &dyn std::fmt::Display| fairzarr_ome_zarr::Error::Metadata {
        path: "the root group".into(),
        reason: error.to_string(),
    };
    let version = Version::of(root).map_err(|error| refuse(&error))?.unwrap_or_default();
    let there: HashSet<usize> = source.images().iter().filter_map(Image::ome_index).collect();
    let derived = Plates::new(ome, |image| there.contains(&image)).map_err(|error| refuse(&error))?;
    let null = Value::Null;
    if derived.plates.is_empty() {
        found.equal("plate".into(), &"no plate with images", &"a plate");
    }
    for (path, layout) in derived.plates {
        let expected = layout.plate.attributes(version);
        let group = attributes(hierarchy.store(), &path)?.unwrap_or_default();
        let place = if path.is_empty() { "plate".to_owned() } else { format!("plate at {path}") };
        let stored = member(&group, "plate").unwrap_or(&null);
        found.equal(place, member(&expected, "plate").unwrap_or(&null), stored);
        for well in layout.wells {
            let path = keys::join(&path, &well.path);
            let expected = well.well.attributes(version);
            let group = attributes(hierarchy.store(), &path)?.unwrap_or_default();
            let (expected, stored) = (member(&expected, "well"), member(&group, "well"));
            found.equal(format!("well {path}"), expected.unwrap_or(&null), stored.unwrap_or(&null));
        }
    }
    Ok(())
}

/// A member of NGFF's, wherever its version has it.
fn member<'a>(attributes: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    attributes.get("ome").and_then(|ome| ome.get(name)).or_else(|| attributes.get(name))
}

const AXES: [&str; 5] = ["t", "c", "z", "y", "x"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_halves_its_sides_or_keeps_them() {
        let steps = (step(1, 1), step(2, 1), step(7, 4), step(7, 3), step(12, 4));
        assert_eq!(steps, (1.0, 2.0, 2.0, 2.0, 3.0));
    }
}
