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
            match comparison(&coarser.data_type()) {
                Some(compare) => {
                    self.differences.extend(level_differences(finer, coarser, compare, context, series)?);
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
            let covered = "nothing: not made by this program";
            return Check::new(proof, covered, Vec::new());
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
        Check::new(proof, covered, differences.finish())
    }
}

/// Counts the samples of coarser rows that are not the means of finer ones: the finer rows, their width, the coarser rows, their
/// width.
type Compare = fn(&[u8], usize, &[u8], usize) -> usize;

/// A stored sample that is averaged.
trait Halved: Copy {
    /// Bytes of a sample.
    const SIZE: usize = size_of::<Self>();

    /// A sample from its bytes.
    fn read(bytes: &[u8]) -> Self;

    /// The mean of the upper left, upper right, lower left and lower right sample.
    fn mean(four: [Self; 4]) -> Self;

    /// Whether two samples are the same; the bits of NaN may differ.
    fn same(self, other: Self) -> bool;
}

/// Integers are rounded half up. The sum of four fits the wider type.
macro_rules! integers {
    ($($type:ty => $wide:ty),*) => {
        $(impl Halved for $type {
            fn read(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().unwrap_or_default())
            }

            fn mean([a, b, c, d]: [Self; 4]) -> Self {
                ((a as $wide + b as $wide + c as $wide + d as $wide + 2) >> 2) as Self
            }

            fn same(self, other: Self) -> bool {
                self == other
            }
        })*
    };
}

integers!(u8 => u16, i8 => i16, u16 => u32, i16 => i32, u32 => u64, i32 => i64, u64 => u128, i64 => i128);

/// Floats are added in pairs, the upper row first.
macro_rules! floats {
    ($($type:ty, |$four:ident| $mean:expr;)*) => {
        $(impl Halved for $type {
            fn read(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().unwrap_or_default())
            }

            fn mean($four: [Self; 4]) -> Self {
                $mean
            }

            fn same(self, other: Self) -> bool {
                self.to_bits() == other.to_bits() || self.is_nan() && other.is_nan()
            }
        })*
    };
}

floats! {
    f16, |four| {
        let [a, b, c, d] = four.map(f16::to_f32);
        f16::from_f32(((a + b) + (c + d)) * 0.25)
    };
    f32, |four| {
        let [a, b, c, d] = four.map(f64::from);
        (((a + b) + (c + d)) * 0.25) as f32
    };
    f64, |four| {
        let [a, b, c, d] = four.map(|sample| sample * 0.25);
        (a + b) + (c + d)
    };
}

/// Of complex numbers each part is averaged for itself.
#[derive(Clone, Copy)]
struct Complex<T> {
    real: T,
    imaginary: T,
}

impl<T: Halved> Halved for Complex<T> {
    fn read(bytes: &[u8]) -> Self {
        let (real, imaginary) = bytes.split_at(T::SIZE.min(bytes.len()));
        Self { real: T::read(real), imaginary: T::read(imaginary) }
    }

    fn mean(four: [Self; 4]) -> Self {
        Self { real: T::mean(four.map(|c| c.real)), imaginary: T::mean(four.map(|c| c.imaginary)) }
    }

    fn same(self, other: Self) -> bool {
        self.real.same(other.real) && self.imaginary.same(other.imaginary)
    }
}

fn comparison(data_type: &str) -> Option<Compare> {
    Some(match data_type {
        "uint8" | "bool" => wrong_samples::<u8>,
        "int8" => wrong_samples::<i8>,
        "uint16" => wrong_samples::<u16>,
        "int16" => wrong_samples::<i16>,
        "uint32" => wrong_samples::<u32>,
        "int32" => wrong_samples::<i32>,
        "uint64" => wrong_samples::<u64>,
        "int64" => wrong_samples::<i64>,
        "float16" => wrong_samples::<f16>,
        "float32" => wrong_samples::<f32>,
        "float64" => wrong_samples::<f64>,
        "complex64" => wrong_samples::<Complex<f32>>,
        "complex128" => wrong_samples::<Complex<f64>>,
        _ => return None,
    })
}

