//! An object written piece by piece, without ever being held whole.

use std::io::Write;
use std::sync::Arc;

use crate::Error;
use crate::backend::Backend;

/// Takes the pieces of one object. Dropped unfinished, it must leave nothing behind.
pub trait Sink: Send + Write {
    /// Completes the object, which appears whole under its name.
    ///
    /// # Errors
    /// [`Error::Failed`] if it cannot be completed.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// An object that is collected in memory, for kinds of store that take objects only whole.
pub(crate) struct Collected {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) key: String,
    pub(crate) bytes: Vec<u8>,
}

impl Sink for Collected {
    fn finish(self: Box<Self>) -> Result<(), Error> {
        self.backend.put(&self.key, self.bytes.into())
    }
}

impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes one object from its start to its end; see [`Store::writer`](crate::Store::writer).
///
/// The object appears whole when [`ObjectWriter::finish`] returns, in place of an old one. A writer that is dropped
/// before leaves nothing.
pub struct ObjectWriter {
    sink: Box<dyn Sink>,
    failed: bool,
}

impl ObjectWriter {
    pub(crate) fn new(sink: Box<dyn Sink>) -> Self {
        Self { sink, failed: false }
    }

    /// Completes the object.
    ///
    /// # Errors
    /// [`Error::Failed`] if it cannot be, [`Error::Unfinished`] if a write has failed before.
    pub fn finish(self) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Unfinished);
        }
        self.sink.finish()
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`Error::Failed`] if the store does not take them, [`Error::Unfinished`] if it has not taken earlier ones.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Unfinished);
        }
        let written = self.sink.write_all(bytes);
        self.failed = written.is_err();
        written.map_err(Error::of_io)
    }
}

impl std::fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectWriter").field("failed", &self.failed).finish_non_exhaustive()
    }
}
