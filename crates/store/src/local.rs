//! A store in a local directory: one file per object.
//!
//! An object is written under a temporary name in its own directory and renamed, so no reader and no crash sees half
//! of it. Nothing is flushed to the disk per object unless asked for; [`Backend::sync`] does it once, at the end.

mod directory;
mod document;
mod exchange;
mod sink;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;

use self::directory::{
    TEMPORARY, read_directory, remove_empty, remove_temporaries, sync_directory, sync_tree, temporary_name,
};
pub use self::document::read_document;
pub(crate) use self::exchange::{exchange, named};
use self::sink::{FileSink, WRITE_BUFFER};
use crate::backend::{Backend, Children, Part};
use crate::requests::{Counters, Kind};
use crate::writer::Sink;
use crate::{Class, Durability, Error, Lock, LockKind, Locked, RequestCounts};

/// Directories that are remembered as made.
const KNOWN_DIRECTORIES: usize = 4096;

#[derive(Debug)]
pub(crate) struct Local {
    root: PathBuf,
    durability: Durability,
    /// Directories that this store has made or found.
    directories: RwLock<HashSet<PathBuf>>,
    counters: Counters,
}

impl Local {
    pub(crate) fn new(root: PathBuf, durability: Durability) -> Self {
        Self { root, durability, directories: RwLock::default(), counters: Counters::default() }
    }

    /// Makes a file beside `target`, under a name of its own.
    fn create_temporary(&self, target: &Path) -> io::Result<(PathBuf, File)> {
        let directory = target.parent().unwrap_or(&self.root);
        self.make_directory(directory)?;
        let temporary = directory.join(temporary_name());
        let file = match File::create_new(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Somebody has removed the directory since it was made.
                self.forget_directories();
                self.make_directory(directory)?;
                File::create_new(&temporary)?
            }
            other => other?,
        };
        Ok((temporary, file))
    }

    /// As [`Self::create_temporary`], under a name that tells the target, and locked: what a killed process has left of
    /// the same target is taken over, so that nothing piles up. While another process writes there, and where there are
    /// no locks, a name of its own has to do.
    fn claim_temporary(&self, target: &Path) -> io::Result<(PathBuf, File)> {
        let directory = target.parent().unwrap_or(&self.root);
        self.make_directory(directory)?;
        let mut name = OsString::from(TEMPORARY);
        name.push(target.file_name().unwrap_or_default());
        let temporary = directory.join(name);
        if let Ok(file) = open_to_lock(&temporary)
            && file.try_lock().is_ok()
            && is_at(&file, &temporary)?
        {
            file.set_len(0)?;
            return Ok((temporary, file));
        }
        self.create_temporary(target)
    }

    /// Writes a file beside `target` and gives its path.
    fn write_temporary(&self, target: &Path, parts: &[Bytes]) -> io::Result<PathBuf> {
        let (temporary, mut file) = self.create_temporary(target)?;
        let written =
            parts.iter().try_for_each(|part| file.write_all(part)).and_then(|()| match self.durability {
                Durability::Each => file.sync_data(),
                Durability::None | Durability::End => Ok(()),
            });
        drop(file);
        if let Err(error) = written {
            remove_quietly(&temporary);
            return Err(error);
        }
        Ok(temporary)
    }

    fn make_directory(&self, directory: &Path) -> io::Result<()> {
        let known = self.directories.read().unwrap_or_else(PoisonError::into_inner).contains(directory);
        if !known {
            fs::create_dir_all(directory)?;
            let mut known = self.directories.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= KNOWN_DIRECTORIES {
                // Writers move on: old directories are hardly used again, and must not fill the memory.
                known.clear();
            }
            known.insert(directory.to_owned());
        }
        Ok(())
    }

    fn forget_directories(&self) {
        self.directories.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn path(&self, key: &str) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(key.split('/').filter(|segment| !segment.is_empty()));
        path
    }

    fn failed(&self, action: &'static str, key: &str, source: io::Error) -> Error {
        failed(&self.root, action, key, source)
    }
}

