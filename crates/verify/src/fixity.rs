//! What can be proved of a store without its source: every object is there and decodes, and the samples and
//! documents have the digests that were recorded when they were converted.

use fairzarr_digest::{PlaneDigest, TILE, of_stored};
use fairzarr_ngff::chunk_key;
use fairzarr_pixel::Region;
use fairzarr_store::{Class, Store};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::documents::recorded;
use crate::engine::{Slab, StoredArray, plane_ranges};
use crate::parallel::{for_each, in_parallel, lock, unlocked};
use crate::recorded::{Digests, Recorded};
use crate::report::{Check, Difference};
use crate::store_images::StoredImage;
use crate::{Error, Options};

/// Differences that are listed of each kind; all are counted.
const LISTED: usize = 50;

/// Every chunk or shard that the arrays' grids call for is there, and nothing else is.
pub(crate) fn objects(
    store: &Store,
    root: &Map<String, Value>,
    images: &[StoredImage],
) -> Result<Check, Error> {
    let complete =
        root.get("fairzarr:conversion").is_some_and(|record| record.get("omit_empty") != Some(&true.into()));
    let mut differences = Vec::new();
    let mut count = 0u64;
    for image in images {
        for level in 0..image.multiscale.datasets.len() {
            let Some(path) = image.array_path(level) else { continue };
            let array = StoredArray::open(store, &path)?;
            let stored: BTreeMap<String, u64> = match store.list_if_allowed(&path)? {
                Some(listed) => listed.into_iter().collect(),
                None => in_parallel(grid(&array).collect(), |index| {
                    let key = chunk_key(image.version, &path, &index);
                    let size = match store.size(&key) {
                        Err(error) if error.class() == Class::Permission => None,
                        other => other?,
                    };
                    Ok(size.map(|size| (key, size)))
                })?
                .into_iter()
                .flatten()
                .collect(),
            };
            count += stored.len() as u64;
            let mut known: BTreeSet<&str> = BTreeSet::new();
            for index in grid(&array) {
                let key = chunk_key(image.version, &path, &index);
                match stored.get_key_value(&key) {
                    Some((key, size)) => {
                        known.insert(key);
                        if *size == 0 {
                            differences.push(difference(key.clone(), "a chunk", "an empty object"));
                        }
                    }
                    None if complete => differences.push(difference(key, "a chunk", "nothing")),
                    None => {}
                }
            }
            let metadata = ["zarr.json", ".zarray", ".zattrs"];
            let extra = stored.keys().filter(|key| {
                !known.contains(key.as_str())
                    && !metadata.iter().any(|name| key.strip_prefix(&path) == Some(&format!("/{name}")))
            });
            differences
                .extend(extra.map(|key| difference(key.clone(), "nothing", "an object outside of the grid")));
        }
    }
    Ok(limited("objects", format!("{count} objects by name"), differences))
}

/// Every index of the grid of stored objects.
fn grid(array: &StoredArray) -> impl Iterator<Item = Vec<u64>> {
    let counts: Vec<u64> = array
        .shape()
        .iter()
        .zip(array.object_shape())
        .map(|(size, side)| size.div_ceil((*side).max(1)))
        .collect();
    let total: u64 = counts.iter().product();
    (0..total).map(move |mut n| {
        let mut index = vec![0; counts.len()];
        for (place, count) in index.iter_mut().zip(&counts).rev() {
            *place = n % count;
            n /= count;
        }
        index
    })
}

/// Every sample of every level decodes, and those of full resolution have the recorded digests.
pub(crate) fn samples(store: &Store, images: &[StoredImage], options: &Options) -> Result<Check, Error> {
    let mut differences = Vec::new();
    let mut proved = 0;
    let mut bytes = 0;
    let digests = Digests::open(store)?;
    for (index, image) in images.iter().enumerate() {
        for level in 0..image.multiscale.datasets.len() {
            let Some(path) = image.array_path(level) else { continue };
            let array = StoredArray::open(store, &path)?;
            let recorded = digests.of(index, level, &array)?;
            proved += usize::from(level == 0 && recorded.is_some());
            let series = (index as u64) << 8 | level as u64;
            let (of_chunks, of_samples) = match recorded {
                Some(recorded) if recorded.tile_width == 0 => (Some(recorded), None),
                other => (None, other),
            };
            let (found, decoded) = decode(&array, of_samples.as_ref(), options, series);
            differences.extend(found);
            bytes += decoded;
            if let Some(recorded) = of_chunks {
                differences.extend(stored_chunks(&array, &recorded, options, series));
            }
        }
    }
    let share = match options.sample {
        sample if sample.is_part() => format!("a sample of {sample}, {bytes} bytes in whole rows,"),
        _ => "all samples".to_owned(),
    };
    let covered = format!(
        "{share} of {} images decoded; full resolution of {proved} compared with the recorded digests",
        images.len()
    );
    Ok(limited("samples", covered, differences))
}

