//! The plan: everything that is decided before the first byte is written.
//!
//! The same source and options give the same plan on every machine, whatever its number of cores, so that a
//! conversion can be resumed, repeated, or split between processes with byte-identical results.

mod blocks;
mod image;
mod shards;

use fairzarr_digest::FileAlgorithm;
use fairzarr_ome_tiff::Fileset;
use fairzarr_pixel::PlaneIndex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::Error;
use crate::encode::Codec;
use crate::geometry::Block;
use crate::layout::{Placement, place};
use crate::options::{ChunkChoice, OnMissing, Options, PyramidChoice};
use crate::provenance::Documents;
use crate::tiles::Tiles;

pub use image::{ImagePlan, LevelPlan};

/// What will be written, and in which pieces it is done.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Plan {
    /// Version of this program; another version may cut a conversion differently.
    pub fairzarr: String,
    /// The options that it was made by, see [`Options::shaping`].
    pub options: BTreeMap<String, String>,
    /// NGFF version.
    pub ngff: String,
    /// Files of the source: name and length in bytes.
    pub files: Vec<(String, u64)>,
    /// Placement of the images.
    pub placement: Placement,
    /// Compression.
    pub codec: Codec,
    /// Whether tiles are decoded that are moved as they are.
    pub decode: bool,
    /// Which checksum of the source's files is recorded.
    pub source_checksum: Option<FileAlgorithm>,
    /// Leaves out chunks of zeros.
    pub omit_empty: bool,
    /// What happens to promised planes that are missing.
    pub on_missing: OnMissing,
    /// Documents on microscope, acquisition and quality control.
    pub documents: Documents,
    /// Images in series order.
    pub images: Vec<ImagePlan>,
    /// Bytes for decoded tiles that neighbouring blocks share, per worker.
    pub(crate) tile_cache: u64,
    /// Bytes of pixels that one worker holds.
    pub worker_memory: u64,
}

/// A piece of work that one worker does on its own: a page, a block of a page that is large, or several pages that share
/// shards.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Unit {
    pub(crate) image: usize,
    /// The first of its pages.
    pub(crate) page: PlaneIndex,
    /// Which of the image's pyramids.
    pub(crate) pyramid: usize,
    pub(crate) block: Block,
}

impl Plan {
    /// Plans a conversion.
    ///
    /// # Errors
    /// When the options do not fit the source, or the memory is too small for it.
    pub fn new(source: &Fileset, options: &Options) -> Result<Self, Error> {
        if let ChunkChoice::Size(h, w) = options.chunk
            && (h == 0 || w == 0 || h as u64 * w as u64 > 1 << 28)
        {
            return Err(Error::Request(format!(
                "a chunk of {h} x {w} pixels cannot be made; 512 x 512 suits most viewers"
            )));
        }
        if !options.decode
            && (options.chunk != ChunkChoice::Source || options.pyramid == PyramidChoice::Computed)
        {
            return Err(Error::Request(
                "only tiles that are moved need not be decoded, and no level can be computed from them: --no-decode goes with --chunk source, and with --pyramid source or none".into(),
            ));
        }
        if options.codec.needs_zarr_2() && options.version.zarr_format() == 3 {
            return Err(Error::Request(format!(
                "codec zlib exists in Zarr v2 (NGFF 0.4) only; use gzip, zstd or blosc for NGFF {}",
                options.version
            )));
        }
        let placement = place(source, options.layout)?;
        let mut plan = Self {
            fairzarr: env!("CARGO_PKG_VERSION").into(),
            options: options.shaping(),
            ngff: options.version.to_string(),
            files: source.files().iter().map(|file| (file.name.clone(), file.len)).collect(),
            codec: options.codec,
            decode: options.decode,
            source_checksum: options.source_checksum,
            omit_empty: options.omit_empty,
            on_missing: options.on_missing,
            documents: Documents::of(options),
            images: Vec::new(),
            tile_cache: 0,
            worker_memory: 0,
            placement,
        };
        for (image, path) in source.images().iter().zip(plan.placement.paths()) {
            let planned = ImagePlan::new(image, path, options);
            plan.tile_cache = plan.tile_cache.max(blocks::tile_cache(image));
            plan.worker_memory = plan.worker_memory.max(planned.working_set());
            plan.images.push(planned);
        }
        plan.worker_memory += plan.tile_cache;
        if plan.worker_memory > options.memory {
            return Err(Error::Request(format!(
                "this source needs {} MiB of memory for its pixels, --memory allows {}; raise it, or choose a smaller --chunk or --shard",
                plan.worker_memory.div_ceil(1 << 20),
                options.memory >> 20
            )));
        }
        Ok(plan)
    }

    pub(crate) fn ngff(&self) -> fairzarr_ngff::Version {
        self.ngff.parse().unwrap_or(fairzarr_ngff::Version::V05)
    }

