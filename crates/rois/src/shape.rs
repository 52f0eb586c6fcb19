//! One shape: which planes it belongs to, what it is, and which columns of a row of pixels it covers.

use crate::mask::{Bits, Packed};

/// A shape that is painted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shape {
    /// `Shape@ID`.
    pub id: String,
    /// The time point that it belongs to; all of them where there is none.
    pub t: Option<u32>,
    /// The channel.
    pub c: Option<u32>,
    /// The section.
    pub z: Option<u32>,
    pub(crate) geometry: Geometry,
    /// From pixels of the image to the shape's own, for those whose points are not transformed themselves.
    back: Affine,
    /// Rows and columns that it can cover: first, and one after the last.
    pub(crate) rows: (u32, u32),
    pub(crate) columns: (u32, u32),
}

/// What a shape is, in pixels.
#[derive(Clone, Debug)]
pub(crate) enum Geometry {
    Area { points: Vec<(f64, f64)>, non_zero: bool },
    Stroke { points: Vec<(f64, f64)>, half: f64 },
    Ellipse { centre: (f64, f64), radii: (f64, f64) },
    Point((f64, f64)),
    Mask { at: (f64, f64), bits: Packed },
}

/// x' = a x + b y + c, y' = d x + e y + f.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine(pub(crate) [f64; 6]);

impl Affine {
    pub(crate) const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

    fn apply(self, (x, y): (f64, f64)) -> (f64, f64) {
        let Self([a, b, c, d, e, f]) = self;
        (a * x + b * y + c, d * x + e * y + f)
    }

    fn inverse(self) -> Option<Self> {
        let Self([a, b, c, d, e, f]) = self;
        let det = a * e - b * d;
        let back = [e / det, -b / det, (b * f - c * e) / det, -d / det, a / det, (c * d - a * f) / det];
        back.iter().all(|number| number.is_finite()).then_some(Self(back))
    }
}

