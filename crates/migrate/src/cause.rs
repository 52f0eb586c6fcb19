//! Why a dataset could not be migrated, by class: what a steward counts, and what a second run may try again.

use fairzarr::{convert, ome_tiff, ome_zarr, open, provenance, store, verify};
use std::fmt;
use std::str::FromStr;

use crate::error::chain;

/// Why a dataset is not done, by whom it concerns.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Class {
    /// Named like an image, and neither TIFF nor OME-XML.
    NotTiff,
    /// The file is broken: truncated, a chain of directories or a tile that cannot be read.
    Damaged,
    /// The OME-XML is broken or says what cannot be.
    Metadata,
    /// Planes or files that the metadata promise are not there.
    Missing,
    /// Stored in a way that this program cannot read.
    Unsupported,
    /// The storage does not give the file.
    Unreadable,
    /// The source is not what it was when the dataset was done, or changed during the conversion.
    Changed,
    /// Something else is at the target's place.
    Exists,
    /// Another process writes to the target.
    Busy,
    /// The target cannot be written.
    Output,
    /// The network or a server failed, also after several attempts.
    Network,
    /// The memory does not suffice.
    Memory,
    /// The policy refuses the record.
    Policy,
    /// The store breaks demands of the specification.
    Invalid,
    /// The store does not hold what the source holds.
    Difference,
    /// A sidecar cannot be read.
    Sidecar,
    /// The settings do not fit the source.
    Settings,
    /// The job was stopped.
    Interrupted,
    /// A bug of this program.
    Internal,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 19] = [
        Self::NotTiff,
        Self::Damaged,
        Self::Metadata,
        Self::Missing,
        Self::Unsupported,
        Self::Unreadable,
        Self::Changed,
        Self::Exists,
        Self::Busy,
        Self::Output,
        Self::Network,
        Self::Memory,
        Self::Policy,
        Self::Invalid,
        Self::Difference,
        Self::Sidecar,
        Self::Settings,
        Self::Interrupted,
        Self::Internal,
    ];

    /// Its name in the state, in reports and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotTiff => "not-tiff",
            Self::Damaged => "damaged",
            Self::Metadata => "metadata",
            Self::Missing => "missing",
            Self::Unsupported => "unsupported",
            Self::Unreadable => "unreadable",
            Self::Changed => "changed",
            Self::Exists => "exists",
            Self::Busy => "busy",
            Self::Output => "output",
            Self::Network => "network",
            Self::Memory => "memory",
            Self::Policy => "policy",
            Self::Invalid => "invalid",
            Self::Difference => "difference",
            Self::Sidecar => "sidecar",
            Self::Settings => "settings",
            Self::Interrupted => "interrupted",
            Self::Internal => "internal",
        }
    }

    /// Whether a later run tries again by itself: the cause lies outside of source, settings and target.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Output | Self::Network | Self::Memory | Self::Interrupted | Self::Unreadable
        )
    }

    fn of_store(error: &store::Error) -> Self {
        match error.class() {
            store::Class::Throttled | store::Class::Transient => Self::Network,
            _ => Self::Output,
        }
    }

    /// Of a store that is read to be proved: what its objects are is a difference, what keeps them from being read is none.
    fn of_proof(error: &store::Error) -> Self {
        match error.class() {
            store::Class::NotFound
            | store::Class::Truncated
            | store::Class::Damaged
            | store::Class::Usage
            | store::Class::Unsupported => Self::Difference,
            _ => Self::of_store(error),
        }
    }

    fn of_source(error: &ome_tiff::Error) -> Self {
        use ome_tiff::{ChunkError, Error};
        match error {
            Error::Io { source, .. } | Error::Chunk { source: ChunkError::Io(source), .. } => {
                match source.kind() {
                    std::io::ErrorKind::UnexpectedEof => Self::Damaged,
                    _ => Self::Unreadable,
                }
            }
            Error::NotTiff { .. } => Self::NotTiff,
            Error::Xml { .. } | Error::Document { .. } | Error::Mismatch { .. } => Self::Metadata,
            Error::MissingFile { .. } | Error::MissingPlanes { .. } | Error::MissingPlane { .. } => {
                Self::Missing
            }
            Error::Unsupported { .. } => Self::Unsupported,
            _ => Self::Damaged,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|class| class.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|class| class.name()).collect();
            format!("{text:?} is none of {}", names.join(", "))
        })
    }
}

