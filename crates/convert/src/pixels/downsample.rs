//! The 2x mean in y and x that makes each pyramid level from the one before.

use fairzarr_pixel::{Region, SampleType};

use crate::pixels::sample::{Sample, with_sample};

/// Halves `planes` planes of `from` (tight rows of `source`) into their place in `to` (tight rows of `target`).
///
/// Rectangles are in pixels of their own level. A last odd row or column is averaged with itself.
pub(crate) fn halve(
    sample_type: SampleType,
    planes: usize,
    source: Region,
    from: &[u8],
    target: Region,
    to: &mut [u8],
) {
    with_sample!(sample_type, T => {
        let from: &[T] = bytemuck::cast_slice(from);
        let to: &mut [T] = bytemuck::cast_slice_mut(to);
        let (top, left) = ((source.y / 2 - target.y) as usize, (source.x / 2 - target.x) as usize);
        let width = source.w as usize;
        for plane in 0..planes {
            let from = &from[plane * source.area()..][..source.area()];
            let to = &mut to[plane * target.area()..][..target.area()];
            for row in 0..source.h.div_ceil(2) as usize {
                let upper = &from[2 * row * width..][..width];
                let lower = if 2 * row + 1 < source.h as usize {
                    &from[(2 * row + 1) * width..][..width]
                } else {
                    upper
                };
                let out = &mut to[(top + row) * target.w as usize + left..][..width.div_ceil(2)];
                halve_rows(upper, lower, out);
            }
        }
    });
}

/// Whole pairs in a loop that the compiler turns into vector instructions; then the odd last column.
fn halve_rows<T: Sample>(upper: &[T], lower: &[T], out: &mut [T]) {
    let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
    for (out, (upper, lower)) in out.iter_mut().zip(pairs) {
        *out = T::mean(upper[0], upper[1], lower[0], lower[1]);
    }
    if upper.len() % 2 == 1
        && let (Some(out), Some(&a), Some(&b)) = (out.last_mut(), upper.last(), lower.last())
    {
        *out = T::mean(a, a, b, b);
    }
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
            halve(SampleType::Uint16, 1, from, bytemuck::cast_slice(&source), to, bytemuck::cast_slice_mut(&mut out));
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
        halve(SampleType::Uint8, 1, source, &[1, 2, 3, 4], target, &mut out);
        assert_eq!(out, [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]);
    }
}
