//! Levels above the units: blocks that are put together from what several units carry up.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use fairzarr_pixel::{PlaneIndex, Region};

use crate::Error;
use crate::encode;
use crate::geometry::Block;
use crate::journal::{Finished, Journal, Record};
use crate::locks::lock;
use crate::plan::{ImagePlan, Plan, Unit};
use crate::reduce::halve;
use crate::samples::SampleBuffer;
use crate::walk::Worker;

/// Blocks that wait for some of their children. Because units are done in depth-first order, there are few.
pub(crate) struct Collector {
    waiting: Mutex<HashMap<(usize, PlaneIndex, Block), Waiting>>,
    /// What an earlier process finished: it waits for nothing.
    finished: BTreeSet<Unit>,
}

struct Waiting {
    pixels: SampleBuffer,
    missing: usize,
}

/// What a block contributes to its parent: its samples halved, tight, `[sample][y][x]`.
pub(crate) fn carry(image: &ImagePlan, unit: Unit, block: Block, pixels: &[u8]) -> Option<Vec<u8>> {
    let pyramid = &image.pyramids[unit.pyramid];
    pyramid.parent(block)?;
    let from = pyramid.rect(block);
    let to = half(from);
    let samples = image.samples(unit.page) as usize;
    let mut halved = SampleBuffer::default();
    halved.resize(to.area() * samples * image.sample_bytes());
    halve(image.sample_type, samples, from, pixels, to, halved.bytes_mut());
    Some(halved.bytes().to_vec())
}

/// [`carry`] in the form that the journal keeps.
pub(crate) fn pack(image: &ImagePlan, carried: &[u8]) -> Result<Vec<u8>, Error> {
    encode::pack(carried, image.sample_bytes())
}

/// What a unit, or a block above the units, carries up, from [`pack`]'s form.
pub(crate) fn unpack(image: &ImagePlan, unit: Unit, packed: &[u8]) -> Result<Vec<u8>, Error> {
    let area = half(image.pyramids[unit.pyramid].rect(unit.block)).area();
    encode::unpack(packed, area * image.samples(unit.page) as usize * image.sample_bytes())
}

/// The place of a block's halved samples in the level above.
fn half(rect: Region) -> Region {
    Region { y: rect.y / 2, x: rect.x / 2, h: rect.h.div_ceil(2), w: rect.w.div_ceil(2) }
}

impl Collector {
    pub(crate) fn new(finished: BTreeSet<Unit>) -> Self {
        Self { waiting: Mutex::default(), finished }
    }

    /// Takes what a unit carries up, or a block above the units, and encodes and records every block that this completes.
    pub(crate) fn take(
        &self,
        plan: &Plan,
        unit: Unit,
        carried: Vec<u8>,
        worker: &mut Worker<'_>,
        journal: &Journal<'_>,
    ) -> Result<(), Error> {
        let image = &plan.images[unit.image];
        let mut child = unit.block;
        let mut carried = carried;
        let pyramid = &image.pyramids[unit.pyramid];
        while let Some(block) = pyramid.parent(child) {
            let above = Unit { block, ..unit };
            if self.finished.contains(&above) {
                return Ok(());
            }
            let Some(complete) = self.add(image, unit, child, block, &carried) else {
                return Ok(());
            };
            let written = worker.emit_assembled(image, pyramid, unit.page, block, complete.bytes())?;
            let next = carry(image, unit, block, complete.bytes());
            let packed = next.as_deref().map(|next| pack(image, next)).transpose()?;
            let record = Record::Block(Finished { unit: above, written, carry: packed });
            journal.add(record, pyramid.children(block).map(|block| Unit { block, ..unit }));
            let Some(next) = next else { return Ok(()) };
            (child, carried) = (block, next);
        }
        Ok(())
    }

    /// Copies a child's part into its parent; returns the parent when that was the last part.
    fn add(
        &self,
        image: &ImagePlan,
        unit: Unit,
        child: Block,
        block: Block,
        carried: &[u8],
    ) -> Option<SampleBuffer> {
        // Only an image's first pyramid has levels that are computed.
        let key = (unit.image, unit.page, block);
        let pyramid = &image.pyramids[unit.pyramid];
        let to = pyramid.rect(block);
        let from = half(pyramid.rect(child));
        let samples = image.samples(unit.page) as usize;
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
