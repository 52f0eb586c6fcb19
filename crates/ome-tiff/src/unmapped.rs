//! Pages of the files of a set that no plane and no level of its images uses.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use fairzarr_pixel::SampleType;

use crate::{
    container::{Container, Geometry, PageId},
    files::Files,
    image::Image,
    open::HalfFloats,
    page_text::PageText,
    sample_type,
    types::PageKind,
};

/// Pages whose texts are read.
const MAX_DESCRIBED: usize = 1024;
/// Characters of a description that are told.
const MAX_TOLD: usize = 200;

/// A page that no plane of the images is, and no level.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct UnmappedPage {
    /// Index into [`Fileset::files`](crate::Fileset::files).
    pub file: usize,
    /// Number of its directory in the chain of the file; of a SubIFD that of the page that points to it.
    pub ifd: u32,
    /// Which of the SubIFDs of that page it is.
    pub sub_ifd: Option<u32>,
    /// Rows; 0 where the tags make no sense.
    pub y: u32,
    /// Columns; 0 where the tags make no sense.
    pub x: u32,
    /// Samples of a pixel.
    pub samples: u16,
    /// What a sample is, where that is known.
    pub sample_type: Option<SampleType>,
    /// PhotometricInterpretation.
    pub photometric: u16,
    /// The start of its ImageDescription or PageName.
    pub description: Option<String>,
    /// What it seems to be.
    pub kind: PageKind,
    /// Why it is not a level, or cannot be read.
    pub reason: Option<String>,
    pub(crate) page: PageId,
}

impl fmt::Display for UnmappedPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sub) = self.sub_ifd {
            write!(f, "SubIFD {sub}: ")?;
        }
        f.write_str(match self.kind {
            PageKind::Plane => "a plane",
            PageKind::Image => "an image",
            PageKind::ReducedCopy => "a reduced copy",
            PageKind::Thumbnail => "a thumbnail",
            PageKind::Label => "a label",
            PageKind::Overview => "an overview",
            PageKind::Mask => "a mask",
            PageKind::Unreadable => return write!(f, "a page that cannot be read"),
        })?;
        write!(f, " of {} x {} pixels, {} ", self.x, self.y, self.samples)?;
        match self.sample_type {
            Some(sample_type) => write!(f, "{sample_type}"),
            None => f.write_str("unknown"),
        }?;
        f.write_str(if self.samples == 1 { " sample" } else { " samples" })?;
        if let Some(description) = &self.description {
            let start: String = description.chars().take(60).collect();
            write!(f, ", described as {start:?}")?;
        }
        Ok(())
    }
}

/// The pages which none of the images uses: of the files that hold planes, of the file that was named first, and of that
/// which describes the others.
pub(crate) fn find(files: &Files, images: &[Image], described_in: Option<u32>) -> Vec<UnmappedPage> {
    let used = used(files, images);
    let reasons: HashMap<(u32, PageId), &str> = images
        .iter()
        .flat_map(|image| &image.rejected)
        .map(|(file, page, why)| ((*file, *page), why.as_str()))
        .collect();
    let kinds: HashSet<_> = images.iter().filter_map(|image| kind_of_planes(files, image)).collect();
    let mut found = Vec::new();
    for (file, member) in files.members.iter().enumerate() {
        let Some(container) = &member.container else { continue };
        let of_file = &used[file];
        // Files that were looked into for a UUID and belong to another set hold nothing of this one.
        if of_file.is_empty() && file != 0 && described_in != Some(file as u32) {
            continue;
        }
        for page in container.pages().filter(|page| !of_file.contains(page)) {
            let reason = reasons.get(&(file as u32, page)).map(|why| (*why).to_owned());
            let described = found.len() < MAX_DESCRIBED;
            found.push(describe(container, file, page, reason, &kinds, described));
        }
    }
    found
}

/// The pages of each file that are planes or levels.
fn used(files: &Files, images: &[Image]) -> Vec<HashSet<PageId>> {
    let mut used = vec![HashSet::new(); files.members.len()];
    for image in images {
        for place in image.planes.iter().filter(|place| !place.is_missing()) {
            let full = image.full_page(*place);
            let Some(used) = used.get_mut(place.file as usize) else { continue };
            used.extend(
                image.level_pages.iter().filter_map(|pages| image.level_page(place.file, full, *pages)),
            );
        }
    }
    used
}

type Kind = (u32, u32, u16, u16, fairzarr_tiff_codec::SampleFormat);

fn kind(geometry: &Geometry) -> Kind {
    (geometry.width, geometry.height, geometry.samples, geometry.layout.bits, geometry.layout.format)
}

fn kind_of_planes(files: &Files, image: &Image) -> Option<Kind> {
    let place = image.planes.iter().find(|place| !place.is_missing())?;
    let geometry = files.container(place.file)?.geometry(image.full_page(*place)).ok()?;
    Some(kind(geometry))
}

fn describe(
    container: &Container,
    file: usize,
    page: PageId,
    reason: Option<String>,
    kinds: &HashSet<Kind>,
    with_text: bool,
) -> UnmappedPage {
    let (ifd, sub_ifd) = container.number(page);
    let text = if with_text { PageText::of(container, page) } else { PageText::default() };
    let mut found = UnmappedPage {
        file,
        ifd,
        sub_ifd,
        y: 0,
        x: 0,
        samples: 0,
        sample_type: None,
        photometric: 0,
        description: text.told().map(|text| text.chars().take(MAX_TOLD).collect()),
        kind: PageKind::Unreadable,
        reason,
        page,
    };
    let geometry = match container.geometry(page) {
        Ok(geometry) => geometry,
        Err(what) => {
            found.reason = Some(what.to_string());
            return found;
        }
    };
    found.y = geometry.height;
    found.x = geometry.width;
    found.samples = geometry.samples;
    // As it is stored.
    let stored = sample_type::reconcile(None, geometry, HalfFloats::Float16);
    found.sample_type = stored.ok().map(|(sample_type, _)| sample_type);
    found.photometric = geometry.layout.photometric;
    found.kind = text.purpose(geometry).unwrap_or(if kinds.contains(&kind(geometry)) {
        PageKind::Plane
    } else if geometry.is_reduced() || sub_ifd.is_some() {
        PageKind::ReducedCopy
    } else {
        PageKind::Image
    });
    if found.reason.is_none() {
        found.reason = container.problem(page).map(str::to_owned);
    }
    found
}
