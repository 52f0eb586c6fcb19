//! One image: its levels as arrays and as pages, and the pieces that it is written in.

use std::ops::Range;
use std::sync::Arc;

use fairzarr_ome_tiff::tiff_codec::{Compression, Encoder};
use fairzarr_ome_tiff::{ExtraTag, Grid, Page, PageForm, SampleType};
use fairzarr_ome_xml::{Axis, Image, PixelType, Pixels};
use fairzarr_ome_zarr::{OpenImage, StoredArray, StoredImage};
use fairzarr_task::Job;

use crate::Options;
use crate::error::Error;
use crate::grid::{Cut, cut};
use crate::tags::SourceTags;

/// An image that is to be written.
pub(crate) struct Series {
    index: usize,
    /// Number of its first page in the file.
    first_page: usize,
    /// Sizes of t and z.
    times: u64,
    sections: u64,
    /// Channels that share pages, as ranges that follow one another.
    groups: Vec<Range<u64>>,
    /// The axes that planes follow each other along, fastest first.
    order: [Axis; 3],
    levels: Vec<Level>,
}

struct Level {
    array: StoredArray,
    /// The dimension of each of t, c, z, y, x; `None` when the array has no such axis.
    dimensions: [Option<usize>; 5],
    height: u64,
    width: u64,
    rows: Cut,
    cols: Cut,
    /// Times, groups and sections that are read at a time, because they lie in the same objects.
    depths: [u64; 3],
    /// How the pages of each group of channels are laid out.
    forms: Vec<Arc<PageForm>>,
    sample_bytes: usize,
}

/// A compressed chunk and where it belongs.
pub(crate) struct Written {
    /// Of the file.
    pub(crate) page: usize,
    pub(crate) level: usize,
    /// Of the page, row by row.
    pub(crate) chunk: usize,
    pub(crate) stored: Vec<u8>,
}

/// Decoded bytes that planes are read together up to.
const MOST_BYTES: u64 = 64 << 20;

/// An encoder of a scheme that was asked for.
pub(crate) fn encoder(compression: Compression) -> Result<Encoder, Error> {
    Encoder::new(compression)
        .map_err(|error| Error::Unfit { place: compression.name().into(), reason: error.to_string() })
}

impl Series {
    /// Opens the arrays of an image and compares them with what its OME-XML says. Its pages begin at `first_page`.
    pub(crate) fn open(
        opened: OpenImage<'_>,
        first_page: usize,
        image: &Image,
        options: &Options,
        tags: &SourceTags,
        left_out: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let OpenImage { index, stored, levels: arrays, .. } = opened;
        let place = || format!("image {index}");
        let unfit = |reason: String| Error::Unfit { place: place(), reason };
        let incomplete = || unfit("its OME-XML does not say how large it is".into());
        let pixels = image.pixels.as_ref().ok_or_else(incomplete)?;
        let samples = pixels.channel_samples().ok_or_else(incomplete)?;
        let mut groups = Vec::new();
        let mut channel = 0;
        for samples in samples {
            groups.push(channel..channel + u64::from(samples));
            channel += u64::from(samples);
        }
        let sizes = [pixels.size_t, pixels.size_c, pixels.size_z, pixels.size_y, pixels.size_x];
        let mut levels: Vec<Level> = Vec::new();
        if arrays.is_empty() {
            return Err(unfit("it has no levels".into()));
        }
        for array in arrays.into_iter().take(if options.pyramid { usize::MAX } else { 1 }) {
            let path = array.path().to_owned();
            let level = Level::new(array, stored, pixels, &groups, options, |samples, bytes| {
                tags.of(index, samples, bytes)
            })?;
            let found = level.sizes();
            match levels.last() {
                None => {
                    for ((name, said), found) in ["T", "C", "Z", "Y", "X"].iter().zip(sizes).zip(found) {
                        if said != Some(found) {
                            let said = said.map_or_else(|| "nothing".to_owned(), |size| size.to_string());
                            return Err(unfit(format!(
                                "array {path} has {found} along {name}, its OME-XML says Size{name} {said}"
                            )));
                        }
                    }
                }
                Some(above) => {
                    let smaller = level.height <= above.height
                        && level.width <= above.width
                        && (level.height, level.width) != (above.height, above.width);
                    if found[..3] != above.sizes()[..3] || !smaller {
                        left_out.push(format!(
                            "array {path} is {found:?} in t, c, z, y, x, which is no reduced copy in y and x of \
                             {:?} above it",
                            above.sizes()
                        ));
                        break;
                    }
                }
            }
            levels.push(level);
        }
        let order = pixels.dimension_order.map_or([Axis::Z, Axis::C, Axis::T], |order| order.order());
        let (times, sections) = (sizes[0].unwrap_or(1), sizes[2].unwrap_or(1));
        Ok(Self { index, first_page, times, sections, groups, order, levels })
    }

