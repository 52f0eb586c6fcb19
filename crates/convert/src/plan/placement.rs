//! Where the images of a fileset lie in the store.

use fairzarr_ngff::from_ome::{self, Placed, Plates};
use fairzarr_ome_tiff::Fileset;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

use crate::error::Error;
use crate::options::Layout;
use crate::plan::Plan;

/// Placement of the images.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// One image at the root.
    Root,
    /// Groups `0`, `1`, … of a root with `bioformats2raw.layout`; their number.
    Collection(usize),
    /// A plate: `row/column/field` of each image, in series order; those that are in no well, at `images/n`, and those of
    /// further plates, at `plates/n/row/column/field`.
    Plate(Vec<String>),
}

impl Placement {
    /// The group's path of each image, in series order.
    pub fn paths(&self) -> Vec<String> {
        match self {
            Self::Root => vec![String::new()],
            Self::Collection(images) => (0..*images).map(|n| n.to_string()).collect(),
            Self::Plate(paths) => paths.clone(),
        }
    }
}

/// Chooses the placement.
pub(crate) fn place(source: &Fileset, layout: Layout) -> Result<Placement, Error> {
    let images = source.images().len();
    match layout {
        Layout::Image if images == 1 => Ok(Placement::Root),
        Layout::Image => Err(Error::NotOneImage(images)),
        Layout::Bioformats2raw => Ok(Placement::Collection(images)),
        Layout::Auto => Ok(match plate_paths(source)? {
            Some(paths) => Placement::Plate(paths),
            None if images == 1 => Placement::Root,
            None => Placement::Collection(images),
        }),
    }
}

/// The images that have a place on the stage, with their numbers.
pub(crate) fn on_stage(source: &Fileset, plan: &Plan) -> Vec<(usize, Placed)> {
    let ome = source.document().map(fairzarr_ome_xml::Document::ome);
    let images = source.images().iter().zip(&plan.images).enumerate();
    let placed = images.filter_map(|(index, (image, planned))| {
        let described = source.described(image);
        let place = planned.along_axes(from_ome::position(ome, &described)?);
        let axes = from_ome::axes(&plan.settings.time_scale.described(described));
        let axes = axes.into_iter().zip(planned.axes).filter_map(|(axis, is_there)| is_there.then_some(axis));
        Some((index, Placed { path: planned.path.clone(), axes: axes.collect(), place }))
    });
    placed.collect()
}

/// The plates that images are on; none where there is no OME-XML, or no image in any well.
pub(crate) fn plates(source: &Fileset) -> Result<Plates, Error> {
    let Some(ome) = source.document().map(fairzarr_ome_xml::Document::ome) else {
        return Ok(Plates::default());
    };
    let there: HashSet<usize> =
        source.images().iter().filter_map(fairzarr_ome_tiff::Image::ome_index).collect();
    Ok(Plates::new(ome, |index| there.contains(&index))?)
}

/// The paths of the images if there is a plate. Those that are in no well lie beside it.
fn plate_paths(source: &Fileset) -> Result<Option<Vec<String>>, Error> {
    let plates = plates(source)?;
    if plates.plates.is_empty() {
        return Ok(None);
    }
    let mut on_plate = plates.image_paths();
    let path = |(index, image): (usize, &fairzarr_ome_tiff::Image)| {
        let in_well = image.ome_index().and_then(|image| on_plate.remove(&image));
        in_well.unwrap_or_else(|| format!("{BESIDE}/{index}"))
    };
    Ok(Some(source.images().iter().enumerate().map(path).collect()))
}

/// The group of images that are in no well. No row of a plate has this name.
pub(crate) const BESIDE: &str = "images";
