//! Parts of a microscope in the words of a paper: maker, model, what it is, catalogue number.

use super::phrase::{Details, Phrase, gap, kept, phrase, said};
use super::wording::{article, decimal, measure, number, plain, prose, quantity, wavelength, word};
use crate::catalogue;
use crate::record::Object;

/// `an Example Optics Plan-Apo objective (details, cat. no. EX-3)`; what identifies the product and is missing is
/// marked.
pub(super) fn product(part: &Object, noun: &str, details: Details) -> Phrase {
    let (mut named, missing) = name(part);
    let mut details = details;
    if !missing.is_empty() {
        details.may(designation(part, &named));
    }
    for what in missing {
        details.missing.push(what.to_owned());
    }
    named = if named.is_empty() { noun.into() } else { with_noun(named, noun) };
    details.need(catalogue_number(part), "catalogue number");
    let article = article(&named.plain());
    phrase![article, " ", named, details.bracketed()]
}

/// What comes from a bottle: its name, or `noun` where it has none, with what is said of it.
pub(super) fn substance(part: &Object, noun: &str, mut details: Details) -> Phrase {
    let (named, missing) = name(part);
    details.missing.extend(missing.into_iter().map(str::to_owned));
    details.need(catalogue_number(part), "catalogue number");
    phrase![if named.is_empty() { noun.into() } else { named }, details.bracketed()]
}

/// The short form of what was described before: `the L4 LED`.
pub(super) fn again(part: &Object, noun: &str) -> Phrase {
    match plain(Some(part), "Model").or_else(|| plain(Some(part), "Name")) {
        Some(model) => phrase!["the ", with_noun(model, noun)],
        None => format!("the {noun}").into(),
    }
}

/// A name and what the thing is, as far as the name does not say it: `X-Cite 120 LED` and `light source`. What the
/// name has in brackets does not count.
pub(super) fn with_noun(named: Phrase, noun: &str) -> Phrase {
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        parts.map(str::to_lowercase).collect()
    };
    let plain = named.plain();
    let known = words(plain.split(['(', '[']).next().unwrap_or_default());
    let says = |noun: &str| {
        let noun = words(noun);
        known.windows(noun.len().max(1)).any(|window| window == noun)
    };
    let is_beamsplitter = noun.starts_with("dichroic") && (says("beamsplitter") || says("dichroic"));
    if is_beamsplitter || says(noun) {
        return named;
    }
    match noun.split_once(' ') {
        // `X-Cite 120 LED` is a light source.
        Some((first, rest)) if first.chars().any(char::is_uppercase) && says(first) => {
            if says(rest) {
                named
            } else {
                phrase![named, " ", rest]
            }
        }
        _ => phrase![named, " ", noun],
    }
}

/// Maker and model as the product's name, the name that people gave it where there are neither, and what is missing.
fn name(part: &Object) -> (Phrase, Vec<&'static str>) {
    let (maker, model) = (plain(Some(part), "Manufacturer"), plain(Some(part), "Model"));
    match (maker, model) {
        (Some(maker), Some(model)) => {
            // `Leica` and `Leica SP5`.
            let repeats = model.plain().to_lowercase().starts_with(&maker.plain().to_lowercase());
            (if repeats { model } else { phrase![maker, " ", model] }, Vec::new())
        }
        (Some(maker), None) => (maker, vec!["model"]),
        (None, Some(model)) => (model, vec!["manufacturer"]),
        (None, None) => (plain(Some(part), "Name").unwrap_or_default(), vec!["manufacturer", "model"]),
    }
}

/// What its people call it, if that says more than maker and model.
fn designation(part: &Object, named: &Phrase) -> Option<Phrase> {
    let called = plain(Some(part), "Name")?;
    let known = named.plain().to_lowercase();
    let says_more = !known.contains(&called.plain().to_lowercase());
    says_more.then(|| phrase!["“", called, "”"])
}

/// The catalogue number; NBO has one field for it and the serial number.
fn catalogue_number(part: &Object) -> Option<Phrase> {
    let from = part.field("CatalogNumber").and_then(|f| f.origin.from.as_deref());
    let is_serial = from.is_some_and(|from| from.ends_with("SerialNumber"));
    let kind = if is_serial { "serial no. " } else { "cat. no. " };
    let number = plain(Some(part), "CatalogNumber").map(|number| phrase![kind, number]);
    // Elsewhere the serial number is kept beside it.
    number.or_else(|| kept(Some(part), "OME:@SerialNumber", str::to_owned).map(|n| phrase!["serial no. ", n]))
}

