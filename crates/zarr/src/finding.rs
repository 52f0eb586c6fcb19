//! What a judge says: one broken rule, where, how strong, and what would mend it.

use std::fmt;

/// One rule that metadata breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Whether the specification demands or recommends it.
    pub severity: Severity,
    /// JSON pointer into the document that was judged.
    pub path: String,
    /// Section of the specification.
    pub clause: &'static str,
    /// What was found, and what was expected.
    pub message: String,
    /// What would mend it.
    pub remedy: String,
}

/// How strong a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A recommendation, or what readers are known to need where the specification is silent.
    Should,
    /// A demand: metadata that breaks it is not valid.
    Must,
}

impl Finding {
    /// A finding whose remedy is what its message says was expected: `…, expected …`.
    pub fn new(
        severity: Severity,
        path: impl Into<String>,
        clause: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        let remedy = match message.rsplit_once("expected ") {
            Some((found, expected))
                if ["missing", "there is no", "no "].iter().any(|s| found.starts_with(s)) =>
            {
                format!("add {expected}")
            }
            Some((_, expected)) => format!("make it {expected}"),
            None => "follow the clause".into(),
        };
        Self { severity, path: path.into(), clause, message, remedy }
    }

    /// A broken demand.
    pub fn must(path: impl Into<String>, clause: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Must, path, clause, message)
    }

    /// A broken recommendation.
    pub fn should(path: impl Into<String>, clause: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Should, path, clause, message)
    }

    /// The same finding with a remedy in words of its own.
    #[must_use]
    pub fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} ({})", self.severity, self.path, self.message, self.clause)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
        })
    }
}