    /// Whether chunks of a level end with a checksum. Version 2 of Zarr has no checksum codec that all readers know,
    /// and Zstandard brings its own.
    pub(crate) fn crc32c(&self, level: &LevelPlan) -> bool {
        self.ngff().zarr_format() == 3 && !level.codec.has_checksum()
    }

    /// Planes that become zeros because the source lacks them: image, t, c, z.
    pub fn filled_planes(&self) -> Vec<(usize, u32, u32, u32)> {
        let planes = self.images.iter().enumerate().flat_map(|(index, image)| {
            image.missing.iter().flat_map(move |&(t, group, z)| {
                image.groups[group as usize].clone().map(move |c| (index, t, c, z))
            })
        });
        planes.collect()
    }

    /// Images whose tiles were to be moved and cannot be, and why.
    pub fn tiles_not_moved(&self) -> Vec<(usize, String)> {
        let refused = self.images.iter().enumerate().filter_map(|(index, image)| match &image.tiles {
            Tiles::Refused(why) => Some((index, why.clone())),
            Tiles::Encoded | Tiles::Moved { .. } => None,
        });
        refused.collect()
    }

    /// Images whose tiles were to be moved without being decoded, and are decoded.
    pub fn tiles_decoded(&self) -> Vec<usize> {
        if self.decode {
            return Vec::new();
        }
        let decoded = |index: &usize| matches!(self.images[*index].tiles, Tiles::Moved { decoded: true, .. });
        (0..self.images.len()).filter(decoded).collect()
    }

    /// All units, in the order in which one process does them.
    pub(crate) fn units(&self) -> impl Iterator<Item = Unit> + '_ {
        self.images.iter().enumerate().flat_map(|(image, plan)| {
            let blocks: Vec<(usize, Block)> = plan
                .pyramids
                .iter()
                .enumerate()
                .flat_map(|(n, pyramid)| pyramid.units().into_iter().map(move |block| (n, block)))
                .collect();
            plan.first_pages().flat_map(move |page| {
                let blocks = blocks.clone().into_iter();
                blocks.map(move |(pyramid, block)| Unit { image, page, pyramid, block })
            })
        })
    }

    /// Whether this is one of the [`Self::units`], or a block above them.
    pub(crate) fn holds(&self, unit: Unit) -> bool {
        let PlaneIndex { t, group, z } = unit.page;
        self.images.get(unit.image).is_some_and(|image| {
            image.pyramids.get(unit.pyramid).is_some_and(|pyramid| {
                pyramid.holds(unit.block)
                    && (unit.block.level == pyramid.unit_level
                        || unit.block.level > pyramid.unit_level && pyramid.writes(unit.block.level))
            }) && t < image.shape[0]
                && t.is_multiple_of(image.depth.0)
                && (group as usize) < image.groups.len()
                && z < image.shape[2]
                && z.is_multiple_of(image.depth.1)
        })
    }

    /// The block that a unit, or a block above the units, is part of; none at the top.
    pub(crate) fn above(&self, unit: Unit) -> Option<Unit> {
        let block = self.images[unit.image].pyramids[unit.pyramid].parent(unit.block)?;
        Some(Unit { block, ..unit })
    }

    /// Whether this is a block above the units.
    pub(crate) fn is_above_units(&self, unit: Unit) -> bool {
        unit.block.level > self.images[unit.image].pyramids[unit.pyramid].unit_level
    }

    /// Number of [`Self::units`].
    pub fn unit_count(&self) -> u64 {
        self.images.iter().map(ImagePlan::unit_count).sum()
    }

    /// Decoded bytes of the levels that are read.
    pub fn source_bytes(&self) -> u64 {
        let levels = |image: &ImagePlan| -> u64 {
            image.pyramids.iter().map(|pyramid| image.plane_bytes(pyramid.first)).sum()
        };
        self.images.iter().map(|image| levels(image) * image.planes()).sum()
    }

    /// Decoded bytes that one unit reads.
    pub(crate) fn unit_bytes(&self, unit: Unit) -> u64 {
        let image = &self.images[unit.image];
        let (rows, columns) = image.pyramids[unit.pyramid].below(unit.block, 0);
        let pixels = (rows.end - rows.start) * (columns.end - columns.start);
        let pages = image.unit_pages(unit.page).count() as u64;
        pages * pixels * image.samples(unit.page) as u64 * image.sample_bytes() as u64
    }

    /// Decoded bytes of all levels.
    pub fn target_bytes(&self) -> u64 {
        self.images
            .iter()
            .map(|image| (0..image.levels.len()).map(|n| image.plane_bytes(n) * image.planes()).sum::<u64>())
            .sum()
    }

    /// Chunk or shard objects of all levels.
    pub fn objects(&self) -> u64 {
        self.images.iter().map(|image| image.objects()).sum()
    }

    /// Threads that `memory` and the number of units allow.
    pub fn jobs(&self, options: &Options) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let wanted = options.jobs.unwrap_or(cores).max(1) as u64;
        let fitting = (options.memory / self.worker_memory.max(1)).max(1);
        wanted.min(fitting).min(self.unit_count().max(1)) as usize
    }
}
