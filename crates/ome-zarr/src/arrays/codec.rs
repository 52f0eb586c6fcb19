//! The codec chain: one decoded chunk to the bytes that are stored.

use fairzarr_pixel::swap_bytes;
use fairzarr_zarr::{BloscCompressor as Inner, Compressor, Shuffle};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use zarrs::array::codec::bytes_to_bytes::blosc::{
    BloscCompressionLevel, BloscCompressor, BloscShuffleMode, blosc_compress_bytes, blosc_decompress_bytes,
    blosc_validate,
};
use zarrs::array::codec::bytes_to_bytes::zlib::ZlibCompressionLevel;
use zarrs::array::codec::{GzipCodec, ZlibCodec, ZstdCodec};
use zarrs::array::{BytesToBytesCodecTraits, CodecOptions};

use crate::Error;

/// How chunks are compressed, with the text form that the command line and the plan use:
/// `blosc-lz4-5-shuffle`, `blosc-zstd-1-bitshuffle`, `zstd-3`, `zstd-3-nochecksum`, `gzip-6`, `zlib-6` (Zarr v2 only),
/// `none`. When read, level and shuffle may be left out.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Codec(Compressor);

impl Codec {
    /// `fast`: Blosc LZ4 with byte shuffle; about four times the speed of `balanced`.
    pub const FAST: Self = Self::blosc(Inner::Lz4, 5, Shuffle::Byte);
    /// `balanced`, the default: Blosc Zstandard 1 with bit shuffle.
    pub const BALANCED: Self = Self::blosc(Inner::Zstd, 1, Shuffle::Bit);
    /// `small`: Blosc Zstandard 5 with byte shuffle.
    pub const SMALL: Self = Self::blosc(Inner::Zstd, 5, Shuffle::Byte);

    const fn blosc(cname: Inner, clevel: u8, shuffle: Shuffle) -> Self {
        Self(Compressor::Blosc { cname, clevel, shuffle, typesize: None, blocksize: 0 })
    }

    /// A codec by what array metadata state.
    pub const fn new(compressor: Compressor) -> Self {
        Self(compressor)
    }

    /// The name that the text form begins with.
    pub fn name(self) -> &'static str {
        match self.0 {
            Compressor::Blosc { .. } => "blosc",
            Compressor::Zstd { .. } => "zstd",
            Compressor::Gzip { .. } => "gzip",
            Compressor::Zlib { .. } => "zlib",
            Compressor::None => "none",
        }
    }

    /// The codec as array metadata states it.
    pub fn compressor(self) -> Compressor {
        self.0
    }

    /// Whether only Zarr v2 has it.
    pub fn needs_zarr_2(self) -> bool {
        matches!(self.0, Compressor::Zlib { .. })
    }

    /// Whether stored chunks carry a checksum of their own.
    pub fn has_checksum(self) -> bool {
        matches!(self.0, Compressor::Zstd { checksum: true, .. })
    }
}

impl FromStr for Codec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('-');
        let level = |part: Option<&str>, default: u8, most: u8| match part {
            None => Ok(default),
            Some(part) => part
                .parse()
                .ok()
                .filter(|level| *level <= most)
                .ok_or_else(|| format!("'{part}' is not a compression level from 0 to {most}")),
        };
        let codec = match parts.next() {
            Some("none") => Compressor::None,
            Some("zstd") => {
                let level = level(parts.next(), 3, 22)? as i32;
                let checksum = match parts.next() {
                    None => true,
                    Some("nochecksum") => false,
                    Some(other) => return Err(format!("'{other}' is not nochecksum in codec '{text}'")),
                };
                Compressor::Zstd { level, checksum }
            }
            Some("gzip") => Compressor::Gzip { level: level(parts.next(), 6, 9)? },
            Some("zlib") => Compressor::Zlib { level: level(parts.next(), 6, 9)? },
            Some("blosc") => {
                let name = parts.next().unwrap_or_default();
                let (_, cname) = BLOSC.iter().find(|(known, _)| *known == name).ok_or_else(|| {
                    format!("'{name}' is not a Blosc compressor (lz4, lz4hc, zstd, zlib, blosclz)")
                })?;
                let default = if *cname == Inner::Zstd { 1 } else { 5 };
                let clevel = level(parts.next(), default, 9)?;
                let name = parts.next().unwrap_or("shuffle");
                let (_, shuffle) = SHUFFLE
                    .iter()
                    .find(|(known, _)| *known == name)
                    .ok_or_else(|| format!("'{name}' is not shuffle, bitshuffle or noshuffle"))?;
                return match parts.next() {
                    None => Ok(Self::blosc(*cname, clevel, *shuffle)),
                    Some(rest) => Err(format!("'{rest}' is too much in codec '{text}'")),
                };
            }
            _ => return Err(format!("'{text}' is not a codec (blosc-…, zstd-…, gzip-…, zlib-…, none)")),
        };
        match parts.next() {
            None => Ok(Self(codec)),
            Some(rest) => Err(format!("'{rest}' is too much in codec '{text}'")),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Compressor::None => f.write_str("none"),
            Compressor::Zstd { level, checksum: true } => write!(f, "zstd-{level}"),
            Compressor::Zstd { level, checksum: false } => write!(f, "zstd-{level}-nochecksum"),
            Compressor::Gzip { level } => write!(f, "gzip-{level}"),
            Compressor::Zlib { level } => write!(f, "zlib-{level}"),
            Compressor::Blosc { cname, clevel, shuffle, .. } => {
                let name = |table: &[(&'static str, Inner)]| {
                    table.iter().find(|(_, known)| *known == cname).map_or("snappy", |(name, _)| *name)
                };
                let shuffle =
                    SHUFFLE.iter().find(|(_, known)| *known == shuffle).map_or("", |(name, _)| name);
                write!(f, "blosc-{}-{clevel}-{shuffle}", name(&BLOSC))
            }
        }
    }
}

