//! Older schema versions brought to 2016-06.

use std::fmt;

use crate::schema::SchemaVersion;
use crate::tree::Element;

/// One thing that the upgrade did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// What was done.
    pub what: String,
    /// How often.
    pub count: usize,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.count)
    }
}

/// Brings the elements of one document to 2016-06.
#[derive(Clone, Debug)]
pub(crate) struct Upgrade {
    from: SchemaVersion,
}

impl Upgrade {
    pub(crate) fn new(from: SchemaVersion) -> Self {
        Self { from }
    }

    /// A `Plane` or `TiffData`.
    pub(crate) fn bulk<'a>(&self, element: Element<'a>) -> Element<'a> {
        let _ = self.from;
        element
    }
}
