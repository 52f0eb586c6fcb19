//! TIFF of ImageJ and Fiji, described by `key=value` lines in the first ImageDescription.

pub(crate) mod description;

use std::sync::Arc;

pub(crate) use description::{Hyperstack, parse};

use fairzarr_tiff_codec::Compression;

use crate::{
    assemble::{self, Spec, plane_limit},
    calibration::Calibration,
    container::Geometry,
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
    // Of an RGB stack ImageJ counts the samples as channels, or does not.
    let product = |sizes: &[u64; 3]| sizes.iter().fold(1_u64, |n, size| n.saturating_mul(*size));
    if samples > 1 && sizes[0] == u64::from(samples) && product(&sizes) != stack.images {
        sizes[0] = 1;
    }
    if product(&sizes) != stack.images {
        let [c, z, t] = sizes;
        warnings.push(Warning {
            file: Some(files.name(0)),
            ifd: Some(0),
            message: format!(
                "ImageJ counts {} images, but {c} channels, {z} slices and {t} frames",
                stack.images
            ),
        });
        sizes = [1, stack.images.max(pages), 1];
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
        calibration: Calibration::read(container, first, Some(&stack.lines)),
    };
    assemble::image(files, spec, warnings)
}

/// Bytes of a plane where the chunks of the page follow one another uncompressed.
fn plane_len(geometry: &Geometry) -> Option<u64> {
    if geometry.tiled || geometry.layout.compression != Compression::None {
        return None;
    }
    let samples = if geometry.planar { u64::from(geometry.samples) } else { 1 };
    geometry.stored_row_len()?.checked_mul(u64::from(geometry.height))?.checked_mul(samples)
}
