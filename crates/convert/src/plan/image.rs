//! One image of the plan.

use fairzarr_ome_tiff::Image;
use fairzarr_pixel::{PlaneIndex, SampleType};
use fairzarr_zarr::Endian;
use serde::{Deserialize, Serialize};
use std::ops::Range;

use super::level::LevelPlan;
use super::pyramid::{Block, Pyramid};
use super::tiles::{self, Tiles};
use super::{Request, blocks};
use crate::options::{BitType, Downsample, PyramidChoice};

/// One image of the plan.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ImagePlan {
    /// Its group's path in the store; empty for the root.
    pub path: String,
    /// Sizes of t, c, z, y, x at full resolution.
    pub shape: [u32; 5],
    /// Which of t, c, z, y, x its arrays have.
    pub axes: [bool; 5],
    /// What its samples are; serialised by its OME name.
    pub sample_type: SampleType,
    /// Channels that are stored together in one page of the source.
    pub groups: Vec<Range<u32>>,
    /// Resolution levels, full resolution first.
    pub levels: Vec<LevelPlan>,
    /// What becomes of the source's tiles and strips.
    pub tiles: Tiles,
    /// Pages (t, group, z) that the source lacks and that become zeros.
    pub missing: Vec<(u32, u32, u32)>,
    /// Time points and sections that share a shard, and are done as one task; 1 where there are no shards.
    pub(crate) depth: (u32, u32),
    /// How levels are computed.
    pub(crate) downsample: Downsample,
    /// One where the reduced levels are computed; one for each level where they are copied.
    pub(crate) pyramids: Vec<Pyramid>,
    /// Samples are 0 or 1, and stored as Zarr `bool`.
    pub(crate) boolean: bool,
}

impl ImagePlan {
    pub(super) fn new(image: &Image, path: String, request: Request<'_>) -> Self {
        let Request { options, .. } = request;
        let shape = image.shape();
        let tiles = tiles::choose(image, options);
        let dropped = options.drop_axes.names();
        let [t, c, z] = [('t', shape.t), ('c', shape.c), ('z', shape.z)]
            .map(|(axis, length)| length > 1 || !dropped.contains(&axis));
        let mut planned = Self {
            path,
            shape: [shape.t, shape.c, shape.z, shape.y, shape.x],
            axes: [t, c, z, true, true],
            sample_type: image.sample_type(),
            groups: image.channel_groups().to_vec(),
            levels: Vec::new(),
            missing: Vec::new(),
            depth: (1, 1),
            downsample: options.downsample,
            pyramids: Vec::new(),
            boolean: image.sample_type() == SampleType::Bit && options.bit == BitType::Bool,
            tiles,
        };
        let stored = image.levels().len();
        let copied = if options.pyramid == PyramidChoice::Source { stored } else { 1 };
        // Nothing can be computed from samples that nobody decodes.
        let computed = copied == 1 && options.pyramid != PyramidChoice::None && planned.tiles.are_decoded();
        for level in 0..copied {
            planned.add_pyramid(image, level, if computed { usize::MAX } else { 1 }, request);
        }
        planned.add_shards(request);
        planned.missing = planned
            .pages()
            .filter(|page| !image.has_plane(page.t, planned.groups[page.group as usize].start, page.z))
            .map(|page| (page.t, page.group, page.z))
            .collect();
        planned
    }

    /// Adds a level of the source, and at most `written` levels in all with those that are computed from it.
    fn add_pyramid(&mut self, image: &Image, level: usize, written: usize, request: Request<'_>) {
        let Request { options, .. } = request;
        let LevelPlan { size, chunk, codec, moved, .. } = tiles::level(image, level, &self.tiles, options);
        let pages = self.pages().count() as u64;
        let pyramid = blocks::pyramid(image, level, written, chunk, pages, request);
        for level in pyramid.image_levels() {
            let read = level == pyramid.first;
            let size = if read { size } else { pyramid.size(level - pyramid.first) };
            self.levels.push(LevelPlan {
                size,
                chunk: if read { chunk } else { (chunk.0.min(size.0), chunk.1.min(size.1)) },
                shard: None,
                codec: if read { codec } else { options.codec },
                moved: read && moved,
            });
        }
        self.pyramids.push(pyramid);
    }

