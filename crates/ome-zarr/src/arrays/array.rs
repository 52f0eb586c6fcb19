//! Reading arrays through the Zarr engine.

use fairzarr_ome_xml::ByteOrder;
use fairzarr_store::{Class, Store};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use zarrs::array::{
    Array, ArrayBytes, ArrayError, ArrayShardedExt, ArrayShardedReadableExt, ArrayShardedReadableExtCache,
    ArraySubset, CodecOptions,
};
use zarrs::plugin::{ExtensionName, ZarrVersion};
use zarrs::storage::byte_range::{ByteRange, ByteRangeIterator};
use zarrs::storage::{MaybeBytesIterator, ReadableStorageTraits, StorageError, StoreKey};

use crate::Error;

/// One array, opened for reading. Samples are decoded with all checksums compared.
pub struct StoredArray {
    path: String,
    array: Array<Reader>,
    reader: Arc<Reader>,
    chunk: Vec<u64>,
}

/// Stored objects of one array; more are a sign of damaged metadata.
const MOST_OBJECTS: u64 = 1 << 28;

/// A rectangle in an array: first index and size, by dimension.
pub type Ranges = Vec<std::ops::Range<u64>>;

/// The range of one plane along the leading dimensions, planes counted in C order.
pub fn plane_ranges(leading: &[u64], plane: u64) -> Ranges {
    let mut ranges = vec![0..0; leading.len()];
    let mut rest = plane;
    for (range, size) in ranges.iter_mut().zip(leading).rev() {
        *range = rest % size..rest % size + 1;
        rest /= size;
    }
    ranges
}

/// Planes that lie in the same objects, and are read together so that each object is decoded once.
pub struct Slab {
    /// Along the leading dimensions.
    pub ranges: Ranges,
    /// Their numbers in C order, in which their samples follow each other.
    pub planes: Vec<u64>,
}

/// Decoded bytes of a slab's rows; more, and planes are read one by one.
const SLAB_BYTES: u64 = 256 << 20;