/// Reads an array in bands of whole objects, on several threads.
fn decode(
    array: &StoredArray,
    recorded: Option<&Recorded<'_>>,
    options: &Options,
    series: u64,
) -> (Vec<Difference>, u64) {
    let shape = array.shape().to_vec();
    let [.., height, width] = shape[..] else { return (Vec::new(), 0) };
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
    for_each(
        &work,
        options.jobs,
        || (),
        |(), &(slab, y)| {
            let Slab { ranges, planes } = &slabs[slab];
            let h = band.min(height - y);
            let mut ranges = ranges.clone();
            ranges.extend([y..y + h, 0..width]);
            match array.read(&ranges) {
                Ok(pixels) => {
                    bytes.fetch_add(pixels.len() as u64, Ordering::Relaxed);
                    options.progress.fetch_add(pixels.len() as u64, Ordering::Relaxed);
                    let Some(recorded) = recorded else { return ControlFlow::Continue(()) };
                    let area = Region { y: y as u32, x: 0, h: h as u32, w: width as u32 };
                    let plane_bytes = pixels.len() / planes.len().max(1);
                    let sample = plane_bytes / (h * width).max(1) as usize;
                    for (plane, pixels) in planes.iter().zip(pixels.chunks_exact(plane_bytes.max(1))) {
                        let mut part = PlaneDigest::default();
                        part.add(area, sample, recorded.tile_width, pixels);
                        lock(&digests).entry(*plane).or_default().merge(part.tiles().clone());
                    }
                }
                Err(error) => {
                    let place = format!("{}, rows {y}..{}", plane_numbers(planes), y + h);
                    lock(&found).push(difference(place, "samples", &error.to_string()));
                }
            }
            ControlFlow::Continue(())
        },
    );
    let mut differences = unlocked(found);
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
                differences.push(difference(place, &format!("digest {expected:032x}"), &found));
            }
        }
    }
    (differences, bytes.into_inner())
}

/// What planes that are read together are called.
fn plane_numbers(planes: &[u64]) -> String {
    match planes {
        [plane] => format!("plane {plane}"),
        [first, .., last] => format!("planes {first} to {last}"),
        [] => "no plane".into(),
    }
}

/// Compares the stored bytes of chunks that were moved without being decoded.
fn stored_chunks(
    array: &StoredArray,
    recorded: &Recorded<'_>,
    options: &Options,
    series: u64,
) -> Vec<Difference> {
    let leading = &array.shape()[..array.shape().len() - 2];
    let planes: u64 = leading.iter().product();
    let rows = (0..planes).flat_map(|plane| (0..recorded.rows).map(move |row| (plane, row)));
    let chosen = options.sample.choose(rows.collect(), series);
    let found = Mutex::new(Vec::new());
    let chunks = array.stored_chunks();
    for_each(
        &chosen,
        options.jobs,
        || (),
        |(), &(plane, row)| {
            for col in 0..recorded.cols {
                let mut index: Vec<u64> =
                    plane_ranges(leading, plane).into_iter().map(|range| range.start).collect();
                index.extend([u64::from(row), u64::from(col)]);
                let expected = recorded.digest(plane, row, col);
                // A chunk that was left out has none.
                let computed = match chunks.read(&index) {
                    Ok(stored) => Ok(stored.map_or(0, |stored| of_stored(&stored))),
                    Err(error) => Err(error.to_string()),
                };
                if computed != Ok(expected) {
                    let place =
                        format!("array {}, plane {plane}, chunk at row {row} column {col}", array.path());
                    let computed = computed.map_or_else(|error| error, |digest| format!("{digest:032x}"));
                    let expected = format!("stored bytes with digest {expected:032x}");
                    lock(&found).push(difference(place, &expected, &computed));
                }
            }
            ControlFlow::Continue(())
        },
    );
    unlocked(found)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The documents that were recorded are there, with their SHA-256.
pub(crate) fn documents(store: &Store, root: &Map<String, Value>) -> Result<Check, Error> {
    let recorded = recorded(root);
    let mut differences = Vec::new();
    for source in &recorded {
        let text = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default();
        let found = match store.get(text("path"))? {
            Some(bytes) => Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
            None => "nothing".to_owned(),
        };
        if found != text("sha256") {
            differences.push(difference(text("path").into(), text("sha256"), &found));
        }
    }
    Ok(limited("documents", format!("{} recorded documents by SHA-256", recorded.len()), differences))
}

fn difference(place: String, expected: &str, found: &str) -> Difference {
    Difference { place, expected: expected.into(), found: found.into() }
}

fn limited(name: &'static str, covered: String, mut differences: Vec<Difference>) -> Check {
    let more = differences.len().saturating_sub(LISTED);
    differences.truncate(LISTED);
    if more > 0 {
        differences.push(difference(format!("{more} more places"), "no difference", "differences"));
    }
    Check { name, covered, differences }
}
