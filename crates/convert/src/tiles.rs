//! What becomes of the source's tiles and strips: moved as they are, or decoded and encoded again.
//!
//! A tile is moved when its compressed bytes are what a Zarr reader expects of a chunk, but for the wrapper around them:
//! samples of whole bytes, one to a pixel, no predictor, Deflate, Zstandard or nothing.

use fairzarr_ome_tiff::Image;
use serde::{Deserialize, Serialize};

use crate::encode::Codec;
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
    },
}

impl Tiles {
    /// Whether tiles are moved as they are.
    pub fn are_moved(&self) -> bool {
        matches!(self, Self::Moved { .. })
    }
}

/// How full resolution is cut and stored.
pub(crate) struct FullResolution {
    /// Height and width of a chunk.
    pub(crate) chunk: (u32, u32),
    pub(crate) codec: Codec,
    pub(crate) tiles: Tiles,
}

/// Chooses the chunks of full resolution.
pub(crate) fn choose(image: &Image, options: &Options) -> FullResolution {
    let shape = image.shape();
    let within = |(h, w): (u32, u32)| (h.min(shape.y), w.min(shape.x));
    let grid = match options.chunk {
        ChunkChoice::Size(h, w) => {
            return FullResolution { chunk: within((h, w)), codec: options.codec, tiles: Tiles::Encoded };
        }
        ChunkChoice::Source => image.levels()[0].grid,
    };
    let grid = (grid.height, grid.width);
    let bytes = grid.0 as u64 * grid.1 as u64 * image.sample_type().bytes() as u64;
    if bytes > LARGEST {
        let why = format!("{} x {} pixels are too many for a chunk", grid.0, grid.1);
        return FullResolution { chunk: within(USUAL), codec: options.codec, tiles: Tiles::Refused(why) };
    }
    match movable(image, options.version.zarr_format()) {
        // Whole tiles, also where they reach beyond the image.
        Ok((codec, big_endian)) => FullResolution { chunk: grid, codec, tiles: Tiles::Moved { big_endian } },
        Err(why) => FullResolution { chunk: within(grid), codec: options.codec, tiles: Tiles::Refused(why) },
    }
}

/// The codec by which Zarr reads the tiles of all planes, and whether they are big-endian; or why there is none.
fn movable(image: &Image, zarr_format: u8) -> Result<(Codec, bool), String> {
    let layout = image.common_layout()?;
    layout.check_repack()?;
    if usize::from(layout.bits) != image.sample_type().bytes() * 8 {
        return Err(format!("samples of {} bits become {}", layout.bits, image.sample_type()));
    }
    let codec = Codec::of_source(layout.compression, zarr_format)
        .ok_or_else(|| format!("Zarr has no codec for {}", layout.compression.name()))?;
    Ok((codec, layout.big_endian && layout.bits > 8))
}

/// Height and width of chunks where the source's cannot be kept.
const USUAL: (u32, u32) = (512, 512);
/// Bytes of the samples of the largest chunk that is made of one tile or strip.
const LARGEST: u64 = 64 << 20;
