//! The two Zarr formats.

use std::fmt;

/// A Zarr storage format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Format 2: `.zgroup`, `.zarray` and `.zattrs`.
    V2,
    /// Format 3: one `zarr.json` per node.
    V3,
}

impl Format {
    /// The number in `zarr_format`.
    pub fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}
