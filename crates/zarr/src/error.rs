//! What can be wrong with an array that is to be written.

/// Why an array cannot be declared as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
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
    /// A feature that the Zarr format does not have.
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
}
