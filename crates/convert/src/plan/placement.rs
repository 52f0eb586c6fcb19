//! Where the images of a fileset lie in the store.

use fairzarr_ngff::from_ome::{self, PlateLayout};
use fairzarr_ome_tiff::Fileset;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use crate::error::Error;
use crate::options::Layout;

/// Placement of the images.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// One image at the root.
    Root,
    /// Groups `0`, `1`, … of a root with `bioformats2raw.layout`; their number.
    Collection(usize),
    /// A plate: `row/column/field` of each image, in series order.
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

/// The plate that the images are on, when there is exactly one.
pub(crate) fn plate(source: &Fileset) -> Result<Option<PlateLayout>, Error> {
    let Some(ome) = source.document().map(fairzarr_ome_xml::Document::ome) else { return Ok(None) };
    match ome.plates.as_slice() {
        [plate] => Ok(Some(from_ome::plate(ome, plate)?)),
        _ => Ok(None),
    }
}

/// The paths of the images on their plate, when every image is on it.
fn plate_paths(source: &Fileset) -> Result<Option<Vec<String>>, Error> {
    let Some(layout) = plate(source)? else { return Ok(None) };
    let by_image: HashMap<usize, String> = layout
        .wells
        .iter()
        .flat_map(|well| {
            let fields = well.images.iter().zip(&well.well.images);
            fields.map(|(image, field)| (*image, format!("{}/{}", well.path, field.path)))
        })
        .collect();
    let paths = source.images().iter().map(|image| by_image.get(&image.ome_index()?).cloned());
    Ok(paths.collect())
}
