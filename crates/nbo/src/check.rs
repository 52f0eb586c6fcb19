//! The three-axis check: tier, extensions and requirement level, by the rules R1 to R10.
//!
//! | Rule | |
//! |---|---|
//! | R1 | tiers are cumulative: Tier 2 asks for fields tagged 1 or 2 |
//! | R2 | extensions are a set, Core always in it; an attribute's own extension wins over its element's |
//! | R3 | MUST counts as soon as a field comes into scope, SHOULD is advice unless the level asks for it |
//! | R4 | a MUST attribute is demanded of objects that exist; existence is demanded by the content model |
//! | R5 | an attribute's own tier counts inside an object that exists ([`Policy::element_tier`] to change it) |
//! | R6 | what has no tier is outside the matrix ([`Policy::untiered`] to change it) |
//! | R7 | tier 4 is read as 2 |
//! | R8 | a unit is in scope exactly when its value is; identifiers and references always are |
//! | R9 | where schema and spreadsheet differ the schema holds ([`Policy::tables`] to change it) |
//! | R10 | empty, `999`, `NA`, `unknown` are not values |
//!
//! A published NBO schema validator answers another question: it asks for Tier 3 of every extension.

mod policy;
mod rules;

use std::fmt;

use serde::Serialize;

use crate::catalogue::{self, Attribute, Extension, Kind, Requirement};
use crate::record::Record;

pub use policy::{Enforce, Level, Policy, Tables, Untiered};

/// Checks a record.
pub fn check(record: &Record, policy: &Policy) -> Report {
    rules::check(record, policy)
}

/// The attributes that a policy asks for, in schema order: the dictionary, not the demands on a record,
/// which is asked only for the fields of the objects it has. Units are not counted.
pub fn fields(policy: &Policy) -> impl Iterator<Item = &'static Attribute> {
    let (tables, untiered) = (policy.tables, policy.untiered);
    let (tier, extensions, level) = (policy.tier, policy.extensions.clone(), policy.level);
    catalogue::attributes().iter().filter(move |a| {
        let own = match a.tier_by(tables == Tables::Spreadsheet) {
            0 if untiered == Untiered::Tier1 => 1,
            own => own,
        };
        let must = a.requirement_by(tables == Tables::Spreadsheet) == Requirement::Must;
        a.kind != Kind::Unit
            && (1..=tier).contains(&own)
            && extensions.contains(&a.extension)
            && (must || level == Level::Should)
    })
}

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

    /// Whether the record satisfies the policy: no errors.
    pub fn passes(&self) -> bool {
        self.count(Severity::Error) == 0
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
    /// What is wrong, and what to fill in.
    pub message: String,
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

/// The set of extensions of a list of names, Core always included.
///
/// # Errors
/// [`crate::Error::Argument`] for a name that is none of the four.
pub fn extensions<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Extension>, crate::Error> {
    let mut found = vec![Extension::Core];
    for name in names {
        let all = name.trim().eq_ignore_ascii_case("all");
        let one = Extension::from_name(name);
        match (all, one) {
            (true, _) => found.extend(Extension::ALL),
            (_, Some(extension)) => found.push(extension),
            (false, None) => {
                return Err(crate::Error::Argument {
                    what: "extension",
                    found: name.to_owned(),
                    expected: "core, basic, advanced, calibration or all",
                });
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
