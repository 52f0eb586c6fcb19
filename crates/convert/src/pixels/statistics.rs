//! Statistics of the samples of a channel, gathered while its pixels pass by.

use fairzarr_pixel::SampleType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::pixels::sample::{Sample, with_sample};

/// The percentiles that are recorded, by their names there.
pub(crate) const PERCENTILES: [(&str, f64); 5] =
    [("0.1", 0.001), ("1", 0.01), ("50", 0.5), ("99", 0.99), ("99.9", 0.999)];

/// Every how many rows a row is counted in the histogram. Extremes and fractions use every sample.
const HISTOGRAM_ROWS: usize = 8;

/// What is known of one channel's samples. For complex samples the values are magnitudes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct ChannelStatistics {
    /// Finite samples seen.
    pub count: u64,
    /// Samples that are NaN or infinite.
    pub not_finite: u64,
    /// Smallest finite sample.
    pub min: Option<f64>,
    /// Largest finite sample.
    pub max: Option<f64>,
    /// Samples equal to zero.
    pub zeros: u64,
    /// Samples equal to the type's largest value (integer types).
    pub saturated: u64,
    /// Counts by the leading 16 bits of the value as a 32-bit float, in the order of the values: buckets whose
    /// width is under 1 % of their value. From every eighth row.
    histogram: BTreeMap<u16, u64>,
}

impl ChannelStatistics {
    /// About the bytes that this takes.
    pub(crate) fn bytes(&self) -> usize {
        std::mem::size_of::<Self>() + self.histogram.len() * std::mem::size_of::<(u16, u64)>()
    }

    /// Adds rows of `width` samples, the first of which is row `first_row` of the plane. `significant_bits` are those that the
    /// detector fills. `buckets` is scratch.
    pub(crate) fn add(
        &mut self,
        sample_type: SampleType,
        significant_bits: Option<u32>,
        width: usize,
        first_row: u32,
        pixels: &[u8],
        buckets: &mut Buckets,
    ) {
        with_sample!(sample_type, T => {
            let samples: &[T] = bytemuck::cast_slice(pixels);
            let top = T::top(significant_bits);
            for (row, y) in samples.chunks_exact(width.max(1)).zip(first_row as usize..) {
                match top {
                    Some(top) => self.add_integers(row, top),
                    None => self.add_floats(row),
                }
                if y % HISTOGRAM_ROWS == 0 {
                    buckets.count(row);
                }
            }
            buckets.drain_into::<T>(&mut self.histogram);
        });
    }

    /// Integers are all finite, and their extremes are found by vector instructions. Zeros and saturated samples
    /// are counted only in rows whose extremes allow for them.
    fn add_integers<T: Sample>(&mut self, row: &[T], top: T) {
        let Some(&first) = row.first() else { return };
        let (mut low, mut high) = (first, first);
        for &sample in row {
            low = if sample < low { sample } else { low };
            high = if sample > high { sample } else { high };
        }
        let zero = T::zeroed();
        if low <= zero && high >= zero {
            self.zeros += row.iter().filter(|sample| **sample == zero).count() as u64;
        }
        if high >= top {
            self.saturated += row.iter().filter(|sample| **sample >= top).count() as u64;
        }
        self.count += row.len() as u64;
        self.widen(low.value(), high.value());
    }

    fn add_floats<T: Sample>(&mut self, row: &[T]) {
        for sample in row {
            let value = sample.value();
            if value.is_finite() {
                self.count += 1;
                self.zeros += u64::from(value == 0.0);
                self.widen(value, value);
            } else {
                self.not_finite += 1;
            }
        }
    }

    fn widen(&mut self, low: f64, high: f64) {
        self.min = Some(self.min.map_or(low, |min| min.min(low)));
        self.max = Some(self.max.map_or(high, |max| max.max(high)));
    }

