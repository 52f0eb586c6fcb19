//! What can stop a catalogue as a whole. What is wrong with one store is reported, and does not stop the others.

use std::io;

/// An error of the catalogue itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is something else; it is left as it is.
    #[error("{0} is no catalogue of fairzarr, and is left as it is")]
    Foreign(String),
    /// A program with other tables made the catalogue.
    #[error(
        "{place} has tables of version {found}, and this program writes version {expected}; make a new one"
    )]
    Version {
        /// The file.
        place: String,
        /// The version of its tables.
        found: i32,
        /// The version that is known.
        expected: i32,
    },
    /// Another process is writing the catalogue.
    #[error("{0} is being written by another process")]
    Busy(String),
    /// The database cannot be read or written.
    #[error("{place}: {source}")]
    Database {
        /// The file.
        place: String,
        /// Why.
        source: rusqlite::Error,
    },
    /// A table cannot be written.
    #[error("cannot write {place}: {source}")]
    Write {
        /// The file.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// There is no such place.
    #[error("there is nothing at {0}")]
    Nothing(String),
    /// A place cannot be looked through.
    #[error(transparent)]
    Store(#[from] fairzarr_store::Error),
    /// The job was asked to stop.
    #[error(transparent)]
    Interrupted(#[from] fairzarr_task::Interrupted),
    /// Threads failed.
    #[error(transparent)]
    Task(#[from] fairzarr_task::Error),
}

/// Why one store is not in the catalogue as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    #[error(transparent)]
    OmeZarr(#[from] fairzarr_ome_zarr::Error),
    #[error(transparent)]
    Store(#[from] fairzarr_store::Error),
    #[error(transparent)]
    OmeXml(#[from] fairzarr_ome_xml::Error),
    #[error(transparent)]
    Record(#[from] fairzarr_nbo::Error),
    #[error("it is not an OME-Zarr")]
    NotAStore,
}

impl Error {
    /// An error of the database at `place`.
    pub(crate) fn of(place: &str, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, NotADatabase};
        match source.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => Self::Busy(place.to_owned()),
            Some(NotADatabase) => Self::Foreign(place.to_owned()),
            _ => Self::Database { place: place.to_owned(), source },
        }
    }
}
