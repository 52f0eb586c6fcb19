//! What the user can choose.

use fairzarr_digest::FileAlgorithm;
use fairzarr_nbo::check::Policy;
use fairzarr_nbo::ingest::Mapping;
use fairzarr_ngff::from_ome;
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::Codec;
use fairzarr_provenance::Sidecar;
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::labels::{Inputs, LabelFile};

/// Choices for one conversion. How many threads it uses, how much memory, and how it is stopped, is said by its
/// [`Job`](fairzarr_task::Job); what becomes of planes that the files lack, by how the fileset was opened.
///
/// ```
/// use fairzarr_convert::{ChunkChoice, Options};
///
/// let mut options = Options::default();
/// options.chunk = ChunkChoice::Size(256, 256);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "choices that do not depend on each other")]
pub struct Options {
    /// NGFF version of the output.
    pub version: fairzarr_ngff::Version,
    /// Where images lie in the hierarchy.
    pub layout: Layout,
    /// Compression of chunks.
    pub codec: Codec,
    /// Sizes of chunks; chunks hold one plane.
    pub chunk: ChunkChoice,
    /// Whether chunks are gathered into shards (NGFF 0.5 and later).
    pub shard: ShardChoice,
    /// Where the reduced levels come from.
    pub pyramid: PyramidChoice,
    /// How samples of computed levels are made.
    pub downsample: Downsample,
    /// What becomes of regions of interest, beside the OME-XML that keeps them.
    pub rois: RoiChoice,
    /// Files of label images beside the source.
    pub labels: Vec<LabelFile>,
    /// Where images lie.
    pub positions: PositionChoice,
    /// Where the time between time points comes from.
    pub time_scale: TimeChoice,
    /// Which axes of length 1 images do not get.
    pub drop_axes: DropAxes,
    /// Computed levels are added until both sides are at most this many pixels.
    pub smallest_level: u32,
    /// Decodes also tiles that are moved as they are. Otherwise nothing is learnt of their samples: no level is computed
    /// from them, there are no statistics, and the recorded digests are those of the stored bytes.
    pub decode: bool,
    /// Which checksum of the source's files is computed and recorded.
    pub source_checksum: Option<FileAlgorithm>,
    /// Leaves out chunks that hold only zeros.
    pub omit_empty: bool,
    /// Copies the metadata of all nodes to the root, for readers that cannot list what is in a group.
    pub consolidated: bool,
    /// How samples of OME type `bit` are stored.
    pub bit: BitType,
    /// What to do about an output that exists.
    pub existing: Existing,
    /// With [`Existing::Overwrite`]: removes the old store before the new one is written, also where it could stay until the
    /// new one is whole. In object stores, where it cannot, nothing is replaced without this.
    pub in_place: bool,
    /// Ignore the leases of writers that crashed: processes that were killed while they wrote to an object store leave
    /// theirs behind.
    pub take_over: bool,
    /// Documents on microscope, acquisition and quality control.
    pub sidecars: Vec<Sidecar>,
    /// How sidecars are read that are of no known form.
    pub mapping: Option<Mapping>,
    /// What the NBO record is checked by; the baseline where there is none.
    pub policy: Option<Policy>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version: fairzarr_ngff::Version::V05,
            layout: Layout::Auto,
            codec: Codec::BALANCED,
            chunk: ChunkChoice::default(),
            shard: ShardChoice::Auto,
            pyramid: PyramidChoice::Computed,
            downsample: Downsample::Mean,
            rois: RoiChoice::Metadata,
            labels: Vec::new(),
            positions: PositionChoice::Origin,
            time_scale: TimeChoice::Increment,
            drop_axes: DropAxes::None,
            smallest_level: 256,
            decode: true,
            source_checksum: Some(FileAlgorithm::Sha256),
            omit_empty: false,
            consolidated: true,
            bit: BitType::Uint8,
            existing: Existing::Refuse,
            in_place: false,
            take_over: false,
            sidecars: Vec::new(),
            mapping: None,
            policy: None,
        }
    }
}

impl Options {
    /// What is read by a conversion of `source`.
    pub(crate) fn inputs<'a>(&'a self, source: &'a Fileset) -> Inputs<'a> {
        Inputs { source, labels: &self.labels }
    }
}

/// Axes of length 1 that images do not get.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DropAxes {
    /// Images have t, c, z, y and x, whatever their lengths.
    #[default]
    None,
    /// Each of t, c and z that has the length 1, image by image.
    All,
    /// These, among `t`, `c` and `z`. An image where one of them is longer is refused.
    Of(Vec<char>),
}

impl DropAxes {
    /// The axes that may be left out.
    pub fn names(&self) -> &[char] {
        match self {
            Self::None => &[],
            Self::All => &['t', 'c', 'z'],
            Self::Of(axes) => axes,
        }
    }
}

