//! How each pyramid level is made from the one before: four samples, two by two in y and x, become one.

use bytemuck::Pod;
use fairzarr_pixel::{Region, SampleType};

use crate::options::Downsample;
use crate::pixels::sample::{Sample, with_sample};

/// Halves `planes` planes of `from` (tight rows of `source`) into their place in `to` (tight rows of `target`).
///
/// Rectangles are in pixels of their own level. A last odd row or column counts twice.
pub(crate) fn halve(
    method: Downsample,
    sample_type: SampleType,
    planes: usize,
    (source, from): (Region, &[u8]),
    (target, to): (Region, &mut [u8]),
) {
    with_sample!(sample_type, T => {
        let from: &[T] = bytemuck::cast_slice(from);
        let to: &mut [T] = bytemuck::cast_slice_mut(to);
        let pieces = (planes, source, from, target, to);
        // Each method has loops of its own, which the compiler turns into vector instructions.
        match method {
            Downsample::Mean => halve_planes(pieces, T::mean),
            Downsample::Nearest => halve_planes(pieces, |first, _, _, _| first),
            Downsample::Mode => halve_planes(pieces, most_frequent),
            Downsample::Max => halve_planes(pieces, largest),
        }
    });
}

/// Planes, where they lie and their samples; where these go, and the samples there.
type Pieces<'a, T> = (usize, Region, &'a [T], Region, &'a mut [T]);

fn halve_planes<T: Sample>((planes, source, from, target, to): Pieces<'_, T>, of: impl Fn(T, T, T, T) -> T) {
    let (top, left) = ((source.y / 2 - target.y) as usize, (source.x / 2 - target.x) as usize);
    let width = source.w as usize;
    for plane in 0..planes {
        let from = &from[plane * source.area()..][..source.area()];
        let to = &mut to[plane * target.area()..][..target.area()];
        for row in 0..source.h.div_ceil(2) as usize {
            let upper = &from[2 * row * width..][..width];
            let lower =
                if 2 * row + 1 < source.h as usize { &from[(2 * row + 1) * width..][..width] } else { upper };
            let out = &mut to[(top + row) * target.w as usize + left..][..width.div_ceil(2)];
            halve_rows(upper, lower, out, &of);
        }
    }
}

/// Whole pairs in a loop that the compiler turns into vector instructions; then the odd last column.
fn halve_rows<T: Sample>(upper: &[T], lower: &[T], out: &mut [T], of: impl Fn(T, T, T, T) -> T) {
    let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
    for (out, (upper, lower)) in out.iter_mut().zip(pairs) {
        *out = of(upper[0], upper[1], lower[0], lower[1]);
    }
    if upper.len() % 2 == 1
        && let (Some(out), Some(&a), Some(&b)) = (out.last_mut(), upper.last(), lower.last())
    {
        *out = of(a, a, b, b);
    }
}

/// The one of equal bytes that there are most of; of several, the first.
fn most_frequent<T: Pod>(a: T, b: T, c: T, d: T) -> T {
    let same = |x: &T, y: &T| bytemuck::bytes_of(x) == bytemuck::bytes_of(y);
    if same(&a, &b) || same(&a, &c) || same(&a, &d) {
        // Two of the others can be equal to each other as well, but come later, unless all three are.
        return if same(&b, &c) && same(&c, &d) { b } else { a };
    }
    if same(&b, &c) || same(&b, &d) {
        return b;
    }
    if same(&c, &d) { c } else { a }
}

