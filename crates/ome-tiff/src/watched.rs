//! Failures of the storage, remembered.
//!
//! Much of what a set is described by is optional: a tag that cannot be read, a reduced level, a neighbour that may have the
//! UUID in question. What is damaged there is passed over, with a warning. But a disk or server that fails is no property
//! of a file, and the same file would be read otherwise a minute later. So each failure is remembered here, whatever became
//! of it where it came up, and whoever uses what was read asks first.

use std::{
    io,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    error::{Error, Result},
    opener::Opener,
    source::{ByteSource, FileState},
};

/// The first failure of the storage behind a set.
#[derive(Default)]
pub(crate) struct Failures(Mutex<Option<Failure>>);

struct Failure {
    file: String,
    kind: io::ErrorKind,
    /// The number that the operating system gave it.
    code: Option<i32>,
    text: String,
}

impl Failures {
    /// # Errors
    /// [`Error::Io`] when the storage has failed before.
    pub(crate) fn check(&self) -> Result<()> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Failure { file, kind, code, text }) = &*first else { return Ok(()) };
        let again = || io::Error::new(*kind, text.clone());
        Err(Error::Io { file: file.clone(), source: code.map_or_else(again, io::Error::from_raw_os_error) })
    }

    fn note(&self, file: &str, error: &io::Error) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| Failure {
            file: file.to_owned(),
            kind: error.kind(),
            code: error.raw_os_error(),
            text: error.to_string(),
        });
    }
}

/// An opener whose failures, and those of its files, are remembered.
pub(crate) struct WatchedOpener {
    pub(crate) opener: Arc<dyn Opener>,
    pub(crate) failures: Arc<Failures>,
}

impl Opener for WatchedOpener {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>> {
        // That a file is not there, is no file, or is somebody else's, is an answer.
        let source = self.opener.open(name).inspect_err(|error| {
            if !is_answer(error.kind()) {
                self.failures.note(name, error);
            }
        })?;
        Ok(Arc::new(WatchedSource { name: name.to_owned(), source, failures: Arc::clone(&self.failures) }))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.opener.list().inspect_err(|error| {
            // Whether an object store or web server lets itself be listed is told in many ways; local folders have numbers.
            if error.raw_os_error().is_some() && !is_answer(error.kind()) {
                self.failures.note("the folder", error);
            }
        })
    }

    fn describe(&self, name: &str) -> String {
        self.opener.describe(name)
    }

    fn is_same(&self, name: &str, other: &str) -> bool {
        self.opener.is_same(name, other)
    }
}

fn is_answer(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied, Unsupported,
    };
    matches!(kind, NotFound | NotADirectory | InvalidFilename | InvalidInput | PermissionDenied | Unsupported)
}

struct WatchedSource {
    name: String,
    source: Arc<dyn ByteSource>,
    failures: Arc<Failures>,
}

impl WatchedSource {
    /// An end of the file that comes too early is a fault of the file, which says where its parts are.
    fn watched<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            if !matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput) {
                self.failures.note(&self.name, error);
            }
        })
    }
}

impl ByteSource for WatchedSource {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.watched(self.source.read_at(offset, buf))
    }

    fn read_ranges(&self, ranges: &[Range<u64>], out: &mut [u8]) -> io::Result<()> {
        self.watched(self.source.read_ranges(ranges, out))
    }

    fn state(&self) -> FileState {
        self.source.state()
    }

    fn state_now(&self) -> io::Result<FileState> {
        self.source.state_now()
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        self.source.prefetch(ranges);
    }
}
