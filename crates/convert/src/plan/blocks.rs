//! How an image is cut into blocks: what is read, reduced and encoded together.

use fairzarr_ome_tiff::Image;

use super::Request;
use super::pyramid::{Block, Pyramid};
use crate::options::ShardChoice;

/// Rows and columns that a block should reach, so that per-block costs vanish. A block of this size and its parents
/// stay in a core's cache, and where it is one tile and one chunk, no sample is copied.
const BLOCK_SIDE: u32 = 512;
/// The same where tiles and chunks do not fit each other: larger blocks have fewer tiles in common.
const MISFIT_SIDE: u32 = 1024;
/// Fewer tasks than this, and a page is split into smaller ones.
pub(super) const ENOUGH_TASKS: u64 = 64;
/// Decoded bytes of a task, beyond which a page is split further: a task is what one process does on its own, and what it
/// loses with it.
const TASK_BYTES: u64 = 1 << 30;

/// The blocks of a level that is read, and of those above it, of which `written` are written at most. `pixel` is the bytes
/// of a pixel of a page, and `pages` their number.
pub(super) fn pyramid(
    image: &Image,
    first: usize,
    written: usize,
    chunk: (u32, u32),
    pages: u64,
    request: Request<'_>,
) -> Pyramid {
    let level = &image.levels()[first];
    let pixel = pixel(image);
    let sizes = Pyramid::level_sizes(level.y, level.x, request.options.smallest_level.max(1));
    let written = written.min(sizes.len());
    let block = block_size(image, first, chunk, request.memory);
    let mut pyramid = Pyramid::new(first, sizes.clone(), written, block);
    if pyramid.area() * pixel > request.memory / 2 {
        // Wide pixels, or very large tiles: single chunks, and tiles are decoded as often as it takes.
        let (h, w) = (even(chunk.0), even(chunk.1));
        pyramid = Pyramid::new(first, sizes, written, (h, (w < level.x).then_some(w)));
    }
    // Chunks that are decoded row by row are passed over once, by one worker from the top down.
    pyramid.task_level = if image.is_streamed(first) {
        pyramid.levels() - 1
    } else {
        task_level(&pyramid, pages, pixel, request.options.shard)
    };
    pyramid
}

/// Bytes of the samples that one pixel has in a page.
fn pixel(image: &Image) -> u64 {
    let samples = image.channel_groups().iter().map(|group| group.len() as u64).max().unwrap_or(1);
    samples * image.sample_type().bytes() as u64
}

/// The highest level that still gives enough tasks, none of them too large; the top when there are pages enough.
///
/// A shard of the first level that was asked for is made by one task.
fn task_level(pyramid: &Pyramid, pages: u64, pixel: u64, shard: ShardChoice) -> usize {
    let highest = pyramid.levels() - 1;
    let is_small = |level: &usize| {
        let (rows, columns) = pyramid.below(Block { level: *level, row: 0, col: 0 }, 0);
        (rows.end - rows.start).saturating_mul(columns.end - columns.start).saturating_mul(pixel)
            <= TASK_BYTES
    };
    let top = (0..=highest).rev().find(is_small).unwrap_or(0);
    let enough = (0..=top)
        .rev()
        .find(|&level| pages * pyramid.count(level) as u64 >= ENOUGH_TASKS)
        .unwrap_or(if pages > 1 { top } else { 0 });
    let ShardChoice::Size(h, w) = shard else { return enough };
    let holds = |level: usize| {
        let rect = pyramid.rect(Block { level, row: 0, col: 0 });
        let (height, width) = pyramid.size(level);
        (rect.h == height || (rect.h as u64) << level >= h as u64)
            && (rect.w == width || (rect.w as u64) << level >= w as u64)
    };
    (enough..=highest).find(|&level| holds(level)).unwrap_or(highest)
}

/// Height and width of a block of a level that is read: multiples of the chunk, and of the source's tile or strip where
/// that is not much larger, so that each is decoded once.
fn block_size(image: &Image, first: usize, chunk: (u32, u32), memory: u64) -> (u32, Option<u32>) {
    let (level, pixel) = (&image.levels()[first], pixel(image));
    let grid = level.grid;
    let (chunk_h, chunk_w) = (even(chunk.0), even(chunk.1));
    let aligned = |chunk: u32, source: u32, size: u32| {
        let both = lcm(chunk, source.max(1));
        if both <= 2 * MISFIT_SIDE.max(chunk) {
            both
        } else {
            // Not commensurable: tiles on the border are shared through the cache.
            source.min(MISFIT_SIDE).max(chunk).div_ceil(chunk) * chunk
        }
        .min(size.div_ceil(chunk) * chunk)
    };
    let height = aligned(chunk_h, grid.height.min(level.y), level.y);
    let band = level.x as u64 * pixel * height as u64 * 2;
    let striped = grid.width >= level.x;
    // Half the memory for one worker's bands; beyond that, square blocks that read parts of strips.
    if striped && band <= memory / 4 {
        return (height, None);
    }
    if striped && level.x as u64 * pixel * chunk_h as u64 * 2 <= memory / 2 {
        return (chunk_h, None);
    }
    if image.is_streamed(first) {
        let width = lcm(chunk_w, grid.width);
        return (chunk_h, (width < level.x).then_some(width));
    }
    if striped {
        // Every strip is decoded once per column of blocks: as few and wide ones as the memory allows.
        let fitting = memory / 16 / (chunk_h as u64 * pixel) / chunk_w as u64 * chunk_w as u64;
        let width =
            fitting.clamp(chunk_w as u64, u32::MAX as u64 / 2 / chunk_w as u64 * chunk_w as u64) as u32;
        return (chunk_h, (width < level.x).then_some(width));
    }
    let width = aligned(chunk_w, grid.width.min(level.x), level.x);
    (grown(height, grid.height, level.y), Some(grown(width, grid.width, level.x)))
}

/// A block's side, doubled until it is worth while or reaches the image's.
fn grown(side: u32, tile: u32, size: u32) -> u32 {
    let enough = if side.is_multiple_of(tile.clamp(1, size.max(1))) { BLOCK_SIDE } else { MISFIT_SIDE };
    let mut side = side;
    while side < enough && side < size {
        side *= 2;
    }
    side
}

/// Bytes for decoded tiles that several blocks need.
pub(super) fn tile_cache(image: &Image) -> u64 {
    let level = &image.levels()[0];
    let tile = level.grid.height.min(level.y) as u64 * level.grid.width.min(level.x) as u64 * pixel(image);
    (4 * tile).clamp(1 << 20, 16 << 20)
}

/// A multiple of `side` that can be halved.
fn even(side: u32) -> u32 {
    if side.is_multiple_of(2) { side } else { side * 2 }
}

fn lcm(a: u32, b: u32) -> u32 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1)).saturating_mul(b)
}
