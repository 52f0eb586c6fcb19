//! The structured form: a document as JSON, tables and blobs, and back.
//!
//! The mapping is described in `docs/ome-json.md`. In short: an attribute is a member with a scalar value; the child
//! elements of one name are a member with an array; members that start with `#` say what JSON cannot. Elements of OME's
//! namespaces go by their names alone, others by their prefixed names. `Plane` and `TiffData` are in [`Table`]s, large
//! `BinData` in [`Blob`]s.

mod attributes;
mod decode;
mod encode;

use serde_json::Value;

use crate::document::Document;
use crate::error::Error;
use crate::table::Table;

/// A document in parts that a store can hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Structured {
    /// Everything but what is in the other members.
    pub json: Value,
    /// `Plane` and `TiffData`, at most one table of each for an Image.
    pub tables: Vec<Table>,
    /// Large binary content.
    pub blobs: Vec<Blob>,
}

/// Binary content of one element.
#[derive(Clone, Debug, PartialEq)]
pub struct Blob {
    /// Its place under the group of the structured model, `blobs/0`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Structured {
    /// Takes a document apart.
    pub fn from_document(document: &Document) -> Self {
        encode::encode(document.tree())
    }

    /// Makes the document again, canonically equal to the one it came from but for white space between elements.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] and [`Error::Columns`] where the parts are not what [`Self::from_document`] gives.
    pub fn to_xml(&self) -> Result<String, Error> {
        decode::decode(self)
    }
}
