//! Data types and fill values of Zarr 3.

use serde_json::{Map, Value};

use super::{Judge, has_owner};
use crate::SampleType;

/// What is known of a declared data type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    /// A type of the core.
    Core(SampleType),
    /// `r8`, `r16`, …: so many bytes.
    Raw(u64),
    /// An extension, whose values only it knows.
    Extension,
}

impl Declared {
    /// Whether the order of bytes matters; not known of extensions.
    pub(super) fn is_single_byte(self) -> Option<bool> {
        match self {
            Self::Core(data_type) => Some(data_type.bytes() == 1),
            Self::Raw(_) => Some(true),
            Self::Extension => None,
        }
    }
}

impl Judge {
    pub(super) fn data_type(&mut self, members: &Map<String, Value>) -> Option<Declared> {
        let declared = self.named("", members, "data_type", TYPES)?;
        if let Some(data_type) = SampleType::from_zarr_v3(declared.name) {
            return Some(Declared::Core(data_type));
        }
        if let Some(bits) = declared.name.strip_prefix('r').and_then(|bits| bits.parse::<u64>().ok()) {
            if bits == 0 || bits % 8 != 0 {
                let message = format!("r{bits}, expected a multiple of 8 bits");
                self.must("/data_type", TYPES, message);
                return None;
            }
            return Some(Declared::Raw(bits / 8));
        }
        if !REGISTERED.contains(&declared.name) && !has_owner(declared.name) {
            self.unknown_name("/data_type", TYPES, "data type", &Value::from(declared.name));
            return None;
        }
        Some(Declared::Extension)
    }

    pub(super) fn fill_value(&mut self, data_type: Option<Declared>, value: &Value) {
        let (expected, fits) = match data_type {
            None | Some(Declared::Extension) => return,
            Some(Declared::Raw(bytes)) => (
                "an array of bytes".to_owned(),
                value.as_array().is_some_and(|items| {
                    items.len() as u64 == bytes
                        && items.iter().all(|item| item.as_u64().is_some_and(|byte| byte <= 255))
                }) || value.is_string(),
            ),
            Some(Declared::Core(data_type)) => match data_type {
                SampleType::Bit => ("true or false".into(), value.is_boolean()),
                SampleType::Float16 | SampleType::Float | SampleType::Double => {
                    ("a number, NaN, an infinity, or its bits in hexadecimal".into(), float(value))
                }
                SampleType::ComplexFloat | SampleType::ComplexDouble => (
                    "an array of two numbers".into(),
                    value.as_array().is_some_and(|parts| parts.len() == 2 && parts.iter().all(float)),
                ),
                integer => (format!("an integer that {} can hold", integer.name()), in_range(integer, value)),
            },
        };
        if !fits {
            self.wrong("/fill_value", FILL, value, &expected);
        }
    }
}

fn in_range(data_type: SampleType, value: &Value) -> bool {
    let Some((low, high)) = data_type.range() else { return false };
    // Every 64-bit integer that JSON holds as one is in the range of its own kind.
    match (value.as_i64(), value.as_u64()) {
        (None, None) => false,
        (Some(signed), _) if signed < 0 => signed as f64 >= low,
        (_, Some(unsigned)) if data_type == SampleType::Int64 => i64::try_from(unsigned).is_ok(),
        (_, Some(unsigned)) => unsigned as f64 <= high,
        (Some(signed), None) => signed as f64 <= high,
    }
}

fn float(value: &Value) -> bool {
    let text = |text: &str| {
        matches!(text, "NaN" | "Infinity" | "-Infinity")
            || text
                .strip_prefix("0x")
                .is_some_and(|bits| !bits.is_empty() && bits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    value.is_number() || value.as_str().is_some_and(text)
}

const TYPES: &str = "zarr-v3/data-types";
const FILL: &str = "zarr-v3/fill-value";

/// Data types registered in zarr-extensions, and those that zarr-python writes without a prefix.
const REGISTERED: &[&str] = &[
    "bfloat16",
    "bytes",
    "complex_bfloat16",
    "complex_float16",
    "complex_float32",
    "complex_float64",
    "complex_float4_e2m1fn",
    "complex_float6_e2m3fn",
    "complex_float6_e3m2fn",
    "complex_float8_e3m4",
    "complex_float8_e4m3",
    "complex_float8_e4m3b11fnuz",
    "complex_float8_e4m3fnuz",
    "complex_float8_e5m2",
    "complex_float8_e5m2fnuz",
    "complex_float8_e8m0fnu",
    "fixed_length_utf32",
    "float4_e2m1fn",
    "float6_e2m3fn",
    "float6_e3m2fn",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3b11fnuz",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "int2",
    "int4",
    "null_terminated_bytes",
    "optional",
    "raw_bytes",
    "string",
    "struct",
    "structured",
    "uint2",
    "uint4",
    "variable_length_bytes",
    "variable_length_utf8",
];
