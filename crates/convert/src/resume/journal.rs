//! The record of finished tasks, by which an interrupted conversion is resumed and a split one is joined.
//!
//! Records are kept in *segments*, objects `.fairzarr/journal/<share>/<number>` that are written whole: every
//! few seconds, and at the end of a run. Tasks finished since the last segment are done again after a crash,
//! with the same bytes as result. A record is a length, an XXH3-64 checksum, and what became of a task, of a block above the
//! tasks, or the checksum of a file of the source.
//!
//! A share of a split conversion reads the segments of the same share alone, and whoever joins the shares reads all of them:
//! the time of a share must not grow with the number of others.
//!
//! A task and a block carry pixels for the block above them. They are kept, compressed, only as long as that block is not
//! finished: where both are recorded in the same segment, they are left out.

use bytes::Bytes;
use fairzarr_ome_zarr::keys::JOURNAL;
use fairzarr_store::{Lease, Store};
use fairzarr_task::{in_order, lock};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::pipeline::findings::PlaneResult;
use crate::plan::share::Share;
use crate::plan::{Task, Written};

/// A crash costs at most this much work of each process, in its first seconds less.
const SEGMENT_TIME: Duration = Duration::from_secs(2);
/// The first segment is written after this time, each later one after a quarter of the time so far.
const FIRST_SEGMENT_TIME: Duration = Duration::from_millis(100);
const SEGMENT_BYTES: usize = 8 << 20;
/// About what a record takes beside what was seen and what is carried.
const RECORD_BYTES: usize = 64;

/// What the journal keeps.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Record {
    /// A finished task, and what was seen of it, by page of the task, and sample of the page's group.
    Task(Finished, Vec<PlaneResult>),
    /// A finished block above the tasks.
    Block(Finished),
    /// The checksum of a file of the source, by its number in the plan.
    File(u32, String),
}

/// What a task, or a block above the tasks, leaves behind beside its chunks.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Finished {
    pub(crate) task: Task,
    pub(crate) written: Written,
    /// Its part of the block above, compressed; none at the top, and where that block is finished too.
    pub(crate) carry: Option<Vec<u8>>,
}

/// Collects records of one process. A thread of its own has to [`write`](Journal::write) them out: it waits for uploads.
pub(crate) struct Journal<'a> {
    store: &'a Store,
    lease: &'a Lease,
    share: Share,
    start: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    open: Segment,
    /// What is to be written next.
    closed: Option<Segment>,
    /// Nothing will be added any more.
    ended: bool,
}

struct Segment {
    number: u32,
    records: Vec<Record>,
    /// About what the records take.
    bytes: usize,
    /// Where the records are that carry something.
    carrying: HashMap<Task, usize>,
    since: Instant,
}

impl<'a> Journal<'a> {
    /// A journal whose segments are named after `share` and do not collide with `others`, those that are there.
    pub(crate) fn new(store: &'a Store, lease: &'a Lease, share: Share, others: &[Stored]) -> Self {
        let prefix = format!("{}/", directory(share));
        let number = others
            .iter()
            .filter_map(|(key, _)| key.strip_prefix(&prefix).and_then(|number| number.parse::<u32>().ok()));
        let number = number.max().map_or(0, |last| last + 1);
        let state = State { open: Segment::new(number), closed: None, ended: false };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Self { store, lease, share, start: Instant::now(), state, changed }
    }

    /// Records a task or a block whose objects have all been handed to the store; `parts` are the tasks or blocks that
    /// a block was put together from. Waits while too much is still to be written.
    pub(crate) fn add(&self, record: Record, parts: impl Iterator<Item = Task>) {
        let mut state = lock(&self.state);
        state.open.add(record, parts);
        while state.open.bytes >= SEGMENT_BYTES && state.closed.is_some() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let time = (self.start.elapsed() / 4).clamp(FIRST_SEGMENT_TIME, SEGMENT_TIME);
        let is_due = state.open.bytes >= SEGMENT_BYTES || state.open.since.elapsed() >= time;
        // While an earlier one waits, this one goes on growing.
        if is_due && state.closed.is_none() {
            self.close(&mut state);
        }
    }

    /// Hands over what is left; nothing may be added any more. Where the conversion is finished `at_once`, what is not worth
    /// a segment is left out: it is worth less than the requests that it takes.
    pub(crate) fn finish(&self, at_once: bool) {
        let mut state = lock(&self.state);
        while state.closed.is_some() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let is_worth = !at_once || state.open.since.elapsed() >= SEGMENT_TIME;
        if !state.open.records.is_empty() && is_worth {
            self.close(&mut state);
        }
        state.ended = true;
        self.changed.notify_all();
    }

    fn close(&self, state: &mut State) {
        let next = Segment::new(state.open.number + 1);
        state.closed = Some(std::mem::replace(&mut state.open, next));
        self.changed.notify_all();
    }

