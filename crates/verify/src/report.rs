//! The outcome of a verification.

use serde::Serialize;
use std::fmt;

/// What was proved, and what differs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// One entry per proof that was attempted, in order.
    pub checks: Vec<Check>,
}

/// One proof.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What was proved: `pixels`, `documents`, `structure`, `metadata`, `derivation`.
    pub name: &'static str,
    /// How much was compared, in words.
    pub covered: String,
    /// Everything that differs; empty when the proof holds.
    pub differences: Vec<Difference>,
}

/// One difference between source and store.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// Where: image, plane, tile; or a document's name.
    pub place: String,
    /// What the source says.
    pub expected: String,
    /// What the store says.
    pub found: String,
}

impl Report {
    /// Whether every proof holds.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.differences.is_empty())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.place, self.expected, self.found)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let verdict = match check.differences.len() {
                0 => "equal".into(),
                1 => "1 DIFFERENCE".into(),
                n => format!("{n} DIFFERENCES"),
            };
            writeln!(f, "{:<10} {verdict}: {}", check.name, check.covered)?;
            for difference in &check.differences {
                writeln!(f, "  {difference}")?;
            }
        }
        Ok(())
    }
}
