//! Sample types as the pixel loops see them: a dispatch from the sample type to a Rust type, and buffers
//! aligned for all of them.

use bytemuck::Pod;
use half::f16;

#[cfg(target_endian = "big")]
compile_error!("pixel buffers are little-endian; big-endian hosts are not supported");

/// Bytes that may be viewed as samples of any type.
#[derive(Debug, Default)]
pub(crate) struct SampleBuffer {
    words: Vec<u64>,
    len: usize,
}

impl SampleBuffer {
    /// Makes the buffer `len` bytes long; what was in it before is left as it is, because the caller
    /// overwrites all of it.
    pub(crate) fn resize(&mut self, len: usize) {
        let words = len.div_ceil(8);
        if words > self.words.len() {
            self.words.resize(words, 0);
        }
        self.len = len;
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }
}

/// A sample type: its mean, and its value as a number for statistics.
pub(crate) trait Sample: Pod + PartialOrd {
    /// Mean of four, rounded half up for integers, in a fixed order of operations for floats.
    fn mean(a: Self, b: Self, c: Self, d: Self) -> Self;
    /// The value as a number; a complex sample's magnitude.
    fn value(self) -> f64;
    /// The value at which a detector saturates that fills so many bits of an integer type; `None` for other types.
    fn top(significant_bits: Option<u32>) -> Option<Self>;
    /// Whether samples are whole numbers of at most 16 bits.
    const SMALL: bool = false;
    /// The value where samples are small.
    fn whole(self) -> i32 {
        0
    }
    /// Whether values are few enough to be counted one by one: 0 to 65,535 at most.
    const COUNTABLE: bool = false;
    /// The value where values are countable.
    fn place(self) -> u16 {
        0
    }
}

macro_rules! integer {
    ($($type:ty, $wide:ty);*) => {$(
        impl Sample for $type {
            #[inline]
            fn mean(a: Self, b: Self, c: Self, d: Self) -> Self {
                ((a as $wide + b as $wide + c as $wide + d as $wide + 2) >> 2) as $type
            }
            fn value(self) -> f64 {
                self as f64
            }
            fn top(significant_bits: Option<u32>) -> Option<Self> {
                let unsigned = <$type>::MIN == 0;
                // One bit is a mask, which does not saturate.
                let bits = significant_bits.filter(|bits| unsigned && (2..<$type>::BITS).contains(bits));
                Some(bits.map_or(<$type>::MAX, |bits| <$type>::MAX >> (<$type>::BITS - bits)))
            }
            const SMALL: bool = <$type>::BITS <= 16;
            fn whole(self) -> i32 {
                self as i32
            }
            const COUNTABLE: bool = <$type>::MIN == 0 && <$type>::BITS <= 16;
            fn place(self) -> u16 {
                self as u16
            }
        }
    )*};
}
integer!(u8, u16; i8, i16; u16, u32; i16, i32; u32, u64; i32, i64; u64, u128; i64, i128);

impl Sample for f64 {
    #[inline]
    fn mean(a: Self, b: Self, c: Self, d: Self) -> Self {
        // Quarters first: the sum of four large values must not become infinite.
        (a * 0.25 + b * 0.25) + (c * 0.25 + d * 0.25)
    }
    fn value(self) -> f64 {
        self
    }
    fn top(_: Option<u32>) -> Option<Self> {
        None
    }
}

impl Sample for f32 {
    #[inline]
    fn mean(a: Self, b: Self, c: Self, d: Self) -> Self {
        (((a as f64 + b as f64) + (c as f64 + d as f64)) * 0.25) as f32
    }
    fn value(self) -> f64 {
        self as f64
    }
    fn top(_: Option<u32>) -> Option<Self> {
        None
    }
}

impl Sample for f16 {
    #[inline]
    fn mean(a: Self, b: Self, c: Self, d: Self) -> Self {
        f16::from_f32(((a.to_f32() + b.to_f32()) + (c.to_f32() + d.to_f32())) * 0.25)
    }
    fn value(self) -> f64 {
        self.to_f64()
    }
    fn top(_: Option<u32>) -> Option<Self> {
        None
    }
}

impl Sample for [f32; 2] {
    #[inline]
    fn mean(a: Self, b: Self, c: Self, d: Self) -> Self {
        [f32::mean(a[0], b[0], c[0], d[0]), f32::mean(a[1], b[1], c[1], d[1])]
    }
    fn value(self) -> f64 {
        f64::hypot(self[0] as f64, self[1] as f64)
    }
    fn top(_: Option<u32>) -> Option<Self> {
        None
    }
}

impl Sample for [f64; 2] {
    #[inline]
    fn mean(a: Self, b: Self, c: Self, d: Self) -> Self {
        [f64::mean(a[0], b[0], c[0], d[0]), f64::mean(a[1], b[1], c[1], d[1])]
    }
    fn value(self) -> f64 {
        f64::hypot(self[0], self[1])
    }
    fn top(_: Option<u32>) -> Option<Self> {
        None
    }
}

/// Runs a generic function with the Rust type of a [`SampleType`](fairzarr_pixel::SampleType).
macro_rules! with_sample {
    ($sample_type:expr, $type:ident => $body:expr) => {{
        use fairzarr_pixel::SampleType;
        match $sample_type {
            SampleType::Bit | SampleType::Uint8 => {
                type $type = u8;
                $body
            }
            SampleType::Int8 => {
                type $type = i8;
                $body
            }
            SampleType::Uint16 => {
                type $type = u16;
                $body
            }
            SampleType::Int16 => {
                type $type = i16;
                $body
            }
            SampleType::Uint32 => {
                type $type = u32;
                $body
            }
            SampleType::Int32 => {
                type $type = i32;
                $body
            }
            SampleType::Uint64 => {
                type $type = u64;
                $body
            }
            SampleType::Int64 => {
                type $type = i64;
                $body
            }
            SampleType::Float16 => {
                type $type = half::f16;
                $body
            }
            SampleType::Float => {
                type $type = f32;
                $body
            }
            SampleType::Double => {
                type $type = f64;
                $body
            }
            SampleType::ComplexFloat => {
                type $type = [f32; 2];
                $body
            }
            SampleType::ComplexDouble => {
                type $type = [f64; 2];
                $body
            }
        }
    }};
}
pub(crate) use with_sample;
