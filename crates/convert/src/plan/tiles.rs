//! What becomes of the source's tiles and strips: moved as they are, or decoded and encoded again.
//!
//! A tile is moved when its compressed bytes are what a Zarr reader expects of a chunk, but for the wrapper around them:
//! samples of whole bytes, one to a pixel, no predictor, Deflate, Zstandard or nothing.

use fairzarr_ome_tiff::Image;
use fairzarr_ome_tiff::tiff_codec::{Compression, Container};
use fairzarr_ome_zarr::Codec;
use fairzarr_zarr::Compressor;
use serde::{Deserialize, Serialize};

use super::level::LevelPlan;
use crate::options::{ChunkChoice, Options};

/// What becomes of the source's tiles and strips.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tiles {
    /// They are decoded, and chunks are encoded from their samples.
    Encoded,
    /// The same, although they were to be moved; and why.
    Refused(String),
    /// They are moved as they are. The arrays of all levels then have the source's byte order.
    Moved {
        /// Whether that is big-endian.
        big_endian: bool,
        /// Whether they are decoded too: for the pyramid, the statistics, and the digests of samples.
        decoded: bool,
    },
}

impl Tiles {
    /// Whether the samples pass by.
    pub(crate) fn are_decoded(&self) -> bool {
        !matches!(self, Self::Moved { decoded: false, .. })
    }
}

/// Decides what becomes of the tiles of full resolution.
pub(crate) fn choose(image: &Image, options: &Options) -> Tiles {
    if options.chunk != ChunkChoice::Source {
        return Tiles::Encoded;
    }
    match movable(image, 0, options.version.zarr_format()) {
        Ok((codec, big_endian)) => {
            let decoded = options.decode || container(codec).is_none_or(Container::needs_samples);
            Tiles::Moved { big_endian, decoded }
        }
        Err(why) => Tiles::Refused(why),
    }
}

/// Chooses the chunks of a level that is read from the source, given what becomes of the tiles of full resolution.
pub(crate) fn level(image: &Image, level: usize, tiles: &Tiles, options: &Options) -> LevelPlan {
    let info = &image.levels()[level];
    let size = (info.y, info.x);
    let encoded = |(h, w): (u32, u32)| LevelPlan {
        size,
        chunk: (h.min(size.0), w.min(size.1)),
        shard: None,
        codec: options.codec,
        moved: false,
    };
    let grid = match options.chunk {
        ChunkChoice::Size(h, w) => return encoded((h, w)),
        ChunkChoice::Source => (info.grid.height, info.grid.width),
    };
    if let Tiles::Moved { big_endian, .. } = tiles
        && let Ok((codec, order)) = movable(image, level, options.version.zarr_format())
        && order == *big_endian
    {
        // Whole tiles, also where they reach beyond the image.
        return LevelPlan { size, chunk: grid, shard: None, codec, moved: true };
    }
    encoded(if is_large(image, grid) { USUAL } else { grid })
}

/// Whether a tile or strip is too large for a chunk.
fn is_large(image: &Image, (h, w): (u32, u32)) -> bool {
    h as u64 * w as u64 * image.sample_type().bytes() as u64 > LARGEST
}

/// The codec by which Zarr reads the tiles of a level of all planes, and whether they are big-endian; or why there is none.
fn movable(image: &Image, level: usize, zarr_format: u8) -> Result<(Codec, bool), String> {
    let grid = image.levels()[level].grid;
    if is_large(image, (grid.height, grid.width)) {
        return Err(format!("{} x {} pixels are too many for a chunk", grid.height, grid.width));
    }
    let layout = image.common_layout(level)?;
    layout.check_repack()?;
    if usize::from(layout.bits) != image.sample_type().bytes() * 8 {
        return Err(format!("samples of {} bits become {}", layout.bits, image.sample_type()));
    }
    let codec = codec_of_source(layout.compression, zarr_format)
        .ok_or_else(|| format!("Zarr has no codec for {}", layout.compression.name()))?;
    Ok((codec, layout.big_endian && layout.bits > 8))
}

/// The codec that reads tiles of a source which are moved as they are; `None` where Zarr has no such codec.
/// Zarr v3 has Deflate in gzip members only.
fn codec_of_source(compression: Compression, zarr_format: u8) -> Option<Codec> {
    Some(Codec::new(match compression {
        Compression::None => Compressor::None,
        Compression::Deflate if zarr_format == 2 => Compressor::Zlib { level: 6 },
        Compression::Deflate => Compressor::Gzip { level: 6 },
        // The frames of most writers have no checksum.
        Compression::Zstd => Compressor::Zstd { level: 3, checksum: false },
        _ => return None,
    }))
}

/// What compressed data have to be wrapped in to be read by a codec; `None` where it has a form of its own.
pub(crate) fn container(codec: Codec) -> Option<Container> {
    match codec.compressor() {
        Compressor::None => Some(Container::Bare),
        Compressor::Zlib { .. } => Some(Container::Zlib),
        Compressor::Gzip { .. } => Some(Container::Gzip),
        Compressor::Zstd { .. } => Some(Container::Zstd),
        Compressor::Blosc { .. } => None,
    }
}

/// Height and width of chunks where the source's cannot be kept.
const USUAL: (u32, u32) = (512, 512);
/// Bytes of the samples of the largest chunk that is made of one tile or strip.
const LARGEST: u64 = 64 << 20;
