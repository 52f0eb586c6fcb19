//! What can go wrong, in terms a program can act on.

use std::ops::Range;
use std::sync::Arc;

/// A failed operation on a location or store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A location's text is not a path or URL of a known form.
    #[error("{text:?} is not a usable location: {reason}")]
    Location {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A key is empty, absolute, or has an empty, `.` or `..` segment.
    #[error("{key:?} is not a usable key: {reason}")]
    Key {
        /// What was given.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A store option is unknown or its value is not usable.
    #[error("store option {key:?}: {reason}")]
    Option {
        /// The option's name.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The options and the environment together do not make a client.
    #[error("the settings for {location} do not fit together")]
    Settings {
        /// The store.
        location: String,
        /// What is missing or contradicts.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The location's kind of store cannot do this.
    #[error("{location}: {reason}")]
    Unsupported {
        /// The store.
        location: String,
        /// What it cannot do.
        reason: String,
    },
    /// A range reaches beyond the end of an object: the object is shorter than its index says.
    #[error(
        "{key} in {location} has {size} bytes, bytes {}..{} were expected",
        range.start,
        range.end
    )]
    Range {
        /// The store.
        location: String,
        /// The object.
        key: String,
        /// The bytes that were asked for.
        range: Range<u64>,
        /// The object's size.
        size: u64,
    },
    /// The store answered with an error, or did not answer.
    #[error("cannot {action} {}: {class}", place(key, location))]
    Failed {
        /// What was tried: `read`, `write`, `list`, ...
        action: &'static str,
        /// The object, or the prefix of a listing.
        key: String,
        /// The store.
        location: String,
        /// What kind of failure it was.
        class: Class,
        /// The cause as the operating system or the client library tells it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An archive is none, or not one that can be read safely.
    #[error("{location} is not a usable archive: {reason}")]
    Archive {
        /// The archive.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process is writing there.
    #[error("{location} is being written to: {reason}")]
    Running {
        /// The store.
        location: String,
        /// How that is known.
        reason: String,
        /// Whether the other process may have ended without anybody knowing.
        unknown: bool,
    },
    /// Another process has taken over what this one was doing.
    #[error("another process has taken over what was being written to {location}")]
    TakenOver {
        /// The store.
        location: String,
    },
    /// The system refused a thread, as it does at a limit on processes or memory.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// An object was to be completed of which an earlier write failed.
    #[error("an object was not completed, because an earlier write of it failed")]
    Unfinished,
    /// An upload that was handed over earlier failed.
    #[error("an earlier upload failed")]
    Background(#[source] Arc<Error>),
}

impl Error {
    /// The kind of failure, for the choice of an exit code or of a second attempt.
    pub fn class(&self) -> Class {
        match self {
            Self::Location { .. } | Self::Key { .. } | Self::Option { .. } | Self::Settings { .. } => {
                Class::Usage
            }
            Self::Unsupported { .. } => Class::Unsupported,
            Self::Range { .. } => Class::Truncated,
            Self::Failed { class, .. } => *class,
            Self::Archive { .. } => Class::Damaged,
            Self::Running { .. } => Class::Precondition,
            Self::TakenOver { .. } => Class::TakenOver,
            Self::Thread(_) => Class::Local,
            Self::Unfinished => Class::Other,
            Self::Background(earlier) => earlier.class(),
        }
    }

    /// Whether it is the place that fails, or that may not be asked any more, rather than one of its objects: nothing then
    /// follows from it about what the place holds.
    pub fn is_of_place(&self) -> bool {
        matches!(
            self.class(),
            Class::Throttled
                | Class::Transient
                | Class::Untrusted
                | Class::Elsewhere
                | Class::Cancelled
                | Class::TakenOver
        )
    }

    /// An [`Error::Failed`]: `action`, a verb such as `read`, was tried on `key` in `location`.
    pub fn failed(
        action: &'static str,
        key: &str,
        location: &str,
        class: Class,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Failed {
            action,
            key: key.to_owned(),
            location: location.to_owned(),
            class,
            source: source.into(),
        }
    }

    /// The error that a writer or reader of this crate has wrapped into one of the standard library.
    pub(crate) fn of_io(error: std::io::Error) -> Self {
        error.downcast().unwrap_or_else(|error| Self::Failed {
            action: "reach",
            key: String::new(),
            location: "an object".to_owned(),
            class: Class::Other,
            source: Box::new(error),
        })
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.class() {
            Class::NotFound => std::io::ErrorKind::NotFound,
            Class::Permission => std::io::ErrorKind::PermissionDenied,
            Class::Precondition => std::io::ErrorKind::AlreadyExists,
            Class::Truncated => std::io::ErrorKind::UnexpectedEof,
            Class::Damaged | Class::Malformed => std::io::ErrorKind::InvalidData,
            Class::Unsupported => std::io::ErrorKind::Unsupported,
            Class::Usage => std::io::ErrorKind::InvalidInput,
            Class::Cancelled
            | Class::TakenOver
            | Class::Untrusted
            | Class::Elsewhere
            | Class::Throttled
            | Class::Transient
            | Class::Local
            | Class::Other => std::io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// An object, or the whole store, in words.
fn place(key: &str, location: &str) -> String {
    if key.is_empty() { location.to_owned() } else { format!("{key} in {location}") }
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Class {
    /// The bucket, container or directory does not exist.
    NotFound,
    /// The credentials are missing, wrong, or not allowed to do this.
    Permission,
    /// The store asked to slow down, and still did after all attempts.
    Throttled,
    /// Somebody else changed the object in between.
    Precondition,
    /// No answer, a broken connection or a server error, and no better after all attempts.
    Transient,
    /// An object or answer is shorter than announced.
    Truncated,
    /// The bytes are not those that were written.
    Damaged,
    /// The operating system refused: disk full, read-only, an I/O error.
    Local,
    /// The location, key or option itself is not usable.
    Usage,
    /// This kind of store cannot do it.
    Unsupported,
    /// The server's certificate is not accepted.
    Untrusted,
    /// The server's answer is not what was asked for, or breaks the rules of HTTP.
    Malformed,
    /// The web server sends the request on to another host or port, which was not allowed.
    Elsewhere,
    /// The program stopped it, see [`Control::cancel`](crate::Control::cancel).
    Cancelled,
    /// Another process writes there now, see [`Lease`](crate::Lease).
    TakenOver,
    /// A permanent refusal of another kind.
    Other,
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotFound => "it does not exist",
            Self::Permission => "permission denied",
            Self::Throttled => "the store asks to slow down, also after several attempts",
            Self::Precondition => "it was changed by someone else",
            Self::Transient => "the store could not be reached, also after several attempts",
            Self::Truncated => "the data is shorter than announced",
            Self::Damaged => "it is damaged",
            Self::Local => "the file system refused",
            Self::Usage => "the location, key or option is not usable",
            Self::Unsupported => "this store cannot do it",
            Self::Untrusted => "the server's identity cannot be trusted",
            Self::Malformed => "the server's answer is not usable",
            Self::Elsewhere => "it is not followed there",
            Self::Cancelled => "it was stopped",
            Self::TakenOver => "another process has taken it over",
            Self::Other => "the store refused",
        })
    }
}
