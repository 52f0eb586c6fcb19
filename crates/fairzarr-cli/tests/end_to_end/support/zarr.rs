//! Arrays read by the Zarr library alone, from a copy of the files in memory: nothing of this project is between.

use std::path::Path;
use std::sync::Arc;
use zarrs::array::Array;
use zarrs::storage::store::MemoryStore;
use zarrs::storage::{StoreKey, WritableStorageTraits};

use super::tiff::Sample;

/// A whole array as numbers, in C order.
pub(crate) struct Contents {
    pub(crate) shape: Vec<u64>,
    pub(crate) values: Vec<f64>,
}

impl Contents {
    /// The plane at t, c, z of an array over t, c, z, y, x.
    pub(crate) fn plane(&self, [t, c, z]: [usize; 3]) -> &[f64] {
        let size = |dimension: usize| self.shape[dimension] as usize;
        let area = size(3) * size(4);
        &self.values[((t * size(1) + c) * size(2) + z) * area..][..area]
    }
}

/// The array at `path` of the store.
pub(crate) fn read(store: &Path, path: &str, sample: Sample) -> Contents {
    let memory = Arc::new(MemoryStore::new());
    for (key, bytes) in super::tree(&store.join(path)) {
        memory.set(&StoreKey::new(format!("array/{key}")).unwrap(), bytes.into()).unwrap();
    }
    let array = Array::open(memory, "/array").unwrap();
    let all = array.subset_all();
    macro_rules! values {
        ($type:ty) => {
            array.retrieve_array_subset::<Vec<$type>>(&all).unwrap().into_iter().map(|v| v as f64).collect()
        };
    }
    let values = match sample {
        Sample::U8 => values!(u8),
        Sample::I8 => values!(i8),
        Sample::U16 => values!(u16),
        Sample::I16 => values!(i16),
        Sample::U32 => values!(u32),
        Sample::I32 => values!(i32),
        Sample::F32 => values!(f32),
        Sample::F64 => values!(f64),
    };
    Contents { shape: array.shape().to_vec(), values }
}
