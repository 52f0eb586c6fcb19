//! The channels of an image: what was excited with what, through which filters, and detected with what.
//!
//! What all channels share is said once, and channels that differ in nothing but their name are one sentence. A part
//! is described where it is mentioned first.

use std::collections::HashSet;

use super::book::Book;
use super::detection;
use super::hardware::{self, again, product, with_noun};
use super::phrase::{Details, Phrase, gap, kept, list, phrase, said};
use super::wording::{article, microscopy, percent, plain, quantity, wavelength, word};
use crate::record::Object;

/// A reference's class, the part that it refers to in words, and the name under which a table without NBO's structure
/// has it.
const FILTERS: [(&str, &str, &str); 4] = [
    ("ExcitationFilterRef", "excitation filter", "excitationFilter"),
    ("StandardDichroicRef", "dichroic mirror", "dichroic"),
    ("EmissionFilterRef", "emission filter", "emissionFilter"),
    ("GenericFilterRef", "filter", ""),
];

/// One channel of an image.
#[derive(Clone, Copy)]
pub(super) struct Channel<'a> {
    pub(super) book: &'a Book<'a>,
    pub(super) pixels: &'a Object,
    pub(super) object: &'a Object,
    pub(super) index: usize,
}

/// What is said of a channel beside its name.
#[derive(Clone, Default, PartialEq)]
struct Aspects {
    source: Phrase,
    filters: Phrase,
    detector: Phrase,
    settings: Details,
}

/// The channels of an image.
pub(super) fn of<'a>(book: &'a Book<'a>, pixels: Option<&'a Object>) -> Vec<Channel<'a>> {
    let all = pixels.into_iter().flat_map(|p| p.children_of("Channel").map(move |c| (p, c)));
    all.enumerate().map(|(index, (pixels, object))| Channel { book, pixels, object, index }).collect()
}

/// The kind of microscopy of a channel, with its contrast where that says more; none if neither is known.
pub(super) fn method(channel: &Channel<'_>) -> Option<Phrase> {
    let kind = said(Some(channel.object), "IlluminationType", |listed, _| microscopy(listed));
    let contrast = word(Some(channel.object), "ContrastMethod");
    match (kind, contrast) {
        (Some(kind), Some(contrast)) => {
            let first = contrast.plain().split([' ', '-', '(']).next().unwrap_or_default().to_lowercase();
            let known = kind.plain().to_lowercase();
            let is_said = known.contains(&first) || known.replace('-', "").contains(&first);
            Some(if is_said { kind } else { phrase![kind, " with ", contrast, " contrast"] })
        }
        (Some(kind), None) => Some(kind),
        (None, Some(contrast)) => Some(phrase![contrast, " microscopy (", gap("illumination type"), ")"]),
        (None, None) => None,
    }
}

