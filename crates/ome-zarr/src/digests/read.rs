//! The digests that were recorded at the conversion.

use fairzarr_digest::{ALGORITHM, TILE};
use fairzarr_store::Store;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::Error;
use crate::arrays::StoredArray;
use crate::group::attributes;
use crate::keys::DIGESTS;

/// The digests recorded in a store: one for half a megabyte of samples or so, or for a chunk.
#[derive(Default)]
pub struct Digests {
    /// By image and level.
    places: BTreeMap<(u64, u64), Place>,
    bytes: Vec<u8>,
}

impl Digests {
    /// Reads them. There are none where nothing was recorded, or in a way that is not known here.
    ///
    /// # Errors
    /// When the store cannot be read, or the array is not what its attributes say.
    pub fn open(store: &Store) -> Result<Self, Error> {
        let Some(attributes) = attributes(store, DIGESTS)? else {
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
        let full = (0..).zip(images).map(|(image, place)| ((image, 0), Place::from(place)));
        let reduced = levels.into_iter().map(|[image, level, start, planes, rows, cols, width]| {
            ((image, level), Place { start, planes, rows, cols, width })
        });
        let array = StoredArray::open(store, DIGESTS)?;
        let [tiles, 2] = *array.shape() else {
            return Err(refuse(format!("shape {:?} instead of [tiles, 2]", array.shape())));
        };
        Ok(Self { places: full.chain(reduced).collect(), bytes: array.read(&[0..tiles, 0..2])? })
    }

    /// Those of one level of an image, if there are.
    ///
    /// # Errors
    /// When they do not fit the shape of `pixels`, the array of that level.
    pub fn of(
        &self,
        image: usize,
        level: usize,
        pixels: &StoredArray,
    ) -> Result<Option<Recorded<'_>>, Error> {
        let Some(&Place { start, planes, rows, cols, width }) =
            self.places.get(&(image as u64, level as u64))
        else {
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

/// Where the digests of one level lie.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Number of the first tile.
    start: u64,
    /// Planes, in the order t, c, z with z fastest.
    planes: u64,
    /// Rows and columns of tiles in each plane.
    rows: u64,
    cols: u64,
    /// Width of a tile in pixels; 0 for digests of stored chunks.
    width: u64,
}

impl From<[u64; 5]> for Place {
    fn from([start, planes, rows, cols, width]: [u64; 5]) -> Self {
        Self { start, planes, rows, cols, width }
    }
}

/// The digests of one array.
pub struct Recorded<'d> {
    /// Width of a tile in pixels; 0 where the digests are those of chunks as they are stored.
    pub tile_width: u32,
    /// Rows of tiles or of chunks.
    pub rows: u32,
    /// Columns of tiles or of chunks.
    pub cols: u32,
    digests: &'d [u8],
}

impl Recorded<'_> {
    /// The digest of one tile or chunk of a plane; planes are counted in the order t, c, z with z fastest.
    pub fn digest(&self, plane: u64, row: u32, col: u32) -> u128 {
        let at = ((plane * self.rows as u64 + row as u64) * self.cols as u64 + col as u64) as usize * 16;
        let bytes = self.digests.get(at..at + 16).and_then(|bytes| bytes.try_into().ok());
        u128::from_le_bytes(bytes.unwrap_or([0; 16]))
    }
}
