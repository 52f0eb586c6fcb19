//! `.zarray` and `.zgroup`.

use serde_json::{Map, Value};

use super::{Judge, Node};
use crate::SampleType;

impl Judge {
    pub(super) fn v2(&mut self, node: Node, members: &Map<String, Value>) {
        let clause = if node == Node::Array { ARRAYS } else { GROUPS };
        self.member("", members, "zarr_format", clause, "the number 2", |value| {
            (value.as_u64() == Some(2)).then_some(())
        });
        if node == Node::Group {
            return;
        }
        let dimensions = self.shape(members, ARRAYS).map(|shape| shape.len());
        self.chunk_shape("", members, "chunks", ARRAYS, dimensions);
        let dtype = self.dtype(members);
        self.member("", members, "compressor", ARRAYS, "null or an object with an id", compressor);
        match members.get("fill_value") {
            None => self.must("/fill_value", ARRAYS, "missing, expected null or a value of the data type"),
            Some(value) => self.v2_fill_value(dtype, value),
        }
        self.member("", members, "order", ARRAYS, "\"C\" or \"F\"", |value| {
            matches!(value.as_str(), Some("C" | "F")).then_some(())
        });
        self.member("", members, "filters", ARRAYS, "null or an array of objects with an id", |value| {
            match value {
                Value::Null => Some(()),
                Value::Array(filters) => filters.iter().all(has_id).then_some(()),
                _ => None,
            }
        });
        if let Some(separator) = members.get("dimension_separator")
            && !matches!(separator.as_str(), Some("/" | "."))
        {
            self.wrong("/dimension_separator", ARRAYS, separator, "\"/\" or \".\"");
        }
    }

    /// The data type: one of the core's, where it is one.
    fn dtype(&mut self, members: &Map<String, Value>) -> Option<SampleType> {
        let expected = "a NumPy type with its byte order, or a list of named fields";
        let dtype = self.member("", members, "dtype", TYPES, expected, |value| match value {
            Value::String(name) => typestr(name).then_some(Some(name)),
            Value::Array(fields) if !fields.is_empty() && fields.iter().all(Value::is_array) => Some(None),
            _ => None,
        })?;
        SampleType::from_zarr_v2(dtype?)
    }

    fn v2_fill_value(&mut self, dtype: Option<SampleType>, value: &Value) {
        let Some(dtype) = dtype else { return };
        let number_like = matches!(value.as_str(), Some("NaN" | "Infinity" | "-Infinity"));
        let (expected, fits) = match dtype {
            SampleType::Float16 | SampleType::Float | SampleType::Double => {
                ("a number", value.is_number() || number_like)
            }
            SampleType::ComplexFloat | SampleType::ComplexDouble => {
                ("a number or two", value.is_number() || number_like || value.is_string() || value.is_array())
            }
            // Writers of floats as fill values of integers are old and many.
            SampleType::Bit => ("true or false", value.is_boolean() || value.is_number()),
            integer => (
                "an integer that the type can hold",
                value.as_f64().zip(integer.range()).is_some_and(|(value, (low, high))| {
                    value.fract() == 0.0 && value >= low && value <= high
                }),
            ),
        };
        if !fits && !value.is_null() {
            self.wrong("/fill_value", ARRAYS, value, expected);
        }
    }
}

/// The outer option: whether it is one; there is nothing to keep of it.
fn compressor(value: &Value) -> Option<()> {
    (value.is_null() || has_id(value)).then_some(())
}

fn has_id(value: &Value) -> bool {
    value.get("id").is_some_and(Value::is_string)
}

/// Byte order, kind, size: `<u2`, `|b1`, `<M8[ns]`.
fn typestr(name: &str) -> bool {
    let mut characters = name.chars();
    let (Some('<' | '>' | '|'), Some(kind)) = (characters.next(), characters.next()) else { return false };
    let rest = characters.as_str();
    let (size, unit) = rest.split_once('[').map_or((rest, None), |(size, unit)| (size, Some(unit)));
    let Ok(size) = size.parse::<u32>() else { return kind == 'O' && rest.is_empty() };
    match kind {
        'b' => size == 1,
        'i' | 'u' => [1, 2, 4, 8].contains(&size),
        'f' => [2, 4, 8, 12, 16].contains(&size),
        'c' => [8, 16, 24, 32].contains(&size),
        'm' | 'M' => size == 8 && unit.is_none_or(|unit| unit.ends_with(']')),
        'S' | 'U' | 'V' | 'O' => true,
        _ => false,
    }
}

const ARRAYS: &str = "zarr-v2/arrays";
const GROUPS: &str = "zarr-v2/groups";
const TYPES: &str = "zarr-v2/data-types";
