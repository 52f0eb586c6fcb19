//! Which objects of the plan are there: what is to be listed, several prefixes at the same time, and who has made an object.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use fairzarr_ngff::Version;
use fairzarr_pixel::PlaneIndex;
use fairzarr_store::Store;
use fairzarr_zarr::chunk_key;

use crate::plan::{ImagePlan, Plan, Task};

/// Prefixes that are listed at the same time.
pub(crate) const AT_ONCE: usize = 32;
/// Objects that one request lists in most object stores.
const PAGE: u64 = 1000;

/// The prefixes below which all objects of `tasks` lie. One page of a listing follows the other, so that large arrays are
/// listed in parts, each of which fills a page at least.
pub(crate) fn prefixes(plan: &Plan, store: &Store, tasks: impl Iterator<Item = Task>) -> Vec<String> {
    let all = plan.objects();
    if all <= PAGE || all / (plan.images.len() as u64).max(1) < PAGE / 2 {
        return vec![String::new()];
    }
    // Where no request is needed, directories are read one by one anyway.
    let least = if store.is_remote() { PAGE } else { u64::MAX };
    let depths: Vec<Vec<usize>> = plan
        .images
        .iter()
        .map(|image| (0..image.levels.len()).map(|level| depth(image, level, least)).collect())
        .collect();
    let mut found = BTreeSet::new();
    for task in tasks {
        let image = &plan.images[task.image];
        for (level, depth) in
            depths[task.image].iter().enumerate().filter(|(level, _)| image.makes(task, *level))
        {
            for index in objects(image, task, level) {
                found.insert((task.image, level, index[..*depth].to_vec()));
            }
        }
    }
    let prefix = |(image, level, index): (usize, usize, Vec<u64>)| {
        let array = plan.images[image].array_path(level);
        let axes = plan.images[image].axes;
        let index: Vec<u64> =
            index.into_iter().zip(axes).filter_map(|(at, is_there)| is_there.then_some(at)).collect();
        // An array's own prefix where nothing is split.
        if index.is_empty() { array } else { chunk_key(plan.ngff(), &array, &index) }
    };
    found.into_iter().map(prefix).collect()
}

/// How many of an object's indices (t, c, z, y, x) make a prefix that at least so many objects have in common.
fn depth(image: &ImagePlan, level: usize, least: u64) -> usize {
    let [t, c, z, _, _] = image.shape;
    let plan = &image.levels[level];
    let (h, w) = plan.shard.unwrap_or(plan.chunk);
    let counts = [
        t.div_ceil(image.depth.0),
        c,
        z.div_ceil(image.depth.1),
        plan.size.0.div_ceil(h),
        plan.size.1.div_ceil(w),
    ];
    let below = |depth: usize| counts[depth..].iter().map(|n| u64::from(*n)).product::<u64>();
    (1..counts.len()).rev().find(|depth| below(*depth) >= least).unwrap_or(0)
}

/// Tells which task, or which block above the tasks, makes an object.
pub(crate) struct Makers<'a> {
    plan: &'a Plan,
    /// Image and level, by the array's path.
    arrays: HashMap<String, (usize, usize)>,
}

impl<'a> Makers<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        let levels = |(n, image): (usize, &'a ImagePlan)| {
            (0..image.levels.len()).map(move |level| (image.array_path(level), (n, level)))
        };
        Self { plan, arrays: plan.images.iter().enumerate().flat_map(levels).collect() }
    }

    /// Who makes the object; none if it is no object of the plan.
    pub(crate) fn of(&self, key: &str) -> Option<Task> {
        let axes = |array: &str| self.arrays.get(array).map(|(n, _)| self.plan.images[*n].axes);
        let (array, [t, c, z, y, x]) = parse(self.plan.ngff(), key, axes)?;
        let &(n, level) = self.arrays.get(array)?;
        let image = &self.plan.images[n];
        let group = image.groups.iter().position(|group| group.contains(&c))?;
        let page = PlaneIndex {
            t: t.checked_mul(image.depth.0)?,
            group: group as u32,
            z: z.checked_mul(image.depth.1)?,
        };
        let at = image.pyramids.partition_point(|pyramid| pyramid.first <= level).checked_sub(1)?;
        let pyramid = image.pyramids.get(at)?;
        let (h, w) = image.levels[level].shard.unwrap_or(image.levels[level].chunk);
        let local = level - pyramid.first;
        let mut block = pyramid.at(local, u64::from(y) * u64::from(h), u64::from(x) * u64::from(w));
        if local < pyramid.task_level {
            let up = pyramid.task_level - local;
            block.level = pyramid.task_level;
            block.row = block.row.checked_shr(up as u32).unwrap_or(0);
            block.col = block.col.checked_shr(up as u32).unwrap_or(0);
        }
        let task = Task { image: n, page, pyramid: at, block };
        self.plan.holds(task).then_some(task)
    }
}

/// The array's path and the indices (t, c, z, y, x) in an object's key, by which of these axes each array has; 0 of those that
/// it lacks.
fn parse(
    version: Version,
    key: &str,
    axes_of: impl Fn(&str) -> Option<[bool; 5]>,
) -> Option<(&str, [u32; 5])> {
    let mut numbers = Vec::with_capacity(5);
    let mut rest = key;
    while numbers.len() < 5 {
        let (before, last) = rest.rsplit_once('/')?;
        numbers.push(last.parse().ok()?);
        rest = before;
        let array = if version.zarr_format() == 3 { rest.strip_suffix("/c") } else { Some(rest) };
        // Names of arrays are numbers too: how many belong to the key, the array tells.
        if let Some(array) = array
            && let Some(axes) = axes_of(array)
            && axes.iter().filter(|is_there| **is_there).count() == numbers.len()
        {
            let mut next = numbers.into_iter().rev();
            return Some((array, axes.map(|is_there| if is_there { next.next().unwrap_or(0) } else { 0 })));
        }
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_chunks_and_shards_tell_their_place() {
        let all = [true; 5];
        let arrays = |array: &str| match array {
            "a/0" | "0" => Some(all),
            "b/0" => Some([false, true, false, true, true]),
            _ => None,
        };
        let key = chunk_key(Version::V05, "a/0", &[1, 2, 3, 4, 5]);
        assert_eq!(parse(Version::V05, &key, arrays), Some(("a/0", [1, 2, 3, 4, 5])));
        let key = chunk_key(Version::V04, "0", &[1, 2, 3, 4, 5]);
        assert_eq!(parse(Version::V04, &key, arrays), Some(("0", [1, 2, 3, 4, 5])));
        // An array without t and z.
        for version in [Version::V04, Version::V05] {
            let key = chunk_key(version, "b/0", &[2, 4, 5]);
            assert_eq!(parse(version, &key, arrays), Some(("b/0", [0, 2, 0, 4, 5])));
        }
        for other in
            ["a/0/zarr.json", "OME/METADATA.ome.xml", "0/c/1/2/3/4", "0/1/2/3/4/5", "b/0/c/1/2/3/4/5"]
        {
            assert_eq!(parse(Version::V05, other, arrays), None, "{other}");
        }
    }
}
