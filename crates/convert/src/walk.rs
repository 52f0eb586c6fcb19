//! One worker: reads blocks of one page, encodes their chunks, and halves them into their parents.

use bytes::Bytes;
use fairzarr_digest::PlaneDigest;
use fairzarr_ome_tiff::{Image, PackedChunk, Scratch};
use fairzarr_pixel::{PlaneIndex, Region};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::Error;
use crate::encode::Encoder;
use crate::geometry::{Block, Pyramid};
use crate::lost::Written;
use crate::options::Progress;
use crate::plan::{ImagePlan, LevelPlan, Plan, Unit};
use crate::reduce::halve;
use crate::samples::SampleBuffer;
use crate::shard::Shard;
use crate::stages::{Stage, Stopwatch};
use crate::stats::{Buckets, ChannelStatistics};
use fairzarr_store::Store;
use std::sync::atomic::AtomicBool;

/// What a worker needs to know of the conversion.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) store: &'a Store,
    pub(crate) progress: &'a Progress,
    pub(crate) cancel: &'a AtomicBool,
}

/// What was learnt of one sample plane while its pixels passed by.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) statistics: ChannelStatistics,
    pub(crate) digest: PlaneDigest,
}

/// Buffers and codec state of one thread.
pub(crate) struct Worker<'a> {
    context: Context<'a>,
    scratch: Scratch,
    /// One block per level, filled depth first.
    blocks: Vec<SampleBuffer>,
    chunk: SampleBuffer,
    buckets: Buckets,
    shards: HashMap<(usize, u32, u32, u32), Shard>,
    pub(crate) watch: Stopwatch,
    written: Written,
}

