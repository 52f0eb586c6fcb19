//! What shapes the output. A conversion that is resumed, or split between processes, has to be finished by the same
//! settings; threads and memory are free.

use fairzarr_digest::FileAlgorithm;
use fairzarr_ngff::Version;
use fairzarr_ome_tiff::{Fileset, HalfFloats, OnExtraPages, OnMissing};
use fairzarr_ome_zarr::Codec;
use serde::{Deserialize, Serialize};
use std::fmt;

use super::text;
use crate::options::{
    BitType, ChunkChoice, Downsample, DropAxes, Layout, Options, PositionChoice, PyramidChoice, RoiChoice,
    ShardChoice, TimeChoice,
};

/// The settings of a plan.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Settings {
    /// NGFF version.
    #[serde(with = "text")]
    pub ngff: Version,
    /// Where images lie in the hierarchy.
    pub layout: Layout,
    /// Compression of chunks.
    pub codec: Codec,
    /// Sizes of chunks.
    pub chunk: ChunkChoice,
    /// Whether chunks are gathered into shards.
    pub shard: ShardChoice,
    /// Where the reduced levels come from.
    pub pyramid: PyramidChoice,
    /// How samples of computed levels are made.
    pub downsample: Downsample,
    /// What becomes of regions of interest.
    pub rois: RoiChoice,
    /// Names of label images from files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Images of the source that are converted; all of them where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Vec<usize>>,
    /// Time points of the source that are converted; all of them where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timepoints: Option<Vec<u32>>,
    /// Which axes of length 1 images do not have.
    #[serde(default)]
    pub drop_axes: DropAxes,
    /// Where images lie.
    pub positions: PositionChoice,
    /// Where the time between time points comes from.
    pub time_scale: TimeChoice,
    /// Computed levels are added until both sides are at most this many pixels.
    pub smallest_level: u32,
    /// Whether tiles are decoded that are moved as they are.
    pub decode: bool,
    /// Leaves out chunks that hold only zeros.
    pub omit_empty: bool,
    /// Copies the metadata of all nodes to the root.
    pub consolidated: bool,
    /// How samples of OME type `bit` are stored.
    pub bit: BitType,
    /// What becomes of planes that the OME-XML promises and the files lack.
    #[serde(with = "text")]
    pub on_missing: OnMissing,
    /// What becomes of pages that no plane of the metadata uses.
    #[serde(with = "text")]
    pub extra_pages: OnExtraPages,
    /// What samples of 16-bit floating point became.
    #[serde(with = "text")]
    pub half: HalfFloats,
    /// Which checksum of the source's files is computed and recorded.
    pub source_checksum: Option<FileAlgorithm>,
}

/// One of the [`Settings`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Setting {
    /// NGFF version.
    Ngff,
    /// Where images lie.
    Layout,
    /// Compression.
    Codec,
    /// Sizes of chunks.
    Chunk,
    /// Sizes of shards.
    Shard,
    /// Where the reduced levels come from.
    Pyramid,
    /// How samples of computed levels are made.
    Downsample,
    /// What becomes of regions.
    Rois,
    /// Which label images come from files.
    Labels,
    /// Which images of the source are converted.
    Series,
    /// Which time points of the source are converted.
    Timepoints,
    /// Which axes are left out where their length is 1.
    DropAxes,
    /// Where images lie.
    Positions,
    /// Where the time between time points comes from.
    TimeScale,
    /// Size of the smallest computed level.
    SmallestLevel,
    /// Whether moved tiles are decoded.
    Decode,
    /// Whether chunks of zeros are left out.
    OmitEmpty,
    /// Whether the root has copies of all metadata.
    Consolidated,
    /// How bits are stored.
    Bit,
    /// What becomes of missing planes.
    OnMissing,
    /// What becomes of pages that no plane uses.
    ExtraPages,
    /// What samples of 16-bit floating point became.
    Half,
    /// Which checksum of the source is recorded.
    SourceChecksum,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::Bit,
        Self::Chunk,
        Self::Codec,
        Self::Consolidated,
        Self::Downsample,
        Self::DropAxes,
        Self::Labels,
        Self::Layout,
        Self::Ngff,
        Self::Decode,
        Self::ExtraPages,
        Self::Half,
        Self::OmitEmpty,
        Self::OnMissing,
        Self::Positions,
        Self::Pyramid,
        Self::Rois,
        Self::Series,
        Self::Shard,
        Self::SmallestLevel,
        Self::SourceChecksum,
        Self::TimeScale,
        Self::Timepoints,
    ];
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ngff => "ngff",
            Self::Layout => "layout",
            Self::Codec => "codec",
            Self::Chunk => "chunk",
            Self::Shard => "shard",
            Self::Pyramid => "pyramid",
            Self::Downsample => "downsample",
            Self::Rois => "rois",
            Self::Labels => "labels",
            Self::Positions => "positions",
            Self::Series => "series",
            Self::Timepoints => "timepoints",
            Self::DropAxes => "drop-axes",
            Self::TimeScale => "time-scale",
            Self::SmallestLevel => "smallest-level",
            Self::Decode => "decode",
            Self::OmitEmpty => "omit-empty",
            Self::Consolidated => "consolidated",
            Self::Bit => "bit",
            Self::OnMissing => "on-missing",
            Self::ExtraPages => "extra-pages",
            Self::Half => "half",
            Self::SourceChecksum => "source-checksum",
        })
    }
}

