//! What an archive holds and where, by its central directory.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use zip::read::{ArchiveOffset, Config, ZipFileEntry};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::reader::Reader;
use crate::{Error, RemoteFile, key};

/// An object of an archive.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) form: Form,
    /// Bytes of the object.
    pub(crate) size: u64,
    /// Bytes that it takes in the file.
    pub(crate) length: u64,
    pub(crate) crc32: u32,
    /// Where its local header begins.
    header: u64,
    /// Where the next entry, or the directory, begins.
    end: u64,
    /// Where its bytes begin, once the local header has told.
    data: OnceLock<u64>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Stored,
    Deflated,
}

/// Why the bytes of an entry cannot be found.
pub(crate) enum Fault {
    File(Error),
    Format(String),
}

impl Entry {
    /// Where the bytes begin. That the central directory does not tell: names and extra fields are there twice, and
    /// not always of the same length.
    pub(crate) fn data(&self, file: &RemoteFile) -> Result<u64, Fault> {
        if let Some(start) = self.data.get() {
            return Ok(*start);
        }
        let mut header = [0; LOCAL_HEADER as usize];
        file.read_at(self.header, &mut header).map_err(|error| Fault::File(Error::of_io(error)))?;
        if header[..4] != *b"PK\x03\x04" {
            return Err(Fault::Format(format!("there is no entry at offset {}", self.header)));
        }
        let [name, extra] = [26, 28].map(|at| u64::from(u16::from_le_bytes([header[at], header[at + 1]])));
        let start = self.header + LOCAL_HEADER + name + extra;
        if start.saturating_add(self.length) > self.end {
            return Err(Fault::Format(format!("it reaches into what follows at offset {}", self.end)));
        }
        Ok(*self.data.get_or_init(|| start))
    }
}

/// Reads the central directory.
pub(crate) fn read(file: &RemoteFile, location: &str) -> Result<BTreeMap<String, Entry>, Error> {
    let refuse = |reason: String| Error::Archive { location: location.to_owned(), reason };
    // The end of the file with one request, which for most archives is the whole directory.
    let mut tail = vec![0; file.len().min(TAIL) as usize];
    file.read_at(file.len() - tail.len() as u64, &mut tail).map_err(Error::of_io)?;
    drop(tail);

    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let archive =
        ZipArchive::with_config(config, Reader::new(file, MAX_DIRECTORY)).map_err(|error| match error {
            ZipError::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<Error>()) => {
                Error::of_io(error)
            }
            other => refuse(other.to_string()),
        })?;
    if archive.has_duplicate_names() {
        return Err(refuse("two of its entries have the same name".to_owned()));
    }
    let mut entries = BTreeMap::new();
    for number in 0..archive.len() {
        let found = archive.by_index_data(number).map_err(|error| refuse(error.to_string()))?;
        let name = found.name().map_err(|error| refuse(error.to_string()))?.into_owned();
        if name.ends_with('/') {
            continue;
        }
        key::check(&name).map_err(|error| refuse(error.to_string()))?;
        let entry = entry(&found).map_err(|reason| refuse(format!("{name}: {reason}")))?;
        entries.insert(name, entry);
    }
    set_ends(&mut entries, archive.central_directory_start()).map_err(refuse)?;
    Ok(entries)
}

fn entry(found: &ZipFileEntry<'_>) -> Result<Entry, String> {
    if found.encrypted() {
        return Err("it is encrypted".to_owned());
    }
    let form = match found.compression() {
        CompressionMethod::Stored if found.size() == found.compressed_size() => Form::Stored,
        CompressionMethod::Stored => {
            let (size, length) = (found.size(), found.compressed_size());
            return Err(format!("it is stored as it is, and has {size} bytes here and {length} there"));
        }
        CompressionMethod::DEFLATE => Form::Deflated,
        other => {
            return Err(format!("it is compressed with {other}, which cannot be read; store it as it is"));
        }
    };
    Ok(Entry {
        form,
        size: found.size(),
        length: found.compressed_size(),
        crc32: found.crc32(),
        header: found.header_start(),
        end: 0,
        data: OnceLock::new(),
    })
}

/// Entries must not share bytes: a small file could else hold as much as one likes.
fn set_ends(entries: &mut BTreeMap<String, Entry>, directory: u64) -> Result<(), String> {
    let mut in_order: Vec<_> = entries.iter_mut().collect();
    in_order.sort_unstable_by_key(|(_, entry)| std::cmp::Reverse(entry.header));
    let mut end = directory;
    for (name, entry) in in_order {
        let least =
            LOCAL_HEADER.checked_add(entry.length).and_then(|length| length.checked_add(entry.header));
        if least.is_none_or(|least| least > end) {
            return Err(format!(
                "{name} with {} bytes at offset {} reaches into what follows at offset {end}",
                entry.length, entry.header
            ));
        }
        entry.end = end;
        end = entry.header;
    }
    Ok(())
}

/// Bytes of a local header without name and extra fields.
const LOCAL_HEADER: u64 = 30;
/// Bytes at the end of the file that are read at once.
const TAIL: u64 = 256 << 10;
/// Bytes of directory that are read at most: about a million entries.
const MAX_DIRECTORY: u64 = 128 << 20;