    /// Adds what was gathered from other samples of the same channel.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.not_finite += other.not_finite;
        self.zeros += other.zeros;
        self.saturated += other.saturated;
        if let (Some(min), Some(max)) = (other.min, other.max) {
            self.widen(min, max);
        }
        for (&bucket, &count) in &other.histogram {
            *self.histogram.entry(bucket).or_default() += count;
        }
    }

    /// To be called when all samples have been seen: forgets of the histogram what [`PERCENTILES`] do not need. These stay
    /// as they were; thousands of images would otherwise keep hundreds of counts each.
    pub(crate) fn settle(&mut self) {
        let total: u64 = self.histogram.values().sum();
        let mut wanted = PERCENTILES.iter().map(|(_, fraction)| rank(*fraction, total)).peekable();
        let (mut seen, mut kept_until) = (0, 0);
        let mut kept = BTreeMap::new();
        for (&bucket, &count) in &self.histogram {
            seen += count;
            if wanted.next_if(|rank| *rank <= seen).is_some() || seen == total {
                while wanted.next_if(|rank| *rank <= seen).is_some() {}
                kept.insert(bucket, seen - kept_until);
                kept_until = seen;
            }
        }
        self.histogram = kept;
    }

    /// The value below which about `fraction` of the samples lie, to within 1 %; never outside [min, max].
    pub fn percentile(&self, fraction: f64) -> Option<f64> {
        let (min, max) = (self.min?, self.max?);
        let total: u64 = self.histogram.values().sum();
        let wanted = rank(fraction, total);
        let mut seen = 0;
        for (&bucket, &count) in &self.histogram {
            seen += count;
            if seen >= wanted {
                return Some(value_of(bucket).clamp(min, max));
            }
        }
        Some(max)
    }
}

/// How many of `total` samples are at most the percentile.
fn rank(fraction: f64, total: u64) -> u64 {
    (fraction * total as f64).ceil().max(1.0) as u64
}

/// Counts by value or by bucket, for one block at a time; one per thread.
pub(crate) struct Buckets {
    counts: Box<[u32]>,
    /// The first and the last bucket that may hold something: a small block must not pay for all of them.
    used: (u16, u16),
}

impl Default for Buckets {
    fn default() -> Self {
        Self { counts: vec![0; 1 << 16].into_boxed_slice(), used: NONE_USED }
    }
}

impl Buckets {
    /// Counts values where there are few, else buckets.
    fn count<T: Sample>(&mut self, row: &[T]) {
        let (mut first, mut last) = self.used;
        if T::COUNTABLE {
            // Two passes: the first becomes vector instructions.
            for sample in row {
                (first, last) = (first.min(sample.place()), last.max(sample.place()));
            }
            for sample in row {
                self.counts[sample.place() as usize] += 1;
            }
        } else {
            for value in row.iter().map(|sample| sample.value()).filter(|value| value.is_finite()) {
                let bucket = bucket_of(value);
                (first, last) = (first.min(bucket), last.max(bucket));
                self.counts[bucket as usize] += 1;
            }
        }
        self.used = (first, last);
    }

    /// Adds what was counted of samples of one type, and forgets it.
    fn drain_into<T: Sample>(&mut self, histogram: &mut BTreeMap<u16, u64>) {
        let (first, last) = std::mem::replace(&mut self.used, NONE_USED);
        for place in first..=last {
            let count = std::mem::take(&mut self.counts[place as usize]);
            if count > 0 {
                let bucket = if T::COUNTABLE { bucket_of(place as f64) } else { place };
                *histogram.entry(bucket).or_default() += count as u64;
            }
        }
    }
}

/// An empty range of buckets.
const NONE_USED: (u16, u16) = (u16::MAX, 0);

/// Leading 16 bits of the value as an f32, with the sign folded so that buckets sort as values do.
fn bucket_of(value: f64) -> u16 {
    let bits = ((value as f32).to_bits() >> 16) as u16;
    if bits & 0x8000 == 0 { bits | 0x8000 } else { !bits }
}

