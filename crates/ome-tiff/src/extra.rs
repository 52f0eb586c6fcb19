//! What becomes of pages that no plane uses: further images, a warning, or a refusal.

use std::{collections::HashMap, sync::Arc};

use crate::{
    assemble,
    container::Geometry,
    error::{Error, Result},
    files::Files,
    image::Image,
    open::OnExtraPages,
    plain,
    plane_map::PlaneRef,
    types::{PageKind, Warning},
    unmapped::{self, UnmappedPage},
};

/// Does with the pages that no plane uses what the options say, and returns those that still are not used.
///
/// # Errors
/// [`Error::ExtraPages`] where the options refuse them.
pub(crate) fn settle(
    files: &Arc<Files>,
    images: &mut Vec<Image>,
    described_in: Option<u32>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<UnmappedPage>> {
    let mut left = unmapped::find(files, images, described_in);
    match files.options.on_extra_pages {
        OnExtraPages::Keep if !left.is_empty() => {
            for (planes, geometry, kind) in stacks(files, &left) {
                keep(files, images, planes, &geometry, kind, warnings);
            }
            left = unmapped::find(files, images, described_in);
        }
        OnExtraPages::Refuse => {
            if let Some(first) = left.first() {
                return Err(Error::ExtraPages {
                    file: files.name(first.file as u32),
                    ifd: first.ifd,
                    count: left.len(),
                    what: first.to_string(),
                });
            }
        }
        _ => {}
    }
    warn(files, &left, warnings);
    Ok(left)
}

/// Pages of one file and kind that are alike.
fn stacks(files: &Files, pages: &[UnmappedPage]) -> Vec<(Vec<PlaneRef>, Arc<Geometry>, PageKind)> {
    let mut stacks: Vec<(Vec<PlaneRef>, Arc<Geometry>, PageKind)> = Vec::new();
    for page in pages {
        let Some(geometry) = files.container(page.file as u32).and_then(|c| c.geometry(page.page).ok())
        else {
            continue;
        };
        let place = PlaneRef { file: page.file as u32, page: page.page.0 };
        let known = stacks.iter_mut().find(|(planes, other, kind)| {
            *kind == page.kind
                && planes.first().is_some_and(|first| first.file == place.file)
                && plain::alike(other, geometry)
        });
        match known {
            Some((planes, ..)) => planes.push(place),
            None => stacks.push((vec![place], Arc::clone(geometry), page.kind)),
        }
    }
    stacks
}

fn keep(
    files: &Arc<Files>,
    images: &mut Vec<Image>,
    planes: Vec<PlaneRef>,
    geometry: &Geometry,
    kind: PageKind,
    warnings: &mut Vec<Warning>,
) {
    let Some(first) = planes.first().copied() else { return };
    let Some(container) = files.container(first.file) else { return };
    let (ifd, _) = container.number(crate::container::PageId(first.page));
    let count = planes.len();
    let mut spec = plain::spec(container, geometry, planes);
    spec.name = Some(format!("{}, {} of IFD {ifd}", files.name(first.file), kind.name()));
    match assemble::image(files, spec, warnings) {
        Ok(image) => {
            let pages = if count == 1 { "this page".to_owned() } else { format!("these {count} pages") };
            warnings.push(Warning {
                file: Some(files.name(first.file)),
                ifd: Some(ifd),
                message: format!("the metadata do not mention {pages}; kept as {}", image.label()),
            });
            images.push(image);
        }
        Err(e) => warnings.push(Warning {
            file: Some(files.name(first.file)),
            ifd: Some(ifd),
            message: format!("the metadata do not mention this page, and it cannot be read: {e}"),
        }),
    }
}

/// One warning for pages of a file that are alike: there may be a hundred thousand.
fn warn(files: &Files, left: &[UnmappedPage], warnings: &mut Vec<Warning>) {
    let mut groups: Vec<(&UnmappedPage, Vec<u32>)> = Vec::new();
    let mut known = HashMap::new();
    for page in left {
        let key = (page.file, page.y, page.x, page.samples, page.kind, page.reason.as_deref());
        let at = *known.entry(key).or_insert_with(|| {
            groups.push((page, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(page.ifd);
    }
    for (first, ifds) in groups {
        let more = match ifds.len() {
            1 => String::new(),
            n => format!(", and {} more up to IFD {}", n - 1, ifds.last().copied().unwrap_or_default()),
        };
        let reason = first.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        warnings.push(Warning {
            file: Some(files.name(first.file as u32)),
            ifd: Some(first.ifd),
            message: format!("{first}{more}, is no plane of any image and is left out{reason}"),
        });
    }
}
