//! What the tags of an IFD say about one of its chunks.

use std::sync::Arc;

use crate::{CodecError, Compression};

/// What the bits of a sample mean: the SampleFormat tag (339).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleFormat {
    /// Unsigned integer (1).
    Uint,
    /// Two's complement integer (2).
    Int,
    /// IEEE 754 number (3).
    Float,
    /// Two two's complement integers of half the bits each, real part first (5).
    ComplexInt,
    /// Two IEEE 754 numbers of half the bits each, real part first (6).
    ComplexFloat,
    /// Undefined (4); kept bit for bit like an unsigned integer.
    Void,
}

/// What was done to the samples before compression: the Predictor tag (317).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Predictor {
    /// Nothing (1).
    None,
    /// Each sample holds the difference to the pixel on its left (2).
    Horizontal,
    /// Bytes of a row sorted by significance, then differences of bytes (3, Technical Note 3).
    FloatingPoint,
}

/// The layout of one stored chunk, which is a tile, or a strip, of one plane or of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkLayout {
    /// Pixels in a row.
    pub width: u32,
    /// Rows that are stored: of the last strip, what is left of the image.
    pub height: u32,
    /// Rows of a whole chunk of the image: RowsPerStrip or TileLength. Some writers fill up the last strip to as many rows,
    /// which are then decoded and dropped; a stream of more is refused.
    pub full_height: u32,
    /// Samples of a pixel in this chunk: SamplesPerPixel when they are interleaved, else 1.
    pub samples: u16,
    /// Bits of a sample as stored; of a complex sample, both parts together.
    pub bits: u16,
    /// What the bits of a sample mean.
    pub format: SampleFormat,
    /// Byte order of the file.
    pub big_endian: bool,
    /// How the chunk is compressed.
    pub compression: Compression,
    /// What was done before compression; image codecs ignore it, as other readers do.
    pub predictor: Predictor,
    /// 1, or 2 when the bits of every stored byte are reversed; image codecs ignore it.
    pub fill_order: u8,
    /// PhotometricInterpretation (262), which decides on the colour conversion of JPEG.
    pub photometric: u16,
    /// YCbCrSubSampling (530), horizontal and vertical.
    pub ycbcr_subsampling: (u16, u16),
    /// JPEGTables (347).
    pub jpeg_tables: Option<Arc<[u8]>>,
    /// T4Options (292): bit 0 two-dimensional coding, bit 1 uncompressed mode, bit 2 fill bits.
    pub t4_options: u32,
    /// T6Options (293): bit 1 uncompressed mode.
    pub t6_options: u32,
    /// LercParameters (50674): version, and 0, 1 or 2 for none, Deflate or Zstandard around it.
    pub lerc_parameters: Option<[u32; 2]>,
}

impl ChunkLayout {
    /// Unsigned samples of `bits` bits, one to a pixel, as little-endian files hold them; no predictor, and the defaults of
    /// all other tags.
    pub fn plain(width: u32, height: u32, bits: u16, compression: Compression) -> Self {
        Self {
            width,
            height,
            full_height: height,
            samples: 1,
            bits,
            format: SampleFormat::Uint,
            big_endian: false,
            compression,
            predictor: Predictor::None,
            fill_order: 1,
            photometric: 1,
            ycbcr_subsampling: (2, 2),
            jpeg_tables: None,
            t4_options: 0,
            t6_options: 0,
            lerc_parameters: None,
        }
    }

    /// Bytes of one decoded sample: the least of 1, 2, 4, 8 and 16 that holds its bits.
    pub fn sample_bytes(&self) -> usize {
        match self.bits {
            0..=8 => 1,
            9..=16 => 2,
            17..=32 => 4,
            33..=64 => 8,
            _ => 16,
        }
    }

    /// Bytes of one decoded row.
    ///
    /// # Errors
    /// [`CodecError::Size`] when that is zero or more than can be addressed.
    pub fn row_len(&self) -> Result<usize, CodecError> {
        (self.width as usize)
            .checked_mul(usize::from(self.samples))
            .and_then(|samples| samples.checked_mul(self.sample_bytes()))
            .filter(|len| *len > 0)
            .ok_or_else(|| self.size_error())
    }

