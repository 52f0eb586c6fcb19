//! Sizes of pixels where there is no OME-XML: resolution tags, and what ImageJ writes beside them.

use crate::{
    container::{Container, Form, PageId, tag},
    imagej::description::Lines,
};

/// The distance from one pixel, focal plane or time point to the next, where it is known.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Calibration {
    /// From column to column.
    pub x: Option<Step>,
    /// From row to row.
    pub y: Option<Step>,
    /// From focal plane to focal plane.
    pub z: Option<Step>,
    /// From time point to time point.
    pub t: Option<Step>,
}

/// One distance.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// Positive and finite.
    pub size: f64,
    /// The unit as written: `inch` or `cm` for the tags, for ImageJ whatever its user called it (`micron`, `um`).
    pub unit: Option<String>,
}

impl Calibration {
    /// What a page and the lines of ImageJ say; `None` if that is nothing.
    pub(crate) fn read(container: &Container, page: PageId, lines: Option<&Lines>) -> Option<Self> {
        let text =
            |key| lines.and_then(|lines| lines.get(key)).map(String::as_str).filter(|text| !text.is_empty());
        let of_tags = match lines {
            // ImageJ stores pixels per unit, and the unit in its own lines.
            Some(_) => text("unit").map(unescape),
            None => match number(container, page, tag::RESOLUTION_UNIT) {
                Some(3) => Some("cm".to_owned()),
                Some(1) => None,
                // Inches are the default.
                _ => Some("inch".to_owned()),
            },
        };
        let plain_ratio = lines.is_none() && of_tags.is_none();
        let along = |number| {
            let per_unit = rational(container, page, number)?;
            // Without a unit the two numbers give the shape of a pixel, not its size.
            if plain_ratio { None } else { Step::new(1.0 / per_unit, of_tags.clone()) }
        };
        let spacing = text("spacing").and_then(|text| text.parse().ok());
        let interval = text("finterval").and_then(|text| text.parse().ok());
        let seconds = text("tunit").map_or_else(|| "s".to_owned(), unescape);
        let found = Self {
            x: along(tag::X_RESOLUTION),
            y: along(tag::Y_RESOLUTION),
            z: spacing.and_then(|size: f64| Step::new(size.abs(), of_tags.clone())),
            t: interval.and_then(|size| Step::new(size, Some(seconds))),
        };
        (found.x.is_some() || found.y.is_some() || found.z.is_some() || found.t.is_some()).then_some(found)
    }
}

impl Step {
    fn new(size: f64, unit: Option<String>) -> Option<Self> {
        (size.is_finite() && size > 0.0).then_some(Self { size, unit })
    }
}

fn number(container: &Container, page: PageId, number: u16) -> Option<u64> {
    let bytes = container.value(page, number, 8).ok()??;
    form(container).uint(&bytes)
}

fn rational(container: &Container, page: PageId, number: u16) -> Option<f64> {
    let bytes = container.value(page, number, 8).ok()??;
    let (above, below) = bytes.split_at_checked(4)?;
    let (above, below) = (form(container).uint(above)?, form(container).uint(below)?);
    (above > 0 && below > 0).then(|| above as f64 / below as f64)
}

fn form(container: &Container) -> Form {
    Form { big_endian: container.big_endian(), big_tiff: false }
}

/// ImageJ writes characters beyond Latin-1 as in Java source: `\u00B5m`.
fn unescape(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        if let Some(c) = code {
            out.push(c);
            out.push_str(&part[4..]);
        } else {
            out.push_str("\\u");
            out.push_str(part);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_imagej() {
        assert_eq!(unescape("\\u00B5m"), "µm");
        assert_eq!(unescape("micron"), "micron");
        assert_eq!(unescape("a\\u12"), "a\\u12");
    }
}
