//! Decoders of stored TIFF tiles and strips: compressed bytes to little-endian samples.
#![deny(unsafe_code)]

mod compression;
mod decoder;
mod deflate;
mod error;
mod layout;
mod lzw;
mod packbits;
mod samples;
mod stream;
mod zstandard;

pub use compression::{Compression, J2kKind};
pub use decoder::Decoder;
pub use error::CodecError;
pub use layout::{ChunkLayout, Predictor, SampleFormat};
pub use stream::{BUFFER_LEN, RowStream, can_stream};
