//! A file with a cursor, as the parser of archives wants it, which ends when too much was read of it.

use std::io::{self, Read, Seek, SeekFrom};

use crate::RemoteFile;

pub(crate) struct Reader<'a> {
    file: &'a RemoteFile,
    position: u64,
    /// Bytes that may still be read.
    budget: u64,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a RemoteFile, budget: u64) -> Self {
        Self { file, position: 0, budget }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.file.len().saturating_sub(self.position);
        let count = (out.len() as u64).min(left);
        self.budget = self.budget.checked_sub(count).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "its directory is larger than any that is read")
        })?;
        self.file.read_at(self.position, &mut out[..count as usize])?;
        self.position += count;
        Ok(count as usize)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let position = match target {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(distance) => self.file.len().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
