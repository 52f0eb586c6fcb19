//! What is told of images: their resolutions, where planes are stored, what was tolerated.

use std::fmt;

use fairzarr_tiff_codec::Compression;

/// How the pixels of a page are cut up in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Tiles, or strips, which are as wide as the image.
    pub tiled: bool,
    /// Rows of a tile or strip.
    pub height: u32,
    /// Columns of a tile or strip.
    pub width: u32,
}

/// One resolution of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelInfo {
    /// Rows.
    pub y: u32,
    /// Columns.
    pub x: u32,
    /// How the first page is cut up; others may differ.
    pub grid: Grid,
    /// How the first page is compressed; others may differ.
    pub compression: Compression,
    /// Whether that loses information for certain.
    pub lossy: bool,
}

/// Where a plane is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PlaneLocation {
    /// Index into [`Fileset::files`](crate::Fileset::files).
    pub file: usize,
    /// Number of its directory in the chain of the file.
    pub ifd: u32,
    /// Which of the samples of the pixels there.
    pub sample: u16,
}

/// Something that was read although it is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The file, as it is called in the set.
    pub file: Option<String>,
    /// The directory in its chain.
    pub ifd: Option<u32>,
    /// What was found, and what was made of it.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.ifd) {
            (Some(file), Some(ifd)) => write!(f, "{file}, IFD {ifd}: {}", self.message),
            (Some(file), None) => write!(f, "{file}: {}", self.message),
            (None, _) => f.write_str(&self.message),
        }
    }
}

/// What an entry file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// TIFF described by OME-XML, in it or beside it.
    OmeTiff,
    /// TIFF of ImageJ or Fiji, described by `ImageJ=` lines.
    ImageJ,
    /// TIFF described by its tags alone.
    PlainTiff,
}

/// What a page seems to be, by what it says of itself and by its size.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PageKind {
    /// As large as the planes of an image and of their type: a plane that the metadata do not mention.
    Plane,
    /// An image of its own.
    Image,
    /// It says that it is a reduced copy, or lies where those are.
    ReducedCopy,
    /// A small copy of the image.
    Thumbnail,
    /// The label of a slide.
    Label,
    /// An overview of a slide.
    Overview,
    /// A transparency mask.
    Mask,
    /// Its tags make no sense.
    Unreadable,
}

impl PageKind {
    /// In a word, for documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plane => "plane",
            Self::Image => "image",
            Self::ReducedCopy => "reduced copy",
            Self::Thumbnail => "thumbnail",
            Self::Label => "label",
            Self::Overview => "overview",
            Self::Mask => "mask",
            Self::Unreadable => "unreadable",
        }
    }
}
