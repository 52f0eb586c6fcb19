//! One conversion at a time: a place that somebody is writing to is neither overwritten nor resumed.

use fairzarr_ome_zarr::keys::WORKSPACE;
use fairzarr_store::{Lease, LockKind, Store};

use crate::error::Error;

/// Takes the lease of a place, alone or with others that share it. `take_over` removes the marks of others.
pub(crate) fn take(store: &Store, kind: LockKind, take_over: bool) -> Result<Lease, Error> {
    Ok(Lease::take(store, WORKSPACE, kind, take_over)?)
}

/// Whether a key is of a lease.
pub(crate) fn is_ours(key: &str) -> bool {
    Lease::is_key(WORKSPACE, key)
}

/// Makes sure that `result` is told as what it is where another process has taken over meanwhile.
pub(crate) fn heed<T>(lease: &Lease, store: &Store, result: Result<T, Error>) -> Result<T, Error> {
    match result {
        Err(_) if lease.is_lost() => Err(Error::TakenOver(store.location().to_string())),
        other => other,
    }
}