/// What became of a unit.
pub(crate) struct Converted<'w> {
    /// The root block's samples, `[sample][y][x]`.
    pub(crate) pixels: &'w [u8],
    /// By page, and sample plane of the page.
    pub(crate) seen: Vec<Seen>,
    pub(crate) written: Written,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(context: Context<'a>) -> Self {
        let cache = usize::try_from(context.plan.tile_cache).unwrap_or(usize::MAX);
        Self {
            context,
            scratch: Scratch::with_cache(cache),
            blocks: Vec::new(),
            chunk: SampleBuffer::default(),
            buckets: Buckets::default(),
            shards: HashMap::new(),
            watch: Stopwatch::new(),
            written: Written::default(),
        }
    }

    /// Converts everything of a unit, from the level that is read up to and including its root block.
    pub(crate) fn convert(&mut self, image: &Image, unit: Unit) -> Result<Converted<'_>, Error> {
        let Unit { page, block: root, .. } = unit;
        let plan = &self.context.plan.images[unit.image];
        let pyramid = &plan.pyramids[unit.pyramid];
        let levels = root.level + 1;
        if self.blocks.len() < levels {
            self.blocks.resize_with(levels, SampleBuffer::default);
        }
        let encoders = (0..levels)
            .filter(|level| pyramid.writes(*level))
            .map(|level| plan.encoder(self.context.plan, pyramid.of_image(level)))
            .collect::<Result<_, _>>()?;
        let mut task = Task { image, plan, pyramid, page, encoders, seen: Vec::new() };
        let mut blocks = std::mem::take(&mut self.blocks);
        self.watch.start();
        self.written = Written::default();
        let mut all_seen = Vec::new();
        let outcome = plan.unit_pages(page).try_for_each(|page| {
            task.page = page;
            task.seen.resize_with(plan.samples(page) as usize, Seen::default);
            self.walk(&mut task, root, &mut blocks[..levels])?;
            all_seen.append(&mut task.seen);
            Ok::<(), Error>(())
        });
        self.blocks = blocks;
        if outcome.is_err() {
            self.shards.clear();
        }
        outcome?;
        debug_assert!(self.shards.is_empty(), "a shard extends beyond its unit");
        let written = std::mem::take(&mut self.written);
        Ok(Converted { pixels: self.blocks[root.level].bytes(), seen: all_seen, written })
    }

    /// Encodes the chunks of a block that was put together from several units; what was written.
    pub(crate) fn emit_assembled(
        &mut self,
        plan: &ImagePlan,
        pyramid: &Pyramid,
        page: PlaneIndex,
        block: Block,
        pixels: &[u8],
    ) -> Result<Written, Error> {
        let level = pyramid.of_image(block.level);
        let encoder = plan.encoder(self.context.plan, level)?;
        self.written = Written::default();
        self.emit(plan, page, &encoder, level, pyramid.rect(block), pixels)?;
        Ok(self.written)
    }

    fn walk(&mut self, task: &mut Task<'_>, block: Block, blocks: &mut [SampleBuffer]) -> Result<(), Error> {
        let pyramid = task.pyramid;
        let rect = pyramid.rect(block);
        let samples = task.plan.samples(task.page) as usize;
        let bytes = rect.area() * samples * task.plan.sample_bytes();
        let Some((own, below)) = blocks.split_last_mut() else {
            return Ok(());
        };
        if block.level == 0 {
            if self.context.cancel.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            self.read_level(task, rect, bytes, own)?;
            self.context.progress.done.fetch_add(bytes as u64, Ordering::Relaxed);
            return Ok(());
        }
        if !pyramid.writes(block.level) {
            return pyramid.children(block).try_for_each(|child| self.walk(task, child, below));
        }
        own.resize(bytes);
        for child in pyramid.children(block) {
            self.walk(task, child, below)?;
            if let Some(child_pixels) = below.last() {
                let from = pyramid.rect(child);
                halve(task.plan.sample_type, samples, from, child_pixels.bytes(), rect, own.bytes_mut());
                self.watch.lap(Stage::Downsample);
            }
        }
        let level = pyramid.of_image(block.level);
        self.emit(task.plan, task.page, &task.encoders[block.level], level, rect, own.bytes())
    }

    /// A block of the level that is read, of `bytes` bytes: its samples, if they are decoded, and its chunks.
    fn read_level(
        &mut self,
        task: &mut Task<'_>,
        rect: Region,
        bytes: usize,
        own: &mut SampleBuffer,
    ) -> Result<(), Error> {
        let (plan, level) = (task.plan, task.pyramid.first);
        let is_there = !plan.is_missing(task.page);
        let container = plan.levels[level].codec.container();
        let container = container.filter(|_| plan.levels[level].moved && is_there);
        let Some(container) = container else {
            own.resize(bytes);
            let waited = self.scratch.time_reading();
            if is_there {
                task.image.read(level, task.page, rect, own.bytes_mut(), &mut self.scratch)?;
            } else {
                own.bytes_mut().fill(0);
            }
            self.lap_reading(waited);
            self.look_at(task, rect, own.bytes());
            return self.emit(plan, task.page, &task.encoders[0], level, rect, own.bytes());
        };
        let waited = self.scratch.time_reading();
        let scratch = &mut self.scratch;
        if plan.is_decoded(level) {
            own.resize(bytes);
            let out = own.bytes_mut();
            let tiles = task.image.read_packed(level, task.page, rect, container, out, scratch)?;
            self.lap_reading(waited);
            self.look_at(task, rect, own.bytes());
            return self.emit_moved(task, rect, Some(own.bytes()), tiles);
        }
        let tiles = task.image.read_packed_unseen(level, task.page, rect, container, scratch)?;
        self.lap_reading(waited);
        self.emit_moved(task, rect, None, tiles)
    }

    /// Reading and decoding are measured as one; the reader knows how long it `waited` for the file before.
    fn lap_reading(&mut self, waited: Duration) {
        let waited = self.scratch.time_reading().saturating_sub(waited);
        self.watch.lap_with(Stage::Decode, Stage::Read, waited);
    }

    /// What decoded samples tell.
    fn look_at(&mut self, task: &mut Task<'_>, rect: Region, pixels: &[u8]) {
        let sample = task.plan.sample_bytes();
        let level = task.pyramid.first;
        let planes = pixels.chunks_exact(rect.area() * sample);
        for (seen, pixels) in task.seen.iter_mut().zip(planes) {
            if level == 0 {
                let statistics = &mut seen.statistics;
                statistics.add(task.plan.sample_type, rect.w as usize, rect.y, pixels, &mut self.buckets);
                self.watch.lap(Stage::Statistics);
            }
            seen.digest.add(rect, sample, task.plan.digest_width(level), pixels);
            self.watch.lap(Stage::Digest);
        }
    }

    /// Writes the tiles of a block as they are. What is no whole tile in the source, or none that every reader takes, is
    /// encoded from its samples with the same codec. Without the block's `pixels`, those tiles alone are decoded, and the
    /// stored bytes of all have digests.
    fn emit_moved(
        &mut self,
        task: &mut Task<'_>,
        rect: Region,
        pixels: Option<&[u8]>,
        tiles: Vec<PackedChunk>,
    ) -> Result<(), Error> {
        let plan = task.plan;
        let level = task.pyramid.first;
        let sample = plan.sample_bytes();
        let chunk = plan.levels[level].chunk;
        for PackedChunk { row, column, bytes } in tiles {
            let at = (row, column);
            // Whether a chunk is left out is decided by its samples.
            let is_left_out = self.context.plan.omit_empty
                && pixels.is_some_and(|pixels| is_zero(rect, pixels, sample, at, chunk));
            let stored = match (bytes, pixels) {
                (Some(bytes), _) if !is_left_out => {
                    self.context.progress.moved.fetch_add(1, Ordering::Relaxed);
                    Some(task.encoders[0].seal(bytes))
                }
                (_, Some(pixels)) => self.encode(&task.encoders[0], rect, pixels, sample, at, chunk)?,
                (_, None) => self.encode_alone(task, at)?,
            };
            self.watch.lap(Stage::Encode);
            if pixels.is_none()
                && let Some(stored) = &stored
                && let [seen] = &mut task.seen[..]
            {
                seen.digest.add_stored(at, stored);
                self.watch.lap(Stage::Digest);
            }
            // Several channels in one tile are not moved.
            let channel = plan.channels(task.page).start;
            self.place(plan, task.page, channel, level, at, stored)?;
            self.watch.lap(Stage::Write);
        }
        Ok(())
    }

    /// Decodes and encodes one chunk of a level whose other chunks are moved unseen.
    fn encode_alone(&mut self, task: &Task<'_>, at: (u32, u32)) -> Result<Option<Vec<u8>>, Error> {
        let level = task.pyramid.first;
        let LevelPlan { size, chunk, .. } = task.plan.levels[level];
        let (y, x) = (at.0 * chunk.0, at.1 * chunk.1);
        let rect = Region { y, x, h: chunk.0.min(size.0 - y), w: chunk.1.min(size.1 - x) };
        let sample = task.plan.sample_bytes();
        let mut pixels = SampleBuffer::default();
        pixels.resize(rect.area() * sample);
        task.image.read(level, task.page, rect, pixels.bytes_mut(), &mut self.scratch)?;
        self.encode(&task.encoders[0], rect, pixels.bytes(), sample, at, chunk)
    }

    /// Writes all chunks of a block, directly or through their shards.
    fn emit(
        &mut self,
        plan: &ImagePlan,
        page: PlaneIndex,
        encoder: &Encoder,
        level: usize,
        rect: Region,
        pixels: &[u8],
    ) -> Result<(), Error> {
        let sample = plan.sample_bytes();
        let (ch, cw) = plan.levels[level].chunk;
        let channels = plan.channels(page);
        for (c, plane) in channels.zip(pixels.chunks_exact(rect.area() * sample)) {
            for cy in rect.y / ch..(rect.y + rect.h).div_ceil(ch) {
                for cx in rect.x / cw..(rect.x + rect.w).div_ceil(cw) {
                    let stored = self.encode(encoder, rect, plane, sample, (cy, cx), (ch, cw))?;
                    self.watch.lap(Stage::Encode);
                    self.place(plan, page, c, level, (cy, cx), stored)?;
                    self.watch.lap(Stage::Write);
                }
            }
        }
        Ok(())
    }

    /// The stored bytes of one chunk, padded with zeros beyond the array's edge; `None` if it is left out.
    fn encode(
        &mut self,
        encoder: &Encoder,
        rect: Region,
        plane: &[u8],
        sample: usize,
        (cy, cx): (u32, u32),
        (ch, cw): (u32, u32),
    ) -> Result<Option<Vec<u8>>, Error> {
        let whole = rect.h == ch && rect.w == cw;
        let chunk = if whole {
            plane
        } else {
            let (top, left) = ((cy * ch - rect.y) as usize, (cx * cw - rect.x) as usize);
            let h = (ch as usize).min(rect.h as usize - top);
            let w = (cw as usize).min(rect.w as usize - left);
            self.chunk.resize(ch as usize * cw as usize * sample);
            let target = self.chunk.bytes_mut();
            if h < ch as usize || w < cw as usize {
                target.fill(0);
            }
            for row in 0..h {
                let from = ((top + row) * rect.w as usize + left) * sample;
                let to = row * cw as usize * sample;
                target[to..to + w * sample].copy_from_slice(&plane[from..from + w * sample]);
            }
            self.chunk.bytes()
        };
        if self.context.plan.omit_empty && chunk.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        encoder.encode(chunk).map(Some)
    }

    fn place(
        &mut self,
        plan: &ImagePlan,
        page: PlaneIndex,
        c: u32,
        level: usize,
        (cy, cx): (u32, u32),
        stored: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let Some((sh, sw)) = plan.levels[level].shard_chunks() else {
            return match stored {
                Some(stored) => self.put(plan, page, c, level, (cy, cx), vec![stored.into()]),
                None => Ok(()),
            };
        };
        let (sy, sx) = (cy / sh, cx / sw);
        let (rows, cols) = plan.chunk_grid(level);
        let (times, sections) = plan.depth;
        let first = PlaneIndex { t: page.t / times * times, z: page.z / sections * sections, ..page };
        let shard = self.shards.entry((level, c, sy, sx)).or_insert_with(|| {
            let planes = plan.unit_pages(first).count();
            let expected = sh.min(rows - sy * sh) as usize * sw.min(cols - sx * sw) as usize;
            Shard::new((times * sections) as usize * sh as usize * sw as usize, planes * expected)
        });
        let plane = ((page.t - first.t) * sections + (page.z - first.z)) as usize;
        let slot = (plane * sh as usize + (cy % sh) as usize) * sw as usize + (cx % sw) as usize;
        if shard.add(slot, stored)
            && let Some(shard) = self.shards.remove(&(level, c, sy, sx))
            && let Some(pieces) = shard.assemble()
        {
            self.put(plan, page, c, level, (sy, sx), pieces)?;
        }
        Ok(())
    }

    fn put(
        &mut self,
        plan: &ImagePlan,
        page: PlaneIndex,
        c: u32,
        level: usize,
        (y, x): (u32, u32),
        pieces: Vec<Bytes>,
    ) -> Result<(), Error> {
        let (times, sections) = plan.depth;
        let index = [page.t / times, c, page.z / sections, y, x].map(u64::from);
        let array = plan.array_path(level);
        let key = fairzarr_ngff::chunk_key(self.context.plan.ngff(), &array, &index);
        let bytes: usize = pieces.iter().map(Bytes::len).sum();
        self.context.progress.written.fetch_add(bytes as u64, Ordering::Relaxed);
        self.context.progress.objects.fetch_add(1, Ordering::Relaxed);
        self.written.bytes += bytes as u64;
        self.written.objects += 1;
        self.context.store.put_parts_in_background(&key, pieces)?;
        Ok(())
    }
}

/// Whether the part of a chunk that lies in a block is zero.
fn is_zero(rect: Region, pixels: &[u8], sample: usize, (cy, cx): (u32, u32), (ch, cw): (u32, u32)) -> bool {
    let (top, left) = ((cy * ch - rect.y) as usize, (cx * cw - rect.x) as usize);
    let right = (left + cw as usize).min(rect.w as usize);
    let rows = pixels.chunks_exact(rect.w as usize * sample).skip(top).take(ch as usize);
    rows.flat_map(|row| &row[left * sample..right * sample]).all(|byte| *byte == 0)
}

/// The unit that is being converted.
struct Task<'p> {
    image: &'p Image,
    plan: &'p ImagePlan,
    pyramid: &'p Pyramid,
    page: PlaneIndex,
    /// By level of the pyramid.
    encoders: Vec<Encoder>,
    seen: Vec<Seen>,
}
