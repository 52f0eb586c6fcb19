//! The recorded digests of all planes, by which a store can be proved without its source.
//!
//! `OME/digests` is uint64 over (tile, 2), the low half of a digest first. Tiles follow each other by image, plane (in the
//! order t, c, z with z fastest), row and column. The attribute `images` says of each image with which tile its full
//! resolution starts, how many planes, rows and columns of tiles it has, and the width of a tile in pixels; `levels` says
//! the same, after image and level, of reduced levels that were copied. A width of 0 stands for digests of the stored bytes
//! of chunks; rows and columns are those of the grid of chunks then.

mod read;
mod write;

pub use read::{Digests, Recorded};
pub use write::{DigestGrid, DigestsWriter};
