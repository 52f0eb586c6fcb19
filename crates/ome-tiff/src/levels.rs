//! Reduced copies of an image: which pages are its levels, and why others are not.
//!
//! A page is a level only if it can be one: smaller by nearly the same ratio in both directions, with the same samples
//! in the same colours. Pages that merely call themselves reduced, such as the label of a slide, are not.

use std::sync::Arc;

use crate::{
    check::Checker,
    container::{Geometry, PageId},
    image::{Image, LevelPages},
    plane_map::PlaneRef,
    types::{Grid, LevelInfo, Warning},
};

/// Reduced pages after a page that are taken for its levels.
const MAX_FOLLOWING: u32 = 32;
/// By how much the ratios of the two sides may differ, beyond what rounding to whole pixels explains.
const RATIO: f64 = 0.02;

/// What is told of one resolution, by the first page that holds it.
pub(crate) fn level_info(geometry: &Geometry) -> LevelInfo {
    let layout = &geometry.layout;
    LevelInfo {
        y: geometry.height,
        x: geometry.width,
        grid: Grid { tiled: geometry.tiled, height: layout.height, width: layout.width },
        compression: layout.compression,
        lossy: layout.compression.is_lossy(),
    }
}

/// Adds the reduced copies that every plane has: those that its page points to, or else those that follow it in
/// the chain and say that they are reduced, or leave no doubt that they are.
pub(crate) fn find_levels(
    image: &mut Image,
    first: PlaneRef,
    full: &Geometry,
    levels_follow: bool,
    checker: &Checker<'_>,
    warnings: &mut Vec<Warning>,
) {
    if image.contiguous.is_some() {
        return;
    }
    let files = Arc::clone(&image.files);
    let Some(container) = files.container(first.file) else { return };
    let first_page = PageId(first.page);
    let subs = container.sub_pages(first_page).len();
    let (candidates, unmarked): (Vec<LevelPages>, bool) = if subs > 0 {
        ((0..subs).map(LevelPages::Sub).collect(), false)
    } else if !levels_follow {
        return;
    } else {
        let following = |wanted: &dyn Fn(u32, &Geometry) -> bool| -> Vec<LevelPages> {
            let named = |page: u32| image.planes.iter().any(|p| p.file == first.file && p.page == page);
            (1..=MAX_FOLLOWING)
                .take_while(|n| {
                    let page = first
                        .page
                        .checked_add(*n)
                        .filter(|page| !named(*page))
                        .and_then(|page| container.page(page));
                    page.and_then(|page| container.geometry(page).ok())
                        .is_some_and(|geometry| wanted(*n, geometry))
                })
                .map(LevelPages::Following)
                .collect()
        };
        let marked = following(&|_, geometry| geometry.is_reduced());
        if marked.is_empty() && image.ome_index.is_some() {
            // Nothing marks them: only halves of halves, for every plane, are taken for what they look like.
            let is_copy = |n, geometry: &Geometry| {
                is_half(full, geometry, n) && why_not(full, geometry, Relation::Following).is_none()
            };
            (following(&is_copy), true)
        } else {
            (marked, false)
        }
    };
    for pages in candidates {
        let mut level = None;
        let outcome = (|| {
            let found = image
                .level_page(first.file, first_page, pages)
                .ok_or_else(|| "its page is missing".to_owned())
                .and_then(|page| container.geometry(page).cloned().map_err(|what| what.to_string()))?;
            level = Some(level_info(&found));
            let above = image.levels.last().map_or((full.height, full.width), |level| (level.y, level.x));
            check_level(image, &found, full, above, pages, checker)
        })();
        match outcome {
            Ok(()) => {
                image.levels.extend(level);
                image.level_pages.push(pages);
                if unmarked {
                    warnings.push(Warning {
                        file: Some(files.name(first.file)),
                        ifd: Some(first.page),
                        message: format!(
                            "the pages after those of {} are read as its levels; NewSubfileType does not say so",
                            image.label()
                        ),
                    });
                }
            }
            Err(_) if unmarked => break,
            Err(what) => {
                if let Some(page) = image.level_page(first.file, first_page, pages) {
                    image.rejected.push((first.file, page, what));
                }
            }
        }
    }
}

