//! `OME/METADATA.ome.xml` of a collection.

use fairzarr_ome_xml::{Document, Image};

use crate::Finding;

/// Path of an image, and sizes by axis.
pub(super) type Extent = (String, Vec<(String, u64)>);

/// What is wrong with the OME-XML of a collection. `images` are paths in their order with axes and sizes; `None` where
/// their order is not known.
pub(super) fn judge(bytes: Vec<u8>, images: Option<&[Extent]>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut must = |path: String, message: String| findings.push(Finding::must(path, BF2RAW, message));
    let document = match Document::parse(bytes) {
        Ok(document) => document,
        Err(error) => {
            must(FILE.into(), format!("{error}, expected a well-formed OME-XML document"));
            return findings;
        }
    };
    let ome = document.ome();
    if ome.binary_only.is_some() {
        must(FILE.into(), "BinaryOnly, expected the whole metadata in this document".into());
    }
    for (index, image) in ome.images.iter().enumerate() {
        let at = format!("{FILE}#Image/{index}");
        let Some(pixels) = &image.pixels else {
            must(at, "missing, expected Pixels".into());
            continue;
        };
        if !pixels.tiff_data.is_empty() || !pixels.metadata_only {
            let found = if pixels.tiff_data.is_empty() { "no MetadataOnly" } else { "TiffData" };
            must(format!("{at}/Pixels"), format!("{found} in Pixels, expected MetadataOnly"));
        }
    }
    let Some(images) = images else { return findings };
    if images.len() != ome.images.len() {
        let message = format!(
            "{} Image elements, expected {}, one per image in its order",
            ome.images.len(),
            images.len()
        );
        must(FILE.into(), message);
        return findings;
    }
    for (index, (image, (path, sizes))) in ome.images.iter().zip(images).enumerate() {
        for (axis, expected) in sizes {
            if let Some(found) = size(image, axis).filter(|found| found != expected) {
                let axis = axis.to_uppercase();
                let message = format!("Size{axis} is {found}, expected {expected} like image {path:?}");
                must(format!("{FILE}#Image/{index}/Pixels/@Size{axis}"), message);
            }
        }
    }
    findings
}

fn size(image: &Image, axis: &str) -> Option<u64> {
    let pixels = image.pixels.as_ref()?;
    match axis {
        "x" => pixels.size_x,
        "y" => pixels.size_y,
        "z" => pixels.size_z,
        "c" => pixels.size_c,
        "t" => pixels.size_t,
        _ => None,
    }
}

const BF2RAW: &str = "bf2raw";
const FILE: &str = "METADATA.ome.xml";