impl TryFrom<String> for Codec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Codec> for String {
    fn from(codec: Codec) -> Self {
        codec.to_string()
    }
}

/// Encodes chunks of one array.
#[derive(Clone, Debug)]
pub struct Encoder {
    compress: Compress,
    crc32c: bool,
    /// Bytes of the numbers that are turned around before compression, where the array is big-endian.
    swap: Option<usize>,
}

#[derive(Clone, Debug)]
enum Compress {
    Blosc {
        compressor: BloscCompressor,
        level: BloscCompressionLevel,
        shuffle: BloscShuffleMode,
        typesize: usize,
    },
    Other(Arc<dyn BytesToBytesCodecTraits>),
    None,
}

impl Encoder {
    /// An encoder for samples of `sample_bytes` bytes; `crc32c` appends that checksum after the codec.
    ///
    /// # Errors
    /// When the codec refuses its parameters.
    pub fn new(codec: Codec, sample_bytes: usize, crc32c: bool) -> Result<Self, Error> {
        let refuse = |error: &dyn std::fmt::Display| Error::Codec(error.to_string());
        let compress = match codec.0 {
            Compressor::Blosc { cname, clevel, shuffle, .. } => Compress::Blosc {
                compressor: match cname {
                    Inner::Blosclz => BloscCompressor::BloscLZ,
                    Inner::Lz4 => BloscCompressor::LZ4,
                    Inner::Lz4hc => BloscCompressor::LZ4HC,
                    Inner::Snappy => BloscCompressor::Snappy,
                    Inner::Zlib => BloscCompressor::Zlib,
                    Inner::Zstd => BloscCompressor::Zstd,
                },
                level: clevel.try_into().map_err(|_| refuse(&format!("Blosc level {clevel}")))?,
                shuffle: match shuffle {
                    Shuffle::None => BloscShuffleMode::NoShuffle,
                    Shuffle::Byte => BloscShuffleMode::Shuffle,
                    Shuffle::Bit => BloscShuffleMode::BitShuffle,
                },
                typesize: sample_bytes,
            },
            Compressor::Zstd { level, checksum } => {
                Compress::Other(Arc::new(ZstdCodec::new(level, checksum)))
            }
            Compressor::Gzip { level } => {
                Compress::Other(Arc::new(GzipCodec::new(level as u32).map_err(|e| refuse(&e))?))
            }
            Compressor::Zlib { level } => {
                let level = ZlibCompressionLevel::try_from(level as u32)
                    .map_err(|_| refuse(&format!("zlib level {level}")))?;
                Compress::Other(Arc::new(ZlibCodec::new(level)))
            }
            Compressor::None => Compress::None,
        };
        Ok(Self { compress, crc32c, swap: None })
    }

    /// The same for a big-endian array of numbers of `bytes` bytes.
    #[must_use]
    pub fn big_endian(self, bytes: usize) -> Self {
        Self { swap: Some(bytes), ..self }
    }