impl Shape {
    /// A shape on an image of this height and width.
    pub(crate) fn new(
        id: String,
        mut geometry: Geometry,
        transform: Affine,
        [t, c, z]: [Option<u32>; 3],
        (height, width): (u32, u32),
    ) -> Result<Self, String> {
        let mut back = Affine::IDENTITY;
        let (corners, margin) = match &mut geometry {
            Geometry::Area { points, .. } => (moved(points, transform), 0.0),
            Geometry::Stroke { points, half } => (moved(points, transform), *half),
            Geometry::Point(point) => {
                *point = transform.apply(*point);
                (vec![*point], 0.0)
            }
            Geometry::Ellipse { centre: (x, y), radii: (rx, ry) } => {
                if *rx <= 0.0 || *ry <= 0.0 {
                    return Err(format!("its radii are {rx} and {ry}"));
                }
                back = transform.inverse().ok_or("its Transform cannot be turned back")?;
                let corners =
                    [(*x - *rx, *y - *ry), (*x + *rx, *y - *ry), (*x + *rx, *y + *ry), (*x - *rx, *y + *ry)];
                (corners.map(|corner| transform.apply(corner)).to_vec(), 0.0)
            }
            Geometry::Mask { at: (x, y), bits } => {
                back = transform.inverse().ok_or("its Transform cannot be turned back")?;
                let (w, h) = (f64::from(bits.width), f64::from(bits.height));
                let corners = [(*x, *y), (*x + w, *y), (*x + w, *y + h), (*x, *y + h)];
                (corners.map(|corner| transform.apply(corner)).to_vec(), 0.0)
            }
        };
        if corners.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
            return Err("its coordinates are too large for numbers".into());
        }
        let bounds = |of: fn(&(f64, f64)) -> f64, size: u32| {
            let low = corners.iter().map(of).fold(f64::INFINITY, f64::min) - margin;
            let high = corners.iter().map(of).fold(f64::NEG_INFINITY, f64::max) + margin;
            // Conversions to integers stop at their ends.
            ((low.floor() as u32).min(size), ((high.floor() + 1.0) as u32).min(size))
        };
        let (rows, columns) = (bounds(|point| point.1, height), bounds(|point| point.0, width));
        if rows.0 >= rows.1 || columns.0 >= columns.1 {
            return Err(format!("it lies outside of the image of {width} x {height} pixels"));
        }
        Ok(Self { id, t, c, z, geometry, back, rows, columns })
    }

    /// Whether it belongs to a plane.
    pub(crate) fn is_on(&self, [t, c, z]: [u32; 3]) -> bool {
        [(self.t, t), (self.c, c), (self.z, z)].into_iter().all(|(own, at)| own.is_none_or(|own| own == at))
    }

    /// Bytes of its mask, decompressed.
    pub(crate) fn mask_bytes(&self) -> u64 {
        match &self.geometry {
            Geometry::Mask { bits, .. } => bits.bytes(),
            _ => 0,
        }
    }

    /// Pixels within its bounds, and for each square of them that is painted at a time its points.
    pub(crate) fn work(&self) -> u64 {
        /// Pixels on a side that are painted together.
        const SQUARE: u64 = 512;
        let side = |(start, end): (u32, u32)| u64::from(end - start);
        let (h, w) = (side(self.rows), side(self.columns));
        let points = match &self.geometry {
            Geometry::Area { points, .. } | Geometry::Stroke { points, .. } => points.len() as u64,
            _ => 1,
        };
        let squares = (h / SQUARE + 2).saturating_mul(w / SQUARE + 2);
        // In a row, each point that can matter is looked at.
        h.saturating_mul(w).saturating_add(points.saturating_mul(squares.saturating_add(h)))
    }

    /// Hands over the columns that it covers of a row, as starts and ends within `columns`. `near` are the points between which
    /// its lines have to do with the rows in question, as [`Shape::near`] gave them; `bits` those of a mask.
    pub(crate) fn spans(
        &self,
        row: u32,
        (near, bits): (&[usize], Option<&Bits>),
        columns: (u32, u32),
        mut paint: impl FnMut(u32, u32),
    ) {
        let y = f64::from(row) + 0.5;
        let mut between = |low: f64, high: f64| {
            let (start, end) = ((low.max(0.0) as u32).max(columns.0), (high.max(0.0) as u32).min(columns.1));
            if start < end {
                paint(start, end);
            }
        };
        match &self.geometry {
            Geometry::Point((x, at)) => {
                if at.floor() as i64 == i64::from(row) {
                    between(x.floor(), x.floor() + 1.0);
                }
            }
            Geometry::Area { points, non_zero } => {
                let mut crossings: Vec<(f64, i32)> = near
                    .iter()
                    .map(|n| (points[*n], points[(n + 1) % points.len()]))
                    .filter(|(p, q)| (p.1 <= y) != (q.1 <= y))
                    .map(|(p, q)| {
                        (p.0 + (y - p.1) * ((q.0 - p.0) / (q.1 - p.1)), if p.1 <= y { 1 } else { -1 })
                    })
                    .collect();
                crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut winding = 0;
                for pair in crossings.windows(2) {
                    winding += if *non_zero { pair[0].1 } else { 1 };
                    if winding != 0 && (*non_zero || winding % 2 == 1) {
                        between((pair[0].0 - 0.5).ceil(), (pair[1].0 - 0.5).ceil());
                    }
                }
            }
            Geometry::Stroke { points, half } => {
                for n in near {
                    let q = points.get(n + 1).or(points.get(*n)).copied().unwrap_or_default();
                    if let Some((low, high)) = capsule(points[*n], q, *half, y) {
                        between((low - 0.5).ceil(), (high - 0.5).floor() + 1.0);
                    }
                }
            }
            Geometry::Ellipse { centre, radii } => {
                let Affine([a, b, c, d, e, f]) = self.back;
                // (u0 + u1 x)^2 + (v0 + v1 x)^2 <= 1
                let (u1, u0) = (a / radii.0, (b * y + c - centre.0) / radii.0);
                let (v1, v0) = (d / radii.1, (e * y + f - centre.1) / radii.1);
                let square = u1 * u1 + v1 * v1;
                let half = u0 * u1 + v0 * v1;
                let root = half * half - square * (u0 * u0 + v0 * v0 - 1.0);
                if square <= 0.0 {
                    // So wide that a row is a point of it.
                    if u0 * u0 + v0 * v0 <= 1.0 {
                        between(0.0, f64::from(columns.1));
                    }
                } else if root >= 0.0 {
                    let (low, high) = ((-half - root.sqrt()) / square, (-half + root.sqrt()) / square);
                    between((low - 0.5).ceil(), (high - 0.5).floor() + 1.0);
                }
            }
            Geometry::Mask { at, .. } => {
                let Some(bits) = bits else { return };
                let is_set = |x: u32| {
                    let (u, v) = self.back.apply((f64::from(x) + 0.5, y));
                    bits.is_set(u - at.0, v - at.1)
                };
                let (start, end) = (columns.0.max(self.columns.0), columns.1.min(self.columns.1));
                let mut open = None;
                for x in start..end {
                    match (is_set(x), open) {
                        (true, None) => open = Some(x),
                        (false, Some(from)) => {
                            paint(from, x);
                            open = None;
                        }
                        _ => {}
                    }
                }
                if let Some(from) = open {
                    paint(from, end);
                }
            }
        }
    }

    /// Points that begin lines which have to do with rows from the first to the last.
    pub(crate) fn near(&self, first: u32, last: u32) -> Vec<usize> {
        let (points, margin, closed) = match &self.geometry {
            Geometry::Area { points, .. } => (points, 0.0, true),
            Geometry::Stroke { points, half } => (points, *half, false),
            _ => return Vec::new(),
        };
        let (first, last) = (f64::from(first) - margin, f64::from(last) + 1.0 + margin);
        let lines = if closed || points.len() == 1 { points.len() } else { points.len() - 1 };
        let is_near = |n: &usize| {
            let (p, q) = (points[*n].1, points[(n + 1) % points.len()].1);
            p.min(q) <= last && p.max(q) >= first
        };
        (0..lines).filter(is_near).collect()
    }
}

