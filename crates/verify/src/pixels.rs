//! The pixel proof: every sample of every plane, decoded again from the source and from the store.

use fairzarr_ome_tiff::{Fileset, Image, PlaneIndex, Region, SampleType, Scratch};
use fairzarr_store::Store;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::engine::{Ranges, StoredArray};
use crate::report::{Check, Difference};
use crate::store_images::StoredImage;
use crate::{Error, Options};

/// Decoded bytes that are compared at a time.
const REGION_BYTES: u64 = 4 << 20;
/// Differences that are listed; all are counted.
const LISTED: usize = 50;

/// Compares all images.
pub(crate) fn compare(
    source: &Fileset,
    store: &Store,
    stored: &[StoredImage],
    options: &Options,
) -> Result<Check, Error> {
    let mut differences = Vec::new();
    if source.images().len() != stored.len() {
        differences.push(Difference {
            place: "images".into(),
            expected: source.images().len().to_string(),
            found: stored.len().to_string(),
        });
    }
    let mut planes = 0u64;
    let bytes = AtomicU64::new(0);
    for (index, (image, stored)) in source.images().iter().zip(stored).enumerate() {
        let pair = Pair::new(index, image, store, stored)?;
        differences.extend(pair.shape_differences());
        if differences.is_empty() {
            let shape = image.shape();
            planes += shape.t as u64 * shape.c as u64 * shape.z as u64;
            differences.extend(pair.compare(options, &bytes)?);
        }
    }
    let share = match options.sample {
        sample if sample.is_part() => format!("a sample of {sample} of "),
        _ => String::new(),
    };
    let covered =
        format!("{share}{planes} planes of {} images, {} bytes", stored.len(), bytes.load(Ordering::Relaxed));
    Ok(Check { name: "pixels", covered, differences })
}

/// One image of the source and its full-resolution array.
struct Pair<'a> {
    index: usize,
    image: &'a Image,
    array: StoredArray,
    /// The dimension of each of t, c, z, y, x; `None` when the store has no such axis.
    dimensions: [Option<usize>; 5],
}

/// A rectangle of one page of the source: time point, group of channels, section.
#[derive(Clone, Copy)]
struct Part {
    t: u32,
    group: usize,
    z: u32,
    region: Region,
}

impl<'a> Pair<'a> {
    fn new(index: usize, image: &'a Image, store: &Store, stored: &StoredImage) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Metadata { path: stored.path.clone(), reason: reason.into() };
        let path = stored.array_path(0).ok_or_else(|| refuse("the image has no resolution levels"))?;
        let array = StoredArray::open(store, &path)?;
        let axes = &stored.multiscale.axes;
        if axes.len() != array.shape().len() {
            return Err(refuse("the number of axes is not that of the array's dimensions"));
        }
        let dimensions = ["t", "c", "z", "y", "x"].map(|name| axes.iter().position(|axis| axis.name == name));
        if dimensions[3].is_none() || dimensions[4].is_none() {
            return Err(refuse("the image has no y or no x axis"));
        }
        Ok(Self { index, image, array, dimensions })
    }

    /// Size by size, and the sample type.
    fn shape_differences(&self) -> Vec<Difference> {
        let shape = self.image.shape();
        let sizes = [shape.t, shape.c, shape.z, shape.y, shape.x];
        let mut differences = Vec::new();
        for ((name, size), dimension) in ["T", "C", "Z", "Y", "X"].iter().zip(sizes).zip(self.dimensions) {
            let found = dimension.map_or(1, |dimension| self.array.shape()[dimension]);
            if found != size as u64 {
                differences.push(self.difference(
                    &format!("Size{name}"),
                    size.to_string(),
                    found.to_string(),
                ));
            }
        }
        let expected = zarr_type(self.image.sample_type());
        let found = self.array.data_type();
        if !expected.contains(&found.as_str()) {
            differences.push(self.difference("sample type", expected[0].into(), found));
        }
        differences
    }

    fn difference(&self, what: &str, expected: String, found: String) -> Difference {
        Difference { place: format!("image {}, {what}", self.index), expected, found }
    }

