//! Names that change in one step: two directories change places, so that the one of them is there until the other is, and a file
//! takes a name that nobody has.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::is_absence;

/// Gives the directory `new` the name `place`, whose directory gets the name `aside`. Where the file system can exchange two
/// names, there is no moment without a directory at `place`. Elsewhere there is one between two renames: `aside` and `new` are
/// both whole then.
pub(crate) fn exchange(new: &Path, place: &Path, aside: &Path) -> io::Result<()> {
    if exchange_names(new, place)? {
        return fs::rename(new, aside);
    }
    fs::rename(place, aside)?;
    fs::rename(new, place).inspect_err(|_| {
        // Whoever comes next finds the old one aside, should this fail too.
        let _ = fs::rename(aside, place);
    })
}

/// Whether the two names could be exchanged at once.
#[cfg(target_os = "linux")]
fn exchange_names(one: &Path, other: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange_names(_one: &Path, _other: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Gives a file a name unless that is taken, and tells whether it has it; `None` where the file system cannot do so in one step, or
/// fails to.
#[cfg(target_os = "linux")]
pub(crate) fn rename_to_new(file: &Path, name: &Path) -> Option<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, file, CWD, name, RenameFlags::NOREPLACE) {
        Ok(()) => Some(true),
        Err(Errno::EXIST) => Some(false),
        Err(_) => None,
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn rename_to_new(_file: &Path, _name: &Path) -> Option<bool> {
    None
}

/// The directory that a path leads to, by its own name in the directory that holds it: links are followed, so that another
/// directory can take its place. None if it has no such name, or is a file system of its own.
pub(crate) fn named(path: &Path) -> io::Result<Option<PathBuf>> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => break,
        }
    }
    if path.file_name().is_none() {
        path = match fs::canonicalize(&path) {
            Err(error) if is_absence(&error) => return Ok(None),
            other => other?,
        };
    }
    Ok((path.file_name().is_some() && !is_mounted(&path)?).then_some(path))
}

/// Links that are followed one after another; the operating system follows as many.
const LINKS: usize = 40;

#[cfg(unix)]
fn is_mounted(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let device = |path: &Path| match fs::metadata(path) {
        Err(error) if is_absence(&error) => Ok(None),
        other => other.map(|metadata| Some(metadata.dev())),
    };
    Ok(device(path)?.zip(device(parent)?).is_some_and(|(place, parent)| place != parent))
}

#[cfg(not(unix))]
fn is_mounted(_path: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_change_places() {
        let dir = tempfile::tempdir().unwrap();
        let [new, place, aside] = ["new", "place", "aside"].map(|name| dir.path().join(name));
        for (directory, text) in [(&new, "new"), (&place, "old")] {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join("x"), text).unwrap();
        }
        exchange(&new, &place, &aside).unwrap();
        assert!(!new.exists());
        assert_eq!(fs::read_to_string(place.join("x")).unwrap(), "new");
        assert_eq!(fs::read_to_string(aside.join("x")).unwrap(), "old");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_to_what_it_names() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("place");
        std::os::unix::fs::symlink("place", dir.path().join("link")).unwrap();
        assert_eq!(named(&dir.path().join("link")).unwrap(), Some(place.clone()), "also where nothing is");
        fs::create_dir(&place).unwrap();
        assert_eq!(named(&dir.path().join("link")).unwrap(), Some(place.clone()));
        assert_eq!(named(&place.join(".")).unwrap(), Some(place));
        assert_eq!(named(Path::new("/")).unwrap(), None);
        assert_eq!(named(Path::new("/proc")).unwrap(), None);
    }
}
