//! Sizes of pixels where there is no OME-XML: resolution tags, and what ImageJ and SCIFIO write beside them.

use fairzarr_ome_xml::{Length, Quantity, Unit, UnitKind};

use crate::{
    container::{Container, Form, PageId, tag},
    imagej::description::{Lines, axis_value},
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
    /// The same as a fraction, where the tags have it so: conversions of it do not round twice.
    fraction: Option<(f64, f64)>,
    /// The unit as written: `inch` or `cm` for the tags, for ImageJ whatever its user called it (`micron`, `um`).
    pub unit: Option<String>,
}

impl Calibration {
    /// What a page and the lines of ImageJ or SCIFIO say; `None` if that is nothing.
    pub(crate) fn read(container: &Container, page: PageId, lines: Option<&Lines>) -> Option<Self> {
        let found = match lines {
            Some(lines) => Self::of_lines(container, page, lines),
            None => Self::of_tags(container, page),
        };
        (found.x.is_some() || found.y.is_some() || found.z.is_some() || found.t.is_some()).then_some(found)
    }

    /// The resolution tags alone. Without a unit they give the shape of a pixel, not its size.
    fn of_tags(container: &Container, page: PageId) -> Self {
        let unit = match number(container, page, tag::RESOLUTION_UNIT) {
            Some(3) => Some("cm"),
            Some(1) => None,
            // Inches are the default.
            _ => Some("inch"),
        };
        let along = |number| Step::of_fraction(per_pixel(container, page, number)?, Some(unit?.to_owned()));
        Self { x: along(tag::X_RESOLUTION), y: along(tag::Y_RESOLUTION), z: None, t: None }
    }

    /// ImageJ has pixels per unit in the resolution tags, and the unit and all else in its lines.
    fn of_lines(container: &Container, page: PageId, lines: &Lines) -> Self {
        let text = |key: &str| lines.get(key).map(String::as_str).filter(|text| !text.is_empty());
        let number = |key: &str| text(key).and_then(|text| text.parse::<f64>().ok());
        let unit = |key: &str, axis: &str| {
            let listed = || axis_value(lines, "units", axis).filter(|unit| *unit != "null");
            text(key).or_else(|| text("unit")).or_else(listed).map(unescape)
        };
        let scale = |axis: &str| axis_value(lines, "scales", axis).and_then(|text| text.parse().ok());
        let along = |axis: &str, number, unit: Option<String>| match scale(axis) {
            Some(scale) => Step::new(scale, unit),
            None => Step::of_fraction(per_pixel(container, page, number)?, unit),
        };
        let spacing = number("spacing").map(f64::abs);
        let interval = number("finterval").or_else(|| number("fps").map(|rate| 1.0 / rate));
        let seconds = text("tunit").map_or_else(|| "s".to_owned(), unescape);
        let step = |listed: Option<f64>, other: Option<f64>, unit| Step::new(listed.or(other)?, unit);
        Self {
            x: along("X", tag::X_RESOLUTION, unit("xunit", "X")),
            y: along("Y", tag::Y_RESOLUTION, unit("yunit", "Y")),
            z: step(scale("Z"), spacing, unit("zunit", "Z")),
            t: step(None, interval, Some(seconds)),
        }
    }
}

impl Step {
    fn new(size: f64, unit: Option<String>) -> Option<Self> {
        (size.is_finite() && size > 0.0).then_some(Self { size, fraction: None, unit })
    }

    fn of_fraction((above, below): (f64, f64), unit: Option<String>) -> Option<Self> {
        Some(Self { fraction: Some((above, below)), ..Self::new(above / below, unit)? })
    }

    /// The distance between each and the one after so many.
    pub(crate) fn every(self, count: u32) -> Option<Self> {
        let count = f64::from(count);
        let fraction = self.fraction.map(|(above, below)| (above * count, below));
        Some(Self { fraction, ..Self::new(self.size * count, self.unit)? })
    }

    /// A distance in micrometres.
    pub(crate) fn micrometers(size: f64) -> Option<Self> {
        Self::new(size, Some("µm".to_owned()))
    }

    /// The distance as a quantity of a unit that OME has; without unit, or with one that nobody knows, in pixels, so
    /// that the ratio of the sides is kept. Centimetres and inches of the resolution tags become micrometres, as
    /// Bio-Formats has it.
    pub(crate) fn quantity(&self, kind: UnitKind) -> Option<Quantity> {
        let micrometer = Unit::Length(Length::Micrometer);
        let Some(unit) = self.unit.as_deref().map(|unit| canonical(unit.trim())) else {
            return (kind == UnitKind::Length).then(|| Quantity::new(self.size, Unit::Length(Length::Pixel)));
        };
        let found = Unit::parse(kind, &unit).map(|(unit, _)| Quantity::new(self.size, unit));
        let Some(quantity) = found else {
            return (kind == UnitKind::Length).then(|| Quantity::new(self.size, Unit::Length(Length::Pixel)));
        };
        match quantity.unit {
            Unit::Length(Length::Centimeter | Length::Inch) => {
                let (above, below) = self.fraction.unwrap_or((self.size, 1.0));
                let above = Quantity::new(above, quantity.unit).convert(micrometer)?;
                Some(Quantity::new(above / below, micrometer))
            }
            _ => Some(quantity),
        }
    }
}

/// The symbol of a unit that people write out.
fn canonical(unit: &str) -> String {
    let known = match unit.to_lowercase().as_str() {
        "micron" | "microns" | "micrometer" | "micrometers" | "micrometre" | "micrometres" => "µm",
        "nanometer" | "nanometers" | "nanometre" | "nanometres" => "nm",
        "millimeter" | "millimeters" | "millimetre" | "millimetres" => "mm",
        "centimeter" | "centimeters" | "centimetre" | "centimetres" => "cm",
        "meter" | "meters" | "metre" | "metres" => "m",
        "inch" | "inches" => "in",
        "angstrom" | "angstroms" => "Å",
        "pixels" | "px" => "pixel",
        "sec" | "secs" | "second" | "seconds" => "s",
        "msec" | "millisecond" | "milliseconds" => "ms",
        "usec" | "µsec" | "microsecond" | "microseconds" => "µs",
        "minute" | "minutes" => "min",
        "hr" | "hour" | "hours" => "h",
        _ => return unit.to_owned(),
    };
    known.to_owned()
}

fn number(container: &Container, page: PageId, number: u16) -> Option<u64> {
    let bytes = container.value(page, number, 8).ok()??;
    form(container).uint(&bytes)
}

/// The size of a pixel, the inverse of a resolution, as a fraction.
fn per_pixel(container: &Container, page: PageId, number: u16) -> Option<(f64, f64)> {
    let bytes = container.value(page, number, 8).ok()??;
    let (above, below) = bytes.split_at_checked(4)?;
    let (above, below) = (form(container).uint(above)?, form(container).uint(below)?);
    (above > 0 && below > 0).then_some((below as f64, above as f64))
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
        let symbol = |unit: &str| {
            let step = Step::new(2.0, Some(unit.to_owned())).unwrap();
            let found = step.quantity(UnitKind::Length).unwrap();
            (found.value, found.unit.symbol())
        };
        for unit in ["micron", "um", "µm", "\u{3bc}m", "Microns"] {
            assert_eq!(symbol(unit), (2.0, "µm"), "{unit}");
        }
        assert_eq!(symbol("cm"), (20_000.0, "µm"));
        assert_eq!(symbol("inch"), (50_800.0, "µm"));
        assert_eq!(symbol("nm"), (2.0, "nm"));
        assert_eq!(symbol("furlong"), (2.0, "pixel"));
    }
}
