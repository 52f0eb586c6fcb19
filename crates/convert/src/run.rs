//! Running the units of a plan on several threads.

use fairzarr_digest::PlaneDigest;
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::Error;
use crate::checksums;
use crate::collect::{self, Collector};
use crate::journal::{self, Journal, PlaneResult, Record, UnitResult};
use crate::lost::lost;
use crate::options::{Options, Progress};
use crate::plan::{Plan, Unit};
use crate::stages::{Stage, StageTimes};
use crate::stats::ChannelStatistics;
use crate::walk::{Context, Converted, Worker};

/// A plane of an image's level: image, level, and t, c, z.
type Plane = (usize, usize, (u32, u32, u32));

/// What was learnt of the pixels, by image.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// By image and channel.
    pub(crate) statistics: BTreeMap<(usize, u32), ChannelStatistics>,
    /// Of the levels that were read.
    pub(crate) digests: BTreeMap<Plane, PlaneDigest>,
    /// Units that are still to come, of images that some have come of.
    missing: BTreeMap<usize, u64>,
    /// What it took.
    pub(crate) times: StageTimes,
    /// Checksums of the source's files, by their number in the plan.
    pub(crate) checksums: BTreeMap<u32, String>,
}

impl Findings {
    fn add(&mut self, plan: &Plan, unit: Unit, planes: Vec<PlaneResult>) {
        let image = &plan.images[unit.image];
        let level = image.pyramids[unit.pyramid].first;
        let sample_planes = image
            .unit_pages(unit.page)
            .flat_map(|page| image.channels(page).map(move |c| (page.t, c, page.z)));
        for ((t, c, z), plane) in sample_planes.zip(planes) {
            if level == 0 && image.is_decoded(level) {
                self.statistics.entry((unit.image, c)).or_default().merge(&plane.statistics);
            }
            let key = (unit.image, level, (t, c, z));
            self.digests.entry(key).or_default().merge(plane.tiles);
        }
        let missing = self.missing.entry(unit.image).or_insert_with(|| image.unit_count());
        *missing -= 1;
        if *missing == 0 {
            self.missing.remove(&unit.image);
            for (_, statistics) in self.statistics.range_mut((unit.image, 0)..=(unit.image, u32::MAX)) {
                statistics.settle();
            }
        }
    }
}

/// One of several equal shares of a plan's units.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share {
    /// From 1 to `of`.
    pub number: u32,
    /// Number of shares.
    pub of: u32,
}

impl Share {
    /// All of it.
    pub const ALL: Self = Self { number: 1, of: 1 };

    /// Contiguous runs of units, so that a process works on neighbouring pages.
    fn range(self, units: u64) -> std::ops::Range<u64> {
        let cut = |n: u32| (units as u128 * n as u128 / self.of.max(1) as u128) as u64;
        cut(self.number.saturating_sub(1))..cut(self.number)
    }
}

/// Everything that the threads share.
struct Shared<'a> {
    source: &'a Fileset,
    context: Context<'a>,
    journal: Journal<'a>,
    /// Assembles levels above the units; absent when the units are shared between processes.
    collector: Option<Collector>,
    findings: Mutex<Findings>,
    failure: Mutex<Option<Error>>,
    stop: AtomicBool,
    /// No units are left.
    finished: AtomicBool,
}

/// Runs a share of the plan's units. Units that the journal holds are not run again.
///
/// With the whole plan as share, the levels above the units are written too, and what was seen of all pixels
/// is returned.
pub(crate) fn run(
    source: &Fileset,
    plan: &Plan,
    store: &Store,
    options: &Options,
    share: Share,
    progress: &Progress,
) -> Result<Findings, Error> {
    let context = Context { plan, store, progress, cancel: &options.cancel };
    let shared = Shared {
        source,
        context,
        journal: Journal::new(store, &format!("{}of{}", share.number, share.of))?,
        collector: (share.of == 1).then(Collector::default),
        findings: Mutex::default(),
        failure: Mutex::default(),
        stop: AtomicBool::new(false),
        finished: AtomicBool::new(false),
    };
    let lost = lost_units(plan, store, share)?;
    let mut done = BTreeSet::new();
    let mut carried = Vec::new();
    journal::read(store, |record| match record {
        // A record of another plan cannot be here: the plan was compared before.
        Record::Unit(result)
            if plan.images.len() > result.unit.image
                && !lost.contains(&result.unit)
                && done.insert(result.unit) =>
        {
            if share.of == 1 {
                lock(&shared.findings).add(plan, result.unit, result.planes);
                carried.extend(result.carry.map(|carry| (result.unit, carry)));
            }
        }
        Record::Unit(_) => {}
        Record::File(index, checksum) => {
            lock(&shared.findings).checksums.insert(index, checksum);
        }
    })?;
    if let Some(collector) = &shared.collector {
        let mut worker = Worker::new(context);
        carried.sort_by_key(|(unit, _)| *unit);
        for (unit, carry) in carried {
            collector.take(plan, unit, carry, &mut worker)?;
        }
    }

    let range = share.range(plan.unit_count());
    let own = plan.units().skip(range.start as usize).take((range.end - range.start) as usize);
    let (finished, pending): (Vec<Unit>, Vec<Unit>) = own.partition(|unit| done.contains(unit));
    let bytes = |units: &[Unit]| units.iter().map(|unit| plan.unit_bytes(*unit)).sum::<u64>();
    progress.total.store(bytes(&finished) + bytes(&pending), Ordering::Relaxed);
    progress.before.store(bytes(&finished), Ordering::Relaxed);
    progress.done.store(bytes(&finished), Ordering::Relaxed);

    let start = Instant::now();
    let threads = plan.jobs(options);
    let units = Mutex::new(pending.into_iter());
    std::thread::scope(|scope| {
        scope.spawn(|| shared.hash(share));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| shared.work(|| lock(&units).next()));
            }
        });
        shared.finished.store(true, Ordering::Relaxed);
    });

    let elapsed = start.elapsed();
    let outcome = shared.failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    // What is done is recorded even when something failed, so that it can be resumed.
    let recorded = shared.journal.finish();
    if let Some(error) = outcome {
        return Err(error);
    }
    recorded?;
    store.flush()?;
    let mut findings = shared.findings.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    findings.times.threads = threads;
    findings.times.elapsed = elapsed;
    Ok(findings)
}