/// A light source with what NBO asks of one.
pub(super) fn light_source(part: &Object) -> (String, Details) {
    let mut details = Details::default();
    let noun = match part.class.as_str() {
        "Laser" => {
            details.need(word(Some(part), "Type"), "laser type");
            details.need_either(part, "Pulse", ["pulsed", "continuous-wave"], "whether it is pulsed");
            details.need_either(part, "Tuneable", ["tuneable", ""], "whether it is tuneable");
            details.need_listed(part, "ModulationMechanism", modulation, "modulation");
            "laser"
        }
        "LightEmittingDiode" => "LED light source",
        "Arc" => "arc lamp",
        "Filament" => "filament lamp",
        _ => "light source",
    };
    let is_range = |c: &&Object| ["LEDModule", "IlluminationWavelengthRange"].contains(&c.class.as_str());
    let (mut has_light, mut has_power) = (false, false);
    for range in part.children.iter().filter(is_range) {
        let light =
            wavelength(Some(range), "PeakWavelength").or_else(|| wavelength(Some(range), "Wavelength"));
        let power = quantity(Some(range), "IlluminationPower");
        (has_light, has_power) = (has_light || light.is_some(), has_power || power.is_some());
        match (light, power) {
            (Some(light), Some(power)) => details.said.push(phrase![light, " at ", power]),
            (light, power) => details.said.extend(light.or(power)),
        }
    }
    if !has_light {
        let light = kept(Some(part), "OME:@Wavelength", |w| format!("{w} nm"));
        // A lamp has a spectrum, which nobody gives.
        if light.is_none() && ["Laser", "LightEmittingDiode"].contains(&part.class.as_str()) {
            details.missing.push("wavelength".to_owned());
        }
        details.may(light);
    }
    if !has_power {
        details.missing.push("nominal power".to_owned());
    }
    (noun.to_owned(), details)
}

fn modulation(listed: &str) -> Option<String> {
    Some(match listed {
        "None" | "Other" => return None,
        "Direct" => "directly modulated".to_owned(),
        _ => {
            format!("modulated by an {}", listed.replace("AcoustoOptical", "acousto-optical").to_lowercase())
        }
    })
}

/// A filter or dichroic with its band.
pub(super) fn filter(part: &Object, role: &str) -> (String, Details) {
    let mut details = Details::default();
    // Of an edge filter the wavelength is the edge.
    let is_edge = ["LongPass", "ShortPass"].iter().any(|kind| part.str("Type") == Some(kind));
    let mut has_light = false;
    for range in part.children.iter().filter(|c| c.class.ends_with("TransmittanceRange")) {
        let Some(light) = wavelength(Some(range), "Wavelength") else { continue };
        has_light = true;
        details.said.push(match bandwidth(range) {
            _ if is_edge => light,
            Some(width) => phrase!["centred at ", light, ", ", width, " wide"],
            None => phrase!["centred at ", light, ", ", gap("bandwidth")],
        });
    }
    if !has_light {
        details.missing.push(if is_edge { "edge wavelength" } else { "wavelength and bandwidth" }.to_owned());
    }
    let optic = if is_a(part, "Dichroic") { "type of dichroic" } else { "type of filter" };
    details.need_listed(part, "Type", prose, optic);
    details.need_listed(part, "CoatingMethod", prose, "coating");
    (role.to_owned(), details)
}

/// The width of a band, which is in the unit of its wavelength.
fn bandwidth(range: &Object) -> Option<Phrase> {
    let unit = range.str("WavelengthUnit").unwrap_or("nm");
    said(Some(range), "FWHMBandwidth", |digits, _| {
        let width = digits.parse().ok().filter(|_| unit != "nm");
        let width = width.and_then(|width| crate::unit::convert(width, unit, "nm"));
        Some(width.map_or_else(|| measure(digits, unit), |nm| format!("{} nm", decimal(nm))))
    })
}