    /// The stored form of one chunk of little-endian samples in C order.
    ///
    /// # Errors
    /// When the codec fails.
    pub fn encode(&self, chunk: &[u8]) -> Result<Vec<u8>, Error> {
        let refuse = |error: &dyn std::fmt::Display| Error::Codec(error.to_string());
        let turned = self.swap.map(|bytes| {
            let mut turned = chunk.to_vec();
            swap_bytes(&mut turned, bytes);
            turned
        });
        let chunk = turned.as_deref().unwrap_or(chunk);
        let stored = match &self.compress {
            Compress::Blosc { compressor, level, shuffle, typesize } => {
                blosc_compress_bytes(chunk, *level, *shuffle, *typesize, *compressor, 0, 1)
                    .map_err(|e| refuse(&e))?
            }
            Compress::Other(codec) => codec
                .encode(Cow::Borrowed(chunk), &CodecOptions::default())
                .map_err(|e| refuse(&e))?
                .into_owned(),
            Compress::None => {
                let mut copy = Vec::with_capacity(chunk.len() + 4);
                copy.extend_from_slice(chunk);
                copy
            }
        };
        Ok(self.seal(stored))
    }

    /// The stored form of a chunk that has been compressed already.
    pub fn seal(&self, mut compressed: Vec<u8>) -> Vec<u8> {
        if self.crc32c {
            let checksum = crc32c::crc32c(&compressed);
            compressed.extend_from_slice(&checksum.to_le_bytes());
        }
        compressed
    }
}

/// Samples of `sample_bytes` bytes, compressed to be kept for a while.
///
/// # Errors
/// When the codec fails.
pub fn pack(samples: &[u8], sample_bytes: usize) -> Result<Vec<u8>, Error> {
    Encoder::new(Codec::FAST, sample_bytes, false)?.encode(samples)
}

/// The `length` bytes that [`pack`] was given.
///
/// # Errors
/// When these bytes are not what [`pack`] made of `length` bytes.
pub fn unpack(packed: &[u8], length: usize) -> Result<Vec<u8>, Error> {
    if blosc_validate(packed) != Some(length) {
        return Err(Error::Codec(format!("{} packed bytes are not of {length} bytes", packed.len())));
    }
    blosc_decompress_bytes(packed, length, 1).map_err(|error| Error::Codec(error.to_string()))
}

const BLOSC: [(&str, Inner); 5] = [
    ("lz4", Inner::Lz4),
    ("lz4hc", Inner::Lz4hc),
    ("zstd", Inner::Zstd),
    ("zlib", Inner::Zlib),
    ("blosclz", Inner::Blosclz),
];

const SHUFFLE: [(&str, Shuffle); 3] =
    [("shuffle", Shuffle::Byte), ("bitshuffle", Shuffle::Bit), ("noshuffle", Shuffle::None)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_read_and_written() {
        assert_eq!("blosc-lz4".parse(), Ok(Codec::FAST));
        for text in [
            "blosc-lz4-5-shuffle",
            "blosc-zstd-1-bitshuffle",
            "zstd-3",
            "zstd-5-nochecksum",
            "gzip-6",
            "zlib-1",
            "none",
        ] {
            assert_eq!(text.parse::<Codec>().unwrap().to_string(), text);
        }
        assert!("jpeg".parse::<Codec>().unwrap_err().contains("jpeg"));
        for text in ["gzip-10", "zstd-3-x", "blosc-lz5", "blosc-lz4-5-shuffle-more", ""] {
            assert!(text.parse::<Codec>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_was_packed_comes_back_at_its_length_only() {
        for samples in [vec![0; 1 << 16], (0..=255).cycle().take(3000).collect::<Vec<u8>>(), vec![1, 2]] {
            let packed = pack(&samples, 2).unwrap();
            assert_eq!(unpack(&packed, samples.len()).unwrap(), samples);
            assert!(unpack(&packed, samples.len() + 2).is_err());
            assert!(unpack(&packed[..packed.len() - 1], samples.len()).is_err());
        }
        assert!(unpack(&[], 2).is_err());
    }

    #[test]
    fn crc32c_follows_the_compressed_bytes() {
        let chunk = vec![7u8; 4096];
        let plain = Encoder::new(Codec::FAST, 2, false).unwrap().encode(&chunk).unwrap();
        let checked = Encoder::new(Codec::FAST, 2, true).unwrap().encode(&chunk).unwrap();
        assert_eq!(checked[..plain.len()], plain[..]);
        assert_eq!(checked[plain.len()..], crc32c::crc32c(&plain).to_le_bytes());
    }
}
