//! Where the state of a migration is, and its copy in targets on object stores.

use fairzarr::store::{Location, Store, StoreOptions};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::names::short_digest;
use crate::state::State;

/// The state's file in a local target, and its copy in an object store.
pub const STATE_FILE: &str = "fairzarr-migration.sqlite";

/// Where the state of migrations to a target is: in a local target; for object stores in this user's folder of states.
pub fn state_path(target: &Location) -> PathBuf {
    if let Some(path) = target.as_path() {
        return path.join(STATE_FILE);
    }
    let home = std::env::var_os("XDG_STATE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")));
    let folder = home.map_or_else(|| PathBuf::from("."), |home| home.join("fairzarr"));
    folder.join(format!("migration-{}.sqlite", short_digest(&target.to_string())))
}

/// The state of migrations to a target, to read: the local one, or the copy in the object store.
///
/// # Errors
/// [`Error::NoState`] when there is none.
pub fn open_state(target: &Location, state: Option<&Path>, options: &StoreOptions) -> Result<State, Error> {
    let path = state.map_or_else(|| state_path(target), Path::to_path_buf);
    if target.as_path().is_none() && !path.exists() {
        fetch_state(target, options, &path)?;
    }
    State::open(&path)
}

/// Takes the copy of the state that an earlier run left in an object store, should there be one.
pub(crate) fn fetch_state(target: &Location, options: &StoreOptions, path: &Path) -> Result<(), Error> {
    let Some(bytes) = Store::open(target, options)?.get(STATE_FILE)? else { return Ok(()) };
    let failed = |source| Error::Write { place: path.display().to_string(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    // A copy that was cut off would be taken for the state by every later run.
    let whole = beside(path, "-fetched");
    std::fs::write(&whole, &bytes).and_then(|()| std::fs::rename(&whole, path)).map_err(failed)
}

/// Leaves a copy of the state in an object store, for other machines.
pub(crate) fn put_state(state: &State, target: &Location, options: &StoreOptions) -> Result<(), Error> {
    let copy = beside(state.place(), "-copy");
    let failed = |source| Error::Write { place: copy.display().to_string(), source };
    let _ = std::fs::remove_file(&copy);
    state.export(&copy)?;
    let bytes = std::fs::read(&copy).map_err(failed)?;
    Store::open(target, options)?.put(STATE_FILE, bytes)?;
    std::fs::remove_file(&copy).map_err(failed)
}

/// A file of the same folder, whose name is longer.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetched_state_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let target = Location::local(folder.join("target"));
        Store::open(&target, &StoreOptions::default()).unwrap().put(STATE_FILE, b"state".to_vec()).unwrap();
        let path = folder.join("states").join("one.sqlite");
        // What a killed run left beside it is no state.
        std::fs::create_dir_all(folder.join("states")).unwrap();
        std::fs::write(beside(&path, "-fetched"), "st").unwrap();
        assert!(!path.exists());
        fetch_state(&target, &StoreOptions::default(), &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"state");
        assert_eq!(std::fs::read_dir(folder.join("states")).unwrap().count(), 1);
    }
}
