//! Whether a whole hierarchy is valid NGFF: every group and array that its metadata name, by the rules of Zarr and of the
//! version of NGFF that its root declares.
//!
//! The walk asks for documents through [`Documents`], so that it runs over a directory, a bucket, an archive, or a map in
//! memory. Nothing that it finds ends it early: a broken document is a finding, and what the rest names is looked at.

mod ahead;
mod collection;
mod consolidated;
mod deep;
mod image;
mod labels;
mod node;
mod scene;
mod walk;
#[cfg(feature = "ome")]
mod xml;

use serde_json::{Map, Value};

use crate::{Finding, Severity, Version};

pub use consolidated::CONSOLIDATED;
pub use walk::validate_hierarchy;

/// A place that holds a hierarchy: keys are relative to its root, with `/` between names and none at the start.
pub trait Documents {
    /// Why something could not be read.
    type Error;

    /// What is at `key`; `None` where there is nothing, or nothing that this reader may see.
    ///
    /// # Errors
    ///
    /// When it cannot be told whether there is something, or it cannot be read.
    fn document(&self, key: &str) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Names of what lies directly below a group, in any order; `None` where the place cannot list.
    ///
    /// # Errors
    ///
    /// When listing fails.
    fn children(&self, path: &str) -> Result<Option<Vec<String>>, Self::Error> {
        let _ = path;
        Ok(None)
    }

    /// All objects below a path, as keys relative to the root and sizes in bytes; `None` where the place cannot list.
    /// Asked for only by [`Depth::Objects`].
    ///
    /// # Errors
    ///
    /// When listing fails.
    fn objects(&self, path: &str) -> Result<Option<Vec<(String, u64)>>, Self::Error> {
        let _ = path;
        Ok(None)
    }

    /// Some bytes of an object, from `start` up to `end`; fewer where the object ends before.
    ///
    /// # Errors
    ///
    /// As [`Documents::document`].
    fn part(&self, key: &str, start: u64, end: u64) -> Result<Option<Vec<u8>>, Self::Error> {
        let Some(document) = self.document(key)? else { return Ok(None) };
        let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(document.len());
        Ok(document.get(bound(start)..bound(end)).map(<[u8]>::to_vec))
    }

    /// Says that these keys are going to be asked for, so that a place far away can fetch them at the same time. `led_to` says
    /// which others are once a document is there, by its key and bytes.
    fn expect(&self, keys: &[String], led_to: &LedTo<'_>) {
        let _ = (keys, led_to);
    }
}

/// The keys that a document leads to, by its key and bytes.
pub type LedTo<'a> = dyn Fn(&str, &[u8]) -> Vec<String> + Sync + 'a;

/// How far a validation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Depth {
    /// Documents alone.
    #[default]
    Documents,
    /// Also the stored objects of arrays: their names, and the indexes of shards.
    Objects,
}

/// Why nothing could be judged.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stop<E> {
    /// A document could not be read.
    Unreadable(E),
    /// There is no Zarr group at the root.
    NoGroup,
    /// Neither the root nor a group directly below it holds NGFF metadata.
    NoMetadata,
}

/// A rule that a node breaks.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NodeFinding {
    /// Path of the group or array; empty for the root.
    pub node: String,
    /// What it breaks. Its path points into the attributes of a group, and into the document of an array.
    pub finding: Finding,
}

/// What a hierarchy was judged to be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Validity {
    /// The version that it was judged by; `None` where the root declares none of those that this crate judges.
    pub version: Option<Version>,
    /// The version as the root declares it.
    pub declared: Option<String>,
    /// Groups that were looked at.
    pub groups: usize,
    /// Arrays whose declarations were looked at.
    pub arrays: usize,
    /// Stored objects that were looked at; 0 unless asked for.
    pub objects: u64,
    /// Rules that are broken, in the order of the hierarchy.
    pub findings: Vec<NodeFinding>,
}

impl Validity {
    /// Adds what was found by other means about a node.
    pub fn add(&mut self, node: &str, findings: Vec<Finding>) {
        self.findings
            .extend(findings.into_iter().map(|finding| NodeFinding { node: node.to_owned(), finding }));
    }

    /// True where no demand of the specification is broken.
    pub fn is_valid(&self) -> bool {
        self.findings.iter().all(|found| found.finding.severity != Severity::Must)
    }
}

impl<E> From<E> for Stop<E> {
    fn from(error: E) -> Self {
        Self::Unreadable(error)
    }
}

/// Where a group's NGFF metadata is.
fn members(attributes: &Map<String, Value>) -> &Map<String, Value> {
    attributes.get("ome").and_then(Value::as_object).unwrap_or(attributes)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { format!("{path}/{name}") }
}

/// The path that `relative` leads to from a group; `None` where it leads out of the hierarchy.
fn resolve(group: &str, relative: &str) -> Option<String> {
    let mut names: Vec<&str> = group.split('/').filter(|name| !name.is_empty()).collect();
    for name in relative.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// Strings of a list; what is none is another rule's matter.
fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Members of the objects of a list.
fn objects(value: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}
