//! Decoders of stored TIFF tiles and strips: compressed bytes to little-endian samples.
#![deny(unsafe_code)]

mod ccitt;
mod compression;
mod decoder;
mod deflate;
mod error;
#[cfg(feature = "jpeg")]
mod jpeg;
#[cfg(feature = "jpeg2000")]
mod jpeg2000;
#[cfg(feature = "jpegxl")]
mod jpegxl;
mod layout;
#[cfg(feature = "lerc")]
mod lerc;
#[cfg(feature = "lzma")]
mod lzma;
mod lzw;
mod packbits;
#[cfg(feature = "png")]
mod png_image;
mod samples;
mod stream;
#[cfg(feature = "webp")]
mod webp;
mod zstandard;

pub use compression::{Compression, J2kKind};
pub use decoder::Decoder;
pub use error::CodecError;
pub use layout::{ChunkLayout, Predictor, SampleFormat};
pub use stream::{BUFFER_LEN, RowStream, can_stream};
