//! Listing what lies below a source, each path once, in an order that is the same on every machine.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, DirEntry, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::kind::{Kind, by_head, by_name, is_on_tiff};
use super::{FoundPath, Role, Search};
use crate::error::chain;
use crate::names::escape;
use crate::source::{Place, Source, Stat, stat};
use crate::{Error, names};

/// Documents that tell that a folder is a Zarr.
const ZARR: [&str; 5] = ["zarr.json", ".zgroup", ".zattrs", ".zarray", ".fairzarr"];

/// Adds all paths of a source to `paths`. What may be an image has [`Role::Dataset`] until it was opened, what may be a
/// sidecar has [`Role::Sidecar`].
pub(super) fn walk(
    search: &Search<'_>,
    index: usize,
    source: &Source,
    only: Option<&[String]>,
    paths: &mut Vec<FoundPath>,
) -> Result<(), Error> {
    let mut walk = Walk { search, index, paths };
    match (&source.place, only) {
        (Place::Local(root), Some(names)) => {
            for name in names {
                let path = root.join(crate::names::unescape(name));
                match fs::symlink_metadata(&path) {
                    Ok(metadata) => walk.entry(root, name.clone(), &path, metadata.file_type()),
                    Err(error) => {
                        walk.add(name.clone(), Role::Unreadable, Some(error.to_string()), Stat::default());
                    }
                }
            }
            Ok(())
        }
        (Place::Local(root), None) => walk.folders(root),
        (Place::Remote(store), only) => walk.objects(store, only),
    }
}

/// Adds what lies in some folders of a source, and not below them; of an object store, all that is below the source.
pub(super) fn these(
    search: &Search<'_>,
    index: usize,
    source: &Source,
    folders: &BTreeSet<String>,
    paths: &mut Vec<FoundPath>,
) -> Result<(), Error> {
    let mut walk = Walk { search, index, paths };
    match &source.place {
        Place::Local(root) => {
            for folder in folders {
                search.job.cancel.check()?;
                walk.folder(root, folder, &mut Vec::new());
            }
            Ok(())
        }
        Place::Remote(store) => walk.objects(store, None),
    }
}

struct Walk<'a, 'b> {
    search: &'a Search<'b>,
    index: usize,
    paths: &'a mut Vec<FoundPath>,
}

impl Walk<'_, '_> {
    fn add(&mut self, path: String, role: Role, cause: Option<String>, stat: Stat) {
        self.paths.push(FoundPath { source: self.index, path, role, cause, stat, link: None });
    }

    fn folders(&mut self, root: &Path) -> Result<(), Error> {
        // Folders from the top: a set is described in the folder above rather than below.
        let mut level = vec![String::new()];
        while !level.is_empty() {
            let mut below = Vec::new();
            for folder in level {
                self.search.job.cancel.check()?;
                self.folder(root, &folder, &mut below);
            }
            level = below;
        }
        Ok(())
    }

