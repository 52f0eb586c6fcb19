//! Directories: their content, what killed writers have left in them, and when they are durable.

use std::fs::{self, DirEntry, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::is_absence;
use crate::Children;

/// What a temporary file's name begins with. Listings leave these names out: they belong to a write that is under way
/// or was cut off.
pub(super) const TEMPORARY: &str = ".fairzarr-tmp-";

pub(super) fn temporary_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{TEMPORARY}{}-{next}", std::process::id())
}

/// One level of a directory; empty if it does not exist. Links to directories are not followed, so that a listing ends.
pub(super) fn read_directory(path: &Path) -> io::Result<Children> {
    let entries = match fs::read_dir(path) {
        Err(error) if is_absence(&error) => return Ok(Children::default()),
        other => other?,
    };
    let mut children = Children::default();
    for entry in entries {
        let entry = entry?;
        // No key can name what is not Unicode.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with(TEMPORARY) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            children.directories.push(name);
            continue;
        }
        match fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_file() => children.objects.push((name, metadata.len())),
            Err(error) if !is_absence(&error) => return Err(error),
            // A dangling link, a link to a directory, a file that has just gone.
            _ => {}
        }
    }
    children.directories.sort_unstable();
    children.objects.sort_unstable();
    Ok(children)
}

/// Looks at everything below `root` but directories, and gives the directories, each before those within it; none where there is
/// no `root`. Links are not followed.
fn walk(root: &Path, mut look: impl FnMut(&DirEntry) -> io::Result<()>) -> io::Result<Vec<PathBuf>> {
    let mut pending = vec![root.to_owned()];
    let mut directories = Vec::new();
    while let Some(directory) = pending.pop() {
        let entries = match fs::read_dir(&directory) {
            Err(error) if is_absence(&error) => continue,
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            } else {
                look(&entry)?;
            }
        }
        directories.push(directory);
    }
    Ok(directories)
}

/// Removes the temporary files below a directory.
pub(super) fn remove_temporaries(root: &Path) -> io::Result<u64> {
    let mut removed = 0;
    walk(root, |entry| {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
        Ok(())
    })?;
    Ok(removed)
}

/// Removes the directories below `root` that hold nothing, and `root` if nothing is left in it. Links are left alone.
pub(super) fn remove_empty(root: &Path) -> io::Result<()> {
    for directory in walk(root, |_| Ok(()))?.iter().rev() {
        match fs::remove_dir(directory) {
            Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty && !is_absence(&error) => {
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes all that was written below `root` durable: one call for the whole file system instead of one per file.
#[cfg(target_os = "linux")]
pub(super) fn sync_tree(root: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(root)?)?)
}

/// Makes all that was written below `root` durable.
#[cfg(not(target_os = "linux"))]
pub(super) fn sync_tree(root: &Path) -> io::Result<()> {
    let directories = walk(root, |entry| {
        if entry.file_type()?.is_file() {
            // Windows flushes only through a handle that may write.
            fs::OpenOptions::new().write(true).open(entry.path())?.sync_all()?;
        }
        Ok(())
    })?;
    directories.iter().try_for_each(|directory| sync_directory(directory))
}

#[cfg(unix)]
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Windows has no such call; its file systems journal names themselves.
#[cfg(not(unix))]
pub(super) fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}
