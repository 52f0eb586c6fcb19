//! Many things looked at side by side.

use fairzarr::task::{Job, for_each, lock, unlocked};
use std::ops::ControlFlow;
use std::sync::Mutex;

use crate::Error;

/// What `look` says of each item, as many at a time as there are cores, in the order of the items. `name` tells what an item is,
/// should the work on it panic.
///
/// # Errors
/// When the job is cancelled.
pub(crate) fn side_by_side<T: Sync, V: Send>(
    items: &[T],
    job: &Job,
    name: impl Fn(&T) -> String + Sync,
    look: impl Fn(&T) -> V + Sync,
) -> Result<Vec<V>, Error> {
    let numbered: Vec<(usize, &T)> = items.iter().enumerate().collect();
    let found = Mutex::new(Vec::with_capacity(items.len()));
    for_each(
        &numbered,
        job.cores(),
        |(_, item)| name(item),
        || (),
        |(), (n, item)| {
            if job.cancel.is_cancelled() {
                return ControlFlow::Break(());
            }
            let said = look(item);
            lock(&found).push((*n, said));
            ControlFlow::Continue(())
        },
    )?;
    job.cancel.check()?;
    let mut found = unlocked(found);
    found.sort_by_key(|(n, _)| *n);
    Ok(found.into_iter().map(|(_, said)| said).collect())
}
