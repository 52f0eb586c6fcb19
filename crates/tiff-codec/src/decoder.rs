//! Whole chunks: one call, one buffer in, one buffer out.

use libdeflater::Decompressor;

#[cfg(feature = "jpeg")]
use crate::jpeg_lossless;
use crate::lzw::Lzw;
use crate::samples::{Rows, reverse_bits};
use crate::unpack::{Codec, Unpacker};
use crate::zstandard::Zstd;
use crate::{ChunkLayout, CodecError, Compression, ccitt, thunderscan};

/// Decodes chunks, keeping codec contexts and scratch memory from one to the next.
///
/// A thread that decodes holds one of these; making one is cheap until the first chunk.
pub struct Decoder {
    contexts: Contexts,
    reversed: Vec<u8>,
    packed: Vec<u8>,
}

#[derive(Default)]
struct Contexts {
    inflater: Option<Decompressor>,
    lzw: Option<Box<Lzw>>,
    zstd: Zstd,
}

impl Decoder {
    /// A decoder without any context yet.
    pub fn new() -> Self {
        Self { contexts: Contexts::default(), reversed: Vec::new(), packed: Vec::new() }
    }

    /// Decodes one stored chunk into `out`, which has exactly
    /// [`ChunkLayout::decoded_len`] bytes: rows of pixels of interleaved samples, each sample
    /// little-endian in [`ChunkLayout::sample_bytes`].
    ///
    /// Samples narrower than that are extended, by their sign when [`SampleFormat::Int`]; 24-bit
    /// floats become 32-bit ones. Nothing else is done to values: WhiteIsZero is not inverted,
    /// palette indices stay indices. JPEG with photometric 6 is converted from YCbCr to RGB.
    /// The stream is read to its end, its checksums are compared, and what it holds beyond the last row is judged by the rules
    /// of its format (docs/reading.md).
    ///
    /// [`SampleFormat::Int`]: crate::SampleFormat::Int
    ///
    /// # Errors
    /// All variants of [`CodecError`] but [`CodecError::Read`]. What `out` then holds is undefined.
    pub fn decode(&mut self, layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
        layout.check()?;
        let expected = layout.decoded_len()?;
        if out.len() != expected {
            return Err(CodecError::OutputSize { found: out.len(), expected });
        }
        match layout.compression {
            Compression::CcittRle
            | Compression::CcittRleWord
            | Compression::CcittG3
            | Compression::CcittG4 => self.decode_ccitt(layout, stored, out),
            Compression::ThunderScan => {
                let stored = in_fill_order(layout, stored, &mut self.reversed);
                let rows =
                    thunderscan::decode(layout, stored, out).map_err(|reason| layout.damaged(reason))?;
                if rows < layout.height as usize {
                    return Err(layout.short(rows * layout.width as usize, expected));
                }
                Ok(())
            }
            #[cfg(feature = "jpeg")]
            Compression::Jpeg if jpeg_lossless::is_lossless(stored) => {
                jpeg_lossless::decode(layout, stored, out)
            }
            #[cfg(feature = "jpeg")]
            Compression::Jpeg if layout.bits != 8 => {
                Err(layout.unsupported(format!("lossy codes of {} bits per sample", layout.bits)))
            }
            #[cfg(feature = "jpeg")]
            Compression::Jpeg => crate::jpeg::decode(layout, stored, out),
            #[cfg(feature = "jpeg2000")]
            Compression::Jpeg2000(_) => crate::jpeg2000::decode(layout, stored, out),
            #[cfg(feature = "jpegxl")]
            Compression::JpegXl => crate::jpegxl::decode(layout, stored, out),
            #[cfg(feature = "lerc")]
            Compression::Lerc => crate::lerc::decode(layout, stored, out),
            #[cfg(feature = "png")]
            Compression::Png => crate::png_image::decode(layout, stored, out),
            #[cfg(feature = "webp")]
            Compression::WebP => crate::webp::decode(layout, stored, out),
            _ => self.decode_bytes(layout, stored, out),
        }
    }

    /// Whether a Zstandard frame holds exactly as many bytes as `out` has.
    pub(crate) fn is_whole_frame(&mut self, stored: &[u8], out: &mut [u8]) -> bool {
        self.contexts.zstd.decode_whole(stored, out) == Some(out.len())
    }

    fn decode_ccitt(
        &mut self,
        layout: &ChunkLayout,
        stored: &[u8],
        out: &mut [u8],
    ) -> Result<(), CodecError> {
        let stored = in_fill_order(layout, stored, &mut self.reversed);
        let rows = ccitt::decode(layout, stored, out).map_err(|reason| layout.damaged(reason))?;
        if rows < layout.height as usize {
            return Err(layout.short(rows * layout.width as usize, out.len()));
        }
        Ok(())
    }

    /// The codecs that give packed rows.
    fn decode_bytes(
        &mut self,
        layout: &ChunkLayout,
        stored: &[u8],
        out: &mut [u8],
    ) -> Result<(), CodecError> {
        let stored = in_fill_order(layout, stored, &mut self.reversed);
        let mut rows = Rows::new(layout)?;
        if rows.in_place() {
            self.contexts.fill(layout, stored, out)?;
            rows.finish(out);
        } else {
            // Never longer than `out`, whose length has been checked.
            self.packed.resize(rows.packed_len * layout.height as usize, 0);
            self.contexts.fill(layout, stored, &mut self.packed)?;
            rows.unpack(&mut self.packed, out);
        }
        Ok(())
    }
}

/// The stored bytes with their most significant bit first.
fn in_fill_order<'a>(layout: &ChunkLayout, stored: &'a [u8], reversed: &'a mut Vec<u8>) -> &'a [u8] {
    if layout.fill_order != 2 {
        return stored;
    }
    reversed.clear();
    reversed.extend_from_slice(stored);
    reverse_bits(reversed);
    reversed
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Contexts {
    /// Fills `out` with the packed rows of one chunk, or fails.
    fn fill(&mut self, layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
        let whole = match layout.compression {
            Compression::Deflate => {
                let inflater = self.inflater.get_or_insert_with(Decompressor::new);
                inflater.zlib_decompress(stored, out).ok()
            }
            Compression::Zstd => self.zstd.decode_whole(stored, out),
            _ => None,
        };
        // What the fast way refuses, the slow way names; and it knows what writers add. Where the fast way has succeeded, the
        // stream has ended and its checksum agrees.
        let found = if let Some(found) = whole {
            found
        } else {
            let mut codec = Codec::new(layout)?;
            if let (Codec::Lzw(codec), Some(kept)) = (&mut codec, self.lzw.take()) {
                *codec = kept;
                codec.restart();
            }
            let mut unpacker = Unpacker::new(codec, stored);
            let result = unpacker.fill(out).map_err(|fault| layout.fault(fault)).and_then(|found| {
                if found == out.len() {
                    unpacker.finish(layout)?;
                }
                Ok(found)
            });
            if let Codec::Lzw(codec) = unpacker.into_codec() {
                self.lzw = Some(codec);
            }
            result?
        };
        if found < out.len() {
            return Err(layout.short(found, out.len()));
        }
        Ok(())
    }
}
