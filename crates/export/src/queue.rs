//! Pieces are decoded and compressed by several threads and written in their order, whichever is ready first: the
//! same store gives the same file. A thread whose piece is not yet due waits with it, which bounds the memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use fairzarr_task::{Job, Pool, lock};

use crate::error::Error;
use crate::series::{Series, Written};
use crate::{Options, series};

/// About what a thread holds: a piece as it is stored, decoded, and compressed.
const PIECE_BYTES: u64 = 8 << 20;

/// Gives all chunks of all series to `write`, in order. `is_remote` says that they come from far away.
pub(crate) fn write(
    series: &[Series],
    options: &Options,
    is_remote: bool,
    job: &Job,
    write: impl FnMut(Written) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    // Number of the first piece of each level.
    let mut levels = Vec::new();
    let mut total = 0;
    for (index, one) in series.iter().enumerate() {
        for (level, pieces) in one.pieces().into_iter().enumerate() {
            levels.push((total, index, level));
            total += pieces;
        }
    }
    let next = AtomicUsize::new(0);
    let queue = Queue { state: Mutex::new(State { due: 0, failure: None, write }), moved: Condvar::new() };
    Pool::new(job.readers(is_remote, PIECE_BYTES).min(total))?.run(|| {
        let _alarm = Alarm(&queue);
        let Ok(mut encoder) = series::encoder(options.compression).map_err(|e| queue.fail(e)) else {
            return;
        };
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= total {
                return;
            }
            let at = levels.partition_point(|(first, ..)| *first <= n) - 1;
            let (first, index, level) = levels[at];
            let chunks = job
                .cancel
                .check()
                .map_err(Error::from)
                .and_then(|()| series[index].piece(level, n - first, &mut encoder, job));
            if !queue.hand_in(n, chunks) {
                return;
            }
        }
    });
    queue.lock().failure.take().map_or(Ok(()), Err)
}

struct Queue<W> {
    state: Mutex<State<W>>,
    moved: Condvar,
}

struct State<W> {
    /// The piece that is written next.
    due: usize,
    failure: Option<Error>,
    write: W,
}

impl<W: FnMut(Written) -> Result<(), Error>> Queue<W> {
    /// Waits until the piece is due and writes it; tells whether to go on.
    fn hand_in(&self, n: usize, chunks: Result<Vec<Written>, Error>) -> bool {
        let mut state = self.lock();
        while state.due != n && state.failure.is_none() {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.failure.is_none() {
            let written = chunks.and_then(|chunks| chunks.into_iter().try_for_each(&mut state.write));
            state.due += 1;
            state.failure = written.err();
        }
        self.moved.notify_all();
        state.failure.is_none()
    }
}

impl<W> Queue<W> {
    fn lock(&self) -> MutexGuard<'_, State<W>> {
        lock(&self.state)
    }

    fn fail(&self, error: Error) {
        self.lock().failure.get_or_insert(error);
        self.moved.notify_all();
    }
}

/// A thread that dies must not let the others wait for its piece.
struct Alarm<'q, W>(&'q Queue<W>);

impl<W> Drop for Alarm<'_, W> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(Error::Interrupted);
        }
    }
}
