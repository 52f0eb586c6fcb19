//! What of the journal can be relied on. Of what is recorded, objects may be missing: after a power cut a file system may
//! have kept the one and not the other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use fairzarr_store::Store;
use fairzarr_zarr::chunk_key;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::journal;
use crate::plan::{ImagePlan, Plan, Unit};

/// Objects that a unit has handed to the store.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Written {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
}

/// What of `segments` of the journal need not be done again: units of a share, and blocks above units. Their objects are
/// there, and so is what they carry to the block above, unless that is finished too.
pub(crate) fn finished(
    plan: &Plan,
    store: &Store,
    segments: &[String],
    is_own: impl Fn(Unit) -> bool,
) -> Result<BTreeSet<Unit>, Error> {
    let mut recorded = BTreeMap::new();
    let mut carrying = BTreeSet::new();
    journal::read(store, segments, |record| {
        // A record of another plan cannot be here, since the plan was compared before, unless somebody put it here.
        if let Some(finished) = record.finished().filter(|finished| plan.holds(finished.unit)) {
            let unit = finished.unit;
            if plan.is_above_units(unit) || is_own(unit) {
                recorded.insert(unit, finished.written);
            }
            if finished.carry.is_some() {
                carrying.insert(unit);
            }
        }
        Ok(())
    })?;
    let intact = intact(plan, store, recorded)?;
    let mut finished = BTreeSet::new();
    for unit in intact {
        if plan.above(unit).is_none_or(|above| finished.contains(&above) || carrying.contains(&unit)) {
            finished.insert(unit);
        }
    }
    Ok(finished)
}

/// Those of `recorded` whose objects are all there, each of its size; those of the highest level first.
fn intact(plan: &Plan, store: &Store, recorded: BTreeMap<Unit, Written>) -> Result<Vec<Unit>, Error> {
    let mut found: BTreeMap<Unit, Written> = BTreeMap::new();
    for (index, image) in plan.images.iter().enumerate() {
        let units: Vec<Unit> = recorded.keys().filter(|unit| unit.image == index).copied().collect();
        if units.is_empty() {
            continue;
        }
        for level in 0..image.levels.len() {
            let makers: Vec<&Unit> = units.iter().filter(|unit| image.makes(**unit, level)).collect();
            if makers.is_empty() {
                continue;
            }
            let array = image.array_path(level);
            let stored: HashMap<String, u64> = store.list(&array)?.into_iter().collect();
            for unit in makers {
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
    let as_written = |(unit, written): (Unit, Written)| (found.get(&unit) == Some(&written)).then_some(unit);
    let mut intact: Vec<Unit> = recorded.into_iter().filter_map(as_written).collect();
    intact.sort_by_key(|unit| Reverse(unit.block.level));
    Ok(intact)
}

impl ImagePlan {
    /// Whether objects of the image's `level` are made with a unit, which makes all levels from the one that is read up to
    /// its own, or with a block above the units, which makes its own level.
    fn makes(&self, unit: Unit, level: usize) -> bool {
        let pyramid = &self.pyramids[unit.pyramid];
        let is_unit = unit.block.level == pyramid.unit_level;
        pyramid.image_levels().contains(&level)
            && if is_unit {
                level <= pyramid.of_image(unit.block.level)
            } else {
                level == pyramid.of_image(unit.block.level)
            }
    }
}

/// Indices (t, c, z, y, x) of the objects of a level that a unit makes, or a block above the units.
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
