//! How the members of a fileset are found and opened.

use std::{
    collections::{HashMap, VecDeque},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::source::{ByteSource, FileState, read_file_at};

/// Opens the files of a set by name. Names are relative to the folder of the file that was named first,
/// with `/` between folders.
pub trait Opener: Send + Sync {
    /// Opens one file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no such file; then other ways to find it are tried.
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>>;

    /// Names of the files beside the first one, where a moved or renamed member may be found by its UUID.
    ///
    /// # Errors
    /// When the folder cannot be listed; [`io::ErrorKind::Unsupported`] where that is impossible (http).
    fn list(&self) -> io::Result<Vec<String>>;

    /// What to call the file in messages and reports: a path or URL.
    fn describe(&self, name: &str) -> String {
        name.to_owned()
    }
}

/// Files of one local folder.
///
/// Sets of ten thousand files are common, more than a process may hold open: handles are closed after a while
/// and opened again on demand.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    handles: Arc<Handles>,
}

impl Folder {
    /// The folder at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), handles: Arc::default() }
    }
}

impl Opener for Folder {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>> {
        let path = self.root.join(name);
        // A name inside a document may point at a pipe or device, whose opening or reading never ends.
        let metadata = fs::metadata(&path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let state = FileState::of_local(&metadata);
        let file = LocalFile { path, state, handles: Arc::clone(&self.handles) };
        file.handle()?;
        Ok(Arc::new(file))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(non_empty(&self.root))? {
            let entry = entry?;
            if let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type())
                && !kind.is_dir()
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn describe(&self, name: &str) -> String {
        self.root.join(name).display().to_string()
    }
}

/// The path as the listing call wants it: a file named without a folder lies in the current one.
fn non_empty(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

struct LocalFile {
    path: PathBuf,
    /// When it was opened for the first time.
    state: FileState,
    handles: Arc<Handles>,
}

impl LocalFile {
    fn handle(&self) -> io::Result<Arc<File>> {
        self.handles.get(&self.path, &self.state)
    }
}

impl ByteSource for LocalFile {
    fn len(&self) -> u64 {
        self.state.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        read_file_at(&*self.handle()?, offset, buf)
    }

    fn state(&self) -> FileState {
        self.state.clone()
    }

    fn state_now(&self) -> io::Result<FileState> {
        // The name is asked and not the handle, which still shows a file that has been replaced.
        let now = FileState::of_local(&fs::metadata(&self.path)?);
        if now != self.state {
            self.handles.forget(&self.path);
        }
        Ok(now)
    }
}

/// Open handles, the least recently opened dropped first.
#[derive(Debug, Default)]
struct Handles(Mutex<OpenFiles>);

#[derive(Debug, Default)]
struct OpenFiles {
    by_path: HashMap<PathBuf, Arc<File>>,
    order: VecDeque<PathBuf>,
}

impl Handles {
    /// The open file at `path`, which has to be in this `state` still if it has to be opened again.
    fn get(&self, path: &Path, state: &FileState) -> io::Result<Arc<File>> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let OpenFiles { by_path, order } = &mut *guard;
        if let Some(file) = by_path.get(path) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(path)?);
        let now = FileState::of_local(&file.metadata()?);
        if (now.len, now.modified) != (state.len, state.modified) {
            return Err(io::Error::other("the file was changed since it was first opened"));
        }
        if order.len() >= Self::LIMIT
            && let Some(oldest) = order.pop_front()
        {
            by_path.remove(&oldest);
        }
        by_path.insert(path.to_owned(), Arc::clone(&file));
        order.push_back(path.to_owned());
        Ok(file)
    }

    /// Lets go of a file, so that the next read is of whatever has the name then.
    fn forget(&self, path: &Path) {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.by_path.remove(path);
        guard.order.retain(|open| open != path);
    }

    /// Well below the 256 handles that the most frugal system allows a process.
    const LIMIT: usize = 128;
}
