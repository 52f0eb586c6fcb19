//! How chunks become what is stored: byte order, compression, checksum.

use serde_json::{Value, json};

use crate::{Error, SampleType};

/// How a chunk's bytes become what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Codecs {
    /// Compression.
    pub compressor: Compressor,
    /// A checksum after compression, so that every reader notices damage. Zarr 3 only.
    pub crc32c: bool,
    /// Byte order of the samples before compression. Zarr 3 states it as a codec, Zarr 2 in the data type.
    pub endian: Endian,
}

/// Byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Endian {
    /// Least significant byte first.
    #[default]
    Little,
    /// Most significant byte first.
    Big,
}

/// Compression of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compressor {
    /// Chunks are stored as they are.
    #[default]
    None,
    /// Blosc 1 container.
    Blosc {
        /// Compressor inside.
        cname: BloscCompressor,
        /// 0 to 9.
        clevel: u8,
        /// Rearrangement before compression.
        shuffle: Shuffle,
        /// Bytes per sample, for the rearrangement; the data type's when not set.
        typesize: Option<u8>,
        /// Bytes per block; 0 lets Blosc choose.
        blocksize: u32,
    },
    /// Zstandard.
    Zstd {
        /// -131072 to 22.
        level: i32,
        /// Zstandard's own checksum.
        checksum: bool,
    },
    /// Deflate in a gzip member.
    Gzip {
        /// 0 to 9.
        level: u8,
    },
    /// Deflate in a zlib stream. Zarr 2 only.
    Zlib {
        /// 0 to 9.
        level: u8,
    },
}

/// Compressors that a Blosc container can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BloscCompressor {
    /// LZ4.
    Lz4,
    /// LZ4 HC.
    Lz4hc,
    /// Blosc's own LZ.
    Blosclz,
    /// Snappy.
    Snappy,
    /// Deflate.
    Zlib,
    /// Zstandard.
    Zstd,
}

/// Rearrangement of samples before Blosc compresses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shuffle {
    /// None.
    None,
    /// First bytes of all samples, then second bytes, …
    Byte,
    /// First bits of all samples, then second bits, …
    Bit,
}

impl Codecs {
    /// Little-endian samples, compressed so, without a checksum.
    pub fn new(compressor: Compressor) -> Self {
        Self { compressor, ..Self::default() }
    }
}

impl Compressor {
    pub(crate) fn check(self) -> Result<(), Error> {
        let (parameter, found, range, expected) = match self {
            Self::None => return Ok(()),
            Self::Blosc { clevel, .. } => ("blosc clevel", i64::from(clevel), 0..=9, "0 to 9"),
            Self::Zstd { level, .. } => ("zstd level", i64::from(level), -131_072..=22, "-131072 to 22"),
            Self::Gzip { level } => ("gzip level", i64::from(level), 0..=9, "0 to 9"),
            Self::Zlib { level } => ("zlib level", i64::from(level), 0..=9, "0 to 9"),
        };
        if range.contains(&found) {
            Ok(())
        } else {
            Err(Error::CodecParameter { parameter, found, expected })
        }
    }

    pub(crate) fn to_v3(self, data_type: SampleType) -> Option<Value> {
        Some(match self {
            // Refused by `ArraySpec::check`.
            Self::None | Self::Zlib { .. } => return None,
            Self::Blosc { cname, clevel, shuffle, typesize, blocksize } => json!({
                "name": "blosc",
                "configuration": {
                    "typesize": typesize.map_or(data_type.bytes(), usize::from),
                    "cname": cname.name(),
                    "clevel": clevel,
                    "shuffle": shuffle.name(),
                    "blocksize": blocksize,
                },
            }),
            Self::Zstd { level, checksum } => {
                json!({"name": "zstd", "configuration": {"level": level, "checksum": checksum}})
            }
            Self::Gzip { level } => json!({"name": "gzip", "configuration": {"level": level}}),
        })
    }

    pub(crate) fn to_v2(self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Blosc { cname, clevel, shuffle, blocksize, .. } => json!({
                "id": "blosc",
                "cname": cname.name(),
                "clevel": clevel,
                "shuffle": shuffle as u8,
                "blocksize": blocksize,
            }),
            // Readers of older numcodecs do not know the parameter.
            Self::Zstd { level, checksum: false } => json!({"id": "zstd", "level": level}),
            Self::Zstd { level, checksum } => json!({"id": "zstd", "level": level, "checksum": checksum}),
            Self::Gzip { level } => json!({"id": "gzip", "level": level}),
            Self::Zlib { level } => json!({"id": "zlib", "level": level}),
        }
    }
}

impl BloscCompressor {
    /// The compressor's name in metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lz4 => "lz4",
            Self::Lz4hc => "lz4hc",
            Self::Blosclz => "blosclz",
            Self::Snappy => "snappy",
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
        }
    }
}

impl Shuffle {
    /// The rearrangement's name in Zarr 3; Zarr 2 numbers them 0, 1, 2.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "noshuffle",
            Self::Byte => "shuffle",
            Self::Bit => "bitshuffle",
        }
    }
}
