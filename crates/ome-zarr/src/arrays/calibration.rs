//! Calibration maps of the NBO record, read back from their arrays.

use fairzarr_store::Store;

use crate::Error;
use crate::arrays::StoredArray;

/// Values of a calibration map that are read at most.
const MOST_CELLS: u64 = 1 << 28;

/// The cells of the map in the array at `path` below the store's root, row by row.
///
/// # Errors
/// When the array is missing, or not one of two dimensions of float64.
pub fn calibration_map(store: &Store, path: &str) -> Result<Vec<f64>, Error> {
    let refuse = |reason: String| Error::Array { path: path.into(), reason };
    let stored = StoredArray::open(store, path)?;
    let (shape, data_type) = (stored.shape().to_vec(), stored.data_type());
    let cells = shape.iter().try_fold(1_u64, |cells, side| cells.checked_mul(*side));
    if shape.len() != 2 || data_type != "float64" || cells.is_none_or(|cells| cells > MOST_CELLS) {
        return Err(refuse(format!("{data_type} of shape {shape:?}, expected float64 of [rows, columns]")));
    }
    let bytes = stored.read(&shape.iter().map(|side| 0..*side).collect::<Vec<_>>())?;
    Ok(bytes.as_chunks::<8>().0.iter().map(|cell| f64::from_ne_bytes(*cell)).collect())
}