    /// Hands segments to the store until [`Journal::finish`]. The last one may still be under way then. After an error,
    /// which is told at once, nothing more is written.
    pub(crate) fn write(&self, mut failed: impl FnMut(Error)) {
        let mut has_failed = false;
        while let Some(segment) = self.next() {
            if !has_failed && let Err(error) = self.put(&segment) {
                has_failed = true;
                failed(error);
            }
        }
    }

    fn next(&self) -> Option<Segment> {
        let mut state = lock(&self.state);
        while state.closed.is_none() && !state.ended {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let next = state.closed.take();
        self.changed.notify_all();
        next
    }

    fn put(&self, segment: &Segment) -> Result<(), Error> {
        let mut bytes = Vec::with_capacity(segment.bytes);
        for record in &segment.records {
            let record = postcard::to_stdvec(record)
                .map_err(|error| Error::Bug(format!("a journal record cannot be made: {error}")))?;
            bytes.extend_from_slice(&(record.len() as u64).to_le_bytes());
            bytes.extend_from_slice(&xxh3_64(&record).to_le_bytes());
            bytes.extend_from_slice(&record);
        }
        // The tasks' own objects first: a record must never promise what is not there.
        self.store.flush()?;
        self.lease.confirm()?;
        let key = format!("{}/{:06}", directory(self.share), segment.number);
        self.store.put_in_background(&key, Bytes::from(bytes))?;
        Ok(())
    }
}

impl Segment {
    fn new(number: u32) -> Self {
        let (records, carrying) = (Vec::new(), HashMap::new());
        Self { number, records, bytes: 0, carrying, since: Instant::now() }
    }

    fn add(&mut self, record: Record, parts: impl Iterator<Item = Task>) {
        for part in parts {
            let carrying = self.carrying.remove(&part).and_then(|at| self.records.get_mut(at));
            if let Some(carried) = carrying.and_then(Record::finished_mut).and_then(|part| part.carry.take())
            {
                self.bytes -= carried.len();
            }
        }
        self.bytes += record.bytes();
        if let Some(Finished { task, carry: Some(_), .. }) = record.finished() {
            self.carrying.insert(*task, self.records.len());
        }
        self.records.push(record);
    }
}

impl Record {
    /// Of a task or block.
    pub(crate) fn finished(&self) -> Option<&Finished> {
        match self {
            Self::Task(finished, _) | Self::Block(finished) => Some(finished),
            Self::File(..) => None,
        }
    }

    fn finished_mut(&mut self) -> Option<&mut Finished> {
        match self {
            Self::Task(finished, _) | Self::Block(finished) => Some(finished),
            Self::File(..) => None,
        }
    }

    fn bytes(&self) -> usize {
        let carry = self.finished().and_then(|finished| finished.carry.as_ref()).map_or(0, Vec::len);
        let planes = if let Self::Task(_, planes) = self { planes.as_slice() } else { &[] };
        let planes = planes.iter().map(|plane| {
            plane.statistics.bytes() + plane.runs.bytes() + std::mem::size_of_val(plane.tiles.as_slice())
        });
        RECORD_BYTES + carry + planes.sum::<usize>()
    }
}

/// Key and bytes of a segment.
pub(crate) type Stored = (String, u64);

/// The segments of one share, or of all of them, in the order of the plan's tasks as far as the shares were equal.
pub(crate) fn segments(store: &Store, of: Option<Share>) -> Result<Vec<Stored>, Error> {
    let mut found = store.list(&of.map_or_else(|| JOURNAL.to_owned(), directory))?;
    found.sort_by_cached_key(|(key, _)| {
        let mut numbers =
            key.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u64>().ok());
        let (share, of) = (numbers.next(), numbers.next());
        (of, share, numbers.next())
    });
    Ok(found)
}

/// Where the segments of a share lie.
fn directory(Share { number, of }: Share) -> String {
    format!("{JOURNAL}/{number}of{of}")
}

/// Removes the records of all processes, so that everything is done again.
pub(crate) fn remove(store: &Store) -> Result<(), Error> {
    Ok(store.delete_prefix(JOURNAL)?)
}

/// Reads all records of `segments` that were written whole, in this order. Several segments are asked for at the same time.
pub(crate) fn read(
    store: &Store,
    segments: &[Stored],
    mut each: impl FnMut(Record) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut rest = segments;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |(_, size): &&Stored| {
            bytes += size;
            bytes <= BYTES_AT_ONCE
        };
        let count = rest.iter().take(AT_ONCE).take_while(fits).count().max(1);
        let (now, later) = rest.split_at(count);
        rest = later;
        let keys = now.iter().map(|(key, _)| key).collect();
        for segment in in_order(keys, AT_ONCE, |key| Ok::<_, Error>(store.get(key)?))?.into_iter().flatten() {
            let mut rest: &[u8] = &segment;
            while let Some((record, after)) = next_record(rest) {
                rest = after;
                if let Ok(result) = postcard::from_bytes(record) {
                    each(result)?;
                }
            }
        }
    }
    Ok(())
}