impl Backend for Local {
    fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        self.put_parts_in_background(key, vec![bytes])
    }

    fn put_parts_in_background(&self, key: &str, parts: Vec<Bytes>) -> Result<(), Error> {
        self.counters.count(Kind::Put);
        let target = self.path(key);
        self.write_temporary(&target, &parts)
            .and_then(|temporary| {
                fs::rename(&temporary, &target).inspect_err(|_| remove_quietly(&temporary))?;
                settle(&target, self.durability)
            })
            .map_err(|error| self.failed("write", key, error))
    }

    fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, Error> {
        self.counters.count(Kind::Put);
        let target = self.path(key);
        self.write_temporary(&target, std::slice::from_ref(&bytes))
            .and_then(|temporary| {
                let created =
                    claim(&temporary, &target, &bytes).inspect_err(|_| remove_quietly(&temporary))?;
                // Left behind it would be a file of the store that nobody expects.
                match fs::remove_file(&temporary) {
                    Err(error) if !is_absence(&error) => fs::remove_file(&temporary)?,
                    _ => {}
                }
                if created {
                    settle(&target, self.durability)?;
                }
                Ok(created)
            })
            .map_err(|error| self.failed("create", key, error))
    }

    fn writer(&self, key: &str, _expected: u64) -> Result<Option<Box<dyn Sink>>, Error> {
        self.counters.count(Kind::Put);
        let target = self.path(key);
        let (temporary, file) =
            self.claim_temporary(&target).map_err(|error| self.failed("create", key, error))?;
        Ok(Some(Box::new(FileSink {
            root: self.root.clone(),
            key: key.to_owned(),
            durability: self.durability,
            temporary: Some(temporary),
            target,
            file: BufWriter::with_capacity(WRITE_BUFFER, file),
        })))
    }

    fn read(&self, key: &str, part: Part) -> Result<Option<Bytes>, Error> {
        self.counters.count(Kind::Get);
        let failed = |error| self.failed("read", key, error);
        let Some((mut file, size)) = open(&self.path(key)).map_err(failed)? else {
            return Ok(None);
        };
        let range = part.resolve(size, &self.root.display().to_string(), key)?;
        let length = range.end - range.start;
        let mut bytes = Vec::with_capacity(length as usize);
        if range.start > 0 {
            file.seek(SeekFrom::Start(range.start)).map_err(failed)?;
        }
        file.take(length).read_to_end(&mut bytes).map_err(failed)?;
        if (bytes.len() as u64) < length {
            return Err(Error::Range {
                location: self.root.display().to_string(),
                key: key.to_owned(),
                size: range.start + bytes.len() as u64,
                range,
            });
        }
        Ok(Some(bytes.into()))
    }

    fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        self.counters.count(Kind::Head);
        match fs::metadata(self.path(key)) {
            Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
            Ok(_) => Ok(None),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(self.failed("look up", key, error)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        let mut objects = Vec::new();
        self.list_each(prefix, &mut |key, size| objects.push((key.to_owned(), size)))?;
        objects.sort_unstable();
        Ok(objects)
    }

    fn list_each(&self, prefix: &str, each: &mut dyn FnMut(&str, u64)) -> Result<(), Error> {
        let mut pending = vec![prefix.to_owned()];
        while let Some(directory) = pending.pop() {
            let children = self.children(&directory)?;
            let key = |name: &str| {
                if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
            };
            for (name, size) in &children.objects {
                each(&key(name), *size);
            }
            pending.extend(children.directories.iter().map(|name| key(name)));
        }
        Ok(())
    }

    fn children(&self, prefix: &str) -> Result<Children, Error> {
        self.counters.count(Kind::List);
        read_directory(&self.path(prefix)).map_err(|error| self.failed("list", prefix, error))
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.counters.count(Kind::Delete);
        match fs::remove_file(self.path(key)) {
            Err(error) if !is_absence(&error) => Err(self.failed("delete", key, error)),
            _ => Ok(()),
        }
    }

    fn delete_prefix(&self, prefix: &str) -> Result<(), Error> {
        self.counters.count(Kind::Delete);
        self.forget_directories();
        match fs::remove_dir_all(self.path(prefix)) {
            Err(error) if !is_absence(&error) => Err(self.failed("delete", prefix, error)),
            _ => Ok(()),
        }
    }

    fn remove_leftovers(&self) -> Result<u64, Error> {
        remove_temporaries(&self.root).map_err(|error| self.failed("remove unfinished files from", "", error))
    }

    fn rename(&self, from: &str, to: &str) -> Result<bool, Error> {
        let target = self.path(to);
        fs::rename(self.path(from), &target)
            .and_then(|()| settle(&target, self.durability))
            .map_err(|error| self.failed("rename to", to, error))?;
        Ok(true)
    }

    fn remove_empty_directories(&self) -> Result<(), Error> {
        self.forget_directories();
        remove_empty(&self.root).map_err(|error| self.failed("remove empty directories of", "", error))
    }

    fn lock(&self, key: &str, kind: LockKind) -> Result<Locked, Error> {
        lock_file(&self.path(key), kind).map_err(|error| self.failed("lock", key, error))
    }

    fn sync(&self) -> Result<(), Error> {
        if self.durability == Durability::None || !self.root.exists() {
            return Ok(());
        }
        sync_tree(&self.root).map_err(|error| self.failed("flush to disk", "", error))
    }

    fn requests(&self) -> RequestCounts {
        self.counters.read()
    }
}

