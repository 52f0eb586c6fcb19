//! What four samples, two by two in y and x, become in the next level: computed in the plainest way, for every data type that is
//! written and every method that levels are made by.

use fairzarr_ngff::from_ome;
use half::f16;

/// Methods by which this program reduces, as a store calls them.
pub(crate) const METHODS: [&str; 4] = [MEAN, from_ome::NEAREST, MODE, MAX];
pub(crate) const MEAN: &str = "mean";
const MODE: &str = "mode";
const MAX: &str = "max";

/// Counts the samples of coarser rows that are not made of finer ones as they should be: the finer rows, their width, the coarser
/// rows, their width.
pub(crate) type Compare = fn(&[u8], usize, &[u8], usize) -> usize;

/// A stored sample that is reduced.
trait Halved: Copy {
    /// Bytes of a sample.
    const SIZE: usize = size_of::<Self>();

    /// A sample from its bytes.
    fn read(bytes: &[u8]) -> Self;

    /// The mean of the upper left, upper right, lower left and lower right sample.
    fn mean(four: [Self; 4]) -> Self;

    /// Whether two samples are the same; the bits of NaN may differ.
    fn same(self, other: Self) -> bool;

    /// Whether two samples have the same bits.
    fn identical(self, other: Self) -> bool;

    /// Whether this one is larger than `other`; any number is larger than what is none. Complex samples have no order.
    fn exceeds(self, other: Self) -> bool;
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

            fn identical(self, other: Self) -> bool {
                self == other
            }

            fn exceeds(self, other: Self) -> bool {
                self > other
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
                self.identical(other) || self.is_nan() && other.is_nan()
            }

            fn identical(self, other: Self) -> bool {
                self.to_bits() == other.to_bits()
            }

