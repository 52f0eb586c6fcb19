//! Regions of the OME-XML as label images beside the image that they belong to: `labels/rois`, one number for each ROI.
//!
//! A plane is painted block by block, the top of the pyramid first: what no shape comes near is passed over, and neither read nor
//! stored. A block per level is held by each thread.

use fairzarr_ngff::from_ome;
use fairzarr_ngff::{Downscaling, ImageLabel, LabelColor, group_document, image_attributes, merge};
use fairzarr_ome_tiff::{Fileset, Image};
use fairzarr_ome_zarr::keys::{self, join};
use fairzarr_ome_zarr::{Codec, Encoder, put};
use fairzarr_pixel::{Region, SampleType};
use fairzarr_rois::{Grid, Painter, Rois};
use fairzarr_store::Store;
use fairzarr_task::{Job, try_for_each};
use fairzarr_zarr::{ArraySpec, Codecs, array_document, chunk_key};
use serde_json::{Map, Value, json};

use super::metadata::{Metadata, factors};
use crate::error::Error;
use crate::options::Downsample;
use crate::pixels::downsample::halve;
use crate::pixels::sample::SampleBuffer;
use crate::plan::pyramid::{Block, Pyramid};
use crate::plan::regions::regions;
use crate::plan::{ImagePlan, Plan};

/// Pixels on a side of a chunk, and of what is painted at a time.
const SIDE: u32 = 512;

/// Writes the label images of all images.
pub(crate) fn write(
    source: &Fileset,
    plan: &Plan,
    metadata: &Metadata<'_>,
    store: &Store,
    job: &Job,
) -> Result<(), Error> {
    for (index, (image, planned)) in source.images().iter().zip(&plan.images).enumerate() {
        let rois = regions(source, image);
        if rois.is_empty() {
            continue;
        }
        let labels = Labels::new(plan, planned, index, &rois, image)?;
        labels.samples(store, job)?;
        labels.documents(store, metadata)?;
    }
    Ok(())
}

struct Labels<'a> {
    plan: &'a Plan,
    image: &'a ImagePlan,
    index: usize,
    rois: &'a Rois,
    /// Sizes in t, c, z.
    planes: [u32; 3],
    sample_type: SampleType,
    encoder: Encoder,
    /// The label image's group.
    path: String,
}

/// A piece that is done by one thread: a plane, and a block at the top of a pyramid.
type Piece<'p> = ([u32; 3], usize, &'p Pyramid, Block);

impl<'a> Labels<'a> {
    fn new(
        plan: &'a Plan,
        image: &'a ImagePlan,
        index: usize,
        rois: &'a Rois,
        source: &Image,
    ) -> Result<Self, Error> {
        let sample_type = match rois.rois.len() {
            0..=0xff => SampleType::Uint8,
            0x100..=0xffff => SampleType::Uint16,
            _ => SampleType::Uint32,
        };
        let crc32c = plan.ngff().zarr_format() == 3;
        Ok(Self {
            plan,
            image,
            index,
            rois,
            planes: rois.planes(source.shape()),
            sample_type,
            encoder: Encoder::new(CODEC, sample_type.bytes(), crc32c)?,
            path: join(&image.path, keys::ROI_LABELS),
        })
    }

    /// Levels that were computed are the most frequent of 2 x 2 samples; levels that were copied have other sizes, and the sample of
    /// full resolution at their upper left.
    fn method(&self) -> (&'static str, &'static str) {
        match self.image.levels.len() {
            1 => ("none", "one level: nothing was downscaled"),
            _ if self.image.is_copied() => {
                (from_ome::NEAREST, "the label of full resolution at the upper left of each sample")
            }
            _ => ("mode", Downsample::Mode.description()),
        }
    }

