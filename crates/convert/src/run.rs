//! Running the units of a plan on several threads.

use fairzarr_digest::PlaneDigest;
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Error;
use crate::checksums;
use crate::collect::{self, Collector};
use crate::journal::{self, Finished, Journal, PlaneResult, Record};
use crate::locks::{lock, unlocked};
use crate::lost;
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
    fn add(&mut self, plan: &Plan, unit: Unit, planes: &[PlaneResult]) {
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
            self.digests.entry(key).or_default().merge(plane.tiles.iter().copied());
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
    let range = share.range(plan.unit_count());
    let own = || plan.units().skip(range.start as usize).take((range.end - range.start) as usize);
    let segments = journal::segments(store)?;
    let finished = if share.of == 1 {
        lost::finished(plan, store, &segments, |_| true)?
    } else {
        let own: BTreeSet<Unit> = own().collect();
        lost::finished(plan, store, &segments, |unit| own.contains(&unit))?
    };
    let (done, pending): (Vec<Unit>, Vec<Unit>) = own().partition(|unit| finished.contains(unit));
    let shared = Shared {
        source,
        context,
        journal: Journal::new(store, &format!("{}of{}", share.number, share.of), &segments),
        collector: (share.of == 1).then(|| Collector::new(finished.clone())),
        findings: Mutex::default(),
        failure: Mutex::default(),
        stop: AtomicBool::new(false),
        finished: AtomicBool::new(false),
    };
    let bytes = |units: &[Unit]| units.iter().map(|unit| plan.unit_bytes(*unit)).sum::<u64>();
    progress.total.store(bytes(&done) + bytes(&pending), Ordering::Relaxed);
    progress.before.store(bytes(&done), Ordering::Relaxed);
    progress.done.store(bytes(&done), Ordering::Relaxed);

    let start = Instant::now();
    let threads = plan.jobs(options);
    let units = Mutex::new(pending.into_iter());
    let mut elapsed = Duration::ZERO;
    std::thread::scope(|scope| {
        scope.spawn(|| shared.journal.write(|error| shared.fail(error)));
        if let Err(error) = shared.go_on(&segments, &finished) {
            shared.fail(error);
        }
        std::thread::scope(|scope| {
            scope.spawn(|| shared.hash(share));
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| shared.work(|| lock(&units).next()));
                }
            });
            shared.finished.store(true, Ordering::Relaxed);
            elapsed = start.elapsed();
        });
        // What is done is recorded even when something failed, so that it can be resumed.
        shared.journal.finish();
    });

    let flushed = store.flush();
    let outcome = unlocked(shared.failure);
    if let Some(error) = outcome {
        return Err(error);
    }
    flushed?;
    let mut findings = unlocked(shared.findings);
    findings.times.threads = threads;
    findings.times.elapsed = elapsed;
    Ok(findings)
}

impl Shared<'_> {
    /// Takes over what earlier processes found and carried up in what is `finished`.
    fn go_on(&self, segments: &[String], finished: &BTreeSet<Unit>) -> Result<(), Error> {
        let plan = self.context.plan;
        let mut worker = Worker::new(self.context);
        // What was done twice is there twice.
        let (mut seen, mut carried) = (BTreeSet::new(), BTreeSet::new());
        journal::read(self.context.store, segments, |record| {
            let (record, planes) = match record {
                Record::Unit(record, planes) => (record, Some(planes)),
                Record::Block(record) => (record, None),
                Record::File(index, checksum) => {
                    lock(&self.findings).checksums.insert(index, checksum);
                    return Ok(());
                }
            };
            let Some(collector) = self.collector.as_ref().filter(|_| finished.contains(&record.unit)) else {
                return Ok(());
            };
            if let Some(planes) = planes.filter(|_| seen.insert(record.unit)) {
                lock(&self.findings).add(plan, record.unit, &planes);
            }
            let is_wanted = plan.above(record.unit).is_some_and(|above| !finished.contains(&above));
            if let Some(packed) = record.carry.filter(|_| is_wanted && carried.insert(record.unit)) {
                let carry = collect::unpack(&plan.images[record.unit.image], record.unit, &packed)?;
                collector.take(plan, record.unit, carry, &mut worker, &self.journal)?;
            }
            Ok(())
        })
    }

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
            self.journal.add(Record::File(index, checksum.clone()), std::iter::empty());
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
        let planes: Vec<_> = seen.into_iter().map(PlaneResult::from).collect();
        if self.collector.is_some() {
            lock(&self.findings).add(plan, unit, &planes);
        }
        let packed = carry.as_deref().map(|carry| collect::pack(image, carry)).transpose()?;
        let record = Record::Unit(Finished { unit, written, carry: packed }, planes);
        self.journal.add(record, std::iter::empty());
        if let (Some(collector), Some(carry)) = (&self.collector, carry) {
            collector.take(plan, unit, carry, worker, &self.journal)?;
        }
        worker.watch.lap(Stage::Record);
        Ok(())
    }
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
