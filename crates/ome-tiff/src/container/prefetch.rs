//! Where the next directories of a chain probably are.
//!
//! Each directory tells only where the next one is. Where they lie between the planes of a remote file, that is one
//! request after another. Planes are alike, so the distance to the next but one, and the one after it, can be guessed,
//! and all be asked for at once. A guess is worth nothing until the chain has arrived at it; a wrong one costs bytes.

use std::collections::VecDeque;
use std::ops::Range;

/// Looks at the chain as it is walked. Offsets and distances are bytes.
#[derive(Debug)]
pub(super) struct Prefetch {
    file_len: u64,
    /// The last distances between directories.
    distances: VecDeque<u64>,
    /// What was asked for and not passed yet.
    guessed: VecDeque<Range<u64>>,
    /// How many guesses are made next.
    ahead: usize,
}

impl Prefetch {
    pub(super) fn new(file_len: u64) -> Self {
        Self { file_len, distances: VecDeque::new(), guessed: VecDeque::new(), ahead: FIRST }
    }

    /// Takes notice that the directory at `here` is followed by the one at `next`, and tells what should be fetched
    /// now: nothing as long as earlier guesses hold.
    pub(super) fn step(&mut self, here: u64, next: u64) -> Vec<Range<u64>> {
        let Some(distance) = next.checked_sub(here).filter(|distance| *distance > 0) else {
            self.forget();
            return Vec::new();
        };
        self.distances.push_back(distance);
        if self.distances.len() > MEMORY {
            self.distances.pop_front();
        }
        let had = self.guessed.len();
        while let Some(guess) = self.guessed.pop_front() {
            if guess.contains(&next) {
                return Vec::new();
            }
        }
        // All guesses are used up, or the last of them were wrong.
        self.ahead = if had <= 1 { self.ahead * 2 } else { FIRST };
        self.guess(next)
    }

    fn guess(&mut self, next: u64) -> Vec<Range<u64>> {
        let count = self.distances.len() as u64;
        let mean = self.distances.iter().sum::<u64>() / count.max(1);
        let spread = self.distances.iter().map(|distance| distance.abs_diff(mean)).max().unwrap_or(0);
        if count < ENOUGH || mean < NEAR || spread > mean / 4 {
            self.ahead = FIRST;
            return Vec::new();
        }
        self.ahead = self.ahead.min(MOST.max((SPAN / mean) as usize));
        let ranges: Vec<_> = (0..=self.ahead as u64)
            .map_while(|n| {
                let centre = next.checked_add(mean.checked_mul(n)?)?;
                // A random walk: the error grows with the square root of the distance.
                let reach = (spread as f64 * (n as f64).sqrt()) as u64;
                let range =
                    centre.saturating_sub(reach)..centre.saturating_add(reach + DIRECTORY).min(self.file_len);
                (!range.is_empty() && reach <= mean / 2).then_some(range)
            })
            .collect();
        self.guessed = ranges.iter().skip(1).cloned().collect();
        ranges
    }

    fn forget(&mut self) {
        self.distances.clear();
        self.guessed.clear();
        self.ahead = FIRST;
    }
}

/// Distances that are looked at.
const MEMORY: usize = 8;
/// Distances that a guess needs.
const ENOUGH: u64 = 3;
/// Bytes of a directory that are worth fetching.
const DIRECTORY: u64 = 4 << 10;
/// Directories that are nearer than this are found by reading on.
const NEAR: u64 = 48 << 10;
/// Guesses of the first round; each round that holds allows for twice as many.
const FIRST: usize = 4;
/// Guesses of a round, if together they are farther than [`SPAN`].
const MOST: usize = 40;
/// Bytes over which the guesses of a round may always reach.
const SPAN: u64 = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks a chain; how many rounds of guesses it took, how many steps no guess had covered, how many guesses.
    fn walk(offsets: &[u64], file_len: u64) -> (usize, usize, usize) {
        let mut prefetch = Prefetch::new(file_len);
        let (mut rounds, mut surprises, mut guesses) = (0, 0, 0);
        let mut known: Vec<Range<u64>> = Vec::new();
        for pair in offsets.windows(2) {
            let ranges = prefetch.step(pair[0], pair[1]);
            rounds += usize::from(!ranges.is_empty());
            guesses += ranges.len();
            assert!(ranges.iter().all(|range| range.start < range.end && range.end <= file_len));
            known.extend(ranges);
            surprises += usize::from(!known.iter().any(|range| range.contains(&pair[1])));
        }
        (rounds, surprises, guesses)
    }

    #[test]
    fn equal_planes_take_few_rounds() {
        let offsets: Vec<u64> = (0..1000).map(|n| 8 + n * 2_000_000).collect();
        let (rounds, surprises, guesses) = walk(&offsets, 2_000_000_000);
        assert!(rounds <= 32 && surprises <= 3 && guesses < 1100, "{rounds} {surprises} {guesses}");
    }

    #[test]
    fn compressed_planes_too() {
        let mut state = 1_u64;
        let mut at = 8;
        let offsets: Vec<u64> = (0..1000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                at += 1_000_000 + (state >> 40) % 40_000;
                at
            })
            .collect();
        let (rounds, surprises, _) = walk(&offsets, at + 1_000_000);
        assert!(rounds <= 200 && surprises <= 10, "{rounds} {surprises}");
    }

    #[test]
    fn chains_without_order_and_hostile_ones_get_no_guesses() {
        let backwards: Vec<u64> = (0..100).map(|n| 1_000_000_000 - n * 1_000_000).collect();
        assert_eq!(walk(&backwards, 2_000_000_000).0, 0);
        let side_by_side: Vec<u64> = (0..1000).map(|n| 8 + n * 200).collect();
        assert_eq!(walk(&side_by_side, 1_000_000).0, 0);
        let doubling: Vec<u64> = (0..60).map(|n| 1 << n).collect();
        assert_eq!(walk(&doubling, u64::MAX).0, 0);
        walk(&[0, u64::MAX / 4, u64::MAX / 2, u64::MAX / 4 * 3, u64::MAX - 5], u64::MAX);
    }
}
