//! Zarr documents of formats 2 and 3: written, read and judged. No chunks, no codecs, no input or output.
//!
//! - [`ArraySpec`] and [`array_document`]: an array to write, and the documents that declare it.
//! - [`group_document`]: the documents of a group.
//! - [`chunk_key`]: where a chunk or shard lies.
//! - [`ArrayDocument`]: an array as its document declares it, read as far as it can be understood.
//! - [`judge()`]: every rule of the specifications that a document breaks.
//!
//! The bytes of a document depend on its contents alone: members have a fixed order.
//!
//! ```
//! use fairzarr_zarr::{ArraySpec, SampleType, Format, array_document};
//!
//! let spec = ArraySpec::new([256, 300], SampleType::Uint16, [64, 64]);
//! let documents = array_document(Format::V3, &spec)?;
//! assert_eq!(documents[0].name, "zarr.json");
//! # Ok::<(), fairzarr_zarr::Error>(())
//! ```
#![forbid(unsafe_code)]

mod array;
mod codec;
mod document;
mod error;
mod fill_value;
mod finding;
mod format;
mod judge;
mod key;
mod read;
mod stored;
mod upgrade;

pub use array::{ArraySpec, array_document};
pub use codec::{BloscCompressor, Codecs, Compressor, Endian, Shuffle};
pub use document::{Document, group_document};
pub use error::Error;
pub use fairzarr_pixel::SampleType;
pub use fill_value::FillValue;
pub use finding::{Finding, Severity};
pub use format::Format;
pub use judge::{Node, judge};
pub use key::chunk_key;
pub use read::{ArrayDocument, DeclaredCodec, Storage};
pub use stored::{ChunkKeys, ShardIndex};
pub use upgrade::{Recoded, UpgradedArray};
