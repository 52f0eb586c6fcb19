//! What can be wrong with metadata that is read or asked for.

/// Why metadata could not be read, or cannot be written as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A version that this crate neither reads nor writes.
    #[error("NGFF version {found:?} is not supported, expected 0.4, 0.5 or 0.6")]
    UnsupportedVersion {
        /// The version as written.
        found: String,
    },
    /// A member that the specification demands is not there.
    #[error("{path}: member is missing, expected {expected}")]
    Missing {
        /// JSON pointer to where the member belongs.
        path: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A member is there, but is not what the specification says.
    #[error("{path}: found {found}, expected {expected}")]
    Unexpected {
        /// JSON pointer to the member.
        path: String,
        /// What is there, shortened.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A plate of OME-XML with more rows or columns than any plate has.
    #[error("plate: {found} {member}, expected at most {limit}")]
    PlateTooLarge {
        /// `rows` or `columns`.
        member: &'static str,
        /// Their number.
        found: u64,
        /// The highest number taken.
        limit: u64,
    },
}
