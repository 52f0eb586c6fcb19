//! `--pyramid source` and `--no-decode`: levels that are copied, and tiles that nobody looks into.

use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

use crate::support::tiff::{Blocks, Packing, Sample, Tiff};
use crate::support::{assert_same_tree, convert, fairzarr, run, tree, verify, zarr};

/// Sizes of the reduced copies: halved, rounded down, and reduced further in one step.
const LEVELS: [(usize, usize); 3] = [(350, 305), (175, 152), (30, 25)];

/// A plane of more than one unit, with reduced copies.
fn pyramid(sample: Sample, packing: Packing) -> Tiff {
    Tiff {
        blocks: Blocks::Tiles(160, 112),
        packing,
        reduced: LEVELS.into(),
        ..Tiff::of(sample, [1, 2, 2, 700, 611])
    }
}

fn document(target: &Path, key: &str) -> Value {
    serde_json::from_slice(&std::fs::read(target.join(key)).unwrap()).unwrap()
}

/// Every level has the samples of the source's copy, and every proof holds.
fn check(tiff: &Tiff, source: &Path, target: &Path) {
    let picture = &tiff.images[0];
    for (level, size) in std::iter::once((700, 611)).chain(LEVELS).enumerate() {
        let contents = zarr::read(target, &level.to_string(), picture.sample);
        assert_eq!(contents.shape, [1, 2, 2, size.0 as u64, size.1 as u64]);
        for (c, z) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            assert_eq!(contents.plane([0, c, z]), picture.reduced_plane([0, c, z], size), "level {level}");
        }
    }
    assert!(!target.join("4").exists());
    verify(source, target).done();
    fairzarr(["verify".as_ref(), target.as_os_str()]).done();
}

#[test]
fn levels_are_those_of_the_source() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    for (ngff, packing, more) in [
        ("0.4", Packing::Deflate, &[] as &[&str]),
        ("0.5", Packing::None, &["--shard", "1024,1024"]),
        ("0.5", Packing::Zstd, &["--chunk", "source", "--shard", "320,224"]),
        ("0.6", Packing::Zstd, &["--chunk", "100,100"]),
    ] {
        let tiff = Tiff { big_endian: ngff == "0.5", ..pyramid(Sample::I16, packing) };
        tiff.write(&source);
        let options = ["--pyramid", "source", "--overwrite", "--ngff", ngff];
        convert(&source, &target, &[&options[..], more].concat()).done();
        check(&tiff, &source, &target);
    }
}

#[test]
fn scales_follow_the_sizes() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    pyramid(Sample::U8, Packing::Zstd).write(&source);
    convert(&source, &target, &["--pyramid", "source"]).done();
    let attributes = document(&target, "zarr.json")["attributes"].clone();
    let scales: Vec<Value> = attributes["ome"]["multiscales"][0]["datasets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dataset| dataset["coordinateTransformations"][0]["scale"][3].clone())
        .collect();
    // Pixels of 0.25: twice as high, twice again although 175 is no half of 350 in width, and then by the sizes.
    assert_eq!(scales, [json!(0.25), json!(0.5), json!(1.0), json!(1.0 * 175.0 / 30.0)]);
    assert_eq!(attributes["fairzarr:conversion"]["copied_levels"], json!([0]));
}

#[test]
fn tiles_of_all_levels_are_moved_without_being_decoded() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    for (ngff, packing) in [
        ("0.4", Packing::Zstd),
        ("0.4", Packing::None),
        ("0.5", Packing::None),
        ("0.5", Packing::Zstd),
        ("0.6", Packing::ZstdStream),
    ] {
        let tiff = pyramid(Sample::U16, packing);
        tiff.write(&source);
        for shard in ["none", "640,448"] {
            let options = [
                "--chunk",
                "source",
                "--no-decode",
                "--overwrite",
                "--json",
                "--ngff",
                ngff,
                "--shard",
                shard,
            ];
            let told = convert(&source, &target, &options).done().json();
            // 5 x 6, 3 x 3, 2 x 2 tiles and one in each of four planes.
            assert_eq!((&told["moved_tiles"], &told["decoded"]), (&json!(4 * 44), &json!([])), "{told}");
            check(&tiff, &source, &target);
        }
    }
}

#[test]
fn contrast_is_that_of_the_type_where_no_sample_was_seen() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    Tiff { reduced: Vec::new(), ..pyramid(Sample::U16, Packing::Zstd) }.write(&source);
    convert(&source, &target, &["--chunk", "source", "--no-decode"]).done();
    let attributes = document(&target, "zarr.json")["attributes"].clone();
    let window = &attributes["ome"]["omero"]["channels"][0]["window"];
    assert_eq!((&window["min"], &window["max"]), (&json!(0), &json!(65535)));
    assert_eq!(attributes["fairzarr:statistics"], Value::Null);
    assert_eq!(attributes["ome"]["multiscales"][0]["datasets"].as_array().unwrap().len(), 1);
    assert_eq!(document(&target, "OME/digests/zarr.json")["attributes"]["images"], json!([[0, 4, 5, 6, 0]]));
}

