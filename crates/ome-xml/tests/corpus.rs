//! Every OME-XML document of the corpus, if there is one: where `FAIRZARR_CORPUS` says, else beside the workspace.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use fairzarr_ome_xml::{ByteOrder, Document, Error, Normalisations, Structured, Table, compare};
use fairzarr_spec_tests::corpus;

/// Standalone documents and those taken out of TIFF files.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["open/ome-xml", "nbo/ome-xml"].into_iter().filter_map(corpus) {
        let before = found.len();
        collect(&folder, &mut found);
        assert!(found.len() > before, "no OME-XML below {}", folder.display());
    }
    found.sort();
    found
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "xml" || e == "ome") {
            found.push(path);
        }
    }
}

/// Files that are not well-formed beyond what reading tolerates.
const UNREADABLE: [&str; 1] = ["18x24y5z5t2c8b-text-invalid2.ome"];

fn read(path: &Path) -> Option<Document> {
    let bytes = std::fs::read(path).unwrap();
    match Document::parse(bytes.clone()) {
        Ok(document) => {
            assert_eq!(document.bytes(), bytes, "{}", path.display());
            Some(document)
        }
        Err(e) => {
            let name = path.file_name().unwrap().to_string_lossy();
            assert!(UNREADABLE.contains(&&*name), "{}: {e}", path.display());
            None
        }
    }
}

#[test]
fn every_document_comes_back_from_its_structured_form() {
    for path in documents() {
        let Some(document) = read(&path) else { continue };
        let structured = Structured::from_document(&document);
        // Through text, as a store would.
        let json = serde_json::to_string(&structured.json).unwrap();
        let tables = structured.tables.iter().map(|table| {
            let sizes = |image: usize| {
                let pixels = document.ome().images[image].pixels.as_ref();
                pixels.map_or([1; 3], |p| [p.size_t, p.size_c, p.size_z].map(|s| s.unwrap_or(1)))
            };
            let group = table.to_arrays(sizes);
            assert_eq!(group.path, table.path());
            assert!(group.arrays.iter().all(|a| a.data.len() as u64 == a.shape.iter().product::<u64>()));
            Table::from_arrays(&group).unwrap()
        });
        let structured = Structured {
            json: serde_json::from_str(&json).unwrap(),
            tables: tables.collect(),
            blobs: structured.blobs.clone(),
        };
        let xml = structured.to_xml().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let differences = compare(document.text(), &xml, Normalisations::STRUCTURED).unwrap();
        assert!(differences.is_empty(), "{}: {}", path.display(), differences[0]);
    }
}

#[test]
fn metadata_keeps_what_the_document_says() {
    for path in documents() {
        let Some(document) = read(&path) else { continue };
        let images: Vec<_> =
            (0..document.ome().images.len()).map(|index| (index, ByteOrder::Little)).collect();
        let metadata = match document.metadata_only(&images) {
            Ok(metadata) => Document::parse(metadata.into_bytes()).unwrap(),
            Err(Error::BinaryOnly { .. }) => continue,
            Err(e) => panic!("{}: {e}", path.display()),
        };
        assert_eq!(metadata.schema().as_str(), "2016-06", "{}", path.display());
        assert!(metadata.changes().is_empty(), "{}: {:?}", path.display(), metadata.changes());
        for (old, new) in document.ome().images.iter().zip(&metadata.ome().images) {
            let (Some(old), Some(new)) = (&old.pixels, &new.pixels) else { continue };
            assert!(new.metadata_only && new.tiff_data.is_empty() && !new.has_bin_data);
            assert_eq!(old.planes.the_z, new.planes.the_z);
            assert_eq!(old.planes.delta_t, new.planes.delta_t);
            assert_eq!(old.planes.position_x, new.planes.position_x);
            assert_eq!(old.channels.len(), new.channels.len());
            assert_eq!(old.physical_size_x, new.physical_size_x);
            assert_eq!(
                (old.size_x, old.size_y, old.size_z, old.size_c, old.size_t, old.pixel_type),
                (new.size_x, new.size_y, new.size_z, new.size_c, new.size_t, new.pixel_type)
            );
        }
    }
}
