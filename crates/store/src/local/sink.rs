//! A file that is written piece by piece.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use super::{failed, remove_quietly, settle};
use crate::writer::Sink;
use crate::{Durability, Error};

/// A file that is written under a name of its own until it is whole.
pub(super) struct FileSink {
    pub(super) root: PathBuf,
    pub(super) key: String,
    pub(super) durability: Durability,
    /// None once it is renamed.
    pub(super) temporary: Option<PathBuf>,
    pub(super) target: PathBuf,
    pub(super) file: BufWriter<File>,
}

impl FileSink {
    fn failed(&self, error: io::Error) -> Error {
        failed(&self.root, "write", &self.key, error)
    }
}

impl Sink for FileSink {
    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        let finished = self.file.flush().and_then(|()| {
            if self.durability == Durability::Each {
                self.file.get_ref().sync_data()?;
            }
            if let Some(temporary) = &self.temporary {
                fs::rename(temporary, &self.target)?;
            }
            // Another process may use the name from now on.
            self.temporary = None;
            settle(&self.target, self.durability)
        });
        finished.map_err(|error| self.failed(error))
    }
}

impl Write for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|error| self.failed(error).into())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| self.failed(error).into())
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            remove_quietly(temporary);
        }
    }
}

/// Bytes that a [`FileSink`] collects before it writes.
pub(super) const WRITE_BUFFER: usize = 1 << 20;
