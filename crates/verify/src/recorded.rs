//! The digests that were recorded at the conversion.

use fairzarr_digest::{ALGORITHM, TILE};
use fairzarr_store::Store;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::Error;
use crate::engine::StoredArray;

/// The array of digests.
const DIGESTS: &str = "OME/digests";

/// The digests recorded in a store: one for half a megabyte of samples or so, or for a chunk.
#[derive(Default)]
pub(crate) struct Digests {
    /// By image and level: the first tile, planes, rows and columns of tiles, width of a tile.
    places: BTreeMap<(u64, u64), [u64; 5]>,
    bytes: Vec<u8>,
}

impl Digests {
    /// None where nothing was recorded, or in a way that is not known here.
    pub(crate) fn open(store: &Store) -> Result<Self, Error> {
        let Some(attributes) = crate::store_images::attributes(store, DIGESTS)? else {
            return Ok(Self::default());
        };
        let known = attributes.get("algorithm").and_then(Value::as_str) == Some(ALGORITHM)
            && attributes.get("tile_height").and_then(Value::as_u64) == Some(TILE as u64);
        let images = attributes.get("images").cloned().map(serde_json::from_value::<Vec<[u64; 5]>>);
        let (true, Some(Ok(images))) = (known, images) else { return Ok(Self::default()) };
        let levels = attributes.get("levels").cloned().map(serde_json::from_value::<Vec<[u64; 7]>>);
        let levels = match levels {
            None => Vec::new(),
            Some(Ok(levels)) => levels,
            Some(Err(error)) => return Err(refuse(format!("its levels cannot be read: {error}"))),
        };
        let full = (0..).zip(images).map(|(image, place)| ((image, 0), place));
        let reduced = levels.into_iter().map(|[image, level, start, planes, rows, cols, width]| {
            ((image, level), [start, planes, rows, cols, width])
        });
        let array = StoredArray::open(store, DIGESTS)?;
        let [tiles, 2] = *array.shape() else {
            return Err(refuse(format!("shape {:?} instead of [tiles, 2]", array.shape())));
        };
        Ok(Self { places: full.chain(reduced).collect(), bytes: array.read(&[0..tiles, 0..2])? })
    }

    /// Those of one level of an image, if there are.
    pub(crate) fn of(
        &self,
        image: usize,
        level: usize,
        pixels: &StoredArray,
    ) -> Result<Option<Recorded<'_>>, Error> {
        let Some(&[start, planes, rows, cols, width]) = self.places.get(&(image as u64, level as u64)) else {
            return Ok(None);
        };
        let [ref leading @ .., y, x] = *pixels.shape() else { return Ok(None) };
        let tile = if width == 0 {
            let chunk = pixels.chunk_shape();
            (chunk[leading.len()], chunk[leading.len() + 1])
        } else {
            (TILE as u64, width)
        };
        let fits = planes == leading.iter().product::<u64>()
            && u32::try_from(width).is_ok()
            && rows == y.div_ceil(tile.0.max(1))
            && cols == x.div_ceil(tile.1.max(1));
        let bytes = || {
            let count = planes.checked_mul(rows)?.checked_mul(cols)?.checked_mul(16)?;
            let start = start.checked_mul(16)?;
            self.bytes.get(start as usize..start.checked_add(count)? as usize)
        };
        match bytes().filter(|_| fits) {
            Some(digests) => {
                Ok(Some(Recorded { tile_width: width as u32, rows: rows as u32, cols: cols as u32, digests }))
            }
            None => Err(refuse(format!(
                "the tiles recorded for level {level} of image {image} do not fit its shape {:?}",
                pixels.shape()
            ))),
        }
    }
}

fn refuse(reason: String) -> Error {
    Error::Array { path: DIGESTS.into(), reason }
}

/// The digests of one array.
pub(crate) struct Recorded<'d> {
    /// Width of a tile in pixels; 0 where the digests are those of chunks as they are stored.
    pub(crate) tile_width: u32,
    pub(crate) rows: u32,
    pub(crate) cols: u32,
    digests: &'d [u8],
}

impl Recorded<'_> {
    pub(crate) fn digest(&self, plane: u64, row: u32, col: u32) -> u128 {
        let at = ((plane * self.rows as u64 + row as u64) * self.cols as u64 + col as u64) as usize * 16;
        let bytes = self.digests.get(at..at + 16).and_then(|bytes| bytes.try_into().ok());
        u128::from_le_bytes(bytes.unwrap_or([0; 16]))
    }
}
