//! `OME/METADATA.ome.xml`: the source's document without its data, one Image per series, sizes as the arrays have.

use fairzarr_ome_tiff::{Fileset, Image};
use fairzarr_ome_xml::{ByteOrder, Document};
use fairzarr_ome_zarr::OpenImage;
use fairzarr_ome_zarr::keys::METADATA;
use fairzarr_store::Store;

use crate::error::Error;
use crate::report::{Check, Difference, Proof};

/// What the arrays of full resolution are, image by image.
#[derive(Default)]
pub(crate) struct Metadata {
    images: Vec<Array>,
}

struct Array {
    order: ByteOrder,
    /// Lengths along t, c, z, y, x; 1 where there is no such axis.
    lengths: [u64; 5],
}

impl Metadata {
    /// Remembers an image of the store.
    pub(crate) fn image(&mut self, image: &OpenImage<'_>) -> Result<(), Error> {
        let Some(array) = image.levels.first() else {
            self.images.push(Array { order: ByteOrder::Little, lengths: [1; 5] });
            return Ok(());
        };
        let length = |at: Option<usize>| at.and_then(|at| array.shape().get(at)).copied().unwrap_or(1);
        let lengths = image.dimensions().map(length);
        self.images.push(Array { order: array.byte_order()?, lengths });
        Ok(())
    }

    /// Compares the document with what the source's gives, and with the stored images.
    pub(crate) fn finish(self, source: &Fileset, store: &Store) -> Result<Check, Error> {
        let proof = Proof::Metadata;
        let Some(document) = source.document() else {
            return Ok(Check { proof, covered: "the source has no OME-XML".into(), differences: Vec::new() });
        };
        let Some(bytes) = store.get(METADATA)? else {
            let differences = vec![Difference::new(METADATA, "a document", "nothing")];
            return Ok(Check { proof, covered: "nothing".into(), differences });
        };
        // Pages that the document does not mention come last, if they were kept as images.
        let images: Vec<usize> = source.images().iter().filter_map(Image::ome_index).collect();
        let mut differences = Vec::new();
        let order = |n: usize| self.images.get(n).map_or(ByteOrder::Little, |image| image.order);
        let images: Vec<_> = images.into_iter().enumerate().map(|(n, image)| (image, order(n))).collect();
        let expected = document.metadata_only(&images)?;
        if bytes != expected.as_bytes() {
            let at = bytes.iter().zip(expected.as_bytes()).take_while(|(a, b)| a == b).count();
            differences.push(Difference::new(
                format!("{METADATA}, byte {at}"),
                format!("{} bytes as the source's document gives them", expected.len()),
                format!("{} other bytes", bytes.len()),
            ));
        }
        match Document::parse(bytes.to_vec()) {
            Ok(found) => differences.extend(self.sizes(source, &found, images.len())),
            Err(error) => differences.push(Difference::new(METADATA, "OME-XML", error.to_string())),
        }
        let covered = format!("{METADATA}, {} bytes, {} images", bytes.len(), images.len());
        Ok(Check { proof, covered, differences })
    }

    /// One Image per described series in order, none with data, and each as large as its array.
    fn sizes(&self, source: &Fileset, document: &Document, count: usize) -> Vec<Difference> {
        let described = &document.ome().images;
        let mut differences = Vec::new();
        if described.len() != count || self.images.len() < count {
            let (expected, found) = (count.to_string(), described.len().to_string());
            differences.push(Difference::new(format!("{METADATA}, number of Images"), expected, found));
        }
        for (index, (described, stored)) in described.iter().zip(&self.images).enumerate() {
            let place = format!("{METADATA}, Image {index}");
            let Some(pixels) = &described.pixels else {
                differences.push(Difference::new(place, "Pixels", "nothing"));
                continue;
            };
            if !pixels.metadata_only {
                differences.push(Difference::new(place, "MetadataOnly", "nothing"));
            }
            let Some(image) = source.images().get(index) else { continue };
            let shape = image.shape();
            let sizes = [
                ("T", pixels.size_t, shape.t),
                ("C", pixels.size_c, shape.c),
                ("Z", pixels.size_z, shape.z),
                ("Y", pixels.size_y, shape.y),
                ("X", pixels.size_x, shape.x),
            ];
            for ((axis, size, in_files), length) in sizes.into_iter().zip(stored.lengths) {
                // Some documents contradict their own files; both are kept as they are.
                if size == Some(u64::from(in_files)) && size != Some(length) {
                    let place = format!("{METADATA}, Image {index}, Size{axis}");
                    differences.push(Difference::new(place, length.to_string(), in_files.to_string()));
                }
            }
        }
        differences
    }
}
