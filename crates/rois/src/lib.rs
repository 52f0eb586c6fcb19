//! Regions of interest of OME-XML (`ROI`, 2016-06) as label samples: each ROI has a number, and its shapes are painted with it.
//!
//! What a shape covers, in pixels of full resolution, of which pixel (x, y) has its centre at (x + 0.5, y + 0.5):
//!
//! | shape | pixels |
//! |---|---|
//! | `Rectangle`, `Polygon` | whose centre is inside; a polygon's inside is even-odd unless its `FillRule` is `NonZero` |
//! | `Ellipse` | whose centre is inside or on it |
//! | `Line`, `Polyline` | whose centre is no farther from it than half of `StrokeWidth`, which is one pixel at least |
//! | `Point` | in which it lies |
//! | `Mask` | whose centre falls on a bit that is set |
//!
//! A `Transform` is applied to the shape, not to the width of its stroke. `Label` is text and covers nothing. `TheT`, `TheC` and
//! `TheZ` say to which planes a shape belongs; where one is absent, to all. Where shapes of several ROIs overlap, the ROI that
//! comes last in the document lies on top.
//!
//! Documents are not trusted: shapes with numbers that are none, outside of every plane, or whose mask is not what it says are
//! left out, each with the reason, and the work of painting is bounded ([`Rois::check`]).
#![forbid(unsafe_code)]

mod mask;
mod paint;
mod read;
mod shape;
#[cfg(test)]
mod tests;

pub use paint::{Grid, Painter};

use paint::MOST_MASK_BYTES;
pub use read::of_image;
pub use shape::Shape;

use fairzarr_pixel::Shape as Size;
use std::collections::HashMap;

/// Steps that painting one image may take, whatever its size: seconds on one core.
const MOST_WORK: u64 = 1 << 34;
/// How often all samples of an image may be covered beyond that.
const MOST_LAYERS: u64 = 64;

/// The regions of one image.
#[derive(Clone, Debug, Default)]
pub struct Rois {
    /// In the order of the document; the first has the number 1.
    pub rois: Vec<Roi>,
    /// Shapes that are not painted, and why.
    pub left_out: Vec<LeftOut>,
}

/// A region: one object, whatever the number of its shapes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Roi {
    /// `ROI@ID`.
    pub id: String,
    /// `ROI@Name`.
    pub name: Option<String>,
    /// Red, green, blue, opacity: of the first shape that has one.
    pub color: Option<[u8; 4]>,
    /// `Text` of its first shape that has one.
    pub text: Option<String>,
    /// What is painted.
    pub shapes: Vec<Shape>,
}

/// A shape that is not painted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftOut {
    /// `Shape@ID`, or that of its ROI.
    pub id: String,
    /// Why.
    pub reason: String,
}

impl Roi {
    /// The colour that it is shown in: its own, or one of eight by its number.
    pub fn shown(&self, number: u32) -> [u8; 4] {
        self.color.unwrap_or_else(|| color(number.into()))
    }
}

/// The colour of a label that nobody gave one: one of eight by its number.
pub fn color(number: i64) -> [u8; 4] {
    const COLORS: [[u8; 3]; 8] = [
        [230, 25, 75],
        [60, 180, 75],
        [255, 225, 25],
        [0, 130, 200],
        [245, 130, 48],
        [145, 30, 180],
        [70, 240, 240],
        [240, 50, 230],
    ];
    let [red, green, blue] = COLORS[number.rem_euclid(COLORS.len() as i64) as usize];
    [red, green, blue, 255]
}

impl Rois {
    /// Whether there is nothing to paint.
    pub fn is_empty(&self) -> bool {
        self.rois.is_empty()
    }

    /// Sizes in t, c, z of label images for an image of this size: 1 where no shape says to which planes it belongs.
    pub fn planes(&self, size: Size) -> [u32; 3] {
        let says = |of: fn(&Shape) -> Option<u32>| self.shapes().any(|(_, shape)| of(shape).is_some());
        [
            if says(|shape| shape.t) { size.t } else { 1 },
            if says(|shape| shape.c) { size.c } else { 1 },
            if says(|shape| shape.z) { size.z } else { 1 },
        ]
    }

    /// Steps that it takes to paint all planes: pixels within the bounds of shapes, and ends of lines looked at.
    fn work(&self, size: Size) -> u64 {
        let [t, c, z] = self.planes(size);
        let of_shape = |(_, shape): (u32, &Shape)| {
            let planes = [(shape.t, t), (shape.c, c), (shape.z, z)];
            let planes = planes.into_iter().map(|(at, all)| if at.is_some() { 1 } else { u64::from(all) });
            planes.fold(shape.work(), u64::saturating_mul)
        };
        self.shapes().map(of_shape).fold(0, u64::saturating_add)
    }

    /// What is wrong with painting an image of this size: more work, or larger masks on one plane, than a document may ask for.
    ///
    /// # Errors
    /// What was found, and what was expected.
    pub fn check(&self, size: Size) -> Result<(), String> {
        let work = self.work(size);
        let planes = self.planes(size).into_iter().chain([size.y, size.x]);
        let samples = planes.map(u64::from).fold(1, u64::saturating_mul);
        let most = MOST_WORK.saturating_add(samples.saturating_mul(MOST_LAYERS));
        if work > most {
            return Err(format!("its shapes take {work} steps to be painted, expected at most {most}"));
        }
        let mut by_plane: HashMap<[Option<u32>; 3], u64> = HashMap::new();
        for (_, shape) in self.shapes() {
            *by_plane.entry([shape.t, shape.c, shape.z]).or_default() += shape.mask_bytes();
        }
        let (exact, wide): (Vec<_>, Vec<_>) =
            by_plane.into_iter().partition(|(plane, _)| plane.iter().all(Option::is_some));
        let everywhere: u64 = wide.iter().map(|(_, bytes)| bytes).sum();
        let bytes = everywhere + exact.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
        if bytes > MOST_MASK_BYTES {
            return Err(format!(
                "its masks have {bytes} bytes on one plane, expected at most {MOST_MASK_BYTES}"
            ));
        }
        Ok(())
    }

    /// All shapes with the number of their ROI.
    fn shapes(&self) -> impl Iterator<Item = (u32, &Shape)> {
        let numbered = self.rois.iter().zip(1..);
        numbered.flat_map(|(roi, number)| roi.shapes.iter().map(move |shape| (number, shape)))
    }
}
