//! The value of samples that are not stored.

use serde_json::{Number, Value, json};

use crate::{Error, SampleType};

/// The value of samples that are not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FillValue {
    /// A number; of complex types the real part.
    Number(Number),
    /// Not a number, of floating point types.
    Nan,
}

impl FillValue {
    /// The value as documents of both formats write it.
    pub(crate) fn to_json(&self, data_type: SampleType) -> Result<Value, Error> {
        let value = match self {
            Self::Number(value) => value,
            Self::Nan
                if matches!(data_type, SampleType::Float16 | SampleType::Float | SampleType::Double) =>
            {
                return Ok("NaN".into());
            }
            Self::Nan => {
                return Err(Error::FillValue { found: "NaN".into(), data_type: data_type.zarr_v3() });
            }
        };
        let in_range = |low: i64, high: u64| {
            value.as_i64().is_some_and(|v| v >= low && (v < 0 || v as u64 <= high))
                || value.as_u64().is_some_and(|v| v <= high)
        };
        let fits = match data_type {
            SampleType::Bit => in_range(0, 1),
            SampleType::Uint8 => in_range(0, u8::MAX.into()),
            SampleType::Uint16 => in_range(0, u16::MAX.into()),
            SampleType::Uint32 => in_range(0, u32::MAX.into()),
            SampleType::Uint64 => in_range(0, u64::MAX),
            SampleType::Int8 => in_range(i8::MIN.into(), i8::MAX as u64),
            SampleType::Int16 => in_range(i16::MIN.into(), i16::MAX as u64),
            SampleType::Int32 => in_range(i32::MIN.into(), i32::MAX as u64),
            SampleType::Int64 => in_range(i64::MIN, i64::MAX as u64),
            SampleType::Float16
            | SampleType::Float
            | SampleType::Double
            | SampleType::ComplexFloat
            | SampleType::ComplexDouble => value.as_f64().is_some(),
        };
        if !fits {
            return Err(Error::FillValue { found: value.to_string(), data_type: data_type.zarr_v3() });
        }
        Ok(match data_type {
            SampleType::Bit => json!(value.as_u64() == Some(1)),
            SampleType::Float16 | SampleType::Float | SampleType::Double => json!(value.as_f64()),
            SampleType::ComplexFloat | SampleType::ComplexDouble => json!([value.as_f64(), 0.0]),
            _ => Value::Number(value.clone()),
        })
    }
}

impl From<i32> for FillValue {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<Number> for FillValue {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}
