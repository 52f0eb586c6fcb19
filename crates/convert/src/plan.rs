//! The plan: everything that is decided before the first byte is written.
//!
//! The same source and options give the same plan on every machine, whatever its number of cores, so that a
//! conversion can be resumed, repeated, or split between processes with byte-identical results.

mod blocks;
mod image;
mod labels;
mod level;
pub(crate) mod number;
pub(crate) mod placement;
pub(crate) mod pyramid;
pub(crate) mod regions;
pub(crate) mod settings;
mod shards;
pub(crate) mod share;
mod task;
mod text;
pub(crate) mod tiles;

use fairzarr_ngff::from_ome;
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::Encoder;
use fairzarr_pixel::{PlaneIndex, SampleType};
use fairzarr_provenance::Documents;
use fairzarr_task::Job;
use fairzarr_zarr::Endian;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::options::{ChunkChoice, Downsample, DropAxes, Options, PositionChoice, PyramidChoice, RoiChoice};
use crate::source::{SeenFiles, SourceFile, identify};
use placement::{Placement, on_stage, place};
use pyramid::Block;
use share::Share;
use tiles::Tiles;

pub use image::ImagePlan;
pub use labels::LabelPlan;
pub use level::LevelPlan;
pub use settings::{Setting, Settings};
pub(crate) use task::{Task, Written};
pub(crate) use tiles::container;

/// What a plan is made for.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) options: &'a Options,
    /// Bytes of pixels that may be held.
    pub(crate) memory: u64,
}

/// What will be written, and in which pieces it is done.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Plan {
    /// Version of this program; another version may cut a conversion differently.
    pub fairzarr: String,
    /// What shapes the output.
    pub settings: Settings,
    /// Files of the source.
    pub files: Vec<SourceFile>,
    /// What the machine that began saw of them; it is no part of what makes two plans the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seen: Option<SeenFiles>,
    /// Placement of the images.
    pub placement: Placement,
    /// Documents on microscope, acquisition and quality control.
    pub documents: Documents,
    /// Images in series order; then the label images of each of [`Self::labels`].
    pub images: Vec<ImagePlan>,
    /// Files of label images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelPlan>,
    /// Bytes for decoded tiles that neighbouring blocks share, per worker.
    pub(crate) tile_cache: u64,
    /// Bytes of pixels that one worker holds.
    pub worker_memory: u64,
}

impl Plan {
    /// Plans a conversion that may hold `memory` bytes of pixels.
    ///
    /// # Errors
    /// When the options do not fit the source, the memory is too small for it, or its files cannot be read.
    pub fn new(source: &Fileset, options: &Options, memory: u64) -> Result<Self, Error> {
        if let ChunkChoice::Size(h, w) = options.chunk
            && (h == 0 || w == 0 || h as u64 * w as u64 > 1 << 28)
        {
            return Err(Error::ChunkSize(h, w));
        }
        if !options.decode
            && (options.chunk != ChunkChoice::Source || options.pyramid == PyramidChoice::Computed)
        {
            return Err(Error::NeedsSamples);
        }
        if options.codec.needs_zarr_2() && options.version.zarr_format() == 3 {
            let (codec, version) = (options.codec.name().into(), options.version.to_string());
            return Err(Error::CodecNeedsZarr2(codec, version));
        }
        let complex = |image: &fairzarr_ome_tiff::Image| {
            matches!(image.sample_type(), SampleType::ComplexFloat | SampleType::ComplexDouble)
        };
        if options.downsample == Downsample::Max
            && let Some(image) = source.images().iter().position(complex)
        {
            return Err(Error::NoLargest(image));
        }
        if let DropAxes::Of(axes) = &options.drop_axes {
            for (index, image) in source.images().iter().enumerate() {
                let shape = image.shape();
                let lengths = [('t', shape.t), ('c', shape.c), ('z', shape.z)];
                let longer = lengths.into_iter().find(|(axis, length)| *length > 1 && axes.contains(axis));
                if let Some((axis, length)) = longer {
                    return Err(Error::AxisInUse { image: index, axis, length });
                }
            }
        }
        if options.rois == RoiChoice::Labels {
            regions::check(source)?;
        }
        if options.positions == PositionChoice::Scene && options.version != fairzarr_ngff::Version::V06 {
            return Err(Error::NoScenes(options.version.to_string()));
        }
        let placement = place(source, options.layout)?;
        let mut plan = Self {
            fairzarr: env!("CARGO_PKG_VERSION").into(),
            settings: Settings::new(source, options),
            files: identify(source)?,
            seen: None,
            documents: Documents::new(&options.sidecars, options.mapping.as_ref(), options.policy.as_ref()),
            images: Vec::new(),
            labels: Vec::new(),
            tile_cache: 0,
            worker_memory: 0,
            placement,
        };
        let request = Request { options, memory };
        for (image, path) in source.images().iter().zip(plan.placement.paths()) {
            plan.images.push(ImagePlan::new(image, path, request));
        }
        let (labels, label_images) = labels::plan(source.images(), &plan.images, &options.labels, request)?;
        plan.labels = labels;
        plan.images.extend(label_images);
        for (image, planned) in options.inputs(source).images().into_iter().zip(&plan.images) {
            plan.tile_cache = plan.tile_cache.max(blocks::tile_cache(image));
            plan.worker_memory = plan.worker_memory.max(planned.working_set());
        }
        if options.positions == PositionChoice::Scene {
            let (numbers, placed): (Vec<usize>, Vec<_>) = on_stage(source, &plan).into_iter().unzip();
            if let Err(other) = from_ome::scene(&placed) {
                return Err(Error::OtherAxes { image: numbers[other], first: numbers[0] });
            }
        }
        plan.worker_memory += plan.tile_cache;
        if plan.worker_memory > memory {
            return Err(Error::Memory {
                needed: plan.worker_memory.div_ceil(1 << 20),
                allowed: memory >> 20,
            });
        }
        Ok(plan)
    }

