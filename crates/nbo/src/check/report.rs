//! What a check finds, and how it is told.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use serde::Serialize;

use crate::catalogue;

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Name of the policy.
    pub policy: String,
    /// What was found, in record order.
    pub findings: Vec<Finding>,
    /// How much of each tier is filled, for the policy's extensions.
    pub coverage: Vec<Coverage>,
}

impl Report {
    /// The number of findings of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|f| f.severity == severity).count()
    }

    /// Whether the record satisfies the policy: no errors. Where nothing was asked of it there is one that says so.
    pub fn passes(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// The findings of at least this weight as lines for a reader, in record order: the same finding on every plane,
    /// channel or image is one line with a count. Parts of the microscope have a line each, for each has to be found.
    pub fn lines(&self, least: Severity) -> Vec<Line<'_>> {
        let mut known: HashMap<Alike, usize> = HashMap::new();
        let mut lines: Vec<Line> = Vec::new();
        for finding in self.findings.iter().filter(|f| f.severity >= least) {
            match known.entry(Alike::of(finding)) {
                Entry::Occupied(at) => lines[*at.get()].count += 1,
                Entry::Vacant(at) => {
                    at.insert(lines.len());
                    lines.push(Line { finding, count: 1 });
                }
            }
        }
        lines
    }
}

/// One thing that the check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// Which kind of demand it belongs to.
    pub rule: Rule,
    /// The class of the object.
    pub class: String,
    /// The attribute or child.
    pub field: String,
    /// The object: the identifiers from the top of the record down.
    pub at: String,
    /// The object by what people know it by: class, Name and maker.
    pub part: String,
    /// What is wrong, and what to fill in.
    pub message: String,
    /// The listed value that may have been meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<&'static str>,
    /// The tier of the field, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    /// The extension of the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<&'static str>,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Not as the standard advises.
    Warning,
    /// Not as the policy demands.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Kinds of demand.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// A field in scope has no value.
    Missing,
    /// A field holds a placeholder.
    Sentinel,
    /// A field holds something of the wrong form.
    Malformed,
    /// A listed value in another spelling.
    Spelling,
    /// A value that physics forbids, or that another value contradicts.
    Impossible,
    /// A value stands without its unit.
    Unit,
    /// A filled field that the policy does not ask for.
    BeyondScope,
    /// An object is missing.
    Structure,
    /// A reference points nowhere or to the wrong class.
    Reference,
    /// An identifier stands for two objects.
    Identity,
    /// Something that the model does not know.
    Unknown,
    /// A demand of the policy itself.
    Policy,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Missing => "missing",
            Self::Sentinel => "placeholder",
            Self::Malformed => "malformed",
            Self::Spelling => "spelling",
            Self::Impossible => "impossible",
            Self::Unit => "no unit",
            Self::BeyondScope => "not asked for",
            Self::Structure => "no such part",
            Self::Reference => "reference",
            Self::Identity => "not unique",
            Self::Unknown => "not in NBO",
            Self::Policy => "policy",
        })
    }
}

/// How much of what a tier asks of the objects in a record is filled.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Coverage {
    /// The tier; lower tiers are included.
    pub tier: u8,
    /// MUST fields that are filled.
    pub must_filled: usize,
    /// MUST fields.
    pub must: usize,
    /// SHOULD fields that are filled.
    pub should_filled: usize,
    /// SHOULD fields.
    pub should: usize,
}

/// A finding, and how often the record has it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Line<'a> {
    /// The first of them.
    pub finding: &'a Finding,
    /// How many there are.
    pub count: usize,
}

/// What findings of one line have in common.
#[derive(Eq, Hash, PartialEq)]
struct Alike<'a> {
    severity: Severity,
    rule: Rule,
    class: &'a str,
    field: &'a str,
    message: &'a str,
    /// Of hardware alone, which is listed part by part.
    at: &'a str,
}

impl<'a> Alike<'a> {
    fn of(finding: &'a Finding) -> Self {
        let hardware =
            catalogue::class(&finding.class).is_some_and(|c| c.domain == "MicroscopeHardwareSpecifications");
        Self {
            severity: finding.severity,
            rule: finding.rule,
            class: &finding.class,
            field: &finding.field,
            message: &finding.message,
            at: if hardware { &finding.at } else { "" },
        }
    }
}