fn level_differences(
    finer: &StoredArray,
    coarser: &StoredArray,
    compare: Compare,
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
    let band = coarser.object_shape()[leading.len()].clamp(1, (*height).max(1));
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
                        let count = compare(from, *finer_width as usize, to, *width as usize);
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

/// How many samples of the coarser rows are not the means of the finer ones; where a side is not even, the last row or column
/// of the finer ones counts twice.
fn wrong_samples<T: Halved>(finer: &[u8], finer_width: usize, coarser: &[u8], width: usize) -> usize {
    let (finer_row, row) = (finer_width * T::SIZE, width * T::SIZE);
    let mut wrong = 0;
    for (pair, found) in finer.chunks((2 * finer_row).max(1)).zip(coarser.chunks_exact(row.max(1))) {
        let (upper, lower) = pair.split_at(finer_row.min(pair.len()));
        let lower = if lower.is_empty() { upper } else { lower };
        let pairs = |row| <[u8]>::chunks(row, 2 * T::SIZE).map(two::<T>);
        for (([a, b], [c, d]), found) in pairs(upper).zip(pairs(lower)).zip(found.chunks_exact(T::SIZE)) {
            wrong += usize::from(!T::mean([a, b, c, d]).same(T::read(found)));
        }
    }
    wrong
}

/// Two neighbours; a sample that has none to its right stands for both.
fn two<T: Halved>(bytes: &[u8]) -> [T; 2] {
    let (left, right) = bytes.split_at(T::SIZE.min(bytes.len()));
    let left_sample = T::read(left);
    [left_sample, if right.is_empty() { left_sample } else { T::read(right) }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_round_half_up_and_edges_repeat() {
        let wrong = comparison("uint8").unwrap();
        // 3 x 3 to 2 x 2.
        let finer = [0, 1, 10, 2, 3, 20, 5, 6, 30];
        assert_eq!(wrong(&finer, 3, &[2, 15, 6, 30], 2), 0);
        assert_eq!(wrong(&finer, 3, &[2, 15, 6, 31], 2), 1);
        let signed = comparison("int16").unwrap();
        let bytes = |values: &[i16]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        assert_eq!(signed(&bytes(&[-3, -3, -2, -2]), 2, &bytes(&[-2]), 1), 0);
    }

    #[test]
    fn nan_stays_nan() {
        let wrong = comparison("float32").unwrap();
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        let finer = bytes(&[f32::NAN, 1.0, 1.0, 1.0]);
        assert_eq!(wrong(&finer, 2, &bytes(&[-f32::NAN]), 1), 0);
        assert_eq!(wrong(&finer, 2, &bytes(&[1.0]), 1), 1);
    }

    #[test]
    fn complex_samples_are_averaged_by_parts() {
        let wrong = comparison("complex64").unwrap();
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        let finer = bytes(&[f32::NAN, 1.0, 1.0, 2.0, 1.0, 3.0, 1.0, 4.0]);
        assert_eq!(wrong(&finer, 2, &bytes(&[-f32::NAN, 2.5]), 1), 0);
        assert_eq!(wrong(&finer, 2, &bytes(&[f32::NAN, 2.0]), 1), 1);
    }

    #[test]
    fn every_type_that_is_written_has_a_mean() {
        for (name, size) in [
            ("bool", 1),
            ("uint8", 1),
            ("int8", 1),
            ("uint16", 2),
            ("int16", 2),
            ("uint32", 4),
            ("int32", 4),
            ("uint64", 8),
            ("int64", 8),
            ("float16", 2),
            ("float32", 4),
            ("float64", 8),
            ("complex64", 8),
            ("complex128", 16),
        ] {
            let wrong = comparison(name).unwrap();
            let zeros = vec![0; 4 * size];
            assert_eq!(wrong(&zeros, 2, &zeros[..size], 1), 0, "{name}");
            assert_eq!(wrong(&zeros, 2, &vec![1; size], 1), 1, "{name}");
            // The largest values do not overflow.
            let full = vec![0xff; 4 * size];
            assert_eq!(wrong(&full, 2, &full[..size], 1), 0, "{name}");
        }
    }
}