    /// Paints all planes.
    fn samples(&self, store: &Store, job: &Job) -> Result<(), Error> {
        let sizes: Vec<(u32, u32)> = self.image.levels.iter().map(|level| level.size).collect();
        let block = (SIDE, Some(SIDE));
        let pyramids: Vec<Pyramid> = if self.image.is_copied() {
            let one = |(level, size): (usize, &(u32, u32))| Pyramid::new(level, vec![*size], 1, block);
            sizes.iter().enumerate().map(one).collect()
        } else {
            vec![Pyramid::new(0, sizes.clone(), sizes.len(), block)]
        };
        let [t, c, z] = self.planes;
        let planes = (0..t).flat_map(|t| (0..c).flat_map(move |c| (0..z).map(move |z| [t, c, z])));
        for plane in planes {
            job.cancel.check()?;
            let rois_error = |reason| Error::Rois { image: self.index, reason };
            let painter = Painter::new(self.rois, plane).map_err(rois_error)?;
            let pieces: Vec<Piece<'_>> = pyramids
                .iter()
                .flat_map(|pyramid| {
                    let top = pyramid.levels() - 1;
                    pyramid.blocks(top).into_iter().map(move |block| (plane, top, pyramid, block))
                })
                .collect();
            let name = |(plane, _, _, block): &Piece<'_>| format!("labels at {plane:?}, {block:?}");
            let paint = |(plane, _, pyramid, block): &Piece<'_>| -> Result<(), Error> {
                job.cancel.check()?;
                self.block(&painter, pyramid, *block, *plane, store)?;
                Ok(())
            };
            try_for_each(&pieces, job.cores(), name, || (), |(), piece| paint(piece))?;
        }
        Ok(())
    }

    /// The samples of a block, which are written with all below it; none where all are 0.
    fn block(
        &self,
        painter: &Painter<'_>,
        pyramid: &Pyramid,
        block: Block,
        plane: [u32; 3],
        store: &Store,
    ) -> Result<Option<SampleBuffer>, Error> {
        let full = self.image.levels[0].size;
        let rect = pyramid.rect(block);
        let level = pyramid.of_image(block.level);
        let size = self.image.levels[level].size;
        let place = |at: u32, of: u32, full: u32| {
            (u64::from(at) * u64::from(full)).div_ceil(u64::from(of.max(1))).min(full.into()) as u32
        };
        // With a margin for levels that round up.
        let reach = |at: u32, length: u32, of: u32, full: u32| {
            let margin = (full / of.max(1) + 1).saturating_mul(2);
            (place(at, of, full).saturating_sub(margin), place(at + length, of, full).saturating_add(margin))
        };
        let (rows, columns) = (reach(rect.y, rect.h, size.0, full.0), reach(rect.x, rect.w, size.1, full.1));
        if painter.is_empty(rows, columns) {
            return Ok(None);
        }
        let mut samples = SampleBuffer::default();
        samples.resize(rect.area() * self.sample_type.bytes());
        let is_zero = if block.level == 0 {
            let grid = Grid::new(size, full, (rect.y, rect.y + rect.h), (rect.x, rect.x + rect.w));
            let painted = painter.paint(&grid);
            let bytes = self.sample_type.bytes();
            for (out, label) in samples.bytes_mut().chunks_exact_mut(bytes).zip(&painted) {
                out.copy_from_slice(&label.to_le_bytes()[..bytes]);
            }
            painted.iter().all(|label| *label == 0)
        } else {
            samples.bytes_mut().fill(0);
            for child in pyramid.children(block) {
                if let Some(below) = self.block(painter, pyramid, child, plane, store)? {
                    let from = (pyramid.rect(child), below.bytes());
                    halve(Downsample::Mode, self.sample_type, 1, from, (rect, samples.bytes_mut()));
                }
            }
            samples.bytes().iter().all(|byte| *byte == 0)
        };
        if is_zero {
            return Ok(None);
        }
        let [t, c, z] = plane.map(u64::from);
        let index = self.image.along_axes([t, c, z, block.row.into(), block.col.into()]);
        let key = chunk_key(self.plan.ngff(), &join(&self.path, &level.to_string()), &index);
        let chunk = padded(rect, samples.bytes(), chunk(size), self.sample_type.bytes());
        store.put_in_background(&key, self.encoder.encode(&chunk)?.into())?;
        Ok(Some(samples))
    }

    fn documents(&self, store: &Store, metadata: &Metadata<'_>) -> Result<(), Error> {
        let version = self.plan.ngff();
        for (level, planned) in self.image.levels.iter().enumerate() {
            let [t, c, z] = self.planes.map(u64::from);
            let ((h, w), (rows, columns)) = (planned.size, chunk(planned.size));
            let shape = self.image.along_axes([t, c, z, h.into(), w.into()]);
            let chunk = self.image.along_axes([1, 1, 1, rows.into(), columns.into()]);
            let mut spec = ArraySpec::new(shape, self.sample_type, chunk);
            spec.codecs = Codecs::new(CODEC.compressor());
            spec.codecs.crc32c = version.zarr_format() == 3;
            spec.dimension_names = self.image.along_axes(["t", "c", "z", "y", "x"].map(Into::into));
            put(store, &join(&self.path, &level.to_string()), array_document(version, &spec)?)?;
        }
        let (method, description) = self.method();
        let mut downscaling = Downscaling::new(method);
        downscaling.description = Some(description.into());
        downscaling.metadata = Map::from_iter([
            ("method".into(), json!("fairzarr")),
            ("version".into(), json!(self.plan.fairzarr)),
        ]);
        let mut multiscale = from_ome::multiscale(
            metadata.described(self.index),
            self.index,
            &factors(self.image),
            Some(downscaling),
            metadata.origin(self.index),
        )
        .along(&self.image.axes);
        multiscale.name = Some(keys::ROI_LABELS.rsplit('/').next().unwrap_or_default().to_owned());
        let mut attributes = image_attributes(version, &multiscale, None);
        merge(&mut attributes, image_label(self.rois).attributes(version));
        if !self.rois.left_out.is_empty() {
            let left_out = self.rois.left_out.iter();
            let left_out: Vec<Value> =
                left_out.map(|shape| json!({"shape": shape.id, "reason": shape.reason})).collect();
            attributes.insert(keys::ROIS.into(), json!({"left_out": left_out}));
        }
        put(store, &self.path, group_document(version, attributes))?;
        Ok(())
    }
}

