//! The contract of long jobs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::Interrupted;

/// Bytes of pixels that a job may hold unless it is told otherwise.
pub const DEFAULT_MEMORY: u64 = 256 << 20;

/// Progress, cancellation and resources of one long job. Clones share progress and cancellation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Job {
    /// How far it has come.
    pub progress: Arc<Progress>,
    /// Whether it is to stop.
    pub cancel: Cancel,
    /// Threads; `None`: as many as suit the job, which is one for each core where it computes.
    pub threads: Option<usize>,
    /// Bytes of pixels or of objects that it may hold in memory.
    pub memory: u64,
}

impl Default for Job {
    fn default() -> Self {
        Self { progress: Arc::default(), cancel: Cancel::default(), threads: None, memory: DEFAULT_MEMORY }
    }
}

impl Job {
    /// A job with all cores and 256 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with this number of threads; `None` for as many as suit.
    #[must_use]
    pub fn with_threads(self, threads: Option<usize>) -> Self {
        Self { threads, ..self }
    }

    /// The same with this many bytes of memory.
    #[must_use]
    pub fn with_memory(self, memory: u64) -> Self {
        Self { memory, ..self }
    }

    /// The same resources and the same cancellation, with a progress of its own: a second step of the same command.
    #[must_use]
    pub fn next_step(&self) -> Self {
        Self { progress: Arc::default(), ..self.clone() }
    }

    /// Threads of a job that reads from a store, `item` bytes of memory each: as many as cores, and more where the store is
    /// far away, so that most of them wait for it.
    pub fn readers(&self, is_remote: bool, item: u64) -> usize {
        let cores = self.cores();
        if !is_remote || self.threads.is_some() {
            return cores;
        }
        let fitting = usize::try_from(self.memory / item.max(1)).unwrap_or(usize::MAX);
        fitting.clamp(cores, cores.max(AT_ONCE))
    }

    /// Threads of a job that computes: at least one.
    pub fn cores(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.threads.unwrap_or_else(cores).max(1)
    }
}

/// Requests to a distant store that are under way at the same time.
const AT_ONCE: usize = 32;

/// A request to stop. Clones are the same request.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the job to stop; tells whether it had been asked before.
    pub fn cancel(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    /// Whether the job was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// For use with `?` between the steps of a job.
    ///
    /// # Errors
    /// [`Interrupted`] once the job was asked to stop.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.is_cancelled() { Err(Interrupted) } else { Ok(()) }
    }
}

/// How far a job has come, in bytes. Read by whoever shows it, from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    total: AtomicU64,
    done: AtomicU64,
    before: AtomicU64,
    written: AtomicU64,
    objects: AtomicU64,
    moved: AtomicU64,
}

impl Progress {
    /// Bytes of the source (decoded, where it is an image) that there are in all; 0 until that is known.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Bytes of the source that are done, those of earlier runs included.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Of those, what an earlier run had done.
    pub fn before(&self) -> u64 {
        self.before.load(Ordering::Relaxed)
    }

    /// Bytes written to the target by this run.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Objects written to the target by this run.
    pub fn objects(&self) -> u64 {
        self.objects.load(Ordering::Relaxed)
    }

    /// Tiles and strips of the source that were moved without being compressed again.
    pub fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// States how many bytes there are in all.
    pub fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// States what an earlier run had done.
    pub fn resume_from(&self, before: u64) {
        self.before.store(before, Ordering::Relaxed);
        self.done.store(before, Ordering::Relaxed);
    }

    /// Counts bytes of the source that are done.
    pub fn advance(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts an object of so many bytes that was written.
    pub fn wrote(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
        self.objects.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts tiles that were moved as they are.
    pub fn moved_tiles(&self, count: u64) {
        self.moved.fetch_add(count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_step_is_stopped_with_the_first_and_counts_for_itself() {
        let first = Job::new().with_threads(Some(0)).with_memory(1);
        first.progress.resume_from(7);
        let next = first.next_step();
        assert_eq!((next.progress.done(), next.memory, next.cores()), (0, 1, 1));
        assert!(!first.cancel.cancel());
        assert!(next.cancel.cancel());
        assert_eq!(next.cancel.check(), Err(Interrupted));
    }

    #[test]
    fn what_is_written_is_counted_in_objects_and_bytes() {
        let progress = Progress::default();
        progress.wrote(10);
        progress.wrote(5);
        assert_eq!((progress.objects(), progress.written()), (2, 15));
    }
}