/// A detector with what NBO asks of one.
pub(super) fn detector(part: &Object) -> (String, Details) {
    let kind = part.str("Type").unwrap_or_default();
    let noun = match part.class.as_str() {
        "CMOS" if kind == "Scientific" => "sCMOS camera",
        "CMOS" => "CMOS camera",
        "CCD" if kind == "EMCCD" => "EMCCD camera",
        "CCD" => "CCD camera",
        "IntensifiedCamera" => "intensified camera",
        "AnalogVideo" => "video camera",
        "PhotoMultiplierTube" => "photomultiplier tube",
        "HybridPhotoDetector" => "hybrid detector",
        "PhotoDiode" => "photodiode",
        _ => "detector",
    };
    let mut details = Details::default();
    if is_a(part, "Camera") {
        let pixel = match (quantity(Some(part), "PixelWidth"), quantity(Some(part), "PixelHeight")) {
            (Some(w), Some(h)) if w.plain() == h.plain() => Some(phrase!["square pixels of ", w]),
            (Some(w), Some(h)) => Some(phrase!["pixels of ", w, " by ", h]),
            _ => None,
        };
        let sides = number(Some(part), "ArrayWidth").zip(number(Some(part), "ArrayHeight"));
        let sides = sides.map(|(w, h)| phrase![w, " × ", h, " "]);
        match (sides, pixel) {
            (Some(sides), Some(pixel)) => details.said.push(phrase![sides, pixel]),
            (Some(sides), None) => {
                details.said.push(phrase![sides, "pixels"]);
                details.missing.push("sensor pixel size".to_owned());
            }
            (None, pixel) => {
                details.need(pixel, "sensor pixel size");
                details.missing.push("sensor size".to_owned());
            }
        }
        if ["CMOS", "CCD"].contains(&part.class.as_str()) && word(Some(part), "Type").is_none() {
            details.missing.push("type of sensor".to_owned());
        }
    } else if is_a(part, "PointDetector") {
        details.need(word(Some(part), "Coating").map(|c| phrase![c, " photocathode"]), "photocathode");
    }
    (noun.to_owned(), details)
}

/// Whether the class of an object belongs to this group; `Camera` and `PointDetector` are types that several classes
/// share attributes of.
pub(super) fn is_a(part: &Object, kind: &str) -> bool {
    let Some(class) = catalogue::class(&part.class) else { return false };
    class.is_a(kind) || class.attributes().any(|attribute| attribute.owner == kind)
}

/// An objective with what NBO asks of one.
pub(super) fn objective(part: &Object) -> Phrase {
    let mut details = Details::default();
    let magnification =
        said(Some(part), "Magnification", |m, _| Some(format!("{}×", super::wording::tidy(m))));
    details.need(magnification, "magnification");
    // An aperture has at least one decimal.
    let aperture = said(Some(part), "LensNA", |na, _| {
        Some(if na.contains('.') { na.to_owned() } else { format!("{na}.0") })
    });
    details.need(aperture.map(|na| phrase!["NA ", na]), "numerical aperture");
    let correction = said(Some(part), "Correction", |c, _| (c != "Other").then(|| c.to_owned()));
    details.need(correction.map(|c| phrase![c, " correction"]), "correction");
    let medium = said(Some(part), "ImmersionType", |m, _| prose(m));
    details
        .need(medium.map(|m| if m.plain() == "dipping" { m } else { phrase![m, " immersion"] }), "immersion");
    let plate = |listed: &str| prose(listed).map(|plate| format!("{plate} phase plate"));
    details.need_listed(part, "ContrastModulation", plate, "phase plate");
    details.need_either(part, "DIC", ["for DIC", ""], "whether it is for DIC");
    details.need_either(
        part,
        "InfinityCorrected",
        ["infinity-corrected", "of finite tube length"],
        "infinity correction",
    );
    details.may(quantity(Some(part), "WorkingDistance").map(|d| phrase!["working distance ", d]));
    product(part, "objective", details)
}

/// What is said of the liquid of an immersion: `Example Optics oil (refractive index 1.518)`.
pub(super) fn liquid(settings: &Object) -> Option<Phrase> {
    let liquid = settings.child("ImmersionLiquid")?;
    let (named, missing) = name(liquid);
    let mut details = Details::default();
    details.may(number(Some(liquid), "RefractiveIndex").map(|n| phrase!["refractive index ", n]));
    details.missing.extend(missing.into_iter().map(str::to_owned));
    details.need(catalogue_number(liquid), "catalogue number");
    if named.is_empty() {
        return Some(phrase!["an immersion liquid", details.bracketed()]);
    }
    Some(phrase![named, details.bracketed(), " as the immersion liquid"])
}
