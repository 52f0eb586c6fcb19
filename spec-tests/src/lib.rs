//! Tests by specification clause and whole round trips, see `tests/`, and what tests of several crates share.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// A folder of the corpus of files made by other software, such as `open/real`; an empty name is the whole corpus.
///
/// The corpus is not part of the repository. It lies where `FAIRZARR_CORPUS` says, and else it is looked for beside the
/// workspace. Where nobody asked for it and there is none, the answer is none, and a test has nothing to do.
///
/// # Panics
/// When `FAIRZARR_CORPUS` asks for a corpus and there is no file in that folder: a test that passes because it looked at
/// nothing would be taken for a proof.
pub fn corpus(part: &str) -> Option<PathBuf> {
    let asked_for = env::var_os("FAIRZARR_CORPUS");
    let root = asked_for
        .as_ref()
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"), PathBuf::from);
    let folder = root.join(part);
    let found = holds_a_file(&folder);
    assert!(
        found || asked_for.is_none(),
        "FAIRZARR_CORPUS asks for the corpus at {}, and there is no file in {}",
        root.display(),
        folder.display()
    );
    found.then_some(folder)
}

fn holds_a_file(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| path.is_file() || (path.is_dir() && holds_a_file(&path)))
}
