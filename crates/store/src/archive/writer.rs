//! Writing an archive: entry after entry, as they are, and the directory last.
//!
//! Sizes and checksums stand before the bytes of an entry, as not every reader finds them behind; so they have to be
//! known first. In exchange nothing is gone back to, and an archive can be written to an object store.

use crate::{Error, ObjectWriter, Store, key};

/// Writes a zip archive as NGFF RFC-9 wants it: ZIP64, nothing compressed, entries and directory in the order in which
/// they are added.
///
/// The file appears when [`ArchiveWriter::finish`] returns; a writer that is dropped before leaves nothing. Equal
/// entries make equal archives: all have the same date.
#[derive(Debug)]
pub struct ArchiveWriter {
    file: ObjectWriter,
    location: String,
    comment: String,
    /// Bytes written.
    position: u64,
    directory: Vec<u8>,
    entries: u64,
    open: Option<Open>,
}

/// The entry that bytes are appended to.
#[derive(Debug)]
struct Open {
    key: String,
    left: u64,
    promised: u32,
    found: crc32fast::Hasher,
}

impl ArchiveWriter {
    /// Starts an archive of about `expected` bytes with a comment; none if there is something of that name already.
    ///
    /// # Errors
    /// [`Error::Key`] if `name` is none; [`Error::Archive`] if the comment has more than 65,535 bytes;
    /// [`Error::Failed`].
    pub fn create(folder: &Store, name: &str, expected: u64, comment: &str) -> Result<Option<Self>, Error> {
        if folder.exists(name)? {
            return Ok(None);
        }
        Self::replace(folder, name, expected, comment).map(Some)
    }

    /// As [`ArchiveWriter::create`]; what has the name is replaced when the new archive is whole.
    ///
    /// # Errors
    /// As [`ArchiveWriter::create`].
    pub fn replace(folder: &Store, name: &str, expected: u64, comment: &str) -> Result<Self, Error> {
        let location = folder.location().join(name).to_string();
        if u16::try_from(comment.len()).is_err() {
            return Err(Error::Archive { location, reason: "its comment is too long".to_owned() });
        }
        Ok(Self {
            file: folder.writer(name, expected)?,
            location,
            comment: comment.to_owned(),
            position: 0,
            directory: Vec::new(),
            entries: 0,
            open: None,
        })
    }

    /// Adds an object.
    ///
    /// # Errors
    /// As [`ArchiveWriter::start`].
    pub fn add(&mut self, key: &str, bytes: &[u8]) -> Result<(), Error> {
        self.start(key, bytes.len() as u64, crc32fast::hash(bytes))?;
        self.append(bytes)
    }

    /// Begins the next object, of `size` bytes with that CRC-32, which are to be appended.
    ///
    /// # Errors
    /// [`Error::Key`] for what is no key; [`Error::Archive`] if the object before is not what was announced;
    /// [`Error::Failed`].
    pub fn start(&mut self, key: &str, size: u64, crc32: u32) -> Result<(), Error> {
        key::check(key)?;
        self.close()?;
        let Ok(name_length) = u16::try_from(key.len()) else {
            return Err(Error::Key { key: key.to_owned(), reason: "it is too long for an archive" });
        };
        let common = common_fields(key, crc32, name_length);
        self.entries += 1;

        self.directory.extend_from_slice(b"PK\x01\x02");
        self.directory.extend_from_slice(&MADE_BY.to_le_bytes());
        self.directory.extend_from_slice(&common);
        self.directory.extend_from_slice(&28_u16.to_le_bytes());
        // No comment, the first disk, no internal attributes.
        self.directory.extend_from_slice(&[0; 6]);
        self.directory.extend_from_slice(&(REGULAR_FILE << 16).to_le_bytes());
        self.directory.extend_from_slice(&IN_ZIP64);
        self.directory.extend_from_slice(key.as_bytes());
        self.directory.extend_from_slice(&[1, 0, 24, 0]);
        for number in [size, size, self.position] {
            self.directory.extend_from_slice(&number.to_le_bytes());
        }

        let mut header = b"PK\x03\x04".to_vec();
        header.extend_from_slice(&common);
        header.extend_from_slice(&20_u16.to_le_bytes());
        header.extend_from_slice(key.as_bytes());
        header.extend_from_slice(&[1, 0, 16, 0]);
        for number in [size, size] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        self.write(&header)?;
        let found = crc32fast::Hasher::new();
        self.open = Some(Open { key: key.to_owned(), left: size, promised: crc32, found });
        Ok(())
    }

