//! The digests of all planes, handed over to be recorded.

use fairzarr_digest::TILE;
use fairzarr_ome_zarr::{DigestGrid, DigestsWriter};
use fairzarr_store::Store;

use crate::error::Error;
use crate::pipeline::findings::Findings;
use crate::plan::Plan;

/// Writes the digests of full resolution of all images, and of the reduced levels that were copied.
pub(crate) fn write_all(plan: &Plan, store: &Store, findings: &Findings) -> Result<(), Error> {
    let mut writer = DigestsWriter::default();
    for index in 0..plan.images.len() {
        writer.image(grid(plan, index, 0), digest(plan, findings, index, 0));
    }
    for (index, image) in plan.images.iter().enumerate() {
        for level in image.pyramids.iter().map(|pyramid| pyramid.first).skip(1) {
            writer.level(index, level, grid(plan, index, level), digest(plan, findings, index, level));
        }
    }
    Ok(writer.write(store, plan.ngff())?)
}

fn grid(plan: &Plan, index: usize, level: usize) -> DigestGrid {
    let image = &plan.images[index];
    let [t, c, z, _, _] = image.shape.map(u64::from);
    let planes = t * c * z;
    if image.is_decoded(level) {
        let ((h, w), tile_width) = (image.levels[level].size, image.digest_width(level));
        DigestGrid { planes, rows: h.div_ceil(TILE), cols: w.div_ceil(tile_width), tile_width }
    } else {
        let (rows, cols) = image.chunk_grid(level);
        DigestGrid { planes, rows, cols, tile_width: 0 }
    }
}

/// The digest of a tile or chunk, by plane, row and column; 0 where none was taken.
fn digest<'a>(
    plan: &Plan,
    findings: &'a Findings,
    index: usize,
    level: usize,
) -> impl FnMut(u64, u32, u32) -> u128 + 'a {
    let [_, c, z, _, _] = plan.images[index].shape.map(u64::from);
    move |plane, row, col| {
        let (rest, section) = (plane / z, plane % z);
        let place = ((rest / c) as u32, (rest % c) as u32, section as u32);
        let plane = findings.digests.get(&(index, level, place));
        plane.and_then(|plane| plane.tiles().get(&(row, col))).copied().unwrap_or(0)
    }
}
