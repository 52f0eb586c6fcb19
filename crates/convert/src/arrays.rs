//! Small arrays beside the pixels: columns of metadata, digests. Each is written whole, when all of it is known.

use fairzarr_ngff::{ArraySpec, Codecs, FillValue, SampleType, Version, array_document, chunk_key};
use fairzarr_store::Store;
use serde_json::{Map, Value};

use crate::Error;
use crate::commit::put;
use crate::encode::{Codec, Encoder};

/// Decoded bytes of a chunk, unless one index of the first dimension has more.
const CHUNK_BYTES: u64 = 4 << 20;
/// Every reader of either Zarr format has it; columns of numbers shrink by the shuffle.
const CODEC: Codec = Codec::SMALL;

/// One array with all its values.
pub(crate) struct SmallArray {
    /// Where it lies below the store's root.
    pub(crate) path: String,
    pub(crate) data_type: SampleType,
    pub(crate) shape: Vec<u64>,
    pub(crate) dimension_names: Vec<String>,
    /// What stands for a missing value.
    pub(crate) fill: FillValue,
    pub(crate) attributes: Map<String, Value>,
    /// The values, little-endian, in C order.
    pub(crate) bytes: Vec<u8>,
}

/// Writes an array in the Zarr format of `version`, in the background: one chunk, or several along the first dimension when it is large.
pub(crate) fn write(store: &Store, version: Version, array: &SmallArray) -> Result<(), Error> {
    let rest: u64 = array.shape.iter().skip(1).product();
    let row = rest.saturating_mul(array.data_type.size() as u64);
    let length = array.shape.first().copied().unwrap_or(1);
    if row.checked_mul(length) != Some(array.bytes.len() as u64) {
        return Err(Error::Request(format!(
            "array {} of shape {:?} and type {} cannot have {} bytes",
            array.path,
            array.shape,
            array.data_type.name(),
            array.bytes.len()
        )));
    }
    let rows = (CHUNK_BYTES / row.max(1)).clamp(1, length.max(1));
    let mut chunks: Vec<u64> = array.shape.iter().map(|side| (*side).max(1)).collect();
    if let Some(first) = chunks.first_mut() {
        *first = rows;
    }
    let crc32c = version.zarr_format() == 3;
    let encoder = Encoder::new(CODEC, array.data_type.size(), crc32c)?;
    // The last chunk is as long as the others.
    let chunk_bytes = (rows * row) as usize;
    for (n, part) in array.bytes.chunks(chunk_bytes.max(1)).enumerate() {
        let mut index = vec![0; array.shape.len()];
        if let Some(first) = index.first_mut() {
            *first = n as u64;
        }
        let mut chunk = part.to_vec();
        chunk.resize(chunk_bytes, 0);
        store.put_in_background(&chunk_key(version, &array.path, &index), encoder.encode(&chunk)?.into())?;
    }
    let spec = ArraySpec {
        shape: array.shape.clone(),
        data_type: array.data_type,
        chunks,
        shards: None,
        codecs: Codecs { compressor: CODEC.compressor(), crc32c, ..Codecs::default() },
        dimension_names: array.dimension_names.clone(),
        fill_value: array.fill.clone(),
        attributes: array.attributes.clone(),
    };
    put(store, &array.path, array_document(version, &spec)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[u64], data_type: SampleType, bytes: Vec<u8>) -> SmallArray {
        SmallArray {
            path: "a".into(),
            data_type,
            shape: shape.to_vec(),
            dimension_names: (0..shape.len()).map(|n| format!("d{n}")).collect(),
            fill: 0.into(),
            attributes: Map::new(),
            bytes,
        }
    }

    fn keys(store: &Store) -> Vec<String> {
        store.list("").unwrap().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn large_arrays_are_cut_along_the_first_dimension() {
        let store = Store::memory();
        let rows = 3 * (CHUNK_BYTES / 8) + 1;
        write(&store, Version::V05, &array(&[rows], SampleType::Int64, vec![1; rows as usize * 8])).unwrap();
        assert_eq!(keys(&store), ["a/c/0", "a/c/1", "a/c/2", "a/c/3", "a/zarr.json"]);
        let store = Store::memory();
        write(&store, Version::V04, &array(&[2, 3], SampleType::Uint16, vec![1; 12])).unwrap();
        assert_eq!(keys(&store), ["a/.zarray", "a/.zattrs", "a/0/0"]);
    }

    #[test]
    fn an_array_without_values_has_no_chunks() {
        let store = Store::memory();
        write(&store, Version::V05, &array(&[0], SampleType::Uint8, Vec::new())).unwrap();
        assert_eq!(keys(&store), ["a/zarr.json"]);
    }

    #[test]
    fn bytes_must_fit_the_shape() {
        let error = write(&Store::memory(), Version::V05, &array(&[2, 2], SampleType::Uint16, vec![0; 7]));
        assert!(error.unwrap_err().to_string().contains("7 bytes"));
    }
}
