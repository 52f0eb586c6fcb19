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
    /// An array description contradicts itself.
    #[error("array: {member} has {found} entries, expected {expected} like its shape")]
    Dimensions {
        /// The member with the wrong number of entries.
        member: &'static str,
        /// Its number of entries.
        found: usize,
        /// The array's number of dimensions.
        expected: usize,
    },
    /// A chunk or shard has no extent in some dimension.
    #[error("array: {member} is {found:?}, expected every entry to be at least 1")]
    EmptyChunk {
        /// `chunks` or `shards`.
        member: &'static str,
        /// Its value.
        found: Vec<u64>,
    },
    /// Shards that chunks do not fill evenly.
    #[error("array: shard {shards:?} is not a multiple of chunk {chunks:?}")]
    UnevenShard {
        /// The shard's shape.
        shards: Vec<u64>,
        /// The chunk's shape.
        chunks: Vec<u64>,
    },
    /// A feature that the Zarr format of this NGFF version does not have.
    #[error("array: {feature} cannot be written in Zarr format {zarr_format}")]
    NotInFormat {
        /// The feature asked for.
        feature: &'static str,
        /// The Zarr format, 2 or 3.
        zarr_format: u8,
    },
    /// A codec parameter outside the range that the codec takes.
    #[error("array: {parameter} is {found}, expected {expected}")]
    CodecParameter {
        /// Codec and parameter.
        parameter: &'static str,
        /// The value asked for.
        found: i64,
        /// The range allowed.
        expected: &'static str,
    },
    /// A fill value that the array's data type cannot hold.
    #[error("array: fill value {found} is not a value of {data_type}")]
    FillValue {
        /// The value asked for.
        found: String,
        /// The data type, by its Zarr 3 name.
        data_type: &'static str,
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
