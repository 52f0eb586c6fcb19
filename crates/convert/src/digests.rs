//! The recorded digests of all planes, by which a store can be proved without its source.

use fairzarr_digest::{ALGORITHM, TILE};
use fairzarr_ngff::{DataType, FillValue};
use fairzarr_store::Store;
use serde_json::{Map, json};

use crate::Error;
use crate::arrays::{SmallArray, write};
use crate::plan::Plan;
use crate::run::Findings;

/// Writes `OME/digests/N` for each image: uint64 over (plane, tile row, tile column, 2), planes in the order t, c,
/// z with z fastest, the low half of the digest first.
pub(crate) fn write_all(plan: &Plan, store: &Store, findings: &Findings) -> Result<(), Error> {
    for (index, image) in plan.images.iter().enumerate() {
        let [t, c, z, y, x] = image.shape;
        let width = image.digest_width();
        let (rows, cols) = (y.div_ceil(TILE), x.div_ceil(width));
        let mut bytes = Vec::new();
        for t in 0..t {
            for c in 0..c {
                for z in 0..z {
                    let plane = findings.digests.get(&(index, (t, c, z)));
                    for tile in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
                        let digest = plane.and_then(|plane| plane.tiles().get(&tile)).copied().unwrap_or(0);
                        bytes.extend_from_slice(&digest.to_le_bytes());
                    }
                }
            }
        }
        let array = SmallArray {
            path: format!("OME/digests/{index}"),
            data_type: DataType::U64,
            shape: vec![t as u64 * c as u64 * z as u64, rows as u64, cols as u64, 2],
            dimension_names: ["plane", "tile_row", "tile_column", "half"].map(Into::into).into(),
            fill: FillValue::from(0),
            attributes: Map::from_iter([
                ("algorithm".into(), json!(ALGORITHM)),
                ("tile".into(), json!([TILE, width])),
            ]),
            bytes,
        };
        write(store, plan.ngff(), &array)?;
    }
    Ok(())
}
