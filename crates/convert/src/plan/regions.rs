//! The regions of interest that a source's OME-XML has, where they are asked for.

use fairzarr_ome_tiff::{Fileset, Image};
use fairzarr_rois::{Rois, of_image};

use crate::error::Error;

/// The regions of an image; none of images that the document does not mention.
pub(crate) fn regions(source: &Fileset, image: &Image) -> Rois {
    source
        .element(image)
        .map(|(document, index)| of_image(document, index, image.shape()))
        .unwrap_or_default()
}

/// Refuses a source whose regions ask for more work than a document may.
pub(crate) fn check(source: &Fileset) -> Result<(), Error> {
    for (index, image) in source.images().iter().enumerate() {
        let checked = regions(source, image).check(image.shape());
        checked.map_err(|reason| Error::Rois { image: index, reason })?;
    }
    Ok(())
}
