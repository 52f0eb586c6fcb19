//! Materials and Methods from a record: a paragraph as a journal prints it, with a mark for everything that the
//! tier system asks for at Tier 1 and the record lacks (`[not recorded: pinhole size]`).
//!
//! The order is that of the field's own templates (MethodsJ2): sample, microscope, objective, channels, dimensions,
//! environment, focus, calibration, acknowledgement. Images that were taken alike share a paragraph; images that
//! calibrations were measured on, images of metrological samples, and images that a document describes and the store
//! does not hold are left out. Values keep the digits and the unit of the record, as far as they can be read.

mod book;
mod channels;
mod detection;
mod exposures;
mod hardware;
mod image;
mod phrase;
mod quality;
mod wording;

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::record::{Object, Record};
use book::Book;
use phrase::{Phrase, gap, phrase, said};

pub use exposures::{exposures, leaves_planes_out};
pub use phrase::Fact;

/// How the paragraphs are marked up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Markup {
    /// Plain text; gaps in brackets.
    Plain,
    /// Markdown; gaps in bold brackets.
    Markdown,
}

/// What can be said in Materials and Methods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Methods {
    paragraphs: Vec<Paragraph>,
    /// Names of the images that are left out because they are of metrology.
    left_out: Vec<String>,
    sources: Vec<Json>,
}

#[derive(Clone, Debug, PartialEq)]
struct Paragraph {
    images: Vec<String>,
    count: usize,
    shows: Option<Phrase>,
    sentences: Vec<Phrase>,
    acknowledgement: Phrase,
}

/// What is said of an image, sentence by sentence.
struct Description {
    shows: Phrase,
    sentences: Vec<Phrase>,
    acknowledgement: Phrase,
}

/// Writes what a record says, one paragraph for each group of images that were acquired alike.
pub fn methods(record: &Record) -> Methods {
    let book = Book::new(record);
    let nothing = Object::new("Image");
    let (mut images, left_out) = images(&book);
    // A store's image that nothing describes is all gaps; so is a record that describes neither image nor microscope.
    let undescribed = record.in_store.as_ref().is_some_and(|held| images.is_empty() && !held.is_empty());
    let mut paragraphs = Vec::new();
    if images.is_empty() && !undescribed {
        paragraphs = microscopes(&book);
    } else {
        if undescribed {
            images.push(&nothing);
        }
        let mut groups: Vec<(Description, Vec<&Object>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut calibrations: HashMap<Option<usize>, Vec<Phrase>> = HashMap::new();
        for image in images {
            let described = describe(&book, &mut calibrations, image);
            let place = *places.entry(described.plain()).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((_, images)) => images.push(image),
                None => groups.push((described, vec![image])),
            }
        }
        for (described, images) in groups {
            let next = paragraph(described, &images, paragraphs.first());
            paragraphs.push(next);
        }
    }
    name_sources(record, &mut paragraphs);
    let sources =
        record.sources.iter().map(|s| json!({"name": s.name, "form": s.form, "sha256": s.sha256})).collect();
    Methods { paragraphs, left_out, sources }
}

