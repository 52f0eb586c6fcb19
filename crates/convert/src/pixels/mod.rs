//! Loops over samples: their types, the 2x mean, statistics.

pub(crate) mod downsample;
pub(crate) mod sample;
pub(crate) mod statistics;
