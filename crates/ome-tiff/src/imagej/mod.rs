//! TIFF of ImageJ and Fiji, described by `key=value` lines in the first ImageDescription.

pub(crate) mod description;
mod metadata;

use std::sync::Arc;

pub(crate) use description::{Hyperstack, parse};

use fairzarr_tiff_codec::Compression;

use crate::{
    assemble::{self, Spec, plane_limit},
    calibration::Calibration,
    container::{Container, Geometry, PageId},
    described::{ChannelNote, Described},
    error::{Error, Result},
    files::Files,
    image::Image,
    plane_map::{Axis, Extent, PlaneRef},
    types::Warning,
};

/// The one image of such a file.
pub(crate) fn image(files: &Arc<Files>, stack: &Hyperstack, warnings: &mut Vec<Warning>) -> Result<Image> {
    let damaged = |what: String| Error::Damaged { file: files.name(0), what };
    let Some((container, first)) = files.container(0).and_then(|c| Some((c, c.page(0)?))) else {
        return Err(damaged("it holds no page".to_owned()));
    };
    let geometry = container.geometry(first).map_err(|what| damaged(format!("IFD 0: {what}")))?;
    let samples = u32::from(geometry.samples);
    let pages = u64::from(container.len());
    let mut sizes = [stack.channels, stack.slices, stack.frames];
    let mut images = stack.images;
    let mut note = |message: String| {
        warnings.push(Warning { file: Some(files.name(0)), ifd: Some(0), message });
    };
    // Of an RGB stack ImageJ counts the samples as channels, or does not.
    let product = |sizes: &[u64; 3]| sizes.iter().fold(1_u64, |n, size| n.saturating_mul(*size));
    if samples > 1 && sizes[0] == u64::from(samples) && product(&sizes) != images {
        sizes[0] = 1;
    }
    // Bio-Formats counts them as channels and as images. The pages leave no doubt.
    let per_page = u64::from(samples);
    if samples > 1
        && sizes[0].is_multiple_of(per_page)
        && product(&sizes) == images
        && pages.saturating_mul(per_page) == images
    {
        note(format!(
            "the description counts the {samples} samples of a pixel as channels and as images; read as {pages} images"
        ));
        sizes[0] /= per_page;
        images = pages;
    }
    if product(&sizes) != images {
        let [c, z, t] = sizes;
        note(format!("ImageJ counts {images} images, but {c} channels, {z} slices and {t} frames"));
        sizes = [1, images.max(pages), 1];
    }
    let total = product(&sizes);
    if total > plane_limit(pages) {
        return Err(damaged(format!("ImageJ counts {total} planes, the file has {pages} IFDs")));
    }
    let [c, z, t] = sizes.map(|size| size as u32);
    // Beyond 4 GB ImageJ writes one directory, and all planes after one another.
    let contiguous = if pages == 1 && total > 1 { plane_len(geometry) } else { None };
    if let Some(stride) = contiguous {
        let table = container.chunk_table(first).map_err(|e| damaged(e.to_string()))?;
        let start = table.0.first().map_or(0, |(offset, _)| *offset);
        let end = stride.checked_mul(total).and_then(|len| len.checked_add(start));
        if end.is_none_or(|end| end > container.source().len()) {
            return Err(damaged(format!(
                "ImageJ counts {total} planes of {stride} bytes from offset {start} on, the file has {} bytes",
                container.source().len()
            )));
        }
    }
    let available = if contiguous.is_some() { total } else { pages };
    let extent = Extent { t, c, z, order: [Axis::C, Axis::Z, Axis::T] };
    let planes = (0..extent.planes() as usize).map(|slot| {
        let (t, c, z) = extent.plane(slot);
        let page = (u64::from(t) * u64::from(extent.z) + u64::from(z)) * u64::from(extent.c) + u64::from(c);
        if page < available { PlaneRef { file: 0, page: page as u32 } } else { PlaneRef::MISSING }
    });
    let spec = Spec {
        name: None,
        ome_index: None,
        size: None,
        declared: None,
        significant_bits: None,
        extent,
        group_samples: vec![samples; c as usize],
        planes: planes.collect(),
        broken_promise: Some(format!("the file has {pages} IFDs")),
        contiguous,
        described: described(container, first, stack, &extent, samples),
        levels_follow: true,
    };
    assemble::image(files, spec, warnings)
}

/// Sizes from the lines, channels from the private tags.
fn described(
    container: &Container,
    first: PageId,
    stack: &Hyperstack,
    extent: &Extent,
    samples: u32,
) -> Described {
    let private = metadata::IjMetadata::read(container, first);
    let number = |key: &str| stack.lines.get(key).and_then(|text| text.parse::<f64>().ok());
    let mut channels = vec![ChannelNote::default(); extent.c as usize];
    for (n, channel) in channels.iter_mut().enumerate() {
        channel.name = channel_name(&private.labels, extent, n);
        // With one channel the range stands in the lines alone.
        channel.range = private
            .ranges
            .get(n)
            .copied()
            .or_else(|| if extent.c == 1 { number("min").zip(number("max")) } else { None });
        // A lookup table belongs to one channel; that of a composite of samples says nothing here.
        channel.color = private.colors.get(n).copied().filter(|_| samples == 1);
    }
    if samples > 1 || channels.iter().all(|channel| *channel == ChannelNote::default()) {
        channels.clear();
    }
    Described {
        calibration: Calibration::read(container, first, Some(&stack.lines)),
        channels,
        labels: private.labels,
    }
}

/// What all slices of a channel are called.
fn channel_name(labels: &[String], extent: &Extent, channel: usize) -> Option<String> {
    let planes = extent.planes() as usize;
    if labels.len() != planes || extent.c < 2 && planes > 1 {
        return None;
    }
    let of_channel: Vec<&str> =
        labels.iter().skip(channel).step_by(extent.c as usize).map(|label| label.trim()).collect();
    let first = of_channel.first().copied().filter(|label| !label.is_empty())?;
    of_channel.iter().all(|label| *label == first).then(|| first.to_owned())
}

/// Bytes of a plane where the chunks of the page follow one another uncompressed.
fn plane_len(geometry: &Geometry) -> Option<u64> {
    if geometry.tiled || geometry.layout.compression != Compression::None {
        return None;
    }
    let samples = if geometry.planar { u64::from(geometry.samples) } else { 1 };
    geometry.stored_row_len()?.checked_mul(u64::from(geometry.height))?.checked_mul(samples)
}
