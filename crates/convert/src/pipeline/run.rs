//! Running the tasks of a plan on several threads.

use fairzarr_ome_tiff::{Fileset, Image};
use fairzarr_store::{Lease, Store};
use fairzarr_task::{Job, Pool, background, lock, unlocked};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::labels::Inputs;
use crate::pipeline::assemble::{self, Assembly};
use crate::pipeline::checksums;
use crate::pipeline::findings::{Findings, PlaneResult};
use crate::pipeline::timing::Stage;
use crate::pipeline::worker::{Context, Converted, Worker};
use crate::plan::share::Share;
use crate::plan::{Plan, Task};
use crate::resume::journal::{self, Finished, Journal, Record, Stored};
use crate::resume::recovery::{self, Recovered};

/// What was done before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Before {
    /// Nothing.
    Nothing,
    /// What the journal holds, if anything.
    Some,
    /// All tasks, by shares.
    AllTasks,
}

/// Everything that the threads share.
struct Shared<'a> {
    source: &'a Fileset,
    /// In the order of the plan.
    images: Vec<&'a Image>,
    context: Context<'a>,
    journal: Journal<'a>,
    /// Assembles levels above the tasks; absent when the tasks are shared between processes.
    assembly: Option<Assembly>,
    /// What earlier processes have done.
    recovered: Recovered,
    findings: Mutex<Findings>,
    failure: Mutex<Option<Error>>,
    stop: AtomicBool,
    /// No tasks are left.
    finished: AtomicBool,
}

/// Runs a share of the plan's tasks. Tasks that the journal holds are not run again.
///
/// With the whole plan as share, the levels above the tasks are written too, and what was seen of all pixels
/// is returned. If the metadata are written `last`, right after it, the lease is confirmed there.
pub(crate) fn run(
    inputs: Inputs<'_>,
    plan: &Plan,
    store: &Store,
    lease: &Lease,
    (share, before, last): (Share, Before, bool),
    job: &Job,
) -> Result<Findings, Error> {
    let context = Context { plan, store, job };
    let range = share.range(plan.task_count());
    let own = || plan.tasks().skip(range.start as usize).take((range.end - range.start) as usize);
    // A share looks at what the same share has done before: the journals of thousands of others are nothing to it.
    let of = (share.of > 1).then_some(share);
    let segments = if before == Before::Nothing { Vec::new() } else { journal::segments(store, of)? };
    // They are read once more.
    let kept = store.keeping(KEPT_JOURNAL);
    let recovered = Recovered::read(plan, &kept, &segments)?;
    if before == Before::AllTasks {
        recovery::check_all_recorded(plan, &recovered)?;
    }
    let (mut done, mut left) = (0, 0);
    for task in own() {
        *if recovered.is_finished(plan, task) { &mut done } else { &mut left } += plan.task_bytes(task);
    }
    job.progress.expect(done + left);
    job.progress.resume_from(done);
    let mut findings = Findings::default();
    findings.checksums.clone_from(&recovered.checksums);
    let shared = Shared {
        source: inputs.source,
        images: inputs.images(),
        context,
        journal: Journal::new(store, lease, share, &segments),
        assembly: (share.of == 1).then(Assembly::default),
        recovered,
        findings: Mutex::new(findings),
        failure: Mutex::default(),
        stop: AtomicBool::new(false),
        finished: AtomicBool::new(false),
    };

    let start = Instant::now();
    let pool = Pool::new(plan.threads(job))?;
    let tasks = Mutex::new(own().filter(|task| !shared.recovered.is_finished(plan, *task)));
    let mut elapsed = Duration::ZERO;
    std::thread::scope(|scope| {
        background(scope, "journal", || shared.journal.write(|error| shared.fail(error)))?;
        // Whatever happens now, the journal has to be told that it is the end: its thread waits for that.
        if let Err(error) = shared.go_on(&kept, &segments) {
            shared.fail(error);
        }
        drop(kept);
        std::thread::scope(|scope| {
            if let Err(error) = background(scope, "checksums", || shared.hash(share)) {
                shared.fail(error.into());
            }
            pool.run(|| shared.work(|| lock(&tasks).next()));
            shared.finished.store(true, Ordering::Relaxed);
            elapsed = start.elapsed();
        });
        // What is done is recorded even when something failed, so that it can be resumed.
        shared.journal.finish(last && lock(&shared.failure).is_none());
        Ok::<(), Error>(())
    })?;

    let flushed = store.flush();
    let outcome = unlocked(shared.failure);
    if let Some(error) = outcome {
        return Err(error);
    }
    flushed?;
    if !last {
        lease.confirm()?;
    }
    let mut findings = unlocked(shared.findings);
    findings.times.threads = pool.threads();
    findings.times.elapsed = elapsed;
    Ok(findings)
}

