//! The only home of parallel loops.
//!
//! Each worker thread runs one closure to its end ([`Pool::run`]), and takes items from a shared counter in it. Rayon
//! provides the threads; its work stealing is not used, because a stolen item would hold a second set of buffers while
//! the first one waits.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::{Error, lock, unlocked};

/// Threads that run the same closure side by side.
pub struct Pool(rayon::ThreadPool);

impl Pool {
    /// Starts `threads` threads, at least one.
    ///
    /// # Errors
    /// [`Error::Thread`] when the system refuses one of them.
    pub fn new(threads: usize) -> Result<Self, Error> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|n| format!("worker {n}"))
            .build()
            .map_err(|error| Error::Thread(error.to_string()))?;
        Ok(Self(pool))
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.0.current_num_threads()
    }

    /// Runs `work` once on every thread and waits for all; the results are those of the threads, in no order.
    ///
    /// A panic in `work` goes on in the caller once the other threads have ended.
    pub fn run<R: Send>(&self, work: impl Fn() -> R + Sync) -> Vec<R> {
        let results = self.0.broadcast(|_| catch_unwind(AssertUnwindSafe(&work)));
        results.into_iter().map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    }
}

/// Starts the threads that libraries share in this process, which they would otherwise start by themselves, and panic over one
/// that is refused.
///
/// # Errors
/// [`Error::Thread`] when the system refuses one of them.
pub fn shared_threads() -> Result<(), Error> {
    static STARTED: OnceLock<Result<(), Error>> = OnceLock::new();
    let start = || match rayon::ThreadPoolBuilder::new().build_global() {
        // That they were started before is no error; only one of the system has a cause.
        Err(error) if std::error::Error::source(&error).is_some() => Err(Error::Thread(error.to_string())),
        _ => Ok(()),
    };
    STARTED.get_or_init(start).clone()
}

/// Starts a thread beside the workers: one that waits more than it computes, such as a journal's writer.
///
/// # Errors
/// [`Error::Thread`] when the system refuses it.
pub fn background<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> R + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, R>, Error> {
    Builder::new()
        .name(name.into())
        .spawn_scoped(scope, work)
        .map_err(|error| Error::Thread(error.to_string()))
}

/// Does something to all items on several threads, each with a state of its own, until one says that it is enough.
/// `name` tells what an item is, should the work on it panic.
///
/// # Errors
/// [`Error`] when a thread cannot be started or panics.
pub fn for_each<T: Sync, S>(
    items: &[T],
    threads: usize,
    name: impl Fn(&T) -> String + Sync,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> ControlFlow<()> + Sync,
) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let stop = || next.store(usize::MAX / 2, Ordering::Relaxed);
    let one_after_another = || {
        let mut state = state();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            match caught(|| name(item), || work(&mut state, item)) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => stop(),
                Err(error) => {
                    stop();
                    return Err(error);
                }
            }
        }
        Ok(())
    };
    match threads.min(items.len()) {
        0 | 1 => one_after_another(),
        several => Pool::new(several)?.run(one_after_another).into_iter().collect(),
    }
}

/// Does something to all items on several threads, each with a state of its own, until one fails. `name` tells what an item is,
/// should the work on it panic.
///
/// # Errors
/// The first that `work` has; [`Error`] when a thread cannot be started or panics.
pub fn try_for_each<T: Sync, S, E: From<Error> + Send>(
    items: &[T],
    threads: usize,
    name: impl Fn(&T) -> String + Sync,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let failure = Mutex::new(None);
    for_each(items, threads, name, state, |state, item| match work(state, item) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            lock(&failure).get_or_insert(error);
            ControlFlow::Break(())
        }
    })?;
    unlocked(failure).map_or(Ok(()), Err)
}

/// Does something to all items, several at a time because each waits for a store, and keeps their order.
///
/// # Errors
/// That of the first item, in this order, for which `work` has one; [`Error`] when a thread cannot be started or panics.
pub fn in_order<T: Send, U: Send, E: From<Error> + Send>(
    items: Vec<T>,
    at_once: usize,
    work: impl Fn(T) -> Result<U, E> + Sync,
) -> Result<Vec<U>, E> {
    let count = items.len();
    if count < 2 {
        return items.into_iter().map(work).collect();
    }
    let items = Mutex::new(items.into_iter().enumerate());
    let done = Mutex::new(Vec::with_capacity(count));
    Pool::new(count.min(at_once))?.run(|| {
        loop {
            let next = lock(&items).next();
            let Some((n, item)) = next else { return };
            let result = caught(|| format!("item {n}"), || work(item)).map_err(E::from).flatten();
            lock(&done).push((n, result));
        }
    });
    let mut done = unlocked(done);
    done.sort_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What `work` gives, or its panic as an error that names the item.
///
/// # Errors
/// [`Error::Panic`].
pub fn caught<R>(name: impl FnOnce() -> String, work: impl FnOnce() -> R) -> Result<R, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|panic| Error::Panic { item: name(), message: message(panic.as_ref()) })
}

/// The text that a panic was given.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_items_are_worked_on_until_one_is_enough() {
        let items: Vec<u32> = (0..1000).collect();
        let sum = Mutex::new(0);
        let name = |n: &u32| n.to_string();
        let add = |(): &mut (), n: &u32| {
            *lock(&sum) += n;
            ControlFlow::Continue(())
        };
        for_each(&items, 3, name, || (), add).unwrap();
        assert_eq!(unlocked(sum), 499_500);
        let count = Mutex::new(0);
        let until_nine = |(): &mut (), n: &u32| {
            *lock(&count) += 1;
            if *n == 9 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        for_each(&items, 1, name, || (), until_nine).unwrap();
        assert_eq!(unlocked(count), 10);
    }

    #[test]
    fn a_panic_is_an_error_that_names_the_item() {
        let items: Vec<u32> = (0..100).collect();
        for threads in [1, 4] {
            let work = |(): &mut (), n: &u32| {
                assert!(*n != 57, "cannot bear it");
                ControlFlow::Continue(())
            };
            let error = for_each(&items, threads, |n| format!("item {n}"), || (), work).unwrap_err();
            assert_eq!(error, Error::Panic { item: "item 57".into(), message: "cannot bear it".into() });
        }
    }

    #[test]
    fn results_keep_the_order_of_the_items_and_the_first_error_counts() {
        let doubled = in_order((0..100).collect(), 16, |n| Ok::<_, Error>(2 * n)).unwrap();
        assert_eq!(doubled, (0..100).map(|n| 2 * n).collect::<Vec<_>>());
        let error = |n: u32| Error::Thread(n.to_string());
        let failed = in_order((0..100).collect(), 16, |n| if n % 10 == 3 { Err(error(n)) } else { Ok(()) });
        assert_eq!(failed, Err(error(3)));
    }

    #[test]
    fn every_thread_of_a_pool_runs_the_work_once() {
        let pool = Pool::new(3).unwrap();
        assert_eq!(pool.run(|| 1).iter().sum::<usize>(), pool.threads());
    }
}
