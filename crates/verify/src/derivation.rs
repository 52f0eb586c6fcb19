//! NGFF values that follow from the OME-XML, or where there is none from the tags and what ImageJ and scanners
//! say: derived again from the source, or the documents of it that the store keeps, and the stored arrays' shapes, and
//! compared with what the store says.

use fairzarr_ngff::from_ome::{self, Placed, Plates};
use fairzarr_ngff::{
    Axis, AxisKind, Dataset, Version, bioformats2raw_attributes, merge, scene_attributes, series_attributes,
};
use fairzarr_ome_xml as ome_xml;
use fairzarr_ome_zarr::{Hierarchy, StoredImage, attributes, keys};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fmt::Debug;

use crate::error::Error;
use crate::json;
use crate::origin::{Origin, Seen};
use crate::report::{Check, Difference, Proof};

mod whole;

/// How far a stored number may be from the derived one, as a fraction of it: unit conversions round.
const TOLERANCE: f64 = 1e-12;

/// Compares all images, the plates, and, of what fairzarr wrote, all of NGFF's members: nothing else may stand there.
pub(crate) fn check(origin: &Origin, seen: &[Seen], hierarchy: &Hierarchy) -> Result<Check, Error> {
    let found = &mut Found::default();
    let mut notes = Vec::new();
    let by_fairzarr = hierarchy.conversion().is_some();
    let history = hierarchy.root().get(keys::HISTORY).and_then(Value::as_array);
    // An upgrade writes what it finds in another version's form, and adds nothing.
    let as_written = history.into_iter().flatten().all(|event| event.get("action") == Some(&"embed".into()));
    let version = hierarchy.conversion().and_then(|conversion| conversion.version());
    let same_rules = as_written && version == Some(env!("CARGO_PKG_VERSION"));
    let by_stage = hierarchy.conversion().is_some_and(|of| of.has_stage_positions());
    let dropped = hierarchy.conversion().map(|of| of.dropped_axes()).unwrap_or_default();
    let by_scene = hierarchy.conversion().is_some_and(|of| of.has_scene());
    let mut placed = Vec::new();
    let by_delta_t = hierarchy.conversion().is_some_and(|of| of.has_delta_t());
    let (mut derived, mut without, mut palettes) = (0, 0, 0);
    for (index, (stored, seen)) in hierarchy.images().iter().zip(seen).enumerate() {
        let Some(image) = origin.images.get(index) else { continue };
        let Some(described) = &image.described else {
            without += 1;
            continue;
        };
        derived += 1;
        let described =
            &if by_delta_t { from_ome::with_delta_t(described.clone()) } else { described.clone() };
        let corner = match &origin.document {
            document if by_stage => {
                from_ome::origin(document.as_ref().map(ome_xml::Document::ome), described)
            }
            _ => [0.0; 5],
        };
        let axes_there: [bool; 5] =
            std::array::from_fn(|n| seen.lengths[n] != 1 || !dropped.contains(&AXES[n]));
        let on_stage = if by_scene {
            from_ome::position(origin.document.as_ref().map(ome_xml::Document::ome), described)
        } else {
            None
        };
        let on_stage: Option<Vec<f64>> = on_stage.map(|place| along(place, axes_there));
        if let Some(place) = &on_stage {
            let axes = from_ome::axes(described).into_iter().zip(axes_there);
            let axes = axes.filter_map(|(axis, is_there)| is_there.then_some(axis)).collect();
            placed.push(Placed { path: stored.path.clone(), axes, place: place.clone() });
        }
        let place = |what: &str| format!("image {index}, {what}");
        let name = from_ome::name(described, index);
        found.equal(place("name"), &name, &stored.multiscale.name.clone().unwrap_or_default());
        axes(found, index, described, &stored.multiscale.axes);
        let factors = factors(stored, &seen.shapes);
        levels(found, index, (described, corner), stored, &factors);
        let Some(is_inverted) = image.inverted else {
            palettes += 1;
            continue;
        };
        channels(found, index, described, image.samples, stored);
        // Other programs do not look at PhotometricInterpretation.
        if by_fairzarr {
            inverted(found, index, is_inverted, stored);
        }
        if same_rules {
            let group = attributes(hierarchy.store(), &stored.path)?.unwrap_or_default();
            let expected = whole::of_image(
                image,
                described,
                (index, corner),
                (seen, axes_there),
                (stored, on_stage.as_deref()),
                &factors,
                &group,
            );
            found.members(&stored.path, &expected, &group);
        }
    }
    let scene = from_ome::scene(&placed).ok().flatten();
    plates(found, origin, hierarchy, same_rules, scene)?;
    if without > 0 {
        notes.push(format!(
            "not derived: {without} images that the store's OME-XML does not describe (names, axes, scales and channels of pages of the files)"
        ));
    }
    if palettes > 0 {
        notes.push(format!(
            "not derived: the channels of {palettes} images whose colours are those of a palette"
        ));
    }
    if !same_rules {
        notes.push("not derived: members that another program or version wrote by rules of its own".into());
    }
    let covered = format!("{} values of {derived} images", found.compared);
    let differences = std::mem::take(&mut found.differences);
    Ok(Check { notes, ..Check::new(Proof::Derivation, covered, differences) })
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

    /// NGFF's members of a group, all of them.
    fn members(&mut self, path: &str, expected: &Map<String, Value>, group: &Map<String, Value>) {
        let place = if path.is_empty() { "the root" } else { path };
        let known = |name: &&String| whole::MEMBERS.contains(&name.as_str());
        for name in
            expected.keys().chain(group.keys().filter(|name| !expected.contains_key(*name)).filter(known))
        {
            let (expected, found) = (expected.get(name), group.get(name));
            self.compared +=
                json::compare(&format!("{place}, {name}"), expected, found, &mut self.differences);
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

/// How many samples of the full resolution one of each level spans, along t, c, z, y, x.
fn factors(stored: &StoredImage, shapes: &[Vec<u64>]) -> Vec<from_ome::Factors> {
    let place_of = places(stored);
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
    factors
}

/// What concerns the axes that are there.
fn along(all: from_ome::Origin, is_there: [bool; 5]) -> Vec<f64> {
    all.into_iter().zip(is_there).filter_map(|(one, is_there)| is_there.then_some(one)).collect()
}

/// The place of each of t, c, z, y, x among an image's axes.
fn places(stored: &StoredImage) -> [Option<usize>; 5] {
    AXES.map(|name| stored.multiscale.axes.iter().position(|axis| axis.name == name))
}

/// Scales and translations.
fn levels(
    found: &mut Found,
    image: usize,
    (described, origin): (&ome_xml::Image, from_ome::Origin),
    stored: &StoredImage,
    factors: &[from_ome::Factors],
) {
    let place_of = places(stored);
    let derived = from_ome::datasets(described, factors, stored.method(), origin);
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
fn inverted(found: &mut Found, index: usize, expected: bool, stored: &StoredImage) {
    for (channel, stored) in stored.omero.iter().flat_map(|omero| &omero.channels).enumerate() {
        let is_inverted = stored.extra.get("inverted") == Some(&Value::Bool(true));
        found.equal(format!("image {index}, channel {channel}, inverted"), &expected, &is_inverted);
    }
}

/// Rows, columns, wells, fields and acquisitions, where the store has a plate; and where the rules are those of this version, all of
/// the root, which may have a scene.
fn plates(
    found: &mut Found,
    origin: &Origin,
    hierarchy: &Hierarchy,
    same_rules: bool,
    scene: Option<Value>,
) -> Result<(), Error> {
    let root = hierarchy.root();
    let is_image = hierarchy.images().iter().any(|image| image.path.is_empty());
    let refuse = |error: &dyn std::fmt::Display| fairzarr_ome_zarr::Error::Metadata {
        path: "the root group".into(),
        reason: error.to_string(),
    };
    let version = Version::of(root).map_err(|error| refuse(&error))?.unwrap_or_default();
    let mut whole = bioformats2raw_attributes(version);
    if let Some(scene) = scene {
        merge(&mut whole, scene_attributes(version, scene));
    }
    let (ome, is_plate) =
        (origin.document.as_ref().map(ome_xml::Document::ome), member(root, "plate").is_some());
    let Some(ome) = ome.filter(|_| is_plate) else {
        if same_rules && !is_image && !is_plate {
            found.members("", &whole, root);
            series(found, hierarchy, version)?;
        }
        return Ok(());
    };
    let there: HashSet<usize> = origin.images.iter().filter_map(|image| image.ome_index).collect();
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
        if path.is_empty() {
            merge(&mut whole, expected);
        } else if same_rules {
            found.members(&path, &expected, &group);
        }
        for well in layout.wells {
            let path = keys::join(&path, &well.path);
            let expected = well.well.attributes(version);
            let group = attributes(hierarchy.store(), &path)?.unwrap_or_default();
            let (expected, stored) = (member(&expected, "well"), member(&group, "well"));
            found.equal(format!("well {path}"), expected.unwrap_or(&null), stored.unwrap_or(&null));
        }
    }
    if same_rules {
        found.members("", &whole, root);
        series(found, hierarchy, version)?;
    }
    Ok(())
}

/// The list of the images' groups.
fn series(found: &mut Found, hierarchy: &Hierarchy, version: Version) -> Result<(), Error> {
    let paths: Vec<String> = hierarchy.images().iter().map(|image| image.path.clone()).collect();
    let group = attributes(hierarchy.store(), keys::OME)?.unwrap_or_default();
    found.members(keys::OME, &series_attributes(version, &paths), &group);
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