    /// Bytes of the decoded chunk.
    ///
    /// # Errors
    /// [`CodecError::Size`] when that is zero or more than can be addressed.
    pub fn decoded_len(&self) -> Result<usize, CodecError> {
        self.row_len()?
            .checked_mul(self.height as usize)
            .filter(|len| *len > 0 && isize::try_from(*len).is_ok())
            .ok_or_else(|| self.size_error())
    }

    /// Bytes of the decoded chunk and of what a filled up last strip may hold beyond it ([`full_height`](Self::full_height));
    /// of that, at most 64 MiB are read.
    ///
    /// # Errors
    /// As [`decoded_len`](Self::decoded_len).
    pub fn most_decoded_len(&self) -> Result<usize, CodecError> {
        let rows = self.full_height.saturating_sub(self.height) as usize;
        let beyond = self.row_len()?.saturating_mul(rows).min(MOST_BEYOND);
        Ok(self.decoded_len()?.saturating_add(beyond))
    }

    /// Refuses, before anything is read, what cannot be decoded whatever the stored bytes are.
    ///
    /// # Errors
    /// [`CodecError::UnsupportedCompression`], [`CodecError::FeatureDisabled`],
    /// [`CodecError::UnsupportedLayout`] and [`CodecError::Size`], each naming its reason.
    pub fn check(&self) -> Result<(), CodecError> {
        self.compression.require()?;
        self.decoded_len()?;
        self.check_sample()?;
        if !matches!(self.fill_order, 1 | 2) {
            return Err(self.unsupported(format!("FillOrder {}", self.fill_order)));
        }
        match self.compression {
            Compression::CcittRle
            | Compression::CcittRleWord
            | Compression::CcittG3
            | Compression::CcittG4 => self.check_ccitt(),
            Compression::ThunderScan if self.samples != 1 => {
                Err(self.unsupported(format!("{} samples per pixel", self.samples)))
            }
            Compression::ThunderScan => self.check_image(&[4], &[SampleFormat::Uint]),
            // Other than 8 bits only lossless streams have, which the tags do not tell.
            Compression::Jpeg => self.check_image(&[8, 9, 10, 11, 12, 13, 14, 15, 16], &[SampleFormat::Uint]),
            Compression::WebP => {
                if !matches!(self.samples, 3 | 4) {
                    return Err(self.unsupported(format!("{} samples per pixel", self.samples)));
                }
                self.check_image(&[8], &[SampleFormat::Uint])
            }
            Compression::Png => self.check_image(&[1, 2, 4, 8, 16], &[SampleFormat::Uint]),
            Compression::Jpeg2000(_) => {
                // The decoder computes in single precision, which holds 24 bits.
                if self.bits > 24 {
                    return Err(self.unsupported(format!("{} bits per sample", self.bits)));
                }
                self.check_image(&[], &[SampleFormat::Uint, SampleFormat::Int])
            }
            // Integers come as single-precision fractions, which tell 16 bits apart.
            Compression::JpegXl if self.format == SampleFormat::Float => {
                self.check_image(&[32], &[SampleFormat::Float])
            }
            Compression::JpegXl if self.bits > 16 => {
                Err(self.unsupported(format!("{} bits per sample", self.bits)))
            }
            Compression::JpegXl => self.check_image(&[], &[SampleFormat::Uint]),
            Compression::Lerc => self.check_lerc(),
            _ => self.check_byte_codec(),
        }
    }

    /// Bytes of one row of samples as the byte codecs give it: bits packed, rows whole bytes.
    pub(crate) fn packed_row_len(&self) -> Result<usize, CodecError> {
        (self.width as usize)
            .checked_mul(usize::from(self.samples))
            .and_then(|samples| samples.checked_mul(usize::from(self.bits)))
            .map(|bits| bits.div_ceil(8))
            .ok_or_else(|| self.size_error())
    }

    pub(crate) fn unsupported(&self, what: String) -> CodecError {
        CodecError::UnsupportedLayout { codec: self.compression.name(), what }
    }

