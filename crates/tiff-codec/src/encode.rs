//! The way back: packed rows to stored bytes, in the schemes that are written.

use libdeflater::{CompressionLvl, Compressor};

use crate::{CodecError, Compression};

/// The level that zstd itself defaults to.
const ZSTD_LEVEL: i32 = 3;

/// Compresses whole chunks; the context is made once and reused, by one thread.
pub struct Encoder(Scheme);

enum Scheme {
    None,
    Deflate(Compressor),
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Encoder {
    /// An encoder of a scheme: none, Deflate or Zstandard.
    ///
    /// # Errors
    /// [`CodecError::UnsupportedCompression`] for any other.
    pub fn new(compression: Compression) -> Result<Self, CodecError> {
        Ok(Self(match compression {
            Compression::None => Scheme::None,
            Compression::Deflate => Scheme::Deflate(Compressor::new(CompressionLvl::default())),
            Compression::Zstd => {
                let context = zstd::bulk::Compressor::new(ZSTD_LEVEL);
                Scheme::Zstd(context.map_err(|error| failed(compression, &error))?)
            }
            other => {
                let (name, code) = (other.name(), other.code());
                return Err(CodecError::UnsupportedCompression { name, code });
            }
        }))
    }

    /// The stored bytes of packed rows: what [`Decoder`](crate::Decoder) makes the rows of again.
    ///
    /// # Errors
    /// [`CodecError::Damaged`] with what the compressor says.
    pub fn encode(&mut self, packed: Vec<u8>) -> Result<Vec<u8>, CodecError> {
        match &mut self.0 {
            Scheme::None => Ok(packed),
            Scheme::Deflate(context) => {
                let mut stored = vec![0; context.zlib_compress_bound(packed.len())];
                let length = context
                    .zlib_compress(&packed, &mut stored)
                    .map_err(|error| failed(Compression::Deflate, &error))?;
                stored.truncate(length);
                Ok(stored)
            }
            Scheme::Zstd(context) => {
                context.compress(&packed).map_err(|error| failed(Compression::Zstd, &error))
            }
        }
    }
}

fn failed(compression: Compression, error: &dyn std::error::Error) -> CodecError {
    CodecError::Damaged { codec: compression.name(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChunkLayout, Decoder};

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let packed: Vec<u8> = (0..64 * 48 * 2).map(|n: u32| (n * n / 7) as u8).collect();
        for compression in [Compression::None, Compression::Deflate, Compression::Zstd] {
            let layout = ChunkLayout::plain(64, 48, 16, compression);
            let stored = Encoder::new(compression).unwrap().encode(packed.clone()).unwrap();
            let mut samples = vec![0; packed.len()];
            Decoder::new().decode(&layout, &stored, &mut samples).unwrap();
            assert!(samples == packed, "{compression:?}");
        }
        let refused = Encoder::new(Compression::Lzw).err().unwrap();
        assert!(refused.to_string().contains("LZW"), "{refused}");
    }
}