    /// The images of the source, without label images.
    pub fn source_images(&self) -> &[ImagePlan] {
        let labels: usize = self.labels.iter().map(|labels| labels.of.len()).sum();
        &self.images[..self.images.len().saturating_sub(labels)]
    }

    /// Each label image: its file's number among those of labels, the number of the image that it belongs to, and its own number
    /// among the plan's images.
    pub(crate) fn label_images(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let places = self
            .labels
            .iter()
            .enumerate()
            .flat_map(|(file, labels)| labels.of.iter().map(move |of| (file, *of)));
        (self.source_images().len()..).zip(places).map(|(index, (file, of))| (file, of, index))
    }

    pub(crate) fn ngff(&self) -> fairzarr_ngff::Version {
        self.settings.ngff
    }

    /// The encoder of one level of an image.
    pub(crate) fn encoder(&self, image: &ImagePlan, level: usize) -> Result<Encoder, Error> {
        let level = &image.levels[level];
        let encoder = Encoder::new(level.codec, image.sample_bytes(), self.crc32c(level))?;
        Ok(match image.endian() {
            Endian::Little => encoder,
            Endian::Big => encoder.big_endian(image.sample_type.number_bytes()),
        })
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
        if self.settings.decode {
            return Vec::new();
        }
        let decoded = |index: &usize| matches!(self.images[*index].tiles, Tiles::Moved { decoded: true, .. });
        (0..self.images.len()).filter(decoded).collect()
    }

    /// All tasks, in the order in which one process does them.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = Task> + '_ {
        self.images.iter().enumerate().flat_map(|(image, plan)| {
            let blocks: Vec<(usize, Block)> = plan
                .pyramids
                .iter()
                .enumerate()
                .flat_map(|(n, pyramid)| pyramid.tasks().into_iter().map(move |block| (n, block)))
                .collect();
            plan.first_pages().flat_map(move |page| {
                let blocks = blocks.clone().into_iter();
                blocks.map(move |(pyramid, block)| Task { image, page, pyramid, block })
            })
        })
    }

    /// Whether this is one of the [`Self::tasks`], or a block above them.
    pub(crate) fn holds(&self, task: Task) -> bool {
        let PlaneIndex { t, group, z } = task.page;
        self.images.get(task.image).is_some_and(|image| {
            image.pyramids.get(task.pyramid).is_some_and(|pyramid| {
                pyramid.holds(task.block)
                    && (task.block.level == pyramid.task_level
                        || task.block.level > pyramid.task_level && pyramid.writes(task.block.level))
            }) && t < image.shape[0]
                && t.is_multiple_of(image.depth.0)
                && (group as usize) < image.groups.len()
                && z < image.shape[2]
                && z.is_multiple_of(image.depth.1)
        })
    }

    /// The block that a task, or a block above the tasks, is part of; none at the top.
    pub(crate) fn above(&self, task: Task) -> Option<Task> {
        let block = self.images[task.image].pyramids[task.pyramid].parent(task.block)?;
        Some(Task { block, ..task })
    }

    /// Number of [`Self::tasks`].
    pub fn task_count(&self) -> u64 {
        self.images.iter().map(ImagePlan::task_count).sum()
    }

    /// Number of the tasks that are a share's.
    pub fn task_count_of(&self, share: Share) -> u64 {
        let range = share.range(self.task_count());
        range.end - range.start
    }

    /// Decoded bytes of the levels that are read.
    pub fn source_bytes(&self) -> u64 {
        let levels = |image: &ImagePlan| -> u64 {
            image.pyramids.iter().map(|pyramid| image.plane_bytes(pyramid.first)).sum()
        };
        self.images.iter().map(|image| levels(image) * image.planes()).sum()
    }

    /// Decoded bytes that one task reads.
    pub(crate) fn task_bytes(&self, task: Task) -> u64 {
        let image = &self.images[task.image];
        let (rows, columns) = image.pyramids[task.pyramid].below(task.block, 0);
        let pixels = (rows.end - rows.start) * (columns.end - columns.start);
        let pages = image.task_pages(task.page).count() as u64;
        pages * pixels * image.samples(task.page) as u64 * image.sample_bytes() as u64
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

    /// Threads that `memory` and the number of tasks allow.
    pub fn threads(&self, job: &Job) -> usize {
        let wanted = job.cores() as u64;
        let fitting = (job.memory / self.worker_memory.max(1)).max(1);
        wanted.min(fitting).min(self.task_count().max(1)) as usize
    }
}
