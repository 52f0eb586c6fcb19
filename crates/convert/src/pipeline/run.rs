//! Running the tasks of a plan on several threads.

use fairzarr_ome_tiff::Fileset;
use fairzarr_store::{Lease, Store};
use fairzarr_task::{Job, Pool, background, lock, unlocked};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::pipeline::assemble::{self, Assembly};
use crate::pipeline::checksums;
use crate::pipeline::findings::{Findings, PlaneResult};
use crate::pipeline::timing::Stage;
use crate::pipeline::worker::{Context, Converted, Worker};
use crate::plan::{Plan, Task};
use crate::resume::journal::{self, Finished, Journal, Record};
use crate::resume::recovery;

/// One of several equal shares of a plan's tasks.
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

    /// Contiguous runs of tasks, so that a process works on neighbouring pages.
    fn range(self, tasks: u64) -> std::ops::Range<u64> {
        let cut = |n: u32| (tasks as u128 * n as u128 / self.of.max(1) as u128) as u64;
        cut(self.number.saturating_sub(1))..cut(self.number)
    }
}

/// Everything that the threads share.
struct Shared<'a> {
    source: &'a Fileset,
    context: Context<'a>,
    journal: Journal<'a>,
    /// Assembles levels above the tasks; absent when the tasks are shared between processes.
    assembly: Option<Assembly>,
    findings: Mutex<Findings>,
    failure: Mutex<Option<Error>>,
    stop: AtomicBool,
    /// No tasks are left.
    finished: AtomicBool,
}

/// Runs a share of the plan's tasks. Tasks that the journal holds are not run again.
///
/// With the whole plan as share, the levels above the tasks are written too, and what was seen of all pixels
/// is returned.
pub(crate) fn run(
    source: &Fileset,
    plan: &Plan,
    store: &Store,
    lease: &Lease,
    share: Share,
    job: &Job,
) -> Result<Findings, Error> {
    let context = Context { plan, store, job };
    let range = share.range(plan.task_count());
    let own = || plan.tasks().skip(range.start as usize).take((range.end - range.start) as usize);
    let segments = journal::segments(store)?;
    let finished = if share.of == 1 {
        recovery::finished(plan, store, &segments, |_| true)?
    } else {
        let own: BTreeSet<Task> = own().collect();
        recovery::finished(plan, store, &segments, |task| own.contains(&task))?
    };
    let (done, pending): (Vec<Task>, Vec<Task>) = own().partition(|task| finished.contains(task));
    let shared = Shared {
        source,
        context,
        journal: Journal::new(store, lease, &format!("{}of{}", share.number, share.of), &segments),
        assembly: (share.of == 1).then(|| Assembly::new(finished.clone())),
        findings: Mutex::default(),
        failure: Mutex::default(),
        stop: AtomicBool::new(false),
        finished: AtomicBool::new(false),
    };
    let bytes = |tasks: &[Task]| tasks.iter().map(|task| plan.task_bytes(*task)).sum::<u64>();
    job.progress.expect(bytes(&done) + bytes(&pending));
    job.progress.resume_from(bytes(&done));

    let start = Instant::now();
    let pool = Pool::new(plan.threads(job))?;
    let tasks = Mutex::new(pending.into_iter());
    let mut elapsed = Duration::ZERO;
    std::thread::scope(|scope| {
        background(scope, "journal", || shared.journal.write(|error| shared.fail(error)))?;
        // Whatever happens now, the journal has to be told that it is the end: its thread waits for that.
        if let Err(error) = shared.go_on(&segments, &finished) {
            shared.fail(error);
        }
        std::thread::scope(|scope| {
            if let Err(error) = background(scope, "checksums", || shared.hash(share)) {
                shared.fail(error.into());
            }
            pool.run(|| shared.work(|| lock(&tasks).next()));
            shared.finished.store(true, Ordering::Relaxed);
            elapsed = start.elapsed();
        });
        // What is done is recorded even when something failed, so that it can be resumed.
        shared.journal.finish();
        Ok::<(), Error>(())
    })?;

    let flushed = store.flush();
    let outcome = unlocked(shared.failure);
    if let Some(error) = outcome {
        return Err(error);
    }
    flushed?;
    lease.confirm()?;
    let mut findings = unlocked(shared.findings);
    findings.times.threads = pool.threads();
    findings.times.elapsed = elapsed;
    Ok(findings)
}

impl Shared<'_> {
    /// Takes over what earlier processes found and carried up in what is `finished`.
    fn go_on(&self, segments: &[String], finished: &BTreeSet<Task>) -> Result<(), Error> {
        let plan = self.context.plan;
        let mut worker = Worker::new(self.context);
        // A task that was done twice was recorded twice.
        let (mut seen, mut carried) = (BTreeSet::new(), BTreeSet::new());
        journal::read(self.context.store, segments, |record| {
            let (record, planes) = match record {
                Record::Task(record, planes) => (record, Some(planes)),
                Record::Block(record) => (record, None),
                Record::File(index, checksum) => {
                    lock(&self.findings).checksums.insert(index, checksum);
                    return Ok(());
                }
            };
            let Some(assembly) = self.assembly.as_ref().filter(|_| finished.contains(&record.task)) else {
                return Ok(());
            };
            if let Some(planes) = planes.filter(|_| seen.insert(record.task)) {
                lock(&self.findings).add(plan, record.task, &planes);
            }
            let is_wanted = plan.above(record.task).is_some_and(|above| !finished.contains(&above));
            if let Some(packed) = record.carry.filter(|_| is_wanted && carried.insert(record.task)) {
                let carry = assemble::unpack(&plan.images[record.task.image], record.task, &packed)?;
                assembly.take(plan, record.task, carry, &mut worker, &self.journal)?;
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
        let source = &self.source.images()[task.image];
        let Converted { pixels, seen, written } = worker.convert(source, task)?;
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
            assembly.take(plan, task, carry, worker, &self.journal)?;
        }
        worker.watch().lap(Stage::Record);
        Ok(())
    }
}

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
