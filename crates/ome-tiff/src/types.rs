//! The vocabulary of images: sample types, shapes, places.

use std::fmt;

use fairzarr_ome_xml::PixelType;
use fairzarr_tiff_codec::{ChunkLayout, Compression, SampleFormat};

use crate::geometry::Geometry;

/// What one sample of an image is.
///
/// The types of the OME model, and those that TIFF has besides. Samples are read as little-endian bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SampleType {
    /// One bit; read as one byte, 0 or 1.
    Bit,
    /// Two's complement, 8 bits.
    Int8,
    /// Unsigned, 8 bits.
    Uint8,
    /// Two's complement, 16 bits.
    Int16,
    /// Unsigned, 16 bits.
    Uint16,
    /// Two's complement, 32 bits.
    Int32,
    /// Unsigned, 32 bits.
    Uint32,
    /// Two's complement, 64 bits; not in the OME model.
    Int64,
    /// Unsigned, 64 bits; not in the OME model.
    Uint64,
    /// IEEE 754 binary16; not in the OME model.
    Float16,
    /// IEEE 754 binary32.
    Float,
    /// IEEE 754 binary64.
    Double,
    /// Two binary32 numbers, real part first.
    ComplexFloat,
    /// Two binary64 numbers, real part first.
    ComplexDouble,
}

impl SampleType {
    /// Bytes of one sample as it is read.
    pub fn bytes(self) -> usize {
        match self {
            Self::Bit | Self::Int8 | Self::Uint8 => 1,
            Self::Int16 | Self::Uint16 | Self::Float16 => 2,
            Self::Int32 | Self::Uint32 | Self::Float => 4,
            Self::Int64 | Self::Uint64 | Self::Double | Self::ComplexFloat => 8,
            Self::ComplexDouble => 16,
        }
    }

    /// The name in the OME model; for types outside of it one in the same style.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bit => "bit",
            Self::Int8 => "int8",
            Self::Uint8 => "uint8",
            Self::Int16 => "int16",
            Self::Uint16 => "uint16",
            Self::Int32 => "int32",
            Self::Uint32 => "uint32",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Float16 => "half",
            Self::Float => "float",
            Self::Double => "double",
            Self::ComplexFloat => "complex",
            Self::ComplexDouble => "double-complex",
        }
    }

    /// Bytes of one number, of which a complex sample has two: what byte order applies to.
    pub(crate) fn number_bytes(self) -> usize {
        match self {
            Self::ComplexFloat => 4,
            Self::ComplexDouble => 8,
            other => other.bytes(),
        }
    }

    /// What the tags alone say; `None` where no type holds such samples.
    pub(crate) fn from_layout(layout: &ChunkLayout) -> Option<Self> {
        Some(match (layout.format, layout.bits) {
            (SampleFormat::Uint | SampleFormat::Void, 1) => Self::Bit,
            (SampleFormat::Uint | SampleFormat::Void, bits) => match bits {
                2..=8 => Self::Uint8,
                9..=16 => Self::Uint16,
                17..=32 => Self::Uint32,
                33..=64 => Self::Uint64,
                _ => return None,
            },
            (SampleFormat::Int, bits) => match bits {
                1..=8 => Self::Int8,
                9..=16 => Self::Int16,
                17..=32 => Self::Int32,
                33..=64 => Self::Int64,
                _ => return None,
            },
            (SampleFormat::Float, 16) => Self::Float16,
            (SampleFormat::Float, 24 | 32) => Self::Float,
            (SampleFormat::Float, 64) => Self::Double,
            (SampleFormat::ComplexFloat, 64) => Self::ComplexFloat,
            (SampleFormat::ComplexFloat, 128) => Self::ComplexDouble,
            _ => return None,
        })
    }

    /// The type that the OME model names.
    pub(crate) fn from_ome(pixel_type: PixelType) -> Self {
        match pixel_type {
            PixelType::Bit => Self::Bit,
            PixelType::Int8 => Self::Int8,
            PixelType::Uint8 => Self::Uint8,
            PixelType::Int16 => Self::Int16,
            PixelType::Uint16 => Self::Uint16,
            PixelType::Int32 => Self::Int32,
            PixelType::Uint32 => Self::Uint32,
            PixelType::Float => Self::Float,
            PixelType::Double => Self::Double,
            PixelType::ComplexFloat => Self::ComplexFloat,
            PixelType::ComplexDouble => Self::ComplexDouble,
        }
    }

    /// The type of the samples of a page, given what the metadata call them, and what had to be tolerated.
    ///
    /// The metadata decide where the tags leave a choice: on the sign of integers, because many writers never
    /// write SampleFormat, and on everything else only where SampleFormat is absent. A different number of
    /// bytes is never accepted.
    pub(crate) fn reconcile(
        declared: Option<Self>,
        geometry: &Geometry,
    ) -> Result<(Self, Option<String>), String> {
        let layout = &geometry.layout;
        let tags = || format!("{} bits, {:?}", layout.bits, layout.format);
        let stored = Self::from_layout(layout);
        let Some(declared) = declared else {
            return stored
                .map(|found| (found, None))
                .ok_or_else(|| format!("no type holds samples of {}", tags()));
        };
        let differs = || format!("the metadata say Type {declared}, the tags say {}", tags());
        match stored {
            Some(found) if found == declared => Ok((declared, None)),
            Some(Self::Bit) if declared == Self::Uint8 => Ok((declared, None)),
            // OME has no half; the stored samples are kept as they are.
            Some(Self::Float16) if declared == Self::Float => {
                Ok((Self::Float16, Some(format!("{}; read as half", differs()))))
            }
            Some(found) if found.bytes() == declared.bytes() => {
                let sign_only = found.is_integer() && declared.is_integer();
                if !geometry.given.format && declared != Self::Bit {
                    Ok((declared, None))
                } else if sign_only && layout.format == SampleFormat::Uint {
                    Ok((declared, Some(format!("{}; read as {declared}", differs()))))
                } else {
                    Err(differs())
                }
            }
            _ => Err(differs()),
        }
    }

    fn is_integer(self) -> bool {
        matches!(
            self,
            Self::Int8
                | Self::Uint8
                | Self::Int16
                | Self::Uint16
                | Self::Int32
                | Self::Uint32
                | Self::Int64
                | Self::Uint64
        )
    }
}

impl fmt::Display for SampleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Size of an image along each axis, slowest first as everywhere here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Time points.
    pub t: u32,
    /// Channels, every sample of a pixel counted: RGB has three.
    pub c: u32,
    /// Focal planes.
    pub z: u32,
    /// Rows.
    pub y: u32,
    /// Columns.
    pub x: u32,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { t, c, z, y, x } = self;
        write!(f, "t {t}, c {c}, z {z}, y {y}, x {x}")
    }
}

/// One page's worth of an image: the channels of one group at one time point and focal plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlaneIndex {
    /// Time point.
    pub t: u32,
    /// Index into [`Image::channel_groups`](crate::Image::channel_groups).
    pub group: usize,
    /// Focal plane.
    pub z: u32,
}

impl fmt::Display for PlaneIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t {}, channel group {}, z {}", self.t, self.group, self.z)
    }
}

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    /// First row.
    pub y: u32,
    /// First column.
    pub x: u32,
    /// Rows.
    pub h: u32,
    /// Columns.
    pub w: u32,
}

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
