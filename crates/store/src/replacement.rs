//! The places of a store that is to be replaced: the old one stays where it is until the new one is whole.
//!
//! The new one is written to a hidden directory beside the old one. When it is whole, the two change places, and what was
//! there before is put aside, to be removed. Whatever is killed in between, each directory is the whole of one of them.

use std::fs;
use std::io;
use std::path::Path;

use crate::local::{exchange, failed, named};
use crate::{Error, Location, Store};

/// A local directory and the two beside it that its replacement needs.
#[derive(Clone, Debug)]
pub struct Replacement {
    place: Store,
    beside: Store,
    aside: Store,
}

impl Replacement {
    /// The places for a store; `None` where no directory can take the place of another: in object stores and in memory, and
    /// where the directory is a file system of its own.
    ///
    /// # Errors
    /// [`Error::Failed`] when the place cannot be looked at.
    pub fn of(store: &Store) -> Result<Option<Self>, Error> {
        let Some(path) = store.local_path() else { return Ok(None) };
        let place = named(path).map_err(|error| failed(path, "look at", "", error))?;
        let Some(place) = place else { return Ok(None) };
        let name = place.file_name().unwrap_or_default().to_owned();
        let sibling = |ending: &str| {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(&name);
            hidden.push(ending);
            Store::open(&Location::local(place.with_file_name(hidden)), store.options())
        };
        Ok(Some(Self { place: store.clone(), beside: sibling(NEW)?, aside: sibling(OLD)? }))
    }

    /// Where the old store is, and the new one will be.
    pub fn place(&self) -> &Store {
        &self.place
    }

    /// Where the new store is written: `.NAME.fairzarr-new`.
    pub fn beside(&self) -> &Store {
        &self.beside
    }

    /// Where the old store is while it is removed: `.NAME.fairzarr-old`.
    pub fn aside(&self) -> &Store {
        &self.aside
    }

    /// Gives the new store the old one's name, and puts the old one aside. Everything has reached the disk before and after,
    /// as far as was asked.
    ///
    /// # Errors
    /// [`Error::Failed`]. The old store is at its place then, or, if even that failed, aside.
    pub fn exchange(&self) -> Result<(), Error> {
        self.beside.sync()?;
        let (beside, place, aside) = (path(&self.beside), path(&self.place), path(&self.aside));
        // A link that names the place stays: what it leads to is exchanged.
        let target = named(place).and_then(|named| named.ok_or_else(|| io::ErrorKind::NotFound.into()));
        target
            .and_then(|target| exchange(beside, &target, aside))
            .map_err(|error| failed(place, "exchange", "", error))?;
        self.place.sync()
    }

    /// After a kill between the two renames of an exchange that could not be done at once: gives the place what is beside it.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub fn place_new(&self) -> Result<(), Error> {
        rename(&self.beside, &self.place)
    }

    /// The same, where there is nothing beside: gives the place back what was put aside.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub fn put_back(&self) -> Result<(), Error> {
        rename(&self.aside, &self.place)
    }

    /// After a kill when the new store had its place: what is beside it is the old one, and goes aside.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub fn put_aside(&self) -> Result<(), Error> {
        rename(&self.beside, &self.aside)
    }
}

fn rename(from: &Store, to: &Store) -> Result<(), Error> {
    let (from, to) = (path(from), path(to));
    let renamed = named(to).and_then(|target| fs::rename(from, target.as_deref().unwrap_or(to)));
    match renamed {
        // Another process has just done the same.
        Err(error) if error.kind() == io::ErrorKind::NotFound && to.exists() => Ok(()),
        other => other.map_err(|error| failed(to, "rename to", "", error)),
    }
}

fn path(store: &Store) -> &Path {
    store.local_path().unwrap_or(Path::new(""))
}

/// What the names of the two directories end with.
const NEW: &str = ".fairzarr-new";
const OLD: &str = ".fairzarr-old";
