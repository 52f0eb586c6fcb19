//! The recorded digests of all planes, by which a store can be proved without its source.

use fairzarr_digest::{ALGORITHM, TILE};
use fairzarr_ngff::{DataType, FillValue};
use fairzarr_store::Store;
use serde_json::{Map, json};

use crate::Error;
use crate::arrays::{SmallArray, write};
use crate::plan::Plan;
use crate::run::Findings;

/// Writes `OME/digests`: uint64 over (tile, 2), the low half of a digest first. Tiles follow each other by image, plane (in
/// the order t, c, z with z fastest), row and column. The attribute `images` says of each image with which tile it starts,
/// how many planes, rows and columns of tiles it has, and the width of a tile in pixels.
pub(crate) fn write_all(plan: &Plan, store: &Store, findings: &Findings) -> Result<(), Error> {
    let mut bytes = Vec::new();
    let mut images = Vec::with_capacity(plan.images.len());
    for (index, image) in plan.images.iter().enumerate() {
        let [t, c, z, y, x] = image.shape;
        let width = image.digest_width();
        let (rows, cols) = (y.div_ceil(TILE), x.div_ceil(width));
        let planes = t as u64 * c as u64 * z as u64;
        images.push(json!([bytes.len() / DIGEST, planes, rows, cols, width]));
        for (t, c, z) in (0..t).flat_map(|t| (0..c).flat_map(move |c| (0..z).map(move |z| (t, c, z)))) {
            let plane = findings.digests.get(&(index, (t, c, z)));
            for tile in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
                let digest = plane.and_then(|plane| plane.tiles().get(&tile)).copied().unwrap_or(0);
                bytes.extend_from_slice(&digest.to_le_bytes());
            }
        }
    }
    let array = SmallArray {
        path: "OME/digests".into(),
        data_type: DataType::U64,
        shape: vec![(bytes.len() / DIGEST) as u64, 2],
        dimension_names: ["tile", "half"].map(Into::into).into(),
        fill: FillValue::from(0),
        attributes: Map::from_iter([
            ("algorithm".into(), json!(ALGORITHM)),
            ("tile_height".into(), json!(TILE)),
            ("images".into(), images.into()),
        ]),
        bytes,
    };
    write(store, plan.ngff(), &array)
}

/// Bytes of one digest.
const DIGEST: usize = 16;
