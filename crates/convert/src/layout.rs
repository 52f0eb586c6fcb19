//! Where the images of a fileset lie in the store.

use fairzarr_ome_tiff::Fileset;
use serde::{Deserialize, Serialize};

use crate::Error;
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
        Layout::Image => Err(Error::Request(format!(
            "the source holds {images} images; --layout image needs exactly one"
        ))),
        Layout::Bioformats2raw => Ok(Placement::Collection(images)),
        Layout::Auto => Ok(plate_paths(source).map_or_else(
            || if images == 1 { Placement::Root } else { Placement::Collection(images) },
            Placement::Plate,
        )),
    }
}

/// The paths of the images on their plate, when there is exactly one plate and every image is on it once.
fn plate_paths(source: &Fileset) -> Option<Vec<String>> {
    let ome = source.document()?.ome();
    let [plate] = ome.plates.as_slice() else { return None };
    let (_, fields) = fairzarr_ngff::from_ome::plate(plate).ok()?;
    source
        .images()
        .iter()
        .map(|image| {
            let id = &ome.images.get(image.ome_index()?)?.id;
            let mut places = fields.iter().filter(|field| field.image == *id);
            match (places.next(), places.next()) {
                (Some(field), None) => Some(field.path.clone()),
                _ => None,
            }
        })
        .collect()
}
