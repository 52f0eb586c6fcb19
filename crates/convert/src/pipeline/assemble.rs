//! Levels above the tasks: blocks that are put together from what several tasks carry up.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::error::Error;
use crate::pipeline::worker::Worker;
use crate::pixels::downsample::halve;
use crate::pixels::sample::SampleBuffer;
use crate::plan::pyramid::Block;
use crate::plan::{ImagePlan, Plan, Task};
use crate::resume::journal::{Finished, Journal, Record};
use crate::resume::recovery::Recovered;
use fairzarr_pixel::{PlaneIndex, Region};
use fairzarr_task::lock;

/// Blocks that wait for some of their children. Because tasks are done in depth-first order, there are few.
#[derive(Default)]
pub(crate) struct Assembly {
    waiting: Mutex<HashMap<(usize, PlaneIndex, Block), Waiting>>,
}

struct Waiting {
    pixels: SampleBuffer,
    missing: usize,
}

/// What a block contributes to its parent: its samples halved, tight, `[sample][y][x]`.
pub(crate) fn contribution(plan: &Plan, task: Task, block: Block, pixels: &[u8]) -> Option<Vec<u8>> {
    let image = &plan.images[task.image];
    let pyramid = &image.pyramids[task.pyramid];
    pyramid.parent(block)?;
    let from = pyramid.rect(block);
    let to = half(from);
    let samples = image.samples(task.page) as usize;
    let mut halved = SampleBuffer::default();
    halved.resize(to.area() * samples * image.sample_bytes());
    let method = image.downsample;
    halve(method, image.sample_type, samples, (from, pixels), (to, halved.bytes_mut()));
    Some(halved.bytes().to_vec())
}

/// [`contribution`] in the form that the journal keeps.
pub(crate) fn pack(image: &ImagePlan, carried: &[u8]) -> Result<Vec<u8>, Error> {
    Ok(fairzarr_ome_zarr::pack(carried, image.sample_bytes())?)
}

/// What a task, or a block above the tasks, carries up, from [`pack`]'s form.
pub(crate) fn unpack(image: &ImagePlan, task: Task, packed: &[u8]) -> Result<Vec<u8>, Error> {
    let area = half(image.pyramids[task.pyramid].rect(task.block)).area();
    Ok(fairzarr_ome_zarr::unpack(packed, area * image.samples(task.page) as usize * image.sample_bytes())?)
}

/// The place of a block's halved samples in the level above.
fn half(rect: Region) -> Region {
    Region { y: rect.y / 2, x: rect.x / 2, h: rect.h.div_ceil(2), w: rect.w.div_ceil(2) }
}

impl Assembly {
    /// Takes what a task carries up, or a block above the tasks, and encodes and records every block that this completes. What
    /// an earlier process finished waits for nothing.
    pub(crate) fn take(
        &self,
        plan: &Plan,
        task: Task,
        carried: Vec<u8>,
        worker: &mut Worker<'_>,
        (journal, recovered): (&Journal<'_>, &Recovered),
    ) -> Result<(), Error> {
        let image = &plan.images[task.image];
        let mut child = task.block;
        let mut carried = carried;
        let pyramid = &image.pyramids[task.pyramid];
        while let Some(block) = pyramid.parent(child) {
            let above = Task { block, ..task };
            if recovered.is_finished(plan, above) {
                return Ok(());
            }
            let Some(complete) = self.add(image, task, child, block, &carried) else {
                return Ok(());
            };
            let written = worker.write_assembled(image, pyramid, task.page, block, complete.bytes())?;
            let next = contribution(plan, task, block, complete.bytes());
            let packed = next.as_deref().map(|next| pack(image, next)).transpose()?;
            let record = Record::Block(Finished { task: above, written, carry: packed });
            journal.add(record, pyramid.children(block).map(|block| Task { block, ..task }));
            let Some(next) = next else { return Ok(()) };
            (child, carried) = (block, next);
        }
        Ok(())
    }

    /// Copies a child's part into its parent; returns the parent when that was the last part.
    fn add(
        &self,
        image: &ImagePlan,
        task: Task,
        child: Block,
        block: Block,
        carried: &[u8],
    ) -> Option<SampleBuffer> {
        // Only an image's first pyramid has levels that are computed.
        let key = (task.image, task.page, block);
        let pyramid = &image.pyramids[task.pyramid];
        let to = pyramid.rect(block);
        let from = half(pyramid.rect(child));
        let samples = image.samples(task.page) as usize;
        let bytes = image.sample_bytes();
        let mut waiting = lock(&self.waiting);
        let parent = waiting.entry(key).or_insert_with(|| {
            let mut pixels = SampleBuffer::default();
            pixels.resize(to.area() * samples * bytes);
            Waiting { pixels, missing: pyramid.children(block).count() }
        });
        let row = from.w as usize * bytes;
        for sample in 0..samples {
            for y in 0..from.h as usize {
                let source = (sample * from.area() + y * from.w as usize) * bytes;
                let at = sample * to.area()
                    + ((from.y - to.y) as usize + y) * to.w as usize
                    + (from.x - to.x) as usize;
                parent.pixels.bytes_mut()[at * bytes..][..row].copy_from_slice(&carried[source..][..row]);
            }
        }
        parent.missing -= 1;
        if parent.missing == 0 { waiting.remove(&key).map(|parent| parent.pixels) } else { None }
    }
}