impl fmt::Display for DropAxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::All => f.write_str("all"),
            Self::Of(axes) => {
                f.write_str(&axes.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// Placement of images.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One image at the root; a plate as a plate; several images as `bioformats2raw`.
    #[default]
    Auto,
    /// The one image at the root.
    Image,
    /// Images as groups `0`, `1`, … of a root with `bioformats2raw.layout`.
    Bioformats2raw,
}

/// Sizes of chunks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChunkChoice {
    /// Height and width in pixels.
    Size(u32, u32),
    /// At levels that the source holds those of its tiles or strips, which are moved as they are where every reader of Zarr
    /// can read them; else, and at computed levels, encoded as the codec says.
    Source,
}

impl Default for ChunkChoice {
    fn default() -> Self {
        Self::Size(512, 512)
    }
}

/// Reduced levels.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PyramidChoice {
    /// Are computed: each has half the height and width of the one before, see [`Downsample`].
    #[default]
    Computed,
    /// Are those that the source holds; of images that have none, computed.
    Source,
    /// Are left out.
    None,
}

/// How four samples, two by two in y and x, become one of the next level. At an odd edge the last row or column counts twice.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Downsample {
    /// Their mean; of integers rounded half up.
    #[default]
    Mean,
    /// The first of them, upper left; the level lies where that sample lies, not in the middle of the four.
    Nearest,
    /// The one that occurs most often; of several, the first in reading order. For labels and masks.
    Mode,
    /// The largest; what is not a number is passed over. Complex samples have none.
    Max,
}

impl Downsample {
    /// What is done, in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Mean => "2x2 mean in y and x, integers rounded half up",
            Self::Nearest => "the upper left of 2x2 samples in y and x",
            Self::Mode => {
                "the most frequent of 2x2 samples in y and x, of several the first in reading order"
            }
            Self::Max => "the largest of 2x2 samples in y and x",
        }
    }
}

/// Regions of interest.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoiChoice {
    /// Stay in the OME-XML alone.
    #[default]
    Metadata,
    /// Become label images as well, as `fairzarr_rois` says.
    Labels,
}

/// Where images lie.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PositionChoice {
    /// Each at the origin of its own coordinates.
    #[default]
    Origin,
    /// Where its first plane, or the field of its plate, was on the stage: as translation of all its levels.
    Stage,
    /// The same as a scene of NGFF 0.6: each at its own origin, and a translation into a coordinate system of the stage.
    Scene,
}

/// Where the time between time points comes from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeChoice {
    /// From `TimeIncrement` alone.
    #[default]
    Increment,
    /// From `DeltaT` of planes as well, where there is no `TimeIncrement` and time points follow each other in equal steps.
    DeltaT,
}

impl TimeChoice {
    /// What is known of an image, with the time between its time points as it is chosen.
    pub(crate) fn described(self, image: fairzarr_ome_xml::Image) -> fairzarr_ome_xml::Image {
        match self {
            Self::Increment => image,
            Self::DeltaT => from_ome::with_delta_t(image),
        }
    }
}

/// Gathering of chunks into shards.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ShardChoice {
    /// Shards when there would be very many objects otherwise.
    #[default]
    Auto,
    /// Shards of this height and width, in pixels, rounded up to whole chunks. Reduced levels may have smaller ones.
    Size(u32, u32),
    /// One object per chunk.
    None,
}

/// Data type of the arrays for OME type `bit`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BitType {
    /// Zarr `uint8`, 0 or 1: every viewer shows it.
    #[default]
    Uint8,
    /// Zarr `bool`: says more, shown by few.
    Bool,
}

/// An output that exists.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Existing {
    /// Is an error.
    #[default]
    Refuse,
    /// Is replaced when the new one is whole, or, with [`Options::in_place`], removed first.
    Overwrite,
    /// Is an interrupted conversion to be finished.
    Resume,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Image => "image",
            Self::Bioformats2raw => "bioformats2raw",
        })
    }
}

impl fmt::Display for ChunkChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(height, width) => write!(f, "{height},{width}"),
            Self::Source => f.write_str("source"),
        }
    }
}

impl fmt::Display for PyramidChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Computed => "computed",
            Self::Source => "source",
            Self::None => "none",
        })
    }
}

impl fmt::Display for Downsample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::Nearest => from_ome::NEAREST,
            Self::Mode => "mode",
            Self::Max => "max",
        })
    }
}

impl fmt::Display for RoiChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "metadata",
            Self::Labels => "labels",
        })
    }
}

impl fmt::Display for PositionChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Origin => "origin",
            Self::Stage => "stage",
            Self::Scene => "scene",
        })
    }
}

impl fmt::Display for TimeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Increment => "increment",
            Self::DeltaT => "delta-t",
        })
    }
}

impl fmt::Display for ShardChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Size(height, width) => write!(f, "{height},{width}"),
            Self::None => f.write_str("none"),
        }
    }
}

impl fmt::Display for BitType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uint8 => "uint8",
            Self::Bool => "bool",
        })
    }
}
