//! Writing an archive: entry after entry, as they are, and the directory last.

use std::fmt;
use std::io::{Seek, Write};

use zip::result::{ZipError, ZipResult};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::location::Scheme;
use crate::{Class, Error, ObjectWriter, Store, key};

/// Writes a zip archive as NGFF RFC-9 wants it: ZIP64, nothing compressed, entries and directory in the order in which
/// they are added.
///
/// The file appears when [`ArchiveWriter::finish`] returns; a writer that is dropped before leaves nothing. Equal
/// entries make equal archives: all have the same date.
pub struct ArchiveWriter {
    zip: Box<dyn Zip>,
    location: String,
}

impl ArchiveWriter {
    /// Starts an archive of about `expected` bytes with a comment; none if there is something of that name already.
    ///
    /// # Errors
    /// [`Error::Key`] if `name` is none; [`Error::Failed`].
    pub fn create(folder: &Store, name: &str, expected: u64, comment: &str) -> Result<Option<Self>, Error> {
        if folder.exists(name)? {
            return Ok(None);
        }
        let location = folder.location().join(name).to_string();
        let file = folder.writer(name, expected)?;
        let refused = |error| failed(&location, "", error);
        // Sizes and checksums stand before an entry's bytes where they can be added later, after them elsewhere.
        let zip: Box<dyn Zip> = match folder.location().scheme() {
            Scheme::Local | Scheme::Memory => {
                Box::new(prepare(ZipWriter::new(file), comment).map_err(refused)?)
            }
            _ => Box::new(prepare(ZipWriter::new_stream(file), comment).map_err(refused)?),
        };
        Ok(Some(Self { zip, location }))
    }

    /// Begins the next object.
    ///
    /// # Errors
    /// [`Error::Key`] for what is no key; [`Error::Failed`].
    pub fn start(&mut self, key: &str) -> Result<(), Error> {
        key::check(key)?;
        self.zip.start(key).map_err(|error| failed(&self.location, key, error))
    }

    /// Appends bytes to the object that was begun last.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.zip.append(bytes).map_err(|error| failed(&self.location, "", error))
    }

    /// Writes the directory and gives the file its name.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub fn finish(self) -> Result<(), Error> {
        self.zip.finish().map_err(|error| failed(&self.location, "", error))?.finish()
    }
}

impl fmt::Debug for ArchiveWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveWriter").field("location", &self.location).finish_non_exhaustive()
    }
}

/// The two kinds of writers that the library has, for files with and without a way back.
trait Zip: Send {
    fn start(&mut self, key: &str) -> ZipResult<()>;
    fn append(&mut self, bytes: &[u8]) -> ZipResult<()>;
    fn finish(self: Box<Self>) -> ZipResult<ObjectWriter>;
}

impl<W> Zip for ZipWriter<W>
where
    W: Write + Seek + Send + Into<ObjectWriter>,
{
    fn start(&mut self, key: &str) -> ZipResult<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(0o644)
            .large_file(true);
        self.start_file(key, options)
    }

    fn append(&mut self, bytes: &[u8]) -> ZipResult<()> {
        Ok(self.write_all(bytes)?)
    }

    fn finish(self: Box<Self>) -> ZipResult<ObjectWriter> {
        ZipWriter::finish(*self).map(Into::into)
    }
}

impl From<StreamWriter<ObjectWriter>> for ObjectWriter {
    fn from(stream: StreamWriter<ObjectWriter>) -> Self {
        stream.into_inner()
    }
}

fn prepare<W: Write + Seek>(mut zip: ZipWriter<W>, comment: &str) -> ZipResult<ZipWriter<W>> {
    zip.set_comment(comment)?;
    // That there is a ZIP64 end record, though an empty one, makes it be written also where it would not be needed.
    zip.set_raw_zip64_extensible_data_sector(Box::default());
    Ok(zip)
}

fn failed(location: &str, key: &str, error: ZipError) -> Error {
    match error {
        ZipError::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<Error>()) => {
            Error::of_io(error)
        }
        other => Error::Failed {
            action: "write",
            key: key.to_owned(),
            location: location.to_owned(),
            class: Class::Other,
            source: Box::new(other),
        },
    }
}