    /// The pyramid that a level belongs to.
    pub(crate) fn pyramid_of(&self, level: usize) -> &Pyramid {
        let n = self.pyramids.partition_point(|pyramid| pyramid.first <= level);
        &self.pyramids[n.max(1) - 1]
    }

    /// Whether the reduced levels are those of the source.
    pub fn is_copied(&self) -> bool {
        self.pyramids.len() > 1
    }

    /// Planes that share a shard; 1 where there are no shards.
    pub fn planes_in_shard(&self) -> u64 {
        u64::from(self.depth.0) * u64::from(self.depth.1)
    }

    /// Whether the samples of a level pass by: not where its tiles are moved without being decoded.
    pub(crate) fn is_decoded(&self, level: usize) -> bool {
        !self.levels[level].moved || self.tiles.are_decoded()
    }

    /// Bytes of one sample.
    pub(crate) fn sample_bytes(&self) -> usize {
        self.sample_type.bytes()
    }

    /// The length of a run in which neighbouring samples are compared for the image's quality; none where chunks do not keep runs
    /// whole.
    pub(crate) fn quality_run(&self) -> Option<u32> {
        let level = self.levels.first()?;
        crate::pixels::quality::run(level.size.1, level.chunk.1)
    }

    /// The array's data type: bits are bytes, also in arrays of `uint8`.
    pub(crate) fn data_type(&self) -> SampleType {
        if self.sample_type == SampleType::Bit && !self.boolean {
            SampleType::Uint8
        } else {
            self.sample_type
        }
    }

    /// The byte order of the arrays.
    pub(crate) fn endian(&self) -> Endian {
        match self.tiles {
            Tiles::Moved { big_endian: true, .. } => Endian::Big,
            _ => Endian::Little,
        }
    }

    pub(crate) fn pages(&self) -> impl Iterator<Item = PlaneIndex> + use<> {
        self.every(1, 1)
    }

    /// The first page of each task.
    pub(crate) fn first_pages(&self) -> impl Iterator<Item = PlaneIndex> + use<> {
        self.every(self.depth.0, self.depth.1)
    }

    fn every(&self, times: u32, sections: u32) -> impl Iterator<Item = PlaneIndex> + use<> {
        let [t, _, z, _, _] = self.shape;
        let groups = self.groups.len() as u32;
        let step = |size: u32, step: u32| (0..size).step_by(step.max(1) as usize);
        step(t, times).flat_map(move |t| {
            (0..groups).flat_map(move |group| step(z, sections).map(move |z| PlaneIndex { t, group, z }))
        })
    }

    /// All pages of the task that begins with `first`.
    pub(crate) fn task_pages(&self, first: PlaneIndex) -> impl Iterator<Item = PlaneIndex> + use<> {
        let [t, _, z, _, _] = self.shape;
        let sections = first.z..z.min(first.z.saturating_add(self.depth.1));
        let times = first.t..t.min(first.t.saturating_add(self.depth.0));
        times.flat_map(move |t| sections.clone().map(move |z| PlaneIndex { t, z, ..first }))
    }

    pub(crate) fn channels(&self, page: PlaneIndex) -> Range<u32> {
        self.groups[page.group as usize].clone()
    }

    pub(crate) fn samples(&self, page: PlaneIndex) -> u32 {
        self.channels(page).len() as u32
    }

    pub(crate) fn is_missing(&self, page: PlaneIndex) -> bool {
        self.missing.binary_search(&(page.t, page.group, page.z)).is_ok()
    }

