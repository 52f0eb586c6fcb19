//! Another program that calls a command: it takes what would be printed, watches, and stops the work.
//!
//! The caller belongs to the thread that the command runs on, as standard output belongs to a process, so that commands need not
//! pass it on.

use fairzarr_store::{Control, Store};
use fairzarr_task::{Cancel, Progress, lock};
use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use crate::telling::Telling;

thread_local! {
    static CURRENT: RefCell<Option<Caller>> = const { RefCell::new(None) };
}

/// Whoever calls a command. Clones are the same caller; one caller makes one call at a time.
#[derive(Clone, Debug, Default)]
pub struct Caller(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// How often the caller asked to stop.
    stops: u32,
    /// The work under way that can be stopped.
    work: Option<(Cancel, Store)>,
    /// Of the stores that the call opens.
    control: Control,
    progress: Option<Arc<Progress>>,
    results: Vec<u8>,
    notes: Vec<String>,
    telling: Telling,
}

/// What came of a call.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The exit code of the program.
    pub code: u8,
    /// Why it failed, in one sentence; `None` also where a report says that something differs.
    pub failure: Option<String>,
    /// What the program prints on standard output: UTF-8, unless it is a document of the source.
    pub results: Vec<u8>,
    /// Its lines on standard error, warnings and remarks, without those of progress.
    pub notes: Vec<String>,
}

/// How far a call has come, in bytes of the source, decoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CallProgress {
    /// Bytes that are done, those of earlier runs included.
    pub done: u64,
    /// Bytes in all; 0 until that is known.
    pub total: u64,
    /// Bytes written to the target.
    pub written: u64,
    /// Objects written to the target.
    pub objects: u64,
}

impl Caller {
    /// A caller that has called nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the command to stop between two blocks, as the first Ctrl-C does; asked again, uploads under way are
    /// given up too. Tells whether there is work that will heed it.
    pub fn stop(&self) -> bool {
        let mut state = lock(&self.0);
        state.stops += 1;
        match &state.work {
            Some((cancel, store)) => {
                if cancel.cancel() {
                    store.abort();
                }
                crate::source::stop_waiting(state.control.clone());
                true
            }
            None => false,
        }
    }

    /// How far the work under way has come; `None` before there is any.
    pub fn progress(&self) -> Option<CallProgress> {
        lock(&self.0).progress.as_ref().map(|progress| CallProgress {
            done: progress.done(),
            total: progress.total(),
            written: progress.written(),
            objects: progress.objects(),
        })
    }

    /// The handle of the stores that the call opens.
    pub(crate) fn control(&self) -> Control {
        lock(&self.0).control.clone()
    }

    /// Is the current caller of this thread while `work` runs.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        /// Ends a call, also when its work panics.
        struct Ended;
        impl Drop for Ended {
            fn drop(&mut self) {
                CURRENT.set(None);
            }
        }
        CURRENT.set(Some(self.clone()));
        let _ended = Ended;
        work()
    }

    /// The caller of the command that runs on this thread; `None` where the program runs by itself.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Takes a line of the result.
    pub(crate) fn take_result(&self, line: &str) {
        use std::io::Write as _;
        // Writing to memory does not fail.
        let _ = writeln!(lock(&self.0).results, "{line}");
    }

    /// Takes a document that is the result.
    pub(crate) fn take_document(&self, bytes: &[u8]) {
        lock(&self.0).results.extend_from_slice(bytes);
    }

    /// How the command of this call tells things.
    pub(crate) fn with_telling<T>(&self, work: impl FnOnce(&mut Telling) -> T) -> T {
        work(&mut lock(&self.0).telling)
    }

    /// Takes a line for the user.
    pub(crate) fn take_note(&self, line: &str) {
        lock(&self.0).notes.push(line.to_owned());
    }

    /// Is told of work that it may stop; stops it at once if it has asked already.
    pub(crate) fn may_stop(&self, cancel: &Cancel, store: &Store) {
        let mut state = lock(&self.0);
        if state.stops > 0 {
            cancel.cancel();
        }
        state.work = Some((cancel.clone(), store.clone()));
    }

    /// Is told of work that it may watch.
    pub(crate) fn may_watch(&self, progress: &Arc<Progress>) {
        lock(&self.0).progress = Some(progress.clone());
    }

    /// Gives what was printed, and forgets the call.
    pub(crate) fn printed(&self) -> (Vec<u8>, Vec<String>) {
        let state = std::mem::take(&mut *lock(&self.0));
        (state.results, state.notes)
    }
}