/// Adds a level whose pages are given: one for each plane of the image, by the number of the plane's page.
pub(crate) fn add_listed(
    image: &mut Image,
    pages: Vec<(u32, PageId)>,
    full: &Geometry,
) -> Result<(), String> {
    let Some((_, first)) = pages.first().copied() else { return Err("it has no pages".to_owned()) };
    let files = Arc::clone(&image.files);
    let container = files.container(0).ok_or("its file holds no pages")?;
    let found = container.geometry(first).cloned().map_err(|what| what.to_string())?;
    let above = image.levels.last().map_or((full.height, full.width), |level| (level.y, level.x));
    image.listed.push(pages);
    let level = LevelPages::Listed(image.listed.len() - 1);
    let label = image.label();
    let outcome = check_level(image, &found, full, above, level, &Checker::new(&files, &label));
    if outcome.is_ok() {
        image.levels.push(level_info(&found));
        image.level_pages.push(level);
    } else {
        image.listed.pop();
    }
    outcome
}

/// How a page is known that may be a reduced copy of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The other one points to it.
    PointedTo,
    /// It comes after the other one in the chain.
    Following,
}

impl Relation {
    fn of(pages: LevelPages) -> Self {
        if matches!(pages, LevelPages::Sub(_)) { Self::PointedTo } else { Self::Following }
    }
}

/// Why a page cannot be a reduced copy of another; `None` if it can.
pub(crate) fn why_not(full: &Geometry, found: &Geometry, relation: Relation) -> Option<String> {
    if found.is_mask() {
        return Some("NewSubfileType calls it a mask".to_owned());
    }
    if found.samples != full.samples
        || found.layout.bits != full.layout.bits
        || found.layout.format != full.layout.format
    {
        return Some(format!(
            "it has {} samples of {} bits, {:?}, the full image {} of {} bits, {:?}",
            found.samples,
            found.layout.bits,
            found.layout.format,
            full.samples,
            full.layout.bits,
            full.layout.format
        ));
    }
    if colours(found) != colours(full) {
        return Some(format!(
            "its PhotometricInterpretation is {}, that of the full image {}",
            found.layout.photometric, full.layout.photometric
        ));
    }
    if !in_proportion(full, found, relation) {
        return Some(format!(
            "its {} x {} pixels are not in the proportion of {} x {}",
            found.width, found.height, full.width, full.height
        ));
    }
    None
}

/// What is compared of the colours: YCbCr is a form of RGB, as far as a reader can tell.
fn colours(geometry: &Geometry) -> u16 {
    match geometry.layout.photometric {
        6 if geometry.samples == 3 => 2,
        other => other,
    }
}

/// Whether both sides are smaller by nearly the same ratio. Writers round sides up or down.
///
/// Of small pages, rounding explains much: 8 x 8 could be a tenth of 80 x 64 in one direction, and an eighth in the other. A page to
/// which the full one points is named as its copy, so that any rounding will do. Of a page that merely follows, which may be the label
/// or the overview of a slide, one ratio and one way of rounding must explain both sides, or they are halves of halves.
fn in_proportion(full: &Geometry, found: &Geometry, relation: Relation) -> bool {
    let ratio = |full: u32, side: u32| f64::from(full) / f64::from(side.max(1));
    let (across, down) = (ratio(full.width, found.width), ratio(full.height, found.height));
    if (across / down - 1.0).abs() <= RATIO {
        return true;
    }
    // A side that was rounded lies within this much below and above what the ratio gives.
    let range = |full: u32, side: u32, (below, above): (f64, f64)| {
        let (full, side) = (f64::from(full), f64::from(side));
        (full / (side + above), if side > below { full / (side - below) } else { f64::INFINITY })
    };
    let explains = |rounding| {
        let (x, y) = (range(full.width, found.width, rounding), range(full.height, found.height, rounding));
        x.0 <= y.1 && y.0 <= x.1
    };
    match relation {
        Relation::PointedTo => explains((1.0, 1.0)),
        Relation::Following => {
            [(0.0, 1.0), (1.0, 0.0), (0.5, 0.5)].into_iter().any(explains)
                || (1..32).any(|n| is_half(full, found, n))
        }
    }
}