pub(crate) fn failed(root: &Path, action: &'static str, key: &str, source: io::Error) -> Error {
    Error::Failed {
        action,
        key: key.to_owned(),
        location: root.display().to_string(),
        class: match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Class::Permission,
            io::ErrorKind::NotFound => Class::NotFound,
            _ => Class::Local,
        },
        source: Box::new(source),
    }
}

/// Makes a new name in a directory durable, where asked for.
fn settle(target: &Path, durability: Durability) -> io::Result<()> {
    if durability == Durability::Each
        && let Some(directory) = target.parent()
    {
        sync_directory(directory)?;
    }
    Ok(())
}

/// Locks a file. One that is removed by its holder while others wait for it is made again.
fn lock_file(path: &Path, kind: LockKind) -> io::Result<Locked> {
    loop {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let file = match open_to_lock(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        let locked = match kind {
            LockKind::Exclusive => file.try_lock(),
            LockKind::Shared => file.try_lock_shared(),
        };
        match locked {
            Ok(()) if is_at(&file, path)? => return Ok(Locked::Held(Lock::new(file))),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Locked::Taken),
            Err(TryLockError::Error(_)) => {
                remove_quietly(path);
                return Ok(Locked::Impossible);
            }
        }
    }
}

/// Opens a file, which is made if there is none, without waiting for the reader of a pipe of that name.
fn open_to_lock(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is something other than a file"));
    }
    File::options().create(true).truncate(false).write(true).open(path)
}

/// Whether an open file still has its name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let open = file.metadata()?;
    match fs::metadata(path) {
        Err(error) if is_absence(&error) => Ok(false),
        other => other.map(|named| (named.dev(), named.ino()) == (open.dev(), open.ino())),
    }
}

/// Whether an open file still has its name. Windows tells files apart by no means that the standard library has.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    Ok(path.exists())
}

/// Opens a file to read; none if there is no file of that name. What is neither a file nor a directory, such as a named
/// pipe, is refused at once: opening it to read would wait for somebody to write.
fn open(path: &Path) -> io::Result<Option<(File, u64)>> {
    let metadata = match fs::metadata(path) {
        Err(error) if is_absence(&error) => return Ok(None),
        other => other?,
    };
    if metadata.is_dir() {
        return Ok(None);
    }
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is neither a file nor a directory"));
    }
    let file = match open_without_waiting(path) {
        Err(error) if is_absence(&error) => return Ok(None),
        other => other?,
    };
    // The name may have been given to something else in between, so that the open file has the last word.
    let metadata = file.metadata()?;
    Ok(metadata.is_file().then_some((file, metadata.len())))
}

/// Opens a file to read; a pipe is opened too, but not waited for.
#[cfg(target_os = "linux")]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?.into())
}

#[cfg(not(target_os = "linux"))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Gives `temporary`'s content the name `target` unless that name is taken.
fn claim(temporary: &Path, target: &Path, bytes: &[u8]) -> io::Result<bool> {
    if let Some(created) = exchange::rename_to_new(temporary, target) {
        return Ok(created);
    }
    match fs::hard_link(temporary, target) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // Not every file system has hard links. Creating the file itself is as exclusive, only not as atomic.
        Err(_) => match File::create_new(target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
            Ok(mut file) => {
                file.write_all(bytes).inspect_err(|_| remove_quietly(target))?;
                Ok(true)
            }
        },
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

/// Takes away a temporary file after a failure that is already being reported.
fn remove_quietly(path: &Path) {
    let _ = fs::remove_file(path);
}