    /// Its pages in the order of the file, their chunks still nowhere.
    pub(crate) fn pages(&self) -> Vec<Page> {
        let mut pages: Vec<Option<Page>> = Vec::new();
        pages.resize(self.page_count(), None);
        let page = |level: &Level, group: usize| {
            let form = Arc::clone(&level.forms[group]);
            let (down, across) = form.chunks();
            let chunks = vec![fairzarr_ome_tiff::Chunk::default(); down as usize * across as usize];
            Page { form, chunks, reduced: Vec::new() }
        };
        for t in 0..self.times {
            for group in 0..self.groups.len() {
                for z in 0..self.sections {
                    let reduced = self.levels[1..].iter().map(|level| page(level, group)).collect();
                    let full = Page { reduced, ..page(&self.levels[0], group) };
                    pages[self.page(t, group as u64, z) - self.first_page] = Some(full);
                }
            }
        }
        pages.into_iter().flatten().collect()
    }

    /// How many pages it has.
    pub(crate) fn page_count(&self) -> usize {
        self.times as usize * self.groups.len() * self.sections as usize
    }

    /// How many chunks all its pages have.
    pub(crate) fn chunk_count(&self) -> u64 {
        let of_level = |level: &Level| {
            let of_form = |form: &Arc<PageForm>| {
                let (down, across) = form.chunks();
                u64::from(down).saturating_mul(u64::from(across))
            };
            level.forms.iter().map(of_form).fold(0, u64::saturating_add)
        };
        let of_groups = self.levels.iter().map(of_level).fold(0, u64::saturating_add);
        of_groups.saturating_mul(self.times).saturating_mul(self.sections)
    }

    /// Number of a plane's page in the file.
    fn page(&self, t: u64, group: u64, z: u64) -> usize {
        let place = |axis: Axis| match axis {
            Axis::T => (t, self.times),
            Axis::C => (group, self.groups.len() as u64),
            Axis::Z => (z, self.sections),
        };
        let number = self.order.iter().rev().fold(0, |number, axis| {
            let (at, size) = place(*axis);
            number * size + at
        });
        self.first_page + number as usize
    }

    /// Bytes of all levels, decoded.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = |level: &Level| level.sizes().iter().product::<u64>() * level.sample_bytes as u64;
        self.levels.iter().map(bytes).sum()
    }

    /// How many pieces each level is written in.
    pub(crate) fn pieces(&self) -> Vec<usize> {
        self.levels.iter().map(|level| self.counts(level).iter().product::<u64>() as usize).collect()
    }

    /// Pieces along t, groups, z, y, x.
    fn counts(&self, level: &Level) -> [u64; 5] {
        let [times, groups, sections] = level.depths;
        [
            self.times.div_ceil(times),
            (self.groups.len() as u64).div_ceil(groups),
            self.sections.div_ceil(sections),
            level.height.div_ceil(level.rows.region),
            level.width.div_ceil(level.cols.region),
        ]
    }

    /// Reads and compresses one piece: the chunks of a region, of all planes that lie in the same objects.
    pub(crate) fn piece(
        &self,
        level: usize,
        mut number: usize,
        encoder: &mut Encoder,
        job: &Job,
    ) -> Result<Vec<Written>, Error> {
        let of = &self.levels[level];
        let counts = self.counts(of);
        let mut at = [0; 5];
        for (at, count) in at.iter_mut().zip(counts).rev() {
            *at = number as u64 % count;
            number /= count as usize;
        }
        let span = |at: u64, step: u64, size: u64| at * step..size.min((at + 1) * step);
        let times = span(at[0], of.depths[0], self.times);
        let groups = span(at[1], of.depths[1], self.groups.len() as u64);
        let sections = span(at[2], of.depths[2], self.sections);
        let rows = span(at[3], of.rows.region, of.height);
        let cols = span(at[4], of.cols.region, of.width);
        let channels = self.groups[groups.start as usize].start..self.groups[groups.end as usize - 1].end;
        let read = of.read([times.clone(), channels, sections.clone(), rows, cols])?;
        job.progress.advance(read.bytes.len() as u64);
        let mut chunks = Vec::new();
        for t in times {
            for group in groups.clone() {
                for z in sections.clone() {
                    let form = &of.forms[group as usize];
                    let channels = self.groups[group as usize].clone();
                    let plane = || format!("image {}, plane t={t} c={} z={z}", self.index, channels.start);
                    let unfit = |reason: String| Error::Unfit { place: plane(), reason };
                    for (chunk, samples) in read.chunks(of, form, [t, channels.start, z]) {
                        if form.sample_type == SampleType::Bit
                            && let Some(found) = samples.iter().find(|sample| **sample > 1)
                        {
                            return Err(unfit(format!("a sample is {found}, its OME-XML says Type bit")));
                        }
                        let stored =
                            encoder.encode(form.pack(samples)).map_err(|error| unfit(error.to_string()))?;
                        chunks.push(Written { page: self.page(t, group, z), level, chunk, stored });
                    }
                }
            }
        }
        Ok(chunks)
    }
}

