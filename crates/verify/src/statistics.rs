//! The statistics of an image's samples, counted again in the plainest way while its full resolution is decoded for another proof.
//!
//! Percentiles are those of every eighth row, by the first 16 bits of the value as a 32-bit float: what is recorded is the end of
//! the bucket that is nearest to zero, within the extremes.

use fairzarr_ome_zarr::{OpenImage, attributes, keys};
use fairzarr_pixel::SampleType;
use fairzarr_store::Store;
use fairzarr_task::{lock, unlocked};
use half::f16;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::Options;
use crate::error::Error;
use crate::json;
use crate::origin::Origin;
use crate::quality::{Quality, Sampling};
use crate::report::{Check, Difference, Differences, Proof};

/// Names and shares of the percentiles.
const PERCENTILES: [(&str, f64); 5] =
    [("0.1", 0.001), ("1", 0.01), ("50", 0.5), ("99", 0.99), ("99.9", 0.999)];
/// Every how many rows one is counted for the percentiles.
const ROWS: u64 = 8;

/// The proof, image by image.
#[derive(Debug)]
pub(crate) struct Recount {
    images: usize,
    /// Images that say statistics, of which not all samples are looked at.
    sampled: usize,
    differences: Differences,
}

impl Default for Recount {
    fn default() -> Self {
        Self { images: 0, sampled: 0, differences: Differences::new("values") }
    }
}

impl Recount {
    /// What to count an image with; nothing where it says no statistics, or where only a part of the samples is decoded.
    pub(crate) fn of(
        &mut self,
        image: &OpenImage<'_>,
        origin: &Origin,
        options: Options,
        store: &Store,
    ) -> Result<Option<Counting>, Error> {
        let group = attributes(store, &image.stored.path)?.unwrap_or_default();
        let Some(recorded) = group.get(keys::STATISTICS) else { return Ok(None) };
        let Some(array) = image.levels.first() else { return Ok(None) };
        let bits = origin.images.get(image.index).and_then(|image| image.significant_bits);
        let [.., height, width] = array.shape()[..] else { return Ok(None) };
        let counting = Statistics::new(&array.data_type(), bits, recorded, (height, width));
        let counting = counting.filter(|_| !options.sample.is_part());
        if counting.is_none() {
            self.sampled += 1;
        }
        Ok(counting
            .map(|statistics| Counting { recorded: recorded.clone(), statistics: Mutex::new(statistics) }))
    }

    /// Compares what was counted of an image.
    pub(crate) fn image(&mut self, image: &OpenImage<'_>, counting: Option<Counting>) {
        let Some(Counting { recorded, statistics }) = counting else { return };
        self.images += 1;
        self.differences.extend(unlocked(statistics).differences(image, &recorded));
    }

    pub(crate) fn finish(self) -> Check {
        let covered = format!("statistics of {} images counted again", self.images);
        let mut check = Check::new(Proof::Statistics, covered, self.differences.finish());
        if self.sampled > 0 {
            let reason = "of which not every sample was decoded";
            check.notes.push(format!("not derived: the statistics of {} images, {reason}", self.sampled));
        }
        check
    }
}

/// One image while its samples are decoded, on several threads.
#[derive(Debug)]
pub(crate) struct Counting {
    recorded: Value,
    statistics: Mutex<Statistics>,
}

impl Counting {
    /// Counts rows of planes of the image, one after the other, as [`Statistics::add`] does: what each is a plane of, and its samples
    /// from row and column `at` on.
    pub(crate) fn add<'s>(
        &self,
        at: (u64, u64),
        width: u64,
        planes: impl Iterator<Item = (OfChannel, &'s [u8])>,
    ) {
        let mut part = lock(&self.statistics).empty();
        for (plane, samples) in planes {
            part.add(plane, at, width, samples);
        }
        lock(&self.statistics).merge(part);
    }
}

/// A plane by its channel, time point and section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfChannel {
    pub(crate) channel: u64,
    pub(crate) plane: (u64, u64),
}

/// What is counted of one channel.
#[derive(Clone, Debug, Default)]
struct Counted {
    finite: u64,
    others: u64,
    zeros: u64,
    saturated: u64,
    extremes: Option<(f64, f64)>,
    /// Of every eighth row, by bucket, in the order of the values.
    buckets: BTreeMap<u16, u64>,
    quality: Quality,
}

/// What is counted of one image, by channel.
#[derive(Debug)]
struct Statistics {
    sample_type: SampleType,
    /// The value at which a sample is saturated, of types that have one.
    top: Option<f64>,
    /// How image quality was looked at, of images that say so.
    sampling: Option<Sampling>,
    channels: BTreeMap<u64, Counted>,
}

