//! Documents beside an image, read once when they come in.

use fairzarr_nbo::Record;
use fairzarr_nbo::check::Policy;
use fairzarr_nbo::ingest::{self, Mapping};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::Error;

/// A document on microscope, acquisition or quality control: Micro-Meta App JSON, NBO XML, a portal record, results of
/// quality control. Its bytes are kept as they are, and what they say is known from the start. Clones share both.
#[derive(Clone, Debug)]
pub struct Sidecar(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    name: String,
    bytes: Vec<u8>,
    sha256: String,
    record: Record,
}

impl Sidecar {
    /// Reads a document. `mapping` says how one of no known form is read.
    ///
    /// # Errors
    /// [`Error::Sidecar`] when it is of no known form, or not what its form demands.
    pub fn parse(name: impl Into<String>, bytes: Vec<u8>, mapping: Option<&Mapping>) -> Result<Self, Error> {
        let name = name.into();
        let mut read = ingest::ingest(&name, &bytes);
        if let (Err(fairzarr_nbo::Error::UnknownForm { .. }), Some(mapping)) = (&read, mapping) {
            read = ingest::ingest_mapped(&name, &bytes, mapping);
        }
        let record = match read {
            Ok(record) => record,
            Err(source) => return Err(Error::Sidecar { name, source }),
        };
        let sha256 = record.sources.first().map(|source| source.sha256.clone()).unwrap_or_default();
        Ok(Self(Arc::new(Parts { name, bytes, sha256, record })))
    }

    /// Its file name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its bytes, which the store keeps.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// SHA-256 of the bytes, hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.0.sha256
    }

    /// What it says.
    pub fn record(&self) -> &Record {
        &self.0.record
    }

    /// The name of its form, as [`ingest::Form::name`] gives it.
    pub fn form(&self) -> &str {
        self.0.record.sources.first().map_or("", |source| source.form.as_str())
    }
}

/// What a plan knows of the documents beside the image: resumed or split, a conversion has to read the same ones.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Documents {
    /// Name and SHA-256 of each sidecar.
    pub sidecars: Vec<(String, String)>,
    /// How those are read that are of no known form.
    pub mapping: Option<Mapping>,
    /// What the record is checked by.
    pub policy: Option<Policy>,
}

impl Documents {
    /// Those of a conversion with these sidecars, mapping and policy.
    pub fn new(sidecars: &[Sidecar], mapping: Option<&Mapping>, policy: Option<&Policy>) -> Self {
        let named = |sidecar: &Sidecar| (sidecar.name().to_owned(), sidecar.sha256().to_owned());
        Self {
            sidecars: sidecars.iter().map(named).collect(),
            mapping: mapping.cloned(),
            policy: policy.cloned(),
        }
    }
}
