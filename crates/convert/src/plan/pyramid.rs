//! The pyramid's geometry: level sizes, and the tree of blocks that is walked to fill it.
//!
//! A *block* is the piece of one level that is held in memory at a time. Blocks form a tree: a block of level
//! *n* is the 2x mean of its children at level *n - 1*, so a depth-first walk needs one buffer per level and
//! never reads a level back. Tiled sources use square blocks (four children); striped sources use bands as
//! wide as the level (two children).
//!
//! The same tree tells which blocks are done together as one task. Where no levels are computed, it goes on above those
//! that are written, for that alone.

use fairzarr_pixel::Region;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A block's place: its level, and its row and column in that level's grid of blocks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Block {
    pub(crate) level: usize,
    pub(crate) row: u32,
    pub(crate) col: u32,
}

/// A level that is read from the source, and the levels that are computed from it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Pyramid {
    /// The image's level that is read; the next ones are computed.
    pub(crate) first: usize,
    /// (height, width) of each level, the one that is read first.
    sizes: Vec<(u32, u32)>,
    /// Levels that are written, from the first on.
    written: usize,
    /// Rows of a block: even, and a multiple of the chunk height.
    height: u32,
    /// Columns of a block: even, and a multiple of the chunk width; `None`: the level's whole width.
    width: Option<u32>,
    /// The level whose blocks are the tasks of work.
    pub(crate) task_level: usize,
}

impl Pyramid {
    /// Sizes halve, rounding up, until both are at most `smallest`.
    pub(crate) fn level_sizes(height: u32, width: u32, smallest: u32) -> Vec<(u32, u32)> {
        let mut sizes = vec![(height, width)];
        let (mut h, mut w) = (height, width);
        while h > smallest || w > smallest {
            (h, w) = (h.div_ceil(2), w.div_ceil(2));
            sizes.push((h, w));
        }
        sizes
    }

    /// A pyramid on level `first`, of which `written` levels are written. Its tasks are blocks of the first.
    pub(crate) fn new(
        first: usize,
        sizes: Vec<(u32, u32)>,
        written: usize,
        (height, width): (u32, Option<u32>),
    ) -> Self {
        debug_assert!(height.is_multiple_of(2) && width.is_none_or(|w| w.is_multiple_of(2)));
        Self { first, sizes, written, height, width, task_level: 0 }
    }

    /// Number of levels of blocks.
    pub(crate) fn levels(&self) -> usize {
        self.sizes.len()
    }

    /// Whether the blocks of a level are written.
    pub(crate) fn writes(&self, level: usize) -> bool {
        level < self.written
    }

    /// The image's level of which these are the blocks of `level`.
    pub(crate) fn of_image(&self, level: usize) -> usize {
        self.first + level
    }

    /// The levels that are written, as those of the image.
    pub(crate) fn image_levels(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.written
    }

    pub(crate) fn size(&self, level: usize) -> (u32, u32) {
        self.sizes[level]
    }

    /// The part of its level that a block covers.
    pub(crate) fn rect(&self, block: Block) -> Region {
        let (height, width) = self.sizes[block.level];
        let y = block.row * self.height;
        let (x, nominal) = self.width.map_or((0, width), |w| (block.col * w, w));
        Region { y, x, h: self.height.min(height - y), w: nominal.min(width - x) }
    }

    /// Columns of a block; the grid on which pixel digests can be cut without crossing blocks.
    pub(crate) fn block_width(&self) -> Option<u32> {
        self.width
    }

    /// Pixels of one block of each level that is written together.
    pub(crate) fn area(&self) -> u64 {
        (0..self.written).map(|level| self.rect(Block { level, row: 0, col: 0 }).area() as u64).sum()
    }

    /// Whether there is such a block.
    pub(crate) fn holds(&self, block: Block) -> bool {
        block.level < self.levels()
            && block.row < self.rows(block.level)
            && block.col < self.cols(block.level)
    }

    fn rows(&self, level: usize) -> u32 {
        self.sizes[level].0.div_ceil(self.height)
    }

    fn cols(&self, level: usize) -> u32 {
        self.width.map_or(1, |w| self.sizes[level].1.div_ceil(w))
    }

    /// The one to four blocks of the level below that make up a block.
    pub(crate) fn children(&self, block: Block) -> impl Iterator<Item = Block> + use<> {
        let level = block.level - 1;
        let rows = (2 * block.row)..(2 * block.row + 2).min(self.rows(level));
        let cols = if self.width.is_some() {
            (2 * block.col)..(2 * block.col + 2).min(self.cols(level))
        } else {
            0..1
        };
        rows.flat_map(move |row| cols.clone().map(move |col| Block { level, row, col }))
    }

