//! Label images from files: which image each belongs to, and how it is stored.

use fairzarr_ome_tiff::Image;
use fairzarr_ome_zarr::keys::{self, join};
use fairzarr_pixel::SampleType;
use serde::{Deserialize, Serialize};

use super::Request;
use super::image::ImagePlan;
use crate::error::Error;
use crate::labels::LabelFile;
use crate::options::{BitType, ChunkChoice, Downsample, DropAxes, Options, PyramidChoice, RoiChoice};
use crate::source::{SourceFile, identify};

/// The label images of one file or fileset. Their plans follow those of the source's images, file by file.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LabelPlan {
    /// The name of the label images.
    pub name: String,
    /// The files that they are read from.
    pub files: Vec<SourceFile>,
    /// The number of the source's image that each belongs to.
    pub of: Vec<usize>,
}

/// Plans the label images of all files: the files, and the images in their order.
pub(super) fn plan(
    images: &[Image],
    planned: &[ImagePlan],
    labels: &[LabelFile],
    request: Request<'_>,
) -> Result<(Vec<LabelPlan>, Vec<ImagePlan>), Error> {
    let (mut plans, mut found) = (Vec::<LabelPlan>::new(), Vec::new());
    for file in labels {
        let refuse = |reason: String| Error::Labels { name: file.name().to_owned(), reason };
        let same = |name: &str| name.eq_ignore_ascii_case(file.name());
        if plans.iter().any(|plan| same(&plan.name)) {
            return Err(refuse("two files of labels have this name".into()));
        }
        if request.options.rois == RoiChoice::Labels && same(ROIS) {
            return Err(refuse("regions of interest have this name".into()));
        }
        let of = places(images, file.files().images()).map_err(refuse)?;
        for (label, of) in file.files().images().iter().zip(&of) {
            let path = join(&planned[*of].path, &join(keys::LABELS, file.name()));
            found.push(image(label, path, &planned[*of], request).map_err(refuse)?);
        }
        plans.push(LabelPlan { name: file.name().to_owned(), files: identify(file.files())?, of });
    }
    Ok((plans, found))
}

/// Which of the images each image of a file of labels belongs to: image by image where there are as many, else the only one that
/// it fits.
fn places(images: &[Image], labels: &[Image]) -> Result<Vec<usize>, String> {
    let mut places = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        if labels.len() == images.len() {
            check(index, label, &images[index])?;
            places.push(index);
            continue;
        }
        let fitting: Vec<usize> =
            (0..images.len()).filter(|at| check(index, label, &images[*at]).is_ok()).collect();
        match fitting[..] {
            [only] if !places.contains(&only) => places.push(only),
            [only] => return Err(format!("several of its images fit image {only} alone")),
            [] => {
                check_type(index, label)?;
                return Err(format!(
                    "its image {index} of {} fits none of {} images",
                    label.shape(),
                    images.len()
                ));
            }
            _ => {
                let (count, all) = (labels.len(), images.len());
                return Err(format!(
                    "its image {index} of {} fits several images ({fitting:?}), and {count} images of labels are not as many as {all}",
                    label.shape()
                ));
            }
        }
    }
    if places.is_empty() { Err("it holds no image".into()) } else { Ok(places) }
}

/// Labels are whole numbers, and one to a pixel; they are as large as their image, or have the length 1 along t, c or z.
fn check(index: usize, label: &Image, image: &Image) -> Result<(), String> {
    check_type(index, label)?;
    let (found, size) = (label.shape(), image.shape());
    let is_either = |found: u32, size: u32| found == size || found == 1;
    let fits = is_either(found.t, size.t)
        && is_either(found.c, size.c)
        && is_either(found.z, size.z)
        && (found.y, found.x) == (size.y, size.x);
    if fits {
        Ok(())
    } else {
        Err(format!("its image {index} is {found}; expected {size}, or 1 along t, c or z"))
    }
}

fn check_type(index: usize, label: &Image) -> Result<(), String> {
    use SampleType::{Bit, Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64};
    let found = label.sample_type();
    if !matches!(found, Bit | Int8 | Int16 | Int32 | Int64 | Uint8 | Uint16 | Uint32 | Uint64) {
        return Err(format!("its image {index} has samples of type {found}; labels are whole numbers"));
    }
    match label.channel_groups().iter().map(|group| group.len()).max() {
        Some(samples) if samples > 1 => {
            Err(format!("its image {index} has {samples} samples in a pixel; labels have one"))
        }
        _ => Ok(()),
    }
}

/// The plan of a label image: axes and levels are those of its image.
fn image(label: &Image, path: String, of: &ImagePlan, request: Request<'_>) -> Result<ImagePlan, String> {
    let last = of.levels.last().map_or((1, 1), |level| level.size);
    let options = Options {
        chunk: match request.options.chunk {
            ChunkChoice::Source => ChunkChoice::default(),
            size @ ChunkChoice::Size(..) => size,
        },
        pyramid: if of.levels.len() > 1 { PyramidChoice::Computed } else { PyramidChoice::None },
        downsample: Downsample::Mode,
        smallest_level: last.0.max(last.1),
        bit: BitType::Uint8,
        drop_axes: DropAxes::None,
        decode: true,
        ..request.options.clone()
    };
    let mut planned = ImagePlan::new(label, path, Request { options: &options, ..request });
    planned.axes = of.axes;
    let sizes = |image: &ImagePlan| image.levels.iter().map(|level| level.size).collect::<Vec<_>>();
    let (found, expected) = (sizes(&planned), sizes(of));
    if found != expected {
        return Err(format!(
            "its image has the levels {expected:?}, copied from the source, and labels are reduced by halves, to {found:?}"
        ));
    }
    Ok(planned)
}

/// The name of the label images of regions.
const ROIS: &str = "rois";
