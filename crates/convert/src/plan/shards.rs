//! Sizes of shards.

use super::Request;
use super::blocks::ENOUGH_TASKS;
use super::image::ImagePlan;
use super::level::LevelPlan;
use super::pyramid::Block;
use crate::options::ShardChoice;

/// Without sharding, more chunks than this make `--shard auto` gather them.
const MANY_CHUNKS: u64 = 10_000;
/// Decoded bytes that an automatic shard holds at most.
const SHARD_BYTES: u64 = 32 << 20;

impl ImagePlan {
    /// Shards never reach beyond what one task or one assembled block produces.
    pub(super) fn add_shards(&mut self, request: Request<'_>) {
        if request.options.version.zarr_format() != 3 {
            return;
        }
        let (h, w) = match request.options.shard {
            ShardChoice::None => return,
            ShardChoice::Size(h, w) => (h, w),
            ShardChoice::Auto => {
                if self.objects() <= MANY_CHUNKS {
                    return;
                }
                let (ch, cw) = self.levels[0].chunk;
                // A band is as wide as the level: long shards keep few of its rows in memory.
                let square = self.pyramids[0].block_width().is_some();
                let budget = SHARD_BYTES.min(request.memory / 8) / (self.sample_bytes() as u64).max(1);
                let chunks = (budget / (ch as u64 * cw as u64)).max(1);
                let side = chunks.isqrt().max(1) as u32;
                if square { (side * ch, side * cw) } else { (ch, chunks.min(64) as u32 * cw) }
            }
        };
        for level in 0..self.levels.len() {
            let chunk = self.levels[level].chunk;
            let reach = self.reach(level);
            let side = |wanted: u32, chunk: u32, reach: u32, size: u32| {
                let most = if reach >= size { size.div_ceil(chunk) } else { reach / chunk };
                wanted.div_ceil(chunk).clamp(1, most.max(1))
            };
            let size = self.levels[level].size;
            let rows = side(h, chunk.0, reach.0, size.0);
            let cols = side(w, chunk.1, reach.1, size.1);
            // Shards must tile what is produced together.
            let rows = largest_divisor(reach.0.div_ceil(chunk.0), rows, reach.0 >= size.0);
            let cols = largest_divisor(reach.1.div_ceil(chunk.1), cols, reach.1 >= size.1);
            self.levels[level].shard = Some((rows * chunk.0, cols * chunk.1));
        }
        if request.options.shard == ShardChoice::Auto {
            self.add_depth(request);
        }
    }

    /// Gathers several planes in a shard where each is small and done as one task: there may be very many.
    fn add_depth(&mut self, request: Request<'_>) {
        let is_whole =
            |level: &LevelPlan| level.shard.is_some_and(|(h, w)| h >= level.size.0 && w >= level.size.1);
        // All levels of it, too.
        let one_task = self
            .pyramids
            .iter()
            .all(|pyramid| pyramid.count(pyramid.task_level) == 1 && !pyramid.writes(pyramid.task_level + 1));
        if !one_task || !self.levels.iter().all(is_whole) {
            return;
        }
        let [t, _, z, _, _] = self.shape;
        let groups = self.groups.iter().map(|group| group.len() as u64).max().unwrap_or(1);
        let fitting = SHARD_BYTES.min(request.memory / 8) / (groups * self.plane_bytes(0)).max(1);
        let planes = fitting.min(self.pages().count() as u64 / ENOUGH_TASKS).clamp(1, u32::MAX.into()) as u32;
        let sections = z.min(planes);
        // Sections first: time points only where all of their sections fit.
        let times = if sections == z { t.min(planes / z.max(1)) } else { 1 };
        self.depth = (times.max(1), sections.max(1));
    }

    /// Pixels of `level` that are produced together: those below one task, or one assembled block.
    fn reach(&self, level: usize) -> (u32, u32) {
        let pyramid = self.pyramid_of(level);
        let local = level - pyramid.first;
        let root = pyramid.task_level.max(local);
        let rect = pyramid.rect(Block { level: root, row: 0, col: 0 });
        let (h, w) = self.levels[level].size;
        let shift = root - local;
        let grow = |side: u32, of: u32, size: u32| {
            if side == of { size } else { (side << shift.min(31)).min(size) }
        };
        let (root_h, root_w) = pyramid.size(root);
        (grow(rect.h, root_h, h), grow(rect.w, root_w, w))
    }
}

/// The largest number of chunks, at most `wanted`, that divides `reach`; `wanted` itself if all is in reach.
fn largest_divisor(reach: u32, wanted: u32, whole: bool) -> u32 {
    if whole {
        return wanted;
    }
    (1..=wanted).rev().find(|n| reach.is_multiple_of(*n)).unwrap_or(1)
}
