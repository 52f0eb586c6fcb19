//! `Instrument` and what is in it.

use fairzarr_ome_xml::Element;

use super::{Context, copy, keep, map, push_listed, push_text, push_unit, raw, tables};
use crate::catalogue;
use crate::record::{Object, Origin, OriginKind};
use crate::unit;

/// NBO's CatalogNumber is "catalog, part or serial number"; which of them is in the origin.
const SERIAL: (&str, &str) = ("SerialNumber", "CatalogNumber");

impl Context<'_> {
    pub(super) fn instrument(&self, index: usize, element: &Element<'static>) -> Object {
        let mut instrument = copy(element, "Instrument", &[]);
        for part in element.elements() {
            let object = match part.name() {
                "Microscope" => stand(index, part),
                "Laser" | "Arc" | "Filament" | "LightEmittingDiode" | "GenericExcitationSource" => {
                    light_source(part)
                }
                "Detector" => detector(part),
                "Objective" => objective(part),
                "Filter" => self.filter(part),
                "Dichroic" => {
                    let class = if self.is_dichroic(part) { "StandardDichroic" } else { "GenericDichroic" };
                    copy(part, class, &[SERIAL])
                }
                "FilterSet" => filter_cube(part),
                other => {
                    instrument.extra.insert(format!("OME:{other}"), raw(part));
                    continue;
                }
            };
            instrument.children.push(object);
        }
        instrument
    }

    fn is_dichroic(&self, element: &Element<'static>) -> bool {
        element.attr("ID").is_some_and(|id| self.dichroic.contains(id))
    }

    fn filter(&self, element: &Element<'static>) -> Object {
        let id = element.attr("ID").unwrap_or_default();
        let class = match (element.attr("Type"), self.excitation.contains(id), self.emission.contains(id)) {
            (Some("NeutralDensity"), ..) => "NeutralDensityFilter",
            (Some("Dichroic"), ..) => "StandardDichroic",
            (_, true, false) => "ExcitationFilter",
            (_, false, true) => "EmissionFilter",
            _ => "GenericFilter",
        };
        let mut filter = copy(element, class, &[SERIAL, ("Type", ""), ("FilterWheel", "")]);
        if let Some(text) = element.attr("Type") {
            filter.extra.shift_remove("OME:@Type");
            if catalogue::class(class).is_some_and(|c| c.attribute("Type").is_some()) {
                push_listed(&mut filter, "Type", ("Filter", "Type"), text);
            } else {
                keep(&mut filter, "Type", text);
            }
        }
        // OME has a name here, NBO a position.
        if let Some(position) = element.attr("FilterWheel").filter(|p| p.trim().parse::<u32>().is_ok()) {
            filter.extra.shift_remove("OME:@FilterWheel");
            push_text(&mut filter, "FilterHolderPosition", position, Some("OME:Filter@FilterWheel".into()));
        }
        filter.children.extend(element.children("TransmittanceRange").map(transmittance));
        filter
    }
}

fn stand(index: usize, element: &Element<'static>) -> Object {
    let class = match element.attr("Type") {
        Some("Upright") => "UprightMicroscopeStand",
        Some("Inverted") => "InvertedMicroscopeStand",
        // Neither is said; the head of the group holds what is.
        _ => "MicroscopeStandGroup",
    };
    let mut stand = copy(element, class, &[SERIAL, ("Type", "")]);
    stand.extra.shift_remove("OME:@Type");
    match element.attr("Type") {
        Some(kind @ ("Dissection" | "Electrophysiology" | "Other")) => {
            push_text(&mut stand, "Type", kind, None);
        }
        Some(kind) if class == "MicroscopeStandGroup" => keep(&mut stand, "Type", kind),
        _ => {}
    }
    let id = format!("Microscope:{index}");
    stand.push("ID", id, Origin::of(OriginKind::Synthesised));
    stand
}

fn light_source(element: &Element<'static>) -> Object {
    let source = element.name();
    let renames = [
        SERIAL,
        ("Power", ""),
        ("PowerUnit", ""),
        ("Wavelength", ""),
        ("WavelengthUnit", ""),
        ("Type", ""),
        ("Pulse", ""),
        ("PockelCell", ""),
    ];
    let mut object = copy(element, source, &renames);
    for moved in ["Power", "PowerUnit", "Wavelength", "WavelengthUnit", "Type", "Pulse"] {
        object.extra.shift_remove(&format!("OME:@{moved}"));
    }
    if let Some(text) = element.attr("Type") {
        let mapped = tables::VALUES.iter().any(|v| v.0 == source && v.1 == "Type");
        if mapped {
            push_listed(&mut object, "Type", (source, "Type"), text);
        } else {
            push_text(&mut object, "Type", text, None);
        }
    }
    // A kind of pulsing became yes or no; the kind is kept.
    if let Some(text) = element.attr("Pulse") {
        push_listed(&mut object, "Pulse", ("Laser", "Pulse"), text);
        keep(&mut object, "Pulse", text);
    }
    let range = if source == "LightEmittingDiode" { "LEDModule" } else { "IlluminationWavelengthRange" };
    let mut emission = Object::new(range);
    for (ome, nbo, default) in [("Power", "IlluminationPower", "mW"), ("Wavelength", "PeakWavelength", "nm")]
    {
        let Some(text) = element.attr(ome) else { continue };
        push_text(&mut emission, nbo, text, Some(format!("OME:{source}@{ome}")));
        if let Some(attribute) = catalogue::class(range).and_then(|c| c.attribute(nbo)) {
            push_unit(&mut emission, attribute, element.attr(&format!("{ome}Unit")), default);
        }
    }
    if !emission.fields.is_empty() {
        object.children.push(emission);
    }
    object.children.extend(element.children("Pump").map(|p| copy(p, "Pump", &[])));
    if let Some(pairs) = element.child("Map") {
        object.extra.insert("OME:Map".into(), map(pairs));
    }
    object
}