impl StoredArray {
    /// Opens the array at `path` below the store's root.
    ///
    /// # Errors
    /// When there is none, or its metadata cannot be understood or cannot be true.
    pub fn open(store: &Store, path: &str) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Array { path: path.into(), reason };
        super::bounded::register();
        fairzarr_task::shared_threads()?;
        let reader = Arc::new(Reader::new(store));
        let array = Array::open(Arc::clone(&reader), &format!("/{path}"))
            .map_err(|error| reader.failure().unwrap_or_else(|| refuse(error.to_string())))?;
        let chunk = array
            .chunk_shape(&vec![0; array.dimensionality()])
            .map_err(|error| refuse(error.to_string()))?
            .iter()
            .map(|side| side.get())
            .collect::<Vec<u64>>();
        let pieces = array
            .shape()
            .iter()
            .zip(&chunk)
            .try_fold(1u64, |all, (size, side)| all.checked_mul(size.div_ceil((*side).max(1))));
        let samples = array.shape().iter().try_fold(16u64, |all, size| all.checked_mul(*size));
        if samples.is_none() || pieces.is_none_or(|pieces| pieces > MOST_OBJECTS) {
            return Err(refuse(format!("shape {:?} in pieces of {chunk:?} cannot be real", array.shape())));
        }
        Ok(Self { path: path.into(), array, reader, chunk })
    }

    /// Its path below the store's root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its size, by dimension.
    pub fn shape(&self) -> &[u64] {
        self.array.shape()
    }

    /// Shape of what is stored as one object: a chunk, or a shard.
    pub fn object_shape(&self) -> &[u64] {
        &self.chunk
    }

    /// Decoded bytes of one object. Objects are decoded whole.
    pub fn object_bytes(&self) -> u64 {
        let sample = self.array.data_type().fixed_size().unwrap_or(1) as u64;
        self.chunk.iter().fold(sample, |all, side| all.saturating_mul(*side))
    }

    /// The data type's name in Zarr v3.
    pub fn data_type(&self) -> String {
        self.array
            .data_type()
            .name(ZarrVersion::V3)
            .map_or_else(|| "unknown".into(), std::borrow::Cow::into_owned)
    }

    /// All planes, in slabs of those that `rows` rows at a time are read of.
    pub fn slabs(&self, rows: u64) -> Vec<Slab> {
        let [leading @ .., _, width] = self.shape() else { return Vec::new() };
        let within = |side: &u64, size: &u64| (*side).clamp(1, (*size).max(1));
        let mut depths: Vec<u64> =
            self.chunk.iter().zip(leading).map(|(side, size)| within(side, size)).collect();
        let sample = self.array.data_type().fixed_size().unwrap_or(1) as u64;
        let bytes = depths.iter().chain([&rows, width]).try_fold(sample, |all, side| all.checked_mul(*side));
        if bytes.is_none_or(|bytes| bytes > SLAB_BYTES) {
            depths.fill(1);
        }
        let counts: Vec<u64> =
            leading.iter().zip(&depths).map(|(size, depth)| size.div_ceil(*depth)).collect();
        let slab = |n: u64| {
            let cut = |((range, depth), size): ((std::ops::Range<u64>, &u64), &u64)| {
                range.start * depth..size.min(&((range.start + 1) * depth)).to_owned()
            };
            let ranges: Ranges =
                plane_ranges(&counts, n).into_iter().zip(&depths).zip(leading).map(cut).collect();
            let number = |index: Vec<u64>| index.iter().zip(leading).fold(0, |n, (at, size)| n * size + at);
            let subset = ArraySubset::new_with_ranges(&ranges);
            let planes = subset.indices().iter().map(|index| number(index.to_vec())).collect();
            Slab { ranges, planes }
        };
        (0..counts.iter().product()).map(slab).collect()
    }

    /// Bytes of so many rows of it, as many planes of them as lie in the same objects.
    pub fn bytes_of_rows(&self, rows: u64) -> u64 {
        let sample = self.array.data_type().fixed_size().unwrap_or(1) as u64;
        let width = self.shape().last().copied().unwrap_or(1);
        let depth = self.chunk.iter().rev().skip(2).zip(self.shape().iter().rev().skip(2));
        let depth = depth.map(|(side, size)| *side.min(size));
        depth.chain([rows, width]).fold(sample, u64::saturating_mul).min(SLAB_BYTES)
    }

    /// The order of the bytes of its samples, where they are stored; little-endian if they are of one byte.
    ///
    /// # Errors
    /// When its metadata cannot be shown as JSON.
    pub fn byte_order(&self) -> Result<ByteOrder, Error> {
        let document = serde_json::to_value(self.array.metadata())
            .map_err(|error| Error::Array { path: self.path.clone(), reason: error.to_string() })?;
        let big = document["dtype"].as_str().is_some_and(|name| name.starts_with('>'))
            || bytes_codec(&document["codecs"])
                .is_some_and(|codec| codec["configuration"]["endian"] == "big");
        Ok(if big { ByteOrder::Big } else { ByteOrder::Little })
    }

    /// Shape of a chunk: within its shard, where there are shards.
    pub fn chunk_shape(&self) -> Vec<u64> {
        match self.array.subchunk_shape() {
            Some(chunk) => chunk.iter().map(|side| side.get()).collect(),
            None => self.chunk.clone(),
        }
    }

    /// The stored bytes of chunks, as they stand in their objects or shards.
    pub fn stored_chunks(&self) -> StoredChunks<'_> {
        StoredChunks { of: self, shards: ArrayShardedReadableExtCache::new(&self.array) }
    }

    /// Decoded samples of a rectangle, in C order, in this machine's byte order.
    ///
    /// Objects are decoded whole: only then are their checksums compared, and a cut-off object is an error.
    ///
    /// # Errors
    /// When an object cannot be read or decoded, or the rectangle is not within the array.
    pub fn read(&self, ranges: &[std::ops::Range<u64>]) -> Result<Vec<u8>, Error> {
        let refuse = |reason: String| Error::Array { path: self.path.clone(), reason };
        let sample =
            self.array.data_type().fixed_size().ok_or_else(|| refuse("its samples vary in size".into()))?;
        let lengths: Vec<u64> = ranges.iter().map(|range| range.end.saturating_sub(range.start)).collect();
        let bounded = |shape: &[u64]| {
            let bytes = shape.iter().try_fold(sample as u64, |product, side| product.checked_mul(*side));
            match bytes.filter(|bytes| *bytes <= MOST_BYTES).and_then(|bytes| usize::try_from(bytes).ok()) {
                Some(bytes) => Ok(bytes),
                None => Err(refuse(format!(
                    "{shape:?} samples are too many to be decoded at once: at most {MOST_BYTES} bytes are"
                ))),
            }
        };
        let wanted_bytes = bounded(&lengths)?;
        let wanted = ArraySubset::new_with_ranges(ranges);
        let failed =
            |error: &dyn std::error::Error| self.reader.failure().unwrap_or_else(|| refuse(chain(error)));
        let objects = self
            .array
            .chunks_in_array_subset(&wanted)
            .map_err(|error| failed(&error))?
            .ok_or_else(|| refuse(format!("{ranges:?} is outside of it")))?;
        let options = CodecOptions::default().with_concurrent_target(1);
        // An object that is not there takes no memory, whatever its size would be.
        let fill = self.array.fill_value().as_ne_bytes();
        let mut samples = match fill {
            fill if fill.len() != sample => return Err(refuse("its fill value is not one sample".into())),
            fill if fill.iter().all(|byte| *byte == 0) => vec![0; wanted_bytes],
            fill => fill.repeat(wanted_bytes / sample),
        };
        for index in &objects.indices() {
            if let Err(too_large) = bounded(&self.chunk) {
                match self.array.retrieve_encoded_chunk(&index).map_err(|error| failed(&error))? {
                    Some(_) => return Err(too_large),
                    None => continue,
                }
            }
            let decode = || {
                self.array
                    .retrieve_chunk_if_exists_opt::<ArrayBytes<'static>>(&index, &options)
                    .and_then(|bytes| bytes.map(|bytes| Ok(bytes.into_fixed()?.into_owned())).transpose())
            };
            // The engine reckons with the numbers of a shard's index before it looks at them.
            let object = fairzarr_task::caught(|| format!("the object at {index:?}"), decode)
                .map_err(|error| failed(&error))?
                .map_err(|error| failed(&error))?;
            let Some(object) = object else { continue };
            let from: Ranges =
                index.iter().zip(&self.chunk).map(|(n, side)| n * side..(n + 1) * side).collect();
            copy(&object, &from, &mut samples, ranges, sample);
        }
        Ok(samples)
    }
}