/// Segments that are read at the same time, and their bytes.
const AT_ONCE: usize = 32;
const BYTES_AT_ONCE: u64 = 32 << 20;

/// Splits off one intact record; damage and a torn end stop the segment.
fn next_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (checksum, rest) = rest.split_first_chunk::<8>()?;
    let (record, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    (xxh3_64(record) == u64::from_le_bytes(*checksum)).then_some((record, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::quality::Runs;
    use crate::pixels::statistics::ChannelStatistics;
    use crate::plan::pyramid::Block;
    use crate::resume::lease;
    use fairzarr_pixel::PlaneIndex;
    use fairzarr_store::LockKind;

    fn task(level: usize, row: u32) -> Task {
        let page = PlaneIndex { t: 0, group: 0, z: 0 };
        Task { image: 0, pyramid: 0, page, block: Block { level, row, col: 0 } }
    }

    fn finished(task: Task) -> Finished {
        Finished { task, written: Written::default(), carry: Some(vec![1, 2, 3]) }
    }

    fn result(row: u32) -> Record {
        let tiles = vec![((0, 1), u128::MAX)];
        let seen = PlaneResult { statistics: ChannelStatistics::default(), runs: Runs::default(), tiles };
        Record::Task(finished(task(1, row)), vec![seen])
    }

    /// Writes a segment of tasks of these rows, and of the block above them if there is to be one.
    fn segment(store: &Store, rows: std::ops::Range<u32>, above: Option<u32>) {
        let lease = lease::take(store, LockKind::Shared, false).unwrap();
        let journal = Journal::new(store, &lease, Share::ALL, &segments(store, None).unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| journal.write(|error| panic!("{error}")));
            for row in rows {
                journal.add(result(row), std::iter::empty());
            }
            if let Some(above) = above {
                let parts = [2 * above, 2 * above + 1].map(|row| task(1, row));
                journal.add(Record::Block(finished(task(2, above))), parts.into_iter());
            }
            journal.finish(false);
        });
        store.flush().unwrap();
    }

    /// Level and row of what is recorded, and whether it carries something.
    fn recorded(store: &Store) -> Vec<(usize, u32, bool)> {
        let mut found = Vec::new();
        read(store, &segments(store, None).unwrap(), |record| {
            let Finished { task, carry, .. } = record.finished().unwrap();
            found.push((task.block.level, task.block.row, carry.is_some()));
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn records_come_back_and_a_torn_end_is_left_out() {
        let store = Store::memory();
        segment(&store, 0..3, None);
        assert_eq!(recorded(&store), [(1, 0, true), (1, 1, true), (1, 2, true)]);

        let key = format!("{JOURNAL}/1of1/000000");
        let whole = store.get(&key).unwrap().unwrap();
        store.put(&key, whole.slice(..whole.len() - 1)).unwrap();
        assert_eq!(recorded(&store), [(1, 0, true), (1, 1, true)]);
        let mut damaged = whole.to_vec();
        damaged[20] ^= 1;
        store.put(&key, damaged).unwrap();
        assert_eq!(recorded(&store), []);
    }

    #[test]
    fn a_later_process_adds_segments_and_replaces_none() {
        let store = Store::memory();
        segment(&store, 0..1, None);
        segment(&store, 1..2, None);
        assert_eq!(recorded(&store), [(1, 0, true), (1, 1, true)]);
    }

    #[test]
    fn what_is_carried_to_a_block_of_the_same_segment_is_left_out() {
        let store = Store::memory();
        segment(&store, 1..4, Some(1));
        assert_eq!(recorded(&store), [(1, 1, true), (1, 2, false), (1, 3, false), (2, 1, true)]);
        // The first segment has what the block of the second one needed.
        let store = Store::memory();
        segment(&store, 2..4, None);
        segment(&store, 0..0, Some(1));
        assert_eq!(recorded(&store), [(1, 2, true), (1, 3, true), (2, 1, true)]);
    }

    #[test]
    fn after_an_error_nothing_more_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("x.zarr");
        let location = place.to_str().unwrap().parse().unwrap();
        let store = Store::open(&location, &fairzarr_store::StoreOptions::default()).unwrap();
        let elsewhere = Store::memory();
        let lease = lease::take(&elsewhere, LockKind::Shared, false).unwrap();
        let journal = Journal::new(&store, &lease, Share::ALL, &[]);
        // A file where the directory should be.
        std::fs::write(&place, "").unwrap();
        let errors = Mutex::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| journal.write(|_| *errors.lock().unwrap() += 1));
            for row in 0..4 {
                std::thread::sleep(FIRST_SEGMENT_TIME);
                journal.add(result(row), std::iter::empty());
            }
            journal.finish(false);
        });
        assert_eq!(errors.into_inner().unwrap(), 1);
    }
}
