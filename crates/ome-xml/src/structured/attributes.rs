//! Attributes as JSON scalars, and their texts again.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use crate::error::Error;
use crate::text::is_name;
use crate::tree::{Attr, Element};

/// Adds the attributes of an element to its object.
pub(super) fn read(element: &Element<'_>, object: &mut Map<String, Value>) {
    let mut digits = Map::new();
    let children: HashSet<&str> =
        if element.attrs.is_empty() { HashSet::new() } else { element.elements().map(key).collect() };
    for attr in &element.attrs {
        let (value, exact) = scalar(element.foreign, attr);
        if !exact {
            digits.insert(attr.name.to_string(), attr.value.as_ref().into());
        }
        // A child of the same name has the name.
        let name =
            if children.contains(&*attr.name) { format!("@{}", attr.name) } else { attr.name.to_string() };
        object.insert(name, value);
    }
    if !digits.is_empty() {
        object.insert("#digits".into(), Value::Object(digits));
    }
}

/// OME elements go by name, others by prefixed name.
pub(super) fn key<'e>(element: &'e Element<'_>) -> &'e str {
    if element.foreign { &element.name } else { element.name() }
}

/// The value of an attribute, and whether its text can be had from it.
fn scalar(foreign: bool, attr: &Attr<'_>) -> (Value, bool) {
    let text = attr.value.as_ref();
    let name = attr.name.as_ref();
    if foreign {
        return (text.into(), true);
    }
    if BOOLEANS.binary_search(&name).is_ok() {
        return match text {
            "true" | "false" => (Value::Bool(text == "true"), true),
            "1" | "0" => (Value::Bool(text == "1"), false),
            _ => (text.into(), true),
        };
    }
    if NUMBERS.binary_search(&name).is_err() {
        return (text.into(), true);
    }
    let number = match text.parse::<i64>() {
        Ok(integer) => Some(Number::from(integer)),
        Err(_) if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) => {
            text.parse().ok().and_then(Number::from_f64)
        }
        Err(_) => None,
    };
    match number {
        None => (text.into(), true),
        Some(number) => {
            let exact = number_text(&number) == text;
            (Value::Number(number), exact)
        }
    }
}

/// The digits that a JSON number stands for.
fn number_text(number: &Number) -> String {
    match (number.is_f64(), number.as_f64()) {
        (true, Some(value)) if value.fract() == 0.0 && value.abs() < 1e16 => format!("{value:.1}"),
        (true, Some(value)) => value.to_string(),
        _ => number.to_string(),
    }
}

/// Writes the attributes of an object into a start tag.
///
/// # Errors
///
/// [`Error::Json`] where a member is no attribute.
pub(super) fn write(object: &Map<String, Value>, path: &str, out: &mut String) -> Result<(), Error> {
    let digits = object.get("#digits").and_then(Value::as_object);
    for (key, value) in object {
        if key.starts_with('#') {
            continue;
        }
        let name = key.strip_prefix('@').unwrap_or(key);
        let text = match (digits.and_then(|d| d.get(name)), value) {
            (_, Value::Array(_) | Value::Object(_)) => continue,
            (Some(Value::String(text)), _) | (None, Value::String(text)) => Cow::Borrowed(text.as_str()),
            (None, Value::Number(number)) => Cow::Owned(number_text(number)),
            (None, Value::Bool(value)) => Cow::Borrowed(if *value { "true" } else { "false" }),
            _ => return Err(Error::json(path, &format!("`{key}` has no value"))),
        };
        if !is_name(name) {
            return Err(Error::json(path, &format!("`{name}` is not a name")));
        }
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        crate::text::escape_attribute(&text, out);
        out.push('"');
    }
    Ok(())
}

/// Attributes of 2016-06 whose type is boolean, sorted.
const BOOLEANS: [&str; 7] =
    ["BigEndian", "Interleaved", "Iris", "Locked", "PockelCell", "Tuneable", "Visible"];

/// Attributes of 2016-06 whose type is a number, sorted.
#[rustfmt::skip]
const NUMBERS: [&str; 88] = [
    "A00", "A01", "A02", "A10", "A11", "A12", "AirPressure", "AmplificationGain", "Attenuation",
    "CO2Percent", "CalibratedMagnification", "Color", "Column", "Columns", "CorrectionCollar", "CutIn",
    "CutInTolerance", "CutOut", "CutOutTolerance", "DeltaT", "EmissionWavelength", "ExcitationWavelength",
    "ExposureTime", "FieldIndex", "FillColor", "FirstC", "FirstT", "FirstZ", "FontSize",
    "FrequencyMultiplication", "Gain", "Height", "Humidity", "IFD", "Index", "Integration", "LensNA",
    "MaximumFieldCount", "NDFilter", "NominalMagnification", "Offset", "PhysicalSizeX", "PhysicalSizeY",
    "PhysicalSizeZ", "PinholeSize", "PlaneCount", "PockelCellSetting", "PositionX", "PositionY",
    "PositionZ", "Power", "RadiusX", "RadiusY", "ReadOutRate", "RefractiveIndex", "RepetitionRate", "Row",
    "Rows", "SamplesPerPixel", "SignificantBits", "Size", "SizeC", "SizeT", "SizeX", "SizeY", "SizeZ",
    "StrokeColor", "StrokeWidth", "Temperature", "TheC", "TheT", "TheZ", "TimeIncrement", "Transmittance",
    "Voltage", "Wavelength", "WellOriginX", "WellOriginY", "Width", "WorkingDistance", "X", "X1", "X2", "Y",
    "Y1", "Y2", "Z", "Zoom",
];
