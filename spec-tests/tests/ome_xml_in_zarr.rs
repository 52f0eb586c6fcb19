//! The OME-XML of the world in stores: bytes, structured form, METADATA.ome.xml and what follows from them.
//!
//! Every OME-TIFF of the corpus where `FAIRZARR_CORPUS` says there is one. Of one that merely lies beside the workspace, every fourth
//! file, because the whole takes minutes: `FAIRZARR_SEED` says which.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use fairzarr_convert::{Options, convert};
use fairzarr_ngff::Version;
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_xml::{Document, Normalisations, compare};
use fairzarr_ome_zarr::{model, sources};
use fairzarr_spec_tests::corpus;
use fairzarr_store::Store;
use fairzarr_task::Job;
use fairzarr_verify::{verify, verify_store};

#[test]
fn ome_tiffs_of_the_corpus() {
    let folders: Vec<PathBuf> = ["open/real", "open/generated"].into_iter().filter_map(corpus).collect();
    let there_is_one = !folders.is_empty();
    let mut documents = 0;
    let (first, step) = if env::var_os("FAIRZARR_CORPUS").is_some() { (0, 1) } else { (seed() % 4, 4) };
    for path in files(folders).into_iter().skip(first).step_by(step) {
        // What cannot be read is the business of the tests of reading.
        let Ok(source) = Fileset::open(&path) else { continue };
        let Some(document) = source.document() else { continue };
        for version in [Version::V04, Version::V05] {
            if check(&path, &source, document, version) {
                documents += 1;
            }
        }
    }
    eprintln!("{documents} documents");
    assert_eq!(documents > 0, there_is_one, "a corpus without a document that can be converted");
}

fn seed() -> usize {
    env::var("FAIRZARR_SEED").map_or(1, |seed| seed.parse().unwrap())
}

/// False where the pixels cannot be converted.
fn check(path: &Path, source: &Fileset, document: &Document, version: Version) -> bool {
    let store = Store::memory();
    let mut options = Options::default();
    options.version = version;
    if convert(source, &store, &options, &Job::new()).is_err() {
        return false;
    }
    let place = format!("{}, {version:?}", path.display());

    let stored: Vec<Vec<u8>> = sources(&store).unwrap().iter().map(|d| d.read(&store).unwrap()).collect();
    let expected: Vec<Vec<u8>> =
        (0..source.sources().len()).map(|number| source.source_bytes(number).unwrap().to_vec()).collect();
    assert_eq!(stored, expected, "{place}");

    let xml = model::read(&store).unwrap().unwrap().to_xml().unwrap();
    let differences = compare(document.text(), &xml, Normalisations::STRUCTURED).unwrap();
    assert!(differences.is_empty(), "{place}: {}", differences[0]);

    let options = fairzarr_verify::Options::default();
    let job = Job::new();
    let reports = [verify(source, &store, &options, &job), verify_store(&store, &options, &job)];
    for report in reports.map(Result::unwrap) {
        assert!(report.holds(), "{place}: {report}");
    }
    true
}

/// Files below these folders that may be part of an OME-TIFF.
fn files(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            if path.is_dir() {
                folders.push(path);
            } else if [".tif", ".tiff", ".btf", ".tf8", ".companion.ome"]
                .iter()
                .any(|end| name.ends_with(end))
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
