//! Everything that can be wrong with a fileset, in one sentence each.

use std::{fmt, io};

use fairzarr_tiff_codec::CodecError;

/// Why a fileset cannot be opened, or a region of it not be read.
///
/// File names are those by which the files were opened; IFDs are counted from 0 in the chain of their file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The storage failed.
    #[error("cannot read {file}")]
    Io {
        /// The file.
        file: String,
        /// What the storage said.
        source: io::Error,
    },
    /// The file is neither TIFF nor OME-XML.
    #[error("{file} is neither a TIFF file nor an OME-XML document: {found}")]
    NotTiff {
        /// The file.
        file: String,
        /// What it looks like.
        found: String,
    },
    /// Header, chain of directories or values are broken.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// The file.
        file: String,
        /// What was found and what was expected.
        what: String,
    },
    /// The OME-XML cannot be parsed.
    #[error("the OME-XML of {file} cannot be read")]
    Xml {
        /// The file.
        file: String,
        /// Why.
        source: fairzarr_ome_xml::Error,
    },
    /// The OME-XML does not say what is needed to read the pixels, or says what cannot be.
    #[error("the OME-XML of {file}: {what}")]
    Document {
        /// The file.
        file: String,
        /// What is missing or wrong.
        what: String,
    },
    /// A file that the metadata name cannot be found.
    #[error("{named_in} names {name}, which is not there; it would hold {content}")]
    MissingFile {
        /// The file that names it.
        named_in: String,
        /// The missing file, with its UUID if that is known.
        name: String,
        /// What would be read from it.
        content: String,
    },
    /// The metadata promise planes that no file holds.
    #[error("{image} promises {promised} planes, {missing} of them missing: {what}")]
    MissingPlanes {
        /// The image.
        image: String,
        /// Planes, t x z x pages of channels.
        promised: u64,
        /// How many of them cannot be found.
        missing: u64,
        /// The first of them, and what the file has.
        what: String,
    },
    /// A name in the metadata leads to a link, and that out of the folder of the file that was named.
    #[error(
        "{file} is a link to {target}, outside of the folder of the file that was named; it is not followed"
    )]
    Link {
        /// The file.
        file: String,
        /// Where the link leads.
        target: String,
    },
    /// The files hold pages that no plane uses, and that was to be refused.
    #[error("{file}, IFD {ifd}: {what}, is no plane of any image{}", more(*.count))]
    ExtraPages {
        /// The file of the first of them.
        file: String,
        /// Its page.
        ifd: u32,
        /// How many there are.
        count: usize,
        /// What the first seems to be.
        what: String,
    },
    /// A part of the metadata is not read, and that was to be refused.
    #[error("{file}: a part of the OME-XML cannot be read, and no plane depends on it: {what}")]
    NotRead {
        /// The file of the document.
        file: String,
        /// The first such part.
        what: String,
    },
    /// A page is not what the metadata say.
    #[error("{image}: {file}, IFD {ifd}: {what}")]
    Mismatch {
        /// The image.
        image: String,
        /// The file.
        file: String,
        /// The page.
        ifd: u32,
        /// What the metadata say and what the tags say.
        what: String,
    },
    /// A page is stored in a way that this build cannot decode.
    #[error("{image}: {file}, IFD {ifd}")]
    Unsupported {
        /// The image.
        image: String,
        /// The file.
        file: String,
        /// The page.
        ifd: u32,
        /// By name and code.
        source: CodecError,
    },
    /// A stored tile or strip cannot be read or decoded.
    #[error("{place}")]
    Chunk {
        /// Which one.
        place: Box<ChunkPlace>,
        /// What went wrong.
        source: ChunkError,
    },
    /// The plane that was asked for is one of those that no file holds.
    #[error("{image}, {plane}: no file holds this plane")]
    MissingPlane {
        /// The image.
        image: String,
        /// The plane.
        plane: String,
    },
    /// The caller asked for what is not there.
    #[error("{image}: {what}")]
    Request {
        /// The image.
        image: String,
        /// What was asked and what there is.
        what: String,
    },
}

/// How many more pages there are than the one that is named.
fn more(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        2 => ", and neither is 1 more page".to_owned(),
        n => format!(", and neither are {} more pages", n - 1),
    }
}

/// A stored tile or strip: whose it is and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChunkPlace {
    /// The image.
    pub image: String,
    /// The plane and level.
    pub plane: String,
    /// The file.
    pub file: String,
    /// The page.
    pub ifd: u32,
    /// `tile (row r, column c)` or `strip n`.
    pub chunk: String,
    /// Where it is stored.
    pub offset: u64,
    /// Bytes stored there.
    pub len: u64,
}

impl fmt::Display for ChunkPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, plane, file, ifd, chunk, offset, len } = self;
        write!(f, "{image}, {plane}: {file}, IFD {ifd}, {chunk} at offset {offset}, {len} bytes")
    }
}

/// What went wrong with one tile or strip.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// Its bytes cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its bytes cannot be decoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Its place makes no sense.
    #[error("{0}")]
    Place(String),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
