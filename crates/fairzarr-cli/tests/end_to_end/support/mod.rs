//! What the tests share: running the program, trees of files, sources, and a second reader of stores.

pub(crate) mod tiff;
pub(crate) mod zarr;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    /// The outcome, if the exit code is 0.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        self.ends_with(0)
    }

    /// The outcome, if the exit code is `code`.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// The one line that every failure is told in.
    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        let mut lines = self.err.lines().filter(|line| !line.starts_with("fairzarr: warning: "));
        let line = lines.next().unwrap_or_default();
        assert!(line.starts_with("fairzarr: ") || line.starts_with("error: "), "{self:?}");
        assert_eq!(lines.next(), None, "{self:?}");
        line
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

/// Runs the program to its end.
pub(crate) fn fairzarr<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Outcome {
    let output = command(args).output().unwrap();
    Outcome {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Starts the program, with nothing to read and nobody listening.
pub(crate) fn start<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Child {
    command(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn command<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairzarr"));
    command.args(args);
    command
}

/// `convert` with options, without waiting for the disk.
pub(crate) fn convert(source: &Path, target: &Path, options: &[&str]) -> Outcome {
    run("convert", source, target, options)
}

/// A command with source, target and options, without waiting for the disk.
pub(crate) fn run(command: &str, source: &Path, target: &Path, options: &[&str]) -> Outcome {
    fairzarr(arguments(command, source, target, options))
}

/// The arguments of [`run`].
pub(crate) fn arguments(command: &str, source: &Path, target: &Path, options: &[&str]) -> Vec<String> {
    let mut args = vec![command.to_owned(), text(source), text(target), "--durability=none".into()];
    args.extend(options.iter().map(|option| (*option).to_owned()));
    args
}

/// `verify` of a store against its source.
pub(crate) fn verify(source: &Path, target: &Path) -> Outcome {
    fairzarr(["verify".as_ref(), source.as_os_str(), target.as_os_str()])
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().into()
}

/// Every file below `root` with its content; a directory without entries has an entry that ends with a slash.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        let key = |path: &Path| text(path.strip_prefix(root).unwrap());
        let mut empty = true;
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            empty = false;
            if path.is_dir() {
                pending.push(path);
            } else {
                files.insert(key(&path), std::fs::read(&path).unwrap());
            }
        }
        if empty {
            files.insert(format!("{}/", key(&directory)), Vec::new());
        }
    }
    files
}

/// Fails with the names of the files that differ, not with their bytes.
#[track_caller]
pub(crate) fn assert_same_tree(found: &Path, expected: &Path) {
    let (found, expected) = (tree(found), tree(expected));
    let names: std::collections::BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let different: Vec<_> =
        names.into_iter().filter(|name| found.get(*name) != expected.get(*name)).collect();
    assert!(
        different.is_empty(),
        "{} files differ, such as {:?}",
        different.len(),
        &different[..different.len().min(5)]
    );
    assert!(!expected.is_empty());
}

/// Whether a reader would take what is at `store` for an OME-Zarr.
pub(crate) fn looks_complete(store: &Path) -> bool {
    ["zarr.json", ".zattrs"].iter().any(|name| store.join(name).exists())
}

/// A small OME-TIFF of another room of this workspace.
pub(crate) fn fixture(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ome-tiff/tests/data").join(name);
    assert!(path.exists(), "{}", path.display());
    path
}

/// The sample that the README converts.
pub(crate) fn cells() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/cells.ome.tiff")
}
