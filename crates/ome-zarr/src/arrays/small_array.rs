//! Small arrays beside the pixels: columns of metadata, digests. Each is written whole, when all of it is known.

use fairzarr_ngff::Version;
use fairzarr_store::Store;
use fairzarr_zarr::{ArraySpec, Codecs, FillValue, SampleType, array_document, chunk_key};
use serde_json::{Map, Value};

use crate::Error;
use crate::arrays::codec::{Codec, Encoder};
use crate::group::put;

/// Decoded bytes of a chunk, unless one index of the first dimension has more.
const CHUNK_BYTES: u64 = 4 << 20;
/// Every reader of either Zarr format has it; columns of numbers shrink by the shuffle.
const CODEC: Codec = Codec::SMALL;

/// One array with all its values.
#[derive(Clone, Debug)]
pub struct SmallArray {
    /// Where it lies below the store's root.
    pub path: String,
    /// Of its values.
    pub data_type: SampleType,
    /// Its size, by dimension.
    pub shape: Vec<u64>,
    /// Names of its dimensions.
    pub dimension_names: Vec<String>,
    /// What stands for a missing value.
    pub fill: FillValue,
    /// Its attributes.
    pub attributes: Map<String, Value>,
    /// The values, little-endian, in C order.
    pub bytes: Vec<u8>,
}

impl SmallArray {
    /// Writes it in the Zarr format of `version`, in the background: one chunk, or several along the first dimension when it is large.
    ///
    /// # Errors
    /// When its bytes do not fit its shape, or an earlier write in the background failed.
    pub fn write(&self, store: &Store, version: Version) -> Result<(), Error> {
        let rest: u64 = self.shape.iter().skip(1).product();
        let row = rest.saturating_mul(self.data_type.bytes() as u64);
        let length = self.shape.first().copied().unwrap_or(1);
        if row.checked_mul(length) != Some(self.bytes.len() as u64) {
            return Err(Error::Array {
                path: self.path.clone(),
                reason: format!(
                    "shape {:?} and type {} cannot have {} bytes",
                    self.shape,
                    self.data_type.zarr_v3(),
                    self.bytes.len()
                ),
            });
        }
        let rows = (CHUNK_BYTES / row.max(1)).clamp(1, length.max(1));
        let mut chunks: Vec<u64> = self.shape.iter().map(|side| (*side).max(1)).collect();
        if let Some(first) = chunks.first_mut() {
            *first = rows;
        }
        let crc32c = version.zarr_format() == 3;
        let encoder = Encoder::new(CODEC, self.data_type.bytes(), crc32c)?;
        // The last chunk is as long as the others.
        let chunk_bytes = (rows * row) as usize;
        for (n, part) in self.bytes.chunks(chunk_bytes.max(1)).enumerate() {
            let mut index = vec![0; self.shape.len()];
            if let Some(first) = index.first_mut() {
                *first = n as u64;
            }
            let mut chunk = part.to_vec();
            chunk.resize(chunk_bytes, 0);
            store
                .put_in_background(&chunk_key(version, &self.path, &index), encoder.encode(&chunk)?.into())?;
        }
        let mut spec = ArraySpec::new(self.shape.clone(), self.data_type, chunks);
        spec.codecs = Codecs::new(CODEC.compressor());
        spec.codecs.crc32c = crc32c;
        spec.dimension_names.clone_from(&self.dimension_names);
        spec.fill_value = self.fill.clone();
        spec.attributes.clone_from(&self.attributes);
        put(store, &self.path, array_document(version, &spec)?)
    }
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
        array(&[rows], SampleType::Int64, vec![1; rows as usize * 8]).write(&store, Version::V05).unwrap();
        assert_eq!(keys(&store), ["a/c/0", "a/c/1", "a/c/2", "a/c/3", "a/zarr.json"]);
        let store = Store::memory();
        array(&[2, 3], SampleType::Uint16, vec![1; 12]).write(&store, Version::V04).unwrap();
        assert_eq!(keys(&store), ["a/.zarray", "a/.zattrs", "a/0/0"]);
    }

    #[test]
    fn an_array_without_values_has_no_chunks() {
        let store = Store::memory();
        array(&[0], SampleType::Uint8, Vec::new()).write(&store, Version::V05).unwrap();
        assert_eq!(keys(&store), ["a/zarr.json"]);
    }

    #[test]
    fn bytes_must_fit_the_shape() {
        let error = array(&[2, 2], SampleType::Uint16, vec![0; 7]).write(&Store::memory(), Version::V05);
        assert!(error.unwrap_err().to_string().contains("7 bytes"));
    }
}
