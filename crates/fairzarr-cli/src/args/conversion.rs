//! Arguments of conversions, whole or split.

use clap::{Args as ClapArgs, ValueEnum};
use fairzarr_convert::{
    ChunkChoice, Codec, Downsample, DropAxes, Layout, PositionChoice, RoiChoice, ShardChoice, Share,
    TimeChoice,
};

use super::parse::{
    Numbers, Wells, parse_axes, parse_bytes, parse_chunk, parse_jobs, parse_numbers, parse_shard,
    parse_share, parse_version, parse_wells,
};
use super::{OutputArgs, ProvenanceChoices, StoreArgs};

#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "flags, as typed")]
pub(crate) struct Convert {
    /// OME-TIFF file, or any file of a fileset.
    pub(crate) source: String,
    /// OME-Zarr to write; a name that ends with .ozx makes one file of it (zipped OME-Zarr).
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) choices: ConvertChoices,
    /// Replace the store at the target. It stays as it is until the new one, written beside it, is whole; files that are no
    /// part of a store are never removed.
    #[arg(long, conflicts_with = "resume")]
    pub(crate) overwrite: bool,
    /// Where the target is complete and made of the same source with the same options, do nothing, with exit code 0. The
    /// recorded checksums decide.
    #[arg(long, conflicts_with = "overwrite")]
    pub(crate) skip_existing: bool,
    /// Finish an interrupted conversion; the result is the same as without the interruption.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show what the threads spent their time on. With --json it is always told.
    #[arg(long)]
    pub(crate) stats: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Choices that shape the output, and the resources for it.
