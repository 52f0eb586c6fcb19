//! Numbers of tasks and of the blocks above them: what is known of millions of them fits into little memory by their numbers.

use fairzarr_pixel::PlaneIndex;

use super::Plan;
use super::pyramid::Block;
use super::task::Task;

/// Numbers the tasks of a plan and the blocks above them, image after image and page after page.
#[derive(Debug)]
pub(crate) struct Numbers {
    images: Vec<OfImage>,
}

#[derive(Debug)]
struct OfImage {
    /// The number of its first one.
    start: u64,
    /// How many each page has, or pages that share shards.
    of_page: u64,
    /// Where the levels of each pyramid begin within a page: pyramid, level, number, columns of blocks.
    levels: Vec<(usize, usize, u64, u64)>,
    /// Groups of channels, and sections or stacks of them.
    groups: u64,
    sections: u64,
}

impl Numbers {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut start = 0_u64;
        let mut images = Vec::with_capacity(plan.images.len());
        for image in &plan.images {
            let (mut levels, mut of_page) = (Vec::new(), 0);
            for (n, pyramid) in image.pyramids.iter().enumerate() {
                for level in pyramid.task_level..pyramid.levels() {
                    levels.push((n, level, of_page, pyramid.columns(level)));
                    of_page += pyramid.count(level) as u64;
                }
            }
            let [t, _, z, _, _] = image.shape;
            let (times, sections) = (t.div_ceil(image.depth.0), z.div_ceil(image.depth.1));
            let groups = image.groups.len() as u64;
            images.push(OfImage { start, of_page, levels, groups, sections: sections.into() });
            start += u64::from(times) * groups * u64::from(sections) * of_page;
        }
        Self { images }
    }

    /// The number of a task, or of a block above the tasks, that the plan [holds](Plan::holds).
    pub(crate) fn of(&self, plan: &Plan, task: Task) -> Option<u64> {
        let (image, depth) = (self.images.get(task.image)?, plan.images.get(task.image)?.depth);
        let Block { level, row, col } = task.block;
        let found = image.levels.iter().find(|(n, of, ..)| (*n, *of) == (task.pyramid, level));
        let &(_, _, begin, columns) = found?;
        let PlaneIndex { t, group, z } = task.page;
        let page = (u64::from(t / depth.0) * image.groups + u64::from(group)) * image.sections
            + u64::from(z / depth.1);
        Some(image.start + page * image.of_page + begin + u64::from(row) * columns + u64::from(col))
    }

    /// The task, or the block above the tasks, that has a number.
    pub(crate) fn task(&self, plan: &Plan, number: u64) -> Option<Task> {
        let index = self.images.partition_point(|image| image.start <= number).checked_sub(1)?;
        let (image, depth) = (&self.images[index], plan.images.get(index)?.depth);
        let number = number - image.start;
        let (page, block) = (number.checked_div(image.of_page)?, number % image.of_page);
        let at = image.levels.partition_point(|(_, _, begin, _)| *begin <= block).checked_sub(1)?;
        let &(pyramid, level, begin, columns) = image.levels.get(at)?;
        let block = block - begin;
        let small = |number: u64| u32::try_from(number).ok();
        let block = Block { level, row: small(block / columns)?, col: small(block % columns)? };
        let (z, page) = (page % image.sections, page / image.sections);
        let (group, t) = (small(page % image.groups)?, page / image.groups);
        let page = PlaneIndex { t: small(t)? * depth.0, group, z: small(z)? * depth.1 };
        Some(Task { image: index, page, pyramid, block })
    }
}
