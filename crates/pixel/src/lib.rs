//! One word each for a sample type, the shape of an image, the place of a plane and a rectangle of pixels.
//!
//! Axes are always t, c, z, y, x, in this order. Sizes and places count pixels, from 0. Samples in memory are
//! little-endian.
//!
//! ```
//! use fairzarr_pixel::{Region, SampleType};
//!
//! let region = Region { y: 0, x: 512, h: 256, w: 512 };
//! assert_eq!(region.area() * SampleType::Uint16.bytes(), 262_144);
//! assert_eq!(SampleType::from_zarr_v2("<u2"), Some(SampleType::Uint16));
//! ```
#![forbid(unsafe_code)]

mod byte_order;
mod place;
mod sample_type;

pub use byte_order::swap_bytes;
pub use place::{PlaneIndex, Region, Shape};
pub use sample_type::SampleType;
