//! Types of samples, by their names in Zarr 2 and 3.

/// Type of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataType {
    /// One byte, 0 or 1.
    Bool,
    /// Unsigned 8-bit integer.
    U8,
    /// Unsigned 16-bit integer.
    U16,
    /// Unsigned 32-bit integer.
    U32,
    /// Unsigned 64-bit integer.
    U64,
    /// Signed 8-bit integer.
    I8,
    /// Signed 16-bit integer.
    I16,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// Half precision.
    F16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// Two single precision numbers.
    C64,
    /// Two double precision numbers.
    C128,
}

impl DataType {
    /// The type's name in Zarr 3.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::F16 => "float16",
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::C64 => "complex64",
            Self::C128 => "complex128",
        }
    }

    /// The type's `dtype` in Zarr 2, little-endian.
    pub fn v2_name(self) -> &'static str {
        match self {
            Self::Bool => "|b1",
            Self::U8 => "|u1",
            Self::U16 => "<u2",
            Self::U32 => "<u4",
            Self::U64 => "<u8",
            Self::I8 => "|i1",
            Self::I16 => "<i2",
            Self::I32 => "<i4",
            Self::I64 => "<i8",
            Self::F16 => "<f2",
            Self::F32 => "<f4",
            Self::F64 => "<f8",
            Self::C64 => "<c8",
            Self::C128 => "<c16",
        }
    }

    /// The type with this Zarr 3 name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|data_type| data_type.name() == name)
    }

    /// The type with this Zarr 2 `dtype`, in either byte order.
    pub fn from_v2_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix(['<', '>', '|'])?;
        Self::ALL.into_iter().find(|data_type| &data_type.v2_name()[1..] == name)
    }

    /// Bytes per sample.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 | Self::C64 => 8,
            Self::C128 => 16,
        }
    }

    /// The lowest and highest value of an integer type; `None` for floating point and complex types.
    pub fn range(self) -> Option<(f64, f64)> {
        let signed = |bits: i32| (-(2f64.powi(bits - 1)), 2f64.powi(bits - 1) - 1.0);
        match self {
            Self::Bool => Some((0.0, 1.0)),
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => {
                Some((0.0, 2f64.powi(8 * self.size() as i32) - 1.0))
            }
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => Some(signed(8 * self.size() as i32)),
            Self::F16 | Self::F32 | Self::F64 | Self::C64 | Self::C128 => None,
        }
    }

    const ALL: [Self; 14] = [
        Self::Bool,
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::F16,
        Self::F32,
        Self::F64,
        Self::C64,
        Self::C128,
    ];
}
