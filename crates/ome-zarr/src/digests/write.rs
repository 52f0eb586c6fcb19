//! The recorded digests of all planes, written.

use fairzarr_digest::{ALGORITHM, TILE};
use fairzarr_ngff::Version;
use fairzarr_store::Store;
use fairzarr_zarr::{FillValue, SampleType};
use serde_json::{Map, json};

use crate::Error;
use crate::arrays::SmallArray;
use crate::keys::DIGESTS;

/// Collects the digests of all images, and then of the reduced levels that were copied, and writes them.
#[derive(Debug, Default)]
pub struct DigestsWriter {
    bytes: Vec<u8>,
    images: Vec<[u64; 5]>,
    levels: Vec<[u64; 7]>,
}

/// The grid of digests of one level.
#[derive(Clone, Copy, Debug)]
pub struct DigestGrid {
    /// Planes of the level.
    pub planes: u64,
    /// Rows of tiles, or of chunks.
    pub rows: u32,
    /// Columns of tiles, or of chunks.
    pub cols: u32,
    /// Width of a tile in pixels; 0 where the digests are those of the stored bytes of chunks.
    pub tile_width: u32,
}

impl DigestsWriter {
    /// Adds full resolution of the next image; `digest` gives that of a plane (counted with z fastest, then c, then t), a row
    /// and a column, and is asked for all of them in this order.
    pub fn image(&mut self, grid: DigestGrid, digest: impl FnMut(u64, u32, u32) -> u128) {
        let place = self.add(grid, digest);
        self.images.push(place);
    }

    /// The same for a reduced level of an image.
    pub fn level(
        &mut self,
        image: usize,
        level: usize,
        grid: DigestGrid,
        digest: impl FnMut(u64, u32, u32) -> u128,
    ) {
        let [start, planes, rows, cols, width] = self.add(grid, digest);
        self.levels.push([image as u64, level as u64, start, planes, rows, cols, width]);
    }

    fn add(&mut self, grid: DigestGrid, mut digest: impl FnMut(u64, u32, u32) -> u128) -> [u64; 5] {
        let DigestGrid { planes, rows, cols, tile_width } = grid;
        let start = (self.bytes.len() / DIGEST) as u64;
        for plane in 0..planes {
            for (row, col) in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
                self.bytes.extend_from_slice(&digest(plane, row, col).to_le_bytes());
            }
        }
        [start, planes, rows.into(), cols.into(), tile_width.into()]
    }

    /// Writes the array [`DIGESTS`] with its attributes, in the background.
    ///
    /// # Errors
    /// When an earlier write in the background failed.
    pub fn write(self, store: &Store, version: Version) -> Result<(), Error> {
        let mut attributes = Map::from_iter([
            ("algorithm".into(), json!(ALGORITHM)),
            ("tile_height".into(), json!(TILE)),
            ("images".into(), json!(self.images)),
        ]);
        if !self.levels.is_empty() {
            attributes.insert("levels".into(), json!(self.levels));
        }
        let array = SmallArray {
            path: DIGESTS.into(),
            data_type: SampleType::Uint64,
            shape: vec![(self.bytes.len() / DIGEST) as u64, 2],
            dimension_names: ["tile", "half"].map(Into::into).into(),
            fill: FillValue::from(0),
            attributes,
            bytes: self.bytes,
        };
        array.write(store, version)
    }
}

/// Bytes of one digest.
const DIGEST: usize = 16;
