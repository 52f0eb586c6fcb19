//! Where the time of the worker threads goes.
//!
//! A worker looks at the clock when one stage ends and the next begins, a few times per chunk. The times are those
//! that pass, not of a processor: a stage that waits for a disk or a network has used them.

use std::time::{Duration, Instant};

/// What a worker does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Waiting for bytes of the source.
    Read,
    /// Decompressing them and putting samples in their places.
    Decode,
    /// Extremes and histograms.
    Statistics,
    /// Digests of pixels.
    Digest,
    /// Means for the reduced levels.
    Downsample,
    /// Compressing chunks, with their checksums.
    Encode,
    /// Assembling shards and handing objects to the store.
    Write,
    /// Recording finished tasks, and joining what several tasks make together.
    Record,
}

impl Stage {
    /// All stages in the order in which pixels pass them.
    pub const ALL: [Self; STAGES] = [
        Self::Read,
        Self::Decode,
        Self::Statistics,
        Self::Digest,
        Self::Downsample,
        Self::Encode,
        Self::Write,
        Self::Record,
    ];

    /// One word for reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Decode => "decode",
            Self::Statistics => "statistics",
            Self::Digest => "digest",
            Self::Downsample => "downsample",
            Self::Encode => "encode",
            Self::Write => "write",
            Self::Record => "record",
        }
    }
}

/// How the worker threads spent their time.
#[derive(Clone, Debug, Default)]
pub struct StageTimes {
    /// Number of threads.
    pub threads: usize,
    /// From the start of the first to the end of the last thread.
    pub elapsed: Duration,
    spent: [Duration; STAGES],
}

impl StageTimes {
    /// Time of all threads together in one stage.
    pub fn spent(&self, stage: Stage) -> Duration {
        self.spent[stage as usize]
    }

    /// The part of all threads' time, from 0 to 1, that a stage took.
    pub fn share(&self, stage: Stage) -> f64 {
        let all = self.elapsed.as_secs_f64() * self.threads as f64;
        if all > 0.0 { self.spent(stage).as_secs_f64() / all } else { 0.0 }
    }

    /// The stage that took the most; `None` when no task was run.
    pub fn longest(&self) -> Option<Stage> {
        Stage::ALL
            .into_iter()
            .max_by_key(|stage| self.spent(*stage))
            .filter(|stage| !self.spent(*stage).is_zero())
    }

    /// Adds what one worker measured.
    pub(crate) fn add(&mut self, watch: &Stopwatch) {
        for (sum, spent) in self.spent.iter_mut().zip(watch.spent) {
            *sum += spent;
        }
    }
}

/// A worker's clock.
pub(crate) struct Stopwatch {
    last: Instant,
    spent: [Duration; STAGES],
}

impl Stopwatch {
    pub(crate) fn new() -> Self {
        Self { last: Instant::now(), spent: [Duration::ZERO; STAGES] }
    }

    /// What has passed since the last call belongs to no stage.
    pub(crate) fn start(&mut self) {
        self.last = Instant::now();
    }

    /// What has passed since the last call belongs to `stage`.
    pub(crate) fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        self.spent[stage as usize] += now - self.last;
        self.last = now;
    }

    /// The same, but `part` of it belongs to `other`.
    pub(crate) fn lap_with(&mut self, stage: Stage, other: Stage, part: Duration) {
        self.lap(stage);
        let own = &mut self.spent[stage as usize];
        *own = own.saturating_sub(part);
        self.spent[other as usize] += part;
    }
}

const STAGES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laps_add_up_to_what_passed() {
        let start = Instant::now();
        let mut watch = Stopwatch::new();
        std::thread::sleep(Duration::from_millis(2));
        watch.lap(Stage::Encode);
        std::thread::sleep(Duration::from_millis(3));
        watch.lap_with(Stage::Decode, Stage::Read, Duration::from_millis(1));
        watch.start();
        let mut times = StageTimes { threads: 1, elapsed: start.elapsed(), ..StageTimes::default() };
        times.add(&watch);
        let sum: Duration = Stage::ALL.into_iter().map(|stage| times.spent(stage)).sum();
        assert!(sum <= times.elapsed && sum >= Duration::from_millis(5));
        assert_eq!(times.spent(Stage::Read), Duration::from_millis(1));
        assert!(times.spent(Stage::Decode) >= Duration::from_millis(2));
        assert_eq!(StageTimes::default().longest(), None);
    }

    #[test]
    fn stages_are_numbered_in_their_order() {
        assert!(Stage::ALL.into_iter().enumerate().all(|(n, stage)| stage as usize == n));
    }
}
