//! OME-TIFF filesets: IFD index, plane map, stored samples of any tile, strip or region.
//!
//! A [`Fileset`] is opened by naming any of its files; what the metadata promise is checked then. An [`Image`]
//! has the axes t, c, z, y, x, always all five, always in that order, and gives its samples as they are stored,
//! little-endian, to any number of threads.
//!
//! ```no_run
//! use fairzarr_ome_tiff::{Fileset, PlaneIndex, Region, Scratch};
//!
//! let set = Fileset::open("cells.ome.tiff")?;
//! let image = &set.images()[0];
//! let shape = image.shape();
//! let mut plane = vec![0; shape.y as usize * shape.x as usize * image.sample_type().bytes()];
//! let region = Region { y: 0, x: 0, h: shape.y, w: shape.x };
//! let first = PlaneIndex { t: 0, group: 0, z: 0 };
//! // One channel a page: of RGB the buffer would hold three planes.
//! assert_eq!(image.channel_groups()[0].len(), 1);
//! image.read(0, first, region, &mut plane, &mut Scratch::new())?;
//! # Ok::<(), fairzarr_ome_tiff::Error>(())
//! ```
//!
//! What is tolerated, what is refused, and why, is in `docs/reading.md`.
#![forbid(unsafe_code)]

mod appearance;
mod assemble;
mod attached;
mod cache;
mod calibration;
mod check;
mod container;
mod described;
mod discover;
mod error;
mod extra;
mod files;
mod fileset;
mod image;
mod imagej;
mod levels;
mod ome;
mod open;
mod opener;
mod original;
mod page_text;
mod part;
mod plain;
mod plane_map;
mod plates;
mod read;
mod sample_type;
mod scratch;
mod sniff;
mod source;
mod types;
mod unmapped;
mod watched;
mod write;

pub use appearance::Appearance;
pub use attached::AttachedFile;
pub use calibration::{Calibration, Step};
pub use described::ChannelNote;
pub use error::{ChunkError, ChunkPlace, Error, Result};
pub use fairzarr_ome_xml as ome_xml;
pub use fairzarr_pixel::{PlaneIndex, Region, SampleType, Shape};
pub use fairzarr_tiff_codec as tiff_codec;
pub use files::FileInfo;
pub use fileset::Fileset;
pub use image::{Image, StoredChunk};
pub use open::{
    HalfFloats, OnBadMetadata, OnExtraPages, OnMissing, OpenOptions, SourceContent, SourceDocument,
};
pub use opener::{Folder, Opener};
pub use original::{OriginalMetadata, PageTags, Tag, TagValue};
pub use part::Part;
pub use read::PackedChunk;
pub use scratch::Scratch;
pub use source::{ByteSource, FileState};
pub use types::{Grid, Kind, LevelInfo, PageKind, PlaneLocation, Warning};
pub use unmapped::UnmappedPage;
pub use write::{Chunk, ExtraTag, Page, PageForm, TiffWriter};