/// Moves points, and gives them again.
fn moved(points: &mut [(f64, f64)], transform: Affine) -> Vec<(f64, f64)> {
    if transform != Affine::IDENTITY {
        for point in points.iter_mut() {
            *point = transform.apply(*point);
        }
    }
    points.to_vec()
}

/// Where a row is no farther than `half` from the line between two points: that is one piece, for what lies so near is convex.
fn capsule(p: (f64, f64), q: (f64, f64), half: f64, y: f64) -> Option<(f64, f64)> {
    let mut found: Option<(f64, f64)> = None;
    let mut add = |low: f64, high: f64| {
        let (a, b) = found.unwrap_or((low, high));
        found = Some((a.min(low), b.max(high)));
    };
    for end in [p, q] {
        let root = half * half - (y - end.1) * (y - end.1);
        if root >= 0.0 {
            add(end.0 - root.sqrt(), end.0 + root.sqrt());
        }
    }
    let (dx, dy) = (q.0 - p.0, q.1 - p.1);
    let length = dx.hypot(dy);
    if length > 0.0 {
        // The strip between the ends, as the rectangle that it is.
        let (nx, ny) = (-dy / length * half, dx / length * half);
        let corners =
            [(p.0 + nx, p.1 + ny), (q.0 + nx, q.1 + ny), (q.0 - nx, q.1 - ny), (p.0 - nx, p.1 - ny)];
        for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
            if (b.1 - a.1).abs() > 0.0 && (y - a.1) * (y - b.1) <= 0.0 {
                let x = a.0 + (y - a.1) * ((b.0 - a.0) / (b.1 - a.1));
                add(x, x);
            }
        }
    }
    found
}
