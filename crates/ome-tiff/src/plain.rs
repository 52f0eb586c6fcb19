//! TIFF without description: pages of equal size and type are the focal planes of an image.

use std::sync::Arc;

use crate::{
    assemble::{self, Spec},
    calibration::Calibration,
    container::{Geometry, PageId},
    error::{Error, Result},
    files::Files,
    image::Image,
    plane_map::{Axis, Extent, PlaneRef},
    types::Warning,
};

/// The images of the first file.
pub(crate) fn images(files: &Arc<Files>, warnings: &mut Vec<Warning>) -> Result<Vec<Image>> {
    let damaged = |what: String| Error::Damaged { file: files.name(0), what };
    let Some(container) = files.container(0) else { return Err(damaged("it holds no pages".to_owned())) };
    if let Some(what) = container.broken_chain() {
        return Err(damaged(what.to_owned()));
    }
    // Pages of a file are alike, or of a few kinds.
    let mut stacks: Vec<(Arc<Geometry>, Vec<u32>)> = Vec::new();
    let mut last: Option<(u32, usize)> = None;
    let mut after_reduced = false;
    for number in 0..container.len() {
        let page = PageId(number);
        let kind = container.geometry_number(page);
        let geometry = container.geometry(page).map_err(|what| damaged(format!("IFD {number}: {what}")))?;
        // Reduced copies of a page are its levels.
        if geometry.is_reduced() && (after_reduced || !stacks.is_empty()) {
            after_reduced = true;
            continue;
        }
        after_reduced = false;
        let stack = match last {
            Some((same, stack)) if same == kind => Some(stack),
            _ => stacks.iter().position(|(other, _)| alike(other, geometry)),
        };
        let stack = match stack {
            Some(stack) => stack,
            None if stacks.len() == MAX_STACKS => {
                return Err(damaged(format!("its pages are of more than {MAX_STACKS} sizes and types")));
            }
            None => {
                stacks.push((Arc::clone(geometry), Vec::new()));
                stacks.len() - 1
            }
        };
        stacks[stack].1.push(number);
        last = Some((kind, stack));
    }
    let mut images = Vec::new();
    for (geometry, pages) in stacks {
        let first = PageId(pages.first().copied().unwrap_or(0));
        let spec = Spec {
            name: None,
            ome_index: None,
            size: None,
            declared: None,
            significant_bits: None,
            extent: Extent { t: 1, c: 1, z: pages.len() as u32, order: [Axis::Z, Axis::C, Axis::T] },
            group_samples: vec![u32::from(geometry.samples)],
            planes: pages.into_iter().map(|page| PlaneRef { file: 0, page }).collect(),
            broken_promise: None,
            contiguous: None,
            calibration: Calibration::read(container, first, None),
        };
        images.push(assemble::image(files, spec, warnings)?);
    }
    Ok(images)
}

/// Kinds of pages that one file may hold.
const MAX_STACKS: usize = 4096;

fn alike(a: &Geometry, b: &Geometry) -> bool {
    let kind = |g: &Geometry| (g.width, g.height, g.samples, g.layout.bits, g.layout.format);
    kind(a) == kind(b)
}
