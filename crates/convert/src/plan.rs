//! The plan: everything that is decided before the first byte is written.
//!
//! The same source and options give the same plan on every machine, whatever its number of cores, so that a
//! conversion can be resumed, repeated, or split between processes with byte-identical results.

use fairzarr_digest::FileAlgorithm;
use fairzarr_ngff::Endian;
use fairzarr_ome_tiff::tiff_codec::Compression;
use fairzarr_ome_tiff::{Fileset, Image, OpenOptions, SampleType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

use crate::Error;
use crate::encode::{Codec, Encoder};
use crate::geometry::{Block, Pyramid};
use crate::layout::{Placement, place};
use crate::options::{BitType, ChunkChoice, OnMissing, Options, ShardChoice};
use crate::provenance::Documents;
use crate::samples::Kind;
use crate::tiles::{self, FullResolution, Tiles};

/// Without sharding, more chunks than this make `--shard auto` gather them.
const MANY_CHUNKS: u64 = 10_000;
/// Decoded bytes that an automatic shard holds at most.
const SHARD_BYTES: u64 = 32 << 20;
/// Rows and columns that a block should reach, so that per-block costs vanish. A block of this size and its parents
/// stay in a core's cache, and where it is one tile and one chunk, no sample is copied.
const BLOCK_SIDE: u32 = 512;
/// The same where tiles and chunks do not fit each other: larger blocks have fewer tiles in common.
const MISFIT_SIDE: u32 = 1024;
/// Fewer units than this, and a page is split into smaller ones.
const ENOUGH_UNITS: u64 = 64;

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

/// One image of the plan.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ImagePlan {
    /// Its group's path in the store; empty for the root.
    pub path: String,
    /// Sizes of t, c, z, y, x at full resolution.
    pub shape: [u32; 5],
    /// OME name of the sample type.
    pub sample_type: String,
    /// Channels that are stored together in one page of the source.
    pub groups: Vec<Range<u32>>,
    /// Resolution levels, full resolution first.
    pub levels: Vec<LevelPlan>,
    /// What becomes of the source's tiles and strips.
    pub tiles: Tiles,
    /// Pages (t, group, z) that the source lacks and that become zeros.
    pub missing: Vec<(u32, u32, u32)>,
    pub(crate) pyramid: Pyramid,
    pub(crate) kind: Kind,
    /// Samples are 0 or 1, and stored as Zarr `bool`.
    pub(crate) boolean: bool,
    /// The level whose blocks are the units of work.
    pub(crate) unit_level: usize,
}

/// One resolution level of the plan.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct LevelPlan {
    /// Height and width in pixels.
    pub size: (u32, u32),
    /// Height and width of a chunk in pixels.
    pub chunk: (u32, u32),
    /// Height and width of a shard in pixels.
    pub shard: Option<(u32, u32)>,
    /// Compression.
    pub codec: Codec,
}

/// What the source stores as one plane: a time point, a group of channels, and a z section.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Page {
    pub(crate) t: u32,
    pub(crate) group: u32,
    pub(crate) z: u32,
}

