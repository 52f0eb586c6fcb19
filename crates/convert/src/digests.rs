//! The recorded digests of all planes, by which a store can be proved without its source.

use fairzarr_digest::{ALGORITHM, TILE};
use fairzarr_ngff::{FillValue, SampleType};
use fairzarr_store::Store;
use serde_json::{Map, json};

use crate::Error;
use crate::arrays::{SmallArray, write};
use crate::plan::Plan;
use crate::run::Findings;

/// Writes `OME/digests`: uint64 over (tile, 2), the low half of a digest first. Tiles follow each other by image, plane (in
/// the order t, c, z with z fastest), row and column. The attribute `images` says of each image with which tile its full
/// resolution starts, how many planes, rows and columns of tiles it has, and the width of a tile in pixels; `levels` says the
/// same, after image and level, of reduced levels that were copied. A width of 0 stands for digests of the stored bytes of
/// chunks; rows and columns are those of the grid of chunks then.
pub(crate) fn write_all(plan: &Plan, store: &Store, findings: &Findings) -> Result<(), Error> {
    let mut bytes = Vec::new();
    let mut images = Vec::with_capacity(plan.images.len());
    let mut levels = Vec::new();
    for index in 0..plan.images.len() {
        images.push(add(plan, findings, index, 0, &mut bytes));
    }
    for (index, image) in plan.images.iter().enumerate() {
        for level in image.pyramids.iter().map(|pyramid| pyramid.first).skip(1) {
            let [start, planes, rows, cols, width] = add(plan, findings, index, level, &mut bytes);
            levels.push([index as u64, level as u64, start, planes, rows, cols, width]);
        }
    }
    let mut attributes = Map::from_iter([
        ("algorithm".into(), json!(ALGORITHM)),
        ("tile_height".into(), json!(TILE)),
        ("images".into(), json!(images)),
    ]);
    if !levels.is_empty() {
        attributes.insert("levels".into(), json!(levels));
    }
    let array = SmallArray {
        path: "OME/digests".into(),
        data_type: SampleType::Uint64,
        shape: vec![(bytes.len() / DIGEST) as u64, 2],
        dimension_names: ["tile", "half"].map(Into::into).into(),
        fill: FillValue::from(0),
        attributes,
        bytes,
    };
    write(store, plan.ngff(), &array)
}

/// Adds the digests of a level that was read. The number of the first, planes, rows, columns, width of a tile.
fn add(plan: &Plan, findings: &Findings, index: usize, level: usize, bytes: &mut Vec<u8>) -> [u64; 5] {
    let image = &plan.images[index];
    let start = bytes.len() / DIGEST;
    let [t, c, z, _, _] = image.shape;
    let (width, (rows, cols)) = if image.is_decoded(level) {
        let ((h, w), width) = (image.levels[level].size, image.digest_width(level));
        (width, (h.div_ceil(TILE), w.div_ceil(width)))
    } else {
        (0, image.chunk_grid(level))
    };
    for plane in (0..t).flat_map(|t| (0..c).flat_map(move |c| (0..z).map(move |z| (t, c, z)))) {
        let plane = findings.digests.get(&(index, level, plane));
        for tile in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
            let digest = plane.and_then(|plane| plane.tiles().get(&tile)).copied().unwrap_or(0);
            bytes.extend_from_slice(&digest.to_le_bytes());
        }
    }
    let planes = t as u64 * c as u64 * z as u64;
    [start as u64, planes, rows.into(), cols.into(), width.into()]
}

/// Bytes of one digest.
const DIGEST: usize = 16;
