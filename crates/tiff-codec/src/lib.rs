//! Decoders of stored TIFF tiles and strips: compressed bytes to little-endian samples.
