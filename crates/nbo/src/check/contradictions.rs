//! Values that contradict each other, or that no light has.

use super::context::{Context, Found, Place};
use super::report::{Rule, Severity};
use crate::catalogue::{self, Class};
use crate::record::Object;
use crate::unit;

/// The index of a plane, and the size that it has to be below.
const INDICES: [(&str, &str); 3] = [("TheZ", "SizeZ"), ("TheC", "SizeC"), ("TheT", "SizeT")];

/// Nanometres that light of a microscope can have, from extreme ultraviolet to far infrared. What lies outside has another
/// unit than it says.
const LIGHT: std::ops::RangeInclusive<f64> = 10.0..=100_000.0;

/// What one object says.
pub(super) fn object(context: &mut Context, object: &Object, class: &'static Class, place: &Place) {
    match class.name {
        "Pixels" => sizes(context, object, class, place),
        "Channel" => colours(context, object, place),
        _ => {}
    }
    for field in object.fields.iter().filter(|field| field.name.contains("Wavelength")) {
        let Some(attribute) = class.attribute(&field.name).filter(|a| a.base.is_number()) else { continue };
        if let Some(light) =
            nanometres(object, class, &field.name).filter(|nm| *nm > 0.0 && !LIGHT.contains(nm))
        {
            let message = format!("{light} nm is no wavelength of light");
            context.push(place, Found::of(Severity::Error, Rule::Impossible, attribute, message));
        }
    }
}

/// Planes and channels beyond the sizes of their image.
fn sizes(context: &mut Context, pixels: &Object, class: &'static Class, place: &Place) {
    for (index, size) in INDICES {
        let Some(count) = pixels.number(size).filter(|size| *size >= 1.0) else { continue };
        let beyond = |plane: &&Object| plane.number(index).is_some_and(|at| at >= count);
        for plane in pixels.children_of("Plane").filter(beyond) {
            let at = format!("{}/Plane {}", place.at, plane.id().unwrap_or_default());
            let place = Place { object: Some(plane), at: at.trim_end(), class: "Plane" };
            // One message for all planes: one line.
            let message = format!("is not below {size}, which is {count}");
            context.push(&place, Found::new(Severity::Error, Rule::Impossible, index, message));
        }
    }
    let channels = pixels.children_of("Channel").count();
    let Some(attribute) = class.attribute("SizeC") else { return };
    if let Some(count) = pixels.number("SizeC").filter(|count| *count >= 1.0 && channels as f64 > *count) {
        let message = format!("{count}, but there are {channels} channels");
        context.push(place, Found::of(Severity::Error, Rule::Impossible, attribute, message));
    }
}

/// Light that is emitted has less energy than that which excites, unless it takes several photons to excite.
fn colours(context: &mut Context, channel: &Object, place: &Place) {
    let (Some(dye), Some(class)) = (channel.child("Fluorophore"), catalogue::class("Fluorophore")) else {
        return;
    };
    if channel.str("IlluminationType").is_some_and(|kind| kind.to_lowercase().contains("photon")) {
        return;
    }
    let light = |field: &str| nanometres(dye, class, field).filter(|nm| *nm > 0.0);
    if let (Some(excitation), Some(emission)) = (light("ExcitationWavelength"), light("EmissionWavelength"))
        && emission < excitation
        && let Some(attribute) = class.attribute("EmissionWavelength")
    {
        let at = format!("{}/Fluorophore {}", place.at, dye.id().unwrap_or_default());
        let place = Place { object: Some(dye), at: at.trim_end(), class: "Fluorophore" };
        let message = format!("{emission} nm is shorter than the excitation, {excitation} nm");
        context.push(&place, Found::of(Severity::Warning, Rule::Impossible, attribute, message));
    }
}

fn nanometres(object: &Object, class: &Class, field: &str) -> Option<f64> {
    let attribute = class.attribute(field)?;
    let unit = attribute.unit.and_then(|unit| object.str(unit)).or(attribute.unit_default)?;
    let value = object.number(field)?;
    // What stands for a number that nobody knows is judged as that.
    if crate::record::value::is_placeholder(Some(attribute), &object.field(field)?.value) {
        return None;
    }
    unit::convert(value, unit, "nm")
}
