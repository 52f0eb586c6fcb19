//! The Compression tag (259): which schemes there are, and what decodes them.

use crate::CodecError;

/// A value of the Compression tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Stored as they are (1).
    None,
    /// CCITT modified Huffman run lengths, rows aligned to bytes (2).
    CcittRle,
    /// CCITT group 3, ITU-T T.4, one- or two-dimensional (3).
    CcittG3,
    /// CCITT group 4, ITU-T T.6 (4).
    CcittG4,
    /// CCITT modified Huffman run lengths, rows aligned to 16-bit words (32771).
    CcittRleWord,
    /// LZW, in the bit order of TIFF 6.0 or that of older writers (5).
    Lzw,
    /// JPEG as TIFF 6.0 first described it (6); never decoded.
    OldJpeg,
    /// JPEG as Technical Note 2 describes it (7).
    Jpeg,
    /// Deflate in a zlib wrapper (8, and 32946 before it was registered).
    Deflate,
    /// PackBits byte runs (32773).
    PackBits,
    /// Runs and differences of 4-bit samples (32809).
    ThunderScan,
    /// JPEG 2000, under one of four codes.
    Jpeg2000(J2kKind),
    /// LERC, possibly within Deflate or Zstandard (34887).
    Lerc,
    /// LZMA2 in an xz container (34925).
    Lzma,
    /// PNG (34933).
    Png,
    /// JPEG XR (34934, and 22610 in NDPI); never decoded.
    JpegXr,
    /// Zstandard (50000, and 34926 before it was registered).
    Zstd,
    /// WebP (50001, and 34927 before it was registered).
    WebP,
    /// JPEG XL (50002, and 52546 in DNG).
    JpegXl,
    /// Any other value; never decoded.
    Other(u16),
}

/// Which of the JPEG 2000 codes a file uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum J2kKind {
    /// 33003: Aperio, three components of YCbCr.
    AperioYcbcr,
    /// 33004: Bio-Formats, lossy.
    Lossy,
    /// 33005: Aperio, three components of RGB.
    AperioRgb,
    /// 34712: any JPEG 2000 image.
    Standard,
}

impl Compression {
    /// The scheme that a value of the tag stands for.
    pub fn from_tag(code: u16) -> Self {
        match code {
            1 => Self::None,
            2 => Self::CcittRle,
            3 => Self::CcittG3,
            4 => Self::CcittG4,
            5 => Self::Lzw,
            6 => Self::OldJpeg,
            7 | 33007 => Self::Jpeg,
            8 | 32946 => Self::Deflate,
            32771 => Self::CcittRleWord,
            32773 => Self::PackBits,
            32809 => Self::ThunderScan,
            33003 => Self::Jpeg2000(J2kKind::AperioYcbcr),
            33004 => Self::Jpeg2000(J2kKind::Lossy),
            33005 => Self::Jpeg2000(J2kKind::AperioRgb),
            34712 => Self::Jpeg2000(J2kKind::Standard),
            34887 => Self::Lerc,
            34925 => Self::Lzma,
            34926 | 50000 => Self::Zstd,
            34927 | 50001 => Self::WebP,
            34933 => Self::Png,
            22610 | 34934 => Self::JpegXr,
            50002 | 52546 => Self::JpegXl,
            other => Self::Other(other),
        }
    }

    /// The value of the tag; of several, the registered one.
    pub fn code(self) -> u16 {
        match self {
            Self::None => 1,
            Self::CcittRle => 2,
            Self::CcittG3 => 3,
            Self::CcittG4 => 4,
            Self::Lzw => 5,
            Self::OldJpeg => 6,
            Self::Jpeg => 7,
            Self::Deflate => 8,
            Self::CcittRleWord => 32771,
            Self::PackBits => 32773,
            Self::ThunderScan => 32809,
            Self::Jpeg2000(J2kKind::AperioYcbcr) => 33003,
            Self::Jpeg2000(J2kKind::Lossy) => 33004,
            Self::Jpeg2000(J2kKind::AperioRgb) => 33005,
            Self::Jpeg2000(J2kKind::Standard) => 34712,
            Self::Lerc => 34887,
            Self::Lzma => 34925,
            Self::Png => 34933,
            Self::JpegXr => 34934,
            Self::Zstd => 50000,
            Self::WebP => 50001,
            Self::JpegXl => 50002,
            Self::Other(code) => code,
        }
    }

