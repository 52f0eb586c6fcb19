//! The judge: what the Zarr specifications demand of array and group documents.
//!
//! Every rule is looked at, whatever else is wrong. Extensions are free to have any configuration, but their names have
//! to be ones that a reader can look up: those of the core, those registered in `zarr-extensions`, or names with a
//! prefix or an address of their own.

mod codecs;
mod types;
mod v2;
mod v3;

use serde_json::{Map, Value};

use crate::{Finding, Format, Severity};

/// What a document has to declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// An array: `zarr.json` or `.zarray`.
    Array,
    /// A group: `zarr.json` or `.zgroup`.
    Group,
}

/// Every rule that the document of a node breaks, in the order of the rules; at most a thousand. Attributes are not
/// looked at.
pub fn judge(format: impl Into<Format>, node: Node, members: &Map<String, Value>) -> Vec<Finding> {
    let mut judge = Judge { findings: Vec::new() };
    match format.into() {
        Format::V3 => judge.v3(node, members),
        Format::V2 => judge.v2(node, members),
    }
    judge.findings
}

struct Judge {
    findings: Vec<Finding>,
}

impl Judge {
    fn must(&mut self, path: &str, clause: &'static str, message: impl Into<String>) {
        /// A hostile document must not make a report larger than itself.
        const MOST: usize = 1000;
        if self.findings.len() < MOST {
            self.findings.push(Finding::new(Severity::Must, path, clause, message));
        }
    }

    fn wrong(&mut self, path: &str, clause: &'static str, value: &Value, expected: &str) {
        self.must(path, clause, format!("found {}, expected {expected}", shorten(value)));
    }

    /// The member `name` as `read` sees it; `None`, and a finding, where it is missing or something else.
    fn member<'a, T>(
        &mut self,
        at: &str,
        object: &'a Map<String, Value>,
        name: &str,
        clause: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let at = format!("{at}/{name}");
        let Some(value) = object.get(name) else {
            self.must(&at, clause, format!("missing, expected {expected}"));
            return None;
        };
        let read = read(value);
        if read.is_none() {
            self.wrong(&at, clause, value, expected);
        }
        read
    }

    /// The shape of an array: its number of dimensions.
    fn shape(&mut self, members: &Map<String, Value>, clause: &'static str) -> Option<Vec<u64>> {
        self.member("", members, "shape", clause, "an array of integers from 0", |value| {
            crate::read::integers(Some(value))
        })
    }

    /// A shape of chunks: positive, one number per dimension.
    fn chunk_shape(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        name: &str,
        clause: &'static str,
        dimensions: Option<usize>,
    ) -> Option<Vec<u64>> {
        let chunks = self.member(at, object, name, clause, "an array of integers from 1", |value| {
            crate::read::integers(Some(value))
        })?;
        let at = format!("{at}/{name}");
        if chunks.contains(&0) {
            self.must(&at, clause, format!("{chunks:?}, expected every entry to be at least 1"));
            return None;
        }
        if let Some(dimensions) = dimensions.filter(|&dimensions| dimensions != chunks.len()) {
            self.must(
                &at,
                clause,
                format!("{} entries, expected {dimensions}, one per dimension", chunks.len()),
            );
            return None;
        }
        Some(chunks)
    }
}

/// A value for a message: attacker-sized values would make attacker-sized messages.
fn shorten(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(members) => format!("an object of {}", members.len()),
        Value::String(text) if text.chars().count() > LONGEST => {
            format!("{:?}...", text.chars().take(LONGEST).collect::<String>())
        }
        other => other.to_string(),
    }
}

/// Whether a name is one that its owner vouches for: an address, or a name with a prefix.
fn has_owner(name: &str) -> bool {
    name.contains("://")
        || name.split_once(['.', ':', '/']).is_some_and(|(owner, rest)| !owner.is_empty() && !rest.is_empty())
}
