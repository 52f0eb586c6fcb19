//! Whether this process may still write where it holds a [`Lease`](crate::Lease).
//!
//! A process that was stopped, and a machine that was asleep, do not know what happened meanwhile. A guard notices that it has
//! not been looked after for a while, and holds writes back until the lease has been looked at.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What a writer is told by a [`Guard`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Permit {
    /// Write.
    Go,
    /// The lease has to be looked at first.
    Wait,
    /// Somebody else writes there now.
    Lost,
}

/// Says whether a write by a [`Lease`](crate::Lease) may begin. Clones are the same guard.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    is_lost: bool,
    /// Time has passed in which nothing of this process ran.
    is_unsure: bool,
    /// When the thread that looks after the lease was last seen, by two clocks: one stands still while a machine sleeps.
    seen: (Instant, SystemTime),
    /// When the lease was last found to be held.
    confirmed: Instant,
}

impl Guard {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        let seen = (now, SystemTime::now());
        Self(Arc::new(Mutex::new(State { is_lost: false, is_unsure: false, seen, confirmed: now })))
    }

    /// Whether a write may begin now.
    pub fn permit(&self) -> Permit {
        let state = self.state();
        if state.is_lost {
            Permit::Lost
        } else if state.is_unsure || state.has_paused() || state.confirmed.elapsed() > VALID {
            Permit::Wait
        } else {
            Permit::Go
        }
    }

    /// The thread that looks after the lease was here. Tells whether the lease has to be looked at.
    pub(crate) fn tick(&self) -> bool {
        let mut state = self.state();
        if state.has_paused() {
            state.is_unsure = true;
        }
        state.seen = (Instant::now(), SystemTime::now());
        state.is_unsure || state.confirmed.elapsed() >= RENEW
    }

    /// The lease was held when it was looked at from `start` on.
    pub(crate) fn confirm(&self, start: Instant) {
        let mut state = self.state();
        state.confirmed = state.confirmed.max(start);
        // A pause during the look is another one.
        if start.elapsed() < PAUSE {
            state.is_unsure = false;
            state.seen = (Instant::now(), SystemTime::now());
        }
    }

    pub(crate) fn lose(&self) {
        self.state().is_lost = true;
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.state().is_lost
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_paused(&self) -> bool {
        let (by_one, by_other) = (self.seen.0.elapsed(), self.seen.1.elapsed().unwrap_or_default());
        by_one.max(by_other) > PAUSE
    }
}

/// How often a lease is looked at and renewed.
pub(crate) const RENEW: Duration = Duration::from_secs(20);
/// How long writes go on without a look at the lease.
const VALID: Duration = Duration::from_mins(1);
/// A thread that was not seen for so long did not run.
const PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_wait_after_a_pause_until_the_lease_was_looked_at() {
        let guard = Guard::new();
        assert_eq!(guard.permit(), Permit::Go);
        assert!(!guard.tick());
        guard.state().seen.1 = SystemTime::now() - 2 * PAUSE;
        assert_eq!(guard.permit(), Permit::Wait);
        assert!(guard.tick());
        // That somebody looks after it again does not make it held.
        assert_eq!(guard.permit(), Permit::Wait);
        guard.confirm(Instant::now());
        assert_eq!(guard.permit(), Permit::Go);
        guard.lose();
        assert_eq!(guard.permit(), Permit::Lost);
    }
}
