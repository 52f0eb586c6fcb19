//! When a failed request is made again: pauses that all requests to one place share, within a limit of time.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::control::{Control, LOOK, Waiting};
use crate::guard::{Guard, Permit};

/// What the requests to one bucket, container or host know of each other.
#[derive(Debug)]
pub(crate) struct Pace {
    place: String,
    number: u64,
    retry_for: Duration,
    control: Control,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the place has ever answered a request.
    has_answered: bool,
    /// When the first of the failures was that no success has followed.
    failing_since: Option<Instant>,
    last_failure: Option<Instant>,
    /// The current pause, and the moment from which requests may be made again.
    pause: Option<(Duration, Instant)>,
    /// When the current pause was decided: failures of earlier requests tell nothing new.
    decided: Option<Instant>,
    /// Requests that have failed and are being tried again.
    trying: usize,
    /// What uploads heed, but for those whose URL contains the text.
    guard: Option<(Guard, String)>,
}

/// How a failure is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Remedy {
    /// Try again until the time is up; with `all`, every request to the place waits.
    Wait { all: bool },
    /// Try again a few times: it may be damage on the way, and else will not pass.
    Few,
    /// Try again for a few seconds, unless the place has answered before: a name that is not known may be a typing
    /// error, or a network that is down.
    Soon,
    /// It would be the same again.
    Never,
}

impl Pace {
    pub(crate) fn new(place: String, retry_for: Duration, control: Control) -> Self {
        let number = control.add_place();
        let retry_for = retry_for.min(LONGEST);
        Self { place, number, retry_for, control, state: Mutex::default() }
    }

    /// Begins to count the failures of a request.
    pub(crate) fn attempts(&self) -> Attempts<'_> {
        Attempts { pace: self, failures: 0, since: None }
    }

    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// How long an answer may take to begin, after the request was sent, and how long its body may bring nothing: no longer
    /// than a place is tried at all.
    pub(crate) fn patience(&self) -> Duration {
        if self.retry_for.is_zero() { PATIENCE } else { PATIENCE.min(self.retry_for.max(LEAST_PATIENCE)) }
    }

    /// Tells that the answer to a request that began at `start` has not begun yet.
    pub(crate) fn is_silent(&self, start: Instant) {
        let waiting = Waiting { place: self.place.clone(), reason: String::new(), since: start };
        self.control.set_waiting(self.number, Some(waiting));
    }

    /// Makes uploads heed a guard, but for those whose URL contains `but`.
    pub(crate) fn set_guard(&self, guard: Option<Guard>, but: &str) {
        self.state().guard = guard.map(|guard| (guard, but.to_owned()));
    }

    /// Waits until an upload to a path may begin. False if it never may.
    pub(crate) async fn may_upload(&self, path: &str) -> bool {
        while !self.control.is_cancelled() {
            let guard = self.state().guard.as_ref().filter(|(_, but)| !path.contains(but)).cloned();
            match guard.map_or(Permit::Go, |(guard, _)| guard.permit()) {
                Permit::Go => break,
                Permit::Wait => tokio::time::sleep(LOOK).await,
                Permit::Lost => return false,
            }
        }
        true
    }

    /// Waits while all requests to the place have to.
    pub(crate) async fn admit(&self) {
        while !self.control.is_cancelled() {
            let until = self.state().pause.map(|(_, until)| until);
            match until.and_then(|until| until.checked_duration_since(Instant::now())) {
                Some(left) if !left.is_zero() => tokio::time::sleep(left.min(LOOK)).await,
                _ => return,
            }
        }
    }

    /// A request that began at `start` was answered as it should be.
    pub(crate) fn succeeded(&self, start: Instant) {
        let mut state = self.state();
        state.has_answered = true;
        if state.decided.is_none_or(|decided| start >= decided) {
            state.failing_since = None;
            state.pause = None;
            state.decided = None;
            self.control.set_waiting(self.number, None);
        }
    }

    /// A request that began at `start` has failed. Waits until it may be tried again, and tells whether it may.
    pub(crate) async fn failed(
        &self,
        attempts: &mut Attempts<'_>,
        start: Instant,
        remedy: Remedy,
        asked: Option<Duration>,
        reason: &str,
    ) -> bool {
        let Some(pause) = self.decide(attempts, start, remedy, asked, reason) else {
            return false;
        };
        let end = Instant::now() + pause;
        while !self.control.is_cancelled() {
            match end.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => tokio::time::sleep(left.min(LOOK)).await,
                _ => {
                    self.control.count_repeat();
                    return true;
                }
            }
        }
        false
    }

    /// How long to wait before another attempt; none if there is to be none.
    fn decide(
        &self,
        attempts: &mut Attempts<'_>,
        start: Instant,
        remedy: Remedy,
        asked: Option<Duration>,
        reason: &str,
    ) -> Option<Duration> {
        let now = Instant::now();
        if self.control.is_cancelled() {
            return None;
        }
        let mut state = self.state();
        attempts.failures += 1;
        if attempts.since.is_none() {
            state.trying += 1;
        }
        let since = *attempts.since.get_or_insert(start);
        let all = match remedy {
            Remedy::Never => return None,
            Remedy::Few if attempts.failures >= FEW => return None,
            Remedy::Few => return Some(growing(attempts.failures)),
            // Whoever fails alone waits alone; if nothing has succeeded for a while, it is the place.
            Remedy::Wait { all } => {
                all || asked.is_some() || state.failing_since.is_some_and(|first| first.elapsed() > ALONE)
            }
            Remedy::Soon => true,
        };
        if state.last_failure.is_some_and(|last| now.duration_since(last) > FORGOTTEN) {
            state.failing_since = None;
            state.pause = None;
        }
        state.last_failure = Some(now);
        let place_since = *state.failing_since.get_or_insert(start);
        let limit = match remedy {
            Remedy::Soon if !state.has_answered => self.retry_for.min(UNKNOWN_NAME),
            _ => self.retry_for,
        };
        // The place as a whole counts, so that a queue of requests does not wait for so long one after the other.
        let failing = now.duration_since(since).max(now.duration_since(place_since));
        let left = limit.checked_sub(failing).filter(|left| !left.is_zero())?;
        if asked.is_some_and(|asked| asked > left) {
            return None;
        }
        let own = growing(attempts.failures);
        let pause = if all {
            if state.decided.is_none_or(|decided| start >= decided) {
                let grown = state.pause.map_or(FIRST, |(pause, _)| (pause * 2).min(MOST));
                let pause = grown.max(asked.unwrap_or_default());
                state.pause = Some((pause, now + pause.min(left)));
                state.decided = Some(now);
            }
            let until = state.pause.map_or(now, |(_, until)| until);
            // Not all at the same moment again.
            until.saturating_duration_since(now) + own.min(FIRST).mul_f64(chance())
        } else {
            own.mul_f64(0.75 + chance() / 2.0)
        };
        let since = place_since.min(since);
        let waiting = Waiting { place: self.place.clone(), reason: reason.to_owned(), since };
        self.control.set_waiting(self.number, Some(waiting));
        Some(pause.min(left))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one request has been through. The place is waited for as long as one of its requests is being tried again.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    pace: &'a Pace,
    failures: u32,
    /// When the first attempt began, once it has failed.
    since: Option<Instant>,
}