/// A piece of work that one worker does on its own: a page, or a block of a page that is large.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Unit {
    pub(crate) image: usize,
    pub(crate) page: Page,
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
            let planned = ImagePlan::new(image, path, options)?;
            plan.tile_cache = plan.tile_cache.max(tile_cache(image));
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

    /// All units, in the order in which one process does them.
    pub(crate) fn units(&self) -> impl Iterator<Item = Unit> + '_ {
        self.images.iter().enumerate().flat_map(|(image, plan)| {
            let blocks = plan.pyramid.blocks(plan.unit_level);
            plan.pages().flat_map(move |page| {
                blocks.clone().into_iter().map(move |block| Unit { image, page, block })
            })
        })
    }

    /// Number of [`Self::units`].
    pub fn unit_count(&self) -> u64 {
        self.images.iter().map(ImagePlan::unit_count).sum()
    }

    /// Decoded bytes at full resolution.
    pub fn source_bytes(&self) -> u64 {
        self.images.iter().map(|image| image.plane_bytes(0) * image.planes()).sum()
    }

    /// Decoded bytes at full resolution that one unit reads.
    pub(crate) fn unit_bytes(&self, unit: Unit) -> u64 {
        let image = &self.images[unit.image];
        let (h, w) = image.pyramid.size(0);
        let rect = image.pyramid.rect(unit.block);
        let shift = unit.block.level;
        let side = |at: u32, length: u32, all: u32| {
            let start = (at as u64) << shift;
            (((at + length) as u64) << shift).min(all as u64) - start
        };
        side(rect.y, rect.h, h)
            * side(rect.x, rect.w, w)
            * image.samples(unit.page) as u64
            * image.sample_bytes() as u64
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

impl ImagePlan {
    fn new(image: &Image, path: String, options: &Options) -> Result<Self, Error> {
        let shape = image.shape();
        let kind = kind_of(image.sample_type())?;
        let groups = image.channel_groups().to_vec();
        let samples = groups.iter().map(|group| group.end - group.start).max().unwrap_or(1) as u64;
        let pixel = samples * image.sample_type().bytes() as u64;
        let sizes = Pyramid::level_sizes(shape.y, shape.x, options.smallest_level.max(1));
        let FullResolution { chunk, codec, tiles } = tiles::choose(image, options);
        let (block_h, block_w) = block_size(image, chunk, pixel, options.memory);
        let mut pyramid = Pyramid::new(sizes.clone(), block_h, block_w);
        if pyramid.area() * pixel > options.memory / 2 {
            // Wide pixels, or very large tiles: single chunks, and tiles are decoded as often as it takes.
            let (h, w) = (even(chunk.0), even(chunk.1));
            pyramid = Pyramid::new(sizes.clone(), h, (w < shape.x).then_some(w));
        }
        let mut planned = Self {
            path,
            shape: [shape.t, shape.c, shape.z, shape.y, shape.x],
            sample_type: image.sample_type().name().into(),
            groups,
            levels: Vec::new(),
            tiles,
            missing: Vec::new(),
            pyramid,
            kind,
            boolean: image.sample_type() == SampleType::Bit && options.bit == BitType::Bool,
            unit_level: 0,
        };
        // Chunks that are decoded row by row are passed over once, by one worker from the top down.
        planned.unit_level = if is_streamed(image) {
            planned.pyramid.levels() - 1
        } else {
            planned.choose_unit_level(options.shard)
        };
        planned.levels = sizes
            .iter()
            .map(|&(h, w)| LevelPlan {
                size: (h, w),
                chunk: (chunk.0.min(h), chunk.1.min(w)),
                shard: None,
                codec: options.codec,
            })
            .collect();
        planned.levels[0] = LevelPlan { size: (shape.y, shape.x), chunk, shard: None, codec };
        planned.add_shards(options);
        planned.missing = planned
            .pages()
            .filter(|page| !image.has_plane(page.t, planned.groups[page.group as usize].start, page.z))
            .map(|page| (page.t, page.group, page.z))
            .collect();
        Ok(planned)
    }

    /// The highest level that still gives enough units; the top when there are pages enough.
    ///
    /// A shard of full resolution that was asked for is made by one unit.
    fn choose_unit_level(&self, shard: ShardChoice) -> usize {
        let top = self.pyramid.levels() - 1;
        let pages = self.pages().count() as u64;
        let enough = (0..=top)
            .rev()
            .find(|&level| pages * self.pyramid.count(level) as u64 >= ENOUGH_UNITS)
            .unwrap_or(if pages > 1 { top } else { 0 });
        let ShardChoice::Size(h, w) = shard else { return enough };
        let holds = |level: usize| {
            let rect = self.pyramid.rect(Block { level, row: 0, col: 0 });
            let (height, width) = self.pyramid.size(level);
            (rect.h == height || (rect.h as u64) << level >= h as u64)
                && (rect.w == width || (rect.w as u64) << level >= w as u64)
        };
        (enough..=top).find(|&level| holds(level)).unwrap_or(top)
    }

    /// Shards never reach beyond what one unit or one assembled block produces.
    fn add_shards(&mut self, options: &Options) {
        if options.version.zarr_format() != 3 {
            return;
        }
        let (h, w) = match options.shard {
            ShardChoice::None => return,
            ShardChoice::Size(h, w) => (h, w),
            ShardChoice::Auto => {
                if self.objects() <= MANY_CHUNKS {
                    return;
                }
                let (ch, cw) = self.levels[0].chunk;
                // A band is as wide as the level: long shards keep few of its rows in memory.
                let square = self.pyramid.block_width().is_some();
                let budget = SHARD_BYTES.min(options.memory / 8) / self.kind_bytes().max(1);
                let chunks = (budget / (ch as u64 * cw as u64)).max(1);
                let side = chunks.isqrt().max(1) as u32;
                if square { (side * ch, side * cw) } else { (ch, chunks.min(64) as u32 * cw) }
            }
        };
        for level in 0..self.levels.len() {
            let chunk = self.levels[level].chunk;
            let reach = self.reach(level);
            let side = |wanted: u32, chunk: u32, reach: u32, size: u32| {
                let most = if reach >= size { size.div_ceil(chunk) } else { reach / chunk };
                wanted.div_ceil(chunk).clamp(1, most.max(1))
            };
            let size = self.levels[level].size;
            let rows = side(h, chunk.0, reach.0, size.0);
            let cols = side(w, chunk.1, reach.1, size.1);
            // Shards must tile what is produced together.
            let rows = largest_divisor(reach.0.div_ceil(chunk.0), rows, reach.0 >= size.0);
            let cols = largest_divisor(reach.1.div_ceil(chunk.1), cols, reach.1 >= size.1);
            self.levels[level].shard = Some((rows * chunk.0, cols * chunk.1));
        }
    }

    /// Pixels of `level` that are produced together: those below one unit, or one assembled block.
    fn reach(&self, level: usize) -> (u32, u32) {
        let root = self.unit_level.max(level);
        let rect = self.pyramid.rect(Block { level: root, row: 0, col: 0 });
        let (h, w) = self.levels[level].size;
        let shift = root - level;
        let grow = |side: u32, of: u32, size: u32| {
            if side == of { size } else { (side << shift.min(31)).min(size) }
        };
        let (root_h, root_w) = self.pyramid.size(root);
        (grow(rect.h, root_h, h), grow(rect.w, root_w, w))
    }

    fn kind_bytes(&self) -> u64 {
        self.sample_bytes() as u64
    }

    /// Bytes of one sample.
    pub(crate) fn sample_bytes(&self) -> usize {
        match self.kind {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 | Kind::F16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 | Kind::C64 => 8,
            Kind::C128 => 16,
        }
    }

    /// The array's data type.
    pub(crate) fn data_type(&self) -> fairzarr_ngff::DataType {
        use fairzarr_ngff::DataType;
        if self.boolean {
            return DataType::Bool;
        }
        match self.kind {
            Kind::U8 => DataType::U8,
            Kind::I8 => DataType::I8,
            Kind::U16 => DataType::U16,
            Kind::I16 => DataType::I16,
            Kind::U32 => DataType::U32,
            Kind::I32 => DataType::I32,
            Kind::U64 => DataType::U64,
            Kind::I64 => DataType::I64,
            Kind::F16 => DataType::F16,
            Kind::F32 => DataType::F32,
            Kind::F64 => DataType::F64,
            Kind::C64 => DataType::C64,
            Kind::C128 => DataType::C128,
        }
    }

    pub(crate) fn encoder(&self, plan: &Plan, level: usize) -> Result<Encoder, Error> {
        let level = &self.levels[level];
        let encoder = Encoder::new(level.codec, self.sample_bytes(), plan.crc32c(level))?;
        Ok(match self.endian() {
            Endian::Little => encoder,
            Endian::Big => encoder.big_endian(self.number_bytes()),
        })
    }

    /// The byte order of the arrays.
    pub(crate) fn endian(&self) -> Endian {
        match self.tiles {
            Tiles::Moved { big_endian: true } => Endian::Big,
            _ => Endian::Little,
        }
    }

    /// Bytes of what byte order applies to: complex samples are two numbers.
    fn number_bytes(&self) -> usize {
        match self.kind {
            Kind::C64 | Kind::C128 => self.sample_bytes() / 2,
            _ => self.sample_bytes(),
        }
    }

    pub(crate) fn pages(&self) -> impl Iterator<Item = Page> + use<> {
        let [t, _, z, _, _] = self.shape;
        let groups = self.groups.len() as u32;
        (0..t).flat_map(move |t| (0..groups).flat_map(move |group| (0..z).map(move |z| Page { t, group, z })))
    }

    pub(crate) fn channels(&self, page: Page) -> Range<u32> {
        self.groups[page.group as usize].clone()
    }

    pub(crate) fn samples(&self, page: Page) -> u32 {
        self.channels(page).len() as u32
    }

    pub(crate) fn is_missing(&self, page: Page) -> bool {
        self.missing.binary_search(&(page.t, page.group, page.z)).is_ok()
    }

    /// Width of the tiles on which pixel digests are taken.
    pub(crate) fn digest_width(&self) -> u32 {
        let tile = fairzarr_digest::TILE;
        self.pyramid.block_width().filter(|width| width % tile != 0).unwrap_or(tile)
    }

    /// Path of a level's array in the store.
    pub(crate) fn array_path(&self, level: usize) -> String {
        if self.path.is_empty() { level.to_string() } else { format!("{}/{level}", self.path) }
    }

    /// Rows and columns of chunks of a level.
    pub(crate) fn chunk_grid(&self, level: usize) -> (u32, u32) {
        let LevelPlan { size, chunk, .. } = self.levels[level];
        (size.0.div_ceil(chunk.0), size.1.div_ceil(chunk.1))
    }

    pub(crate) fn unit_count(&self) -> u64 {
        self.pages().count() as u64 * self.pyramid.count(self.unit_level) as u64
    }

    fn planes(&self) -> u64 {
        self.shape[..3].iter().map(|n| *n as u64).product()
    }

    fn plane_bytes(&self, level: usize) -> u64 {
        let (h, w) = self.pyramid.size(level);
        h as u64 * w as u64 * self.kind_bytes()
    }

    fn objects(&self) -> u64 {
        let per_plane: u64 = self
            .levels
            .iter()
            .map(|level| {
                let (h, w) = level.shard.unwrap_or(level.chunk);
                level.size.0.div_ceil(h) as u64 * level.size.1.div_ceil(w) as u64
            })
            .sum();
        per_plane * self.planes()
    }

    /// Bytes that one worker holds: a block per level, a chunk before and after encoding, open shards.
    fn working_set(&self) -> u64 {
        let samples = self.groups.iter().map(|g| (g.end - g.start) as u64).max().unwrap_or(1);
        let pixel = samples * self.kind_bytes();
        let blocks = self.pyramid.area() * pixel;
        let chunk = self.levels[0].chunk.0 as u64 * self.levels[0].chunk.1 as u64 * self.kind_bytes();
        let shards: u64 = self
            .levels
            .iter()
            .filter_map(|level| level.shard.map(|shard| (level, shard)))
            .map(|(level, (h, w))| {
                let h = h.min(level.size.0) as u64;
                // A band keeps a whole row of shards open, a walk over square blocks one.
                let w = if self.pyramid.block_width().is_some() { w.min(level.size.1) } else { level.size.1 };
                h * w as u64 * pixel
            })
            .sum();
        // Of tiles that are moved, the stored bytes of a block.
        let full = self.pyramid.rect(Block { level: 0, row: 0, col: 0 }).area() as u64 * pixel;
        let stored = if self.tiles.are_moved() { full } else { 0 };
        blocks + 3 * chunk + shards + stored
    }
}

impl LevelPlan {
    /// Rows and columns of chunks in a shard.
    pub(crate) fn shard_chunks(&self) -> Option<(u32, u32)> {
        self.shard.map(|(h, w)| (h / self.chunk.0, w / self.chunk.1))
    }
}

fn kind_of(sample: SampleType) -> Result<Kind, Error> {
    Ok(match sample {
        // OME `bit` is one byte, 0 or 1, also as Zarr's bool.
        SampleType::Bit | SampleType::Uint8 => Kind::U8,
        SampleType::Int8 => Kind::I8,
        SampleType::Uint16 => Kind::U16,
        SampleType::Int16 => Kind::I16,
        SampleType::Uint32 => Kind::U32,
        SampleType::Int32 => Kind::I32,
        SampleType::Uint64 => Kind::U64,
        SampleType::Int64 => Kind::I64,
        SampleType::Float16 => Kind::F16,
        SampleType::Float => Kind::F32,
        SampleType::Double => Kind::F64,
        SampleType::ComplexFloat => Kind::C64,
        SampleType::ComplexDouble => Kind::C128,
        other => return Err(Error::Request(format!("samples of type {} cannot be converted", other.name()))),
    })
}

/// Height and width of a block of level 0: multiples of the chunk, and of the source's tile or strip where
/// that is not much larger, so that each is decoded once.
fn block_size(image: &Image, chunk: (u32, u32), pixel: u64, memory: u64) -> (u32, Option<u32>) {
    let shape = image.shape();
    let grid = image.levels()[0].grid;
    let (chunk_h, chunk_w) = (even(chunk.0), even(chunk.1));
    let aligned = |chunk: u32, source: u32, size: u32| {
        let both = lcm(chunk, source.max(1));
        if both <= 2 * MISFIT_SIDE.max(chunk) {
            both
        } else {
            // Not commensurable: tiles on the border are shared through the cache.
            source.min(MISFIT_SIDE).max(chunk).div_ceil(chunk) * chunk
        }
        .min(size.div_ceil(chunk) * chunk)
    };
    let height = aligned(chunk_h, grid.height.min(shape.y), shape.y);
    let band = shape.x as u64 * pixel * height as u64 * 2;
    let striped = grid.width >= shape.x;
    // Half the memory for one worker's bands; beyond that, square blocks that read parts of strips.
    if striped && band <= memory / 4 {
        return (height, None);
    }
    if striped && shape.x as u64 * pixel * chunk_h as u64 * 2 <= memory / 2 {
        return (chunk_h, None);
    }
    if is_streamed(image) {
        let width = lcm(chunk_w, grid.width);
        return (chunk_h, (width < shape.x).then_some(width));
    }
    if striped {
        // Every strip is decoded once per column of blocks: as few and wide ones as the memory allows.
        let fitting = memory / 16 / (chunk_h as u64 * pixel) / chunk_w as u64 * chunk_w as u64;
        let width =
            fitting.clamp(chunk_w as u64, u32::MAX as u64 / 2 / chunk_w as u64 * chunk_w as u64) as u32;
        return (chunk_h, (width < shape.x).then_some(width));
    }
    let width = aligned(chunk_w, grid.width.min(shape.x), shape.x);
    (grown(height, grid.height, shape.y), Some(grown(width, grid.width, shape.x)))
}

/// A block's side, doubled until it is worth while or reaches the image's.
fn grown(side: u32, tile: u32, size: u32) -> u32 {
    let enough = if side.is_multiple_of(tile.clamp(1, size.max(1))) { BLOCK_SIDE } else { MISFIT_SIDE };
    let mut side = side;
    while side < enough && side < size {
        side *= 2;
    }
    side
}

/// Whether the source's chunks are so large that they are decoded row by row instead of whole.
fn is_streamed(image: &Image) -> bool {
    let level = &image.levels()[0];
    let samples = image.channel_groups().iter().map(|g| g.len() as u64).max().unwrap_or(1);
    let pixel = samples * image.sample_type().bytes() as u64;
    let chunk = level.grid.height as u64 * level.grid.width as u64 * pixel;
    level.compression != Compression::None && chunk > OpenOptions::default().stream_above as u64
}

/// Bytes for decoded tiles that several blocks need.
fn tile_cache(image: &Image) -> u64 {
    let grid = image.levels()[0].grid;
    let samples = image.channel_groups().iter().map(|g| (g.end - g.start) as u64).max().unwrap_or(1);
    let tile = grid.height.min(image.shape().y) as u64
        * grid.width.min(image.shape().x) as u64
        * samples
        * image.sample_type().bytes() as u64;
    (4 * tile).clamp(1 << 20, 16 << 20)
}

/// A multiple of `side` that can be halved.
fn even(side: u32) -> u32 {
    if side.is_multiple_of(2) { side } else { side * 2 }
}

fn lcm(a: u32, b: u32) -> u32 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1)).saturating_mul(b)
}

/// The largest number of chunks, at most `wanted`, that divides `reach`; `wanted` itself if all is in reach.
fn largest_divisor(reach: u32, wanted: u32, whole: bool) -> u32 {
    if whole {
        return wanted;
    }
    (1..=wanted).rev().find(|n| reach.is_multiple_of(*n)).unwrap_or(1)
}