/// Reads chunks without decoding them; the indices of shards are kept.
pub struct StoredChunks<'a> {
    of: &'a StoredArray,
    shards: ArrayShardedReadableExtCache,
}

impl StoredChunks<'_> {
    /// The bytes of the chunk at an index of the grid of chunks; `None` where there is none.
    ///
    /// # Errors
    /// When the chunk, or the index of its shard, cannot be read.
    pub fn read(&self, index: &[u64]) -> Result<Option<Vec<u8>>, Error> {
        let array = &self.of.array;
        let found = if array.is_sharded() {
            array.retrieve_encoded_subchunk(&self.shards, index)
        } else {
            array.retrieve_encoded_chunk(index).map_err(ArrayError::from)
        };
        found.map_err(|error| {
            let reason = chain(&error);
            let undecodable = || Error::Array { path: self.of.path.clone(), reason };
            self.of.reader.failure().unwrap_or_else(undecodable)
        })
    }
}

/// The codec among these that turns samples into bytes: that of the chunks, where they lie in shards.
fn bytes_codec(codecs: &Value) -> Option<&Value> {
    codecs.as_array()?.iter().find_map(|codec| match codec["name"].as_str()? {
        "bytes" => Some(codec),
        "sharding_indexed" => bytes_codec(&codec["configuration"]["codecs"]),
        _ => None,
    })
}