/// Colours and properties by label; the properties lead back to the ROI and its shapes.
pub(crate) fn image_label(rois: &Rois) -> ImageLabel {
    let mut label = ImageLabel::default();
    for (roi, number) in rois.rois.iter().zip(1_u32..) {
        let value = i64::from(number);
        label.colors.push(LabelColor { value, rgba: Some(roi.shown(number)) });
        let shapes: Vec<&str> = roi.shapes.iter().map(|shape| shape.id.as_str()).collect();
        let mut properties =
            Map::from_iter([("label-value".to_owned(), json!(value)), ("roi".into(), json!(roi.id))]);
        for (name, text) in [("name", &roi.name), ("text", &roi.text)] {
            if let Some(text) = text {
                properties.insert(name.into(), json!(text));
            }
        }
        properties.insert("shapes".into(), json!(shapes));
        label.properties.push(properties);
    }
    label.source = Some("../../".into());
    label
}

/// Height and width of a chunk of a level.
fn chunk((height, width): (u32, u32)) -> (u32, u32) {
    (height.clamp(1, SIDE), width.clamp(1, SIDE))
}

/// A whole chunk from the samples of it that lie within the array.
fn padded(rect: Region, samples: &[u8], (rows, columns): (u32, u32), bytes: usize) -> Vec<u8> {
    let mut whole = vec![0; rows as usize * columns as usize * bytes];
    let (from, to) = (rect.w as usize * bytes, columns as usize * bytes);
    for (row, out) in samples.chunks_exact(from.max(1)).zip(whole.chunks_exact_mut(to.max(1))) {
        out[..from].copy_from_slice(row);
    }
    whole
}

/// Runs of equal labels shrink by any; every reader of either Zarr format has this one.
const CODEC: Codec = Codec::SMALL;