    pub(crate) fn damaged(&self, reason: impl std::fmt::Display) -> CodecError {
        CodecError::Damaged { codec: self.compression.name(), reason: reason.to_string() }
    }

    pub(crate) fn short(&self, found: usize, expected: usize) -> CodecError {
        CodecError::Short { codec: self.compression.name(), found, expected }
    }

    fn check_sample(&self) -> Result<(), CodecError> {
        let known = match self.format {
            SampleFormat::Uint | SampleFormat::Int | SampleFormat::Void => {
                matches!(self.bits, 1..=32 | 64)
            }
            SampleFormat::Float => matches!(self.bits, 16 | 24 | 32 | 64),
            SampleFormat::ComplexInt => matches!(self.bits, 16 | 32 | 64 | 128),
            SampleFormat::ComplexFloat => matches!(self.bits, 32 | 64 | 128),
        };
        if known {
            Ok(())
        } else {
            Err(self.unsupported(format!("{:?} samples of {} bits", self.format, self.bits)))
        }
    }

    fn check_byte_codec(&self) -> Result<(), CodecError> {
        let complex = matches!(self.format, SampleFormat::ComplexInt | SampleFormat::ComplexFloat);
        let float24 = self.format == SampleFormat::Float && self.bits == 24;
        match self.predictor {
            Predictor::Horizontal if complex || float24 => Err(self.unsupported(format!(
                "horizontal prediction of {:?} samples of {} bits",
                self.format, self.bits
            ))),
            Predictor::FloatingPoint if self.format != SampleFormat::Float => {
                Err(self.unsupported(format!("floating-point prediction of {:?} samples", self.format)))
            }
            // Where chroma is stored more coarsely than luma, rows of pixels do not exist.
            _ if self.photometric == PHOTOMETRIC_YCBCR
                && self.samples > 1
                && self.ycbcr_subsampling != (1, 1) =>
            {
                let (h, v) = self.ycbcr_subsampling;
                Err(self.unsupported(format!("YCbCr samples subsampled {h} x {v}")))
            }
            _ => Ok(()),
        }
    }

    fn check_ccitt(&self) -> Result<(), CodecError> {
        if self.bits != 1 || self.samples != 1 {
            return Err(self.unsupported(format!("{} samples of {} bits per pixel", self.samples, self.bits)));
        }
        let uncompressed_mode = match self.compression {
            Compression::CcittG3 => self.t4_options & 2 != 0,
            Compression::CcittG4 => self.t6_options & 2 != 0,
            _ => false,
        };
        if uncompressed_mode {
            return Err(self.unsupported("uncompressed mode".to_owned()));
        }
        Ok(())
    }

    fn check_lerc(&self) -> Result<(), CodecError> {
        if let Some([_, around @ 3..=u32::MAX]) = self.lerc_parameters {
            return Err(self.unsupported(format!("additional compression {around}")));
        }
        match self.format {
            SampleFormat::Float => self.check_image(&[32, 64], &[SampleFormat::Float]),
            _ => self.check_image(&[8, 16, 32], &[SampleFormat::Uint, SampleFormat::Int]),
        }
    }

    /// `bits` empty: any that [`check_sample`](Self::check_sample) let through.
    fn check_image(&self, bits: &[u16], formats: &[SampleFormat]) -> Result<(), CodecError> {
        let format = match self.format {
            SampleFormat::Void => SampleFormat::Uint,
            format => format,
        };
        if !formats.contains(&format) || !(bits.is_empty() || bits.contains(&self.bits)) {
            return Err(self.unsupported(format!("{:?} samples of {} bits", self.format, self.bits)));
        }
        Ok(())
    }

    fn size_error(&self) -> CodecError {
        CodecError::Size { width: self.width, height: self.height, samples: self.samples, bits: self.bits }
    }
}

/// Bytes that are decoded beyond a chunk, only to reach the end of its stream.
pub(crate) const MOST_BEYOND: usize = 64 << 20;
/// Value of PhotometricInterpretation for YCbCr.
pub(crate) const PHOTOMETRIC_YCBCR: u16 = 6;
