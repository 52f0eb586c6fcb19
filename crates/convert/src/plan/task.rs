//! The pieces that a conversion is done in.

use fairzarr_pixel::PlaneIndex;
use serde::{Deserialize, Serialize};

use super::pyramid::Block;

/// A piece of work that one worker does on its own: a page, a block of a page that is large, or several pages that share
/// shards.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Task {
    pub(crate) image: usize,
    /// The first of its pages.
    pub(crate) page: PlaneIndex,
    /// Which of the image's pyramids.
    pub(crate) pyramid: usize,
    pub(crate) block: Block,
}

/// Objects that a task has handed to the store.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Written {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
}
