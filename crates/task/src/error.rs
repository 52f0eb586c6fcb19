//! What can go wrong with threads themselves.

/// Work could not be done on several threads.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused another thread, as it does at a limit on processes or memory.
    #[error("cannot start a thread: {0}")]
    Thread(String),
    /// A thread panicked: a bug of this program or of a library that it uses, met in the item that is named.
    #[error("internal error while working on {item}: {message}")]
    Panic {
        /// What was worked on.
        item: String,
        /// The panic's message.
        message: String,
    },
}

/// The job was asked to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;