    fn compare(&self, options: &Options, bytes: &AtomicU64) -> Result<Vec<Difference>, Error> {
        let parts = options.sample.choose(self.parts(), self.index as u64);
        // Runs of neighbouring parts, so that a thread decodes each tile or strip of the source once.
        let jobs = options.jobs.max(1);
        let run = parts.len().div_ceil(jobs * 4).max(1);
        let runs: Vec<&[Part]> = parts.chunks(run).collect();
        let next = AtomicUsize::new(0);
        let found = Mutex::new((Vec::<Difference>::new(), 0usize));
        let failure = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..jobs.min(runs.len()) {
                scope.spawn(|| {
                    let mut scratch = Scratch::with_cache(16 << 20);
                    let mut expected = Vec::new();
                    while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        for part in *run {
                            match self.compare_part(*part, &mut expected, &mut scratch) {
                                Ok(differences) => {
                                    bytes.fetch_add(expected.len() as u64, Ordering::Relaxed);
                                    options.progress.fetch_add(expected.len() as u64, Ordering::Relaxed);
                                    let mut found = lock(&found);
                                    found.1 += differences.len();
                                    let room = LISTED.saturating_sub(found.0.len());
                                    found.0.extend(differences.into_iter().take(room));
                                }
                                Err(error) => {
                                    lock(&failure).get_or_insert(error);
                                    next.store(usize::MAX / 2, Ordering::Relaxed);
                                    return;
                                }
                            }
                        }
                    }
                });
            }
        });
        if let Some(error) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            return Err(error);
        }
        let (mut listed, count) = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if count > listed.len() {
            listed.push(self.difference(
                &format!("{} more regions", count - listed.len()),
                "equal samples".into(),
                "different ones".into(),
            ));
        }
        Ok(listed)
    }

    /// The planes cut into regions that follow the store's objects, so that each is decoded once.
    fn parts(&self) -> Vec<Part> {
        let shape = self.image.shape();
        let object = self.array.object_shape();
        let side = |dimension: usize, size: u32| {
            self.dimensions[dimension].map_or(1, |d| object[d]).clamp(1, size.max(1) as u64)
        };
        let (oh, ow) = (side(3, shape.y), side(4, shape.x));
        let pixel = self.image.sample_type().bytes() as u64;
        // Whole rows of objects if they fit, because strips are as wide as the image.
        let w = if oh * shape.x as u64 * pixel <= REGION_BYTES { shape.x as u64 } else { ow };
        let h = (REGION_BYTES / (w * pixel * oh).max(1)).max(1) * oh;
        let (h, w) = (h.min(shape.y as u64) as u32, w as u32);
        let mut parts = Vec::new();
        for t in 0..shape.t {
            for group in 0..self.image.channel_groups().len() {
                for z in 0..shape.z {
                    for y in (0..shape.y).step_by(h.max(1) as usize) {
                        for x in (0..shape.x).step_by(w.max(1) as usize) {
                            let region = Region { y, x, h: h.min(shape.y - y), w: w.min(shape.x - x) };
                            parts.push(Part { t, group, z, region });
                        }
                    }
                }
            }
        }
        parts
    }

    fn compare_part(
        &self,
        part: Part,
        expected: &mut Vec<u8>,
        scratch: &mut Scratch,
    ) -> Result<Vec<Difference>, Error> {
        let Part { t, group, z, region } = part;
        let channels = self.image.channel_groups()[group].clone();
        let sample = self.image.sample_type().bytes();
        let plane = region.h as usize * region.w as usize * sample;
        expected.resize(plane * channels.len(), 0);
        if self.image.has_plane(t, channels.start, z) {
            self.image.read(0, PlaneIndex { t, group, z }, region, expected, scratch)?;
        } else {
            // Promised and missing: the conversion was told to fill.
            expected.fill(0);
        }
        let mut differences = Vec::new();
        for (c, expected) in channels.zip(expected.chunks_exact(plane.max(1))) {
            match self.array.read(&self.ranges(t, c, z, region)) {
                Ok(found) if found == expected => {}
                Ok(found) => differences.push(self.describe(part, c, sample, expected, &found)),
                // A chunk that does not decode is a finding like any other, and must not end the search.
                Err(error) => differences.push(Difference {
                    place: self.place(part, c),
                    expected: "samples".into(),
                    found: error.to_string(),
                }),
            }
        }
        Ok(differences)
    }

    fn ranges(&self, t: u32, c: u32, z: u32, region: Region) -> Ranges {
        let wanted = [
            t as u64..t as u64 + 1,
            c as u64..c as u64 + 1,
            z as u64..z as u64 + 1,
            region.y as u64..region.y as u64 + region.h as u64,
            region.x as u64..region.x as u64 + region.w as u64,
        ];
        let mut ranges = vec![0..1; self.array.shape().len()];
        for (dimension, range) in self.dimensions.iter().zip(wanted) {
            if let Some(dimension) = dimension {
                ranges[*dimension] = range;
            }
        }
        ranges
    }

    fn place(&self, part: Part, c: u32) -> String {
        let Region { y, x, h, w } = part.region;
        format!(
            "image {}, plane t={} c={c} z={}, array {}, region y={y}..{} x={x}..{}",
            self.index,
            part.t,
            part.z,
            self.array.path(),
            y + h,
            x + w
        )
    }

    /// Names the first sample that differs, and how many do.
    fn describe(&self, part: Part, c: u32, sample: usize, expected: &[u8], found: &[u8]) -> Difference {
        let pairs = || expected.chunks_exact(sample).zip(found.chunks_exact(sample));
        let count = pairs().filter(|(expected, found)| expected != found).count();
        let first = pairs().position(|(expected, found)| expected != found).unwrap_or(0);
        let Region { y, x, w, .. } = part.region;
        let (row, col) = (y as usize + first / w as usize, x as usize + first % w as usize);
        let value = |bytes: &[u8]| {
            let bytes = bytes.get(first * sample..(first + 1) * sample).unwrap_or_default();
            show(self.image.sample_type(), bytes)
        };
        Difference {
            place: format!("{}, first at y={row} x={col} ({count} samples differ)", self.place(part, c)),
            expected: value(expected),
            found: value(found),
        }
    }
}

