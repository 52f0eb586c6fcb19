//! Regions painted into rows of samples, plane by plane and piece by piece.

use crate::Rois;
use crate::mask::Bits;
use crate::shape::{Geometry, Shape};

/// Decompressed masks of one plane have at most so many bytes.
pub(crate) const MOST_MASK_BYTES: u64 = 1 << 30;

/// Which rows and columns of full resolution the samples of a piece are those of: both ascend.
#[derive(Clone, Debug)]
pub struct Grid {
    rows: Vec<u32>,
    columns: Vec<u32>,
}

impl Grid {
    /// The samples of a level of this height and width, where each is that of full resolution (`full`) which lies at its upper left.
    pub fn new(level: (u32, u32), full: (u32, u32), rows: (u32, u32), columns: (u32, u32)) -> Self {
        let places = |(start, end): (u32, u32), level: u32, full: u32| {
            let place = |n: u32| (u64::from(n) * u64::from(full) / u64::from(level.max(1))) as u32;
            (start..end.min(level)).map(place).collect()
        };
        Self { rows: places(rows, level.0, full.0), columns: places(columns, level.1, full.1) }
    }

    fn bounds(places: &[u32]) -> (u32, u32) {
        (places.first().copied().unwrap_or(0), places.last().map_or(0, |last| last.saturating_add(1)))
    }
}

/// The regions of one plane, with their masks decompressed.
pub struct Painter<'a> {
    shapes: Vec<(u32, &'a Shape, Option<Bits>)>,
}

impl<'a> Painter<'a> {
    /// What is painted on plane t, c, z.
    ///
    /// # Errors
    /// Which mask cannot be decompressed, or that all of them are too large together.
    pub fn new(rois: &'a Rois, plane: [u32; 3]) -> Result<Self, String> {
        let shapes: Vec<(u32, &Shape)> = rois.shapes().filter(|(_, shape)| shape.is_on(plane)).collect();
        let all = shapes.iter().map(|(_, shape)| shape.mask_bytes()).fold(0, u64::saturating_add);
        if all > MOST_MASK_BYTES {
            return Err(format!(
                "masks at t {}, c {}, z {} have {all} bytes, expected at most {MOST_MASK_BYTES}",
                plane[0], plane[1], plane[2]
            ));
        }
        let shapes = shapes.into_iter().map(|(number, shape)| {
            let bits = match &shape.geometry {
                Geometry::Mask { bits, .. } => {
                    Some(bits.unpack().map_err(|error| format!("shape {}: {error}", shape.id))?)
                }
                _ => None,
            };
            Ok::<_, String>((number, shape, bits))
        });
        Ok(Self { shapes: shapes.collect::<Result<_, _>>()? })
    }

    /// Whether nothing is painted between rows and columns (first, and one after the last) of full resolution.
    pub fn is_empty(&self, rows: (u32, u32), columns: (u32, u32)) -> bool {
        !self.shapes.iter().any(|(_, shape, _)| overlap(shape.rows, rows) && overlap(shape.columns, columns))
    }

    /// The samples of a piece, row by row: numbers of regions, and 0 between them.
    pub fn paint(&self, grid: &Grid) -> Vec<u32> {
        let width = grid.columns.len();
        let mut samples = vec![0; grid.rows.len() * width];
        let (rows, columns) = (Grid::bounds(&grid.rows), Grid::bounds(&grid.columns));
        for (number, shape, bits) in &self.shapes {
            if !overlap(shape.rows, rows) || !overlap(shape.columns, columns) {
                continue;
            }
            let near = shape.near(rows.0, rows.1 - 1);
            let covered = |row: &&u32| (shape.rows.0..shape.rows.1).contains(*row);
            let first = grid.rows.partition_point(|row| *row < shape.rows.0);
            for (n, row) in grid.rows[first..].iter().take_while(covered).enumerate() {
                let out = &mut samples[(first + n) * width..][..width];
                shape.spans(*row, (&near, bits.as_ref()), columns, |start, end| {
                    let from = grid.columns.partition_point(|column| *column < start);
                    let to = grid.columns.partition_point(|column| *column < end);
                    out[from..to].fill(*number);
                });
            }
        }
        samples
    }
}

fn overlap(one: (u32, u32), other: (u32, u32)) -> bool {
    one.0 < other.1 && other.0 < one.1
}
