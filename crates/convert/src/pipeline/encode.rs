//! Chunks of one thread: encoded, gathered in shards where there are any, and handed to the store.

use bytes::Bytes;
use fairzarr_ome_zarr::{Encoder, Shard};
use fairzarr_pixel::{PlaneIndex, Region};
use fairzarr_store::Store;
use fairzarr_task::Progress;
use std::collections::HashMap;

use crate::error::Error;
use crate::pipeline::timing::{Stage, Stopwatch};
use crate::pixels::sample::SampleBuffer;
use crate::plan::{ImagePlan, Plan, Written};

/// Where the chunks of a block belong, and how they are encoded.
#[derive(Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) plan: &'a ImagePlan,
    pub(crate) page: PlaneIndex,
    pub(crate) level: usize,
    pub(crate) encoder: &'a Encoder,
}

/// Encodes and writes the chunks of blocks.
pub(crate) struct ChunkWriter<'a> {
    plan: &'a Plan,
    store: &'a Store,
    progress: &'a Progress,
    /// A chunk that is put together from a part of a block.
    chunk: SampleBuffer,
    /// Shards that wait for chunks, by level, channel, row and column. They belong to the task that is being done.
    shards: HashMap<(usize, u32, u32, u32), Shard>,
    written: Written,
}

impl<'a> ChunkWriter<'a> {
    pub(crate) fn new(plan: &'a Plan, store: &'a Store, progress: &'a Progress) -> Self {
        let (chunk, shards, written) = (SampleBuffer::default(), HashMap::new(), Written::default());
        Self { plan, store, progress, chunk, shards, written }
    }

    /// What was written since this was asked last. No shard may be waiting: shards never extend beyond a task.
    pub(crate) fn take_written(&mut self) -> Written {
        debug_assert!(self.shards.is_empty(), "a shard extends beyond its task");
        std::mem::take(&mut self.written)
    }

    /// Forgets the shards of a task that failed.
    pub(crate) fn abandon(&mut self) {
        self.shards.clear();
    }

    /// Writes all chunks of a block, directly or through their shards.
    pub(crate) fn block(
        &mut self,
        watch: &mut Stopwatch,
        to: Destination<'_>,
        rect: Region,
        pixels: &[u8],
    ) -> Result<(), Error> {
        let Destination { plan, page, level, encoder } = to;
        let sample = plan.sample_bytes();
        let (ch, cw) = plan.levels[level].chunk;
        let channels = plan.channels(page);
        for (c, plane) in channels.zip(pixels.chunks_exact(rect.area() * sample)) {
            for cy in rect.y / ch..(rect.y + rect.h).div_ceil(ch) {
                for cx in rect.x / cw..(rect.x + rect.w).div_ceil(cw) {
                    let stored = self.encode(encoder, rect, plane, sample, (cy, cx), (ch, cw))?;
                    watch.lap(Stage::Encode);
                    self.place(plan, page, c, level, (cy, cx), stored)?;
                    watch.lap(Stage::Write);
                }
            }
        }
        Ok(())
    }

    /// The stored bytes of one chunk, padded with zeros beyond the array's edge; `None` if it is left out.
    pub(crate) fn encode(
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
        if self.plan.settings.omit_empty && chunk.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        Ok(Some(encoder.encode(chunk)?))
    }

    /// Puts the stored bytes of a chunk, or its absence, where they belong: into an object, or into its shard, which is written
    /// when its last chunk has come.
    pub(crate) fn place(
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
            let planes = plan.task_pages(first).count();
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
        let index = plan.along_axes([page.t / times, c, page.z / sections, y, x].map(u64::from));
        let array = plan.array_path(level);
        let key = fairzarr_zarr::chunk_key(self.plan.ngff(), &array, &index);
        let bytes: usize = pieces.iter().map(Bytes::len).sum();
        self.progress.wrote(bytes as u64);
        self.written.bytes += bytes as u64;
        self.written.objects += 1;
        self.store.put_parts_in_background(&key, pieces)?;
        Ok(())
    }
}

/// Whether the part of a chunk that lies in a block is zero.
pub(crate) fn is_zero(
    rect: Region,
    pixels: &[u8],
    sample: usize,
    (cy, cx): (u32, u32),
    (ch, cw): (u32, u32),
) -> bool {
    let (top, left) = ((cy * ch - rect.y) as usize, (cx * cw - rect.x) as usize);
    let right = (left + cw as usize).min(rect.w as usize);
    let rows = pixels.chunks_exact(rect.w as usize * sample).skip(top).take(ch as usize);
    rows.flat_map(|row| &row[left * sample..right * sample]).all(|byte| *byte == 0)
}
