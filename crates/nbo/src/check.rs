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
//! | R10 | empty, `999`, `NA`, `unknown`, `TBD`, `-` and their like are not values |
//!
//! And besides, whatever the place on the axes: nothing asked or nothing found never passes; every record that holds an
//! image or an instrument needs a stand, a light source, an objective and a detector; a reference to nothing is an
//! error; so is a value that physics forbids.
//!
//! A published NBO schema validator answers another question: it asks for Tier 3 of every extension.

mod context;
mod contradictions;
mod demands;
mod hint;
mod nearest;
mod part;
mod physics;
mod policy;
mod references;
mod report;
mod rules;
mod structure;

use crate::catalogue::{self, Attribute, Kind, Requirement};
use crate::record::Record;

pub use policy::{Enforce, Level, Policy, Tables, Untiered, extensions};
pub use report::{Coverage, Finding, Line, Report, Rule, Severity};

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