    fn folder(&mut self, root: &Path, folder: &str, below: &mut Vec<String>) {
        let path = root.join(names::unescape(folder));
        // Stores may lie beside their sources, which is no reason not to look at these.
        if !folder.is_empty() && self.search.target.is_some_and(|target| target == path) {
            return;
        }
        let listed = fs::read_dir(&path).and_then(|entries| entries.collect::<io::Result<Vec<DirEntry>>>());
        let mut entries: Vec<(OsString, DirEntry)> = match listed {
            Ok(entries) => entries.into_iter().map(|entry| (entry.file_name(), entry)).collect(),
            Err(error) => {
                self.add(
                    folder.to_owned(),
                    Role::Unreadable,
                    Some(format!("this folder: {error}")),
                    Stat::default(),
                );
                return;
            }
        };
        if entries.iter().any(|(name, _)| ZARR.iter().any(|zarr| name == zarr)) {
            let cause = "a Zarr, which is not looked into".to_owned();
            self.add(folder.to_owned(), Role::NotAnImage, Some(cause), Stat::default());
            return;
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (name, entry) in entries {
            let name = escape(&name);
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    if self.search.filter.excludes(&path) {
                        self.add(path, Role::Excluded, Some("this folder".into()), Stat::default());
                    } else {
                        below.push(path);
                    }
                }
                Ok(kind) => self.entry(root, path, &entry.path(), kind),
                Err(error) => self.add(path, Role::Unreadable, Some(error.to_string()), Stat::default()),
            }
        }
    }

    /// A path that is no folder, or is to be looked at alone.
    fn entry(&mut self, root: &Path, path: String, file: &Path, kind: fs::FileType) {
        let mut link = None;
        let metadata = match fs::metadata(file) {
            Ok(metadata) => metadata,
            Err(error) => {
                let to = fs::read_link(file).map(|to| to.display().to_string()).unwrap_or_default();
                let cause = if kind.is_symlink() {
                    format!("a symbolic link to {to}, which cannot be followed: {error}")
                } else {
                    error.to_string()
                };
                // A name that promises an image is a dataset that is lost.
                let role = match by_name(names::last(&path)) {
                    Some(Kind::Image) if self.search.filter.wants(&path) => Role::Dataset,
                    _ => Role::Unreadable,
                };
                self.add(path, role, Some(cause), Stat::default());
                return;
            }
        };
        if kind.is_symlink() {
            if metadata.is_dir() {
                self.add(
                    path,
                    Role::Link,
                    Some("a link to a folder, which is not followed".into()),
                    Stat::default(),
                );
                return;
            }
            link = file.canonicalize().ok().map(|to| match to.strip_prefix(root) {
                Ok(below) => escape(below.as_os_str()),
                Err(_) => escape(to.as_os_str()),
            });
        }
        let stat = stat(&metadata);
        let (role, cause) = if metadata.is_file() {
            self.role(&path, || head(file))
        } else {
            (Role::NotAnImage, Some("a pipe, a socket or a device".into()))
        };
        self.paths.push(FoundPath { source: self.index, path, role, cause, stat, link });
    }

    fn objects(&mut self, store: &fairzarr::store::Store, only: Option<&[String]>) -> Result<(), Error> {
        let listed = match only {
            Some(names) => {
                let mut listed = Vec::new();
                for name in names {
                    match store.size(name) {
                        Ok(Some(bytes)) => listed.push((name.clone(), bytes)),
                        Ok(None) => self.add(
                            name.clone(),
                            Role::Unreadable,
                            Some("there is no such object".into()),
                            Stat::default(),
                        ),
                        Err(error) => {
                            self.add(name.clone(), Role::Unreadable, Some(chain(&error)), Stat::default());
                        }
                    }
                }
                listed
            }
            None => store.list("")?,
        };
        let mut zarr: Option<String> = None;
        let mut folders: Vec<&str> = listed
            .iter()
            .filter(|(key, _)| ZARR.contains(&names::last(key)))
            .map(|(key, _)| names::folder(key))
            .collect();
        folders.sort_unstable();
        let mut listed: Vec<_> = listed.iter().collect();
        listed.sort_by_key(|(key, _)| (key.matches('/').count(), key.as_str()));
        for (key, bytes) in listed {
            let stat = Stat { bytes: *bytes, modified: None };
            if let Some(root) = ancestors(key).find(|folder| folders.binary_search(folder).is_ok()) {
                // One line for a store, not one for each of its chunks.
                if zarr.as_deref() != Some(root) && !self.paths.iter().rev().any(|found| found.path == root) {
                    let cause = "a Zarr, which is not looked into".to_owned();
                    self.add(root.to_owned(), Role::NotAnImage, Some(cause), Stat::default());
                    zarr = Some(root.to_owned());
                }
                continue;
            }
            // A request for every object costs more than a name that tells nothing is worth.
            let (role, cause) = self.role(key, || Ok(Vec::new()));
            self.add(key.clone(), role, cause, stat);
        }
        Ok(())
    }

    fn role(&self, path: &str, head: impl FnOnce() -> io::Result<Vec<u8>>) -> (Role, Option<String>) {
        let filter = self.search.filter;
        if filter.excludes(path) {
            return (Role::Excluded, None);
        }
        let kind = by_name(names::last(path));
        if matches!(kind, Some(Kind::Document)) {
            return (Role::Sidecar, None);
        }
        if !filter.wants(path) {
            return (Role::Excluded, None);
        }
        match kind {
            Some(Kind::Image) => (Role::Dataset, None),
            Some(kind) if is_on_tiff(&kind) && filter.names(path) => (Role::Dataset, None),
            Some(Kind::Other(what)) if is_on_tiff(&Kind::Other(what)) => {
                let cause = format!(
                    "{what}: its metadata lie where this program does not look; as plain TIFF only if included by name"
                );
                (Role::NotAnImage, Some(cause))
            }
            Some(Kind::Other(what)) => (Role::NotAnImage, Some(what.into())),
            Some(Kind::Document) | None => match head() {
                Ok(head) => match by_head(&head) {
                    Kind::Image => (Role::Dataset, None),
                    Kind::Other(what) => (Role::NotAnImage, Some(what.into())),
                    Kind::Document => (Role::Sidecar, None),
                },
                Err(error) => (Role::Unreadable, Some(error.to_string())),
            },
        }
    }
}

/// The folders above a key, the highest first.
fn ancestors(key: &str) -> impl Iterator<Item = &str> {
    std::iter::once("").chain(key.match_indices('/').map(|(at, _)| &key[..at]))
}

fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut head)?;
    Ok(head)
}
