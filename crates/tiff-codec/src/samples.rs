//! From packed rows to little-endian samples: predictors, byte order, samples of odd widths.
//!
//! A packed row is what the byte codecs give: samples of `bits` bits one after the other, the row
//! filled up to a whole byte (TIFF 6.0, section 3, Compression). Prediction runs within a row.

use crate::{ChunkLayout, CodecError, Predictor, SampleFormat};

/// Turns packed rows of one layout into samples.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) packed_len: usize,
    pub(crate) len: usize,
    bits: u16,
    format: SampleFormat,
    samples: usize,
    big_endian: bool,
    predictor: Predictor,
    scratch: Vec<u8>,
}

impl Rows {
    pub(crate) fn new(layout: &ChunkLayout) -> Result<Self, CodecError> {
        Ok(Self {
            packed_len: layout.packed_row_len()?,
            len: layout.row_len()?,
            bits: layout.bits,
            format: layout.format,
            samples: usize::from(layout.samples),
            big_endian: layout.big_endian,
            predictor: layout.predictor,
            scratch: Vec::new(),
        })
    }

    /// Whether a packed row is as long as a decoded one, so that it can be finished in place.
    pub(crate) fn in_place(&self) -> bool {
        matches!(self.bits, 8 | 16 | 32 | 64 | 128)
    }

    /// Undoes prediction and byte order of whole rows. Needs [`in_place`](Self::in_place).
    pub(crate) fn finish(&mut self, rows: &mut [u8]) {
        match self.predictor {
            Predictor::None => self.swap(rows),
            Predictor::Horizontal => {
                for row in rows.chunks_exact_mut(self.len) {
                    match self.bits {
                        8 => add_left::<u8>(row, self.samples, false),
                        16 => add_left::<u16>(row, self.samples, self.big_endian),
                        32 => add_left::<u32>(row, self.samples, self.big_endian),
                        _ => add_left::<u64>(row, self.samples, self.big_endian),
                    }
                }
            }
            Predictor::FloatingPoint => {
                for row in rows.chunks_exact_mut(self.len) {
                    undo_floating_point(row, self.samples, usize::from(self.bits / 8), &mut self.scratch);
                }
            }
        }
    }

    /// Unpacks whole rows of samples that are not 8, 16, 32, 64 or 128 bits wide.
    pub(crate) fn unpack(&mut self, packed: &mut [u8], out: &mut [u8]) {
        let signed = self.format == SampleFormat::Int;
        for (packed, out) in packed.chunks_exact_mut(self.packed_len).zip(out.chunks_exact_mut(self.len)) {
            match (self.bits, self.format) {
                (1, _) if self.predictor == Predictor::None => unpack_bilevel(packed, out, signed),
                (24, SampleFormat::Float) => {
                    let predicted = self.predictor == Predictor::FloatingPoint;
                    if predicted {
                        undo_floating_point(packed, self.samples, 3, &mut self.scratch);
                    }
                    for (three, four) in packed.chunks_exact(3).zip(out.chunks_exact_mut(4)) {
                        let bits = read_24(three, self.big_endian && !predicted);
                        four.copy_from_slice(&widen_float24(bits).to_le_bytes());
                    }
                }
                (bits, _) => {
                    let left = match self.predictor {
                        Predictor::Horizontal => vec![0; self.samples],
                        _ => Vec::new(),
                    };
                    unpack_bits(packed, out, u32::from(bits), signed, left);
                }
            }
        }
    }

    fn swap(&self, rows: &mut [u8]) {
        if !self.big_endian {
            return;
        }
        let parts = match self.format {
            SampleFormat::ComplexInt | SampleFormat::ComplexFloat => 2,
            _ => 1,
        };
        match self.bits / parts {
            16 => rows.as_chunks_mut::<2>().0.iter_mut().for_each(|word| word.reverse()),
            32 => rows.as_chunks_mut::<4>().0.iter_mut().for_each(|word| word.reverse()),
            64 => rows.as_chunks_mut::<8>().0.iter_mut().for_each(|word| word.reverse()),
            _ => {}
        }
    }
}