impl Methods {
    /// The paragraphs as text, an acknowledgement last.
    pub fn text(&self, markup: Markup) -> String {
        let mut out = String::new();
        if markup == Markup::Markdown {
            out.push_str("## Materials and Methods: light microscopy\n\n");
        }
        for paragraph in &self.paragraphs {
            out.push_str(&paragraph.text(markup));
            out.push_str("\n\n");
        }
        let mut thanks: Vec<String> = Vec::new();
        for paragraph in self.paragraphs.iter().filter(|p| !p.acknowledgement.is_empty()) {
            let words = paragraph.acknowledgement.render(markup);
            if !thanks.contains(&words) {
                thanks.push(words);
            }
        }
        if !thanks.is_empty() {
            out.push_str(match markup {
                Markup::Plain => "Acknowledgements: ",
                Markup::Markdown => "## Acknowledgements\n\n",
            });
            out.push_str(&thanks.join(" "));
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    /// The text with its facts, where each comes from, and the gaps.
    pub fn to_json(&self) -> Json {
        #[derive(Serialize)]
        struct Told<'a> {
            images: &'a [String],
            count: usize,
            text: String,
            acknowledgement: String,
            facts: Vec<&'a Fact>,
            gaps: Vec<&'a str>,
        }
        let paragraphs = self.paragraphs.iter().map(|paragraph| {
            let phrases = || paragraph.sentences.iter().chain([&paragraph.acknowledgement]);
            let told = Told {
                images: &paragraph.images,
                count: paragraph.count,
                text: paragraph.text(Markup::Plain),
                acknowledgement: paragraph.acknowledgement.plain(),
                facts: phrases().flat_map(Phrase::facts).collect(),
                gaps: phrases().flat_map(Phrase::gaps).collect(),
            };
            serde_json::to_value(told).unwrap_or_default()
        });
        json!({
            "text": self.text(Markup::Plain),
            "paragraphs": paragraphs.collect::<Vec<_>>(),
            "leftOut": self.left_out,
            "sources": self.sources,
        })
    }

    /// What is not recorded, in the order of the text.
    pub fn gaps(&self) -> Vec<&str> {
        let phrases = self.paragraphs.iter().flat_map(|p| p.sentences.iter().chain([&p.acknowledgement]));
        phrases.flat_map(Phrase::gaps).collect()
    }
}

impl Paragraph {
    fn text(&self, markup: Markup) -> String {
        self.sentences.iter().map(|s| s.render(markup)).collect::<Vec<_>>().join(" ")
    }
}

impl Description {
    /// All but name and date, in which images that were acquired alike may differ.
    fn plain(&self) -> String {
        let phrases = self.sentences.iter().chain([&self.shows, &self.acknowledgement]);
        phrases.map(Phrase::plain).collect::<Vec<_>>().join("\n")
    }
}

/// The images to write about: those of the store, without those of metrology unless there are no others; and the names of
/// those that are left out.
fn images<'a>(book: &Book<'a>) -> (Vec<&'a Object>, Vec<String>) {
    let record = book.record;
    let measured: HashSet<&str> = record
        .objects
        .iter()
        .flat_map(Object::descendants)
        .filter(|o| o.class.ends_with("ImageRef") && o.class != "ImageRef")
        .filter_map(Object::target)
        .collect();
    let stored: Option<HashSet<usize>> =
        record.in_store.as_ref().map(|held| held.iter().flatten().copied().collect());
    let all = record.objects.iter().filter(|o| o.class == "Image").enumerate();
    let held: Vec<&Object> = all
        .filter(|(number, _)| stored.as_ref().is_none_or(|stored| stored.contains(number)))
        .map(|(_, image)| image)
        .collect();
    let is_result = |image: &&Object| {
        let samples: Vec<_> =
            image.children_of("SampleRef").filter_map(|r| book.find(r.target()?, "Sample")).collect();
        let of_metrology = if samples.is_empty() {
            quality::is_measured_on_itself(image)
        } else {
            samples.iter().all(|s| image::is_metrology(s))
        };
        !of_metrology && image.id().is_none_or(|id| !measured.contains(id))
    };
    let (results, others): (Vec<&Object>, Vec<&Object>) = held.iter().copied().partition(is_result);
    if results.is_empty() {
        return (held, Vec::new());
    }
    let names = others.iter().filter_map(|image| wording::plain(Some(image), "Name"));
    (results, names.map(|name| name.plain()).collect())
}

fn describe<'a>(
    book: &'a Book<'a>,
    calibrations: &mut HashMap<Option<usize>, Vec<Phrase>>,
    image: &'a Object,
) -> Description {
    let channels = channels::of(book, image.child("Pixels"));
    // Where the kind of microscopy is that of all channels, the image has it, and otherwise each channel.
    let first = channels.first().and_then(channels::method);
    let alike = channels.iter().all(|channel| channels::method(channel) == first);
    let method = alike.then(|| first.unwrap_or_else(|| gap("illumination type and contrast method")));
    let mut sentences = vec![image::microscope(book, image, method), image::objective(book, image)];
    if channels.is_empty() {
        sentences.push(phrase![
            "Channels were recorded with ",
            gap(
                "fluorophore, light source and its power, filters, detector, exposure time, gain and binning"
            ),
            "."
        ]);
    }
    sentences.extend(channels::sentences(&channels, alike));
    sentences.push(image::dimensions(image));
    sentences.push(image::environment(book, image));
    sentences.push(image::focus(book, image));
    let entry = book.entry(image);
    let calibration = calibrations.entry(entry).or_insert_with(|| quality::sentences(book, entry));
    sentences.extend(calibration.iter().cloned());
    let shows = image::sample(book, image);
    Description { shows, sentences, acknowledgement: image::acknowledgement(book, image) }
}

/// How many images a paragraph names.
const NAMED: usize = 6;

