//! What can be wrong with a document: errors that end the reading, warnings that do not.

use std::fmt;

/// Why a document cannot be read or written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no `<` in the document.
    #[error("no XML: found {len} bytes without an element, expected an OME document")]
    NotXml {
        /// Bytes given.
        len: usize,
    },
    /// The document is XML, but not OME-XML.
    #[error("not OME-XML: the root element is `{root}`, expected `OME`")]
    NotOme {
        /// Qualified name of the root element.
        root: String,
    },
    /// The document is not well-formed in a way that leaves its structure unknown.
    #[error("OME-XML not well-formed at byte {offset}: {reason}")]
    NotWellFormed {
        /// Byte of the decoded text at which reading stopped.
        offset: usize,
        /// What was found there.
        reason: String,
    },
    /// The bytes are no text in any encoding that XML allows.
    #[error("OME-XML byte {offset} is not text: {reason}")]
    Encoding {
        /// Byte of the document as given.
        offset: usize,
        /// What was found there.
        reason: String,
    },
    /// The document has a DTD with declarations. None of OME's has, and entities can hide anything.
    #[error("OME-XML has a document type with declarations at byte {offset}; these are refused")]
    Doctype {
        /// Byte of the decoded text.
        offset: usize,
    },
    /// The document exceeds a limit that keeps hostile input harmless.
    #[error("OME-XML has {found} {what} at byte {offset}, more than the limit of {limit}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// How many there are at least.
        found: u64,
        /// How many there may be.
        limit: u64,
        /// Byte of the decoded text.
        offset: usize,
    },
    /// An Image was asked for that the document does not have, or twice.
    #[error("Image {index} asked for, but {reason}")]
    Image {
        /// Index asked for, counted from 0 in document order.
        index: usize,
        /// Why it cannot be given.
        reason: String,
    },
    /// The document points to another file for its content.
    #[error("OME-XML is BinaryOnly: its Images are described in `{metadata_file}`")]
    BinaryOnly {
        /// `BinaryOnly@MetadataFile`.
        metadata_file: String,
    },
    /// The structured JSON form is not one that XML can be made from.
    #[error("structured OME JSON at {path}: {reason}")]
    Json {
        /// Path of the member, from the document.
        path: String,
        /// What was found and what was expected.
        reason: String,
    },
    /// Columns or blobs that belong to the structured JSON are missing or do not fit.
    #[error("columns `{name}`: {reason}")]
    Columns {
        /// Name of the table or column.
        name: String,
        /// What was found and what was expected.
        reason: String,
    },
}

impl Error {
    /// That the structured form has at `path` what XML cannot be made from.
    pub(crate) fn json(path: &str, reason: &str) -> Self {
        Self::Json {
            path: if path.is_empty() { "/".into() } else { path.to_owned() },
            reason: reason.to_owned(),
        }
    }
}

/// Something in the document that is wrong or unusual, and what was done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// Byte of the document (as given when about encoding, else of the decoded text), where one can be named.
    pub offset: Option<usize>,
    /// One sentence.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "byte {offset}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Warnings in the order found; the first thousand are kept, the others counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Warnings {
    list: Vec<Warning>,
    more: usize,
}

impl Warnings {
    pub(crate) fn at(&mut self, offset: usize, message: impl Into<String>) {
        self.push(Some(offset), message.into());
    }

    pub(crate) fn say(&mut self, message: impl Into<String>) {
        self.push(None, message.into());
    }

    pub(crate) fn append(&mut self, other: Warnings) {
        self.more += other.more;
        for warning in other.list {
            self.push(warning.offset, warning.message);
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Warning> {
        if self.more > 0 {
            self.list.push(Warning {
                offset: None,
                message: format!("and {} more warnings of these kinds", self.more),
            });
        }
        self.list
    }

    fn push(&mut self, offset: Option<usize>, message: String) {
        if self.list.len() < MAX_WARNINGS {
            self.list.push(Warning { offset, message });
        } else {
            self.more += 1;
        }
    }
}

const MAX_WARNINGS: usize = 1000;
