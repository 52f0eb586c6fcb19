//! One worker: reads blocks of one page, has their chunks encoded and written, and halves them into their parents.

use fairzarr_ome_tiff::{Image, PackedChunk, Scratch};
use fairzarr_ome_zarr::Encoder;
use fairzarr_pixel::{PlaneIndex, Region};
use fairzarr_store::Store;
use fairzarr_task::Job;
use std::time::Duration;

use crate::error::Error;
use crate::pipeline::encode::{ChunkWriter, Destination, is_zero};
use crate::pipeline::findings::Seen;
use crate::pipeline::timing::{Stage, Stopwatch};
use crate::pixels::downsample::halve;
use crate::pixels::sample::SampleBuffer;
use crate::pixels::statistics::Buckets;
use crate::plan::pyramid::{Block, Pyramid};
use crate::plan::{ImagePlan, LevelPlan, Plan, Task, Written, container};

/// What a worker needs to know of the conversion.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) store: &'a Store,
    pub(crate) job: &'a Job,
}

/// One thread's buffers and codec state.
pub(crate) struct Worker<'a> {
    /// One block per level, filled depth first.
    blocks: Vec<SampleBuffer>,
    passage: Passage<'a>,
}

/// Everything that samples go through on their way from a tile of the source to the store, but the blocks themselves.
struct Passage<'a> {
    context: Context<'a>,
    scratch: Scratch,
    buckets: Buckets,
    writer: ChunkWriter<'a>,
    watch: Stopwatch,
}

/// What became of a task.
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
        let passage = Passage {
            context,
            scratch: Scratch::with_cache(cache),
            buckets: Buckets::default(),
            writer: ChunkWriter::new(context.plan, context.store, &context.job.progress),
            watch: Stopwatch::new(),
        };
        Self { blocks: Vec::new(), passage }
    }

    /// The time that each stage has taken so far.
    pub(crate) fn watch(&mut self) -> &mut Stopwatch {
        &mut self.passage.watch
    }

    /// Converts everything of a task, from the level that is read up to and including its root block.
    pub(crate) fn convert(&mut self, image: &Image, task: Task) -> Result<Converted<'_>, Error> {
        let Task { page, block: root, .. } = task;
        let Context { plan: whole, .. } = self.passage.context;
        let plan = &whole.images[task.image];
        let pyramid = &plan.pyramids[task.pyramid];
        let levels = root.level + 1;
        if self.blocks.len() < levels {
            self.blocks.resize_with(levels, SampleBuffer::default);
        }
        let encoders = (0..levels)
            .filter(|level| pyramid.writes(*level))
            .map(|level| whole.encoder(plan, pyramid.of_image(level)))
            .collect::<Result<_, _>>()?;
        let mut current = Current { image, plan, pyramid, page, encoders, seen: Vec::new() };
        self.passage.watch.start();
        let mut all_seen = Vec::new();
        for page in plan.task_pages(page) {
            current.page = page;
            current.seen.resize_with(plan.samples(page) as usize, Seen::default);
            let walked = self.passage.walk(&mut current, root, &mut self.blocks[..levels]);
            if walked.is_err() {
                self.passage.writer.abandon();
            }
            walked?;
            all_seen.append(&mut current.seen);
        }
        let written = self.passage.writer.take_written();
        Ok(Converted { pixels: self.blocks[root.level].bytes(), seen: all_seen, written })
    }

    /// Encodes the chunks of a block that was assembled from several tasks; what was written.
    pub(crate) fn write_assembled(
        &mut self,
        plan: &ImagePlan,
        pyramid: &Pyramid,
        page: PlaneIndex,
        block: Block,
        pixels: &[u8],
    ) -> Result<Written, Error> {
        let level = pyramid.of_image(block.level);
        let Passage { context, writer, watch, .. } = &mut self.passage;
        let encoder = context.plan.encoder(plan, level)?;
        let to = Destination { plan, page, level, encoder: &encoder };
        writer.block(watch, to, pyramid.rect(block), pixels)?;
        Ok(writer.take_written())
    }
}

