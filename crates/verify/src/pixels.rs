//! The pixel proof: every sample of every plane, decoded again from the source and from the store.

use fairzarr_ome_tiff::{Fileset, Image, Scratch};
use fairzarr_ome_zarr::{Hierarchy, OpenImage, Ranges, StoredArray};
use fairzarr_pixel::{PlaneIndex, Region, SampleType};
use fairzarr_task::{lock, try_for_each, unlocked};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::report::{Check, Difference, Differences, Proof, in_order};
use crate::statistics::{Counting, OfChannel};
use crate::{Context, Sample, readable};

/// Decoded bytes that are compared at a time.
const REGION_BYTES: u64 = 4 << 20;
/// The same, where one object holds several planes.
const OBJECT_BYTES: u64 = 128 << 20;

/// The proof, image by image; of those whose reduced levels were copied, also these are compared.
pub(crate) struct Pixels<'a> {
    source: &'a Fileset,
    images: usize,
    copied: BTreeSet<u64>,
    planes: u64,
    levels: u64,
    bytes: AtomicU64,
    differences: Differences,
}

impl<'a> Pixels<'a> {
    pub(crate) fn new(source: &'a Fileset, hierarchy: &Hierarchy) -> Self {
        let mut differences = Differences::new("regions");
        let images = hierarchy.images().len();
        if source.images().len() != images {
            let (expected, found) = (source.images().len().to_string(), images.to_string());
            differences.add(Difference::new("images", expected, found));
        }
        let copied = hierarchy.conversion().map(|conversion| conversion.copied_levels()).unwrap_or_default();
        let bytes = AtomicU64::new(0);
        Self { source, images, copied, planes: 0, levels: 0, bytes, differences }
    }

    /// Compares an image.
    pub(crate) fn image(
        &mut self,
        stored: &OpenImage<'_>,
        counting: Option<&Counting>,
        context: Context<'_>,
    ) -> Result<(), Error> {
        let Some(image) = self.source.images().get(stored.index) else { return Ok(()) };
        let count = if self.copied.contains(&(stored.index as u64)) { stored.levels.len() } else { 1 };
        self.levels += count as u64 - 1;
        for level in 0..count {
            let counting = counting.filter(|_| level == 0);
            let pair = Pair::new(level, image, stored, counting)?;
            let others = pair.shape_differences();
            if others.is_empty() {
                let shape = image.shape();
                if level == 0 {
                    self.planes += shape.t as u64 * shape.c as u64 * shape.z as u64;
                }
                pair.compare(context, &self.bytes, &mut self.differences)?;
            }
            self.differences.extend(others);
        }
        Ok(())
    }

    pub(crate) fn finish(self, sample: Sample) -> Check {
        let Self { images, planes, levels, bytes, differences, .. } = self;
        let share = match sample {
            sample if sample.is_part() => format!("a sample of {sample} of "),
            _ => String::new(),
        };
        let and_levels = match levels {
            0 => String::new(),
            _ => format!(" and {levels} reduced levels"),
        };
        let bytes = bytes.into_inner();
        let covered = format!("{share}{planes} planes of {images} images{and_levels}, {bytes} bytes");
        Check::new(Proof::Pixels, covered, differences.finish())
    }
}

/// One level of an image of the source, and its array.
struct Pair<'a> {
    index: usize,
    level: usize,
    /// Height and width; of a level that the source does not have 0.
    size: (u32, u32),
    image: &'a Image,
    array: &'a StoredArray,
    /// The dimension of each of t, c, z, y, x; `None` when the store has no such axis.
    dimensions: [Option<usize>; 5],
    counting: Option<&'a Counting>,
}

/// A rectangle of pages of the source that lie in the same objects of the store: time points, a group of channels,
/// sections.
#[derive(Clone)]
struct Part {
    t: Range<u32>,
    group: usize,
    z: Range<u32>,
    region: Region,
}

/// The same of one plane.
#[derive(Clone, Copy)]
struct Place {
    t: u32,
    c: u32,
    z: u32,
    region: Region,
}

impl<'a> Pair<'a> {
    fn new(
        level: usize,
        image: &'a Image,
        stored: &'a OpenImage<'_>,
        counting: Option<&'a Counting>,
    ) -> Result<Self, Error> {
        let refuse = |reason: &str| fairzarr_ome_zarr::Error::Metadata {
            path: stored.stored.path.clone(),
            reason: reason.into(),
        };
        let array = stored.levels.get(level).ok_or_else(|| refuse("the image has no resolution levels"))?;
        if stored.stored.multiscale.axes.len() != array.shape().len() {
            return Err(refuse("the number of axes is not that of the array's dimensions").into());
        }
        let dimensions = stored.dimensions();
        if dimensions[3].is_none() || dimensions[4].is_none() {
            return Err(refuse("the image has no y or no x axis").into());
        }
        let size = image.levels().get(level).map_or((0, 0), |level| (level.y, level.x));
        Ok(Self { index: stored.index, level, size, image, array, dimensions, counting })
    }

