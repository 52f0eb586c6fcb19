//! A Materials and Methods paragraph from a record: Tier 1 facts in sentences, missing ones as marked
//! gaps (`[objective: numerical aperture]`) for a person to fill.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::catalogue;
use crate::record::value::{is_sentinel, text};
use crate::record::{Object, Record};

/// How the paragraph is marked up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Markup {
    /// Plain text; gaps in brackets.
    Text,
    /// Markdown; gaps in bold brackets.
    Markdown,
}

/// Writes one paragraph per group of images that were acquired alike.
pub fn methods(record: &Record, markup: Markup) -> String {
    let mut paragraphs: Vec<(String, usize)> = Vec::new();
    // Images that a calibration was measured on are no results.
    let measured: HashSet<&str> = record
        .objects
        .iter()
        .flat_map(Object::descendants)
        .filter(|o| o.class.ends_with("ImageRef"))
        .filter_map(Object::target)
        .collect();
    for image in record.all("Image").filter(|image| image.id().is_none_or(|id| !measured.contains(id))) {
        let paragraph = Writer { record, markup }.image(image);
        match paragraphs.iter_mut().find(|(p, _)| *p == paragraph) {
            Some((_, count)) => *count += 1,
            None => paragraphs.push((paragraph, 1)),
        }
    }
    if paragraphs.is_empty() {
        for instrument in record.all("Instrument") {
            paragraphs.push((Writer { record, markup }.instrument(Some(instrument)), 1));
        }
    }
    let mut out = String::new();
    if markup == Markup::Markdown {
        out.push_str("## Materials and Methods: light microscopy\n\n");
    }
    for (paragraph, _) in paragraphs {
        out.push_str(&paragraph);
        out.push_str("\n\n");
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

struct Writer<'a> {
    record: &'a Record,
    markup: Markup,
}

impl Writer<'_> {
    fn image(&self, image: &Object) -> String {
        let instrument = image.child("InstrumentRef").and_then(Object::target);
        let hardware = instrument.and_then(|id| self.record.find(id, &["Instrument"]));
        let mut out = self.instrument(hardware);
        let settings = image.child("ObjectiveSettings");
        let objective = settings.and_then(Object::target).and_then(|id| self.record.find(id, &["Objective"]));
        let _ = write!(
            out,
            " Images were taken with {} {} objective ({}x, NA {}, {} correction, {} immersion).",
            article(&self.say(objective, "Manufacturer", "objective: manufacturer")),
            self.say(objective, "Model", "objective: model"),
            self.say(objective, "Magnification", "objective: magnification"),
            self.say(objective, "LensNA", "objective: numerical aperture"),
            self.say(objective, "Correction", "objective: correction"),
            self.say(objective, "ImmersionType", "objective: immersion"),
        );
        let pixels = image.child("Pixels");
        for (i, channel) in pixels.into_iter().flat_map(|p| p.children_of("Channel")).enumerate() {
            out.push(' ');
            out.push_str(&self.channel(i, channel, pixels));
        }
        let _ = write!(
            out,
            " Pixels measure {} by {}{}; images are {} with {} x {} pixels.",
            self.quantity(pixels, "PhysicalSizeX", "pixel size x"),
            self.quantity(pixels, "PhysicalSizeY", "pixel size y"),
            self.depth(pixels),
            self.say(pixels, "PixelType", "pixel type"),
            self.say(pixels, "SizeX", "image width"),
            self.say(pixels, "SizeY", "image height"),
        );
        self.calibrations(image, &mut out);
        out
    }

    fn instrument(&self, instrument: Option<&Object>) -> String {
        let is_stand =
            |c: &&Object| catalogue::class(&c.class).is_some_and(|c| c.is_a("MicroscopeStandGroup"));
        let stand = instrument.and_then(|i| i.children.iter().find(is_stand));
        let software = instrument.and_then(|i| i.child("AcquisitionSoftware"));
        let form = match stand.map(|s| s.class.as_str()) {
            Some("InvertedMicroscopeStand") => "an inverted".to_owned(),
            Some("UprightMicroscopeStand") => "an upright".to_owned(),
            _ => article(&self.gap("microscope: upright or inverted")),
        };
        format!(
            "Microscopy was done on {form} {} {} microscope controlled by {} (version {}).",
            self.say(stand, "Manufacturer", "microscope: manufacturer"),
            self.say(stand, "Model", "microscope: model"),
            self.say(software, "Name", "acquisition software"),
            self.say(software, "Version", "acquisition software: version"),
        )
    }

    fn channel(&self, index: usize, channel: &Object, pixels: Option<&Object>) -> String {
        let name = value(channel, "Name").unwrap_or_else(|| format!("{}", index + 1));
        let fluorophore = channel.child("Fluorophore");
        let contrast = self.say(Some(channel), "ContrastMethod", "contrast method");
        // The list of illumination types joins words by underscores.
        let mut method = self
            .say(Some(channel), "IlluminationType", "illumination type")
            .replace('_', " ")
            .trim()
            .to_owned();
        if !method.to_lowercase().contains(&contrast.to_lowercase()) {
            method = format!("{method}, {contrast}");
        }
        let mut out = format!("Channel {name} ({method})");
        if let Some(fluorophore) = fluorophore {
            let _ = write!(
                out,
                " shows {}, excited at {} and emitting at {}",
                self.say(Some(fluorophore), "Name", "fluorophore"),
                self.quantity(Some(fluorophore), "ExcitationWavelength", "excitation wavelength"),
                self.quantity(Some(fluorophore), "EmissionWavelength", "emission wavelength"),
            );
        }
        let path = channel.child("LightPath");
        let parts = |classes: &[&str], group: &str| -> Vec<String> {
            let is_part = |c: &&Object| {
                classes.contains(&c.class.as_str())
                    || catalogue::class(&c.class).is_some_and(|k| k.is_a(group))
            };
            let found = path.into_iter().flat_map(|p| {
                p.children
                    .iter()
                    .filter(is_part)
                    .chain(p.children_of("FilterSet").flat_map(|s| s.children.iter().filter(is_part)))
            });
            found.filter_map(Object::target).map(|id| self.hardware(id)).collect()
        };
        let source = parts(&["LightSourceSettings"], "");
        let filters = parts(
            &["ExcitationFilterRef", "StandardDichroicRef", "EmissionFilterRef", "GenericFilterRef"],
            "",
        );
        let detector = parts(&[], "DetectorSettingsGroup");
        let list =
            |found: Vec<String>, gap: &str| if found.is_empty() { self.gap(gap) } else { found.join(", ") };
        let _ = write!(out, "; light source {}", list(source, "light source"));
        if !filters.is_empty() {
            let _ = write!(out, "; filters {}", filters.join(", "));
        }
        let _ = write!(out, "; detector {}", list(detector, "detector"));
        let exposure = pixels
            .and_then(|p| p.children_of("Plane").find(|plane| plane.number("TheC") == Some(index as f64)));
        if let Some(plane) = exposure.filter(|p| p.field("ExposureTime").is_some()) {
            let _ = write!(out, "; exposure {}", self.quantity(Some(plane), "ExposureTime", "exposure time"));
        }
        out.push('.');
        out
    }

    fn hardware(&self, id: &str) -> String {
        let found = self.record.objects.iter().flat_map(Object::descendants).find(|o| o.id() == Some(id));
        let Some(part) = found else { return self.gap(&format!("component {id}")) };
        match (value(part, "Manufacturer"), value(part, "Model")) {
            (None, None) => value(part, "Name")
                .unwrap_or_else(|| self.gap(&format!("{}: manufacturer and model", part.class))),
            (maker, model) => format!(
                "{} {}",
                maker.unwrap_or_else(|| self.gap(&format!("{}: manufacturer", part.class))),
                model.unwrap_or_else(|| self.gap(&format!("{}: model", part.class))),
            ),
        }
    }

    fn depth(&self, pixels: Option<&Object>) -> String {
        if pixels.and_then(|p| p.number("SizeZ")).is_some_and(|z| z > 1.0) {
            format!(" with {} between sections", self.quantity(pixels, "PhysicalSizeZ", "section spacing"))
        } else {
            String::new()
        }
    }

    fn calibrations(&self, image: &Object, out: &mut String) {
        for calibration in image.children_of("OpticalCalibration") {
            let _ = write!(
                out,
                " The point spread function was measured on {}: lateral FWHM {} (median).",
                self.say(Some(calibration), "Date", "date of calibration"),
                self.quantity(Some(calibration), "MedianXYSpotSize_FWHM", "lateral FWHM"),
            );
        }
    }

    fn say(&self, object: Option<&Object>, field: &str, gap: &str) -> String {
        object.and_then(|o| value(o, field)).unwrap_or_else(|| self.gap(gap))
    }

    fn quantity(&self, object: Option<&Object>, field: &str, gap: &str) -> String {
        let Some(object) = object else { return self.gap(gap) };
        let Some(number) = value(object, field) else { return self.gap(gap) };
        let attribute = catalogue::class(&object.class).and_then(|c| c.attribute(field));
        let said = attribute.and_then(|a| a.unit).and_then(|u| object.str(u));
        match said.or(attribute.and_then(|a| a.unit_default)) {
            Some(unit) => format!("{number} {unit}"),
            None => format!("{number} {}", self.gap("unit")),
        }
    }

    fn gap(&self, what: &str) -> String {
        match self.markup {
            Markup::Text => format!("[{what}]"),
            Markup::Markdown => format!("**[{what}]**"),
        }
    }
}

/// Words with their article.
fn article(words: &str) -> String {
    let vowel = words.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']);
    format!("{} {words}", if vowel { "an" } else { "a" })
}

/// What a field says, in one run of text, unless that is nothing or a placeholder.
fn value(object: &Object, field: &str) -> Option<String> {
    let value: &Json = &object.field(field)?.value;
    let said = text(value);
    // A value with ends of lines would be a paragraph of its own, which this text never said.
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    (!said.is_empty() && !is_sentinel(value)).then_some(said)
}