/// Whether a page has the sides of the `n`th half, rounded either way.
fn is_half(full: &Geometry, found: &Geometry, n: u32) -> bool {
    let half = |full: u32, side: u32| {
        let divisor = 1_u64 << n.min(32);
        let full = u64::from(full);
        u64::from(side) == full.div_ceil(divisor).max(1) || u64::from(side) == (full / divisor).max(1)
    };
    half(full.width, found.width) && half(full.height, found.height)
}

fn check_level(
    image: &Image,
    geometry: &Geometry,
    full: &Geometry,
    above: (u32, u32),
    pages: LevelPages,
    checker: &Checker<'_>,
) -> Result<(), String> {
    let smaller =
        geometry.height <= above.0 && geometry.width <= above.1 && (geometry.height, geometry.width) != above;
    if !smaller {
        return Err(format!(
            "it has {} x {} pixels, the level above it {} x {}",
            geometry.width, geometry.height, above.1, above.0
        ));
    }
    if let Some(what) = why_not(full, geometry, Relation::of(pages)) {
        return Err(what);
    }
    let mut good: Option<(u32, u32, u32)> = None;
    for place in image.planes.iter().filter(|place| !place.is_missing()) {
        let container = image.files.container(place.file).ok_or("its file holds no pages")?;
        let page = image
            .level_page(place.file, PageId(place.page), pages)
            .ok_or_else(|| format!("IFD {} has none", place.page))?;
        if let Some(problem) = container.problem(page) {
            return Err(problem.to_owned());
        }
        let of_full = container.geometry_number(PageId(place.page));
        let key = (place.file, of_full, container.geometry_number(page));
        if good == Some(key) {
            continue;
        }
        let found = container.geometry(page).map_err(|what| what.to_string())?;
        let full = container.geometry(PageId(place.page)).map_err(|what| what.to_string())?;
        let alike = (found.width, found.height) == (geometry.width, geometry.height)
            && found.planar == full.planar
            && why_not(full, found, Relation::of(pages)).is_none();
        if !alike {
            return Err(format!("that of IFD {} differs in size, samples or colours", place.page));
        }
        checker.check_codec(place.file, page, found).map_err(|e| e.to_string())?;
        good = Some(key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Form;
    use std::collections::HashMap;

    fn page(width: u32, height: u32) -> Geometry {
        let tags = [(256, width), (257, height), (258, 8)]
            .into_iter()
            .map(|(tag, value)| (tag, (4, value.to_le_bytes().to_vec())));
        Geometry::parse(Form { big_endian: false, big_tiff: false }, &tags.collect::<HashMap<_, _>>())
            .unwrap()
    }

    fn fits(full: (u32, u32), found: (u32, u32), relation: Relation) -> bool {
        why_not(&page(full.0, full.1), &page(found.0, found.1), relation).is_none()
    }

    #[test]
    fn a_level_has_the_proportions_of_the_image() {
        for relation in [Relation::PointedTo, Relation::Following] {
            // Halves, rounded either way, and ratios of scanners.
            for found in [(1001, 500), (1002, 501), (500, 250), (63, 31), (1, 1)] {
                assert!(fits((2003, 1001), found, relation), "{found:?}");
            }
            assert!(fits((46_000, 32_914), (11_500, 8_228), relation));
            assert!(fits((2220, 2967), (574, 768), relation));
            assert!(fits((5, 4000), (1, 500), relation));
            // Labels and overviews.
            assert!(!fits((80, 64), (20, 60), relation));
            assert!(!fits((2220, 2967), (387, 463), relation));
            assert!(!fits((2220, 2967), (1280, 431), relation));
        }
    }

    #[test]
    fn a_small_page_that_follows_is_a_level_only_if_one_way_of_rounding_explains_both_sides() {
        for found in [(8, 8), (12, 8), (7, 7)] {
            assert!(!fits((80, 64), found, Relation::Following), "{found:?}");
        }
        for found in [(10, 8), (5, 4), (3, 2), (2, 2), (1, 1), (27, 21), (26, 21), (27, 22)] {
            assert!(fits((80, 64), found, Relation::Following), "{found:?}");
        }
        assert!(fits((81, 65), (11, 9), Relation::Following) && fits((81, 65), (10, 8), Relation::Following));
        // What the full page points to was said to be its copy.
        assert!(fits((80, 64), (8, 8), Relation::PointedTo));
    }
}