impl Level {
    fn new(
        array: StoredArray,
        stored: &StoredImage,
        pixels: &Pixels,
        groups: &[Range<u64>],
        options: &Options,
        tags: impl Fn(u16, usize) -> Vec<ExtraTag>,
    ) -> Result<Self, Error> {
        let unfit = |reason: String| Error::Unfit { place: format!("array {}", array.path()), reason };
        let axes = &stored.multiscale.axes;
        let dimensions = ["t", "c", "z", "y", "x"].map(|name| axes.iter().position(|axis| axis.name == name));
        let rank = array.shape().len();
        let known = dimensions.iter().flatten().count();
        if axes.len() != rank || known != rank || rank < 2 {
            let names: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
            return Err(unfit(format!(
                "its axes are {names:?} in {rank} dimensions, expected some of t, c, z, y, x"
            )));
        }
        if dimensions[3..] != [Some(rank - 2), Some(rank - 1)] {
            return Err(unfit("y and x are not its last two axes".into()));
        }
        let sample_type = sample_type(&array.data_type(), pixels.pixel_type).map_err(unfit)?;
        let size = |dimension: Option<usize>| dimension.map_or(1, |dimension| array.shape()[dimension]);
        let object =
            |axis: usize| dimensions[axis].map_or(1, |dimension| array.object_shape()[dimension]).max(1);
        let (height, width) = (size(dimensions[3]), size(dimensions[4]));
        // Signed, because many readers count so.
        let side = |name: &str, size: u64| match i32::try_from(size) {
            Ok(side) if side > 0 => Ok(side as u32),
            _ => Err(unfit(format!("it has {size} samples along {name}"))),
        };
        let (rows, cols) = (cut(height, object(3)), cut(width, object(4)));
        let (rows_in_all, cols_in_all) = (side("y", height)?, side("x", width)?);
        let sample_bytes = sample_type.bytes();
        let grid = if rows.tile >= height && cols.tile >= width {
            Grid { tiled: false, height: rows_in_all, width: cols_in_all }
        } else {
            Grid { tiled: true, height: rows.tile as u32, width: cols.tile as u32 }
        };
        let form = |group: &Range<u64>| {
            let samples = u16::try_from(group.end - group.start)
                .map_err(|_| unfit(format!("a channel has {} samples", group.end - group.start)))?;
            let (height, width) = (rows_in_all, cols_in_all);
            let (compression, predictor) = (options.compression, options.predictor);
            let tags = tags(samples, sample_type.bytes());
            Ok(Arc::new(PageForm { height, width, samples, sample_type, grid, compression, predictor, tags }))
        };
        let forms = groups.iter().map(form).collect::<Result<_, Error>>()?;
        let widest = groups.iter().map(|group| group.end - group.start).max().unwrap_or(1);
        // Whole groups, as many as the channels of an object belong to.
        let channels = object(1).div_ceil(widest);
        let depths = [
            object(0).min(size(dimensions[0])),
            channels.min(groups.len() as u64),
            object(2).min(size(dimensions[2])),
        ];
        let area = rows.region.min(height).saturating_mul(cols.region.min(width));
        let together = depths
            .iter()
            .chain([&area, &widest])
            .try_fold(sample_bytes as u64, |all, side| all.checked_mul(*side));
        let depths = if together.is_none_or(|bytes| bytes > MOST_BYTES) {
            [1; 3]
        } else {
            depths.map(|depth| depth.max(1))
        };
        Ok(Self { array, dimensions, height, width, rows, cols, depths, forms, sample_bytes })
    }

    /// Sizes of t, c, z, y, x.
    fn sizes(&self) -> [u64; 5] {
        self.dimensions.map(|dimension| dimension.map_or(1, |dimension| self.array.shape()[dimension]))
    }

