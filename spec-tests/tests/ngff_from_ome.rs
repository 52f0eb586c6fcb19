//! What is derived from the OME-XML of the world is valid NGFF, in every version.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use fairzarr_ngff::{Downscaling, NodeKind, Severity, Version, Window, from_ome, image_attributes, validate};
use fairzarr_ome_xml::{Document, Image};
use fairzarr_spec_tests::corpus;
use fairzarr_zarr::SampleType;

const VERSIONS: [Version; 3] = [Version::V04, Version::V05, Version::V06];

#[test]
fn every_document_of_the_corpus() {
    let folders: Vec<PathBuf> = ["open/ome-xml", "nbo/ome-xml"].into_iter().filter_map(corpus).collect();
    let there_is_one = !folders.is_empty();
    let mut images = 0;
    for path in documents(folders) {
        // Documents that cannot be parsed at all are the business of the OME-XML tests.
        let Ok(document) = Document::parse(fs::read(&path).unwrap()) else { continue };
        for (index, image) in document.ome().images.iter().enumerate() {
            check_image(&path, image, index);
            images += 1;
        }
        for plate in &document.ome().plates {
            let layout = from_ome::plate(document.ome(), plate).unwrap();
            for version in VERSIONS {
                let wells = layout.wells.iter().map(|well| well.well.attributes(version));
                // A plate without images is no plate in NGFF.
                let plate = (!layout.wells.is_empty()).then(|| layout.plate.attributes(version));
                for attributes in wells.chain(plate) {
                    let mut findings = validate(Some(version), &attributes.into(), None);
                    findings.retain(|finding| finding.severity == Severity::Must);
                    assert_eq!(findings, [], "{}", path.display());
                }
            }
        }
    }
    eprintln!("{images} images");
    assert_eq!(images > 0, there_is_one, "a corpus without an image");
}

fn check_image(path: &Path, image: &Image, index: usize) {
    let pixels = image.pixels.as_ref();
    let count = pixels.and_then(|pixels| pixels.size_c).unwrap_or(1).min(100) as usize;
    let downscaling = Downscaling::new("mean");
    let multiscale = from_ome::multiscale(image, index, &from_ome::halving(3), Some(downscaling), [0.0; 5]);
    let windows = vec![Window::full(0.0, 0.0); count];
    let samples = from_ome::Samples {
        data_type: SampleType::Uint16,
        per_pixel: 1,
        significant_bits: None,
        inverted: false,
    };
    let omero = from_ome::omero(image, index, samples, 1, &windows);
    assert_eq!(omero.channels.len(), count);
    for version in VERSIONS {
        let attributes = image_attributes(version, &multiscale, Some(&omero));
        let findings = validate(Some(version), &attributes.into(), Some(NodeKind::Image));
        assert_eq!(findings, [], "{} image {index}", path.display());
    }
}

/// The OME-XML documents below these folders.
fn documents(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut documents = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "xml" || extension == "ome") {
                documents.push(path);
            }
        }
    }
    documents
}