/// Reverses the bits of every byte: FillOrder 2 to FillOrder 1.
pub(crate) fn reverse_bits(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = byte.reverse_bits();
    }
}

/// An unsigned word of a predicted row.
trait Word: Copy + Default {
    const BYTES: usize;
    fn read(bytes: &[u8], big_endian: bool) -> Self;
    fn write(self, bytes: &mut [u8]);
    fn add(self, other: Self) -> Self;
}

macro_rules! word {
    ($($type:ty),*) => {$(
        impl Word for $type {
            const BYTES: usize = size_of::<$type>();
            #[inline]
            fn read(bytes: &[u8], big_endian: bool) -> Self {
                let mut word = [0; size_of::<$type>()];
                word.copy_from_slice(bytes);
                if big_endian { Self::from_be_bytes(word) } else { Self::from_le_bytes(word) }
            }
            #[inline]
            fn write(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }
            #[inline]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}

word!(u8, u16, u32, u64);

/// Undoes horizontal differencing (TIFF 6.0, section 14) and byte order in one pass.
fn add_left<W: Word>(row: &mut [u8], samples: usize, big_endian: bool) {
    // The usual sample counts keep the pixel on the left in registers.
    match samples {
        1 => add_left_fixed::<W, 1>(row, big_endian),
        2 => add_left_fixed::<W, 2>(row, big_endian),
        3 => add_left_fixed::<W, 3>(row, big_endian),
        4 => add_left_fixed::<W, 4>(row, big_endian),
        _ => {
            let mut left = vec![W::default(); samples];
            for pixel in row.chunks_exact_mut(samples * W::BYTES) {
                add_pixel(&mut left, pixel, big_endian);
            }
        }
    }
}

fn add_left_fixed<W: Word, const SAMPLES: usize>(row: &mut [u8], big_endian: bool) {
    let mut left = [W::default(); SAMPLES];
    for pixel in row.chunks_exact_mut(SAMPLES * W::BYTES) {
        add_pixel(&mut left, pixel, big_endian);
    }
}

#[inline]
fn add_pixel<W: Word>(left: &mut [W], pixel: &mut [u8], big_endian: bool) {
    for (left, sample) in left.iter_mut().zip(pixel.chunks_exact_mut(W::BYTES)) {
        *left = left.add(W::read(sample, big_endian));
        left.write(sample);
    }
}

/// Undoes the floating-point predictor (Adobe Photoshop TIFF Technical Note 3): the row holds
/// the most significant bytes of all samples, then the next ones, as differences of bytes.
fn undo_floating_point(row: &mut [u8], samples: usize, bytes: usize, scratch: &mut Vec<u8>) {
    add_left::<u8>(row, samples, false);
    scratch.clear();
    scratch.extend_from_slice(row);
    let count = row.len() / bytes;
    for (index, plane) in scratch.chunks_exact(count).enumerate() {
        let place = bytes - 1 - index;
        for (sample, byte) in row.chunks_exact_mut(bytes).zip(plane) {
            sample[place] = *byte;
        }
    }
}

fn unpack_bilevel(packed: &[u8], out: &mut [u8], signed: bool) {
    let set = if signed { 0xff } else { 1 };
    for (byte, eight) in packed.iter().zip(out.chunks_mut(8)) {
        for (index, sample) in eight.iter_mut().enumerate() {
            *sample = if byte >> (7 - index) & 1 == 0 { 0 } else { set };
        }
    }
}

/// Samples of 1 to 31 bits, most significant bit first whatever the byte order of the file, as GDAL,
/// ImageMagick and others write them. `left` has a zero for each sample of a pixel if the row holds
/// horizontal differences, which wrap around at the width of a sample, else nothing.
fn unpack_bits(packed: &[u8], out: &mut [u8], bits: u32, signed: bool, mut left: Vec<u32>) {
    let mut bytes = packed.iter();
    let mut window = 0_u64;
    let mut held = 0;
    let mut place = 0;
    let mut next = || {
        while held < bits {
            window = window << 8 | u64::from(bytes.next().copied().unwrap_or(0));
            held += 8;
        }
        held -= bits;
        let mask = u32::MAX >> (32 - bits);
        let mut value = (window >> held) as u32 & mask;
        if let Some(left) = left.get_mut(place) {
            *left = left.wrapping_add(value) & mask;
            value = *left;
        }
        place = if place + 1 < left.len() { place + 1 } else { 0 };
        extend(value, bits, signed)
    };
    match bits {
        0..=8 => out.iter_mut().for_each(|sample| *sample = next() as u8),
        9..=16 => {
            for sample in out.chunks_exact_mut(2) {
                sample.copy_from_slice(&(next() as u16).to_le_bytes());
            }
        }
        _ => {
            for sample in out.chunks_exact_mut(4) {
                sample.copy_from_slice(&next().to_le_bytes());
            }
        }
    }
}

fn extend(value: u32, bits: u32, signed: bool) -> u32 {
    if signed {
        let unused = 32 - bits;
        ((value << unused) as i32 >> unused) as u32
    } else {
        value
    }
}

fn read_24(bytes: &[u8], big_endian: bool) -> u32 {
    match *bytes {
        [high, middle, low] if big_endian => u32::from_be_bytes([0, high, middle, low]),
        [low, middle, high] => u32::from_be_bytes([0, high, middle, low]),
        _ => 0,
    }
}

/// A float of 1 sign, 7 exponent and 16 mantissa bits (Technical Note 3) is exact in 32 bits.
fn widen_float24(bits: u32) -> u32 {
    let sign = (bits & 0x80_0000) << 8;
    let exponent = bits >> 16 & 0x7f;
    let mantissa = bits & 0xffff;
    sign | match (exponent, mantissa) {
        (0, 0) => 0,
        // Subnormal there, normal here: mantissa * 2^(1 - 63 - 16).
        (0, _) => (mantissa as f32 * f32::from_bits((127 - 78) << 23)).to_bits(),
        (0x7f, _) => 0xff << 23 | mantissa << 7,
        _ => (exponent + 127 - 63) << 23 | mantissa << 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float24_is_widened_exactly() {
        let widened = [
            (0x3f_0000, 1.0),
            (0xbf_8000, -1.5),
            (0x00_0000, 0.0),
            (0x80_0000, -0.0),
            (0x7f_0000, f32::INFINITY),
            (0x00_0001, 2f32.powi(-78)),
            (0x00_ffff, 65535.0 * 2f32.powi(-78)),
            (0x01_0000, 2f32.powi(-62)),
        ];
        for (bits, value) in widened {
            assert_eq!(widen_float24(bits), value.to_bits(), "{bits:06x}");
        }
        assert!(f32::from_bits(widen_float24(0x7f_0001)).is_nan());
    }

    #[test]
    fn packed_samples_are_extended_by_their_sign() {
        let mut out = [0; 4];
        unpack_bits(&[0b1111_0111], &mut out[..2], 4, true, Vec::new());
        assert_eq!(out[..2], [0xff, 7]);
        unpack_bits(&[0x80, 0x07, 0xff], &mut out, 12, true, Vec::new());
        assert_eq!(out, [0x00, 0xf8, 0xff, 0x07]);
    }

    #[test]
    fn differences_of_packed_samples_wrap_at_their_width() {
        let mut out = [0; 4];
        // Two pixels of two 4-bit samples: 15, 1, then 15 + 2, 1 + 15.
        unpack_bits(&[0xf1, 0x2f], &mut out, 4, false, vec![0; 2]);
        assert_eq!(out, [15, 1, 1, 0]);
    }
}
