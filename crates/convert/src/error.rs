//! What can stop a conversion.

use crate::labels::LabelNameError;
use crate::plan::settings::{Setting, Settings};

/// An error of a conversion; the message says what was being done, the source says why it failed. No message names an option
/// of a program: whoever shows an error knows how its choices are called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source cannot be read, or does not hold what its OME-XML promises.
    #[error(transparent)]
    Source(#[from] fairzarr_ome_tiff::Error),
    /// The OME-XML cannot be turned into what the output needs.
    #[error(transparent)]
    Xml(#[from] fairzarr_ome_xml::Error),
    /// The output cannot be written.
    #[error(transparent)]
    Store(fairzarr_store::Error),
    /// The output cannot be written as an OME-Zarr.
    #[error(transparent)]
    Zarr(#[from] fairzarr_ome_zarr::Error),
    /// Provenance cannot be used, or is refused by a policy.
    #[error(transparent)]
    Provenance(#[from] fairzarr_provenance::Error),
    /// NGFF metadata cannot be made.
    #[error(transparent)]
    Metadata(#[from] fairzarr_ngff::Error),
    /// The document of an array cannot be made.
    #[error(transparent)]
    ArrayDocument(#[from] fairzarr_zarr::Error),
    /// Something is at the output's place already.
    #[error("{0} exists already")]
    Exists(String),
    /// What was to be resumed is complete.
    #[error("{0} is complete")]
    Complete(String),
    /// Complex samples have no order.
    #[error("image {0} has complex samples, of which none is the largest: its levels cannot be made so")]
    NoLargest(usize),
    /// A version of NGFF that has no scenes.
    #[error("NGFF {0} has no scenes, expected 0.6")]
    NoScenes(String),
    /// Images that no common coordinate system can hold.
    #[error(
        "image {image} has other axes, or units of them, than image {first}: no coordinate system can hold both"
    )]
    OtherAxes {
        /// The image's number.
        image: usize,
        /// The number of the first image that has a place.
        first: usize,
    },
    /// An axis that is longer than 1 was to be left out.
    #[error("image {image}: axis {axis} has the length {length}; only axes of length 1 can be left out")]
    AxisInUse {
        /// The image's number.
        image: usize,
        /// `t`, `c` or `z`.
        axis: char,
        /// Its length.
        length: u32,
    },
    /// The regions of an image cannot be painted.
    #[error("regions of image {image}: {reason}")]
    Rois {
        /// Its number.
        image: usize,
        /// What was found, and expected.
        reason: String,
    },
    /// Label images cannot have that name.
    #[error(transparent)]
    LabelName(#[from] LabelNameError),
    /// The files of label images do not fit the source.
    #[error("labels {name}: {reason}")]
    Labels {
        /// The name of the label images.
        name: String,
        /// What was found, and expected.
        reason: String,
    },
    /// Another process is writing there.
    #[error("{place} is being written to: {reason}")]
    Running {
        /// The output's place.
        place: String,
        /// How that is known.
        reason: String,
        /// Whether only a person can say that the other process has ended.
        unknown: bool,
    },
    /// Another process has taken over what this one was doing; nothing more was written.
    #[error("another process has taken over what was being written to {0}; nothing more was written")]
    TakenOver(String),
    /// What is at the output's place must not be replaced, asked or not.
    #[error("{place} is not removed: {reason}")]
    NotRemoved {
        /// The output's place.
        place: String,
        /// Why it is kept.
        reason: String,
    },
    /// A whole store is at the output's place, where no other can be written beside it and take its place at once.
    #[error("{0} cannot stay until another store is whole: no other can take its place there at once")]
    NotExchanged(String),
    /// There is nothing to resume, or it cannot be resumed.
    #[error("cannot resume: {0}")]
    Resume(String),
    /// The files of the source are not those that the conversion was planned for.
    #[error("this is another source than the conversion was planned for: {0}")]
    OtherSource(String),
    /// A file of the source changed since the conversion was planned or begun; what was written is of no one state of it.
    #[error("{file} has changed since the conversion began: {what}; the output is not finished")]
    SourceChanged {
        /// The file's path or URL.
        file: String,
        /// How that is known.
        what: String,
    },
    /// The interrupted conversion was made by other settings.
    #[error("cannot resume: the conversion that was interrupted at {place} had other settings")]
    Settings {
        /// The output's place.
        place: String,
        /// Those of the interrupted conversion.
        earlier: Box<Settings>,
        /// Which of them are others now.
        differences: Vec<Setting>,
    },
    /// There is no plan at the output's place.
    #[error("there is no plan at {0}")]
    NoPlan(String),
    /// The parts of a split conversion are not all there.
    #[error("cannot commit: {0}")]
    Incomplete(String),
    /// What is at the output's place is damaged.
    #[error("{key} in {place} is damaged: {reason}")]
    Damaged {
        /// The output's place.
        place: String,
        /// The object.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No chunk has this size.
    #[error("a chunk of {0} x {1} pixels cannot be made; 512 x 512 suits most viewers")]
    ChunkSize(u32, u32),
    /// Tiles are not to be decoded, and something needs their samples.
    #[error("only tiles that are moved need not be decoded, and no level can be computed from them")]
    NeedsSamples,
    /// Zarr has this codec in version 2 only.
    #[error("codec {0} exists in Zarr v2 (NGFF 0.4) only; use gzip, zstd or blosc for NGFF {1}")]
    CodecNeedsZarr2(String, String),
    /// One image was asked for at the root, and the source holds another number of them.
    #[error("the source holds {0} images, and exactly one can lie at the root")]
    NotOneImage(usize),
    /// The memory does not suffice.
    #[error("this source needs {needed} MiB of memory for its pixels, {allowed} are allowed")]
    Memory {
        /// MiB that are needed.
        needed: u64,
        /// MiB that are allowed.
        allowed: u64,
    },
    /// A bug of this library: something that cannot be.
    #[error("internal error: {0}")]
    Bug(String),
    /// Threads could not do the work.
    #[error(transparent)]
    Task(#[from] fairzarr_task::Error),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl From<fairzarr_store::Error> for Error {
    fn from(error: fairzarr_store::Error) -> Self {
        match error {
            fairzarr_store::Error::Running { location, reason, unknown } => {
                Self::Running { place: location, reason, unknown }
            }
            fairzarr_store::Error::TakenOver { location } => Self::TakenOver(location),
            error => Self::Store(error),
        }
    }
}

impl From<fairzarr_task::Interrupted> for Error {
    fn from(_: fairzarr_task::Interrupted) -> Self {
        Self::Interrupted
    }
}