    /// Width of the tiles on which the digests of a level's pixels are taken.
    pub(crate) fn digest_width(&self, level: usize) -> u32 {
        let tile = fairzarr_digest::TILE;
        self.pyramid_of(level).block_width().filter(|width| width % tile != 0).unwrap_or(tile)
    }

    /// Path of a level's array in the store.
    pub(crate) fn array_path(&self, level: usize) -> String {
        if self.path.is_empty() { level.to_string() } else { format!("{}/{level}", self.path) }
    }

    /// Of what is said along t, c, z, y, x that which concerns the axes of the arrays.
    pub(crate) fn along_axes<T>(&self, all: [T; 5]) -> Vec<T> {
        all.into_iter().zip(self.axes).filter_map(|(one, is_there)| is_there.then_some(one)).collect()
    }

    /// Rows and columns of chunks of a level.
    pub(crate) fn chunk_grid(&self, level: usize) -> (u32, u32) {
        let LevelPlan { size, chunk, .. } = self.levels[level];
        (size.0.div_ceil(chunk.0), size.1.div_ceil(chunk.1))
    }

    pub(crate) fn task_count(&self) -> u64 {
        let tasks = |pyramid: &Pyramid| pyramid.count(pyramid.task_level) as u64;
        self.first_pages().count() as u64 * self.pyramids.iter().map(tasks).sum::<u64>()
    }

    pub(super) fn planes(&self) -> u64 {
        self.shape[..3].iter().map(|n| *n as u64).product()
    }

    pub(super) fn plane_bytes(&self, level: usize) -> u64 {
        let (h, w) = self.levels[level].size;
        h as u64 * w as u64 * self.sample_bytes() as u64
    }

    pub(super) fn objects(&self) -> u64 {
        let per_plane: u64 = self
            .levels
            .iter()
            .map(|level| {
                let (h, w) = level.shard.unwrap_or(level.chunk);
                level.size.0.div_ceil(h) as u64 * level.size.1.div_ceil(w) as u64
            })
            .sum();
        let [t, c, z, _, _] = self.shape;
        let (times, sections) = self.depth;
        per_plane * u64::from(t.div_ceil(times)) * u64::from(c) * u64::from(z.div_ceil(sections))
    }

    /// Bytes that one worker holds: a block per level, a chunk before and after encoding, open shards. It does one pyramid
    /// after the other.
    pub(super) fn working_set(&self) -> u64 {
        let samples = self.groups.iter().map(|g| (g.end - g.start) as u64).max().unwrap_or(1);
        let pixel = samples * self.sample_bytes() as u64;
        self.pyramids.iter().map(|pyramid| self.working_set_of(pyramid, pixel)).max().unwrap_or(0)
    }

    fn working_set_of(&self, pyramid: &Pyramid, pixel: u64) -> u64 {
        let levels = &self.levels[pyramid.image_levels()];
        let chunk = levels[0].chunk.0 as u64 * levels[0].chunk.1 as u64 * self.sample_bytes() as u64;
        let shards: u64 = levels
            .iter()
            .filter_map(|level| level.shard.map(|shard| (level, shard)))
            .map(|(level, (h, w))| {
                let h = h.min(level.size.0) as u64;
                // A band keeps a whole row of shards open, a walk over square blocks one.
                let w = if pyramid.block_width().is_some() { w.min(level.size.1) } else { level.size.1 };
                h * w as u64 * pixel * self.planes_in_shard()
            })
            .sum();
        // Of tiles that are moved, the stored bytes of a block.
        let full = pyramid.rect(Block { level: 0, row: 0, col: 0 }).area() as u64 * pixel;
        let stored = if levels[0].moved { full } else { 0 };
        pyramid.area() * pixel + 3 * chunk + shards + stored
    }
}

impl LevelPlan {
    /// Rows and columns of chunks in a shard.
    pub(crate) fn shard_chunks(&self) -> Option<(u32, u32)> {
        self.shard.map(|(h, w)| (h / self.chunk.0, w / self.chunk.1))
    }
}
