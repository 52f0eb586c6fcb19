//! Digests of the pixels themselves, independent of chunking, codec and byte order of any file.
//!
//! A *canonical tile* is a rectangle of one plane on a fixed grid, [`TILE`] rows high. Its digest is the sum
//! (modulo 2^128), over its rows, of XXH3-128 of the row's little-endian samples, seeded with the row's index in
//! the tile. A sum does not depend on the order in which rows arrive, so bands, blocks and tiles of any height give
//! the same digest, and partial digests of one tile are added.
//!
//! Where samples are not decoded, a chunk's stored bytes have a digest of their own instead.
//!
//! How the digests of a store are written down is in docs/digests.md, from which docs/verify.py was made. Its example:
//!
//! ```
//! use fairzarr_digest::{PlaneDigest, TILE};
//! use fairzarr_pixel::Region;
//!
//! // Two rows of three 16-bit samples, in one call or row by row.
//! let plane = [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0];
//! let mut whole = PlaneDigest::default();
//! whole.add(Region { y: 0, x: 0, h: 2, w: 3 }, 2, TILE, &plane);
//! let mut rows = PlaneDigest::default();
//! rows.add(Region { y: 1, x: 0, h: 1, w: 3 }, 2, TILE, &plane[6..]);
//! rows.add(Region { y: 0, x: 0, h: 1, w: 3 }, 2, TILE, &plane[..6]);
//! assert_eq!(rows, whole);
//! assert_eq!(whole.tiles()[&(0, 0)], 0x28b6_619a_456e_2121_9dde_b898_8722_3e9a);
//! ```
#![forbid(unsafe_code)]

mod file;
mod hex;

use fairzarr_pixel::Region;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::{xxh3_128, xxh3_128_with_seed};

pub use file::FileAlgorithm;
pub use hex::hex;

/// Rows of a canonical tile, and its usual width, in pixels.
pub const TILE: u32 = 512;

/// What stands in metadata for this definition.
pub const ALGORITHM: &str = "sum of xxh3-128 of rows, seeded by row";

/// The digest of a chunk's stored bytes, whatever they mean: XXH3-128.
pub fn of_stored(stored: &[u8]) -> u128 {
    xxh3_128(stored)
}

/// Sums of row digests of the canonical tiles of one plane, by (tile row, tile column).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PlaneDigest {
    tiles: BTreeMap<(u32, u32), u128>,
}

impl PlaneDigest {
    /// Adds a rectangle of little-endian samples, `[y][x]`, `sample` bytes each. It begins at a multiple of the tile
    /// width, and is as wide as such a multiple or ends at the plane's edge.
    pub fn add(&mut self, rect: Region, sample: usize, tile_width: u32, pixels: &[u8]) {
        debug_assert_eq!(rect.x % tile_width, 0);
        let row_bytes = rect.w as usize * sample;
        let tile_bytes = tile_width as usize * sample;
        for (left, col) in (0..row_bytes).step_by(tile_bytes.max(1)).zip(rect.x / tile_width..) {
            let right = (left + tile_bytes).min(row_bytes);
            let mut y = rect.y;
            while y < rect.y + rect.h {
                let end = ((y / TILE + 1) * TILE).min(rect.y + rect.h);
                let mut sum = 0u128;
                for row in y..end {
                    let at = (row - rect.y) as usize * row_bytes;
                    let part = &pixels[at + left..at + right];
                    sum = sum.wrapping_add(xxh3_128_with_seed(part, (row % TILE) as u64));
                }
                let tile = self.tiles.entry((y / TILE, col)).or_default();
                *tile = tile.wrapping_add(sum);
                y = end;
            }
        }
    }

    /// Adds a chunk that is not decoded, by its row and column in the grid of chunks: the digest is that of its stored
    /// bytes.
    pub fn add_stored(&mut self, chunk: (u32, u32), stored: &[u8]) {
        self.tiles.insert(chunk, of_stored(stored));
    }

    /// Digests by (tile row, tile column).
    pub fn tiles(&self) -> &BTreeMap<(u32, u32), u128> {
        &self.tiles
    }

    /// Adds the partial digests of the same plane.
    pub fn merge(&mut self, other: impl IntoIterator<Item = ((u32, u32), u128)>) {
        for (tile, digest) in other {
            let sum = self.tiles.entry(tile).or_default();
            *sum = sum.wrapping_add(digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_does_not_depend_on_how_the_plane_was_cut() {
        let (h, w) = (1100u32, 1300u32);
        let plane: Vec<u8> = (0..h * w * 2).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let whole = Region { y: 0, x: 0, h, w };
        let mut expected = PlaneDigest::default();
        expected.add(whole, 2, TILE, &plane);
        assert_eq!(expected.tiles().len(), 9);

        let mut parts = PlaneDigest::default();
        for y in (0..h).step_by(100).collect::<Vec<_>>().into_iter().rev() {
            for x in (0..w).step_by(512) {
                let rect = Region { y, x, h: 100.min(h - y), w: 512.min(w - x) };
                let mut piece = Vec::new();
                for row in rect.y..rect.y + rect.h {
                    let at = (row * w + rect.x) as usize * 2;
                    piece.extend_from_slice(&plane[at..at + rect.w as usize * 2]);
                }
                let mut one = PlaneDigest::default();
                one.add(rect, 2, TILE, &piece);
                parts.merge(one.tiles().clone());
            }
        }
        assert_eq!(parts, expected);
    }

    #[test]
    fn exchanged_rows_are_noticed() {
        let mut a = PlaneDigest::default();
        let mut b = PlaneDigest::default();
        let rect = Region { y: 0, x: 0, h: 2, w: 2 };
        a.add(rect, 1, TILE, &[1, 2, 3, 4]);
        b.add(rect, 1, TILE, &[3, 4, 1, 2]);
        assert_ne!(a, b);
    }
}
