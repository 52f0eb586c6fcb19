//! The pyramid proof: each computed level is the 2x mean of the level before, computed again in the plainest way.

use fairzarr_ome_zarr::{Hierarchy, OpenImage, Slab, StoredArray};
use fairzarr_task::{for_each, lock, unlocked};
use half::f16;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Mutex;

use crate::error::Error;
use crate::report::{Check, Difference, Differences, Proof};
use crate::{Context, Sample};

/// The proof, image by image, for images that this program reduced; how others reduce is not known.
pub(crate) struct Pyramid {
    /// Images whose reduced levels are those of the source; `None` in stores of other programs.
    copied: Option<BTreeSet<u64>>,
    levels: usize,
    /// Levels whose means are not computed here.
    skipped: usize,
    of_source: usize,
    differences: Differences,
}

impl Pyramid {
    pub(crate) fn new(hierarchy: &Hierarchy) -> Self {
        let copied = hierarchy.conversion().map(|conversion| conversion.copied_levels());
        let differences = Differences::new("rows");
        Self { copied, levels: 0, skipped: 0, of_source: 0, differences }
    }

    /// Checks the levels of an image.
    pub(crate) fn image(&mut self, image: &OpenImage<'_>, context: Context<'_>) -> Result<(), Error> {
        let Some(copied) = &self.copied else { return Ok(()) };
        if copied.contains(&(image.index as u64)) {
            self.of_source += image.levels.len().saturating_sub(1);
            return Ok(());
        }
        for (level, (finer, coarser)) in image.levels.iter().zip(image.levels.iter().skip(1)).enumerate() {
            let series = (image.index as u64) << 8 | level as u64;
            match mean_of(&coarser.data_type()) {
                Some(mean) => {
                    self.differences.extend(level_differences(finer, coarser, mean, context, series)?);
                }
                None => self.skipped += 1,
            }
            self.levels += 1;
        }
        Ok(())
    }

    pub(crate) fn finish(self, sample: Sample) -> Check {
        let proof = Proof::Pyramid;
        if self.copied.is_none() {
            let covered = "nothing: not made by this program".into();
            return Check { proof, covered, differences: Vec::new() };
        }
        let Self { levels, skipped, of_source, differences, .. } = self;
        let mut covered = match skipped {
            0 => format!("{levels} reduced levels are the means of the level before"),
            _ => format!(
                "{levels} reduced levels, {skipped} of them of a type whose means are not computed here"
            ),
        };
        if sample.is_part() && levels > 0 {
            covered = format!("a sample of {sample} of {covered}");
        }
        if of_source > 0 {
            let _ = write!(covered, "; {of_source} were copied from the source");
        }
        Check { proof, covered, differences: differences.finish() }
    }
}

/// How stored samples of one type are averaged.
#[derive(Clone, Copy)]
struct Mean {
    /// Bytes of a sample.
    size: usize,
    /// The stored mean of four stored samples.
    of: fn([&[u8]; 4]) -> Vec<u8>,
    /// Whether two stored samples that have not the same bytes are equal all the same: the bits of NaN may differ.
    same: fn(&[u8], &[u8]) -> bool,
}

macro_rules! integer_mean {
    ($type:ty) => {
        Mean {
            size: size_of::<$type>(),
            of: |four| {
                let sum: i128 = four
                    .iter()
                    .map(|bytes| <$type>::from_le_bytes((*bytes).try_into().unwrap_or_default()) as i128)
                    .sum();
                ((sum + 2).div_euclid(4) as $type).to_le_bytes().to_vec()
            },
            same: |_, _| false,
        }
    };
}