impl Statistics {
    /// Nothing yet, of an image that says statistics of samples of a type that is known here.
    fn new(
        data_type: &str,
        significant_bits: Option<u32>,
        recorded: &Value,
        size: (u64, u64),
    ) -> Option<Self> {
        let sample_type = SampleType::from_zarr_v3(data_type)?;
        let bits = 8 * sample_type.bytes() as u32;
        let top = sample_type.range().map(|(min, max)| {
            // One bit is a mask, which does not saturate, and of signed samples the sign is one of the bits.
            match significant_bits.filter(|fill| min == 0.0 && (2..bits).contains(fill)) {
                Some(fill) => 2f64.powi(fill as i32) - 1.0,
                None => max,
            }
        });
        let range = sample_type.range().zip(top).map(|((min, _), top)| (min, top));
        let range = range.filter(|_| sample_type != SampleType::Bit);
        let top = if sample_type == SampleType::Bit { Some(f64::from(u8::MAX)) } else { top };
        let sampling = Sampling::of(recorded, size, sample_type, range);
        Some(Self { sample_type, top, sampling, channels: BTreeMap::new() })
    }

    /// The same for another part of the image.
    fn empty(&self) -> Self {
        Self { channels: BTreeMap::new(), ..*self }
    }

    /// Counts rows of `width` samples of a plane, the first of which is row `y` from column `x` on.
    fn add(
        &mut self,
        OfChannel { channel, plane }: OfChannel,
        (y, x): (u64, u64),
        width: u64,
        samples: &[u8],
    ) {
        let size = self.sample_type.bytes();
        let row_bytes = usize::try_from(width).unwrap_or(usize::MAX).saturating_mul(size).max(1);
        let counted = self.channels.entry(channel).or_default();
        let mut values = Vec::new();
        for (row, y) in samples.chunks_exact(row_bytes).zip(y..) {
            values.clear();
            read(self.sample_type, row, &mut values);
            counted.row(&values, self.top, y % ROWS == 0);
            if let Some(sampling) = &self.sampling {
                counted.quality.row(sampling, plane, (y, x), &values);
            }
        }
    }

    /// Adds what was counted elsewhere.
    fn merge(&mut self, other: Self) {
        for (channel, other) in other.channels {
            let counted = self.channels.entry(channel).or_default();
            counted.finite += other.finite;
            counted.others += other.others;
            counted.zeros += other.zeros;
            counted.saturated += other.saturated;
            if let Some((low, high)) = other.extremes {
                counted.widen(low, high);
            }
            for (bucket, count) in other.buckets {
                *counted.buckets.entry(bucket).or_default() += count;
            }
            counted.quality.merge(other.quality);
        }
    }

    /// Where what is recorded says something else; members that this version does not know are left out.
    fn differences(&self, image: &OpenImage<'_>, recorded: &Value) -> Vec<Difference> {
        let mut differences = Vec::new();
        let channels = recorded.get("channels").and_then(Value::as_array).cloned().unwrap_or_default();
        let place = |what: String| format!("image {}, {}, {what}", image.index, keys::STATISTICS);
        if channels.len() != self.channels.len() {
            let (expected, found) = (self.channels.len().to_string(), channels.len().to_string());
            differences.push(Difference::new(place("channels".into()), expected, found));
        }
        for ((channel, counted), found) in self.channels.iter().zip(&channels) {
            let mut expected = counted.recorded();
            if let Some(sampling) = &self.sampling {
                let quality = counted
                    .quality
                    .recorded(sampling, counted.share(counted.saturated), |share| counted.percentile(share));
                expected.insert("quality".into(), quality);
            }
            for (name, expected) in &expected {
                json::compare(
                    &place(format!("channel {channel}/{name}")),
                    Some(expected),
                    found.get(name),
                    &mut differences,
                );
            }
        }
        differences
    }
}

impl Counted {
    fn row(&mut self, values: &[f64], top: Option<f64>, for_percentiles: bool) {
        match top {
            Some(top) => self.integers(values, top),
            None => self.floats(values),
        }
        if for_percentiles {
            // Looking up the bucket of each sample took as long as decoding it.
            let finite = values.iter().filter(|value| value.is_finite());
            let mut buckets: Vec<u16> = finite.map(|value| bucket(*value)).collect();
            buckets.sort_unstable();
            for same in buckets.chunk_by(|one, next| one == next) {
                *self.buckets.entry(same[0]).or_default() += same.len() as u64;
            }
        }
    }

