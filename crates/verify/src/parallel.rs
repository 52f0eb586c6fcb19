//! Work on several threads.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Error;

/// Metadata documents that are asked for at the same time.
const AT_ONCE: usize = 16;

/// Does something to all items on `jobs` threads, each with a state of its own, until one says that it is enough.
pub(crate) fn for_each<T: Sync, S>(
    items: &[T],
    jobs: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> ControlFlow<()> + Sync,
) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1).min(items.len()) {
            scope.spawn(|| {
                let mut state = state();
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if work(&mut state, item).is_break() {
                        next.store(usize::MAX / 2, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

/// Does something to all items, several at a time because each waits for a store, and keeps their order.
///
/// # Errors
/// That of the first item, in this order, for which `work` has one.
pub fn in_parallel<T: Send, U: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> Result<U, Error> + Sync,
) -> Result<Vec<U>, Error> {
    let count = items.len();
    let items = Mutex::new(items.into_iter().enumerate());
    let done = Mutex::new(Vec::with_capacity(count));
    std::thread::scope(|scope| {
        for _ in 0..count.min(AT_ONCE) {
            scope.spawn(|| {
                loop {
                    let next = lock(&items).next();
                    let Some((n, item)) = next else { return };
                    let result = work(item);
                    lock(&done).push((n, result));
                }
            });
        }
    });
    let mut done = unlocked(done);
    done.sort_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What a mutex guards, also after a thread has failed with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a mutex guarded.
pub(crate) fn unlocked<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_items_are_worked_on_until_one_is_enough() {
        let items: Vec<u32> = (0..1000).collect();
        let sum = Mutex::new(0);
        for_each(
            &items,
            3,
            || (),
            |(), n| {
                *lock(&sum) += n;
                ControlFlow::Continue(())
            },
        );
        assert_eq!(unlocked(sum), 499_500);
        let count = Mutex::new(0);
        for_each(
            &items,
            1,
            || (),
            |(), n| {
                *lock(&count) += 1;
                if *n == 9 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!(unlocked(count), 10);
    }

    #[test]
    fn results_keep_the_order_of_the_items() {
        let doubled = in_parallel((0..100).collect(), |n| Ok(2 * n)).unwrap();
        assert_eq!(doubled, (0..100).map(|n| 2 * n).collect::<Vec<_>>());
    }
}
