//! `verify` finds every kind of damage, and says where it is.

use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

use crate::support::tiff::{Sample, Tiff};
use crate::support::{Outcome, convert, verify};

/// A sound store of 2 channels of 100 x 100 samples in chunks of 64 x 64.
struct Pair {
    _dir: TempDir,
    source: PathBuf,
    target: PathBuf,
}

impl Pair {
    fn new(options: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
        Tiff::of(Sample::U16, [1, 2, 1, 100, 100]).write(&source);
        convert(&source, &target, &[&["--chunk", "64"], options].concat()).done();
        verify(&source, &target).done();
        Self { _dir: dir, source, target }
    }

    /// The report of a store that fails.
    #[track_caller]
    fn refuted(&self, expected: &[&str]) -> Outcome {
        let report = verify(&self.source, &self.target).ends_with(1);
        for expected in expected {
            assert!(report.out.contains(expected), "{expected}: {report:?}");
        }
        report
    }
}

#[test]
fn a_flipped_bit_is_found_by_the_checksum() {
    for (options, chunk) in [
        (&["--shard", "none"][..], "0/c/0/1/0/1/0"),
        (&["--shard", "128"], "0/c/0/1/0/0/0"),
        (&["--codec", "none"], "0/c/0/1/0/1/0"),
        (&["--codec", "zstd"], "0/c/0/1/0/1/0"),
        (&["--ngff", "0.4"], "0/0/1/0/1/0"),
    ] {
        let pair = Pair::new(options);
        let path = pair.target.join(chunk);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(&path, bytes).unwrap();
        pair.refuted(&["image 0, plane t=0 c=1 z=0, array 0, region y="]);
    }
}

#[test]
fn a_valid_chunk_of_another_place_is_found() {
    let pair = Pair::new(&[]);
    fs::copy(pair.target.join("0/c/0/0/0/0/0"), pair.target.join("0/c/0/1/0/0/0")).unwrap();
    pair.refuted(&["plane t=0 c=1 z=0", "first at y=0 x=0", "samples differ"]);
}

#[test]
fn a_chunk_that_is_gone_is_found() {
    for (options, chunk) in [(&[][..], "0/c/0/1/0/1/1"), (&["--ngff", "0.4"], "0/0/1/0/1/1")] {
        let pair = Pair::new(options);
        fs::remove_file(pair.target.join(chunk)).unwrap();
        pair.refuted(&["plane t=0 c=1 z=0", "first at y=64 x=64"]);
    }
}

#[test]
fn a_chunk_of_zeros_that_is_gone_is_found() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    Tiff { lacking: 1, ..Tiff::of(Sample::U16, [1, 2, 1, 100, 100]) }.write(&source);
    convert(&source, &target, &["--on-missing", "fill"]).done();
    verify(&source, &target).done();
    // Read as it was, but the store is not what was written.
    fs::remove_file(target.join("0/c/0/1/0/0/0")).unwrap();
    let report = verify(&source, &target).ends_with(1);
    assert!(report.out.contains("objects") && report.out.contains("0/c/0/1/0/0/0"), "{report:?}");
}

#[test]
fn a_cut_off_chunk_and_an_empty_one_are_found() {
    let pair = Pair::new(&[]);
    let path = pair.target.join("0/c/0/0/0/0/1");
    let bytes = fs::read(&path).unwrap();
    for length in [0, 1, 3, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        pair.refuted(&["plane t=0 c=0 z=0"]);
    }
}

#[test]
fn an_altered_document_is_found() {
    let pair = Pair::new(&[]);
    let path = pair.target.join("OME/sources/0.ome.xml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("picture 0", "picture O")).unwrap();
    pair.refuted(&["documents", "source.ome.tiff", "SHA-256"]);
    fs::remove_file(&path).unwrap();
    pair.refuted(&["documents", "no documents there"]);
}

#[test]
fn a_wrong_shape_or_type_is_found() {
    let pair = Pair::new(&[]);
    let path = pair.target.join("0/zarr.json");
    let text = fs::read_to_string(&path).unwrap();
    let mut array: serde_json::Value = serde_json::from_str(&text).unwrap();
    array["shape"][4] = 99.into();
    fs::write(&path, array.to_string()).unwrap();
    pair.refuted(&["image 0, SizeX", "expected 100, found 99"]);
    fs::write(&path, text.replace("\"uint16\"", "\"int16\"")).unwrap();
    pair.refuted(&["image 0, sample type", "expected uint16, found int16"]);
}

#[test]
fn a_store_of_another_source_is_refuted() {
    let pair = Pair::new(&[]);
    Tiff::of(Sample::U16, [1, 2, 1, 100, 101]).write(&pair.source);
    pair.refuted(&["SizeX", "documents"]);
}

#[test]
fn the_report_as_json_says_the_same() {
    let pair = Pair::new(&[]);
    fs::remove_file(pair.target.join("0/c/0/1/0/1/1")).unwrap();
    let args = ["verify".as_ref(), pair.source.as_os_str(), pair.target.as_os_str(), "--json".as_ref()];
    let report = crate::support::fairzarr(args).ends_with(1).json();
    assert_eq!(report["holds"], false);
    let place = report["checks"][0]["differences"][0]["place"].as_str().unwrap();
    assert!(place.starts_with("image 0, plane t=0 c=1 z=0, array 0"), "{place}");
}

#[test]
fn what_cannot_be_compared_is_an_input_error() {
    let pair = Pair::new(&[]);
    fs::remove_file(pair.target.join("zarr.json")).unwrap();
    let refused = verify(&pair.source, &pair.target).ends_with(3);
    assert!(refused.message().contains("not an OME-Zarr"), "{refused:?}");
    fs::write(pair.target.join("zarr.json"), "{").unwrap();
    let refused = verify(&pair.source, &pair.target).ends_with(3);
    assert!(refused.message().contains("not a JSON object"), "{refused:?}");
    assert!(refused.message().contains("target.zarr"), "{refused:?}");
}
