//! `OME/METADATA.ome.xml`: the source's document without its data, one Image per series, sizes as the arrays have.

use fairzarr_ome_tiff::{Fileset, Image};
use fairzarr_ome_xml::{ByteOrder, Document};
use fairzarr_store::Store;

use crate::Error;
use crate::engine::StoredArray;
use crate::report::{Check, Difference};
use crate::store_images::StoredImage;

pub(crate) const KEY: &str = "OME/METADATA.ome.xml";

/// Compares the document with what the source's gives, and with the stored images.
pub(crate) fn compare(source: &Fileset, store: &Store, stored: &[StoredImage]) -> Result<Check, Error> {
    let name = "metadata";
    let images: Option<Vec<usize>> = source.images().iter().map(Image::ome_index).collect();
    let Some((document, images)) = source.document().zip(images) else {
        return Ok(Check { name, covered: "the source has no OME-XML".into(), differences: Vec::new() });
    };
    let Some(bytes) = store.get(KEY)? else {
        let differences = vec![difference(KEY.into(), "a document", "nothing")];
        return Ok(Check { name, covered: "nothing".into(), differences });
    };
    let mut differences = Vec::new();
    let images = images.into_iter().enumerate().map(|(index, image)| {
        let path = stored.get(index).and_then(|stored| stored.array_path(0));
        let order = path.map(|path| StoredArray::open(store, &path)?.byte_order()).transpose()?;
        Ok((image, order.unwrap_or(ByteOrder::Little)))
    });
    let images = images.collect::<Result<Vec<_>, Error>>()?;
    let expected = document.metadata_only(&images)?;
    if bytes != expected.as_bytes() {
        let at = bytes.iter().zip(expected.as_bytes()).take_while(|(a, b)| a == b).count();
        differences.push(difference(
            format!("{KEY}, byte {at}"),
            &format!("{} bytes as the source's document gives them", expected.len()),
            &format!("{} other bytes", bytes.len()),
        ));
    }
    match Document::parse(bytes.to_vec()) {
        Ok(found) => differences.extend(sizes(source, &found, store, stored)?),
        Err(error) => differences.push(difference(KEY.into(), "OME-XML", &error.to_string())),
    }
    let covered = format!("{KEY}, {} bytes, {} images", bytes.len(), images.len());
    Ok(Check { name, covered, differences })
}

/// One Image per series in order, none with data, and each as large as its array.
fn sizes(
    source: &Fileset,
    document: &Document,
    store: &Store,
    stored: &[StoredImage],
) -> Result<Vec<Difference>, Error> {
    let images = &document.ome().images;
    let mut differences = Vec::new();
    if images.len() != stored.len() {
        let (expected, found) = (stored.len().to_string(), images.len().to_string());
        differences.push(difference(format!("{KEY}, number of Images"), &expected, &found));
    }
    for (index, (image, stored)) in images.iter().zip(stored).enumerate() {
        let Some(pixels) = &image.pixels else {
            differences.push(difference(format!("{KEY}, Image {index}"), "Pixels", "nothing"));
            continue;
        };
        if !pixels.metadata_only {
            differences.push(difference(format!("{KEY}, Image {index}"), "MetadataOnly", "nothing"));
        }
        let (Some(path), Some(image)) = (stored.array_path(0), source.images().get(index)) else { continue };
        let array = StoredArray::open(store, &path)?;
        let shape = image.shape();
        let sizes = [
            ("t", pixels.size_t, shape.t),
            ("c", pixels.size_c, shape.c),
            ("z", pixels.size_z, shape.z),
            ("y", pixels.size_y, shape.y),
            ("x", pixels.size_x, shape.x),
        ];
        for (axis, size, in_files) in sizes {
            // Some documents contradict their own files; both are kept as they are.
            if size != Some(u64::from(in_files)) {
                continue;
            }
            let at = stored.multiscale.axes.iter().position(|found| found.name == axis);
            let length = at.and_then(|at| array.shape().get(at)).copied().unwrap_or(1);
            if size != Some(length) {
                let place = format!("{KEY}, Image {index}, Size{}", axis.to_ascii_uppercase());
                differences.push(difference(place, &length.to_string(), &in_files.to_string()));
            }
        }
    }
    Ok(differences)
}

fn difference(place: String, expected: &str, found: &str) -> Difference {
    Difference { place, expected: expected.into(), found: found.into() }
}
