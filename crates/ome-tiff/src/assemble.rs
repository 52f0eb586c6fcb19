//! From a table of planes to an image that is known to be readable.

use std::{ops::Range, sync::Arc};

use fairzarr_pixel::{SampleType, Shape};
use fairzarr_tiff_codec::Compression;

use crate::{
    check::{Checker, Expected, container},
    container::{Container, PageId},
    described::Described,
    error::{Error, Result},
    files::Files,
    image::{self, Image, LevelPages},
    levels::{find_levels, level_info},
    open::OnMissing,
    plane_map::{Extent, PlaneRef},
    sample_type,
    types::{Grid, LevelInfo, Warning},
};

/// What the metadata, of whatever kind, say of an image.
pub(crate) struct Spec {
    pub(crate) name: Option<String>,
    pub(crate) ome_index: Option<usize>,
    /// Columns and rows; those of the first page where nothing else says.
    pub(crate) size: Option<(u64, u64)>,
    pub(crate) declared: Option<SampleType>,
    pub(crate) significant_bits: Option<u32>,
    pub(crate) extent: Extent,
    /// Samples of a pixel in each of the channel groups of the extent.
    pub(crate) group_samples: Vec<u32>,
    pub(crate) planes: Vec<PlaneRef>,
    /// Why planes are missing, where that is known.
    pub(crate) broken_promise: Option<String>,
    pub(crate) contiguous: Option<u64>,
    pub(crate) described: Described,
    /// Whether reduced pages after a page of the image may be its levels; else only those that it points to.
    pub(crate) levels_follow: bool,
}

/// Planes that a table may have, given the pages there are: a page may serve as several planes, but not as
/// thousands.
pub(crate) fn plane_limit(pages: u64) -> u64 {
    pages.saturating_mul(64).max(1 << 20)
}

/// Checks every page that the image needs, and finds its levels.
pub(crate) fn image(files: &Arc<Files>, spec: Spec, warnings: &mut Vec<Warning>) -> Result<Image> {
    let label = image::label(spec.ome_index, spec.name.as_deref());
    check_promises(files, &spec, &label, warnings)?;
    let first_slot = spec.planes.iter().position(|plane| !plane.is_missing());
    let Some(first_slot) = first_slot else {
        return empty(files, spec, &label);
    };
    let contiguous = spec.contiguous.is_some();
    let page_of = |place: PlaneRef| PageId(if contiguous { 0 } else { place.page });
    let mut checker = Checker::new(files, &label);
    let first = spec.planes[first_slot];
    let geometry = checker.geometry(first.file, page_of(first))?;
    let (width, height) = spec.size.unwrap_or((u64::from(geometry.width), u64::from(geometry.height)));
    let (sample_type, note) = sample_type::reconcile(spec.declared, &geometry, files.options.half)
        .map_err(|what| checker.mismatch(first.file, page_of(first), what))?;
    warn(files, warnings, first, note);
    if geometry.orientation != 1 {
        let note = format!("Orientation is {}; the rows are read as they are stored", geometry.orientation);
        warn(files, warnings, first, Some(note));
    }

    for (slot, place) in spec.planes.iter().enumerate().filter(|(_, place)| !place.is_missing()) {
        let (_, group, _) = spec.extent.plane(slot);
        let expected = Expected {
            width,
            height,
            samples: spec.group_samples.get(group as usize).copied().unwrap_or(1),
            declared: spec.declared,
            sample_type,
        };
        let page = page_of(*place);
        checker.check(*place, page, &expected)?;
        if let Some(what) = container(files, place.file)?.problem(page) {
            let e = checker.mismatch(place.file, page, what.to_owned());
            match files.options.on_missing {
                OnMissing::Error => return Err(e),
                OnMissing::Fill => warn(files, warnings, *place, Some(what.to_owned())),
            }
        }
    }

    let groups = groups(files, &spec)?;
    let Spec { name, ome_index, extent, planes, contiguous, described, levels_follow, .. } = spec;
    let mut image = Image {
        files: Arc::clone(files),
        name,
        ome_index,
        shape: Shape {
            t: extent.t,
            c: groups.last().map_or(0, |(range, ..)| range.end),
            z: extent.z,
            y: geometry.height,
            x: geometry.width,
        },
        sample_type,
        significant_bits: spec.significant_bits.or_else(|| {
            let bits = u32::from(geometry.layout.bits);
            let widened = sample_type::is_widened_half(sample_type, &geometry.layout);
            (!widened && bits < sample_type.bytes() as u32 * 8 && sample_type != SampleType::Bit)
                .then_some(bits)
        }),
        group_pages: groups.iter().map(|(_, group, sample)| (*group, *sample)).collect(),
        groups: groups.into_iter().map(|(range, ..)| range).collect(),
        extent,
        planes,
        levels: vec![level_info(&geometry)],
        level_pages: vec![LevelPages::Full],
        contiguous,
        described,
        listed: Vec::new(),
        rejected: Vec::new(),
    };
    find_levels(&mut image, first, &geometry, levels_follow, &checker, warnings);
    Ok(image)
}

