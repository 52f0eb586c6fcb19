//! Samples: arrays read and written. The only room that knows the Zarr engine and its codecs.

mod array;
mod bounded;
mod calibration;
mod codec;
mod shard;
mod small_array;

pub use array::{Ranges, Slab, StoredArray, StoredChunks, plane_ranges};
pub use calibration::calibration_map;
pub use codec::{Codec, Encoder, pack, unpack};
pub use shard::Shard;
pub use small_array::SmallArray;
