//! The proof of samples without the source: every object decodes, and the samples have the digests that were recorded when
//! they were converted.

use fairzarr_digest::{PlaneDigest, TILE, of_stored};
use fairzarr_ome_zarr::keys::DIGESTS;
use fairzarr_ome_zarr::{Digests, Hierarchy, OpenImage, Recorded, Slab, StoredArray, plane_ranges};
use fairzarr_pixel::Region;
use fairzarr_task::{lock, try_for_each, unlocked};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::report::{Check, Difference, Differences, Proof, in_order};
use crate::statistics::{Counting, OfChannel};
use crate::{Context, Sample, readable};

/// The proof, image by image.
pub(crate) struct Samples {
    digests: Digests,
    images: usize,
    /// Images whose full resolution has recorded digests.
    proved: usize,
    bytes: u64,
    differences: Differences,
}

impl Samples {
    pub(crate) fn new(hierarchy: &Hierarchy) -> Result<Self, Error> {
        let digests = Digests::open(hierarchy.store())?;
        Ok(Self { digests, images: 0, proved: 0, bytes: 0, differences: Differences::new("places") })
    }

    /// Decodes all levels of an image.
    pub(crate) fn image(
        &mut self,
        image: &OpenImage<'_>,
        counting: Option<&Counting>,
        context: Context<'_>,
    ) -> Result<(), Error> {
        let [t, c, z, ..] = image.dimensions();
        self.images += 1;
        for (level, array) in image.levels.iter().enumerate() {
            let recorded = self.digests.of(image.index, level, array)?;
            self.proved += usize::from(level == 0 && recorded.is_some());
            let series = (image.index as u64) << 8 | level as u64;
            let (of_chunks, of_samples) = match recorded {
                Some(recorded) if recorded.tile_width == 0 => (Some(recorded), None),
                other => (None, other),
            };
            let counting = counting.filter(|_| level == 0).map(|counting| (counting, [t, c, z]));
            let (found, decoded) = decode(array, of_samples.as_ref(), counting, context, series)?;
            self.differences.extend(found);
            self.bytes += decoded;
            if let Some(recorded) = of_chunks {
                self.differences.extend(stored_chunks(array, &recorded, context, series)?);
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, sample: Sample) -> Check {
        // Without its source, a store whose digests are gone could hold anything.
        if self.proved < self.images {
            let expected = format!("recorded digests of {} images", self.images);
            self.differences.add(Difference::new(DIGESTS, expected, format!("of {}", self.proved)));
        }
        let share = match sample {
            sample if sample.is_part() => {
                format!("a sample of {sample}, {} bytes in whole rows,", self.bytes)
            }
            _ => "all samples".to_owned(),
        };
        let covered = format!(
            "{share} of {} images decoded; full resolution of {} compared with the recorded digests",
            self.images, self.proved
        );
        Check::new(Proof::Samples, covered, self.differences.finish())
    }
}

/// Reads an array in bands of whole objects, on several threads; counts samples by the dimensions of time, channel and section.
fn decode(
    array: &StoredArray,
    recorded: Option<&Recorded<'_>>,
    counting: Option<(&Counting, [Option<usize>; 3])>,
    context: Context<'_>,
    series: u64,
) -> Result<(Vec<Difference>, u64), Error> {
    let Context { options, job, .. } = context;
    let shape = array.shape().to_vec();
    let [.., height, width] = shape[..] else { return Ok((Vec::new(), 0)) };
    let band = array.object_shape()[shape.len() - 2].clamp(1, height.max(1));
    let bands = height.div_ceil(band);
    // Of a sample, the smallest part has whole objects and whole tiles of digests.
    let step = TILE as u64 / gcd(TILE as u64, band);
    let groups = bands.div_ceil(step);
    let slabs = array.slabs(band);
    let chosen = options.sample.choose((0..slabs.len() as u64 * groups).collect(), series);
    let band_of = |group: &u64| {
        let (slab, first) = ((group / groups) as usize, group % groups * step);
        (first..bands.min(first + step)).map(move |n| (slab, n * band))
    };
    let work: Vec<(usize, u64)> = chosen.iter().flat_map(band_of).collect();
    let bytes = AtomicU64::new(0);
    let digests: Mutex<HashMap<u64, PlaneDigest>> = Mutex::default();
    let found = Mutex::new(Vec::new());
    let name = |(_, y): &(usize, u64)| format!("array {}, rows from {y}", array.path());
    try_for_each(
        &work,
        context.readers(2 * array.bytes_of_rows(band)),
        name,
        || (),
        |(), &(slab, y)| -> Result<(), Error> {
            job.cancel.check()?;
            let Slab { ranges, planes } = &slabs[slab];
            let h = band.min(height - y);
            let mut ranges = ranges.clone();
            ranges.extend([y..y + h, 0..width]);
            match readable(array.read(&ranges))? {
                Ok(pixels) => {
                    bytes.fetch_add(pixels.len() as u64, Ordering::Relaxed);
                    job.progress.advance(pixels.len() as u64);
                    let plane_bytes = pixels.len() / planes.len().max(1);
                    if let Some((counting, dimensions)) = counting {
                        let leading = &shape[..shape.len() - 2];
                        let place = |plane: u64| {
                            let ranges = plane_ranges(leading, plane);
                            let [t, c, z] = dimensions
                                .map(|at| at.and_then(|at| ranges.get(at)).map_or(0, |range| range.start));
                            OfChannel { channel: c, plane: (t, z) }
                        };
                        let places = planes.iter().map(|plane| place(*plane));
                        counting.add((y, 0), width, places.zip(pixels.chunks_exact(plane_bytes.max(1))));
                    }
                    let Some(recorded) = recorded else { return Ok(()) };
                    let area = Region { y: y as u32, x: 0, h: h as u32, w: width as u32 };
                    let sample = plane_bytes / (h * width).max(1) as usize;
                    for (plane, pixels) in planes.iter().zip(pixels.chunks_exact(plane_bytes.max(1))) {
                        let mut part = PlaneDigest::default();
                        part.add(area, sample, recorded.tile_width, pixels);
                        lock(&digests).entry(*plane).or_default().merge(part.tiles().clone());
                    }
                }
                Err(error) => {
                    let place = format!("{}, rows {y}..{}", plane_numbers(planes), y + h);
                    lock(&found).push(Difference::new(place, "samples", error));
                }
            }
            Ok(())
        },
    )?;
    job.cancel.check()?;
    let mut differences = in_order(unlocked(found));
    let digests = unlocked(digests);
    let planes =
        slabs.iter().enumerate().flat_map(|(n, slab)| slab.planes.iter().map(move |plane| (n, *plane)));
    for ((slab, plane), recorded) in
        recorded.into_iter().flat_map(|recorded| planes.clone().map(move |n| (n, recorded)))
    {
        let digest = digests.get(&plane);
        let is_chosen = |row: &u32| {
            let group = slab as u64 * groups + (*row as u64 * TILE as u64) / (step * band);
            chosen.binary_search(&group).is_ok()
        };
        let rows = (0..recorded.rows).filter(is_chosen);
        for (row, col) in rows.flat_map(|row| (0..recorded.cols).map(move |col| (row, col))) {
            let computed = digest.and_then(|digest| digest.tiles().get(&(row, col)));
            let expected = recorded.digest(plane, row, col);
            if computed != Some(&expected) {
                let (y, x) = (row * TILE, col * recorded.tile_width);
                let place = format!("array {}, plane {plane}, tile at y={y} x={x}", array.path());
                let found = computed
                    .map_or_else(|| "samples that could not be read".into(), |d| format!("digest {d:032x}"));
                differences.push(Difference::new(place, format!("digest {expected:032x}"), found));
            }
        }
    }
    Ok((differences, bytes.into_inner()))
}

/// What planes that are read together are called.
fn plane_numbers(planes: &[u64]) -> String {
    match planes {
        [plane] => format!("plane {plane}"),
        [first, .., last] => format!("planes {first} to {last}"),
        [] => "no plane".into(),
    }
}

/// About what a row of stored chunks has.
const ROW_BYTES: u64 = 4 << 20;

/// Compares the stored bytes of chunks that were moved without being decoded.
fn stored_chunks(
    array: &StoredArray,
    recorded: &Recorded<'_>,
    context: Context<'_>,
    series: u64,
) -> Result<Vec<Difference>, Error> {
    let Context { options, job, .. } = context;
    let leading = &array.shape()[..array.shape().len() - 2];
    let planes: u64 = leading.iter().product();
    let rows = (0..planes).flat_map(|plane| (0..recorded.rows).map(move |row| (plane, row)));
    let chosen = options.sample.choose(rows.collect(), series);
    let found = Mutex::new(Vec::new());
    let chunks = array.stored_chunks();
    let name = |(plane, row): &(u64, u32)| format!("array {}, plane {plane}, row {row}", array.path());
    try_for_each(
        &chosen,
        context.readers(ROW_BYTES),
        name,
        || (),
        |(), &(plane, row)| -> Result<(), Error> {
            job.cancel.check()?;
            for col in 0..recorded.cols {
                let mut index: Vec<u64> =
                    plane_ranges(leading, plane).into_iter().map(|range| range.start).collect();
                index.extend([u64::from(row), u64::from(col)]);
                let expected = recorded.digest(plane, row, col);
                // A chunk that was left out has none.
                let stored = readable(chunks.read(&index))?;
                let computed = stored.map(|stored| stored.map_or(0, |stored| of_stored(&stored)));
                if computed != Ok(expected) {
                    let place =
                        format!("array {}, plane {plane}, chunk at row {row} column {col}", array.path());
                    let computed = computed.map_or_else(|error| error, |digest| format!("{digest:032x}"));
                    let expected = format!("stored bytes with digest {expected:032x}");
                    lock(&found).push(Difference::new(place, expected, computed));
                }
            }
            Ok(())
        },
    )?;
    job.cancel.check()?;
    Ok(in_order(unlocked(found)))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
