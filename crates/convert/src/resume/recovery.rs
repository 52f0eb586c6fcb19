//! Which of the journal's records can be relied on. Objects that a record promises may be missing: after a power cut a file
//! system may have kept the record and not the objects.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use fairzarr_store::Store;
use fairzarr_zarr::chunk_key;

use crate::error::Error;
use crate::plan::{ImagePlan, Plan, Task, Written};
use crate::resume::journal;

/// Tasks of a share, and blocks above tasks, that need not be done again. All objects that the journal records for them are
/// there, and so is what they carry to the block above, unless that block is finished too.
pub(crate) fn finished(
    plan: &Plan,
    store: &Store,
    segments: &[String],
    is_own: impl Fn(Task) -> bool,
) -> Result<BTreeSet<Task>, Error> {
    let mut recorded = BTreeMap::new();
    let mut carrying = BTreeSet::new();
    journal::read(store, segments, |record| {
        // A record of another plan cannot be here, since the plan was compared before, unless somebody put it here.
        if let Some(finished) = record.finished().filter(|finished| plan.holds(finished.task)) {
            let task = finished.task;
            if plan.is_above_tasks(task) || is_own(task) {
                recorded.insert(task, finished.written);
            }
            if finished.carry.is_some() {
                carrying.insert(task);
            }
        }
        Ok(())
    })?;
    let intact = intact(plan, store, recorded)?;
    let mut finished = BTreeSet::new();
    for task in intact {
        if plan.above(task).is_none_or(|above| finished.contains(&above) || carrying.contains(&task)) {
            finished.insert(task);
        }
    }
    Ok(finished)
}

/// Those of `recorded` whose objects are all there, each of its size; those of the highest level first.
fn intact(plan: &Plan, store: &Store, recorded: BTreeMap<Task, Written>) -> Result<Vec<Task>, Error> {
    let mut found: BTreeMap<Task, Written> = BTreeMap::new();
    for (index, image) in plan.images.iter().enumerate() {
        let tasks: Vec<Task> = recorded.keys().filter(|task| task.image == index).copied().collect();
        if tasks.is_empty() {
            continue;
        }
        for level in 0..image.levels.len() {
            let makers: Vec<&Task> = tasks.iter().filter(|task| image.makes(**task, level)).collect();
            if makers.is_empty() {
                continue;
            }
            let array = image.array_path(level);
            let stored: HashMap<String, u64> = store.list(&array)?.into_iter().collect();
            for task in makers {
                let written = found.entry(*task).or_default();
                for index in objects(image, *task, level) {
                    if let Some(bytes) = stored.get(&chunk_key(plan.ngff(), &array, &image.along_axes(index)))
                    {
                        written.objects += 1;
                        written.bytes += bytes;
                    }
                }
            }
        }
    }
    let as_written = |(task, written): (Task, Written)| (found.get(&task) == Some(&written)).then_some(task);
    let mut intact: Vec<Task> = recorded.into_iter().filter_map(as_written).collect();
    intact.sort_by_key(|task| Reverse(task.block.level));
    Ok(intact)
}

impl ImagePlan {
    /// Whether a task, or a block above the tasks, makes objects of the image's `level`. A task makes all levels from the one
    /// that is read up to its own; a block above the tasks makes its own level alone.
    fn makes(&self, task: Task, level: usize) -> bool {
        let pyramid = &self.pyramids[task.pyramid];
        let is_task = task.block.level == pyramid.task_level;
        pyramid.image_levels().contains(&level)
            && if is_task {
                level <= pyramid.of_image(task.block.level)
            } else {
                level == pyramid.of_image(task.block.level)
            }
    }
}

/// Indices (t, c, z, y, x) of the objects of a level that a task makes, or a block above the tasks.
fn objects(image: &ImagePlan, task: Task, level: usize) -> impl Iterator<Item = [u64; 5]> {
    let pyramid = &image.pyramids[task.pyramid];
    let plan = &image.levels[level];
    let (h, w) = plan.shard.unwrap_or(plan.chunk);
    let (rows, columns) = pyramid.below(task.block, level - pyramid.first);
    let along = |pixels: Range<u64>, object: u32| {
        pixels.start / u64::from(object)..pixels.end.div_ceil(object.into())
    };
    let rows = along(rows, h);
    let columns = along(columns, w);
    let page = task.page;
    let (t, z) = (page.t / image.depth.0, page.z / image.depth.1);
    image.channels(page).flat_map(move |c| {
        let columns = columns.clone();
        rows.clone().flat_map(move |y| columns.clone().map(move |x| [t.into(), c.into(), z.into(), y, x]))
    })
}
