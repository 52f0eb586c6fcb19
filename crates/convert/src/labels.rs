//! Label images that come from files beside the source.

use fairzarr_ome_tiff::{FileInfo, Fileset, Image};
use std::fmt;
use std::sync::Arc;

/// A name that no label images can have.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "labels {name}: the name of a label image has at most {MOST_LETTERS} letters, digits, '-', '_' and '.', and begins with a letter or digit"
)]
pub struct LabelNameError {
    /// The name that was asked for.
    pub name: String,
}

/// A file, or a fileset, whose images become label images of the store, under one name.
#[derive(Clone)]
pub struct LabelFile {
    name: String,
    files: Arc<Fileset>,
}

impl LabelFile {
    /// Label images `labels/NAME` from the images of `files`.
    ///
    /// # Errors
    /// Where no group can have that name everywhere: names are letters, digits, `-`, `_` and `.`, and begin with a letter or a digit.
    pub fn new(name: impl Into<String>, files: Fileset) -> Result<Self, LabelNameError> {
        let name = name.into();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric())
            || !name.chars().all(is_plain)
            || name == "zarr.json"
            || name.len() > MOST_LETTERS
        {
            return Err(LabelNameError { name });
        }
        Ok(Self { name, files: Arc::new(files) })
    }

    /// The name of the label images.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fileset that they are read from.
    pub fn files(&self) -> &Fileset {
        &self.files
    }
}

impl fmt::Debug for LabelFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.files.files().iter().map(|file| file.name.as_str());
        f.debug_struct("LabelFile")
            .field("name", &self.name)
            .field("files", &files.collect::<Vec<_>>())
            .finish()
    }
}

/// All that a conversion reads pixels of: the source, and the files of labels.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) source: &'a Fileset,
    pub(crate) labels: &'a [LabelFile],
}

impl<'a> Inputs<'a> {
    /// The images in the order of the plan: those of the source, then those of each file of labels.
    pub(crate) fn images(self) -> Vec<&'a Image> {
        let labels = self.labels.iter().flat_map(|labels| labels.files().images());
        self.source.images().iter().chain(labels).collect()
    }

    /// All files that are read.
    pub(crate) fn files(self) -> impl Iterator<Item = &'a FileInfo> {
        self.source.files().iter().chain(self.labels.iter().flat_map(|labels| labels.files().files()))
    }
}

/// Names of files and folders are not longer than 255 bytes on most file systems, and have endings.
const MOST_LETTERS: usize = 100;