/// The value in the bucket that is nearest to zero.
fn value_of(bucket: u16) -> f64 {
    let bits = if bucket & 0x8000 == 0 { !bucket } else { bucket & 0x7fff };
    f32::from_bits((bits as u32) << 16) as f64
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // exact by design
mod tests {
    use super::*;

    fn statistics(samples: &[u16], width: usize) -> ChannelStatistics {
        let mut stats = ChannelStatistics::default();
        stats.add(SampleType::Uint16, None, width, 0, bytemuck::cast_slice(samples), &mut Buckets::default());
        stats
    }

    #[test]
    fn extremes_and_fractions_are_exact() {
        let mut samples: Vec<u16> = (0..10_000u32).map(|i| (100 + i % 1000) as u16).collect();
        samples[17] = 0;
        samples[4711] = u16::MAX;
        let stats = statistics(&samples, 100);
        assert_eq!((stats.min, stats.max), (Some(0.0), Some(65535.0)));
        assert_eq!((stats.count, stats.zeros, stats.saturated), (10_000, 1, 1));
    }

    #[test]
    fn a_detector_of_twelve_bits_saturates_at_4095() {
        let samples: Vec<u16> = vec![0, 4094, 4095, 4096, 1];
        for (bits, saturated) in [(Some(12), 2), (Some(16), 0), (None, 0), (Some(1), 0), (Some(99), 0)] {
            let mut stats = ChannelStatistics::default();
            let pixels = bytemuck::cast_slice(&samples);
            stats.add(SampleType::Uint16, bits, 5, 0, pixels, &mut Buckets::default());
            assert_eq!(stats.saturated, saturated, "{bits:?}");
        }
    }

    #[test]
    fn percentiles_are_within_a_percent_for_an_even_spread() {
        let samples: Vec<u16> = (0..80_000u32).map(|i| (i * 7919 % 10_000) as u16).collect();
        let stats = statistics(&samples, 1000);
        for fraction in [0.01, 0.5, 0.9, 0.999] {
            let found = stats.percentile(fraction).unwrap();
            assert!((found - fraction * 10_000.0).abs() <= 120.0, "{fraction}: {found}");
        }
    }

    #[test]
    fn buckets_sort_as_values_do() {
        let values = [-1e9, -2.0, -0.5, 0.0, 1e-3, 1.0, 255.0, 65535.0, 1e30];
        assert!(values.windows(2).all(|pair| bucket_of(pair[0]) < bucket_of(pair[1])));
        assert_eq!(value_of(bucket_of(128.0)), 128.0);
        assert_eq!(value_of(bucket_of(-128.0)), -128.0);
    }

    #[test]
    fn nan_is_counted_apart() {
        let mut stats = ChannelStatistics::default();
        stats.add(
            SampleType::Float,
            None,
            3,
            0,
            bytemuck::cast_slice(&[1.0f32, f32::NAN, -2.0]),
            &mut Buckets::default(),
        );
        assert_eq!((stats.count, stats.not_finite), (2, 1));
        assert_eq!((stats.min, stats.max), (Some(-2.0), Some(1.0)));
    }

    #[test]
    fn settling_keeps_the_percentiles_and_little_else() {
        for spread in [1, 3, 50, 40_000] {
            let samples: Vec<u16> = (0..64_000u32).map(|i| (i * i % spread) as u16).collect();
            let seen = statistics(&samples, 100);
            let mut settled = seen.clone();
            settled.settle();
            for (name, fraction) in PERCENTILES {
                assert_eq!(settled.percentile(fraction), seen.percentile(fraction), "{name} of {spread}");
            }
            assert!(settled.histogram.len() <= PERCENTILES.len() + 1);
            assert_eq!(settled.histogram.values().sum::<u64>(), seen.histogram.values().sum::<u64>());
        }
        let mut nothing = ChannelStatistics::default();
        nothing.settle();
        assert_eq!(nothing, ChannelStatistics::default());
    }

    #[test]
    fn merging_equals_seeing_all_at_once() {
        let samples: Vec<u16> = (0..6400u32).map(|i| (i * i % 4093) as u16).collect();
        let mut stats = ChannelStatistics::default();
        for (part, first_row) in samples.chunks(800).zip((0..).step_by(8)) {
            let mut one = ChannelStatistics::default();
            one.add(
                SampleType::Uint16,
                None,
                100,
                first_row,
                bytemuck::cast_slice(part),
                &mut Buckets::default(),
            );
            stats.merge(&one);
        }
        assert_eq!(stats, statistics(&samples, 100));
    }
}