    /// Size by size, and the sample type.
    fn shape_differences(&self) -> Vec<Difference> {
        let shape = self.image.shape();
        let sizes = [shape.t, shape.c, shape.z, self.size.0, self.size.1];
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
        let sample_type = self.image.sample_type();
        // Bits may be stored as bytes, which is what this project does unless told otherwise.
        let bits_as_bytes = sample_type == SampleType::Bit;
        let expected = if bits_as_bytes { SampleType::Uint8 } else { sample_type };
        let found = self.array.data_type();
        if found != expected.zarr_v3() && !(bits_as_bytes && found == SampleType::Bit.zarr_v3()) {
            differences.push(self.difference("sample type", expected.zarr_v3().into(), found));
        }
        differences
    }

    fn difference(&self, what: &str, expected: String, found: String) -> Difference {
        let level = if self.level > 0 { format!(" level {}", self.level) } else { String::new() };
        Difference { place: format!("image {}{level}, {what}", self.index), expected, found }
    }

    fn compare(
        &self,
        context: Context<'_>,
        bytes: &AtomicU64,
        differences: &mut Differences,
    ) -> Result<(), Error> {
        let Context { options, job, .. } = context;
        let parts = options.sample.choose(self.parts(), (self.index as u64) << 8 | self.level as u64);
        // Runs of neighbouring parts, so that a thread decodes each tile or strip of the source once.
        let largest = parts.iter().map(|part| self.part_bytes(part)).max().unwrap_or_default();
        // A region is held as it is stored, decoded, and of the source.
        let threads = context.readers(3 * largest);
        let run = parts.len().div_ceil(threads * 4).max(1);
        let runs: Vec<&[Part]> = parts.chunks(run).collect();
        let found = Mutex::new(Vec::<Difference>::new());
        let name = |_: &&[Part]| format!("image {}, array {}", self.index, self.array.path());
        let state = || (Scratch::with_cache(16 << 20), Vec::new());
        try_for_each(&runs, threads, name, state, |(scratch, expected), run| -> Result<(), Error> {
            for part in *run {
                job.cancel.check()?;
                let (differences, compared) = self.compare_part(part, expected, scratch)?;
                bytes.fetch_add(compared, Ordering::Relaxed);
                job.progress.advance(compared);
                lock(&found).extend(differences);
            }
            Ok(())
        })?;
        differences.extend(in_order(unlocked(found)));
        Ok(())
    }

    /// The planes cut into regions that follow the store's objects, so that each is decoded once.
    fn parts(&self) -> Vec<Part> {
        let shape = self.image.shape();
        let (height, width) = self.size;
        let object = self.array.object_shape();
        let side = |dimension: usize, size: u32| {
            self.dimensions[dimension].map_or(1, |d| object[d]).clamp(1, size.max(1) as u64)
        };
        let (oh, ow) = (side(3, height), side(4, width));
        let pixel = self.image.sample_type().bytes() as u64;
        // Whole rows of objects if they fit, because strips are as wide as the image.
        let w = if oh * width as u64 * pixel <= REGION_BYTES { width as u64 } else { ow };
        let h = (REGION_BYTES / (w * pixel * oh).max(1)).max(1) * oh;
        let (h, w) = (h.min(height as u64) as u32, w as u32);
        let channels = self.image.channel_groups().iter().map(|group| group.len() as u64).max().unwrap_or(1);
        let (times, sections) = (side(0, shape.t), side(2, shape.z));
        // Several planes at a time where one object holds them, in the order in which they are compared.
        let in_order = self.dimensions[0].zip(self.dimensions[2]).is_none_or(|(t, z)| t < z);
        let together = in_order && times * sections * channels * h as u64 * w as u64 * pixel <= OBJECT_BYTES;
        let (times, sections) = if together { (times as u32, sections as u32) } else { (1, 1) };
        let cut = |size: u32, step: u32| {
            (0..size).step_by(step.max(1) as usize).map(move |at| at..size.min(at.saturating_add(step)))
        };
        let mut parts = Vec::new();
        for t in cut(shape.t, times) {
            for group in 0..self.image.channel_groups().len() {
                for z in cut(shape.z, sections) {
                    for (y, x) in cut(height, h).flat_map(|y| cut(width, w).map(move |x| (y.clone(), x))) {
                        let region =
                            Region { y: y.start, x: x.start, h: y.end - y.start, w: x.end - x.start };
                        parts.push(Part { t: t.clone(), group, z: z.clone(), region });
                    }
                }
            }
        }
        parts
    }

