//! The words by which an attribute is classified: extension, requirement level, type.

use std::fmt;

/// One of the four extensions of the model. Core belongs to every check.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Extension {
    /// What OME 2016-06 also has.
    Core,
    /// Basic light microscopy.
    Basic,
    /// Advanced and confocal microscopy.
    Advanced,
    /// Calibration and performance.
    Calibration,
}

impl Extension {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Core, Self::Basic, Self::Advanced, Self::Calibration];

    /// The extension of this name, as the standard or a command line writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "core" => Some(Self::Core),
            "basic" => Some(Self::Basic),
            "advanced" | "confocal" | "advanced+confocal" => Some(Self::Advanced),
            "calibration" | "calibration and performance" => Some(Self::Calibration),
            _ => None,
        }
    }

    /// The name as the standard writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "Core",
            Self::Basic => "Basic",
            Self::Advanced => "Advanced+Confocal",
            Self::Calibration => "Calibration and Performance",
        }
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How strongly a field is demanded once it is in scope.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Requirement {
    /// Has to be filled.
    Must,
    /// Is recommended.
    Should,
    /// One of several children has to be there.
    Choice,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Choice => "CHOICE",
        })
    }
}

/// What values an attribute takes, before its value list.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(missing_docs)]
pub enum Base {
    Str,
    Float,
    PositiveFloat,
    /// 0 to 1.
    Fraction,
    Bool,
    Int,
    NonNegativeInt,
    PositiveInt,
    /// xsd:date: no time.
    Date,
    DateTime,
    Uri,
    /// `urn:uuid:…`.
    UuidUrn,
    Hex,
}

impl Base {
    /// Whether the values are numbers.
    pub fn is_number(self) -> bool {
        self.is_integer() || matches!(self, Self::Float | Self::PositiveFloat | Self::Fraction)
    }

    /// Whether the values are whole numbers.
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Int | Self::NonNegativeInt | Self::PositiveInt)
    }
}

/// Whether an attribute is a value or the unit of one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// A value of its own.
    Value,
    /// The unit of the attribute whose [`Attribute::unit`] names it. Has no tier of its own (R8).
    Unit,
    /// A unit whose name fits no value's name (finding C4); counted as a field by the standard's tables.
    OrphanUnit,
}

/// What an element holds besides attributes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Content {
    /// The children of its slots.
    Elements,
    /// Text.
    Text,
    /// Anything: the schema gives no type.
    Any,
}