impl Settings {
    /// Those of a conversion of `source` with these options.
    pub fn new(source: &Fileset, options: &Options) -> Self {
        Self {
            ngff: options.version,
            layout: options.layout,
            codec: options.codec,
            chunk: options.chunk,
            shard: options.shard,
            pyramid: options.pyramid,
            downsample: options.downsample,
            rois: options.rois,
            labels: options.labels.iter().map(|labels| labels.name().to_owned()).collect(),
            series: source.series().map(<[usize]>::to_vec),
            timepoints: source.times().map(<[u32]>::to_vec),
            drop_axes: options.drop_axes.clone(),
            positions: options.positions,
            time_scale: options.time_scale,
            smallest_level: options.smallest_level,
            decode: options.decode,
            omit_empty: options.omit_empty,
            consolidated: options.consolidated,
            bit: options.bit,
            on_missing: source.on_missing(),
            extra_pages: source.on_extra_pages(),
            half: source.half(),
            source_checksum: options.source_checksum,
        }
    }

    /// The value of one of them, in words.
    pub fn value(&self, setting: Setting) -> String {
        match setting {
            Setting::Ngff => self.ngff.to_string(),
            Setting::Layout => self.layout.to_string(),
            Setting::Codec => self.codec.to_string(),
            Setting::Chunk => self.chunk.to_string(),
            Setting::Shard => self.shard.to_string(),
            Setting::Pyramid => self.pyramid.to_string(),
            Setting::Downsample => self.downsample.to_string(),
            Setting::Rois => self.rois.to_string(),
            Setting::Labels if self.labels.is_empty() => "none".into(),
            Setting::Labels => self.labels.join(","),
            Setting::Series => listed(self.series.as_deref()),
            Setting::Timepoints => listed(self.timepoints.as_deref()),
            Setting::DropAxes => self.drop_axes.to_string(),
            Setting::Positions => self.positions.to_string(),
            Setting::TimeScale => self.time_scale.to_string(),
            Setting::SmallestLevel => self.smallest_level.to_string(),
            Setting::Decode => self.decode.to_string(),
            Setting::OmitEmpty => self.omit_empty.to_string(),
            Setting::Consolidated => self.consolidated.to_string(),
            Setting::Bit => self.bit.to_string(),
            Setting::OnMissing => self.on_missing.to_string(),
            Setting::ExtraPages => self.extra_pages.to_string(),
            Setting::Half => self.half.to_string(),
            Setting::SourceChecksum => self.source_checksum.map_or("none", FileAlgorithm::name).into(),
        }
    }

    /// Those that have another value than in `other`.
    pub fn differences(&self, other: &Self) -> Vec<Setting> {
        Setting::ALL.into_iter().filter(|setting| self.value(*setting) != other.value(*setting)).collect()
    }
}

/// A choice of several; all where there is none.
fn listed<T: ToString>(chosen: Option<&[T]>) -> String {
    chosen.map_or_else(
        || "all".to_owned(),
        |chosen| chosen.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    )
}