    /// Appends bytes to the object that was begun last.
    ///
    /// # Errors
    /// [`Error::Archive`] if they are more than were announced; [`Error::Failed`].
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let left = self.open.as_mut().and_then(|open| {
            open.found.update(bytes);
            open.left = open.left.checked_sub(bytes.len() as u64)?;
            Some(open.left)
        });
        if left.is_none() {
            return Err(self.other_than_announced());
        }
        self.write(bytes)
    }

    /// Writes the directory and gives the file its name.
    ///
    /// # Errors
    /// As [`ArchiveWriter::start`].
    pub fn finish(mut self) -> Result<(), Error> {
        self.close()?;
        let (start, length) = (self.position, self.directory.len() as u64);
        let mut end = std::mem::take(&mut self.directory);
        end.extend_from_slice(b"PK\x06\x06");
        end.extend_from_slice(&44_u64.to_le_bytes());
        end.extend_from_slice(&MADE_BY.to_le_bytes());
        end.extend_from_slice(&NEEDED.to_le_bytes());
        end.extend_from_slice(&[0; 8]);
        for number in [self.entries, self.entries, length, start] {
            end.extend_from_slice(&number.to_le_bytes());
        }
        end.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        end.extend_from_slice(&(start + length).to_le_bytes());
        end.extend_from_slice(&1_u32.to_le_bytes());
        end.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        end.extend_from_slice(&end_fields(self.entries, length, start));
        end.extend_from_slice(&(self.comment.len() as u16).to_le_bytes());
        end.extend_from_slice(self.comment.as_bytes());
        self.write(&end)?;
        self.file.finish()
    }

    /// Ends the object that was begun last.
    fn close(&mut self) -> Result<(), Error> {
        match &self.open {
            Some(open) if open.left > 0 || open.found.clone().finalize() != open.promised => {
                Err(self.other_than_announced())
            }
            _ => Ok(()),
        }
    }

    fn other_than_announced(&self) -> Error {
        let key = self.open.as_ref().map_or("no object", |open| &open.key);
        Error::Archive {
            location: self.location.clone(),
            reason: format!("{key} has other bytes than were announced: it changed while it was read"),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.position += bytes.len() as u64;
        self.file.append(bytes)
    }
}

/// The counts of entries, on this disk and in all, and the directory's length and start in the end record that every reader
/// knows. They are the numbers where these fit, though ZIP64 has them too: neuroglancer 2.41 does not find the records of
/// ZIP64 in a file of more than 64 KiB.
fn end_fields(entries: u64, length: u64, start: u64) -> Vec<u8> {
    let narrow = |number: u64| u32::try_from(number).ok().filter(|number| *number != u32::MAX);
    let count = u16::try_from(entries).ok().filter(|count| *count != u16::MAX);
    let Some(((count, length), start)) = count.zip(narrow(length)).zip(narrow(start)) else {
        return vec![0xff; 12];
    };
    let mut fields = [count.to_le_bytes(), count.to_le_bytes()].concat();
    fields.extend_from_slice(&length.to_le_bytes());
    fields.extend_from_slice(&start.to_le_bytes());
    fields
}

/// What the header of an entry and its place in the directory have in common: version, flags, method, time, date,
/// checksum, the two sizes, and the length of the name.
fn common_fields(key: &str, crc32: u32, name_length: u16) -> Vec<u8> {
    let flags: u16 = if key.is_ascii() { 0 } else { 1 << 11 };
    let mut fields = Vec::with_capacity(24);
    // Stored as it is; on the first of January 1980, at midnight.
    for number in [NEEDED, flags, 0, 0, 0x21] {
        fields.extend_from_slice(&number.to_le_bytes());
    }
    fields.extend_from_slice(&crc32.to_le_bytes());
    fields.extend_from_slice(&IN_ZIP64);
    fields.extend_from_slice(&IN_ZIP64);
    fields.extend_from_slice(&name_length.to_le_bytes());
    fields
}

/// The version of the format that knows ZIP64.
const NEEDED: u16 = 45;
/// The same, on Unix.
const MADE_BY: u16 = 3 << 8 | NEEDED;
/// A file that its owner may write and all may read.
const REGULAR_FILE: u32 = 0o100_644;
/// Instead of a size or an offset: it is in the ZIP64 field.
const IN_ZIP64: [u8; 4] = [0xff; 4];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_record_holds_numbers_where_all_of_them_fit() {
        assert_eq!(end_fields(2, 3, 1 << 24), [2, 0, 2, 0, 3, 0, 0, 0, 0, 0, 0, 1]);
        for (entries, length, start) in [(0xffff, 1, 1), (1, 0xffff_ffff, 1), (1, 1, 1 << 32)] {
            assert_eq!(end_fields(entries, length, start), [0xff; 12]);
        }
    }
}
