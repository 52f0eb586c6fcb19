//! TIFF without description: pages of equal size and type are the focal planes of an image, or its channels where the
//! pages say what they are called.

use std::sync::Arc;

use crate::{
    assemble::{self, Spec},
    container::{Container, Geometry, PageId},
    error::{Error, Result},
    files::Files,
    image::Image,
    levels::{self, Relation},
    page_text,
    plane_map::{Axis, Extent, PlaneRef},
    types::Warning,
};

/// Pages of one kind.
struct Stack {
    geometry: Arc<Geometry>,
    pages: Vec<u32>,
    /// Reduced copies: for each level, the pages in the order of those of the stack.
    levels: Vec<Vec<u32>>,
}

/// The images of the first file.
pub(crate) fn images(files: &Arc<Files>, warnings: &mut Vec<Warning>) -> Result<Vec<Image>> {
    let damaged = |what: String| Error::Damaged { file: files.name(0), what };
    let Some(container) = files.container(0) else { return Err(damaged("it holds no pages".to_owned())) };
    if let Some(what) = container.broken_chain() {
        return Err(damaged(what.to_owned()));
    }
    let mut images = Vec::new();
    for stack in stacks(container).map_err(damaged)? {
        let Stack { geometry, pages, levels } = stack;
        let places: Vec<PlaneRef> = pages.iter().map(|page| PlaneRef { file: 0, page: *page }).collect();
        let mut image = assemble::image(files, spec(container, &geometry, places), warnings)?;
        for level in levels {
            let listed: Vec<(u32, PageId)> =
                pages.iter().copied().zip(level.iter().copied().map(PageId)).collect();
            if let Err(what) = levels::add_listed(&mut image, listed, &geometry) {
                image.rejected.extend(level.into_iter().map(|page| (0, PageId(page), what.clone())));
            }
        }
        images.push(image);
    }
    Ok(images)
}

/// One image of pages that are all alike, as focal planes, or as channels where each page has a name of its own.
pub(crate) fn spec(container: &Container, geometry: &Geometry, planes: Vec<PlaneRef>) -> Spec {
    let count = planes.len() as u32;
    let pages: Vec<PageId> = planes.iter().map(|place| PageId(place.page)).collect();
    let (described, are_channels) = page_text::describe(container, &pages, geometry);
    let order = [Axis::Z, Axis::C, Axis::T];
    Spec {
        name: None,
        ome_index: None,
        size: None,
        declared: None,
        significant_bits: None,
        extent: if are_channels {
            Extent { t: 1, c: count, z: 1, order }
        } else {
            Extent { t: 1, c: 1, z: count, order }
        },
        group_samples: vec![u32::from(geometry.samples); if are_channels { count as usize } else { 1 }],
        planes,
        broken_promise: None,
        contiguous: None,
        described,
        levels_follow: false,
    }
}

/// The pages of a file by kind, each kind with its reduced copies. What calls itself a reduced copy and is that of
/// nothing is a kind of its own.
fn stacks(container: &Container) -> Result<Vec<Stack>, String> {
    let mut stacks: Vec<Stack> = Vec::new();
    let mut reduced: Vec<Stack> = Vec::new();
    let mut last: Option<(u32, bool, usize)> = None;
    for number in 0..container.len() {
        let page = PageId(number);
        let kind = container.geometry_number(page);
        let geometry = container.geometry(page).map_err(|what| format!("IFD {number}: {what}"))?;
        let is_reduced = geometry.is_reduced() && !geometry.is_mask() && !stacks.is_empty();
        let known = if is_reduced { &mut reduced } else { &mut stacks };
        let at = match last {
            Some((same, was_reduced, at)) if same == kind && was_reduced == is_reduced => Some(at),
            _ => known.iter().position(|stack| alike(&stack.geometry, geometry)),
        };
        let at = match at {
            Some(at) => at,
            None if known.len() == MAX_STACKS => {
                return Err(format!("its pages are of more than {MAX_STACKS} sizes and types"));
            }
            None => {
                known.push(Stack { geometry: Arc::clone(geometry), pages: Vec::new(), levels: Vec::new() });
                known.len() - 1
            }
        };
        known[at].pages.push(number);
        last = Some((kind, is_reduced, at));
    }
    for copies in reduced {
        let owner = stacks.iter_mut().find(|stack| {
            stack.pages.len() == copies.pages.len()
                && levels::why_not(&stack.geometry, &copies.geometry, Relation::Following).is_none()
                && stack.pages.first() < copies.pages.first()
        });
        match owner {
            Some(owner) => owner.levels.push(copies.pages),
            None => stacks.push(copies),
        }
    }
    for stack in &mut stacks {
        stack.levels.sort_by_key(|pages| std::cmp::Reverse(area(container, pages)));
    }
    // In the order of their first pages, as before those that are no copies were known.
    stacks.sort_by_key(|stack| stack.pages.first().copied());
    Ok(stacks)
}

fn area(container: &Container, pages: &[u32]) -> u64 {
    let geometry = pages.first().and_then(|page| container.geometry(PageId(*page)).ok());
    geometry.map_or(0, |geometry| u64::from(geometry.width) * u64::from(geometry.height))
}

/// Kinds of pages that one file may hold.
const MAX_STACKS: usize = 4096;

/// Whether pages may be planes of one image.
pub(crate) fn alike(a: &Geometry, b: &Geometry) -> bool {
    let kind = |g: &Geometry| (g.width, g.height, g.samples, g.layout.bits, g.layout.format, g.is_mask());
    kind(a) == kind(b)
}