    /// Bytes of the samples of a part.
    fn part_bytes(&self, Part { t, group, z, region }: &Part) -> u64 {
        let planes = t.len() as u64 * z.len() as u64 * self.image.channel_groups()[*group].len() as u64;
        planes * region.h as u64 * region.w as u64 * self.image.sample_type().bytes() as u64
    }

    /// Differences, and how many bytes were compared.
    fn compare_part(
        &self,
        part: &Part,
        expected: &mut Vec<u8>,
        scratch: &mut Scratch,
    ) -> Result<(Vec<Difference>, u64), Error> {
        let Part { t, group, z, region } = part.clone();
        let channels = self.image.channel_groups()[group].clone();
        let sample = self.image.sample_type().bytes();
        let plane = region.h as usize * region.w as usize * sample;
        expected.resize(plane * channels.len(), 0);
        let read = |c| readable(self.array.read(&self.ranges(&t, c, &z, region)));
        let stored: Vec<Result<Vec<u8>, String>> =
            channels.clone().map(read).collect::<Result<_, Error>>()?;
        let mut differences = Vec::new();
        for (c, stored) in channels.clone().zip(&stored) {
            if let Err(error) = stored {
                let place = Place { t: t.start, c, z: z.start, region };
                differences.push(Difference {
                    place: self.place(place),
                    expected: "samples".into(),
                    found: error.clone(),
                });
            }
        }
        if let Some(counting) = self.counting {
            let read =
                channels.clone().zip(&stored).filter_map(|(c, stored)| Some((c, stored.as_ref().ok()?)));
            let planes = read.flat_map(|(c, stored)| {
                let pages = t.clone().flat_map(|t| z.clone().map(move |z| (u64::from(t), u64::from(z))));
                let of = pages.map(move |plane| OfChannel { channel: c.into(), plane });
                of.zip(stored.chunks_exact(plane.max(1)))
            });
            counting.add((region.y.into(), region.x.into()), region.w.into(), planes);
        }
        let pages = t.flat_map(|t| z.clone().map(move |z| (t, z)));
        let mut compared = 0;
        for (n, (t, z)) in pages.enumerate() {
            if self.image.has_plane(t, channels.start, z) {
                self.image.read(
                    self.level,
                    PlaneIndex { t, group: group as u32, z },
                    region,
                    expected,
                    scratch,
                )?;
            } else {
                // Promised and missing: the conversion was told to fill.
                expected.fill(0);
            }
            compared += expected.len() as u64;
            for ((c, stored), expected) in
                channels.clone().zip(&stored).zip(expected.chunks_exact(plane.max(1)))
            {
                let Ok(stored) = stored else { continue };
                let found = &stored[n * plane..][..plane];
                if found != expected {
                    differences.push(self.describe(Place { t, c, z, region }, sample, expected, found));
                }
            }
        }
        Ok((differences, compared))
    }

    fn ranges(&self, t: &Range<u32>, c: u32, z: &Range<u32>, region: Region) -> Ranges {
        let wanted = [
            t.start as u64..t.end as u64,
            c as u64..c as u64 + 1,
            z.start as u64..z.end as u64,
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

    fn place(&self, Place { t, c, z, region: Region { y, x, h, w } }: Place) -> String {
        format!(
            "image {}, plane t={t} c={c} z={z}, array {}, region y={y}..{} x={x}..{}",
            self.index,
            self.array.path(),
            y + h,
            x + w
        )
    }

    /// Names the first sample that differs, and how many do.
    fn describe(&self, place: Place, sample: usize, expected: &[u8], found: &[u8]) -> Difference {
        let pairs = || expected.chunks_exact(sample).zip(found.chunks_exact(sample));
        let count = pairs().filter(|(expected, found)| expected != found).count();
        let first = pairs().position(|(expected, found)| expected != found).unwrap_or(0);
        let Region { y, x, w, .. } = place.region;
        let (row, col) = (y as usize + first / w as usize, x as usize + first % w as usize);
        let value = |bytes: &[u8]| {
            let bytes = bytes.get(first * sample..(first + 1) * sample).unwrap_or_default();
            show(self.image.sample_type(), bytes)
        };
        Difference {
            place: format!("{}, first at y={row} x={col} ({count} samples differ)", self.place(place)),
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
