//! Datasets, not files: what lies below the sources, and which files belong together.
//!
//! Every path gets a role. Files that may be images are opened, each set once, whichever of its members is met first:
//! what the files say of each other decides, not how they are called.

mod group;
mod kind;
mod walk;

use fairzarr::task::Job;
use std::collections::{BTreeSet, HashSet};

use crate::filter::Filter;
use crate::source::{Source, Stat};
use crate::{Error, Failure};

pub(crate) use group::{Known, KnownDataset};

/// What a path is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Role {
    /// The file by which a dataset is opened and named.
    Dataset,
    /// Another file of a dataset.
    Member,
    /// A document that describes a dataset.
    Sidecar,
    /// A symbolic link to a file that is looked at anyway.
    Link,
    /// Left out by a pattern.
    Excluded,
    /// Something else.
    NotAnImage,
    /// It cannot be looked at.
    Unreadable,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Dataset,
        Self::Member,
        Self::Sidecar,
        Self::Link,
        Self::Excluded,
        Self::NotAnImage,
        Self::Unreadable,
    ];

    /// Its name in the state and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Member => "member",
            Self::Sidecar => "sidecar",
            Self::Link => "link",
            Self::Excluded => "excluded",
            Self::NotAnImage => "not-an-image",
            Self::Unreadable => "unreadable",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A path below a source.
#[derive(Clone, Debug)]
pub(crate) struct FoundPath {
    /// Which source.
    pub(crate) source: usize,
    pub(crate) path: String,
    pub(crate) role: Role,
    /// Why it has this role, where that is not plain.
    pub(crate) cause: Option<String>,
    pub(crate) stat: Stat,
    /// What a symbolic link points to: a path below the same source, or an absolute one.
    pub(crate) link: Option<String>,
}

/// Files that are one dataset.
#[derive(Clone, Debug)]
pub(crate) struct FoundDataset {
    /// The file by which it is opened.
    pub(crate) entry: usize,
    /// All its files, the entry among them, in the order of paths.
    pub(crate) members: Vec<usize>,
    /// Documents in its folder that describe it.
    pub(crate) sidecars: Vec<usize>,
    /// The name of its first image.
    pub(crate) image: Option<String>,
    /// Why it cannot be opened.
    pub(crate) failure: Option<Failure>,
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) paths: Vec<FoundPath>,
    pub(crate) datasets: Vec<FoundDataset>,
}

/// What is looked at, and how.
pub(crate) struct Search<'a> {
    pub(crate) sources: &'a [Source],
    /// Single files of a source that alone are looked at, by source; a source without is looked at whole.
    pub(crate) only: &'a [Option<Vec<String>>],
    pub(crate) filter: &'a Filter,
    /// A folder that is not looked into: the target may lie below a source.
    pub(crate) target: Option<&'a std::path::Path>,
    /// Datasets of earlier runs that are done: they are not opened again.
    pub(crate) known: &'a Known,
    pub(crate) job: &'a Job,
}

/// Looks at all sources.
pub(crate) fn discover(search: &Search<'_>) -> Result<Found, Error> {
    let mut paths = Vec::new();
    for (index, source) in search.sources.iter().enumerate() {
        let only = search.only.get(index).and_then(Option::as_deref);
        walk::walk(search, index, source, only, &mut paths)?;
    }
    group::group(search, paths)
}

/// Looks at some folders of each source again, and not below them, for what concerns the datasets that are known. Paths that
/// are `excluded` stay so.
pub(crate) fn look_again(
    search: &Search<'_>,
    folders: &[BTreeSet<String>],
    excluded: &HashSet<(String, String)>,
) -> Result<Found, Error> {
    let mut paths = Vec::new();
    for (index, (source, folders)) in search.sources.iter().zip(folders).enumerate() {
        walk::these(search, index, source, folders, &mut paths)?;
    }
    for found in &mut paths {
        let source = search.sources.get(found.source).map_or("", |source| source.name.as_str());
        if excluded.contains(&(source.to_owned(), found.path.clone())) {
            found.role = Role::Excluded;
        }
    }
    group::group(search, paths)
}