    /// Integers are all finite; without a branch in it, the loop becomes vector instructions.
    fn integers(&mut self, values: &[f64], top: f64) {
        let Some(&first) = values.first() else { return };
        let (mut low, mut high, mut zeros, mut saturated) = (first, first, 0, 0);
        for &value in values {
            low = if value < low { value } else { low };
            high = if value > high { value } else { high };
            zeros += u64::from(value == 0.0);
            saturated += u64::from(value >= top);
        }
        self.finite += values.len() as u64;
        self.zeros += zeros;
        self.saturated += saturated;
        self.widen(low, high);
    }

    fn floats(&mut self, values: &[f64]) {
        for value in values {
            if value.is_finite() {
                self.finite += 1;
                self.zeros += u64::from(*value == 0.0);
                self.widen(*value, *value);
            } else {
                self.others += 1;
            }
        }
    }

    /// The share of all samples.
    fn share(&self, count: u64) -> f64 {
        count as f64 / (self.finite + self.others).max(1) as f64
    }

    fn widen(&mut self, low: f64, high: f64) {
        let (min, max) = self.extremes.unwrap_or((low, high));
        self.extremes = Some((min.min(low), max.max(high)));
    }

    /// As the attributes of an image have it.
    fn recorded(&self) -> Map<String, Value> {
        let share = |count: u64| self.share(count);
        let percentiles: Map<String, Value> = PERCENTILES
            .iter()
            .map(|(name, share)| ((*name).to_owned(), json!(self.percentile(*share))))
            .collect();
        let (min, max) = self.extremes.unzip();
        let members = [
            ("count", json!(self.finite)),
            ("min", json!(min)),
            ("max", json!(max)),
            ("percentiles", Value::Object(percentiles)),
            ("zero_fraction", json!(share(self.zeros))),
            ("saturated_fraction", json!(share(self.saturated))),
            ("not_finite_fraction", json!(share(self.others))),
        ];
        members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
    }

    fn percentile(&self, share: f64) -> Option<f64> {
        let (min, max) = self.extremes?;
        let total: u64 = self.buckets.values().sum();
        let wanted = (share * total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in &self.buckets {
            seen += count;
            if seen >= wanted {
                return Some(end_of(*bucket).clamp(min, max));
            }
        }
        Some(max)
    }
}

/// The first 16 bits of the value as a 32-bit float, so turned that buckets lie as values do.
fn bucket(value: f64) -> u16 {
    let first = ((value as f32).to_bits() >> 16) as u16;
    if value.is_sign_negative() { !first } else { first | 0x8000 }
}

/// The end of a bucket that is nearest to zero.
fn end_of(bucket: u16) -> f64 {
    let first = if bucket & 0x8000 == 0 { !bucket } else { bucket & 0x7fff };
    f64::from(f32::from_bits(u32::from(first) << 16))
}

/// The samples of a row as numbers; of complex ones their magnitudes.
fn read(sample_type: SampleType, row: &[u8], values: &mut Vec<f64>) {
    fn each<const N: usize>(row: &[u8], values: &mut Vec<f64>, value: fn([u8; N]) -> f64) {
        values.extend(row.as_chunks::<N>().0.iter().map(|sample| value(*sample)));
    }
    match sample_type {
        SampleType::Bit | SampleType::Uint8 => each(row, values, |s: [u8; 1]| f64::from(s[0])),
        SampleType::Int8 => each(row, values, |s| f64::from(i8::from_le_bytes(s))),
        SampleType::Uint16 => each(row, values, |s| f64::from(u16::from_le_bytes(s))),
        SampleType::Int16 => each(row, values, |s| f64::from(i16::from_le_bytes(s))),
        SampleType::Uint32 => each(row, values, |s| f64::from(u32::from_le_bytes(s))),
        SampleType::Int32 => each(row, values, |s| f64::from(i32::from_le_bytes(s))),
        SampleType::Uint64 => each(row, values, |s| u64::from_le_bytes(s) as f64),
        SampleType::Int64 => each(row, values, |s| i64::from_le_bytes(s) as f64),
        SampleType::Float16 => each(row, values, |s| f16::from_le_bytes(s).to_f64()),
        SampleType::Float => each(row, values, |s| f64::from(f32::from_le_bytes(s))),
        SampleType::Double => each(row, values, f64::from_le_bytes),
        SampleType::ComplexFloat => each(row, values, |s: [u8; 8]| {
            let (real, imaginary) = s.split_at(4);
            let part = |bytes: &[u8]| f64::from(f32::from_le_bytes(bytes.try_into().unwrap_or_default()));
            part(real).hypot(part(imaginary))
        }),
        SampleType::ComplexDouble => each(row, values, |s: [u8; 16]| {
            let (real, imaginary) = s.split_at(8);
            let part = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().unwrap_or_default());
            part(real).hypot(part(imaginary))
        }),
    }
}