#[test]
fn sparse_tiles_and_short_strips_are_encoded_among_those_that_are_moved() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    let sparse = Tiff { sparse: 2, ..pyramid(Sample::U8, Packing::Zstd) };
    let strips = Tiff { blocks: Blocks::Strips(48), ..pyramid(Sample::U8, Packing::Zstd) };
    for tiff in [sparse, strips] {
        tiff.write(&source);
        convert(&source, &target, &["--chunk", "source", "--no-decode", "--overwrite"]).done();
        verify(&source, &target).done();
        fairzarr(["verify".as_ref(), target.as_os_str()]).done();
    }
}

#[test]
fn deflate_data_are_decoded_and_that_is_said() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    let tiff = pyramid(Sample::U8, Packing::Deflate);
    tiff.write(&source);
    for ngff in ["0.4", "0.5"] {
        let options = ["--chunk", "source", "--no-decode", "--overwrite", "--ngff", ngff];
        let outcome = convert(&source, &target, &options).done();
        assert!(outcome.err.contains("image 0") && outcome.err.contains("Deflate"), "{}", outcome.err);
        check(&tiff, &source, &target);
    }
}

#[test]
fn damage_in_moved_tiles_is_found() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    pyramid(Sample::U16, Packing::Zstd).write(&source);
    convert(&source, &target, &["--chunk", "source", "--no-decode", "--ngff", "0.4"]).done();
    // Another valid chunk in its place: only the recorded digest tells.
    std::fs::copy(target.join("0/0/0/0/0/1"), target.join("0/0/0/0/0/0")).unwrap();
    let outcome = fairzarr(["verify".as_ref(), target.as_os_str()]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.out.contains("array 0, plane 0, chunk at row 0 column 0"), "{}", outcome.out);
    // And in a reduced level, against the source.
    std::fs::copy(target.join("1/0/0/0/0/1"), target.join("1/0/0/0/0/0")).unwrap();
    let outcome = verify(&source, &target);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.out.contains("array 1"), "{}", outcome.out);
}

#[test]
fn a_source_tile_that_does_not_decode_is_found_by_verify() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    let mut file = Tiff { reduced: Vec::new(), ..pyramid(Sample::U16, Packing::Zstd) }.bytes();
    // Within the blocks of the first frame, whose header stays as it is.
    file[40..60].fill(0xff);
    std::fs::write(&source, &file).unwrap();
    let options = ["--chunk", "source", "--no-decode"];
    let outcome = convert(&source, &target, &options);
    if outcome.code == Some(0) {
        assert_ne!(verify(&source, &target).code, Some(0));
        assert_ne!(fairzarr(["verify".as_ref(), target.as_os_str()]).code, Some(0));
    }
    assert_ne!(convert(&source, &target, &["--overwrite"]).code, Some(0), "decoding finds it at once");
}

#[test]
fn no_pyramid_and_none_in_the_source() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    let flat = Tiff { reduced: Vec::new(), ..pyramid(Sample::F32, Packing::None) };
    flat.write(&source);
    convert(&source, &target, &["--pyramid", "none", "--shard", "512,512"]).done();
    verify(&source, &target).done();
    assert!(!target.join("1").exists());
    // Where the source has none, levels are computed as ever.
    convert(&source, &target, &["--pyramid", "source", "--overwrite"]).done();
    verify(&source, &target).done();
    let computed = dir.path().join("computed.zarr");
    convert(&source, &computed, &[]).done();
    let levels = |store: &Path| tree(&store.join("1"));
    assert_eq!(levels(&target), levels(&computed));
}

#[test]
fn shares_of_several_processes_and_resumed_runs_give_the_same_store() {
    let dir = TempDir::new().unwrap();
    let source = dir.path().join("source.ome.tiff");
    pyramid(Sample::U16, Packing::Zstd).write(&source);
    for options in [&["--pyramid", "source"][..], &["--chunk", "source", "--no-decode"]] {
        let (whole, split) = (dir.path().join("whole.zarr"), dir.path().join("split.zarr"));
        convert(&source, &whole, &[options, &["--overwrite"]].concat()).done();
        let step = |name: &str, more: &[&str]| {
            run(name, &source, &split, &[options, more].concat()).done();
        };
        step("plan", &["--overwrite"]);
        for task in ["2/3", "1/3", "3/3"] {
            step("run", &["--task", task]);
        }
        step("commit", &[]);
        assert_same_tree(&whole, &split);
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    pyramid(Sample::U8, Packing::Zstd).write(&source);
    for options in [&["--no-decode"][..], &["--no-decode", "--chunk", "source", "--pyramid", "computed"]] {
        let outcome = convert(&source, &target, options);
        assert_eq!(outcome.code, Some(2), "{}", outcome.err);
        assert!(outcome.err.contains("--chunk source"), "{}", outcome.err);
        assert!(!target.exists());
    }
}
