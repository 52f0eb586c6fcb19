//! Decoders of stored TIFF tiles and strips: compressed bytes to little-endian samples.
//!
//! One stored chunk goes in, with what the tags of its IFD say about it ([`ChunkLayout`]); out come
//! its samples: rows from top to bottom, pixels from left to right, the samples of a pixel side by
//! side, each little-endian in 1, 2, 4, 8 or 16 bytes. There is no I/O here, no IFD and no OME. The
//! way back, from rows to stored bytes, is an [`Encoder`]'s, for the few schemes that are written.
//!
//! ```
//! use fairzarr_tiff_codec::{ChunkLayout, Compression, Decoder, Predictor};
//!
//! // Two rows of three big-endian 16-bit samples, horizontally differenced, in PackBits.
//! let layout = ChunkLayout {
//!     big_endian: true,
//!     predictor: Predictor::Horizontal,
//!     ..ChunkLayout::plain(3, 2, 16, Compression::from_tag(32773))
//! };
//! layout.check()?;
//! let stored = [11, 1, 0, 0, 1, 0, 1, 2, 0, 255, 255, 0, 1];
//! let mut samples = vec![0; layout.decoded_len()?];
//! Decoder::new().decode(&layout, &stored, &mut samples)?;
//! assert_eq!(samples, [0, 1, 1, 1, 2, 1, 0, 2, 255, 1, 0, 2]);
//! # Ok::<(), fairzarr_tiff_codec::CodecError>(())
//! ```
//!
//! # What is decoded
//!
//! | Compression | Codes | Samples | Decoder | Feature |
//! |---|---|---|---|---|
//! | none, PackBits | 1, 32773 | any ¹ | own | |
//! | LZW, both bit orders | 5 | any ¹ | weezl | |
//! | Deflate | 8, 32946 | any ¹ | libdeflate | |
//! | Zstandard | 50000, 34926 | any ¹ | zstd | |
//! | LZMA | 34925 | any ¹ | liblzma | `lzma` |
//! | CCITT RLE, group 3, group 4 | 2, 32771, 3, 4 | 1-bit | fax (tables) | |
//! | ThunderScan | 32809 | 4-bit | own | |
//! | JPEG | 7, 33007 | 8-bit | libjpeg (mozjpeg) | `jpeg` |
//! | JPEG, lossless process | 7 | 8 to 16-bit | own | `jpeg` |
//! | JPEG 2000 | 33003, 33004, 33005, 34712 | integers to 24 bits | hayro-jpeg2000 | `jpeg2000` |
//! | JPEG XL | 50002, 52546 | unsigned to 16 bits, 32-bit floats | jxl-oxide | `jpegxl` |
//! | LERC, in Deflate or Zstandard too | 34887 | integers to 32 bits, floats | lerc-reader | `lerc` |
//! | WebP | 50001, 34927 | 8-bit RGB, RGBA | libwebp | `webp` |
//! | PNG | 34933 | 1 to 16-bit | png | `png` |
//!
//! ¹ Integers of 1 to 32 bits and of 64, floats of 16, 24, 32 and 64, complex numbers of two
//! integers of 8 to 64 or two floats of 16 to 64 bits; with the predictors where they are defined.
//!
//! All features are on by default. Everything else is refused by name and code in
//! [`ChunkLayout::check`].
//!
//! # What is exact
//!
//! Lossless schemes give the samples that were stored, bit for bit. JPEG gives those of
//! libjpeg-turbo with its accurate integer transform and smooth upsampling, which libtiff and its
//! users give; WebP those of libwebp. Lossy JPEG 2000 and JPEG XL may differ from other decoders by
//! one or two units. [`Compression::decoder_name`] names the decoder, for the record.
//!
//! # What ends a chunk
//!
//! Streams are read to their end, and every checksum that a format has is compared: Adler-32, the checksum and size of a
//! Zstandard frame, those of xz, PNG and LERC. A stream may hold more rows than the chunk where the last strip is filled up
//! ([`ChunkLayout::full_height`]), and Deflate and xz, whose checksum vouches for the whole, up to as much again. What follows
//! the end that a stream marks itself is padding. Of LZW the end code may be missing, of Deflate the whole checksum, if
//! nothing else is amiss. The rules of each format are in docs/reading.md, "What ends a chunk".
//!
//! Rows that are missing are an error, as is everything that a decoder would paper over: a
//! truncated JPEG is not filled with grey. Memory is bounded by the size of the decoded chunk and a
//! few times that for image codecs, whatever a stream says of itself.
#![deny(unsafe_code)]

mod ccitt;
mod compression;
mod decoder;
mod deflate;
mod encode;
mod error;
#[cfg(feature = "jpeg")]
mod jpeg;
#[cfg(feature = "jpeg2000")]
mod jpeg2000;
#[cfg(feature = "jpeg")]
mod jpeg_lossless;
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
mod repack;
mod samples;
mod step;
mod stream;
mod thunderscan;
mod unpack;
#[cfg(feature = "webp")]
mod webp;
mod zstandard;

pub use compression::{Compression, J2kKind};
pub use decoder::Decoder;
pub use encode::Encoder;
pub use error::CodecError;
pub use layout::{ChunkLayout, Predictor, SampleFormat};
pub use repack::Container;
pub use stream::{BUFFER_LEN, RowStream, can_stream};