/// Integers are rounded half up; floats are added in pairs, the upper row first; of complex numbers each part for itself.
fn mean_of(data_type: &str) -> Option<Mean> {
    Some(match data_type {
        "uint8" | "bool" => integer_mean!(u8),
        "int8" => integer_mean!(i8),
        "uint16" => integer_mean!(u16),
        "int16" => integer_mean!(i16),
        "uint32" => integer_mean!(u32),
        "int32" => integer_mean!(i32),
        "uint64" => integer_mean!(u64),
        "int64" => integer_mean!(i64),
        "float16" => Mean {
            size: 2,
            of: |four| {
                let [a, b, c, d] = four.map(|bytes| half(bytes).to_f32());
                f16::from_f32(((a + b) + (c + d)) * 0.25).to_le_bytes().to_vec()
            },
            same: |a, b| half(a).is_nan() && half(b).is_nan(),
        },
        "float32" => Mean { size: 4, of: mean_of_singles, same: both_nan_singles },
        "float64" => Mean { size: 8, of: mean_of_doubles, same: both_nan_doubles },
        "complex64" => Mean {
            size: 8,
            of: |four| by_parts(four, 4, mean_of_singles),
            same: |a, b| same_by_parts(a, b, 4, both_nan_singles),
        },
        "complex128" => Mean {
            size: 16,
            of: |four| by_parts(four, 8, mean_of_doubles),
            same: |a, b| same_by_parts(a, b, 8, both_nan_doubles),
        },
        _ => return None,
    })
}

fn mean_of_singles(four: [&[u8]; 4]) -> Vec<u8> {
    let [a, b, c, d] = four.map(|bytes| single(bytes) as f64);
    ((((a + b) + (c + d)) * 0.25) as f32).to_le_bytes().to_vec()
}

fn mean_of_doubles(four: [&[u8]; 4]) -> Vec<u8> {
    let [a, b, c, d] = four.map(|bytes| double(bytes) * 0.25);
    ((a + b) + (c + d)).to_le_bytes().to_vec()
}

/// The mean of the real parts, of `size` bytes, and that of the imaginary parts.
fn by_parts(four: [&[u8]; 4], size: usize, mean: fn([&[u8]; 4]) -> Vec<u8>) -> Vec<u8> {
    [mean(four.map(|bytes| &bytes[..size])), mean(four.map(|bytes| &bytes[size..]))].concat()
}

fn same_by_parts(a: &[u8], b: &[u8], size: usize, both_nan: fn(&[u8], &[u8]) -> bool) -> bool {
    a.chunks_exact(size).zip(b.chunks_exact(size)).all(|(a, b)| a == b || both_nan(a, b))
}

fn both_nan_singles(a: &[u8], b: &[u8]) -> bool {
    single(a).is_nan() && single(b).is_nan()
}

fn both_nan_doubles(a: &[u8], b: &[u8]) -> bool {
    double(a).is_nan() && double(b).is_nan()
}

fn half(bytes: &[u8]) -> f16 {
    f16::from_le_bytes(bytes.try_into().unwrap_or_default())
}

fn single(bytes: &[u8]) -> f32 {
    f32::from_le_bytes(bytes.try_into().unwrap_or_default())
}

fn double(bytes: &[u8]) -> f64 {
    f64::from_le_bytes(bytes.try_into().unwrap_or_default())
}

fn level_differences(
    finer: &StoredArray,
    coarser: &StoredArray,
    mean: Mean,
    context: Context<'_>,
    series: u64,
) -> Result<Vec<Difference>, Error> {
    let Context { options, job, .. } = context;
    let [leading @ .., height, width] = coarser.shape() else { return Ok(Vec::new()) };
    let [finer_leading @ .., finer_height, finer_width] = finer.shape() else { return Ok(Vec::new()) };
    let fits = leading == finer_leading
        && *height == finer_height.div_ceil(2)
        && *width == finer_width.div_ceil(2)
        && finer.path() != coarser.path();
    if !fits {
        let expected = format!("half the size of {}, {:?}", finer.path(), finer.shape());
        let found = format!("{:?}", coarser.shape());
        return Ok(vec![Difference::new(coarser.path(), expected, found)]);
    }
    let band = coarser.object_shape()[leading.len()].clamp(1, *height);
    let bands = height.div_ceil(band);
    let slabs = coarser.slabs(band);
    let parts: Vec<(&Slab, u64)> =
        slabs.iter().flat_map(|slab| (0..bands).map(move |n| (slab, n * band))).collect();
    let parts = options.sample.choose(parts, series);
    let found = Mutex::new(Vec::new());
    let name = |(_, y): &(&Slab, u64)| format!("array {}, rows from {y}", coarser.path());
    for_each(
        &parts,
        // Of the finer level four times as much, and each as it is stored.
        context.readers(10 * coarser.bytes_of_rows(band)),
        name,
        || (),
        |(), &(Slab { ranges, planes }, y)| {
            if job.cancel.is_cancelled() {
                return ControlFlow::Break(());
            }
            let (mut finer_ranges, mut ranges) = (ranges.clone(), ranges.clone());
            let end = (y + band).min(*height);
            ranges.extend([y..end, 0..*width]);
            finer_ranges.extend([2 * y..(2 * end).min(*finer_height), 0..*finer_width]);
            let add = |plane: &u64, wrong: String| {
                let place = format!("array {}, plane {plane}, rows {y}..{end}", coarser.path());
                let expected = format!("the means of {}", finer.path());
                lock(&found).push(Difference::new(place, expected, wrong));
            };
            match finer.read(&finer_ranges).and_then(|from| Ok((from, coarser.read(&ranges)?))) {
                Ok((from, to)) => {
                    let from = from.chunks_exact((from.len() / planes.len()).max(1));
                    let to = to.chunks_exact((to.len() / planes.len()).max(1));
                    for (plane, (from, to)) in planes.iter().zip(from.zip(to)) {
                        let count = wrong_samples(from, *finer_width as usize, to, *width as usize, mean);
                        if count > 0 {
                            add(plane, format!("{count} other samples"));
                        }
                    }
                }
                Err(error) => planes.iter().take(1).for_each(|plane| add(plane, error.to_string())),
            }
            ControlFlow::Continue(())
        },
    )?;
    job.cancel.check()?;
    Ok(unlocked(found))
}

