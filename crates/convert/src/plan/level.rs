//! One resolution level of the plan.

use fairzarr_ome_zarr::Codec;
use serde::{Deserialize, Serialize};

/// One resolution level of the plan.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct LevelPlan {
    /// Height and width in pixels.
    pub size: (u32, u32),
    /// Height and width of a chunk in pixels.
    pub chunk: (u32, u32),
    /// Height and width of a shard in pixels.
    pub shard: Option<(u32, u32)>,
    /// Compression.
    pub codec: Codec,
    /// Its chunks are the source's tiles or strips, moved as they are.
    pub moved: bool,
}
