//! Uploads under way: how much they hold in memory, whether one has failed, and how to give them up.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::Error;

#[derive(Debug)]
pub(crate) struct Uploads {
    state: Mutex<State>,
    changed: Condvar,
    max_bytes: usize,
    cancel: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    /// Number of the next upload.
    next: u64,
    /// Those under way.
    active: BTreeSet<u64>,
    failure: Option<Arc<Error>>,
}

impl Uploads {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            max_bytes,
            cancel: watch::Sender::new(false),
        }
    }

    /// Waits until `bytes` more fit. An object larger than the limit passes alone. What is returned is to be held by the task
    /// of the upload: whatever becomes of the task, its bytes are given back.
    pub(crate) fn begin(self: &Arc<Self>, bytes: usize) -> Result<Finish, Error> {
        let mut state = self
            .changed
            .wait_while(self.state(), |state| {
                state.failure.is_none()
                    && !state.active.is_empty()
                    && state.bytes.saturating_add(bytes) > self.max_bytes
            })
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = &state.failure {
            return Err(Error::Background(Arc::clone(failure)));
        }
        let number = state.next;
        state.bytes += bytes;
        state.next += 1;
        state.active.insert(number);
        drop(state);
        Ok(Finish { uploads: Arc::clone(self), number, bytes, failure: None })
    }

    /// Waits for all uploads that have begun, not for those that others begin meanwhile; reports, and forgets, the first
    /// failure.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        let state = self.state();
        let end = state.next;
        let mut state = self
            .changed
            .wait_while(state, |state| state.active.first().is_some_and(|first| *first < end))
            .unwrap_or_else(PoisonError::into_inner);
        state.failure.take().map_or(Ok(()), |failure| Err(Error::Background(failure)))
    }

    /// Gives up what is under way and waits a moment for unfinished uploads to be taken back.
    pub(crate) fn abort(&self) {
        self.cancel.send_replace(true);
        let _ = self.changed.wait_timeout_while(self.state(), ABORT_TIME, |state| !state.active.is_empty());
        self.cancel.send_replace(false);
    }

    pub(crate) fn cancellation(&self) -> Cancellation {
        Cancellation(self.cancel.subscribe())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The counters are changed together or not at all, so a poisoned lock still guards true ones.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long [`Uploads::abort`] waits.
const ABORT_TIME: Duration = Duration::from_secs(10);

/// Tells a task that its upload is not wanted any more.
#[derive(Debug)]
pub(crate) struct Cancellation(watch::Receiver<bool>);

impl Cancellation {
    pub(crate) fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    pub(crate) async fn cancelled(&mut self) {
        if self.0.wait_for(|cancelled| *cancelled).await.is_err() {
            // The store is gone without having cancelled: nobody will any more.
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Finish {
    uploads: Arc<Uploads>,
    number: u64,
    bytes: usize,
    failure: Option<Error>,
}

impl Finish {
    pub(crate) fn with(mut self, result: Result<(), Error>) {
        self.failure = result.err();
    }
}

impl Drop for Finish {
    fn drop(&mut self) {
        let mut state = self.uploads.state();
        state.bytes -= self.bytes;
        state.active.remove(&self.number);
        if let Some(failure) = self.failure.take() {
            state.failure.get_or_insert(Arc::new(failure));
        }
        self.uploads.changed.notify_all();
    }
}
