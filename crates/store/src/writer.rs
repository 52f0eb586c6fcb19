//! An object written piece by piece, without ever being held whole.

use std::io::{self, Seek, SeekFrom, Write};

use crate::Error;

/// Where the pieces of one object go. Dropped unfinished, it leaves nothing behind.
pub(crate) trait Sink: Seek + Send + Write {
    /// Gives the object its name.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// Writes one object from its start to its end; see [`Store::writer`](crate::Store::writer).
///
/// The object appears whole when [`ObjectWriter::finish`] returns, in place of an old one. A writer that is dropped
/// before leaves nothing. After a failed write nothing more is written; whatever is tried then has no effect.
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
    /// [`Error::Failed`] if it cannot be, or if a write has failed before.
    pub fn finish(mut self) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Unfinished);
        }
        self.sink.flush().map_err(Error::of_io)?;
        self.sink.finish()
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`Error::Failed`] if the store does not take them.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.write_all(bytes).map_err(Error::of_io)
    }

    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.failed |= result.is_err();
        result
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Ok(bytes.len());
        }
        let result = self.sink.write(bytes);
        self.note(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed {
            return Ok(());
        }
        let result = self.sink.flush();
        self.note(result)
    }
}

/// Only objects of local directories and memory can be written to at other places than their end.
impl Seek for ObjectWriter {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        if self.failed {
            return Ok(0);
        }
        let result = self.sink.seek(position);
        self.note(result)
    }
}

impl std::fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectWriter").field("failed", &self.failed).finish_non_exhaustive()
    }
}