impl Passage<'_> {
    fn walk(
        &mut self,
        current: &mut Current<'_>,
        block: Block,
        blocks: &mut [SampleBuffer],
    ) -> Result<(), Error> {
        let pyramid = current.pyramid;
        let rect = pyramid.rect(block);
        let samples = current.plan.samples(current.page) as usize;
        let bytes = rect.area() * samples * current.plan.sample_bytes();
        let Some((own, below)) = blocks.split_last_mut() else {
            return Ok(());
        };
        if block.level == 0 {
            self.context.job.cancel.check()?;
            self.read_level(current, rect, bytes, own)?;
            self.context.job.progress.advance(bytes as u64);
            return Ok(());
        }
        if !pyramid.writes(block.level) {
            return pyramid.children(block).try_for_each(|child| self.walk(current, child, below));
        }
        own.resize(bytes);
        for child in pyramid.children(block) {
            self.walk(current, child, below)?;
            if let Some(child_pixels) = below.last() {
                let from = pyramid.rect(child);
                let method = current.plan.downsample;
                let (from, to) = ((from, child_pixels.bytes()), (rect, own.bytes_mut()));
                halve(method, current.plan.sample_type, samples, from, to);
                self.watch.lap(Stage::Downsample);
            }
        }
        let to = current.destination(block.level);
        self.writer.block(&mut self.watch, to, rect, own.bytes())
    }

    /// A block of the level that is read, of `bytes` bytes: its samples, if they are decoded, and its chunks.
    fn read_level(
        &mut self,
        current: &mut Current<'_>,
        rect: Region,
        bytes: usize,
        own: &mut SampleBuffer,
    ) -> Result<(), Error> {
        let (plan, level) = (current.plan, current.pyramid.first);
        let is_there = !plan.is_missing(current.page);
        let container = container(plan.levels[level].codec);
        let container = container.filter(|_| plan.levels[level].moved && is_there);
        let Some(container) = container else {
            own.resize(bytes);
            let waited = self.scratch.time_reading();
            if is_there {
                current.image.read(level, current.plane(), rect, own.bytes_mut(), &mut self.scratch)?;
            } else {
                own.bytes_mut().fill(0);
            }
            self.lap_reading(waited);
            self.look_at(current, rect, own.bytes());
            return self.writer.block(&mut self.watch, current.destination(0), rect, own.bytes());
        };
        let waited = self.scratch.time_reading();
        let scratch = &mut self.scratch;
        if plan.is_decoded(level) {
            own.resize(bytes);
            let out = own.bytes_mut();
            let tiles = current.image.read_packed(level, current.plane(), rect, container, out, scratch)?;
            self.lap_reading(waited);
            self.look_at(current, rect, own.bytes());
            return self.write_moved(current, rect, Some(own.bytes()), tiles);
        }
        let tiles = current.image.read_packed_unseen(level, current.plane(), rect, container, scratch)?;
        self.lap_reading(waited);
        self.write_moved(current, rect, None, tiles)
    }

    /// Reading and decoding are measured as one; the reader knows how long it `waited` for the file before.
    fn lap_reading(&mut self, waited: Duration) {
        let waited = self.scratch.time_reading().saturating_sub(waited);
        self.watch.lap_with(Stage::Decode, Stage::Read, waited);
    }

    /// What decoded samples tell.
    fn look_at(&mut self, current: &mut Current<'_>, rect: Region, pixels: &[u8]) {
        let sample = current.plan.sample_bytes();
        let level = current.pyramid.first;
        let planes = pixels.chunks_exact(rect.area() * sample);
        for (seen, pixels) in current.seen.iter_mut().zip(planes) {
            if level == 0 {
                let statistics = &mut seen.statistics;
                let (sample_type, bits) = (current.plan.sample_type, current.image.significant_bits());
                statistics.add(sample_type, bits, rect.w as usize, rect.y, pixels, &mut self.buckets);
                if let Some(run) = current.plan.quality_run() {
                    seen.runs.add(current.plan.data_type(), current.plan.levels[0].size, run, rect, pixels);
                }
                self.watch.lap(Stage::Statistics);
            }
            seen.digest.add(rect, sample, current.plan.digest_width(level), pixels);
            self.watch.lap(Stage::Digest);
        }
    }

    /// Writes the tiles of a block as they are. A tile that is not whole in the source, or that some readers of Zarr would
    /// refuse, is encoded again from its samples with the same codec. Without the block's `pixels`, only those tiles are
    /// decoded, and digests are taken of the stored bytes of all.
    fn write_moved(
        &mut self,
        current: &mut Current<'_>,
        rect: Region,
        pixels: Option<&[u8]>,
        tiles: Vec<PackedChunk>,
    ) -> Result<(), Error> {
        let plan = current.plan;
        let level = current.pyramid.first;
        let sample = plan.sample_bytes();
        let chunk = plan.levels[level].chunk;
        for PackedChunk { row, column, bytes } in tiles {
            let at = (row, column);
            // Whether a chunk is left out is decided by its samples.
            let is_left_out = self.context.plan.settings.omit_empty
                && pixels.is_some_and(|pixels| is_zero(rect, pixels, sample, at, chunk));
            let stored = match (bytes, pixels) {
                (Some(bytes), _) if !is_left_out => {
                    self.context.job.progress.moved_tiles(1);
                    Some(current.encoders[0].seal(bytes))
                }
                (_, Some(pixels)) => {
                    self.writer.encode(&current.encoders[0], rect, pixels, sample, at, chunk)?
                }
                (_, None) => self.encode_alone(current, at)?,
            };
            self.watch.lap(Stage::Encode);
            if pixels.is_none()
                && let Some(stored) = &stored
                && let [seen] = &mut current.seen[..]
            {
                seen.digest.add_stored(at, stored);
                self.watch.lap(Stage::Digest);
            }
            // Several channels in one tile are not moved.
            let channel = plan.channels(current.page).start;
            self.writer.place(plan, current.page, channel, level, at, stored)?;
            self.watch.lap(Stage::Write);
        }
        Ok(())
    }

    /// Decodes and encodes one chunk of a level whose other chunks are moved unseen.
    fn encode_alone(&mut self, current: &Current<'_>, at: (u32, u32)) -> Result<Option<Vec<u8>>, Error> {
        let level = current.pyramid.first;
        let LevelPlan { size, chunk, .. } = current.plan.levels[level];
        let (y, x) = (at.0 * chunk.0, at.1 * chunk.1);
        let rect = Region { y, x, h: chunk.0.min(size.0 - y), w: chunk.1.min(size.1 - x) };
        let sample = current.plan.sample_bytes();
        let mut pixels = SampleBuffer::default();
        pixels.resize(rect.area() * sample);
        current.image.read(level, current.plane(), rect, pixels.bytes_mut(), &mut self.scratch)?;
        self.writer.encode(&current.encoders[0], rect, pixels.bytes(), sample, at, chunk)
    }
}

/// The task that is being converted.
struct Current<'p> {
    image: &'p Image,
    plan: &'p ImagePlan,
    pyramid: &'p Pyramid,
    page: PlaneIndex,
    /// By level of the pyramid.
    encoders: Vec<Encoder>,
    seen: Vec<Seen>,
}

impl Current<'_> {
    /// Where the chunks of a level of the pyramid go.
    fn destination(&self, level: usize) -> Destination<'_> {
        let Self { plan, pyramid, page, encoders, .. } = self;
        Destination { plan, page: *page, level: pyramid.of_image(level), encoder: &encoders[level] }
    }

    fn plane(&self) -> PlaneIndex {
        self.page
    }
}
