//! What can stop a migration as a whole. What is wrong with one dataset is recorded, and does not stop the others.

/// An error of the job itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A pattern for paths is none.
    #[error("{pattern:?} is not a pattern for paths")]
    Pattern {
        /// As it was given.
        pattern: String,
        /// Why.
        source: globset::Error,
    },
    /// A template for targets names what is not known.
    #[error("the template {template:?} for targets: {reason}")]
    Template {
        /// As it was given.
        template: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The table of datasets cannot be used.
    #[error("{table}, line {line}: {reason}")]
    Table {
        /// The table.
        table: String,
        /// Counted from 1; the header is line 1.
        line: u64,
        /// What is wrong there.
        reason: String,
    },
    /// A setting of one dataset cannot be used.
    #[error("the setting {setting:?}: {reason}")]
    Setting {
        /// As it was given.
        setting: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A source cannot be looked at.
    #[error("cannot read {place}")]
    Source {
        /// The source.
        place: String,
        /// Why.
        source: std::io::Error,
    },
    /// Another process migrates to the same target.
    #[error("another migration to {0} is running")]
    Busy(String),
    /// There is no state of a migration at the target.
    #[error("there is no state of a migration at {0}")]
    NoState(String),
    /// The state was written by a newer program.
    #[error("the state at {place} has layout {found}, this program knows {known}")]
    Newer {
        /// The state.
        place: String,
        /// Its layout.
        found: i64,
        /// The latest layout that is known.
        known: i64,
    },
    /// The state cannot be read or written.
    #[error("the state at {place} cannot be used")]
    State {
        /// The state.
        place: String,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A file of the job's own cannot be written.
    #[error("cannot write {place}")]
    Write {
        /// The file.
        place: String,
        /// Why.
        source: std::io::Error,
    },
    /// The target or a source cannot be used.
    #[error(transparent)]
    Store(#[from] fairzarr::store::Error),
    /// Threads could not do the work.
    #[error(transparent)]
    Task(#[from] fairzarr::task::Error),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl From<fairzarr::task::Interrupted> for Error {
    fn from(_: fairzarr::task::Interrupted) -> Self {
        Self::Interrupted
    }
}

/// A message with those of its causes, each once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}
