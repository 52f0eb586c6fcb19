//! Image quality while pixels pass by: noise, sharpness and evenness of every sixteenth row, of integer samples of at most 16
//! bits. Everything is summed in whole numbers, so that no order of blocks changes it. The definitions and where they come
//! from are in `docs/quality.md`.

use fairzarr_pixel::{Region, SampleType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::pixels::sample::{Sample, with_sample};
use crate::pixels::statistics::ChannelStatistics;

/// Every how many rows a row is looked at.
pub(crate) const ROWS: u32 = 16;
/// Images of more planes do not list what was found in each.
const LISTED_PLANES: usize = 1024;

/// Lengths of a run: neighbours are compared within runs of so many columns, which begin at multiples of it, so that no
/// block cuts a run in two.
const RUNS: [u32; 3] = [16, 8, 4];

/// The length of a run, for an image of this width in chunks of that one; none where chunks end anywhere.
pub(crate) fn run(width: u32, chunk: u32) -> Option<u32> {
    RUNS.into_iter().find(|run| chunk >= width || chunk.is_multiple_of(*run))
}

/// The least and the greatest value that a detector gives that fills so many bits of an integer type; none of masks and floats.
pub(crate) fn range(sample_type: SampleType, significant_bits: Option<u32>) -> Option<(f64, f64)> {
    let (low, high) = sample_type.range().filter(|_| sample_type != SampleType::Bit)?;
    let bits = 8 * sample_type.bytes() as u32;
    let fills = significant_bits.filter(|fills| low == 0.0 && (2..bits).contains(fills));
    Some((low, fills.map_or(high, |fills| 2f64.powi(fills as i32) - 1.0)))
}

/// What is known of the runs of a part of a plane.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Runs {
    /// Squares of the differences between samples two columns apart.
    gradient: u64,
    /// Second differences, without their signs.
    curvature: u64,
    /// By ninth of the field, row by row: how many samples, and their sum.
    ninths: BTreeMap<u8, (u64, i64)>,
}

impl Runs {
    /// Bytes that this takes beyond its own.
    pub(crate) fn bytes(&self) -> usize {
        self.ninths.len() * std::mem::size_of::<(u8, (u64, i64))>()
    }

    /// Adds a rectangle of a plane of `size` (height and width).
    pub(crate) fn add(
        &mut self,
        sample_type: SampleType,
        size: (u32, u32),
        run: u32,
        rect: Region,
        pixels: &[u8],
    ) {
        if sample_type == SampleType::Bit {
            return;
        }
        with_sample!(sample_type, T => {
            if !T::SMALL {
                return;
            }
            let samples: &[T] = bytemuck::cast_slice(pixels);
            let width = rect.w.max(1) as usize;
            let first = rect.y.div_ceil(ROWS) * ROWS;
            for y in (first..rect.y.saturating_add(rect.h)).step_by(ROWS as usize) {
                let from = (y - rect.y) as usize * width;
                let Some(row) = samples.get(from..from + width) else { return };
                match run {
                    16 => self.row::<T, 16>(size, (y, rect.x), row),
                    8 => self.row::<T, 8>(size, (y, rect.x), row),
                    _ => self.row::<T, 4>(size, (y, rect.x), row),
                }
            }
        });
    }

    fn row<T: Sample, const N: usize>(&mut self, size: (u32, u32), (y, x): (u32, u32), row: &[T]) {
        let skipped = x.next_multiple_of(N as u32) - x;
        let Some(row) = row.get(skipped as usize..) else { return };
        let third = |at: u32, size: u32| (3 * u64::from(at) / u64::from(size.max(1))).min(2) as u8;
        let (band, mut x) = (3 * third(y, size.0), x + skipped);
        let (mut ninth, mut count, mut total) = (band, 0u64, 0i64);
        for samples in row.as_chunks::<N>().0 {
            let values = samples.map(Sample::whole);
            let (mut sum, mut gradient, mut curvature) = (0i32, 0u64, 0u32);
            for value in values {
                sum += value;
            }
            for i in 2..N {
                let step = values[i].abs_diff(values[i - 2]);
                gradient += u64::from(step * step);
                curvature += (values[i] - 2 * values[i - 1] + values[i - 2]).unsigned_abs();
            }
            self.gradient += gradient;
            self.curvature += u64::from(curvature);
            let here = band + third(x, size.1);
            if here != ninth {
                self.count(ninth, count, total);
                (ninth, count, total) = (here, 0, 0);
            }
            count += N as u64;
            total += i64::from(sum);
            x += N as u32;
        }
        self.count(ninth, count, total);
    }

    fn count(&mut self, ninth: u8, count: u64, total: i64) {
        if count > 0 {
            let known = self.ninths.entry(ninth).or_default();
            *known = (known.0 + count, known.1 + total);
        }
    }
}

/// Sums over one plane.
#[derive(Clone, Copy, Debug, Default)]
struct Plane {
    samples: u64,
    sum: i64,
    gradient: u64,
}

