//! From documents to records: every form in which NBO metadata and quality control are found.
//!
//! The form is known by content, never by file name. Everything that a form says and NBO has no name
//! for is kept in `extra`; values are taken as they are, with placeholders marked. The caller stores the
//! bytes beside the record; [`Source`] carries their digest.

mod annotations;
mod mapping;
mod metrics;
pub mod micro_meta;
mod pairs;
mod portal;
mod report;
mod shipped;

use fairzarr_ome_xml::Document;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::record::{Record, Source};
use crate::{Error, derive, xml};

pub use mapping::Mapping;
pub use metrics::metrics;

/// The forms.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// A record as this crate writes it.
    Record,
    /// Micro-Meta App, microscope file.
    MicroMetaMicroscope,
    /// Micro-Meta App, image-settings file.
    MicroMetaSettings,
    /// An NBO XML document or fragment.
    NboXml,
    /// OME-XML, with whatever NBO its annotations hold.
    OmeXml,
    /// A record of the 4DN data portal.
    Portal,
    /// A microscope-metrics data set with results.
    MicroscopeMetrics,
    /// A report of MetroloJ or MetroloJ_QC on a point spread function.
    MetroloJ,
    /// A table of beads of PSFj.
    PsfJ,
    /// A table of MethodsJ2, or the questions that it asks.
    MethodsJ2,
    /// A table or JSON document read through an explicit [`Mapping`].
    Mapped,
}

impl Form {
    /// Its name in [`Source::form`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "nbo-record",
            Self::MicroMetaMicroscope => "micro-meta-microscope",
            Self::MicroMetaSettings => "micro-meta-settings",
            Self::NboXml => "nbo-xml",
            Self::OmeXml => "ome-xml",
            Self::Portal => "4dn-portal",
            Self::MicroscopeMetrics => "microscope-metrics",
            Self::MetroloJ => "metroloj",
            Self::PsfJ => "psfj",
            Self::MethodsJ2 => "methodsj2",
            Self::Mapped => "mapped",
        }
    }
}

/// The form of a document; `None` if it is none of them.
pub fn detect(bytes: &[u8]) -> Option<Form> {
    parse(bytes).map(|parsed| parsed.form())
}

/// Reads a document of any known form.
///
/// # Errors
/// [`Error::UnknownForm`] if the content is of no known form, and the errors of the form.
pub fn ingest(name: &str, bytes: &[u8]) -> Result<Record, Error> {
    let parsed = parse(bytes).ok_or_else(|| Error::UnknownForm { name: name.to_owned() })?;
    let (form, media_type) = (parsed.form(), parsed.media_type());
    let mut record = match parsed {
        Parsed::Record(json) => Record::from_json(&json)?,
        Parsed::Microscope(json) => micro_meta::microscope(&json),
        Parsed::Settings(json) => micro_meta::settings(&json),
        Parsed::Portal(json) => portal::read(&json),
        Parsed::Metrics(json, _) => metrics(&json),
        Parsed::Table(_, report, text) => report.read(text)?,
        Parsed::Questions => {
            let mut record = Record::default();
            let why = format!("{name} holds the questions that MethodsJ2 asks, and no answer");
            not_mapped(&mut record, why);
            record
        }
        Parsed::NboXml(text) => xml::read(&text)?,
        Parsed::OmeXml(document) => from_ome(&document),
    };
    record.sources.push(source(name, form, media_type, bytes));
    Ok(record)
}

/// Reads an OME-XML document that is parsed already: what its own vocabulary implies, and the NBO fragments and maps
/// in its annotations.
pub fn from_ome(document: &Document) -> Record {
    let mut record = derive::from_ome(document);
    annotations::annotations(document, &mut record);
    record
}

/// Reads a CSV or JSON document by an explicit mapping of its columns or members to NBO fields.
///
/// # Errors
/// [`Error::Syntax`] if the document is neither, [`Error::Argument`] if the mapping does not fit it.
pub fn ingest_mapped(name: &str, bytes: &[u8], mapping: &Mapping) -> Result<Record, Error> {
    let mut record = mapping.read(bytes)?;
    let media_type =
        if Json::is_object(&json(bytes).unwrap_or_default()) { "application/json" } else { "text/csv" };
    record.sources.push(source(name, Form::Mapped, media_type, bytes));
    Ok(record)
}

/// Reads several documents into one record: a microscope with its settings, an OME-XML document with its
/// sidecars. Objects stand side by side; [`crate::merge`] joins those that are the same.
///
/// # Errors
/// As [`ingest`], for the first document that cannot be read.
pub fn ingest_all<'a>(documents: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Record, Error> {
    let mut all = Record::default();
    for (name, bytes) in documents {
        let record = ingest(name, bytes)?;
        all.objects.extend(record.objects);
        all.sources.extend(record.sources);
        all.extra.extend(record.extra);
    }
    Ok(all)
}

/// The member of [`Record::extra`] that says what of a document has no place in NBO.
const NOT_MAPPED: &str = "notMapped";