/// The sentences about the channels; `alike` says that the kind of microscopy is that of all and said elsewhere.
pub(super) fn sentences(channels: &[Channel<'_>], alike: bool) -> Vec<Phrase> {
    let full: Vec<Aspects> = channels.iter().map(|c| c.aspects(Parts::ALL, &mut HashSet::new())).collect();
    let [first, others @ ..] = full.as_slice() else { return Vec::new() };
    let several = !others.is_empty();
    let are_alike = |same: &dyn Fn(&Aspects) -> bool| several && others.iter().all(same);
    let common = Parts {
        source: are_alike(&|a| a.source == first.source),
        filters: are_alike(&|a| a.filters == first.filters),
        detector: are_alike(&|a| a.detector == first.detector),
    };
    // Of the settings each is common or not by itself.
    let settings = if several {
        first.settings.common(&others.iter().map(|a| &a.settings).collect::<Vec<_>>())
    } else {
        Details::default()
    };
    let own = |i: usize, seen: &mut HashSet<String>| {
        let mut aspects = channels[i].aspects(common.others(), seen);
        aspects.settings = aspects.settings.without(&settings);
        aspects
    };
    let mut groups: Vec<(Aspects, &'static str, Vec<usize>)> = Vec::new();
    for (i, channel) in channels.iter().enumerate() {
        let aspects = own(i, &mut HashSet::new());
        match groups.iter_mut().find(|(known, verb, _)| *known == aspects && *verb == channel.verb()) {
            Some((.., members)) => members.push(i),
            None => groups.push((aspects, channel.verb(), vec![i])),
        }
    }
    let mut seen = HashSet::new();
    let mut sentences = Vec::new();
    for (_, verb, members) in &groups {
        let Some(&first) = members.first() else { continue };
        let subject = subjects(&members.iter().map(|&i| channels[i]).collect::<Vec<_>>(), alike);
        let plural = if members.len() > 1 { " were " } else { " was " };
        let predicate = own(first, &mut seen).predicate(verb);
        let predicate = if predicate.is_empty() { "recorded".into() } else { predicate };
        sentences.push(phrase![subject, plural, predicate, "."]);
    }
    if several {
        let mut shared = channels[0].aspects(common, &mut seen);
        shared.settings = settings;
        // Where some channels are of transmitted light, one word has to do for all.
        let verb =
            if groups.iter().all(|(_, verb, _)| *verb == "excited") { "excited" } else { "illuminated" };
        let shared = shared.predicate(verb);
        if !shared.is_empty() {
            let subject = if channels.len() == 2 { "Both channels were " } else { "All channels were " };
            sentences.push(phrase![subject, shared, "."]);
        }
    }
    sentences
}

/// Some of the parts that a channel was taken with.
#[derive(Clone, Copy)]
struct Parts {
    source: bool,
    filters: bool,
    detector: bool,
}

impl Parts {
    const ALL: Self = Self { source: true, filters: true, detector: true };

    /// Those that are not among these.
    fn others(self) -> Self {
        Self { source: !self.source, filters: !self.filters, detector: !self.detector }
    }
}

impl Aspects {
    /// `excited with …, with wavelengths selected by …, and detected with …, using …`.
    fn predicate(self, verb: &str) -> Phrase {
        let using = self.settings.listed();
        let mut parts = Vec::new();
        if !self.source.is_empty() {
            parts.push(phrase![format!("{verb} with "), self.source]);
        }
        if !self.filters.is_empty() {
            let lead = if parts.is_empty() {
                "imaged with wavelengths selected by "
            } else {
                "with wavelengths selected by "
            };
            parts.push(phrase![lead, self.filters]);
        }
        if !self.detector.is_empty() {
            let detected = phrase!["detected with ", self.detector];
            match parts.pop() {
                Some(only) if parts.is_empty() => parts.push(phrase![only, " and ", detected]),
                Some(last) => {
                    parts.push(last);
                    parts.push(phrase!["and ", detected]);
                }
                None => parts.push(detected),
            }
        }
        if !using.is_empty() {
            let lead = if parts.is_empty() { "recorded with " } else { "using " };
            parts.push(phrase![lead, using]);
        }
        let mut all = Phrase::default();
        for (i, part) in parts.into_iter().enumerate() {
            if i > 0 {
                all.add(", ");
            }
            all.add(part);
        }
        all
    }
}

impl<'a> Channel<'a> {
    pub(super) fn path(&self) -> Option<&'a Object> {
        self.object.child("LightPath")
    }

    /// The part of the microscope that a reference or settings point to.
    pub(super) fn part(&self, reference: &Object) -> Option<&'a Object> {
        self.book.part(reference.target()?)
    }

    fn is_transmitted(&self) -> bool {
        let starts = |field: &str, with: &[&str]| {
            self.object.str(field).is_some_and(|said| with.iter().any(|w| said.starts_with(w)))
        };
        starts("IlluminationType", &["Transmitted"])
            || starts(
                "ContrastMethod",
                &["Bright", "Dark", "Diff", "Hoffman", "Oblique", "Phase", "Polar", "Varel"],
            )
    }

    fn verb(&self) -> &'static str {
        if self.is_transmitted() { "illuminated" } else { "excited" }
    }

    /// The settings, and those of the parts that are asked for; parts that are mentioned are `seen` from here on.
    fn aspects(&self, parts: Parts, seen: &mut HashSet<String>) -> Aspects {
        let mut aspects = Aspects { settings: detection::settings(self), ..Aspects::default() };
        if parts.source {
            aspects.source = self.source(seen);
        }
        if parts.filters {
            aspects.filters = self.filters(seen);
        }
        if parts.detector {
            aspects.detector = detection::detector(self, seen);
        }
        aspects
    }

    fn source(&self, seen: &mut HashSet<String>) -> Phrase {
        let all: Vec<_> =
            self.path().into_iter().flat_map(|p| p.children_of("LightSourceSettings")).collect();
        if all.is_empty() {
            let Some(named) = kept(Some(self.object), "lightSource", str::to_owned) else {
                return gap("light source and its power");
            };
            let power = kept(Some(self.object), "lightSourceIntensity", str::to_owned);
            let named = phrase![article(&named.plain()), " ", named];
            return phrase![named, " set to ", power.unwrap_or_else(|| gap("light source power"))];
        }
        let sources = all.into_iter().map(|settings| {
            let part = self.part(settings);
            let described = part.map_or_else(
                || gap("light source"),
                |part| {
                    let (noun, details) = hardware::light_source(part);
                    mention(part, &noun, details, seen)
                },
            );
            let power = quantity(Some(settings), "IlluminationPowerSettings");
            let mut set = phrase![described, " set to ", power.unwrap_or_else(|| gap("light source power"))];
            if let Some(attenuation) = percent(Some(settings), "Attenuation") {
                set.add(phrase![" with ", attenuation, " attenuation"]);
            }
            set
        });
        list(sources.collect())
    }

    fn filters(&self, seen: &mut HashSet<String>) -> Phrase {
        let mut found = Vec::new();
        let (mut missing, mut undescribed) = (Vec::new(), Vec::new());
        for (class, role, key) in FILTERS {
            let sets = self.path().into_iter().flat_map(|p| p.children_of("FilterSet"));
            let holders = self.path().into_iter().chain(sets);
            let references: Vec<_> = holders.flat_map(|h| h.children_of(class)).collect();
            for reference in &references {
                match self.part(reference) {
                    Some(part) => {
                        let (noun, details) = hardware::filter(part, role);
                        found.push(mention(part, &noun, details, seen));
                    }
                    None => undescribed.push(role.to_owned()),
                }
            }
            if references.is_empty() && !key.is_empty() {
                match kept(Some(self.object), key, str::to_owned) {
                    Some(named) => {
                        found.push(phrase![article(&named.plain()), " ", with_noun(named, role)]);
                    }
                    None => missing.push(role.to_owned()),
                }
            }
        }
        // Transmitted light needs none, and a laser no filter for excitation.
        if self.is_transmitted() {
            missing.clear();
        } else if self.has_laser() {
            missing.retain(|role| role != "excitation filter");
        }
        undescribed.extend(missing);
        if !undescribed.is_empty() {
            found.push(super::phrase::gaps(&undescribed));
        }
        list(found)
    }

    fn has_laser(&self) -> bool {
        let settings = self.path().into_iter().flat_map(|p| p.children_of("LightSourceSettings"));
        settings.filter_map(|s| self.part(s)).any(|part| part.class == "Laser")
    }

    /// `Alexa Fluor 488`, and what stands in brackets behind it.
    fn subject(&self, alike: bool) -> (Phrase, bool, Details) {
        let name = plain(Some(self.object), "Name");
        let dye = self.object.child("Fluorophore");
        let dye_name = plain(dye, "Name");
        let mut details = Details::default();
        if !alike {
            details.need(method(self), "illumination type and contrast method");
        }
        let label =
            name.clone().map_or_else(|| Phrase::from((self.index + 1).to_string()), |n| phrase!["“", n, "”"]);
        if self.is_transmitted() {
            return (label, true, details);
        }
        let is_named = dye_name.is_some();
        let head = if let Some(dye_name) = dye_name {
            if name.is_none_or(|n| n != dye_name) {
                details.said.insert(0, phrase!["channel ", label]);
            }
            dye_name
        } else {
            details.missing.push("fluorophore".to_owned());
            label
        };
        details.need(
            wavelength(dye, "ExcitationWavelength").map(|w| phrase!["excitation ", w]),
            "excitation wavelength",
        );
        details.need(
            wavelength(dye, "EmissionWavelength").map(|w| phrase!["emission ", w]),
            "emission wavelength",
        );
        if is_named && let Some(dye) = dye {
            let maker = plain(Some(dye), "Manufacturer");
            let model = plain(Some(dye), "Model");
            match (maker, model) {
                (Some(maker), Some(model)) => details.said.push(phrase![maker, " ", model]),
                (maker, _) => details.need(maker, "manufacturer"),
            }
            let number = plain(Some(dye), "CatalogNumber").map(|n| phrase!["cat. no. ", n]);
            details.need(number, "catalogue number");
        }
        (head, !is_named, details)
    }
}