    /// The block of the level above that a block is part of, if that is written.
    pub(crate) fn parent(&self, block: Block) -> Option<Block> {
        self.writes(block.level + 1).then(|| Block {
            level: block.level + 1,
            row: block.row / 2,
            col: block.col / 2,
        })
    }

    /// All blocks of `level` in depth-first order, so that parents complete as early as they can.
    pub(crate) fn blocks(&self, level: usize) -> Vec<Block> {
        let top = self.levels() - 1;
        let mut found = Vec::new();
        for row in 0..self.rows(top) {
            for col in 0..self.cols(top) {
                self.descend(Block { level: top, row, col }, level, &mut found);
            }
        }
        found
    }

    fn descend(&self, block: Block, level: usize, found: &mut Vec<Block>) {
        if block.level == level {
            found.push(block);
            return;
        }
        for child in self.children(block) {
            self.descend(child, level, found);
        }
    }

    /// The tasks of one page, in the order in which they are done.
    pub(crate) fn tasks(&self) -> Vec<Block> {
        self.blocks(self.task_level)
    }

    /// The rows and columns of `level` that lie below a block.
    pub(crate) fn below(&self, block: Block, level: usize) -> (Range<u64>, Range<u64>) {
        let rect = self.rect(block);
        let shift = block.level - level;
        let side = |at: u32, length: u32, size: u32| {
            (u64::from(at) << shift)..(u64::from(at + length) << shift).min(size.into())
        };
        let (height, width) = self.sizes[level];
        (side(rect.y, rect.h, height), side(rect.x, rect.w, width))
    }

    /// Columns of blocks of `level`.
    pub(crate) fn columns(&self, level: usize) -> u64 {
        self.cols(level).into()
    }

    /// The block of `level` that a pixel of that level lies in.
    pub(crate) fn at(&self, level: usize, y: u64, x: u64) -> Block {
        let row = y / u64::from(self.height);
        let col = self.width.map_or(0, |width| x / u64::from(width));
        // There are no more blocks than pixels along a side, which is a number of 32 bits.
        Block { level, row: row as u32, col: col as u32 }
    }

    /// Number of blocks of `level`.
    pub(crate) fn count(&self, level: usize) -> usize {
        self.rows(level) as usize * self.cols(level) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn levels_halve_rounding_up_until_small() {
        assert_eq!(Pyramid::level_sizes(1000, 300, 256), [(1000, 300), (500, 150), (250, 75)]);
        assert_eq!(Pyramid::level_sizes(256, 256, 256), [(256, 256)]);
        assert_eq!(Pyramid::level_sizes(257, 1, 256), [(257, 1), (129, 1)]);
    }

    proptest! {
        /// Every pixel of every level is in one block, and in the half-size of its children's pixels.
        #[test]
        fn blocks_tile_each_level_and_children_cover_parents(
            h in 1u32..3000, w in 1u32..3000, bh in 1u32..200, bw in proptest::option::of(1u32..200),
        ) {
            let sizes = Pyramid::level_sizes(h, w, 256);
            let levels = sizes.len();
            let pyramid = Pyramid::new(0, sizes, levels, (bh * 2, bw.map(|w| w * 2)));
            for level in 0..pyramid.levels() {
                let (height, width) = pyramid.size(level);
                let blocks = pyramid.blocks(level);
                prop_assert_eq!(blocks.len(), pyramid.count(level));
                let area: usize = blocks.iter().map(|b| pyramid.rect(*b).area()).sum();
                prop_assert_eq!(area, height as usize * width as usize);
                if level == 0 { continue; }
                for block in blocks {
                    let own = pyramid.rect(block);
                    let mut covered = 0;
                    for child in pyramid.children(block) {
                        prop_assert_eq!(pyramid.parent(child), Some(block));
                        let part = pyramid.rect(child);
                        prop_assert!(part.y.is_multiple_of(2) && part.x.is_multiple_of(2));
                        prop_assert!(part.y / 2 >= own.y && part.y / 2 + part.h.div_ceil(2) <= own.y + own.h);
                        prop_assert!(part.x / 2 >= own.x && part.x / 2 + part.w.div_ceil(2) <= own.x + own.w);
                        covered += part.h.div_ceil(2) as usize * part.w.div_ceil(2) as usize;
                    }
                    prop_assert_eq!(covered, own.area());
                }
            }
        }
    }
}