/// Why one dataset is not done.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// By class.
    pub class: Class,
    /// In words, with file, place, what was found and what was expected.
    pub cause: String,
}

impl Failure {
    pub(crate) fn new(class: Class, cause: impl Into<String>) -> Self {
        Self { class, cause: cause.into() }
    }
}

impl From<ome_tiff::Error> for Failure {
    fn from(error: ome_tiff::Error) -> Self {
        Self::new(Class::of_source(&error), chain(&error))
    }
}

impl From<open::Error> for Failure {
    fn from(error: open::Error) -> Self {
        match error {
            open::Error::Source(error) => error.into(),
            open::Error::Store(error) => match Class::of_store(&error) {
                Class::Network => Self::new(Class::Network, chain(&error)),
                _ => Self::new(Class::Unreadable, chain(&error)),
            },
            error => Self::new(Class::Unreadable, chain(&error)),
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::new(Class::of_store(&error), chain(&error))
    }
}

impl From<convert::Error> for Failure {
    fn from(error: convert::Error) -> Self {
        use convert::Error;
        let class = match &error {
            Error::Source(error) => Class::of_source(error),
            Error::Xml(_) => Class::Metadata,
            Error::Store(error) | Error::Provenance(provenance::Error::Store(error)) => {
                Class::of_store(error)
            }
            Error::Provenance(provenance::Error::Policy { .. }) => Class::Policy,
            Error::Provenance(provenance::Error::Sidecar { .. }) => Class::Sidecar,
            Error::Exists(_)
            | Error::NotExchanged(_)
            | Error::NotRemoved { .. }
            | Error::Resume(_)
            | Error::Settings { .. } => Class::Exists,
            Error::Running { .. } => Class::Busy,
            Error::ChunkSize(..)
            | Error::CodecNeedsZarr2(..)
            | Error::NeedsSamples
            | Error::AxisInUse { .. }
            | Error::NoScenes(_)
            | Error::OtherAxes { .. }
            | Error::NotOneImage(_) => Class::Settings,
            Error::Memory { .. } => Class::Memory,
            Error::Interrupted => Class::Interrupted,
            Error::Bug(_) | Error::Task(_) => Class::Internal,
            _ => Class::Output,
        };
        Self::new(class, chain(&error))
    }
}

impl From<verify::Error> for Failure {
    fn from(error: verify::Error) -> Self {
        use verify::Error;
        let class = match &error {
            Error::Source(error) => Class::of_source(error),
            Error::Xml(_) => Class::Metadata,
            Error::Zarr(ome_zarr::Error::Store(error))
            | Error::Provenance(provenance::Error::Store(error)) => Class::of_proof(error),
            Error::Memory { .. } => Class::Memory,
            Error::Interrupted => Class::Interrupted,
            Error::Task(_) => Class::Internal,
            _ => Class::Difference,
        };
        Self::new(class, chain(&error))
    }
}

/// Of a store that was just written, or proves to be another than the source tells.
impl From<ome_zarr::Error> for Failure {
    fn from(error: ome_zarr::Error) -> Self {
        verify::Error::Zarr(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the machine refuses is no difference: a later run tries again by itself.
    #[test]
    fn a_store_that_cannot_be_read_is_no_difference() {
        let failed = || store::Error::Failed {
            action: "list",
            key: "OME".into(),
            location: "a.zarr".into(),
            class: store::Class::Local,
            source: Box::new(std::io::Error::other("stale file handle")),
        };
        for failure in [
            Failure::from(verify::Error::from(failed())),
            Failure::from(verify::Error::Provenance(provenance::Error::Store(failed()))),
            Failure::from(ome_zarr::Error::Store(failed())),
        ] {
            assert!(failure.class.may_pass(), "{failure:?}");
        }
        let damaged = store::Error::Archive { location: "a.ozx".into(), reason: "it ends early".into() };
        assert_eq!(Failure::from(verify::Error::from(damaged)).class, Class::Difference);
    }
}