/// Channels as the subject of a sentence.
fn subjects(channels: &[Channel<'_>], alike: bool) -> Phrase {
    let all: Vec<_> = channels.iter().map(|channel| channel.subject(alike)).collect();
    let Some((_, unnamed, details)) = all.first().cloned() else { return Phrase::default() };
    // Nothing but labels, and the same in brackets: named together.
    if all.iter().all(|(_, by_label, d)| *by_label && *d == details) && unnamed {
        let word = if all.len() > 1 { "Channels " } else { "Channel " };
        return phrase![word, list(all.into_iter().map(|(head, ..)| head).collect()), details.bracketed()];
    }
    let each = all.into_iter().enumerate().map(|(i, (head, by_label, details))| {
        let word = match (by_label, i) {
            (false, _) => "",
            (true, 0) => "Channel ",
            (true, _) => "channel ",
        };
        phrase![word, head, details.bracketed()]
    });
    list(each.collect())
}

/// A part in full where it is mentioned first, and in short afterwards.
pub(super) fn mention(part: &Object, noun: &str, details: Details, seen: &mut HashSet<String>) -> Phrase {
    let is_new = part.id().is_none_or(|id| seen.insert(id.to_owned()));
    if is_new { product(part, noun, details) } else { again(part, noun) }
}