/// How many samples of the coarser rows are not the means of the finer ones.
fn wrong_samples(finer: &[u8], finer_width: usize, coarser: &[u8], width: usize, mean: Mean) -> usize {
    let Mean { size, of, same } = mean;
    let finer_rows = finer.len() / (finer_width * size);
    let at = |y: usize, x: usize| {
        let (y, x) = (y.min(finer_rows - 1), x.min(finer_width - 1));
        &finer[(y * finer_width + x) * size..][..size]
    };
    let wrong = |(n, found): &(usize, &[u8])| {
        let (y, x) = (2 * (n / width), 2 * (n % width));
        let expected = of([at(y, x), at(y, x + 1), at(y + 1, x), at(y + 1, x + 1)]);
        expected != *found && !same(&expected, found)
    };
    coarser.chunks_exact(size).enumerate().filter(wrong).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_round_half_up_and_edges_repeat() {
        let mean = mean_of("uint8").unwrap();
        // 3 x 3 to 2 x 2.
        let finer = [0, 1, 10, 2, 3, 20, 5, 6, 30];
        assert_eq!(wrong_samples(&finer, 3, &[2, 15, 6, 30], 2, mean), 0);
        assert_eq!(wrong_samples(&finer, 3, &[2, 15, 6, 31], 2, mean), 1);
        let signed = mean_of("int16").unwrap();
        let bytes = |values: &[i16]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        assert_eq!(wrong_samples(&bytes(&[-3, -3, -2, -2]), 2, &bytes(&[-2]), 1, signed), 0);
    }

    #[test]
    fn nan_stays_nan() {
        let mean = mean_of("float32").unwrap();
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        let finer = bytes(&[f32::NAN, 1.0, 1.0, 1.0]);
        assert_eq!(wrong_samples(&finer, 2, &bytes(&[-f32::NAN]), 1, mean), 0);
        assert_eq!(wrong_samples(&finer, 2, &bytes(&[1.0]), 1, mean), 1);
    }

    #[test]
    fn complex_samples_are_averaged_by_parts() {
        let mean = mean_of("complex64").unwrap();
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        let finer = bytes(&[f32::NAN, 1.0, 1.0, 2.0, 1.0, 3.0, 1.0, 4.0]);
        assert_eq!(wrong_samples(&finer, 2, &bytes(&[-f32::NAN, 2.5]), 1, mean), 0);
        assert_eq!(wrong_samples(&finer, 2, &bytes(&[f32::NAN, 2.0]), 1, mean), 1);
    }

    #[test]
    fn every_type_that_is_written_has_a_mean() {
        for name in ["float16", "float64", "complex128"] {
            let mean = mean_of(name).unwrap();
            let zeros = vec![0; 4 * mean.size];
            assert_eq!(wrong_samples(&zeros, 2, &zeros[..mean.size], 1, mean), 0, "{name}");
            let other = vec![1; mean.size];
            assert_eq!(wrong_samples(&zeros, 2, &other, 1, mean), 1, "{name}");
        }
    }
}