impl Shared<'_> {
    /// Takes over what earlier processes found and carried up in what is finished.
    fn go_on(&self, store: &Store, segments: &[Stored]) -> Result<(), Error> {
        let Some(assembly) = &self.assembly else { return Ok(()) };
        let (plan, recovered) = (self.context.plan, &self.recovered);
        let mut worker = Worker::new(self.context);
        // A task that was done twice was recorded twice.
        let mut seen = vec![(false, false); recovered.len()];
        journal::read(store, segments, |record| {
            let (record, planes) = match record {
                Record::Task(record, planes) => (record, Some(planes)),
                Record::Block(record) => (record, None),
                Record::File(..) => return Ok(()),
            };
            let task = record.task;
            let at = recovered.find(plan, task).filter(|_| recovered.is_finished(plan, task));
            let Some((is_seen, is_carried)) = at.and_then(|at| seen.get_mut(at)) else { return Ok(()) };
            if let Some(planes) = planes.filter(|_| !std::mem::replace(is_seen, true)) {
                lock(&self.findings).add(plan, task, &planes);
            }
            let is_wanted = plan.above(task).is_some_and(|above| !recovered.is_finished(plan, above));
            if let Some(packed) = record.carry.filter(|_| is_wanted && !std::mem::replace(is_carried, true)) {
                let carry = assemble::unpack(&plan.images[task.image], task, &packed)?;
                assembly.take(plan, task, carry, &mut worker, (&self.journal, recovered))?;
            }
            Ok(())
        })
    }

    /// One thread's loop.
    fn work(&self, mut next: impl FnMut() -> Option<Task>) {
        let mut worker = Worker::new(self.context);
        while !self.stop.load(Ordering::Relaxed) {
            let Some(task) = next() else { break };
            if let Err(error) = self.one(task, &mut worker) {
                self.fail(error);
                break;
            }
        }
        lock(&self.findings).times.add(worker.watch());
    }

    /// The thread that follows the others and computes the checksums of the files that they read.
    fn hash(&self, share: Share) {
        let plan = self.context.plan;
        let Some(algorithm) = plan.settings.source_checksum else { return };
        let known = lock(&self.findings).checksums.clone();
        let bytes = plan.files.iter().map(|file| file.bytes).sum();
        let progress = &self.context.job.progress;
        let ready = || {
            if self.stop.load(Ordering::Relaxed) || self.context.job.cancel.is_cancelled() {
                return Err(Error::Interrupted);
            }
            let all = self.finished.load(Ordering::Relaxed);
            Ok(if all { None } else { Some(progress.done() as f64 / progress.total().max(1) as f64) })
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

    fn one(&self, task: Task, worker: &mut Worker<'_>) -> Result<(), Error> {
        let plan = self.context.plan;
        let image = &plan.images[task.image];
        let Converted { pixels, seen, written } = worker.convert(self.images[task.image], task)?;
        let carry = assemble::contribution(plan, task, task.block, pixels);
        worker.watch().lap(Stage::Downsample);
        let planes: Vec<_> = seen.into_iter().map(PlaneResult::from).collect();
        if self.assembly.is_some() {
            lock(&self.findings).add(plan, task, &planes);
        }
        let packed = carry.as_deref().map(|carry| assemble::pack(image, carry)).transpose()?;
        let record = Record::Task(Finished { task, written, carry: packed }, planes);
        self.journal.add(record, std::iter::empty());
        if let (Some(assembly), Some(carry)) = (&self.assembly, carry) {
            assembly.take(plan, task, carry, worker, (&self.journal, &self.recovered))?;
        }
        worker.watch().lap(Stage::Record);
        Ok(())
    }
}

/// Bytes of the journal that are kept between its two readings.
const KEPT_JOURNAL: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_all_tasks_once() {
        for tasks in [0, 1, 7, 100] {
            for of in [1, 2, 3, 13] {
                let mut next = 0;
                for number in 1..=of {
                    let range = Share { number, of }.range(tasks);
                    assert_eq!(range.start, next);
                    next = range.end;
                }
                assert_eq!(next, tasks);
            }
        }
    }
}
