//! What is asked of the opening of a set, and the documents that it finds.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use fairzarr_ome_xml::alike::Edit;

/// What to do about what is not there, and how much memory to use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpenOptions {
    /// What to do when the metadata promise planes or files that are missing.
    pub on_missing: OnMissing,
    /// What to do about pages that no plane of the metadata uses.
    pub on_extra_pages: OnExtraPages,
    /// What to do about metadata that cannot be read whole, for reasons that do not concern the planes.
    pub on_bad_metadata: OnBadMetadata,
    /// What samples of 16-bit floating point are read as.
    pub half: HalfFloats,
    /// Whether links that lead out of the folder of the file that is named are followed.
    pub follow_links: bool,
    /// Decoded bytes of a compressed chunk from which on it is read row by row instead of whole.
    pub stream_above: usize,
    /// Decoded bytes of the largest chunk that is accepted where its codec cannot be read row by row.
    pub max_chunk: usize,
    /// Bytes of the largest OME-XML document that is accepted.
    pub max_document: u64,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            on_missing: OnMissing::Error,
            on_extra_pages: OnExtraPages::Report,
            on_bad_metadata: OnBadMetadata::Carry,
            half: HalfFloats::Float32,
            follow_links: false,
            stream_above: 64 << 20,
            max_chunk: 1 << 30,
            max_document: 1 << 30,
        }
    }
}

/// What to do when planes are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnMissing {
    /// Refuse the set.
    #[default]
    Error,
    /// Open it; [`Image::has_plane`](crate::Image::has_plane) tells which planes are there, and damaged ones fail when they are read.
    Fill,
}

impl fmt::Display for OnMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Fill => "fill",
        })
    }
}

impl FromStr for OnMissing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "error" => Ok(Self::Error),
            "fill" => Ok(Self::Fill),
            other => Err(format!("'{other}' is neither error nor fill")),
        }
    }
}

/// What to do about pages of the files that no plane and no level uses: a second camera, a label, an overview.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnExtraPages {
    /// They become further images, after those of the metadata.
    Keep,
    /// A warning names them, and [`Fileset::unmapped`](crate::Fileset::unmapped) tells what they are.
    #[default]
    Report,
    /// Refuse the set.
    Refuse,
}

impl fmt::Display for OnExtraPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "keep",
            Self::Report => "report",
            Self::Refuse => "refuse",
        })
    }
}

impl FromStr for OnExtraPages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "keep" => Ok(Self::Keep),
            "report" => Ok(Self::Report),
            "refuse" => Ok(Self::Refuse),
            other => Err(format!("'{other}' is none of keep, report and refuse")),
        }
    }
}

/// What to do about metadata of which a part is not read, because that would be unsafe, and on which no plane depends: elements
/// that are nested very deep, and declarations of a document type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBadMetadata {
    /// Refuse the set.
    Error,
    /// Read the rest; a warning and [`Fileset::metadata_not_read`](crate::Fileset::metadata_not_read) tell, and the document itself
    /// is as it was.
    #[default]
    Carry,
}

/// What samples of 16-bit floating point are read as. OME has no name for them, and few programs read arrays of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HalfFloats {
    /// As samples of 32 bits, which hold each of their values exactly.
    #[default]
    Float32,
    /// As they are stored.
    Float16,
}

impl fmt::Display for HalfFloats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
        })
    }
}

impl FromStr for HalfFloats {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "float32" => Ok(Self::Float32),
            "float16" => Ok(Self::Float16),
            other => Err(format!("'{other}' is neither float32 nor float16")),
        }
    }
}

impl SourceDocument {
    /// How many bytes the document has.
    pub fn bytes(&self) -> usize {
        match &self.content {
            SourceContent::Whole(bytes) => bytes.len(),
            SourceContent::Like { bytes, .. } => *bytes,
        }
    }
}

/// The bytes of a document of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceContent {
    /// As they stand in the file.
    Whole(Arc<[u8]>),
    /// Those of another document of the set, with some edits: many files have the same document but for their UUID.
    Like {
        /// The number of the other one, which is whole.
        document: usize,
        /// What stands otherwise.
        edits: Vec<Edit>,
        /// How many bytes this one has.
        bytes: usize,
    },
}

/// One OME-XML document of a set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceDocument {
    /// The first file that holds it.
    pub name: String,
    /// `ImageDescription` where it stands in that tag of a TIFF file, `companion` where it is a file.
    pub role: &'static str,
    /// The document, without the NULs that end the tag; [`Fileset::source_bytes`](crate::Fileset::source_bytes) has its bytes.
    pub content: SourceContent,
    /// All files that hold these bytes.
    pub files: Vec<String>,
    /// NULs after the document.
    pub trailing_nuls: usize,
}