#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "flags, as typed")]
pub(crate) struct ConvertChoices {
    /// NGFF version: 0.4 (Zarr v2), 0.5 or 0.6 (Zarr v3).
    #[arg(long, default_value = "0.5", value_parser = parse_version)]
    pub(crate) ngff: fairzarr_ngff::Version,
    /// Where images lie: one at the root, or as groups of a bioformats2raw layout.
    #[arg(long, value_enum, default_value_t = LayoutArg::Auto)]
    pub(crate) layout: LayoutArg,
    /// Compression preset.
    #[arg(long, value_enum, default_value_t = Preset::Balanced, conflicts_with = "codec")]
    pub(crate) preset: Preset,
    /// Compression in detail: blosc-{lz4,lz4hc,zstd,zlib,blosclz}[-LEVEL[-{shuffle,bitshuffle,noshuffle}]],
    /// zstd[-LEVEL[-nochecksum]], gzip[-LEVEL], zlib[-LEVEL] (NGFF 0.4), none.
    #[arg(long)]
    pub(crate) codec: Option<Codec>,
    /// Chunk height and width in pixels; or source: those of the source's tiles or strips, which are moved without
    /// being compressed again where Zarr readers can read them as they are (Deflate, Zstandard, uncompressed).
    #[arg(long, value_name = "Y,X|source", default_value = "512,512", value_parser = parse_chunk)]
    pub(crate) chunk: ChunkChoice,
    /// Where reduced levels come from [default: computed; with --no-decode: source].
    #[arg(long, value_enum)]
    pub(crate) pyramid: Option<PyramidArg>,
    /// How four samples, two by two in y and x, become one of the next computed level.
    #[arg(long, value_enum, default_value_t = DownsampleArg::Mean)]
    pub(crate) downsample: DownsampleArg,
    /// Computed levels are added until height and width are at most this many pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) smallest_level: u32,
    /// What becomes of regions of interest, which the OME-XML keeps in any case.
    #[arg(long, value_enum, default_value_t = RoisArg::Metadata)]
    pub(crate) rois: RoisArg,
    /// Images to convert, counted from 0, such as 0,2-4 [default: all]. METADATA.ome.xml describes these alone, and the store
    /// says of which source they are a part.
    #[arg(long, value_name = "N,N-M", value_parser = parse_numbers)]
    pub(crate) series: Option<Numbers>,
    /// Wells to convert, of all plates of the source, such as A1,B12 [default: all].
    #[arg(long, value_name = "WELL,WELL", value_parser = parse_wells)]
    pub(crate) wells: Option<Wells>,
    /// Fields of each well to convert, counted from 0 in the order of the well, such as 0,2-4 [default: all].
    #[arg(long, value_name = "N,N-M", value_parser = parse_numbers)]
    pub(crate) fields: Option<Numbers>,
    /// Time points to convert, counted from 0, such as 0,10-19 [default: all]. METADATA.ome.xml counts them from 0 again.
    #[arg(long, value_name = "N,N-M", value_parser = parse_numbers)]
    pub(crate) timepoints: Option<Numbers>,
    /// Leave out axes of length 1, for readers that want fewer than five: some of t, c and z, or all that have this length.
    #[arg(long, value_name = "t,c,z|all", num_args = 0..=1, default_missing_value = "all", value_parser = parse_axes)]
    pub(crate) drop_axes: Option<DropAxes>,
    /// Where images lie in their coordinates.
    #[arg(long, value_enum, default_value_t = PositionsArg::Origin)]
    pub(crate) positions: PositionsArg,
    /// Where the time between time points comes from.
    #[arg(long, value_enum, default_value_t = TimeArg::Increment)]
    pub(crate) time_scale: TimeArg,
    /// With --chunk source: do not even decode the tiles that are moved. Nothing is computed from their samples: no levels,
    /// no statistics; the recorded digests are those of the stored bytes. `verify` decodes them.
    #[arg(long)]
    pub(crate) no_decode: bool,
    /// Shard height and width in pixels, auto, or none (NGFF 0.5 and later).
    #[arg(long, value_name = "auto|Y,X|none", default_value = "auto", value_parser = parse_shard)]
    pub(crate) shard: ShardChoice,
    /// How samples of OME type bit are stored.
    #[arg(long, value_enum, default_value_t = BitArg::Uint8)]
    pub(crate) bit: BitArg,
    /// Checksum of the source's files to record, for `verify` and archives.
    #[arg(long, value_enum, default_value_t = ChecksumArg::Auto)]
    pub(crate) source_checksum: ChecksumArg,
    /// Leave out chunks that hold only zeros.
    #[arg(long)]
    pub(crate) omit_empty: bool,
    /// Do not copy the metadata of all groups and arrays to the root (consolidated metadata), by which zarr-python and
    /// xarray find their way where they cannot list, as over plain HTTP.
    #[arg(long)]
    pub(crate) no_consolidated: bool,
    /// What to do with planes that the OME-XML promises and the files lack.
    #[arg(long, value_enum, default_value_t = OnMissingArg::Error)]
    pub(crate) on_missing: OnMissingArg,
    /// What to do with pages of the files that no plane of the metadata uses: a second camera, a label, an overview.
    #[arg(long, value_enum, default_value_t = ExtraPagesArg::Report)]
    pub(crate) extra_pages: ExtraPagesArg,
    /// What to do with metadata of which a part cannot be read safely, where no plane depends on it: elements nested more than
    /// 60 deep, declarations of a document type.
    #[arg(long, value_enum, default_value_t = OnBadMetadataArg::Carry)]
    pub(crate) on_bad_metadata: OnBadMetadataArg,
    /// How samples of 16-bit floating point are stored; those of 32 bits hold the same values, and every program reads them.
    #[arg(long, value_enum, default_value_t = HalfArg::Float32)]
    pub(crate) half: HalfArg,
    /// With --overwrite: remove the old store first, as is always done in object stores, where it cannot stay until the new one is
    /// whole.
    #[arg(long)]
    pub(crate) in_place: bool,
    /// Do not wait until the marks of killed writers in an object store expire. One that lives ends with exit code 6.
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Worker threads [default: one per core].
    #[arg(long, short, value_parser = parse_jobs)]
    pub(crate) jobs: Option<usize>,
    /// Memory for pixels, such as 256M or 2G.
    #[arg(long, default_value = "256M", value_parser = parse_bytes)]
    pub(crate) memory: u64,
    #[command(flatten)]
    pub(crate) provenance: ProvenanceChoices,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Split {
    /// OME-TIFF file, or any file of a fileset.
    pub(crate) source: String,
    /// OME-Zarr to write.
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) choices: ConvertChoices,
    /// Replace the store at the target, which stays as it is until `commit` has written the new one (plan only).
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Names of the options that were typed.
    #[arg(skip)]
    pub(crate) typed: Vec<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Planning {
    #[command(flatten)]
    pub(crate) split: Split,
    /// Print what submits all tasks and the commit to a batch system: a shell script for Slurm, with an array job.
    #[arg(long, value_enum, value_name = "SYSTEM")]
    pub(crate) emit: Option<EmitArg>,
    /// With --emit: how many tasks [default: one for each 8 GiB of pixels].
    #[arg(long, requires = "emit", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) tasks: Option<u32>,
}

/// Batch systems that a script can be written for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum EmitArg {
    /// Slurm: an array job whose tasks are requeued, and a commit after it.
    Slurm,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) split: Split,
    /// Which of how many tasks, such as 1/4.
    #[arg(long, value_name = "I/N", value_parser = parse_share)]
    pub(crate) task: Share,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LayoutArg {
    /// One image at the root; a plate as a plate; several images as bioformats2raw.
    Auto,
    /// The one image at the root.
    Image,
    /// The layout that raw2ometiff, Bio-Formats and OMERO read.
    Bioformats2raw,
}

