//! `OME/METADATA.ome.xml`: the source's document without its data, one Image per series, sizes as the arrays have.

use fairzarr_ome_xml::{self as ome_xml, ByteOrder, Document, FurtherImage};
use fairzarr_ome_zarr::keys::METADATA;
use fairzarr_ome_zarr::pixel_type;
use fairzarr_store::Store;

use crate::error::Error;
use crate::origin::{Origin, Seen};
use crate::report::{Check, Difference, Proof};

/// Compares the document with what the source's gives, and with the stored images.
pub(crate) fn check(origin: &Origin, seen: &[Seen], store: &Store) -> Result<Check, Error> {
    let proof = Proof::Metadata;
    let Some(document) = &origin.document else {
        return Ok(Check::new(
            proof,
            "nothing: there is no OME-XML of the source to derive it from",
            Vec::new(),
        ));
    };
    let Some(bytes) = store.get(METADATA)? else {
        let differences = vec![Difference::new(METADATA, "a document", "nothing")];
        return Ok(Check::new(proof, "nothing", differences));
    };
    // Pages that the document does not mention come last, if they were kept as images.
    let images: Vec<usize> = origin.images.iter().filter_map(|image| image.ome_index).collect();
    let further = origin.images.iter().filter(|image| image.ome_index.is_none());
    let further: Vec<_> =
        further.filter_map(|image| Some((image.described.as_ref()?, image.samples))).collect();
    let mut differences = Vec::new();
    let expected = derived(document, &images, origin.times.as_deref(), &further, seen)?;
    let count = images.len() + further.len();
    if bytes != expected.as_bytes() {
        let at = bytes.iter().zip(expected.as_bytes()).take_while(|(a, b)| a == b).count();
        differences.push(Difference::new(
            format!("{METADATA}, byte {at}"),
            format!("{} bytes as the source's document gives them", expected.len()),
            format!("{} other bytes", bytes.len()),
        ));
    }
    match Document::parse(bytes.to_vec()) {
        Ok(found) => differences.extend(sizes(origin, seen, &found, count)),
        Err(error) => differences.push(Difference::new(METADATA, "OME-XML", error.to_string())),
    }
    let covered = format!("{METADATA}, {} bytes, {count} images", bytes.len());
    Ok(Check::new(proof, covered, differences))
}

/// What the document of the source gives: these of its images, and after them `further` ones that it does not mention, each with what
/// is known of it and the samples of its channels. `seen` are the arrays of all, in the same order.
pub(crate) fn derived(
    document: &Document,
    images: &[usize],
    times: Option<&[u32]>,
    further: &[(&ome_xml::Image, usize)],
    seen: &[Seen],
) -> Result<String, ome_xml::Error> {
    let order = |n: usize| seen.get(n).map_or(ByteOrder::Little, |image| image.order);
    let ordered: Vec<_> = images.iter().enumerate().map(|(n, image)| (*image, order(n))).collect();
    let text = document.metadata_of_part(&ordered, times)?;
    let further = further.iter().zip(seen.iter().skip(images.len())).map(|((described, samples), seen)| {
        Some(FurtherImage {
            described,
            sizes: seen.lengths,
            pixel_type: pixel_type(&seen.data_type)?,
            samples: *samples as u64,
            order: seen.order,
        })
    });
    match further.collect::<Option<Vec<_>>>() {
        Some(further) if !further.is_empty() => ome_xml::with_images(&text, &further),
        _ => Ok(text),
    }
}

/// One Image per described series in order, none with data, and each as large as its array.
fn sizes(origin: &Origin, seen: &[Seen], document: &Document, count: usize) -> Vec<Difference> {
    let described = &document.ome().images;
    let mut differences = Vec::new();
    if described.len() != count || seen.len() < count {
        let (expected, found) = (count.to_string(), described.len().to_string());
        differences.push(Difference::new(format!("{METADATA}, number of Images"), expected, found));
    }
    for (index, (described, stored)) in described.iter().zip(seen).enumerate() {
        let place = format!("{METADATA}, Image {index}");
        let Some(pixels) = &described.pixels else {
            differences.push(Difference::new(place, "Pixels", "nothing"));
            continue;
        };
        if !pixels.metadata_only {
            differences.push(Difference::new(place, "MetadataOnly", "nothing"));
        }
        // Without the files it is not known whether the document contradicts them.
        let Some(in_files) = origin.images.get(index).and_then(|image| image.sizes) else { continue };
        let sizes = [pixels.size_t, pixels.size_c, pixels.size_z, pixels.size_y, pixels.size_x];
        let named = ["T", "C", "Z", "Y", "X"].into_iter().zip(sizes).zip(in_files);
        for (((axis, size), in_files), length) in named.zip(stored.lengths) {
            // Some documents contradict their own files; both are kept as they are.
            if let Some(size) = size.filter(|size| *size == u64::from(in_files) && *size != length) {
                let place = format!("{METADATA}, Image {index}, Size{axis}");
                differences.push(Difference::new(place, length.to_string(), size.to_string()));
            }
        }
    }
    differences
}