/// What one object or one rectangle may hold, decoded.
const MOST_BYTES: u64 = 4 << 30;

/// Copies what two rectangles of one array share, row by row; both lie in C order.
fn copy(
    source: &[u8],
    from: &[std::ops::Range<u64>],
    target: &mut [u8],
    to: &[std::ops::Range<u64>],
    sample: usize,
) {
    let shared: Ranges = from.iter().zip(to).map(|(a, b)| a.start.max(b.start)..a.end.min(b.end)).collect();
    let Some(row) = shared.last().map(|range| range.start..range.start + 1) else {
        target.copy_from_slice(source);
        return;
    };
    let bytes = shared.last().map_or(0, |range| (range.end - range.start) as usize * sample);
    // The first sample of each row: all other dimensions run, the last one stands.
    let mut starts = shared[..shared.len() - 1].to_vec();
    starts.push(row);
    for start in &ArraySubset::new_with_ranges(&starts).indices() {
        let at = |ranges: &[std::ops::Range<u64>]| {
            let place = start.iter().zip(ranges);
            place.fold(0, |at, (n, range)| at * (range.end - range.start) + (n - range.start)) as usize
                * sample
        };
        target[at(to)..][..bytes].copy_from_slice(&source[at(from)..][..bytes]);
    }
}

/// Our store as the engine's storage.
#[derive(Debug)]
struct Reader {
    store: Store,
    /// The last failure of the place. The engine keeps only text, from which nobody could tell it from a damaged object.
    failure: Mutex<Option<fairzarr_store::Error>>,
}

impl Reader {
    fn new(store: &Store) -> Self {
        Self { store: store.clone(), failure: Mutex::default() }
    }

    /// The failure of the place, if it was that which the engine met. Of several threads that read one array one takes it:
    /// whatever the others say, the place has failed.
    fn failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take().map(Error::Store)
    }

    /// Keeps an error if it is one of the place. A refusal is one as well where it comes from a server, since credentials end.
    fn refuse(&self, error: fairzarr_store::Error) -> StorageError {
        let told = StorageError::Other(chain(&error));
        if error.is_of_place() || self.store.is_remote() && error.class() == Class::Permission {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        told
    }
}

impl ReadableStorageTraits for Reader {
    fn get_partial_many<'a>(
        &'a self,
        key: &StoreKey,
        byte_ranges: ByteRangeIterator<'a>,
    ) -> Result<MaybeBytesIterator<'a>, StorageError> {
        let refuse = |error: fairzarr_store::Error| self.refuse(error);
        let mut parts = Vec::new();
        for range in byte_ranges {
            let part = match range {
                // Which version of metadata an array has is found by asking for each.
                ByteRange::FromStart(0, None) if is_metadata(key) => self.store.probe(key.as_str()),
                ByteRange::FromStart(0, None) => self.store.get(key.as_str()),
                ByteRange::Suffix(length) => self.store.get_suffix(key.as_str(), length),
                ByteRange::FromStart(start, Some(length)) => {
                    self.store.get_range(key.as_str(), start..start.saturating_add(length))
                }
                ByteRange::FromStart(start, None) => match self.store.size(key.as_str()).map_err(refuse)? {
                    Some(size) => self.store.get_range(key.as_str(), start..size.max(start)),
                    None => return Ok(None),
                },
            };
            match part.map_err(refuse)? {
                Some(part) => parts.push(Ok(part)),
                None => return Ok(None),
            }
        }
        Ok(Some(Box::new(parts.into_iter())))
    }

    fn size_key(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        self.store.size(key.as_str()).map_err(|error| self.refuse(error))
    }

    fn supports_get_partial(&self) -> bool {
        true
    }
}

fn is_metadata(key: &StoreKey) -> bool {
    key.as_str().rsplit('/').next().is_some_and(|name| ["zarr.json", ".zarray", ".zattrs"].contains(&name))
}

/// An error with its causes, because the engine keeps only text.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
