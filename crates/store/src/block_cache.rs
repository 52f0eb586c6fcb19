//! Blocks of remote files that are kept for a while: those of all files of a store together, within one limit.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Shared by the files of a store.
#[derive(Debug)]
pub(crate) struct BlockCache {
    state: Mutex<State>,
    /// Told when a block has arrived, or will not.
    arrived: Condvar,
    files: AtomicU64,
}

/// A block: its file and its place in it.
type Id = (u64, u64);

#[derive(Debug)]
struct State {
    blocks: HashMap<Id, Kept>,
    max_blocks: usize,
    clock: u64,
    /// By the block after a run that was fetched or is under way: how many blocks the run has.
    runs: HashMap<Id, u64>,
}

#[derive(Debug)]
enum Kept {
    UnderWay,
    Here { bytes: Bytes, used: u64 },
}

/// What became of the search for a block.
pub(crate) enum Found {
    Here(Bytes),
    /// It is to be fetched by who asked, together with those that follow in the run.
    Missing(Range<u64>),
}

impl BlockCache {
    pub(crate) fn new(bytes: usize) -> Self {
        let max_blocks = (bytes / BLOCK as usize).max(2 * MAX_RUN as usize);
        let state = State { blocks: HashMap::new(), max_blocks, clock: 0, runs: HashMap::new() };
        Self { state: Mutex::new(state), arrived: Condvar::new(), files: AtomicU64::new(0) }
    }

    /// A number for another file.
    pub(crate) fn add_file(&self) -> u64 {
        self.files.fetch_add(1, Ordering::Relaxed)
    }

    /// Forgets a file that nobody reads any more.
    pub(crate) fn remove_file(&self, file: u64) {
        let mut state = self.state();
        state.blocks.retain(|(owner, _), _| *owner != file);
        state.runs.retain(|(owner, _), _| *owner != file);
    }

    /// Finds block `index`, and waits for it if it is under way. One that is missing is to be fetched with those up to
    /// `end`, and more if reading goes on where an earlier run ended; never beyond `last`.
    pub(crate) fn find(&self, file: u64, index: u64, end: u64, last: u64) -> Found {
        let mut state = self.state();
        loop {
            state.clock += 1;
            let now = state.clock;
            match state.blocks.get_mut(&(file, index)) {
                None => return Found::Missing(state.begin_run(file, index, end, last)),
                Some(Kept::Here { bytes, used }) => {
                    *used = now;
                    return Found::Here(bytes.clone());
                }
                Some(Kept::UnderWay) => {
                    state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Claims those of the blocks that are missing, as runs; at most as many as may be fetched on suspicion.
    pub(crate) fn claim(&self, file: u64, wanted: impl Iterator<Item = u64>) -> Vec<Range<u64>> {
        let mut state = self.state();
        let mut runs: Vec<Range<u64>> = Vec::new();
        let mut left = state.max_blocks / 4;
        for index in wanted {
            if left == 0 {
                break;
            }
            if state.blocks.contains_key(&(file, index)) {
                continue;
            }
            left -= 1;
            state.blocks.insert((file, index), Kept::UnderWay);
            match runs.last_mut() {
                Some(run) if run.end == index => run.end += 1,
                _ => runs.push(index..index + 1),
            }
        }
        runs
    }

    /// Ends a run: keeps its bytes, or gives it up if there are none.
    pub(crate) fn end_run(&self, file: u64, run: Range<u64>, bytes: Option<&Bytes>) {
        let mut state = self.state();
        for index in run.clone() {
            state.blocks.remove(&(file, index));
        }
        if let Some(bytes) = bytes {
            state.insert_run(file, run, bytes);
        }
        drop(state);
        self.arrived.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while the lock is held, so a poisoned one guards good blocks.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.state().blocks.len()
    }
}

impl State {
    /// Chooses what to fetch from block `start` on; never blocks that are here or under way.
    fn begin_run(&mut self, file: u64, start: u64, end: u64, last: u64) -> Range<u64> {
        let ahead = self.runs.remove(&(file, start)).map_or(1, |length| (2 * length).min(MAX_RUN));
        let wanted = end.max(start.saturating_add(ahead)).min(last);
        let end =
            (start + 1..wanted).find(|index| self.blocks.contains_key(&(file, *index))).unwrap_or(wanted);
        for index in start..end {
            self.blocks.insert((file, index), Kept::UnderWay);
        }
        // From now on, and not only when it has arrived: several threads that read on one after the other would else ask for a
        // single block each, as long as the first of them waits.
        self.note_run(file, end, end - start);
        start..end
    }

    fn note_run(&mut self, file: u64, end: u64, count: u64) {
        if self.blocks.contains_key(&(file, end)) {
            return;
        }
        if self.runs.len() > self.max_blocks {
            self.runs.clear();
        }
        self.runs.insert((file, end), count);
    }

    fn insert_run(&mut self, file: u64, run: Range<u64>, bytes: &Bytes) {
        let count = (run.end - run.start) as usize;
        if self.blocks.len() + count > self.max_blocks {
            self.evict(count);
        }
        for (n, index) in run.clone().enumerate() {
            let from = (n * BLOCK as usize).min(bytes.len());
            // A copy, so that one kept block does not keep its whole run in memory.
            let piece = Bytes::copy_from_slice(&bytes[from..bytes.len().min(from + BLOCK as usize)]);
            self.blocks.insert((file, index), Kept::Here { bytes: piece, used: self.clock });
        }
        self.note_run(file, run.end, count as u64);
    }

    /// Drops the blocks that were not used for longest: a quarter of all and room for `count`.
    fn evict(&mut self, count: usize) {
        let mut ages: Vec<u64> = self
            .blocks
            .values()
            .filter_map(|kept| match kept {
                Kept::Here { used, .. } => Some(*used),
                Kept::UnderWay => None,
            })
            .collect();
        let drop = (ages.len() / 4 + count).min(ages.len());
        if drop == 0 {
            return;
        }
        let (_, &mut oldest_kept, _) = ages.select_nth_unstable(drop - 1);
        self.blocks.retain(|_, kept| !matches!(kept, Kept::Here { used, .. } if *used <= oldest_kept));
    }
}

/// Bytes of a block.
pub(crate) const BLOCK: u64 = 64 << 10;
/// Blocks of the longest run that is fetched ahead.
const MAX_RUN: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_grows_while_the_one_before_is_under_way() {
        let cache = BlockCache::new(64 << 20);
        let file = cache.add_file();
        let run = |index| match cache.find(file, index, index + 1, 1000) {
            Found::Missing(run) => run,
            Found::Here(_) => panic!("block {index} is here"),
        };
        // Nothing has arrived yet.
        assert_eq!([0, 1, 3, 7].map(run), [0..1, 1..3, 3..7, 7..15]);
        let bytes = Bytes::from(vec![0; 8 * BLOCK as usize]);
        cache.end_run(file, 7..15, Some(&bytes));
        cache.end_run(file, 0..1, Some(&bytes));
        assert_eq!(run(15), 15..31);
        assert_eq!(run(500), 500..501);
    }
}
