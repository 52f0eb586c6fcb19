//! From documents to records: every form in which NBO metadata and quality control are found.
//!
//! The form is known by content, never by file name. Everything that a form says and NBO has no name
//! for is kept in `extra`; values are taken as they are, with placeholders marked. The caller stores the
//! bytes beside the record; [`Source`] carries their digest.

mod annotations;
mod mapping;
mod metrics;
pub mod micro_meta;
mod portal;

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

enum Parsed {
    Record(Json),
    Microscope(Json),
    Settings(Json),
    Portal(Json),
    /// The data set, and whether it was YAML.
    Metrics(Json, bool),
    NboXml(String),
    OmeXml(Box<Document>),
}

impl Parsed {
    fn form(&self) -> Form {
        match self {
            Self::Record(_) => Form::Record,
            Self::Microscope(_) => Form::MicroMetaMicroscope,
            Self::Settings(_) => Form::MicroMetaSettings,
            Self::Portal(_) => Form::Portal,
            Self::Metrics(..) => Form::MicroscopeMetrics,
            Self::NboXml(_) => Form::NboXml,
            Self::OmeXml(_) => Form::OmeXml,
        }
    }

    fn media_type(&self) -> &'static str {
        match self {
            Self::Metrics(_, true) => "application/yaml",
            Self::NboXml(_) | Self::OmeXml(_) => "application/xml",
            _ => "application/json",
        }
    }
}

fn parse(bytes: &[u8]) -> Option<Parsed> {
    let text = std::str::from_utf8(bytes).ok().map(|t| t.trim_start_matches('\u{feff}').trim_start());
    match text.and_then(|t| t.chars().next()) {
        Some('{' | '[') => json(bytes).and_then(of_json),
        // OME-XML comes in more encodings than UTF-8; its own reader knows them.
        Some('<') => of_xml(text, bytes),
        None if may_be_xml(bytes) => of_xml(text, bytes),
        None => None,
        Some(_) => metrics::from_yaml(text?).map(|json| Parsed::Metrics(json, true)),
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

fn of_json(json: Json) -> Option<Parsed> {
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
    } else {
        None
    }
}

fn of_xml(text: Option<&str>, bytes: &[u8]) -> Option<Parsed> {
    if let Some(text) = text
        && xml::root_namespace(text).is_some_and(|ns| xml::is_nbo(&ns))
    {
        return Some(Parsed::NboXml(text.to_owned()));
    }
    Document::parse(bytes.to_vec()).ok().map(|d| Parsed::OmeXml(Box::new(d)))
}