/// What is known of one channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChannelQuality {
    /// By time point and section.
    planes: BTreeMap<(u32, u32), Plane>,
    curvature: u64,
    ninths: BTreeMap<u8, (u64, i64)>,
}

impl ChannelQuality {
    /// Adds a part of a plane.
    pub(crate) fn merge(&mut self, plane: (u32, u32), part: &Runs) {
        let plane = self.planes.entry(plane).or_default();
        plane.gradient += part.gradient;
        self.curvature += part.curvature;
        for (ninth, (samples, sum)) in &part.ninths {
            plane.samples += samples;
            plane.sum += sum;
            let known = self.ninths.entry(*ninth).or_default();
            *known = (known.0 + samples, known.1 + sum);
        }
    }

    /// As the attributes of an image have it; what cannot be said is null. `range` is that of the detector's values.
    pub(crate) fn recorded(
        &self,
        run: Option<u32>,
        range: Option<(f64, f64)>,
        seen: &ChannelStatistics,
    ) -> Map<String, Value> {
        let run = u64::from(run.unwrap_or(2));
        let compared = |samples: u64| (samples / run * (run - 2)) as f64;
        let samples = self.planes.values().map(|plane| plane.samples).sum::<u64>();
        let noise = (samples > 0).then(|| {
            (std::f64::consts::PI / 2.0).sqrt() * (self.curvature as f64 / compared(samples)) / 6f64.sqrt()
        });
        let background = seen.percentile(0.01);
        let signal = seen.percentile(0.99).zip(background).map(|(high, low)| high - low);
        let used = seen.percentile(0.999).zip(seen.percentile(0.001)).map(|(high, low)| high - low);
        let means = || self.ninths.values().map(|(samples, sum)| *sum as f64 / *samples as f64);
        let (dim, bright) = (means().fold(f64::INFINITY, f64::min), means().fold(0.0, f64::max));
        let focus: Vec<Option<f64>> = self
            .planes
            .values()
            .map(|plane| {
                let mean = plane.sum as f64 / plane.samples.max(1) as f64;
                (mean > 0.0).then(|| plane.gradient as f64 / compared(plane.samples) / (mean * mean))
            })
            .collect();
        let best = focus
            .iter()
            .flatten()
            .copied()
            .fold(None, |best: Option<f64>, f| Some(best.map_or(f, |b| b.max(f))));
        let total = (seen.count + seen.not_finite).max(1) as f64;
        let mut members = Map::from_iter([
            ("SaturatedFraction".into(), json!(range.map(|_| seen.saturated as f64 / total))),
            (
                "DynamicRangeUsed".into(),
                rounded(used.zip(range).map(|(used, (low, high))| used / (high - low))),
            ),
            ("Background".into(), json!(background)),
            ("NoiseSD".into(), rounded(noise)),
            (
                "SignalToNoise".into(),
                rounded(
                    signal.zip(noise).filter(|(_, noise)| *noise > 0.0).map(|(signal, noise)| signal / noise),
                ),
            ),
            ("FocusScore".into(), rounded(best)),
            (
                "Uniformity".into(),
                rounded((self.ninths.len() > 1 && bright > 0.0 && dim >= 0.0).then(|| dim / bright)),
            ),
        ]);
        if (2..=LISTED_PLANES).contains(&self.planes.len()) && samples > 0 {
            let mean = |plane: &Plane| (plane.samples > 0).then(|| plane.sum as f64 / plane.samples as f64);
            let planes = json!({
                "t": self.planes.keys().map(|plane| plane.0).collect::<Vec<_>>(),
                "z": self.planes.keys().map(|plane| plane.1).collect::<Vec<_>>(),
                "FocusScore": focus.into_iter().map(rounded).collect::<Vec<_>>(),
                "Mean": self.planes.values().map(|plane| rounded(mean(plane))).collect::<Vec<_>>(),
            });
            members.insert("planes".into(), planes);
        }
        members
    }
}