/// The NBO class of an OME detector, with the `Type` that it implies there and whether that is a guess.
pub(super) fn detector_class(kind: Option<&str>) -> (&'static str, Option<&'static str>, bool) {
    match kind {
        Some("CCD") => ("CCD", Some("Conventional"), false),
        Some("EMCCD") => ("CCD", Some("EMCCD"), false),
        Some("EBCCD") => ("CCD", Some("Other"), true),
        Some("IntensifiedCCD") => ("IntensifiedCamera", None, false),
        Some("AnalogVideo") => ("AnalogVideo", None, false),
        Some("CMOS") => ("CMOS", None, false),
        Some("PMT") => ("PhotoMultiplierTube", None, false),
        Some("Photodiode") => ("PhotoDiode", None, false),
        Some("APD") => ("PhotoDiode", None, true),
        _ => ("GenericDetector", None, false),
    }
}

/// Attributes that NBO moved from the detector to its settings. They stay in `extra` here, and channels
/// that use the detector take them over where their settings say nothing.
pub(super) const DETECTOR_SETTINGS: [&str; 5] = ["Gain", "Voltage", "Offset", "Zoom", "AmplificationGain"];

fn detector(element: &Element<'static>) -> Object {
    let kind = element.attr("Type");
    let (class, implied, guess) = detector_class(kind);
    let mut renames = vec![SERIAL, ("Type", ""), ("VoltageUnit", "")];
    renames.extend(DETECTOR_SETTINGS.map(|a| (a, "")));
    let mut detector = copy(element, class, &renames);
    if let (Some(implied), Some(kind)) = (implied, kind) {
        let how = if guess { OriginKind::Guessed } else { OriginKind::Normalised };
        detector.push("Type", implied, Origin::from(how, kind));
    }
    detector
}

fn objective(element: &Element<'static>) -> Object {
    let mut objective =
        copy(element, "Objective", &[SERIAL, ("NominalMagnification", "Magnification"), ("Immersion", "")]);
    if let Some(text) = element.attr("Immersion") {
        objective.extra.shift_remove("OME:@Immersion");
        push_listed(&mut objective, "ImmersionType", ("Objective", "Immersion"), text);
        if text == "WaterDipping" {
            let water = catalogue::class("Objective").and_then(|c| c.attribute("DippingMedium")?.values());
            if let Some(water) = water.and_then(|l| l.values.iter().find(|v| v.starts_with("Water"))) {
                objective.push("DippingMedium", *water, Origin::from(OriginKind::Normalised, text));
            }
        }
    }
    objective
}

/// OME says where transmission begins and ends, NBO the centre and the width.
fn transmittance(element: &Element<'static>) -> Object {
    let moved = ["CutIn", "CutInUnit", "CutOut", "CutOutUnit"].map(|a| (a, ""));
    let mut range = copy(element, "TransmittanceRange", &moved);
    let edge = |name: &str| {
        let value: f64 = element.attr(name)?.trim().parse().ok()?;
        Some((value, element.attr(&format!("{name}Unit")).unwrap_or("nm")))
    };
    let Some((cut_in, unit)) = edge("CutIn") else { return range };
    let cut_out = edge("CutOut").and_then(|(value, from)| unit::convert(value, from, unit));
    match cut_out.filter(|out| *out > cut_in) {
        Some(cut_out) => {
            let from = Origin::from(
                OriginKind::Computed,
                format!("OME:TransmittanceRange {cut_in} to {cut_out} {unit}"),
            );
            range.push("Wavelength", f64::midpoint(cut_in, cut_out), from.clone());
            range.push("FWHMBandwidth", cut_out - cut_in, from);
        }
        None => push_text(
            &mut range,
            "Wavelength",
            element.attr("CutIn").unwrap_or_default(),
            Some("OME:TransmittanceRange@CutIn".into()),
        ),
    }
    if let Some(attribute) = catalogue::class("TransmittanceRange").and_then(|c| c.attribute("Wavelength")) {
        push_unit(&mut range, attribute, element.attr("CutInUnit"), "nm");
    }
    range
}

fn filter_cube(element: &Element<'static>) -> Object {
    let mut cube = copy(element, "FilterCube", &[SERIAL]);
    for part in element.elements() {
        let class = match part.name() {
            "DichroicRef" => "StandardDichroicRef",
            other => other,
        };
        cube.children.push(copy(part, class, &[]));
    }
    cube
}