impl Attempts<'_> {
    /// How often the request has failed so far.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

impl Drop for Attempts<'_> {
    fn drop(&mut self) {
        if self.since.is_none() {
            return;
        }
        let mut state = self.pace.state();
        state.trying -= 1;
        if state.trying == 0 {
            self.pace.control.set_waiting(self.pace.number, None);
        }
    }
}

/// The pause after that many failures of one request.
fn growing(failures: u32) -> Duration {
    (FIRST * (1 << (failures - 1).min(10))).min(MOST)
}

/// A number from 0 to 1 that is another one each time.
fn chance() -> f64 {
    f64::from(RandomState::new().hash_one(0) as u32) / f64::from(u32::MAX)
}

const FIRST: Duration = Duration::from_millis(100);
/// The longest pause, unless the server asks for a longer one.
const MOST: Duration = Duration::from_secs(15);
/// How long a server may be silent, and how long at least whatever limit was asked for.
const PATIENCE: Duration = Duration::from_secs(30);
const LEAST_PATIENCE: Duration = Duration::from_secs(5);
/// For so long a failure may be that of one request.
const ALONE: Duration = Duration::from_secs(1);
/// A place that nobody has asked for so long begins anew.
const FORGOTTEN: Duration = Duration::from_mins(1);
/// Attempts at what will probably not pass.
const FEW: u32 = 4;
/// How long a name is looked up that was never found.
const UNKNOWN_NAME: Duration = Duration::from_secs(10);
/// A signed request is repeated as it is, and servers refuse signatures that are older than a quarter of an hour.
const LONGEST: Duration = Duration::from_mins(14);