/// Sentences on what the documents of a record say that has no place in NBO at all: a record that holds nothing else
/// describes no microscope, image or calibration. What they say is in their bytes, which are kept.
pub fn left_out(record: &Record) -> impl Iterator<Item = &str> {
    let said = record.extra.get(NOT_MAPPED).and_then(Json::as_array);
    said.into_iter().flatten().filter_map(Json::as_str)
}

fn not_mapped(record: &mut Record, why: String) {
    let list = record.extra.entry(NOT_MAPPED).or_insert_with(|| Json::Array(Vec::new()));
    if let Json::Array(list) = list {
        list.push(why.into());
    }
}

/// A [`Source`] for bytes.
pub fn source(name: &str, form: Form, media_type: &str, bytes: &[u8]) -> Source {
    use std::fmt::Write as _;
    let sha256 = Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    Source {
        name: name.to_owned(),
        form: form.name().to_owned(),
        media_type: media_type.to_owned(),
        sha256,
        bytes: bytes.len() as u64,
        path: None,
    }
}

enum Parsed<'t> {
    Record(Json),
    Microscope(Json),
    Settings(Json),
    Portal(Json),
    /// The data set, and whether it was YAML.
    Metrics(Json, bool),
    /// A table that a shipped mapping fits.
    Table(Form, &'static report::Report, &'t str),
    /// The structure of a MethodsJ2 dialogue.
    Questions,
    NboXml(String),
    OmeXml(Box<Document>),
}

impl Parsed<'_> {
    fn form(&self) -> Form {
        match self {
            Self::Record(_) => Form::Record,
            Self::Microscope(_) => Form::MicroMetaMicroscope,
            Self::Settings(_) => Form::MicroMetaSettings,
            Self::Portal(_) => Form::Portal,
            Self::Metrics(..) => Form::MicroscopeMetrics,
            Self::Table(form, ..) => *form,
            Self::Questions => Form::MethodsJ2,
            Self::NboXml(_) => Form::NboXml,
            Self::OmeXml(_) => Form::OmeXml,
        }
    }

    fn media_type(&self) -> &'static str {
        match self {
            Self::Metrics(_, true) => "application/yaml",
            Self::NboXml(_) | Self::OmeXml(_) => "application/xml",
            Self::Table(..) => "text/csv",
            _ => "application/json",
        }
    }
}

fn parse(bytes: &[u8]) -> Option<Parsed<'_>> {
    let text = std::str::from_utf8(bytes).ok().map(|t| t.trim_start_matches('\u{feff}').trim_start());
    match text.and_then(|t| t.chars().next()) {
        Some('{' | '[') => json(bytes).and_then(of_json),
        // OME-XML comes in more encodings than UTF-8; its own reader knows them.
        Some('<') => of_xml(text, bytes),
        None if may_be_xml(bytes) => of_xml(text, bytes),
        None => None,
        Some(_) => {
            let text = text?;
            let metrics = metrics::from_yaml(text).map(|json| Parsed::Metrics(json, true));
            metrics.or_else(|| shipped::of(text).map(|(form, report)| Parsed::Table(form, report, text)))
        }
    }
}

/// Whether bytes that are no UTF-8 begin as XML of another encoding does: a mark or a bracket, within what space may
/// stand there.
fn may_be_xml(bytes: &[u8]) -> bool {
    let begins = bytes.iter().find(|byte| !byte.is_ascii_whitespace() && **byte != 0);
    begins == Some(&b'<') || [[0xfe, 0xff], [0xff, 0xfe]].iter().any(|mark| bytes.starts_with(mark))
}

fn json(bytes: &[u8]) -> Option<Json> {
    let text = std::str::from_utf8(bytes).ok()?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
}

fn of_json(json: Json) -> Option<Parsed<'static>> {
    if json["@graph"].is_array() && json["spec"]["name"] == "4DN-BINA-OME" {
        Some(Parsed::Record(json))
    } else if micro_meta::is_microscope(&json) {
        Some(Parsed::Microscope(json))
    } else if micro_meta::is_settings(&json) {
        Some(Parsed::Settings(json))
    } else if metrics::is_metrics(&json) {
        Some(Parsed::Metrics(json, false))
    } else if portal::is_portal(&json) {
        Some(Parsed::Portal(json))
    } else if is_questions(&json) {
        Some(Parsed::Questions)
    } else {
        None
    }
}

/// The structure file of MethodsJ2: what it asks, with the words around the answers.
fn is_questions(json: &Json) -> bool {
    let settings = json["settings"].as_array();
    settings.is_some_and(|list| {
        !list.is_empty()
            && list.iter().all(|item| item.get("Dialog_Type").is_some() || item.get("Dialog_Box").is_some())
    })
}

fn of_xml(text: Option<&str>, bytes: &[u8]) -> Option<Parsed<'static>> {
    if let Some(text) = text
        && xml::root_namespace(text).is_some_and(|ns| xml::is_nbo(&ns))
    {
        return Some(Parsed::NboXml(text.to_owned()));
    }
    Document::parse(bytes.to_vec()).ok().map(|d| Parsed::OmeXml(Box::new(d)))
}
