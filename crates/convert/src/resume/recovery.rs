//! Which of the journal's records can be relied on. Objects that a record promises may be missing: after a power cut a file
//! system may have kept the record and not the objects.

use std::collections::BTreeMap;
use std::sync::Mutex;

use fairzarr_store::Store;
use fairzarr_task::{in_order, lock, unlocked};

use crate::error::Error;
use crate::plan::number::Numbers;
use crate::plan::{Plan, Task, Written};
use crate::resume::journal::{self, Record, Stored};
use crate::resume::listing::{self, Makers};

/// What earlier processes have done.
#[derive(Debug)]
pub(crate) struct Recovered {
    numbers: Numbers,
    /// What the journal records, by number.
    recorded: Vec<Recorded>,
    /// Checksums of the source's files, by their number in the plan.
    pub(crate) checksums: BTreeMap<u32, String>,
}

/// A recorded task, or a block above the tasks. There may be millions of them.
#[derive(Clone, Copy, Debug)]
struct Recorded {
    number: u64,
    written: Written,
    /// Whether what it carries to the block above was kept.
    carries: bool,
    /// Whether all objects that it is recorded to have written are there.
    is_intact: bool,
}

impl Recovered {
    /// Nothing has been done.
    pub(crate) fn nothing(plan: &Plan) -> Self {
        Self { numbers: Numbers::new(plan), recorded: Vec::new(), checksums: BTreeMap::new() }
    }

    /// What the journal's `segments` record, and whether it is there: all objects, each of its size.
    pub(crate) fn read(plan: &Plan, store: &Store, segments: &[Stored]) -> Result<Self, Error> {
        let mut found = Self::nothing(plan);
        journal::read(store, segments, |record| {
            let finished = match record {
                Record::File(index, checksum) => {
                    found.checksums.insert(index, checksum);
                    return Ok(());
                }
                Record::Task(finished, _) | Record::Block(finished) => finished,
            };
            // A record of another plan cannot be here, since the plan was compared before, unless somebody put it here.
            if plan.holds(finished.task)
                && let Some(number) = found.numbers.of(plan, finished.task)
            {
                let (written, carries) = (finished.written, finished.carry.is_some());
                found.recorded.push(Recorded { number, written, carries, is_intact: false });
            }
            Ok(())
        })?;
        // The last record of a task counts, and what any of them carries.
        found.recorded.sort_by_key(|recorded| recorded.number);
        found.recorded.dedup_by(|later, first| {
            let is_same = later.number == first.number;
            if is_same {
                first.written = later.written;
                first.carries |= later.carries;
            }
            is_same
        });
        found.look(plan, store)?;
        Ok(found)
    }

    /// Whether a task was recorded, whatever has become of its objects.
    pub(crate) fn is_recorded(&self, plan: &Plan, task: Task) -> bool {
        self.find(plan, task).is_some()
    }

    /// Whether a task, or a block above the tasks, need not be done again: its objects are all there, and so is what it
    /// carries to the block above, unless that block is finished too.
    pub(crate) fn is_finished(&self, plan: &Plan, task: Task) -> bool {
        let mut task = task;
        loop {
            let Some(recorded) = self.find(plan, task).and_then(|at| self.recorded.get(at)) else {
                return false;
            };
            if !recorded.is_intact {
                return false;
            }
            let above = plan.above(task).filter(|_| !recorded.carries);
            let Some(above) = above else { return true };
            task = above;
        }
    }

    /// Where a task is among those that are recorded.
    pub(crate) fn find(&self, plan: &Plan, task: Task) -> Option<usize> {
        let number = self.numbers.of(plan, task)?;
        self.recorded.binary_search_by_key(&number, |recorded| recorded.number).ok()
    }

    /// How many are recorded.
    pub(crate) fn len(&self) -> usize {
        self.recorded.len()
    }

    /// Looks which of the recorded objects are there.
    fn look(&mut self, plan: &Plan, store: &Store) -> Result<(), Error> {
        if self.recorded.is_empty() {
            return Ok(());
        }
        let tasks = self.recorded.iter().filter_map(|recorded| self.numbers.task(plan, recorded.number));
        let prefixes = listing::prefixes(plan, store, tasks);
        let makers = Makers::new(plan);
        let found = Mutex::new(vec![Written::default(); self.recorded.len()]);
        in_order(prefixes, listing::AT_ONCE, |prefix| {
            store.list_each(&prefix, &mut |key, size| {
                let at = makers.of(key).and_then(|task| self.find(plan, task));
                if let Some(at) = at
                    && let Some(written) = lock(&found).get_mut(at)
                {
                    written.objects += 1;
                    written.bytes += size;
                }
            })?;
            Ok::<_, Error>(())
        })?;
        for (recorded, written) in self.recorded.iter_mut().zip(unlocked(found)) {
            recorded.is_intact = recorded.written == written;
        }
        Ok(())
    }
}

/// Every task must have been done by some share.
pub(crate) fn check_all_recorded(plan: &Plan, recovered: &Recovered) -> Result<(), Error> {
    let mut missing = plan.tasks().filter(|task| !recovered.is_recorded(plan, *task));
    let Some(first) = missing.next() else { return Ok(()) };
    Err(Error::Incomplete(format!(
        "{} of {} pieces have not been done, the first is image {} t={} group={} z={}; run the remaining tasks first",
        1 + missing.count(),
        plan.task_count(),
        first.image,
        first.page.t,
        first.page.group,
        first.page.z
    )))
}
