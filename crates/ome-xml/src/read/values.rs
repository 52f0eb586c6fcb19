//! Values of attributes and children. Nothing here fails: what cannot be read is `None` and a warning.

use crate::error::Warnings;
use crate::tree::Element;
use crate::unit::{Quantity, Unit, UnitKind, default_unit};

impl Element<'_> {
    /// The quantity of an attribute, with the unit that `<name>Unit` or else the schema's default gives it.
    pub fn quantity(&self, name: &str) -> Option<Quantity> {
        read_quantity(self, name).ok().flatten()
    }
}

pub(super) fn physical_size(element: &Element<'_>, name: &str, warnings: &mut Warnings) -> Option<Quantity> {
    let quantity = quantity(element, name, warnings)?;
    if quantity.value > 0.0 && quantity.value.is_finite() {
        return Some(quantity);
    }
    warnings.at(
        element.span.start,
        format!("{} {name} `{}` is not a size; read as unknown", element.name(), quantity.text),
    );
    None
}

pub(super) fn quantity(element: &Element<'_>, name: &str, warnings: &mut Warnings) -> Option<Quantity> {
    match read_quantity(element, name) {
        Ok(quantity) => {
            if let Some(q) = &quantity
                && let Some(unit) = element.attr(&format!("{name}Unit"))
                && unit != q.unit.symbol()
            {
                warnings.at(
                    element.span.start,
                    format!("{} {name}Unit `{unit}` read as `{}`", element.name(), q.unit),
                );
            }
            quantity
        }
        Err(reason) => {
            warnings.at(element.span.start, format!("{} {reason}", element.name()));
            None
        }
    }
}

pub(super) fn read_quantity(element: &Element<'_>, name: &str) -> Result<Option<Quantity>, String> {
    let (Some(text), Some(default)) = (element.attr(name), default_unit(element.name(), name)) else {
        return Ok(None);
    };
    let value = float(text).ok_or_else(|| format!("{name} `{text}` is not a number"))?;
    let (unit, unit_explicit) = match element.attr(&format!("{name}Unit")) {
        None => (default, false),
        Some(symbol) => {
            let kind: UnitKind = default.kind();
            let unit = Unit::parse(kind, symbol).ok_or_else(|| {
                format!("{name}Unit `{symbol}` is not a unit of the schema; {name} `{text}` not read")
            })?;
            (unit.0, true)
        }
    };
    Ok(Some(Quantity { value, text: text.to_owned(), unit, unit_explicit }))
}

pub(super) fn number<T: std::str::FromStr>(
    element: &Element<'_>,
    name: &str,
    warnings: &mut Warnings,
) -> Option<T> {
    let raw = element.attr(name)?;
    let trimmed = raw.trim();
    let value = trimmed.strip_prefix('+').unwrap_or(trimmed).parse().ok();
    if value.is_none() {
        warnings
            .at(element.span.start, format!("{} {name} `{raw}` is not a number of its type", element.name()));
    }
    value
}

pub(super) fn boolean(element: &Element<'_>, name: &str, warnings: &mut Warnings) -> Option<bool> {
    let raw = element.attr(name)?;
    match raw.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        other if other.eq_ignore_ascii_case("true") => Some(true),
        other if other.eq_ignore_ascii_case("false") => Some(false),
        _ => {
            warnings.at(
                element.span.start,
                format!("{} {name} `{raw}` is neither true nor false", element.name()),
            );
            None
        }
    }
}

/// Signed in the schema; some writers give the same bits unsigned.
pub(super) fn color(element: &Element<'_>, name: &str, warnings: &mut Warnings) -> Option<i32> {
    let value: i64 = number(element, name, warnings)?;
    let color = i32::try_from(value).ok().or_else(|| u32::try_from(value).ok().map(u32::cast_signed));
    if color.is_none() || value > i64::from(i32::MAX) {
        let read = color.map_or("not read".into(), |c| format!("read as {c}"));
        warnings.at(
            element.span.start,
            format!("{} {name} `{value}` is beyond 32 signed bits; {read}", element.name()),
        );
    }
    color
}

/// xsd:float and xsd:double.
pub(super) fn float(text: &str) -> Option<f64> {
    match text.trim() {
        "INF" | "+INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        number => {
            let starts_right =
                number.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
            let rest = number.trim_start_matches(['+', '-']);
            (starts_right && rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
                .then(|| number.parse().ok())?
        }
    }
}

pub(super) fn string(element: &Element<'_>, name: &str) -> Option<String> {
    element.attr(name).map(str::to_owned)
}

pub(super) fn text(element: &Element<'_>, name: &str) -> Option<String> {
    element.child(name).map(|c| c.text().into_owned())
}

pub(super) fn reference(element: &Element<'_>, name: &str) -> Option<String> {
    element.child(name).and_then(|c| string(c, "ID"))
}

pub(super) fn references(element: &Element<'_>, name: &str) -> Vec<String> {
    element.children(name).filter_map(|c| string(c, "ID")).collect()
}