/// The largest; what is not a number is passed over.
fn largest<T: PartialOrd>(a: T, b: T, c: T, d: T) -> T {
    let larger = |a: T, b: T| if b > a || a.partial_cmp(&a).is_none() { b } else { a };
    larger(larger(a, b), larger(c, d))
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // exact by design
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The plain statement of what `halve` computes, for unsigned 16-bit samples.
    fn reference(source: &[u16], h: usize, w: usize) -> Vec<u16> {
        let mut out = Vec::new();
        for y in 0..h.div_ceil(2) {
            for x in 0..w.div_ceil(2) {
                let at = |dy: usize, dx: usize| {
                    source[(2 * y + dy).min(h - 1) * w + (2 * x + dx).min(w - 1)] as f64
                };
                let mean = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4.0;
                out.push((mean + 0.5).floor() as u16);
            }
        }
        out
    }

    proptest! {
        #[test]
        fn equals_the_reference(h in 1usize..40, w in 1usize..40, seed in any::<u64>()) {
            let mut state = seed | 1;
            let source: Vec<u16> = (0..h * w).map(|_| {
                state ^= state << 13; state ^= state >> 7; state ^= state << 17;
                state as u16
            }).collect();
            let from = Region { y: 0, x: 0, h: h as u32, w: w as u32 };
            let to = Region { y: 0, x: 0, h: from.h.div_ceil(2), w: from.w.div_ceil(2) };
            let mut out = vec![0u16; to.area()];
            let from = (from, bytemuck::cast_slice(&source));
            halve(Downsample::Mean, SampleType::Uint16, 1, from, (to, bytemuck::cast_slice_mut(&mut out)));
            prop_assert_eq!(out, reference(&source, h, w));
        }
    }

    #[test]
    fn signed_means_round_half_up_and_floats_do_not_overflow() {
        assert_eq!(i8::mean(-1, -1, -1, 0), -1);
        assert_eq!(i16::mean(-3, -3, -2, -2), -2);
        assert_eq!(i32::mean(i32::MAX, i32::MAX, i32::MAX, i32::MAX), i32::MAX);
        assert_eq!(u32::mean(u32::MAX, u32::MAX, u32::MAX, u32::MAX), u32::MAX);
        assert_eq!(f32::mean(f32::MAX, f32::MAX, f32::MAX, f32::MAX), f32::MAX);
        assert_eq!(f64::mean(f64::MAX, f64::MAX, f64::MAX, f64::MAX), f64::MAX);
    }

    #[test]
    fn a_block_lands_in_its_quadrant() {
        let source = Region { y: 4, x: 2, h: 2, w: 2 };
        let target = Region { y: 0, x: 0, h: 4, w: 3 };
        let mut out = [0u8; 12];
        halve(Downsample::Mean, SampleType::Uint8, 1, (source, &[1, 2, 3, 4]), (target, &mut out));
        assert_eq!(out, [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]);
    }

    /// What four samples become.
    fn of<T: Pod>(method: Downsample, sample_type: SampleType, four: [T; 4]) -> T {
        let source = Region { y: 0, x: 0, h: 2, w: 2 };
        let target = Region { y: 0, x: 0, h: 1, w: 1 };
        let mut out = [four[3]];
        let from = (source, bytemuck::cast_slice(&four));
        halve(method, sample_type, 1, from, (target, bytemuck::cast_slice_mut(&mut out)));
        out[0]
    }

    #[test]
    fn nearest_is_the_first_mode_the_most_frequent_max_the_largest() {
        let bytes = |method, four: [u8; 4]| of(method, SampleType::Uint8, four);
        assert_eq!(bytes(Downsample::Nearest, [3, 9, 1, 0]), 3);
        assert_eq!(bytes(Downsample::Max, [3, 9, 1, 0]), 9);
        for (four, expected) in [
            ([1, 2, 3, 4], 1),
            ([1, 2, 2, 4], 2),
            ([1, 2, 3, 2], 2),
            ([1, 2, 3, 3], 3),
            ([1, 1, 2, 2], 1),
            ([1, 2, 2, 1], 1),
            ([1, 2, 2, 2], 2),
            ([2, 1, 2, 2], 2),
            ([1, 2, 1, 3], 1),
            ([5, 5, 5, 5], 5),
        ] {
            assert_eq!(bytes(Downsample::Mode, four), expected, "{four:?}");
        }
    }

    #[test]
    fn the_largest_is_a_number_where_there_is_one() {
        let floats = |four| of(Downsample::Max, SampleType::Float, four);
        let nan = f32::NAN;
        assert_eq!(floats([nan, -1.0, nan, -2.0]), -1.0);
        assert_eq!(floats([nan, nan, nan, -2.0]), -2.0);
        assert!(floats([nan; 4]).is_nan());
    }
}
