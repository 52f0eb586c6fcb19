//! Uploads under way: how much they hold in memory, whether one has failed, and how to give them up.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::control::LOOK;
use crate::{Control, Error};

#[derive(Debug)]
pub(crate) struct Uploads {
    state: Mutex<State>,
    changed: Condvar,
    max_bytes: usize,
    cancel: watch::Sender<End>,
    control: Control,
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
    pub(crate) fn new(max_bytes: usize, control: Control) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            max_bytes,
            cancel: watch::Sender::new(End::None),
            control,
        }
    }

    /// Waits until `bytes` more fit. An object larger than the limit passes alone. What is returned is to be held by the task
    /// of the upload: whatever becomes of the task, its bytes are given back.
    pub(crate) fn begin(self: &Arc<Self>, bytes: usize) -> Result<Finish, Error> {
        let mut state = self.wait_while(|state| {
            state.failure.is_none()
                && !state.active.is_empty()
                && state.bytes.saturating_add(bytes) > self.max_bytes
        });
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
        let end = self.state().next;
        let mut state = self.wait_while(|state| state.active.first().is_some_and(|first| *first < end));
        // What was dropped because of the failure is known to the caller from now on.
        self.cancel.send_if_modified(|end| {
            let had_failed = *end == End::Failed;
            if had_failed {
                *end = End::None;
            }
            had_failed
        });
        state.failure.take().map_or(Ok(()), |failure| Err(Error::Background(failure)))
    }

    /// Gives up what is under way and waits a moment for unfinished uploads to be taken back.
    pub(crate) fn abort(&self) {
        self.cancel.send_replace(End::Aborted);
        let _ = self.changed.wait_timeout_while(self.state(), ABORT_TIME, |state| !state.active.is_empty());
        self.cancel.send_replace(End::None);
    }

    /// For an upload that somebody waits for.
    pub(crate) fn cancellation(&self) -> Cancellation {
        Cancellation { end: self.cancel.subscribe(), background: false }
    }

    /// For an upload of the queue, which is dropped as soon as another one of the queue has failed.
    pub(crate) fn background_cancellation(&self) -> Cancellation {
        Cancellation { end: self.cancel.subscribe(), background: true }
    }

    /// Waits until `condition` is over. If everything is cancelled meanwhile, the queue is dropped.
    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while condition(&state) {
            if self.control.is_cancelled() {
                self.cancel.send_replace(End::Failed);
            }
            state = self.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
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
pub(crate) struct Cancellation {
    end: watch::Receiver<End>,
    background: bool,
}

/// Which uploads are not wanted any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    None,
    /// Those of the queue, since one of them has failed.
    Failed,
    /// All.
    Aborted,
}

impl End {
    fn concerns(self, background: bool) -> bool {
        self == Self::Aborted || background && self == Self::Failed
    }
}

impl Cancellation {
    /// Whether the upload is one of the queue.
    pub(crate) fn is_of_queue(&self) -> bool {
        self.background
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.end.borrow().concerns(self.background)
    }

    pub(crate) async fn cancelled(&mut self) {
        let background = self.background;
        let unwanted = |end: &End| end.concerns(background);
        if self.end.wait_for(unwanted).await.is_err() {
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
            self.uploads.cancel.send_if_modified(|end| {
                let is_first = *end == End::None;
                if is_first {
                    *end = End::Failed;
                }
                is_first
            });
        }
        self.uploads.changed.notify_all();
    }
}
