//! From a table of planes to an image that is known to be readable.

use std::{collections::HashSet, ops::Range, sync::Arc};

use fairzarr_pixel::{SampleType, Shape};
use fairzarr_tiff_codec::can_stream;

use crate::{
    calibration::Calibration,
    container::{Container, Geometry, PageId},
    error::{Error, Result},
    files::Files,
    image::{self, Image, LevelPages},
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
    pub(crate) calibration: Option<Calibration>,
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
        return Err(missing(&spec, &label, "no file holds any of them".to_owned()));
    };
    let contiguous = spec.contiguous.is_some();
    let page_of = |place: PlaneRef| PageId(if contiguous { 0 } else { place.page });
    let mut checker = Checker { files, label: &label, accepted: HashSet::new() };
    let first = spec.planes[first_slot];
    let geometry = checker.geometry(first.file, page_of(first))?;
    let (width, height) = spec.size.unwrap_or((u64::from(geometry.width), u64::from(geometry.height)));
    let (sample_type, note) = sample_type::reconcile(spec.declared, &geometry)
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
    let Spec { name, ome_index, extent, planes, contiguous, calibration, .. } = spec;
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
            (bits < sample_type.bytes() as u32 * 8 && sample_type != SampleType::Bit).then_some(bits)
        }),
        group_pages: groups.iter().map(|(_, group, sample)| (*group, *sample)).collect(),
        groups: groups.into_iter().map(|(range, ..)| range).collect(),
        extent,
        planes,
        levels: vec![level_info(&geometry)],
        level_pages: vec![LevelPages::Full],
        contiguous,
        calibration,
    };
    find_levels(&mut image, first, &geometry, &mut checker, warnings);
    Ok(image)
}

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

fn container(files: &Files, file: u32) -> Result<&Container> {
    files.container(file).ok_or_else(|| Error::Damaged {
        file: files.name(file),
        what: "it holds no pixels, but the metadata say so".to_owned(),
    })
}

/// What every page of an image must be like.
struct Expected {
    width: u64,
    height: u64,
    samples: u32,
    declared: Option<SampleType>,
    sample_type: SampleType,
}

/// Compares pages with what is expected of them: each geometry once, not each page.
struct Checker<'a> {
    files: &'a Files,
    label: &'a str,
    /// File, number of the geometry, expected samples.
    accepted: HashSet<(u32, u32, u32)>,
}

impl Checker<'_> {
    fn check(&mut self, place: PlaneRef, page: PageId, expected: &Expected) -> Result<()> {
        let container = container(self.files, place.file)?;
        let key = (place.file, container.geometry_number(page), expected.samples);
        if self.accepted.contains(&key) {
            return Ok(());
        }
        let geometry = self.geometry(place.file, page)?;
        let fail = |what| Err(self.mismatch(place.file, page, what));
        if (u64::from(geometry.width), u64::from(geometry.height)) != (expected.width, expected.height) {
            return fail(format!(
                "the page has {} x {} pixels, the image {} x {} (SizeX x SizeY)",
                geometry.width, geometry.height, expected.width, expected.height
            ));
        }
        if u32::from(geometry.samples) != expected.samples {
            return fail(format!(
                "the page has {} samples per pixel, its channel {}",
                geometry.samples, expected.samples
            ));
        }
        match sample_type::reconcile(expected.declared, &geometry) {
            Ok((found, _)) if found == expected.sample_type => {}
            Ok((found, _)) => {
                return fail(format!(
                    "its samples are {found}, those of the first page {}",
                    expected.sample_type
                ));
            }
            Err(what) => return fail(what),
        }
        self.check_codec(place.file, page, &geometry)?;
        self.accepted.insert(key);
        Ok(())
    }

    /// Refuses what cannot be decoded, or only with more memory than allowed.
    fn check_codec(&self, file: u32, page: PageId, geometry: &Geometry) -> Result<()> {
        let layout = geometry.chunk_layout(0);
        layout.check().map_err(|source| Error::Unsupported {
            image: self.label.to_owned(),
            file: self.files.name(file),
            ifd: page.0,
            source,
        })?;
        let uncompressed = layout.compression == fairzarr_tiff_codec::Compression::None;
        let (len, limit) = if uncompressed || can_stream(&layout) {
            (layout.row_len().unwrap_or(usize::MAX), self.files.options.stream_above.max(64 << 20))
        } else {
            (layout.decoded_len().unwrap_or(usize::MAX), self.files.options.max_chunk)
        };
        if len > limit && !uncompressed {
            let (w, h) = (layout.width, layout.height);
            let what = format!(
                "its chunks of {w} x {h} pixels need {len} bytes to decode, more than the limit of {limit}"
            );
            return Err(self.mismatch(file, page, what));
        }
        Ok(())
    }

    fn geometry(&self, file: u32, page: PageId) -> Result<Arc<Geometry>> {
        match container(self.files, file)?.geometry(page) {
            Ok(geometry) => Ok(Arc::clone(geometry)),
            Err(what) => Err(self.mismatch(file, page, what.to_string())),
        }
    }

    fn mismatch(&self, file: u32, page: PageId, what: String) -> Error {
        Error::Mismatch { image: self.label.to_owned(), file: self.files.name(file), ifd: page.0, what }
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

fn level_info(geometry: &Geometry) -> LevelInfo {
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
/// the chain and say that they are reduced.
fn find_levels(
    image: &mut Image,
    first: PlaneRef,
    full: &Geometry,
    checker: &mut Checker<'_>,
    warnings: &mut Vec<Warning>,
) {
    if image.contiguous.is_some() {
        return;
    }
    let files = Arc::clone(&image.files);
    let Some(container) = files.container(first.file) else { return };
    let first_page = PageId(first.page);
    let subs = container.sub_pages(first_page).len();
    let candidates: Vec<LevelPages> = if subs > 0 {
        (0..subs).map(LevelPages::Sub).collect()
    } else {
        let named = |page: u32| image.planes.iter().any(|p| p.file == first.file && p.page == page);
        (1..=MAX_FOLLOWING)
            .take_while(|n| {
                let page = first
                    .page
                    .checked_add(*n)
                    .filter(|page| !named(*page))
                    .and_then(|page| container.page(page));
                page.and_then(|page| container.geometry(page).ok())
                    .is_some_and(|geometry| geometry.is_reduced())
            })
            .map(LevelPages::Following)
            .collect()
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
            check_level(image, &found, above, pages, checker)
        })();
        match outcome {
            Ok(()) => {
                image.levels.extend(level);
                image.level_pages.push(pages);
            }
            Err(what) => warnings.push(Warning {
                file: Some(files.name(first.file)),
                ifd: Some(first.page),
                message: format!("a reduced copy of {} is left out: {what}", image.label()),
            }),
        }
    }
}

/// Reduced pages after a page that are taken for its levels.
const MAX_FOLLOWING: u32 = 32;

fn check_level(
    image: &Image,
    geometry: &Geometry,
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
            && found.samples == full.samples
            && found.planar == full.planar
            && found.layout.bits == full.layout.bits
            && found.layout.format == full.layout.format;
        if !alike {
            return Err(format!("that of IFD {} differs in size or sample type", place.page));
        }
        checker.check_codec(place.file, page, found).map_err(|e| e.to_string())?;
        good = Some(key);
    }
    Ok(())
}
