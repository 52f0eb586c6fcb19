//! A place that datasets come from: a folder of this machine, or a prefix of an object store.

use fairzarr::digest::FileAlgorithm;
use fairzarr::ome_tiff::{ByteSource, Fileset, OpenOptions, Opener};
use fairzarr::open;
use fairzarr::store::{Location, RemoteFile, Store, StoreOptions, read_document};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use crate::names::{self, escape, unescape};
use crate::{Error, Failure};

/// A source of the job. Paths below it are texts with `/`, see [`names::escape`].
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// What tells it from others, whatever the current folder: an absolute path, or a URL.
    pub(crate) name: String,
    pub(crate) place: Place,
    options: StoreOptions,
}

#[derive(Clone, Debug)]
pub(crate) enum Place {
    Local(PathBuf),
    Remote(Store),
}

/// What a file is known by without reading it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Stat {
    pub(crate) bytes: u64,
    /// Nanoseconds since 1970; none of objects in a store.
    pub(crate) modified: Option<i64>,
}

impl Source {
    pub(crate) fn local(folder: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Source { place: folder.display().to_string(), source };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let path = folder.canonicalize().map_err(failed)?;
        Ok(Self {
            name: escape(path.as_os_str()),
            place: Place::Local(path),
            options: StoreOptions::default(),
        })
    }

    pub(crate) fn remote(location: &Location, options: &StoreOptions) -> Result<Self, Error> {
        let store = Store::open(location, options)?;
        Ok(Self { name: location.to_string(), place: Place::Remote(store), options: options.clone() })
    }

    /// The source that an earlier run knew by this name.
    pub(crate) fn named(name: &str, options: &StoreOptions) -> Result<Self, Error> {
        match name.parse::<Location>() {
            Ok(location) if location.as_path().is_none() => Self::remote(&location, options),
            _ => {
                let path = PathBuf::from(unescape(name));
                Ok(Self {
                    name: name.to_owned(),
                    place: Place::Local(path),
                    options: StoreOptions::default(),
                })
            }
        }
    }

    /// The path of a file, if it is one of this machine.
    pub(crate) fn local_path(&self, path: &str) -> Option<PathBuf> {
        match &self.place {
            Place::Local(root) if path.is_empty() => Some(root.clone()),
            Place::Local(root) => Some(root.join(unescape(path))),
            Place::Remote(_) => None,
        }
    }

    pub(crate) fn stat(&self, path: &str) -> io::Result<Stat> {
        match (&self.place, self.local_path(path)) {
            (_, Some(path)) => Ok(stat(&std::fs::metadata(path)?)),
            (Place::Remote(store), _) => match store.size(path)? {
                Some(bytes) => Ok(Stat { bytes, modified: None }),
                None => Err(io::ErrorKind::NotFound.into()),
            },
            (Place::Local(_), None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Opens the set that a file belongs to.
    pub(crate) fn open(&self, path: &str, options: OpenOptions) -> Result<Fileset, Failure> {
        match &self.place {
            Place::Local(root) => {
                let file = root.join(unescape(path));
                if file.file_name().and_then(|name| name.to_str()).is_some() {
                    return Ok(Fileset::open_path(&file, options)?);
                }
                let folder = EscapedFolder(file.parent().unwrap_or(root).to_owned());
                Ok(Fileset::open_with(Arc::new(folder), names::last(path), options)?)
            }
            Place::Remote(store) => Ok(open::fileset(&store.location().join(path), options, &self.options)?),
        }
    }

    /// The files of a set, in its order, as paths below this source; `None` for those outside of it. `entry` is the file that
    /// it was opened by.
    pub(crate) fn members(&self, entry: &str, fileset: &Fileset) -> Vec<Option<String>> {
        let folder = names::folder(entry);
        let escaped =
            matches!(self.place, Place::Remote(_)) || unescape(names::last(entry)).to_str().is_none();
        let files = fileset.files().iter().map(|file| {
            if escaped {
                names::join(folder, &file.name)
            } else {
                names::join(folder, &escape(file.name.as_ref()))
            }
        });
        files.collect()
    }

    /// Says in words where a path leads to another file than it names: through a symbolic link, or to no regular file.
    pub(crate) fn is_itself(&self, path: &str) -> Result<(), String> {
        let Place::Local(root) = &self.place else { return Ok(()) };
        let failed = |error: io::Error| format!("it cannot be read: {error}");
        if root.canonicalize().map_err(failed)? != *root {
            return Err("its source is reached through a symbolic link by now".into());
        }
        let mut at = root.clone();
        let mut is_file = false;
        for name in Path::new(&unescape(path)).components() {
            at.push(name);
            let found = std::fs::symlink_metadata(&at).map_err(failed)?;
            if found.file_type().is_symlink() {
                return Err("it is reached through a symbolic link by now".into());
            }
            is_file = found.is_file();
        }
        if is_file { Ok(()) } else { Err("it is no regular file by now".into()) }
    }

    /// The bytes of a document.
    pub(crate) fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        match (&self.place, self.local_path(path)) {
            (_, Some(path)) => read_document(&path, SIDECAR_BYTES),
            (Place::Remote(store), _) => {
                store.get(path)?.map(|bytes| bytes.to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
            }
            (Place::Local(_), None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// SHA-256 of a file, as `sha256sum` prints it. `go_on` is asked before each piece.
    pub(crate) fn sha256(&self, path: &str, go_on: impl Fn() -> io::Result<()>) -> io::Result<String> {
        let sha256 = FileAlgorithm::Sha256;
        match (&self.place, self.local_path(path)) {
            (_, Some(path)) => {
                let mut file = File::open(path)?;
                let len = file.metadata()?.len();
                sha256.checksum(len, |_, out| {
                    go_on()?;
                    io::Read::read_exact(&mut file, out)
                })
            }
            (Place::Remote(store), _) => {
                let file = RemoteFile::in_store(store, path, &self.options)?;
                sha256.checksum(file.len(), |at, out| {
                    go_on()?;
                    file.read_at(at, out)
                })
            }
            (Place::Local(_), None) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

pub(crate) fn stat(metadata: &std::fs::Metadata) -> Stat {
    let modified = metadata.modified().ok().and_then(|time| match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).ok(),
        Err(before) => i64::try_from(before.duration().as_nanos()).ok().map(|nanoseconds| -nanoseconds),
    });
    Stat { bytes: metadata.len(), modified }
}

/// What a sidecar may have in bytes: its record takes many times as much.
const SIDECAR_BYTES: u64 = 64 << 20;

/// A folder whose files have names that are not Unicode: they are known by escaped names.
struct EscapedFolder(PathBuf);

impl Opener for EscapedFolder {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>> {
        // What a document names is Unicode, and no escape.
        let plain = self.0.join(name);
        let path = if plain.exists() { plain } else { self.0.join(unescape(name)) };
        let metadata = std::fs::metadata(&path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Arc::new(LocalFile { len: metadata.len(), path }))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.0)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                names.push(escape(&entry.file_name()));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn describe(&self, name: &str) -> String {
        format!("{}/{name}", escape(self.0.as_os_str()))
    }
}

/// A file that is opened for each read: a set may have more members than a process may hold open.
struct LocalFile {
    path: PathBuf,
    len: u64,
}

impl ByteSource for LocalFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(buffer)
    }
}
