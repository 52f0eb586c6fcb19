//! Sizes of images, and places in them.

use std::fmt;

/// Size of an image along each axis, slowest first as everywhere here.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Shape {
    /// Time points.
    pub t: u32,
    /// Channels, every sample of a pixel counted: RGB has three.
    pub c: u32,
    /// Focal planes.
    pub z: u32,
    /// Rows.
    pub y: u32,
    /// Columns.
    pub x: u32,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { t, c, z, y, x } = self;
        write!(f, "t {t}, c {c}, z {z}, y {y}, x {x}")
    }
}

/// One page's worth of an image: the channels of one group at one time point and focal plane.
///
/// A group is the channels whose samples are stored together: the three of RGB, else mostly one. Planes are ordered
/// by time point, then group, then focal plane.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct PlaneIndex {
    /// Time point.
    pub t: u32,
    /// Group of channels.
    pub group: u32,
    /// Focal plane.
    pub z: u32,
}

impl fmt::Display for PlaneIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t {}, channel group {}, z {}", self.t, self.group, self.z)
    }
}

/// A rectangle of pixels of one resolution of a plane.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Region {
    /// First row.
    pub y: u32,
    /// First column.
    pub x: u32,
    /// Rows.
    pub h: u32,
    /// Columns.
    pub w: u32,
}

impl Region {
    /// Pixels in it.
    pub fn area(self) -> usize {
        self.h as usize * self.w as usize
    }
}