/// Units of a share that were recorded and have to be done again.
fn lost_units(plan: &Plan, store: &Store, share: Share) -> Result<BTreeSet<Unit>, Error> {
    let mut recorded = BTreeMap::new();
    journal::read(store, |record| {
        if let Record::Unit(result) = record {
            recorded.insert(result.unit, result.written);
        }
    })?;
    if share.of > 1 {
        let range = share.range(plan.unit_count());
        let own: BTreeSet<Unit> =
            plan.units().skip(range.start as usize).take((range.end - range.start) as usize).collect();
        recorded.retain(|unit, _| own.contains(unit));
    }
    if recorded.is_empty() {
        return Ok(BTreeSet::new());
    }
    lost(plan, store, &recorded)
}

impl Shared<'_> {
    /// One thread's loop.
    fn work(&self, mut next: impl FnMut() -> Option<Unit>) {
        let mut worker = Worker::new(self.context);
        while !self.stop.load(Ordering::Relaxed) {
            let Some(unit) = next() else { break };
            if let Err(error) = self.one(unit, &mut worker) {
                self.fail(error);
                break;
            }
        }
        lock(&self.findings).times.add(&worker.watch);
    }

    /// The thread that follows the others and computes the checksums of the files that they read.
    fn hash(&self, share: Share) {
        let plan = self.context.plan;
        let Some(algorithm) = plan.source_checksum else { return };
        let known = lock(&self.findings).checksums.clone();
        let bytes = plan.files.iter().map(|(_, len)| len).sum();
        let progress = self.context.progress;
        let ready = || {
            if self.stop.load(Ordering::Relaxed) || self.context.cancel.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            let [done, total] = [&progress.done, &progress.total].map(|n| n.load(Ordering::Relaxed));
            let all = self.finished.load(Ordering::Relaxed);
            Ok(if all { 1.0 } else { done as f64 / total.max(1) as f64 })
        };
        let each = |index, checksum: String| {
            self.journal.add(&Record::File(index, checksum.clone()))?;
            lock(&self.findings).checksums.insert(index, checksum);
            Ok(())
        };
        let range = share.range(bytes);
        if let Err(error) = checksums::follow(self.source, plan, algorithm, range, &known, ready, each) {
            self.fail(error);
        }
    }

    /// Stops all threads. The first error is the one that is told.
    fn fail(&self, error: Error) {
        lock(&self.failure).get_or_insert(error);
        self.stop.store(true, Ordering::Relaxed);
    }

    fn one(&self, unit: Unit, worker: &mut Worker<'_>) -> Result<(), Error> {
        let plan = self.context.plan;
        let image = &plan.images[unit.image];
        let source = &self.source.images()[unit.image];
        let Converted { pixels, seen, written } = worker.convert(source, unit)?;
        let carry = collect::carry(image, unit, unit.block, pixels);
        worker.watch.lap(Stage::Downsample);
        let planes = seen.into_iter().map(PlaneResult::from).collect();
        let record = Record::Unit(UnitResult { unit, planes, carry, written });
        self.journal.add(&record)?;
        let Record::Unit(UnitResult { planes, carry, .. }) = record else { return Ok(()) };
        if let Some(collector) = &self.collector {
            lock(&self.findings).add(plan, unit, planes);
            if let Some(carry) = carry {
                collector.take(plan, unit, carry, worker)?;
            }
        }
        worker.watch.lap(Stage::Record);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_all_units_once() {
        for units in [0, 1, 7, 100] {
            for of in [1, 2, 3, 13] {
                let mut next = 0;
                for number in 1..=of {
                    let range = Share { number, of }.range(units);
                    assert_eq!(range.start, next);
                    next = range.end;
                }
                assert_eq!(next, units);
            }
        }
    }
}
