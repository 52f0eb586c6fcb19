//! Whether the metadata of a whole hierarchy is valid NGFF: every group that an image, a plate or a collection leads to,
//! and the declarations of its arrays. Chunks are not read.
//!
//! The walk asks for documents through [`Documents`], so that it runs over a directory, a bucket, an archive, or a
//! map in memory.

mod walk;

use serde_json::{Map, Value};

use crate::{Finding, Severity, Version};

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

    /// Says that these keys are going to be asked for, so that a place far away can fetch them at the same time.
    fn expect(&self, keys: &[String]) {
        let _ = keys;
    }
}

/// Why nothing could be judged.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stop<E> {
    /// A document could not be read.
    Unreadable(E),
    /// There is no Zarr group at the root.
    NoGroup,
    /// The root's group holds no NGFF metadata.
    NoMetadata,
    /// A group's document is not a JSON object.
    NotJson {
        /// Path of the group; empty for the root.
        path: String,
        /// What the parser says.
        reason: String,
    },
}

/// A rule that a group breaks.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct GroupFinding {
    /// Path of the group; empty for the root.
    pub group: String,
    /// What it breaks.
    pub finding: Finding,
}

/// What a hierarchy's metadata was judged to be.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Validity {
    /// The version that the root declares.
    pub version: Option<Version>,
    /// Groups that were looked at.
    pub groups: usize,
    /// Arrays whose declarations were looked at.
    pub arrays: usize,
    /// Rules that are broken, in the order of the hierarchy.
    pub findings: Vec<GroupFinding>,
}

impl Validity {
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