/// A sample as a person reads it.
fn show(sample: SampleType, bytes: &[u8]) -> String {
    fn number<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes.try_into().unwrap_or([0; N])
    }
    match sample {
        SampleType::Bit | SampleType::Uint8 => u8::from_le_bytes(number(bytes)).to_string(),
        SampleType::Int8 => i8::from_le_bytes(number(bytes)).to_string(),
        SampleType::Uint16 => u16::from_le_bytes(number(bytes)).to_string(),
        SampleType::Int16 => i16::from_le_bytes(number(bytes)).to_string(),
        SampleType::Uint32 => u32::from_le_bytes(number(bytes)).to_string(),
        SampleType::Int32 => i32::from_le_bytes(number(bytes)).to_string(),
        SampleType::Float => f32::from_le_bytes(number(bytes)).to_string(),
        SampleType::Double => f64::from_le_bytes(number(bytes)).to_string(),
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Zarr data types that hold a sample type's values; the first is what this project writes.
fn zarr_type(sample: SampleType) -> &'static [&'static str] {
    match sample {
        SampleType::Bit => &["uint8", "bool"],
        SampleType::Uint8 => &["uint8"],
        SampleType::Int8 => &["int8"],
        SampleType::Uint16 => &["uint16"],
        SampleType::Int16 => &["int16"],
        SampleType::Uint32 => &["uint32"],
        SampleType::Int32 => &["int32"],
        SampleType::Uint64 => &["uint64"],
        SampleType::Int64 => &["int64"],
        SampleType::Float16 => &["float16"],
        SampleType::Float => &["float32"],
        SampleType::Double => &["float64"],
        SampleType::ComplexFloat => &["complex64"],
        SampleType::ComplexDouble => &["complex128"],
        _ => &["a type that Zarr has"],
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