            fn exceeds(self, other: Self) -> bool {
                self > other || other.is_nan() && !self.is_nan()
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

    fn identical(self, other: Self) -> bool {
        self.real.identical(other.real) && self.imaginary.identical(other.imaginary)
    }

    fn exceeds(self, _: Self) -> bool {
        false
    }
}

/// How four samples become one.
trait Method {
    /// What the upper left, upper right, lower left and lower right sample become.
    fn of<T: Halved>(four: [T; 4]) -> T;
}

struct Mean;
struct Nearest;
struct Mode;
struct Max;

impl Method for Mean {
    fn of<T: Halved>(four: [T; 4]) -> T {
        T::mean(four)
    }
}

impl Method for Nearest {
    fn of<T: Halved>([first, ..]: [T; 4]) -> T {
        first
    }
}

impl Method for Mode {
    /// The one that there are most of, of several the first.
    fn of<T: Halved>(four: [T; 4]) -> T {
        let count = |wanted: &T| four.iter().filter(|sample| sample.identical(*wanted)).count();
        let most = four.iter().map(count).max();
        four.into_iter().find(|sample| Some(count(sample)) == most).unwrap_or(four[0])
    }
}

impl Method for Max {
    /// The first of the largest that are numbers; where none is one, any.
    fn of<T: Halved>([first, others @ ..]: [T; 4]) -> T {
        others.into_iter().fold(first, |found, sample| if sample.exceeds(found) { sample } else { found })
    }
}

/// How levels of a data type are compared that were made by a method; nothing where that is not known here.
pub(crate) fn comparison(method: &str, data_type: &str) -> Option<Compare> {
    match method {
        MEAN => of_type::<Mean>(data_type),
        from_ome::NEAREST => of_type::<Nearest>(data_type),
        MODE => of_type::<Mode>(data_type),
        MAX if !data_type.starts_with("complex") => of_type::<Max>(data_type),
        _ => None,
    }
}

fn of_type<M: Method>(data_type: &str) -> Option<Compare> {
    Some(match data_type {
        "uint8" | "bool" => wrong_samples::<u8, M>,
        "int8" => wrong_samples::<i8, M>,
        "uint16" => wrong_samples::<u16, M>,
        "int16" => wrong_samples::<i16, M>,
        "uint32" => wrong_samples::<u32, M>,
        "int32" => wrong_samples::<i32, M>,
        "uint64" => wrong_samples::<u64, M>,
        "int64" => wrong_samples::<i64, M>,
        "float16" => wrong_samples::<f16, M>,
        "float32" => wrong_samples::<f32, M>,
        "float64" => wrong_samples::<f64, M>,
        "complex64" => wrong_samples::<Complex<f32>, M>,
        "complex128" => wrong_samples::<Complex<f64>, M>,
        _ => return None,
    })
}

/// How many samples of the coarser rows are not made of the finer ones as they should be; where a side is not even, the last row or column
/// of the finer ones counts twice.
fn wrong_samples<T: Halved, M: Method>(
    finer: &[u8],
    finer_width: usize,
    coarser: &[u8],
    width: usize,
) -> usize {
    let (finer_row, row) = (finer_width * T::SIZE, width * T::SIZE);
    let mut wrong = 0;
    for (pair, found) in finer.chunks((2 * finer_row).max(1)).zip(coarser.chunks_exact(row.max(1))) {
        let (upper, lower) = pair.split_at(finer_row.min(pair.len()));
        let lower = if lower.is_empty() { upper } else { lower };
        let pairs = |row| <[u8]>::chunks(row, 2 * T::SIZE).map(two::<T>);
        for (([a, b], [c, d]), found) in pairs(upper).zip(pairs(lower)).zip(found.chunks_exact(T::SIZE)) {
            wrong += usize::from(!M::of([a, b, c, d]).same(T::read(found)));
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
        let wrong = comparison(MEAN, "uint8").unwrap();
        // 3 x 3 to 2 x 2.
        let finer = [0, 1, 10, 2, 3, 20, 5, 6, 30];
        assert_eq!(wrong(&finer, 3, &[2, 15, 6, 30], 2), 0);
        assert_eq!(wrong(&finer, 3, &[2, 15, 6, 31], 2), 1);
        let signed = comparison(MEAN, "int16").unwrap();
        let bytes = |values: &[i16]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        assert_eq!(signed(&bytes(&[-3, -3, -2, -2]), 2, &bytes(&[-2]), 1), 0);
    }

    #[test]
    fn nan_stays_nan() {
        let wrong = comparison(MEAN, "float32").unwrap();
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        let finer = bytes(&[f32::NAN, 1.0, 1.0, 1.0]);
        assert_eq!(wrong(&finer, 2, &bytes(&[-f32::NAN]), 1), 0);
        assert_eq!(wrong(&finer, 2, &bytes(&[1.0]), 1), 1);
    }

    #[test]
    fn complex_samples_are_averaged_by_parts() {
        let wrong = comparison(MEAN, "complex64").unwrap();
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
            let wrong = comparison(MEAN, name).unwrap();
            let zeros = vec![0; 4 * size];
            assert_eq!(wrong(&zeros, 2, &zeros[..size], 1), 0, "{name}");
            assert_eq!(wrong(&zeros, 2, &vec![1; size], 1), 1, "{name}");
            // The largest values do not overflow.
            let full = vec![0xff; 4 * size];
            assert_eq!(wrong(&full, 2, &full[..size], 1), 0, "{name}");
        }
    }

    #[test]
    fn each_method_is_computed_here() {
        let gives = |method: &str, four: [u8; 4], expected: u8| {
            let wrong = comparison(method, "uint8").unwrap();
            assert_eq!(wrong(&four, 2, &[expected], 1), 0, "{method} of {four:?}");
            assert_eq!(wrong(&four, 2, &[expected + 1], 1), 1, "{method} of {four:?}");
        };
        gives("mean", [1, 2, 3, 4], 3);
        gives("nearest", [7, 9, 1, 1], 7);
        gives("max", [7, 9, 1, 1], 9);
        gives("mode", [7, 9, 1, 1], 1);
        gives("mode", [7, 9, 9, 7], 7);
        gives("mode", [1, 2, 3, 4], 1);
    }

    #[test]
    fn the_largest_is_a_number_where_there_is_one_and_complex_samples_have_none() {
        let wrong = comparison("max", "float32").unwrap();
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        assert_eq!(wrong(&bytes(&[f32::NAN, -2.0, f32::NAN, -1.0]), 2, &bytes(&[-1.0]), 1), 0);
        assert!(comparison("max", "complex64").is_none() && comparison("gaussian", "uint8").is_none());
    }
}
