//! The record of finished units, by which an interrupted conversion is resumed and a split one is joined.
//!
//! Records are kept in *segments*, objects `.fairzarr/journal/<task>-<number>` that are written whole: every
//! few seconds, and at the end of a run. Units finished since the last segment are done again after a crash,
//! with the same bytes as result. A record is a length, an XXH3-64 checksum, and the result of a unit or the checksum of
//! a file of the source.

use bytes::Bytes;
use fairzarr_digest::PlaneDigest;
use fairzarr_store::Store;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

use crate::Error;
use crate::lost::Written;
use crate::plan::Unit;
use crate::stats::ChannelStatistics;
use crate::walk::Seen;

/// Everything of ours in an unfinished store lies below this key; it is removed when the store is complete.
pub(crate) const WORKSPACE: &str = ".fairzarr";
/// A crash costs at most this much work of each process, in its first seconds less.
const SEGMENT_TIME: Duration = Duration::from_secs(2);
/// The first segment is written after this time, each later one after a quarter of the time so far.
const FIRST_SEGMENT_TIME: Duration = Duration::from_millis(100);
const SEGMENT_BYTES: usize = 8 << 20;

/// What the journal keeps.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Record {
    /// A finished unit.
    Unit(UnitResult),
    /// The checksum of a file of the source, by its number in the plan.
    File(u32, String),
}

/// What one unit leaves behind beside its chunks.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct UnitResult {
    pub(crate) unit: Unit,
    /// By page of the unit, and sample of the page's group.
    pub(crate) planes: Vec<PlaneResult>,
    /// The unit's top block, halved: its part of the block above.
    pub(crate) carry: Option<Vec<u8>>,
    pub(crate) written: Written,
}

/// What was seen of one sample plane.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct PlaneResult {
    pub(crate) statistics: ChannelStatistics,
    pub(crate) tiles: Vec<((u32, u32), u128)>,
}

impl From<Seen> for PlaneResult {
    fn from(seen: Seen) -> Self {
        Self { statistics: seen.statistics, tiles: digest_entries(&seen.digest) }
    }
}

fn digest_entries(digest: &PlaneDigest) -> Vec<((u32, u32), u128)> {
    digest.tiles().iter().map(|(tile, digest)| (*tile, *digest)).collect()
}

/// Collects records of one process and writes them out.
pub(crate) struct Journal<'a> {
    store: &'a Store,
    task: String,
    start: Instant,
    open: Mutex<Segment>,
}

struct Segment {
    number: u32,
    bytes: Vec<u8>,
    since: Instant,
}

impl<'a> Journal<'a> {
    /// A journal whose segments are named after `task` and do not collide with those that are there.
    pub(crate) fn new(store: &'a Store, task: &str) -> Result<Self, Error> {
        let prefix = format!("{WORKSPACE}/journal/{task}-");
        let segments = store.list(&format!("{WORKSPACE}/journal"))?;
        let number = segments
            .iter()
            .filter_map(|(key, _)| key.strip_prefix(&prefix).and_then(|number| number.parse::<u32>().ok()));
        let number = number.max().map_or(0, |last| last + 1);
        let open = Segment { number, bytes: Vec::new(), since: Instant::now() };
        Ok(Self { store, task: task.into(), start: Instant::now(), open: Mutex::new(open) })
    }

    /// Records a unit whose objects have all been handed to the store.
    pub(crate) fn add(&self, record: &Record) -> Result<(), Error> {
        let record = postcard::to_stdvec(record)
            .map_err(|error| Error::Request(format!("a journal record cannot be made: {error}")))?;
        let mut open = self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        open.bytes.extend_from_slice(&(record.len() as u64).to_le_bytes());
        open.bytes.extend_from_slice(&xxh3_64(&record).to_le_bytes());
        open.bytes.extend_from_slice(&record);
        let time = (self.start.elapsed() / 4).clamp(FIRST_SEGMENT_TIME, SEGMENT_TIME);
        if open.bytes.len() < SEGMENT_BYTES && open.since.elapsed() < time {
            return Ok(());
        }
        let segment = open.close();
        // Others go on while this one waits for the store.
        drop(open);
        self.write(segment)
    }

    /// Writes what has not been written yet.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        let segment = self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner).close();
        self.write(segment)
    }

    fn write(&self, (number, bytes): (u32, Vec<u8>)) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        // The units' own objects first: a record must never promise what is not there.
        self.store.flush()?;
        let key = format!("{WORKSPACE}/journal/{}-{number:06}", self.task);
        self.store.put(&key, Bytes::from(bytes))?;
        Ok(())
    }
}

impl Segment {
    /// Its number and what it holds; the next one begins.
    fn close(&mut self) -> (u32, Vec<u8>) {
        self.since = Instant::now();
        let number = self.number;
        if !self.bytes.is_empty() {
            self.number += 1;
        }
        (number, std::mem::take(&mut self.bytes))
    }
}

/// Reads all records that were written whole, of all processes.
pub(crate) fn read(store: &Store, mut each: impl FnMut(Record)) -> Result<(), Error> {
    for (key, _) in store.list(&format!("{WORKSPACE}/journal"))? {
        let Some(segment) = store.get(&key)? else { continue };
        let mut rest: &[u8] = &segment;
        while let Some((record, after)) = next_record(rest) {
            rest = after;
            if let Ok(result) = postcard::from_bytes(record) {
                each(result);
            }
        }
    }
    Ok(())
}

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
    use crate::geometry::Block;
    use crate::plan::Page;

    fn result(z: u32) -> Record {
        Record::Unit(UnitResult {
            unit: Unit {
                image: 0,
                pyramid: 0,
                page: Page { t: 0, group: 0, z },
                block: Block { level: 1, row: 0, col: 0 },
            },
            planes: vec![PlaneResult {
                statistics: ChannelStatistics::default(),
                tiles: vec![((0, 1), u128::MAX)],
            }],
            carry: Some(vec![1, 2, 3]),
            written: Written::default(),
        })
    }

    fn units(store: &Store) -> Vec<u32> {
        let mut found = Vec::new();
        read(store, |record| match record {
            Record::Unit(result) => found.push(result.unit.page.z),
            Record::File(..) => {}
        })
        .unwrap();
        found
    }

    #[test]
    fn records_come_back_and_a_torn_end_is_left_out() {
        let store = Store::memory();
        let journal = Journal::new(&store, "1").unwrap();
        for z in 0..3 {
            journal.add(&result(z)).unwrap();
        }
        journal.finish().unwrap();
        assert_eq!(units(&store), [0, 1, 2]);

        let key = format!("{WORKSPACE}/journal/1-000000");
        let whole = store.get(&key).unwrap().unwrap();
        store.put(&key, whole.slice(..whole.len() - 1)).unwrap();
        assert_eq!(units(&store), [0, 1]);
        let mut damaged = whole.to_vec();
        damaged[20] ^= 1;
        store.put(&key, damaged).unwrap();
        assert_eq!(units(&store), [] as [u32; 0]);
    }

    #[test]
    fn a_later_process_adds_segments_and_replaces_none() {
        let store = Store::memory();
        for z in 0..2 {
            let journal = Journal::new(&store, "1").unwrap();
            journal.add(&result(z)).unwrap();
            journal.finish().unwrap();
        }
        assert_eq!(units(&store), [0, 1]);
    }
}
