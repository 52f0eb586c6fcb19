//! What can go wrong between a stored chunk and its samples.

/// Why a chunk was not decoded.
///
/// Every variant names the codec, what was found and what was expected; the caller adds which
/// file, image and tile it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The compression scheme is known by name or number only.
    #[error("{name} (compression {code}) is not supported")]
    UnsupportedCompression {
        /// Name of the scheme.
        name: &'static str,
        /// Value of the Compression tag.
        code: u16,
    },
    /// The compression scheme is supported, but this build leaves it out.
    #[error("{name} (compression {code}) needs a build with the feature `{feature}`")]
    FeatureDisabled {
        /// Name of the scheme.
        name: &'static str,
        /// Value of the Compression tag.
        code: u16,
        /// Cargo feature that brings the decoder.
        feature: &'static str,
    },
    /// The compression scheme is supported, but not with these tags.
    #[error("{codec} with {what} is not supported")]
    UnsupportedLayout {
        /// Name of the scheme.
        codec: &'static str,
        /// The offending combination of tags.
        what: String,
    },
    /// Width, height and samples multiply to more than this machine can address, or to nothing.
    #[error("a chunk of {width} x {height} pixels of {samples} samples of {bits} bits cannot be decoded")]
    Size {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Samples of a pixel.
        samples: u16,
        /// Bits of a sample.
        bits: u16,
    },
    /// The stream ended before the chunk was full.
    #[error("{codec} data ends after {found} of {expected} bytes")]
    Short {
        /// Name of the scheme.
        codec: &'static str,
        /// Bytes that the stream gave.
        found: usize,
        /// Bytes that the chunk needs.
        expected: usize,
    },
    /// The stream goes on after the last row with something that no writer adds.
    #[error("{codec} data go on after the {expected} bytes of the chunk")]
    Long {
        /// Name of the scheme.
        codec: &'static str,
        /// Bytes that the chunk needs.
        expected: usize,
    },
    /// The stream breaks the rules of its format.
    #[error("{codec} data is damaged: {reason}")]
    Damaged {
        /// Name of the scheme.
        codec: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// The stream is an image of another shape or type than the tags promise.
    #[error("{codec} data holds {found}, expected {expected}")]
    Mismatch {
        /// Name of the scheme.
        codec: &'static str,
        /// What the stream says.
        found: String,
        /// What the tags say.
        expected: String,
    },
    /// The caller's buffer is not the size of the decoded chunk or of whole rows.
    #[error("the output buffer has {found} bytes, expected {expected}")]
    OutputSize {
        /// Bytes given.
        found: usize,
        /// Bytes needed.
        expected: usize,
    },
    /// The source of a [`RowStream`](crate::RowStream) failed.
    #[error("stored bytes cannot be read: {reason}")]
    Read {
        /// Kind of the failure.
        kind: std::io::ErrorKind,
        /// What the source said.
        reason: String,
    },
}
