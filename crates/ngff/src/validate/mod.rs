//! The judge: what the specification's text demands and recommends of a group's attributes.
//!
//! This covers the rules of the JSON Schemas and those that a schema cannot express: order of axes, lengths of
//! vectors, order of levels, agreement of wells with rows and columns, references between coordinate systems.

mod collection;
mod image;
mod levels;
mod matrix;
mod plate;
mod transformation;

use fairzarr_zarr::{Finding, Severity};
use serde_json::{Map, Value};

use crate::json::shorten;
use crate::version::Era;
use crate::{NodeKind, Version, classify};

pub use levels::{Level, validate_levels};

/// Every rule that a group's attributes break, in the order of the document; at most a thousand.
///
/// `version` is the version to judge by; the one that the attributes declare when `None`. `kind` is what the
/// group has to be; what it seems to be when `None`. Members beyond that are judged as well. What needs more
/// than one document (arrays, the plate of a well) is not judged here; see [`validate_levels`].
///
/// Metadata is valid when no finding is a [`Severity::Must`].
pub fn validate(version: Option<Version>, attributes: &Value, kind: Option<NodeKind>) -> Vec<Finding> {
    let mut report = Report { version: version.unwrap_or_default(), is_draft: false, findings: Vec::new() };
    let Some(object) = attributes.as_object() else {
        report.must("", "metadata", format!("attributes are {}, expected an object", shorten(attributes)));
        return report.findings;
    };
    let declared = Version::of(object);
    report.is_draft = Era::is_draft(object);
    match (&declared, version) {
        // Judged by the rules of 0.6, but for those that the draft changes.
        (Err(_), None | Some(Version::V06)) if report.is_draft => report.version = Version::V06,
        (Ok(Some(found)), Some(expected)) if *found != expected => report.must(
            "/ome/version",
            "ome",
            format!("version is {found}, expected {expected}, the version of the hierarchy"),
        ),
        (Ok(Some(found)), _) => report.version = *found,
        (Ok(None), _) => {}
        (Err(error), _) => report.must("/ome/version", "ome", error.to_string()),
    }
    let kind = kind.unwrap_or_else(|| classify(object));
    let (at, members) = report.version.members(object);
    if report.version > Version::V04 && at.is_empty() && kind != NodeKind::Other {
        report.must("/ome", "ome", format!("missing, expected the metadata of NGFF {}", report.version));
    }
    report.group(at, members, kind);
    report.findings
}

struct Report {
    version: Version,
    /// Whether the attributes are of a draft of 0.9: no limits to axes (RFC-3), orientation of axes (RFC-4), `omero` with fewer demands.
    is_draft: bool,
    findings: Vec<Finding>,
}

/// Whether a member has to be there, and the section that says so.
#[derive(Clone, Copy)]
enum Need {
    Must(&'static str),
    Should(&'static str),
    May(&'static str),
}

impl Need {
    fn clause(self) -> &'static str {
        match self {
            Self::Must(clause) | Self::Should(clause) | Self::May(clause) => clause,
        }
    }
}

impl Report {
    fn group(&mut self, at: &str, members: &Map<String, Value>, kind: NodeKind) {
        let demanded: &[&str] = match kind {
            NodeKind::Image => &["multiscales"],
            NodeKind::Plate => &["plate"],
            NodeKind::Well => &["well"],
            NodeKind::Bioformats2raw => &["bioformats2raw.layout"],
            NodeKind::Series => &["series"],
            NodeKind::Labels => &["labels"],
            // The text also demands multiscales beside image-label; its own test cases leave them out, because
            // each schema sees one member.
            NodeKind::Label => &["image-label"],
            NodeKind::Scene => &["scene"],
            NodeKind::Other => &[],
        };
        for name in demanded {
            if !members.contains_key(*name) {
                self.must(&format!("{at}/{name}"), "metadata", "missing, expected in this group".into());
            }
        }
        for (name, value) in members {
            let at = format!("{at}/{name}");
            match name.as_str() {
                "multiscales" => self.multiscales(&at, value),
                "omero" => self.omero(&at, value),
                "plate" => self.plate(&at, value),
                "well" => self.well(&at, value),
                "bioformats2raw.layout" => self.bioformats2raw(&at, value),
                "series" => self.paths(&at, value, "bf2raw"),
                "labels" => self.paths(&at, value, "labels-md"),
                "image-label" => self.image_label(&at, value),
                "scene" if self.version >= Version::V06 => self.scene(&at, value),
                _ => {}
            }
        }
    }

    fn must(&mut self, path: &str, clause: &'static str, message: String) {
        self.add(Severity::Must, path, clause, message);
    }

    fn should(&mut self, path: &str, clause: &'static str, message: String) {
        self.add(Severity::Should, path, clause, message);
    }

    fn add(&mut self, severity: Severity, path: &str, clause: &'static str, message: String) {
        /// A hostile document must not make a report larger than itself.
        const MOST: usize = 1000;
        if self.findings.len() < MOST {
            self.findings.push(Finding::new(severity, path, clause, message));
        }
    }

    fn wrong(&mut self, at: &str, clause: &'static str, value: &Value, expected: &str) {
        self.must(at, clause, format!("found {}, expected {expected}", shorten(value)));
    }

    /// The member `name` as `read` sees it. Reports a member that is needed and missing, or is something else.
    fn member<'a, T>(
        &mut self,
        at: &str,
        object: &'a Map<String, Value>,
        name: &str,
        need: Need,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let at = format!("{at}/{name}");
        let Some(value) = object.get(name) else {
            match need {
                Need::Must(clause) => self.must(&at, clause, format!("missing, expected {expected}")),
                Need::Should(clause) => self.should(&at, clause, format!("missing, expected {expected}")),
                Need::May(_) => {}
            }
            return None;
        };
        let read = read(value);
        if read.is_none() {
            self.wrong(&at, need.clause(), value, expected);
        }
        read
    }

    fn object<'a>(
        &mut self,
        at: &str,
        clause: &'static str,
        value: &'a Value,
    ) -> Option<&'a Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.wrong(at, clause, value, "an object");
        }
        object
    }

    fn string<'a>(
        &mut self,
        at: &str,
        object: &'a Map<String, Value>,
        name: &str,
        need: Need,
    ) -> Option<&'a str> {
        self.member(at, object, name, need, "a string", Value::as_str)
    }

    fn array<'a>(
        &mut self,
        at: &str,
        object: &'a Map<String, Value>,
        name: &str,
        need: Need,
    ) -> Option<&'a [Value]> {
        let items = self.member(at, object, name, need, "an array", Value::as_array)?;
        Some(items)
    }

    /// As [`Report::array`], and with at least one entry, each different.
    fn items<'a>(
        &mut self,
        at: &str,
        object: &'a Map<String, Value>,
        name: &str,
        need: Need,
    ) -> Option<&'a [Value]> {
        let items = self.array(at, object, name, need)?;
        let clause = need.clause();
        let at = format!("{at}/{name}");
        if items.is_empty() {
            self.must(&at, clause, "empty, expected at least one entry".into());
        }
        self.unique(&at, clause, "entry", items.iter().map(Value::to_string));
        Some(items)
    }

    fn unique(&mut self, at: &str, clause: &'static str, what: &str, keys: impl Iterator<Item = String>) {
        let mut seen = std::collections::HashMap::new();
        for (index, key) in keys.enumerate() {
            if let Some(first) = seen.insert(key, index) {
                self.must(&format!("{at}/{index}"), clause, format!("{what} is the same as that of {first}"));
            }
        }
    }
}