/// An image of which no file holds any plane, as the metadata describe it: an empty well of a plate, all of it to be
/// filled.
fn empty(files: &Arc<Files>, spec: Spec, label: &str) -> Result<Image> {
    let side = |side: u64| u32::try_from(side).ok();
    let size = spec.size.and_then(|(x, y)| Some((side(x)?, side(y)?)));
    let Some(((x, y), sample_type)) =
        size.zip(spec.declared).filter(|_| files.options.on_missing == OnMissing::Fill)
    else {
        return Err(missing(&spec, label, "no file holds any of them".to_owned()));
    };
    let groups = groups(files, &spec)?;
    let grid = Grid { tiled: true, height: y.min(EMPTY_SIDE), width: x.min(EMPTY_SIDE) };
    let Spec { name, ome_index, significant_bits, extent, planes, described, .. } = spec;
    Ok(Image {
        files: Arc::clone(files),
        name,
        ome_index,
        shape: Shape { t: extent.t, c: groups.last().map_or(0, |(range, ..)| range.end), z: extent.z, y, x },
        sample_type,
        significant_bits,
        group_pages: groups.iter().map(|(_, group, sample)| (*group, *sample)).collect(),
        groups: groups.into_iter().map(|(range, ..)| range).collect(),
        extent,
        planes,
        levels: vec![LevelInfo { y, x, grid, compression: Compression::None, lossy: false }],
        level_pages: vec![LevelPages::Full],
        contiguous: None,
        described,
        listed: Vec::new(),
        rejected: Vec::new(),
    })
}

/// Sides of the chunks that an image without any page is said to have.
const EMPTY_SIDE: u32 = 512;

/// Warns once for a page of a file.
fn warn(files: &Files, warnings: &mut Vec<Warning>, place: PlaneRef, message: Option<String>) {
    if let Some(message) = message {
        warnings.push(Warning { file: Some(files.name(place.file)), ifd: Some(place.page), message });
    }
}

fn missing(spec: &Spec, label: &str, what: String) -> Error {
    let missing = spec.planes.iter().filter(|plane| plane.is_missing()).count() as u64;
    Error::MissingPlanes { image: label.to_owned(), promised: spec.extent.planes(), missing, what }
}

fn check_promises(files: &Files, spec: &Spec, label: &str, warnings: &mut Vec<Warning>) -> Result<()> {
    let Some(slot) = spec.planes.iter().position(|plane| plane.is_missing()) else { return Ok(()) };
    let (t, c, z) = spec.extent.plane(slot);
    let mut what = format!("the first of them is t {t}, c {c}, z {z}");
    if let Some(broken_promise) = &spec.broken_promise {
        what = format!("{what}; {broken_promise}");
    }
    for member in &files.members {
        if let Some(broken) = member.container.as_ref().and_then(Container::broken_chain) {
            what = format!("{what}; in {} {broken}", member.name);
        }
    }
    let e = missing(spec, label, what);
    match files.options.on_missing {
        OnMissing::Error => Err(e),
        OnMissing::Fill => {
            warnings.push(Warning { file: None, ifd: None, message: e.to_string() });
            Ok(())
        }
    }
}

/// Channel ranges that lie interleaved, each with its group in the plane table and its first sample there.
fn groups(files: &Files, spec: &Spec) -> Result<Vec<(Range<u32>, u32, u16)>> {
    let mut groups = Vec::new();
    let mut channel = 0_u32;
    for (group, samples) in spec.group_samples.iter().copied().enumerate() {
        let group = group as u32;
        let page = (0..spec.extent.t)
            .flat_map(|t| (0..spec.extent.z).map(move |z| (t, z)))
            .filter_map(|(t, z)| spec.extent.slot(t, group, z))
            .map(|slot| spec.planes[slot])
            .find(|place| !place.is_missing());
        let planar = match page {
            Some(place) => {
                let page = PageId(if spec.contiguous.is_some() { 0 } else { place.page });
                container(files, place.file)?.geometry(page).is_ok_and(|geometry| geometry.planar)
            }
            None => false,
        };
        if planar {
            groups.extend((0..samples).map(|n| (channel + n..channel + n + 1, group, n as u16)));
        } else {
            groups.push((channel..channel + samples, group, 0));
        }
        channel += samples;
    }
    Ok(groups)
}
