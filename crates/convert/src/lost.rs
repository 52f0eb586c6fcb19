//! Units that the journal has, but whose objects are not there as they were written: after a power cut a file system
//! may have kept the one and not the other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use fairzarr_ngff::chunk_key;
use fairzarr_store::Store;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::plan::{ImagePlan, Plan, Unit};

/// Objects that a unit has handed to the store.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Written {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
}

/// The units of `recorded` whose objects are missing, or have another size.
pub(crate) fn lost(
    plan: &Plan,
    store: &Store,
    recorded: &BTreeMap<Unit, Written>,
) -> Result<BTreeSet<Unit>, Error> {
    let mut found: BTreeMap<Unit, Written> = BTreeMap::new();
    for (index, image) in plan.images.iter().enumerate() {
        let units: Vec<Unit> = recorded.keys().filter(|unit| unit.image == index).copied().collect();
        if units.is_empty() {
            continue;
        }
        for level in 0..image.levels.len() {
            let pyramid = image.pyramid_of(level);
            if level - pyramid.first > pyramid.unit_level {
                continue;
            }
            let array = image.array_path(level);
            let stored: HashMap<String, u64> = store.list(&array)?.into_iter().collect();
            let of_level = |unit: &&Unit| image.pyramids[unit.pyramid].first == pyramid.first;
            for unit in units.iter().filter(of_level) {
                let written = found.entry(*unit).or_default();
                for index in objects(image, *unit, level) {
                    if let Some(bytes) = stored.get(&chunk_key(plan.ngff(), &array, &index)) {
                        written.objects += 1;
                        written.bytes += bytes;
                    }
                }
            }
        }
    }
    Ok(recorded.iter().filter(|(unit, written)| found.get(unit) != Some(written)).map(|(u, _)| *u).collect())
}

/// Indices (t, c, z, y, x) of the objects of a level that a unit makes.
fn objects(image: &ImagePlan, unit: Unit, level: usize) -> impl Iterator<Item = [u64; 5]> {
    let pyramid = &image.pyramids[unit.pyramid];
    let plan = &image.levels[level];
    let (h, w) = plan.shard.unwrap_or(plan.chunk);
    let (rows, columns) = pyramid.below(unit.block, level - pyramid.first);
    let along = |pixels: Range<u64>, object: u32| {
        pixels.start / u64::from(object)..pixels.end.div_ceil(object.into())
    };
    let rows = along(rows, h);
    let columns = along(columns, w);
    let page = unit.page;
    let (t, z) = (page.t / image.depth.0, page.z / image.depth.1);
    image.channels(page).flat_map(move |c| {
        let columns = columns.clone();
        rows.clone().flat_map(move |y| columns.clone().map(move |x| [t.into(), c.into(), z.into(), y, x]))
    })
}
