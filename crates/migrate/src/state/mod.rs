//! What was found, what was done, and every attempt: an SQLite file beside the target that people can query.
//!
//! The file is written by one process at a time, in transactions that hold the results of many datasets. Killed between
//! two of them, the job finds stores that are complete and unknown, and proves them again instead of making them again.

mod merge;
mod read;
mod schema;
mod write;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Error;

pub(crate) use merge::{Merge, Plan, Todo};
pub use read::{Dataset, DatasetState, FileOf, PathEntry, Run, Totals};
pub(crate) use write::{Done, Finished, SourceFile};

/// The state of a migration.
#[derive(Debug)]
pub struct State {
    db: Connection,
    place: PathBuf,
}

/// The right to change a state, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: File,
}

impl State {
    /// Opens the state of an earlier run, to read.
    ///
    /// # Errors
    /// [`Error::NoState`] when there is none, [`Error::Newer`] when a newer program wrote it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if !path.is_file() {
            return Err(Error::NoState(path.display().to_string()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).or_else(|_| {
            // An archive that is read-only has no place for a journal, and needs none to be read.
            Connection::open_with_flags(
                path,
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )
        });
        let state = Self { db: db.map_err(|source| at(path, source))?, place: path.to_owned() };
        state.prepare()?;
        Ok(state)
    }

    /// Opens the state of an earlier run or makes a new one, to change it.
    ///
    /// # Errors
    /// As [`Self::open`], and [`Error::Busy`] while another process changes it.
    pub(crate) fn change(path: &Path) -> Result<(Self, Turn), Error> {
        let failed = |source| Error::Write { place: path.display().to_string(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut name = path.as_os_str().to_owned();
        name.push("-lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
        match lock.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => return Err(Error::Busy(path.display().to_string())),
            // Some file systems have no locks; then SQLite's own have to do.
            Ok(()) | Err(std::fs::TryLockError::Error(_)) => {}
        }
        let db = Connection::open(path).map_err(|source| at(path, source))?;
        let mut state = Self { db, place: path.to_owned() };
        state.create()?;
        state.prepare()?;
        Ok((state, Turn { _lock: lock }))
    }

    /// A copy of the state in memory, empty where there is none: what is done to it is not kept.
    pub(crate) fn copy_in_memory(path: &Path) -> Result<Self, Error> {
        let failed = |source| at(path, source);
        let mut db = Connection::open_in_memory().map_err(failed)?;
        if path.is_file() {
            db.restore("main", path, None::<fn(rusqlite::backup::Progress)>).map_err(failed)?;
        }
        let mut state = Self { db, place: path.to_owned() };
        state.create()?;
        state.prepare()?;
        Ok(state)
    }

    /// Where it is.
    pub fn place(&self) -> &Path {
        &self.place
    }

    fn create(&mut self) -> Result<(), Error> {
        let place = self.place.clone();
        let failed = |source| at(&place, source);
        // Network file systems have no memory that processes share, which a write-ahead log would need.
        self.db.pragma_update(None, "journal_mode", "TRUNCATE").map_err(failed)?;
        let transaction = self.db.transaction().map_err(failed)?;
        let there: Option<i64> = transaction
            .query_row("SELECT 1 FROM sqlite_master WHERE name = 'runs'", [], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        if there.is_none() {
            transaction.execute_batch(schema::TABLES).map_err(failed)?;
            transaction.pragma_update(None, "user_version", schema::LAYOUT).map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    fn prepare(&self) -> Result<(), Error> {
        self.db.busy_timeout(Duration::from_secs(20)).map_err(|error| self.failed(error))?;
        self.db.set_prepared_statement_cache_capacity(32);
        let found: i64 = self
            .db
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|error| self.failed(error))?;
        let place = self.place.display().to_string();
        match found {
            0 => Err(Error::NoState(place)),
            schema::LAYOUT => Ok(()),
            found => Err(Error::Newer { place, found, known: schema::LAYOUT }),
        }
    }

    pub(crate) fn failed(&self, source: rusqlite::Error) -> Error {
        at(&self.place, source)
    }
}

fn at(place: &Path, source: rusqlite::Error) -> Error {
    Error::State { place: place.display().to_string(), source }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

/// A digest as the state has it.
pub(crate) fn digest_bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect()
}