/// A paragraph about images that were acquired alike. What the first paragraph says of others is not said again.
fn paragraph(described: Description, images: &[&Object], first: Option<&Paragraph>) -> Paragraph {
    let names: Vec<Phrase> = images.iter().filter_map(|image| wording::plain(Some(image), "Name")).collect();
    // What the first paragraph says and this one does not replace would be taken for said of these images too.
    let first = first.filter(|first| {
        let lost = first.sentences.iter().skip(1).filter(|said| !described.sentences.contains(said)).count();
        let new = described.sentences.iter().filter(|said| !first.sentences.contains(said)).count();
        lost <= new
    });
    let is_known = |sentence: &Phrase| first.is_some_and(|p| p.sentences.contains(sentence));
    let (same, other): (Vec<_>, Vec<_>) = described.sentences.into_iter().partition(is_known);
    let is_one = images.len() == 1;
    let opening = phrase![subject(&names, images.len()), ", acquired ", dates(images), ","];
    let mut sentences = Vec::new();
    let but = if other.is_empty() { "." } else { ", except for what follows." };
    let shows_the_same = first.is_some_and(|p| p.shows.as_ref() == Some(&described.shows));
    // Of two images whose samples nobody knows, nobody knows whether they show the same.
    let is_unknown = described.shows.facts().next().is_none();
    if shows_the_same && is_unknown && !same.is_empty() {
        let verb = if is_one { " was" } else { " were" };
        sentences.push(phrase![opening, verb, " recorded as described above", but]);
    } else {
        let (one, several) = if shows_the_same { (" shows", " show") } else { (" shows ", " show ") };
        let shown = if shows_the_same { " the same.".into() } else { described.shows.clone() };
        sentences.push(phrase![opening, if is_one { one } else { several }, shown]);
        if !same.is_empty() {
            let subject = if is_one { "It was" } else { "They were" };
            sentences.push(phrase![subject, " recorded as described above", but]);
        }
    }
    sentences.extend(other);
    Paragraph {
        images: names.iter().map(Phrase::plain).collect(),
        count: images.len(),
        shows: Some(described.shows),
        sentences,
        acknowledgement: described.acknowledgement,
    }
}

/// `The image “cells_01”`, `The 96 images (“a”, “b” and 94 others)`.
fn subject(names: &[Phrase], count: usize) -> Phrase {
    let quoted = |name: &Phrase| phrase!["“", name.clone(), "”"];
    match (count, names) {
        (1, [name]) => phrase!["The image ", quoted(name)],
        (1, _) => "The image".into(),
        (_, []) => phrase!["The ", wording::count(&count.to_string(), "image", "images")],
        (_, names) => {
            let mut named: Vec<Phrase> = names.iter().take(NAMED).map(quoted).collect();
            if count > named.len() {
                let others = count - named.len();
                named.push(wording::count(&others.to_string(), "other", "others").into());
            }
            let counted = wording::count(&count.to_string(), "image", "images");
            phrase![format!("The {counted} "), phrase::list(named)]
        }
    }
}

/// `on 2024-03-14`, or from the first to the last day.
fn dates(images: &[&Object]) -> Phrase {
    let mut days: Vec<Phrase> = images
        .iter()
        .filter_map(|image| {
            said(Some(image), "AcquisitionDate", |date, _| Some(date.get(..10).unwrap_or(date).to_owned()))
        })
        .collect();
    days.sort_by_key(Phrase::plain);
    match (days.first(), days.last()) {
        (Some(first), Some(last)) if first.plain() == last.plain() => phrase!["on ", first.clone()],
        (Some(first), Some(last)) => phrase!["between ", first.clone(), " and ", last.clone()],
        _ => phrase!["on ", gap("acquisition date")],
    }
}

/// A record without images: its microscopes, and what calibrations it has.
fn microscopes(book: &Book<'_>) -> Vec<Paragraph> {
    let mut sentences: Vec<Phrase> =
        book.record.all("Instrument").map(|i| image::instrument(book, i)).collect();
    if sentences.is_empty() {
        sentences.push(phrase![
            "Images were acquired with ",
            gap("microscope, objective, channels and settings"),
            "."
        ]);
    } else {
        sentences.push(phrase![
            "The settings of acquisition were ",
            gap("sample, dimensions, channels and their settings"),
            "."
        ]);
    }
    sentences.extend(quality::all(book));
    vec![Paragraph {
        images: Vec::new(),
        count: 0,
        shows: None,
        sentences,
        acknowledgement: Phrase::default(),
    }]
}

/// Names the document of every fact that only one of the record's documents can have said.
fn name_sources(record: &Record, paragraphs: &mut [Paragraph]) {
    let of_ome: Vec<&str> =
        record.sources.iter().filter(|s| s.form == "ome-xml").map(|s| s.name.as_str()).collect();
    let all: Vec<&str> = record.sources.iter().map(|s| s.name.as_str()).collect();
    for paragraph in paragraphs {
        let phrases = paragraph.sentences.iter_mut().chain([&mut paragraph.acknowledgement]);
        for fact in phrases.flat_map(|phrase| phrase.0.iter_mut()) {
            let phrase::Piece::Fact(fact) = fact else { continue };
            fact.source = match (all.as_slice(), of_ome.as_slice()) {
                ([only], _) => Some((*only).to_owned()),
                (_, [ome]) if fact.origin == "derived" => Some((*ome).to_owned()),
                _ => None,
            };
        }
    }
}
