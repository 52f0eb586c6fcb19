//! The stores of a place.

use fairzarr_store::{Location, Store, StoreOptions};

use crate::Error;

/// Folders below each other that are looked into.
const DEEPEST: usize = 32;

/// What a place holds.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Found {
    /// The stores.
    pub stores: Vec<Location>,
    /// Conversions that are not complete, or were never finished.
    pub unfinished: Vec<Location>,
}

/// A place that is a store or one file of it, or else all stores below it, in order of their names. Nothing is looked for inside of a
/// store, and names that begin with a point are passed over: such are stores that are being written.
///
/// # Errors
/// When a place cannot be listed.
pub fn stores_below(place: &Location, options: &StoreOptions) -> Result<Found, Error> {
    let mut found = Found::default();
    if place.as_path().is_some_and(|path| !path.exists()) {
        return Err(Error::Nothing(place.to_string()));
    }
    let store = Store::open(place, options)?;
    // A web server that lists nothing holds a store all the same.
    if place.is_archive() || is_node(|name| store.exists(name))? {
        found.stores.push(place.clone());
        return Ok(found);
    }
    look(&store, "", 0, &mut found)?;
    Ok(found)
}

/// Documents that make a folder a node of Zarr.
const DOCUMENTS: [&str; 3] = ["zarr.json", ".zattrs", ".zgroup"];

fn is_node<E>(is_there: impl Fn(&str) -> Result<bool, E>) -> Result<bool, E> {
    for name in DOCUMENTS {
        if is_there(name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn look(store: &Store, folder: &str, depth: usize, found: &mut Found) -> Result<(), Error> {
    let here = || if folder.is_empty() { store.location().clone() } else { store.location().join(folder) };
    let children = store.list_children(folder)?;
    if children.objects.iter().any(|(name, _)| DOCUMENTS.contains(&name.as_str())) {
        found.stores.push(here());
        return Ok(());
    }
    // What has a workspace and no root's document is a store that is not complete; its arrays are no stores.
    if children.directories.iter().any(|name| name == fairzarr_ome_zarr::keys::WORKSPACE) {
        found.unfinished.push(here());
        return Ok(());
    }
    for (name, _) in &children.objects {
        let file = here().join(name);
        if file.is_archive() && !name.starts_with('.') {
            found.stores.push(file);
        }
    }
    for name in children.directories.iter().filter(|name| !name.starts_with('.')) {
        if depth < DEEPEST {
            let below = fairzarr_ome_zarr::keys::join(folder, name);
            look(store, &below, depth + 1, found)?;
        }
    }
    Ok(())
}