impl From<LayoutArg> for Layout {
    fn from(layout: LayoutArg) -> Self {
        match layout {
            LayoutArg::Auto => Self::Auto,
            LayoutArg::Image => Self::Image,
            LayoutArg::Bioformats2raw => Self::Bioformats2raw,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum PyramidArg {
    /// Half the height and width of the level before, until both are at most --smallest-level.
    Computed,
    /// The levels that the source holds; computed where it holds none and samples are decoded.
    Source,
    /// Full resolution alone.
    None,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum DownsampleArg {
    /// Their mean, integers rounded half up.
    Mean,
    /// The upper left one.
    Nearest,
    /// The most frequent one, of several the first: for labels and masks.
    Mode,
    /// The largest one.
    Max,
}

impl From<DownsampleArg> for Downsample {
    fn from(method: DownsampleArg) -> Self {
        match method {
            DownsampleArg::Mean => Self::Mean,
            DownsampleArg::Nearest => Self::Nearest,
            DownsampleArg::Mode => Self::Mode,
            DownsampleArg::Max => Self::Max,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum RoisArg {
    /// Nothing more.
    Metadata,
    /// Label images beside each image: labels/rois, a number for each ROI, and properties that lead back to it.
    Labels,
}

impl From<RoisArg> for RoiChoice {
    fn from(rois: RoisArg) -> Self {
        match rois {
            RoisArg::Metadata => Self::Metadata,
            RoisArg::Labels => Self::Labels,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum PositionsArg {
    /// Each at the origin.
    Origin,
    /// Where its first plane, or the field of its plate, was on the stage, as translation.
    Stage,
    /// The same as a scene, with a coordinate system of the stage (NGFF 0.6).
    Scene,
}

impl From<PositionsArg> for PositionChoice {
    fn from(positions: PositionsArg) -> Self {
        match positions {
            PositionsArg::Origin => Self::Origin,
            PositionsArg::Stage => Self::Stage,
            PositionsArg::Scene => Self::Scene,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum TimeArg {
    /// TimeIncrement.
    Increment,
    /// TimeIncrement; where there is none, DeltaT of the planes, if no time point lies farther than 5 % of a step from where
    /// equal steps put it.
    DeltaT,
}

impl From<TimeArg> for TimeChoice {
    fn from(time: TimeArg) -> Self {
        match time {
            TimeArg::Increment => Self::Increment,
            TimeArg::DeltaT => Self::DeltaT,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum BitArg {
    /// 0 or 1 in a byte, which every viewer shows.
    Uint8,
    /// Zarr bool, which few viewers show.
    Bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ChecksumArg {
    /// sha256 of local files; none with --preset fast, and of remote files, which it would read twice.
    Auto,
    /// SHA-256, as sha256sum prints it.
    Sha256,
    /// BLAKE3, as b3sum prints it; about four times as fast.
    Blake3,
    /// None.
    None,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum OnMissingArg {
    /// Refuse, before anything is written.
    Error,
    /// Write zeros and record each plane.
    Fill,
}

impl From<OnMissingArg> for fairzarr_ome_tiff::OnMissing {
    fn from(arg: OnMissingArg) -> Self {
        match arg {
            OnMissingArg::Error => Self::Error,
            OnMissingArg::Fill => Self::Fill,
        }
    }
}

/// Metadata of which a part cannot be read.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OnBadMetadataArg {
    /// Refuse, before anything is written.
    Error,
    /// Carry the document as it is, convert by the rest of it, and say so here, in the store and in what `verify` says.
    Carry,
}

impl From<OnBadMetadataArg> for fairzarr_ome_tiff::OnBadMetadata {
    fn from(arg: OnBadMetadataArg) -> Self {
        match arg {
            OnBadMetadataArg::Error => Self::Error,
            OnBadMetadataArg::Carry => Self::Carry,
        }
    }
}

/// Storage of 16-bit floating point.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum HalfArg {
    /// As samples of 32 bits, with the same values.
    Float32,
    /// As they are.
    Float16,
}

impl From<HalfArg> for fairzarr_ome_tiff::HalfFloats {
    fn from(arg: HalfArg) -> Self {
        match arg {
            HalfArg::Float32 => Self::Float32,
            HalfArg::Float16 => Self::Float16,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ExtraPagesArg {
    /// Convert them as further images.
    Keep,
    /// Leave them out, and name them here, in the store and in what `verify` says.
    Report,
    /// Refuse, before anything is written.
    Refuse,
}

impl From<ExtraPagesArg> for fairzarr_ome_tiff::OnExtraPages {
    fn from(arg: ExtraPagesArg) -> Self {
        match arg {
            ExtraPagesArg::Keep => Self::Keep,
            ExtraPagesArg::Report => Self::Report,
            ExtraPagesArg::Refuse => Self::Refuse,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Preset {
    /// blosc-lz4-5-shuffle.
    Fast,
    /// blosc-zstd-1-bitshuffle.
    Balanced,
    /// blosc-zstd-5-shuffle.
    Small,
}

impl From<Preset> for Codec {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Fast => Self::FAST,
            Preset::Balanced => Self::BALANCED,
            Preset::Small => Self::SMALL,
        }
    }
}
