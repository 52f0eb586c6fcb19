//! How the members of a fileset are found and opened.

use std::{
    collections::{HashMap, VecDeque},
    ffi::{OsStr, OsString},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::source::{ByteSource, read_file_at};

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

    /// Whether two names, one of which leads out of the folder, are of one file.
    fn is_same(&self, name: &str, other: &str) -> bool {
        self.describe(name) == self.describe(other)
    }
}

/// Files of one local folder.
///
/// Sets of ten thousand files are common, more than a process may hold open: handles are closed after a while
/// and opened again on demand.
///
/// Links are followed within the folder, and to where the file that was named first is linked to itself; others only
/// when [`follow_links`](Self::follow_links) says so. Names in metadata are anybody's text, and a program that publishes
/// what it converts must not be led to other files by them.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// The file that was named first, which may itself be a link.
    entry: Option<OsString>,
    follow_links: bool,
    handles: Arc<Handles>,
    /// Names that are not UTF-8, by what they are called here.
    odd_names: Mutex<HashMap<String, OsString>>,
}

impl Folder {
    /// The folder at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            entry: None,
            follow_links: false,
            handles: Arc::default(),
            odd_names: Mutex::default(),
        }
    }

    /// Follows links wherever they lead.
    #[must_use]
    pub fn follow_links(self, follow_links: bool) -> Self {
        Self { follow_links, ..self }
    }

    /// The same folder, opened for the file of this name: where it is a link, it is followed, and so are others into
    /// the folder where it leads. Also gives what the file is called here.
    #[must_use]
    pub fn with_entry(self, name: &OsStr) -> (Self, String) {
        let called = self.called(name);
        (Self { entry: Some(name.to_owned()), ..self }, called)
    }

    /// What a file is called here: its name, and where that is no text, the text that it is in Latin-1.
    fn called(&self, name: &OsStr) -> String {
        if let Some(name) = name.to_str() {
            return name.to_owned();
        }
        let mut called: String = name.as_encoded_bytes().iter().copied().map(char::from).collect();
        if self.root.join(&called).symlink_metadata().is_ok() {
            // Another file has this very name.
            called.push_str(" (not UTF-8)");
        }
        let mut odd = self.odd_names.lock().unwrap_or_else(PoisonError::into_inner);
        odd.insert(called.clone(), name.to_owned());
        called
    }

    fn path(&self, name: &str) -> PathBuf {
        let odd = self.odd_names.lock().unwrap_or_else(PoisonError::into_inner);
        odd.get(name).map_or_else(|| self.root.join(name), |odd| self.root.join(odd))
    }

    /// Refuses a path that leads, by way of links, to where its name does not.
    fn check_links(&self, name: &str, path: &Path) -> io::Result<()> {
        let is_entry = self.entry.as_ref().is_some_and(|entry| self.root.join(entry) == path);
        if self.follow_links || is_entry {
            return Ok(());
        }
        let target = path.canonicalize()?;
        let root = non_empty(&self.root);
        // A companion one folder up is allowed by its UUID; whoever asks for it has seen to that.
        let above = name.starts_with("../").then(|| root.join(".."));
        let of_entry = self.entry.as_ref().and_then(|entry| self.root.join(entry).canonicalize().ok());
        let allowed =
            [Some(root.to_path_buf()), above, of_entry.and_then(|entry| Some(entry.parent()?.to_path_buf()))];
        let inside = |folder: PathBuf| folder.canonicalize().is_ok_and(|folder| target.starts_with(folder));
        if allowed.into_iter().flatten().any(inside) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            OutsideLink { target: target.display().to_string() },
        ))
    }
}

/// A link that was not followed.
#[derive(Debug, thiserror::Error)]
#[error("a link to {target}, which lies outside of the folder")]
pub(crate) struct OutsideLink {
    pub(crate) target: String,
}

impl Opener for Folder {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>> {
        let path = self.path(name);
        // A name inside a document may point at a pipe or device, whose opening or reading never ends.
        let metadata = fs::metadata(&path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        self.check_links(name, &path)?;
        let file = LocalFile { path, len: metadata.len(), handles: Arc::clone(&self.handles) };
        self.handles.get(&file.path)?;
        Ok(Arc::new(file))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(non_empty(&self.root))? {
            let entry = entry?;
            if entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
                names.push(self.called(&entry.file_name()));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn describe(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn is_same(&self, name: &str, other: &str) -> bool {
        let found = |name: &str| self.path(name).canonicalize().ok();
        found(name).is_some_and(|path| found(other).is_some_and(|other| path == other))
    }
}

/// The path as the listing call wants it: a file named without a folder lies in the current one.
fn non_empty(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

struct LocalFile {
    path: PathBuf,
    len: u64,
    handles: Arc<Handles>,
}

impl ByteSource for LocalFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        read_file_at(&*self.handles.get(&self.path)?, offset, buf)
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
    fn get(&self, path: &Path) -> io::Result<Arc<File>> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let OpenFiles { by_path, order } = &mut *guard;
        if let Some(file) = by_path.get(path) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(path)?);
        if order.len() >= Self::LIMIT
            && let Some(oldest) = order.pop_front()
        {
            by_path.remove(&oldest);
        }
        by_path.insert(path.to_owned(), Arc::clone(&file));
        order.push_back(path.to_owned());
        Ok(file)
    }

    /// Well below the 256 handles that the most frugal system allows a process.
    const LIMIT: usize = 128;
}