    /// Decodes ranges of t, c, z, y, x.
    fn read(&self, wanted: [Range<u64>; 5]) -> Result<Decoded, Error> {
        let mut ranges = vec![0..1; self.array.shape().len()];
        for (dimension, range) in self.dimensions.iter().zip(&wanted) {
            if let Some(dimension) = dimension {
                ranges[*dimension] = range.clone();
            }
        }
        let bytes = self.array.read(&ranges)?;
        let length = |range: &Range<u64>| (range.end - range.start) as usize;
        let stride = |dimension: Option<usize>| {
            dimension.map_or(0, |dimension| ranges[dimension + 1..].iter().map(length).product())
        };
        Ok(Decoded { strides: self.dimensions.map(stride), from: wanted, bytes })
    }
}

/// A piece of an array, decoded.
struct Decoded {
    /// Its ranges of t, c, z, y, x.
    from: [Range<u64>; 5],
    /// Samples from one index to the next along each of these.
    strides: [usize; 5],
    bytes: Vec<u8>,
}

impl Decoded {
    /// The chunks of a plane's page that lie in it: number in the page, and samples, zeros beyond the image. The
    /// plane is given by t, first c, z.
    fn chunks(
        &self,
        level: &Level,
        form: &PageForm,
        [t, c, z]: [u64; 3],
    ) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let (tile_rows, tile_cols) = (u64::from(form.grid.height), u64::from(form.grid.width));
        let (_, across) = form.chunks();
        let [_, _, _, rows, cols] = self.from.clone();
        let tops = rows.clone().step_by(tile_rows as usize);
        let places =
            tops.flat_map(move |top| cols.clone().step_by(tile_cols as usize).map(move |left| (top, left)));
        let [times, channels, sections, ..] = &self.from;
        let first = (t - times.start) as usize * self.strides[0]
            + (c - channels.start) as usize * self.strides[1]
            + (z - sections.start) as usize * self.strides[2];
        let bytes = level.sample_bytes;
        let samples = usize::from(form.samples);
        let (bottom, right) = (self.from[3].end, self.from[4].end);
        let (y0, x0) = (self.from[3].start, self.from[4].start);
        places.map(move |(top, left)| {
            let number = (top / tile_rows) as usize * across as usize + (left / tile_cols) as usize;
            let mut chunk = vec![0; form.chunk_bytes()];
            let width = (right.min(left + tile_cols) - left) as usize;
            let row_bytes = tile_cols as usize * samples * bytes;
            for (y, row) in (top..bottom.min(top + tile_rows)).zip(chunk.chunks_exact_mut(row_bytes.max(1))) {
                let start = first + (y - y0) as usize * self.strides[3] + (left - x0) as usize;
                for sample in 0..samples {
                    let from = &self.bytes[(start + sample * self.strides[1]) * bytes..][..width * bytes];
                    if samples == 1 {
                        row[..from.len()].copy_from_slice(from);
                    } else {
                        // The samples of a pixel side by side.
                        let to = row.chunks_exact_mut(samples * bytes);
                        for (to, from) in to.zip(from.chunks_exact(bytes)) {
                            to[sample * bytes..][..bytes].copy_from_slice(from);
                        }
                    }
                }
            }
            (number, chunk)
        })
    }
}

/// What the samples of an array are in an OME-TIFF, given what its OME-XML calls them.
fn sample_type(stored: &str, declared: Option<PixelType>) -> Result<SampleType, String> {
    let found = match (stored, declared) {
        ("bool" | "uint8", Some(PixelType::Bit)) => return Ok(SampleType::Bit),
        // OME has no half; what is stored as half is called float.
        ("float16", Some(PixelType::Float)) => return Ok(SampleType::Float16),
        ("int8", _) => (PixelType::Int8, SampleType::Int8),
        ("uint8", _) => (PixelType::Uint8, SampleType::Uint8),
        ("int16", _) => (PixelType::Int16, SampleType::Int16),
        ("uint16", _) => (PixelType::Uint16, SampleType::Uint16),
        ("int32", _) => (PixelType::Int32, SampleType::Int32),
        ("uint32", _) => (PixelType::Uint32, SampleType::Uint32),
        ("float32", _) => (PixelType::Float, SampleType::Float),
        ("float64", _) => (PixelType::Double, SampleType::Double),
        ("complex64", _) => (PixelType::ComplexFloat, SampleType::ComplexFloat),
        ("complex128", _) => (PixelType::ComplexDouble, SampleType::ComplexDouble),
        (other, _) => return Err(format!("its samples are {other}, which OME-XML has no Type for")),
    };
    match declared {
        Some(declared) if declared == found.0 => Ok(found.1),
        Some(declared) => {
            Err(format!("its samples are {stored}, its OME-XML says Type {}", declared.as_str()))
        }
        None => Err(format!("its samples are {stored}, its OME-XML says no Type that OME has")),
    }
}
