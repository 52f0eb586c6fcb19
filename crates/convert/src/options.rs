//! What the user can choose.

use fairzarr_digest::FileAlgorithm;
use fairzarr_nbo::check::Policy;
use fairzarr_nbo::ingest::Mapping;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use crate::encode::Codec;
use crate::provenance::Sidecar;

/// Choices for one conversion.
#[derive(Clone, Debug)]
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
    /// Computed levels are added until both sides are at most this many pixels.
    pub smallest_level: u32,
    /// Decodes also tiles that are moved as they are. Otherwise nothing is learnt of their samples: no level is computed
    /// from them, there are no statistics, and the recorded digests are those of the stored bytes.
    pub decode: bool,
    /// Which checksum of the source's files is computed and recorded.
    pub source_checksum: Option<FileAlgorithm>,
    /// Leaves out chunks that hold only zeros.
    pub omit_empty: bool,
    /// Worker threads; `None`: one per core.
    pub jobs: Option<usize>,
    /// Bytes that may be held in memory for pixels.
    pub memory: u64,
    /// How samples of OME type `bit` are stored.
    pub bit: BitType,
    /// What to do about an output that exists.
    pub existing: Existing,
    /// Whether processes that have left a mark at the output and none of their end are known to have ended: those that
    /// were killed while they wrote to an object store.
    pub take_over: bool,
    /// What to do about planes that the OME-XML promises and the files lack.
    pub on_missing: OnMissing,
    /// Documents on microscope, acquisition and quality control.
    pub sidecars: Vec<Sidecar>,
    /// How sidecars are read that are of no known form.
    pub mapping: Option<Mapping>,
    /// What the NBO record is checked by; the baseline where there is none.
    pub policy: Option<Policy>,
    /// Set by the caller to stop between blocks.
    pub cancel: Arc<AtomicBool>,
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
            smallest_level: 256,
            decode: true,
            source_checksum: Some(FileAlgorithm::Sha256),
            omit_empty: false,
            jobs: None,
            memory: 256 << 20,
            bit: BitType::Uint8,
            existing: Existing::Refuse,
            take_over: false,
            on_missing: OnMissing::Error,
            sidecars: Vec::new(),
            mapping: None,
            policy: None,
            cancel: Arc::default(),
        }
    }
}

impl Options {
    /// What shapes the output, by the names of the options of the program; resources do not.
    pub fn shaping(&self) -> BTreeMap<String, String> {
        let pair = |h: u32, w: u32| format!("{h},{w}");
        let shaping = [
            ("ngff", self.version.to_string()),
            ("layout", format!("{:?}", self.layout).to_lowercase()),
            ("codec", self.codec.to_string()),
            (
                "chunk",
                match self.chunk {
                    ChunkChoice::Size(h, w) => pair(h, w),
                    ChunkChoice::Source => "source".into(),
                },
            ),
            (
                "shard",
                match self.shard {
                    ShardChoice::Auto => "auto".into(),
                    ShardChoice::Size(h, w) => pair(h, w),
                    ShardChoice::None => "none".into(),
                },
            ),
            ("pyramid", format!("{:?}", self.pyramid).to_lowercase()),
            ("smallest-level", self.smallest_level.to_string()),
            ("no-decode", (!self.decode).to_string()),
            ("omit-empty", self.omit_empty.to_string()),
            ("bit", format!("{:?}", self.bit).to_lowercase()),
            ("on-missing", format!("{:?}", self.on_missing).to_lowercase()),
            ("source-checksum", self.source_checksum.map_or("none", FileAlgorithm::name).into()),
        ];
        shaping.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
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
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PyramidChoice {
    /// Are computed: 2x means in y and x.
    #[default]
    Computed,
    /// Are those that the source holds; of images that have none, computed.
    Source,
    /// Are left out.
    None,
}

/// Gathering of chunks into shards.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
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
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
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
    /// Is removed first.
    Overwrite,
    /// Is an interrupted conversion to be finished.
    Resume,
}

/// Planes that are promised and missing.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    /// Are an error before anything is written.
    #[default]
    Error,
    /// Become zeros, and are listed in the store and in the report.
    Fill,
}

/// How far a conversion has come; shared with whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Source bytes (decoded) that there are in all.
    pub total: AtomicU64,
    /// Source bytes (decoded) that are done.
    pub done: AtomicU64,
    /// Of those, what an earlier run had done.
    pub before: AtomicU64,
    /// Bytes written to the store.
    pub written: AtomicU64,
    /// Objects written to the store.
    pub objects: AtomicU64,
    /// Tiles and strips of the source that were moved without being compressed again.
    pub moved: AtomicU64,
}
