//! What one sample is, and what each format calls it.

use std::fmt;

/// What one sample of an image is: the types of the OME model, and those that TIFF and Zarr have besides.
///
/// Whoever decides something by the type decides it for every type, so this enum may be matched without a last arm
/// for the rest. A further type would be a breaking change, and is meant to be one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SampleType {
    /// One bit; one byte in memory and in Zarr, 0 or 1.
    Bit,
    /// Two's complement, 8 bits.
    Int8,
    /// Unsigned, 8 bits.
    Uint8,
    /// Two's complement, 16 bits.
    Int16,
    /// Unsigned, 16 bits.
    Uint16,
    /// Two's complement, 32 bits.
    Int32,
    /// Unsigned, 32 bits.
    Uint32,
    /// Two's complement, 64 bits; not in the OME model.
    Int64,
    /// Unsigned, 64 bits; not in the OME model.
    Uint64,
    /// IEEE 754 binary16; not in the OME model.
    Float16,
    /// IEEE 754 binary32.
    Float,
    /// IEEE 754 binary64.
    Double,
    /// Two binary32 numbers, real part first.
    ComplexFloat,
    /// Two binary64 numbers, real part first.
    ComplexDouble,
}

impl SampleType {
    /// Every type.
    pub const ALL: [Self; 14] = [
        Self::Bit,
        Self::Int8,
        Self::Uint8,
        Self::Int16,
        Self::Uint16,
        Self::Int32,
        Self::Uint32,
        Self::Int64,
        Self::Uint64,
        Self::Float16,
        Self::Float,
        Self::Double,
        Self::ComplexFloat,
        Self::ComplexDouble,
    ];

    /// Bytes of one sample in memory.
    pub fn bytes(self) -> usize {
        match self {
            Self::Bit | Self::Int8 | Self::Uint8 => 1,
            Self::Int16 | Self::Uint16 | Self::Float16 => 2,
            Self::Int32 | Self::Uint32 | Self::Float => 4,
            Self::Int64 | Self::Uint64 | Self::Double | Self::ComplexFloat => 8,
            Self::ComplexDouble => 16,
        }
    }

    /// Bytes of one number, of which a complex sample has two: what byte order applies to.
    pub fn number_bytes(self) -> usize {
        if self.is_complex() { self.bytes() / 2 } else { self.bytes() }
    }

    /// The name in the OME model; for types outside of it one in the same style.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bit => "bit",
            Self::Int8 => "int8",
            Self::Uint8 => "uint8",
            Self::Int16 => "int16",
            Self::Uint16 => "uint16",
            Self::Int32 => "int32",
            Self::Uint32 => "uint32",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Float16 => "half",
            Self::Float => "float",
            Self::Double => "double",
            Self::ComplexFloat => "complex",
            Self::ComplexDouble => "double-complex",
        }
    }

    /// The `data_type` of a Zarr v3 array of such samples.
    pub fn zarr_v3(self) -> &'static str {
        match self {
            Self::Bit => "bool",
            Self::Int8 => "int8",
            Self::Uint8 => "uint8",
            Self::Int16 => "int16",
            Self::Uint16 => "uint16",
            Self::Int32 => "int32",
            Self::Uint32 => "uint32",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Float16 => "float16",
            Self::Float => "float32",
            Self::Double => "float64",
            Self::ComplexFloat => "complex64",
            Self::ComplexDouble => "complex128",
        }
    }

    /// The `dtype` of a Zarr v2 array of such samples in little-endian order.
    pub fn zarr_v2(self) -> &'static str {
        match self {
            Self::Bit => "|b1",
            Self::Int8 => "|i1",
            Self::Uint8 => "|u1",
            Self::Int16 => "<i2",
            Self::Uint16 => "<u2",
            Self::Int32 => "<i4",
            Self::Uint32 => "<u4",
            Self::Int64 => "<i8",
            Self::Uint64 => "<u8",
            Self::Float16 => "<f2",
            Self::Float => "<f4",
            Self::Double => "<f8",
            Self::ComplexFloat => "<c8",
            Self::ComplexDouble => "<c16",
        }
    }

    /// The type with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sample_type| sample_type.name() == name)
    }

    /// The type with this Zarr v3 `data_type`.
    pub fn from_zarr_v3(data_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sample_type| sample_type.zarr_v3() == data_type)
    }

    /// The type with this Zarr v2 `dtype`, in either byte order.
    pub fn from_zarr_v2(dtype: &str) -> Option<Self> {
        let dtype = dtype.strip_prefix(['<', '>', '|'])?;
        Self::ALL.into_iter().find(|sample_type| &sample_type.zarr_v2()[1..] == dtype)
    }

    /// The lowest and highest value of an integer type and of bits; `None` for floating point and complex types.
    pub fn range(self) -> Option<(f64, f64)> {
        let bits = 8 * self.bytes() as i32;
        match self {
            Self::Bit => Some((0.0, 1.0)),
            Self::Uint8 | Self::Uint16 | Self::Uint32 | Self::Uint64 => Some((0.0, 2f64.powi(bits) - 1.0)),
            Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64 => {
                Some((-(2f64.powi(bits - 1)), 2f64.powi(bits - 1) - 1.0))
            }
            Self::Float16 | Self::Float | Self::Double | Self::ComplexFloat | Self::ComplexDouble => None,
        }
    }

    /// Whether samples are whole numbers of more than one bit.
    pub fn is_integer(self) -> bool {
        self != Self::Bit && self.range().is_some()
    }

    /// Whether a sample is two numbers.
    pub fn is_complex(self) -> bool {
        matches!(self, Self::ComplexFloat | Self::ComplexDouble)
    }
}

impl fmt::Display for SampleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for SampleType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for SampleType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::from_name(&name)
            .ok_or_else(|| serde::de::Error::custom(format_args!("there is no sample type {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_each_of_its_names() {
        for sample_type in SampleType::ALL {
            assert_eq!(SampleType::from_name(sample_type.name()), Some(sample_type));
            assert_eq!(SampleType::from_zarr_v3(sample_type.zarr_v3()), Some(sample_type));
            assert_eq!(SampleType::from_zarr_v2(sample_type.zarr_v2()), Some(sample_type));
            let turned = sample_type.zarr_v2().replace('<', ">");
            assert_eq!(SampleType::from_zarr_v2(&turned), Some(sample_type));
        }
        assert_eq!(SampleType::from_zarr_v2("u2"), None);
    }

    #[test]
    fn ranges_are_those_of_whole_numbers() {
        assert_eq!(SampleType::Int16.range(), Some((-32768.0, 32767.0)));
        assert_eq!(SampleType::Uint32.range(), Some((0.0, 4_294_967_295.0)));
        assert_eq!(SampleType::Float16.range(), None);
        assert!(SampleType::Uint64.is_integer() && !SampleType::Bit.is_integer());
    }

    #[test]
    fn byte_order_applies_to_the_numbers_of_complex_samples() {
        assert_eq!(SampleType::ComplexDouble.number_bytes(), 8);
        assert_eq!(SampleType::Uint32.number_bytes(), 4);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn documents_hold_the_name() {
        let text = serde_json::to_string(&SampleType::Float16).unwrap();
        assert_eq!(text, "\"half\"");
        assert_eq!(serde_json::from_str::<SampleType>(&text).unwrap(), SampleType::Float16);
        assert!(serde_json::from_str::<SampleType>("\"quarter\"").is_err());
    }
}