    /// What people call the scheme.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::CcittRle => "CCITT RLE",
            Self::CcittRleWord => "CCITT RLE (word-aligned)",
            Self::CcittG3 => "CCITT group 3",
            Self::CcittG4 => "CCITT group 4",
            Self::Lzw => "LZW",
            Self::OldJpeg => "old-style JPEG",
            Self::Jpeg => "JPEG",
            Self::Deflate => "Deflate",
            Self::PackBits => "PackBits",
            Self::ThunderScan => "ThunderScan",
            Self::Jpeg2000(_) => "JPEG 2000",
            Self::Lerc => "LERC",
            Self::Lzma => "LZMA",
            Self::Png => "PNG",
            Self::JpegXr => "JPEG XR",
            Self::Zstd => "Zstandard",
            Self::WebP => "WebP",
            Self::JpegXl => "JPEG XL",
            Self::Other(9 | 10 | 34661) => "JBIG",
            Self::Other(32766) => "NeXT 2-bit RLE",
            Self::Other(32908) => "Pixar film",
            Self::Other(32909) => "Pixar log",
            Self::Other(34676 | 34677) => "SGI LogLuv",
            Self::Other(34713) => "Nikon NEF",
            Self::Other(34892) => "lossy DNG JPEG",
            Self::Other(48124) => "Jetraw",
            Self::Other(65000..=65002) => "EER",
            Self::Other(_) => "an unknown scheme",
        }
    }

    /// Whether this build can decode the scheme, given tags that make sense.
    pub fn is_supported(self) -> bool {
        self.require().is_ok()
    }

    /// Whether the scheme as such discards information; JPEG XL, JPEG 2000, WebP and LERC may
    /// or may not, which their tags do not say, and count as lossy only under the code that
    /// says so.
    pub fn is_lossy(self) -> bool {
        matches!(self, Self::Jpeg | Self::OldJpeg | Self::Jpeg2000(J2kKind::Lossy) | Self::Other(34892))
    }

    /// The library that decodes the scheme, and its version, for the record of a conversion: lossy
    /// images depend on it. `None` for what this build cannot decode.
    pub fn decoder_name(self) -> Option<&'static str> {
        if !self.is_supported() {
            return None;
        }
        match self {
            Self::None | Self::PackBits | Self::ThunderScan => {
                Some(concat!("fairzarr-tiff-codec ", env!("CARGO_PKG_VERSION")))
            }
            Self::CcittRle | Self::CcittRleWord | Self::CcittG3 | Self::CcittG4 => Some("fax 0.3.0"),
            Self::Lzw => Some("weezl 0.2.1"),
            Self::Jpeg => Some("mozjpeg-sys 2.2.3"),
            Self::Deflate => Some("libdeflater 1.26.1"),
            Self::Jpeg2000(_) => Some("hayro-jpeg2000 0.5.0"),
            Self::Lerc => Some("lerc-reader 0.5.2"),
            Self::Lzma => Some("liblzma-sys 0.4.9"),
            Self::Png => Some("png 0.18.1"),
            Self::Zstd => Some("zstd-sys 2.1.2+zstd.1.5.7"),
            Self::WebP => Some("libwebp-sys 0.14.4"),
            Self::JpegXl => Some("jxl-oxide 0.12.6"),
            Self::OldJpeg | Self::JpegXr | Self::Other(_) => None,
        }
    }

    /// Refuses what this build cannot decode, by name and code.
    pub(crate) fn require(self) -> Result<(), CodecError> {
        let feature = match self {
            Self::None
            | Self::CcittRle
            | Self::CcittRleWord
            | Self::CcittG3
            | Self::CcittG4
            | Self::Lzw
            | Self::Deflate
            | Self::PackBits
            | Self::ThunderScan
            | Self::Zstd => return Ok(()),
            Self::OldJpeg | Self::JpegXr | Self::Other(_) => {
                return Err(CodecError::UnsupportedCompression { name: self.name(), code: self.code() });
            }
            Self::Jpeg if cfg!(feature = "jpeg") => return Ok(()),
            Self::Jpeg => "jpeg",
            Self::Jpeg2000(_) if cfg!(feature = "jpeg2000") => return Ok(()),
            Self::Jpeg2000(_) => "jpeg2000",
            Self::JpegXl if cfg!(feature = "jpegxl") => return Ok(()),
            Self::JpegXl => "jpegxl",
            Self::Lerc if cfg!(feature = "lerc") => return Ok(()),
            Self::Lerc => "lerc",
            Self::Lzma if cfg!(feature = "lzma") => return Ok(()),
            Self::Lzma => "lzma",
            Self::Png if cfg!(feature = "png") => return Ok(()),
            Self::Png => "png",
            Self::WebP if cfg!(feature = "webp") => return Ok(()),
            Self::WebP => "webp",
        };
        Err(CodecError::FeatureDisabled { name: self.name(), code: self.code(), feature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_schemes_agree() {
        for code in 0..=u16::MAX {
            let compression = Compression::from_tag(code);
            assert_eq!(Compression::from_tag(compression.code()), compression, "{code}");
            assert_eq!(compression.decoder_name().is_some(), compression.is_supported(), "{code}");
        }
    }

    #[test]
    fn refusals_name_the_scheme_and_its_code() {
        let refused = |code| Compression::from_tag(code).require().unwrap_err().to_string();
        assert_eq!(refused(6), "old-style JPEG (compression 6) is not supported");
        assert_eq!(refused(34713), "Nikon NEF (compression 34713) is not supported");
        assert_eq!(refused(12345), "an unknown scheme (compression 12345) is not supported");
    }

    /// The versions are written down because crates do not tell them at run time.
    #[test]
    fn decoder_versions_are_those_of_the_lock_file() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
        let Ok(lock) = std::fs::read_to_string(path) else { return };
        for decoder in (0..=u16::MAX).filter_map(|code| Compression::from_tag(code).decoder_name()) {
            let (name, version) = decoder.split_once(' ').unwrap();
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(lock.contains(&entry), "the lock file has another version than {decoder}");
        }
    }
}
