//! Loops over samples: their types, the 2x mean, statistics, image quality.

pub(crate) mod downsample;
pub(crate) mod quality;
pub(crate) mod sample;
pub(crate) mod statistics;
