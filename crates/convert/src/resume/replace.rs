//! Replacing a store: the old one stays readable until the new one is whole.
//!
//! In local directories the new store is written beside the old one, with its plan, and exchanged with it when its root is
//! written. The plan stays in it until the old one is removed, so that whatever is killed is found by the next run:
//!
//! | at the place | beside | aside | what the next run does |
//! |---|---|---|---|
//! | old | new, with a plan | | resumes it, or starts again; then exchanges |
//! | nothing | new, with a plan and a root | old | gives the new one its place (only where names cannot be exchanged at once) |
//! | new, with its plan | old | | puts the old one aside |
//! | new, with its plan | | what is left of the old one | removes that, then the plan |
//!
//! Object stores cannot exchange prefixes. There a whole store is replaced only where that was asked for in so many words.

use fairzarr_ome_zarr::keys::{self, WORKSPACE};
use fairzarr_ome_zarr::{Occupant, Ownership, removing};
use fairzarr_store::{Lease, LockKind, Replacement, Store};

use crate::commit;
use crate::error::Error;
use crate::resume::lease;

/// The store that is worked on: the one beside, where a replacement is under way.
///
/// # Errors
/// When what a kill has left cannot be put in order.
pub(crate) fn working(store: &Store) -> Result<(Store, Option<Replacement>), Error> {
    let places = recover(store)?;
    let Some(places) = places else { return Ok((store.clone(), None)) };
    let is_beside = !store.exists(&keys::plan())? && places.beside().exists(&keys::plan())?;
    let working = if is_beside { places.beside().clone() } else { store.clone() };
    Ok((working, Some(places)))
}

/// Gives a place the store that a kill in the middle of an exchange has kept from it.
pub(crate) fn recover(store: &Store) -> Result<Option<Replacement>, Error> {
    let Some(places) = Replacement::of(store)? else { return Ok(None) };
    let is_there = |store: &Store| store.local_path().is_some_and(std::path::Path::exists);
    if is_there(places.place()) || !is_there(places.aside()) {
        return Ok(Some(places));
    }
    if is_there(places.beside()) && has_root(places.beside())? {
        // Whoever is in the middle of it is left to finish.
        drop(lease::take(places.beside(), LockKind::Exclusive, false)?);
        places.place_new()?;
    } else {
        places.put_back()?;
    }
    Ok(Some(places))
}

/// Exchanges the new store, which is whole, with the old one. The old one goes aside.
pub(crate) fn exchange(places: &Replacement, take_over: bool) -> Result<Lease, Error> {
    let lease = lease::take(places.place(), LockKind::Exclusive, take_over)?;
    // What others have put there since must not get out of sight.
    refuse_foreign(places.place(), &Ownership::of(places.place())?)?;
    places.exchange()?;
    Ok(lease)
}

/// The end of a conversion: removes what was replaced, and then what only an unfinished store has.
pub(crate) fn settle(store: &Store, places: Option<&Replacement>) -> Result<(), Error> {
    let Some(places) = places else { return commit::clean(store) };
    let (beside, aside) = (places.beside(), places.aside());
    // The plan is at the place: what is beside it has been replaced.
    let has = |store: &Store| Ok::<_, Error>(!store.list("")?.is_empty());
    if store.exists(&keys::plan())? && has(beside)? && !beside.exists(&keys::plan())? && !has(aside)? {
        places.put_aside()?;
    }
    let left = if has(aside)? { remove_owned(aside)? } else { None };
    aside.remove_empty_directories()?;
    commit::clean(store)?;
    match left {
        None => Ok(()),
        Some(names) => Err(Error::NotRemoved {
            place: aside.location().to_string(),
            reason: format!(
                "{} was replaced, and this is what the old store held that is no part of a store: {names}",
                store.location()
            ),
        }),
    }
}

/// Makes the places beside a store ready for a new replacement of it.
pub(crate) fn clear(places: &Replacement) -> Result<(), Error> {
    for store in [places.aside(), places.beside()] {
        let found = Ownership::of(store)?;
        if found.occupant == Occupant::Other {
            return Err(not_removed(store, "it is no store that was left by a replacement"));
        }
        refuse_foreign(store, &found)?;
    }
    remove_owned(places.aside())?;
    places.aside().remove_empty_directories()?;
    // The lease of it is held.
    let beside = Ownership::of(places.beside())?;
    if beside.owned.iter().any(|key| !lease::is_ours(key)) {
        remove(places.beside(), &beside)?;
    }
    Ok(())
}

/// Removes a store, or what there is of one, with what a replacement has left beside it. What is no part of a store is left.
pub(crate) fn discard(store: &Store) -> Result<(), Error> {
    let (working, _) = working(store)?;
    let found = Ownership::of(&working)?;
    if !found.owned.is_empty() {
        remove(&working, &found)?;
    }
    Ok(())
}

/// Removes what lies at a place, as far as it is a store's. Its plan and its root metadata go first, so that what is left
/// after an interruption neither looks complete nor can be resumed.
pub(crate) fn remove(store: &Store, found: &Ownership) -> Result<(), Error> {
    // By this mark the rest is known as ours, should the removal be interrupted.
    store.put(&removing(), "")?;
    store.delete(&keys::plan())?;
    let (root, others): (Vec<_>, Vec<_>) = found.owned.iter().partition(|key| !key.contains('/'));
    for key in root.into_iter().chain(others).filter(|key| !lease::is_ours(key)) {
        store.delete(key)?;
    }
    store.remove_leftovers()?;
    // The mark stays as long as directories do, by which the place looks taken.
    store.remove_empty_directories()?;
    store.delete(&removing())?;
    Ok(store.remove_empty_directories()?)
}

/// Removes what a store owns of a place that nobody reads, in an order that can be taken up again. The names of what is left.
fn remove_owned(store: &Store) -> Result<Option<String>, Error> {
    let found = Ownership::of(store)?;
    for key in &found.owned {
        store.delete(key)?;
    }
    store.remove_leftovers()?;
    Ok(found.foreign_names())
}

/// An error if others have put something into a store.
pub(crate) fn refuse_foreign(store: &Store, found: &Ownership) -> Result<(), Error> {
    match found.foreign_names() {
        None => Ok(()),
        Some(names) => Err(not_removed(
            store,
            &format!("it holds what is no part of the store: {names}; move that away"),
        )),
    }
}

pub(crate) fn not_removed(store: &Store, reason: &str) -> Error {
    Error::NotRemoved { place: store.location().to_string(), reason: reason.into() }
}

/// Whether the last document of a root is there, of either version of Zarr.
pub(crate) fn has_root(store: &Store) -> Result<bool, Error> {
    Ok(store.exists("zarr.json")? || store.exists(".zattrs")? && store.exists(".zgroup")?)
}

/// Whether nothing is at a place but an empty workspace.
pub(crate) fn is_empty(store: &Store) -> Result<bool, Error> {
    let children = store.list_children("")?;
    Ok(children.objects.is_empty()
        && children.directories.iter().all(|name| name == WORKSPACE)
        && store.list(WORKSPACE)?.iter().all(|(key, _)| lease::is_ours(key)))
}