/// A calculated value to six significant digits: more would claim what sampled rows do not hold.
fn rounded(value: Option<f64>) -> Value {
    json!(
        value.filter(|value| value.is_finite()).and_then(|value| format!("{value:.5e}").parse::<f64>().ok())
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::pixels::statistics::Buckets;

    const SIZE: (u32, u32) = (96, 96);

    /// A plane of whole numbers, as `at` says of row and column.
    fn plane(at: impl Fn(u32, u32) -> u16) -> Vec<u16> {
        (0..SIZE.0).flat_map(|y| (0..SIZE.1).map(move |x| (y, x))).map(|(y, x)| at(y, x)).collect()
    }

    fn quality(planes: &[Vec<u16>]) -> Map<String, Value> {
        let mut quality = ChannelQuality::default();
        let mut seen = ChannelStatistics::default();
        for (z, samples) in (0..).zip(planes) {
            let mut runs = Runs::default();
            let pixels: &[u8] = bytemuck::cast_slice(samples);
            runs.add(SampleType::Uint16, SIZE, 16, Region { y: 0, x: 0, h: SIZE.0, w: SIZE.1 }, pixels);
            quality.merge((0, z), &runs);
            seen.add(SampleType::Uint16, None, SIZE.1 as usize, 0, pixels, &mut Buckets::default());
        }
        quality.recorded(Some(16), Some((0.0, 65535.0)), &seen)
    }

    #[test]
    fn a_run_never_crosses_a_block() {
        assert_eq!(run(500, 64), Some(16));
        assert_eq!(run(500, 40), Some(8));
        assert_eq!(run(500, 100), Some(4));
        assert_eq!(run(500, 33), None);
        assert_eq!(run(30, 33), Some(16), "one chunk holds whole rows");
    }

    #[test]
    fn the_noise_of_a_gradient_with_noise_is_that_of_the_noise() {
        // A pseudo-random sequence of uniform numbers from 0 to 99: its deviation is 28.9.
        let mut state = 1u32;
        let noise: Vec<u16> = (0..SIZE.0 * SIZE.1)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as u16 % 100
            })
            .collect();
        let found = quality(&[plane(|y, x| 1000 + 10 * x as u16 + noise[(y * SIZE.1 + x) as usize])]);
        let noise = found["NoiseSD"].as_f64().unwrap();
        assert!((noise / 28.9 - 1.0).abs() < 0.15, "{noise}");
        // An even slope alone has none, and then no ratio to it.
        let found = quality(&[plane(|_, x| 1000 + 10 * x as u16)]);
        assert_eq!(found["NoiseSD"], json!(0.0));
        assert_eq!(found["SignalToNoise"], Value::Null);
    }

    #[test]
    fn the_sharper_plane_has_the_higher_focus_score_and_the_best_is_the_channels() {
        let sharp = plane(|_, x| if x / 4 % 2 == 0 { 100 } else { 900 });
        let blurred = plane(|_, x| if x / 4 % 2 == 0 { 450 } else { 550 });
        let found = quality(&[blurred, sharp]);
        let of_planes = found["planes"]["FocusScore"].as_array().unwrap();
        assert!(of_planes[1].as_f64().unwrap() > 10.0 * of_planes[0].as_f64().unwrap(), "{of_planes:?}");
        assert_eq!(found["FocusScore"], of_planes[1]);
        assert_eq!((&found["planes"]["t"], &found["planes"]["z"]), (&json!([0, 0]), &json!([0, 1])));
    }

    #[test]
    fn uniformity_is_the_dimmest_ninth_by_the_brightest() {
        assert_eq!(quality(&[plane(|_, _| 500)])["Uniformity"], json!(1.0));
        let corner = plane(|y, x| if y < 32 && x < 32 { 250 } else { 500 });
        assert_eq!(quality(&[corner])["Uniformity"], json!(0.5));
    }

    #[test]
    fn parts_of_a_plane_sum_up_to_what_the_whole_gives() {
        let samples = plane(|y, x| (y * x * 7919 % 4093) as u16);
        let mut whole = Runs::default();
        let all = Region { y: 0, x: 0, h: SIZE.0, w: SIZE.1 };
        whole.add(SampleType::Uint16, SIZE, 16, all, bytemuck::cast_slice(&samples));
        let mut of_parts = ChannelQuality::default();
        for (y, x) in (0..SIZE.0).step_by(24).flat_map(|y| (0..SIZE.1).step_by(48).map(move |x| (y, x))) {
            let rect = Region { y, x, h: 24, w: 48 };
            let part: Vec<u16> =
                (y..y + 24).flat_map(|y| samples[(y * SIZE.1 + x) as usize..][..48].to_vec()).collect();
            let mut runs = Runs::default();
            runs.add(SampleType::Uint16, SIZE, 16, rect, bytemuck::cast_slice(&part));
            of_parts.merge((0, 0), &runs);
        }
        let mut of_whole = ChannelQuality::default();
        of_whole.merge((0, 0), &whole);
        let seen = ChannelStatistics::default();
        let range = Some((0.0, 65535.0));
        assert_eq!(of_parts.recorded(Some(16), range, &seen), of_whole.recorded(Some(16), range, &seen));
    }

    #[test]
    fn of_floats_and_masks_what_is_not_summed_is_null() {
        for sample_type in [SampleType::Float, SampleType::Uint32, SampleType::Bit] {
            let mut runs = Runs::default();
            let pixels = vec![0; 96 * 16 * sample_type.bytes()];
            runs.add(sample_type, SIZE, 16, Region { y: 0, x: 0, h: 16, w: 96 }, &pixels);
            assert_eq!(runs, Runs::default());
            let found = ChannelQuality::default().recorded(Some(16), None, &ChannelStatistics::default());
            assert!(found.values().all(Value::is_null), "{found:?}");
        }
    }
}
