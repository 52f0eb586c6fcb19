//! `--chunk source`: tiles and strips that become chunks without being compressed again.

use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

use crate::support::tiff::{Blocks, Packing, Picture, Sample, Tiff};
use crate::support::{Outcome, assert_same_tree, convert, fairzarr, run, tree, verify, zarr};

const MOVE: [&str; 4] = ["--chunk", "source", "--codec", "gzip-1"];

/// 2 x 3 tiles that reach beyond the image.
fn tiles(sample: Sample, packing: Packing) -> Tiff {
    Tiff { blocks: Blocks::Tiles(160, 112), packing, ..Tiff::of(sample, [1, 2, 2, 300, 290]) }
}

fn moved(source: &Path, target: &Path, more: &[&str]) -> Outcome {
    convert(source, target, &[&MOVE[..], &["--json"], more].concat()).done()
}

/// The store has the samples, and every proof holds.
fn check(tiff: &Tiff, source: &Path, target: &Path) {
    let picture = &tiff.images[0];
    let contents = zarr::read(target, "0", picture.sample);
    let [t, c, z, ..] = picture.size;
    for at in (0..t).flat_map(|t| (0..c).flat_map(move |c| (0..z).map(move |z| [t, c, z]))) {
        assert_eq!(contents.plane(at), picture.plane(at), "{at:?}");
    }
    verify(source, target).done();
    fairzarr(["verify".as_ref(), target.as_os_str()]).done();
}

fn metadata(target: &Path, key: &str) -> Value {
    serde_json::from_slice(&std::fs::read(target.join(key)).unwrap()).unwrap()
}

/// Whether `part` stands in the file as it is.
fn holds(file: &[u8], part: &[u8]) -> bool {
    file.windows(part.len()).any(|window| window == part)
}

#[test]
fn every_compression_and_byte_order_in_both_formats() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    for packing in [Packing::None, Packing::Deflate, Packing::OldDeflate, Packing::Zstd, Packing::ZstdStream]
    {
        for big_endian in [false, true] {
            let tiff = Tiff { big_endian, ..tiles(Sample::U16, packing) };
            tiff.write(&source);
            let file = std::fs::read(&source).unwrap();
            for ngff in ["0.4", "0.5"] {
                let told = moved(&source, &target, &["--ngff", ngff, "--overwrite"]).json();
                assert_eq!(told["moved_tiles"], 4 * 6, "{told}");
                check(&tiff, &source, &target);
                // The compressed data lie in the chunks byte for byte.
                let key = if ngff == "0.4" { "0/0/1/1/1/2" } else { "0/c/0/1/1/1/2" };
                let chunk = std::fs::read(target.join(key)).unwrap();
                let crc32c = if ngff == "0.4" { 0 } else { 4 };
                let (before, after) = match packing {
                    Packing::Deflate | Packing::OldDeflate if ngff == "0.5" => (10, 8),
                    Packing::ZstdStream => (10, 0),
                    _ => (0, 0),
                };
                let data = &chunk[before..chunk.len() - crc32c - after];
                assert!(data.len() > 500 && holds(&file, data), "{packing:?} {ngff}");
            }
        }
    }
}

#[test]
fn metadata_say_how_each_level_is_stored() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    Tiff { big_endian: true, ..tiles(Sample::U16, Packing::Deflate) }.write(&source);
    moved(&source, &target, &["--ngff", "0.4"]);
    let (full, reduced) = (metadata(&target, "0/.zarray"), metadata(&target, "1/.zarray"));
    assert_eq!((&full["dtype"], &reduced["dtype"]), (&json!(">u2"), &json!(">u2")));
    assert_eq!((&full["compressor"]["id"], &reduced["compressor"]["id"]), (&json!("zlib"), &json!("gzip")));
    assert_eq!(
        (&full["chunks"], &reduced["chunks"]),
        (&json!([1, 1, 1, 160, 112]), &json!([1, 1, 1, 150, 112]))
    );
    let ome = || std::fs::read_to_string(target.join("OME/METADATA.ome.xml")).unwrap();
    assert!(ome().contains(r#"BigEndian="true""#));
    convert(&source, &target, &["--ngff", "0.4", "--overwrite"]).done();
    assert_eq!(metadata(&target, "0/.zarray")["dtype"], "<u2");
    assert!(ome().contains(r#"BigEndian="false""#), "{}", ome());
    verify(&source, &target).done();
    moved(&source, &target, &["--overwrite"]);
    let names = |key| -> Vec<Value> {
        let codecs = metadata(&target, key)["codecs"].as_array().unwrap().clone();
        codecs.into_iter().map(|codec| codec["name"].clone()).collect()
    };
    assert_eq!(names("0/zarr.json"), ["bytes", "gzip", "crc32c"]);
    assert_eq!(metadata(&target, "0/zarr.json")["codecs"][0]["configuration"]["endian"], "big");
    let record = &metadata(&target, "zarr.json")["attributes"]["fairzarr:conversion"]["tiles"];
    assert_eq!(record, &json!([{"moved": {"big_endian": true, "decoded": true}}]));
}

#[test]
fn every_sample_type_is_moved() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    for sample in Sample::ALL {
        let tiff = Tiff { big_endian: true, ..tiles(sample, Packing::Zstd) };
        tiff.write(&source);
        for ngff in ["0.4", "0.6"] {
            let told = moved(&source, &target, &["--ngff", ngff, "--overwrite"]).json();
            assert_eq!(told["moved_tiles"], 24);
            check(&tiff, &source, &target);
        }
    }
}

#[test]
fn strips_planar_channels_and_small_images() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    let stack = Tiff::of(Sample::U16, [1, 2, 2, 300, 271]);
    let rgb = Picture { sample: Sample::U8, size: [1, 3, 1, 300, 290], interleaved: 3 };
    let planar = Tiff { planar: true, blocks: Blocks::Tiles(160, 112), ..Tiff::many(vec![rgb]) };
    let small = Tiff { blocks: Blocks::Tiles(64, 64), ..Tiff::of(Sample::F32, [2, 1, 1, 20, 30]) };
    for (tiff, expected) in [
        // The last strip of a plane has fewer rows, and is no whole chunk.
        (Tiff { blocks: Blocks::Strips(7), ..stack }, 4 * (300 / 7)),
        (planar, 3 * 6),
        (small, 2),
    ] {
        for packing in [Packing::None, Packing::Zstd] {
            let tiff =
                Tiff { packing, images: tiff.images.clone(), reduced: Vec::new(), described: None, ..tiff };
            tiff.write(&source);
            let told = moved(&source, &target, &["--overwrite"]).json();
            assert_eq!(told["moved_tiles"], expected);
            check(&tiff, &source, &target);
        }
    }
}

#[test]
fn tiles_that_are_not_stored_are_zeros_or_left_out() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    Tiff { sparse: 2, ..tiles(Sample::U16, Packing::Deflate) }.write(&source);
    for (more, stored) in [(&["--overwrite"][..], true), (&["--overwrite", "--omit-empty"], false)] {
        let told = moved(&source, &target, more).json();
        assert_eq!(told["moved_tiles"], 4 * 4);
        assert_eq!(target.join("0/c/0/0/0/0/1").exists(), stored);
        verify(&source, &target).done();
        fairzarr(["verify".as_ref(), target.as_os_str()]).done();
    }
}

#[test]
fn shards_and_split_conversions_hold_the_same_tiles() {
    let dir = TempDir::new().unwrap();
    let (source, whole) = (dir.path().join("source.ome.tiff"), dir.path().join("whole.zarr"));
    let size = [1, 1, 1, 1300, 1200];
    let tiff = Tiff { blocks: Blocks::Tiles(64, 80), packing: Packing::Zstd, ..Tiff::of(Sample::U16, size) };
    tiff.write(&source);
    let tile = |store: &Path| tree(store)["0/c/0/0/0/3/4"].clone();
    moved(&source, &whole, &[]);
    let sharded = dir.path().join("sharded.zarr");
    moved(&source, &sharded, &["--shard", "256,320"]);
    check(&tiff, &source, &sharded);
    let shard = tree(&sharded)["0/c/0/0/0/0/1"].clone();
    assert!(holds(&shard, &tile(&whole)));

    let split = dir.path().join("split.zarr");
    run("plan", &source, &split, &MOVE).done();
    for task in ["2/3", "1/3", "3/3"] {
        run("run", &source, &split, &[&MOVE[..], &["--task", task]].concat()).done();
    }
    run("commit", &source, &split, &MOVE).done();
    assert_same_tree(&split, &whole);
}

#[test]
fn what_cannot_be_moved_is_encoded_again_and_told() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    let rgb = Picture { sample: Sample::U8, size: [1, 3, 1, 300, 290], interleaved: 3 };
    let gray = Picture { sample: Sample::U8, size: [1, 1, 1, 300, 290], interleaved: 1 };
    let tiff =
        Tiff { blocks: Blocks::Tiles(160, 112), packing: Packing::Zstd, ..Tiff::many(vec![rgb, gray]) };
    tiff.write(&source);
    let planned = convert(&source, &target, &[&MOVE[..], &["--dry-run"]].concat()).done();
    let reason = "the source's tiles are encoded again: 3 samples are interleaved in each pixel";
    assert!(planned.out.contains(reason), "{planned:?}");
    assert!(planned.out.contains("level 0 is the source's tiles, moved as they are"), "{planned:?}");
    assert!(!target.exists());
    let told = convert(&source, &target, &MOVE).done();
    assert!(told.err.contains("image 0: the source's tiles were encoded again: 3 samples"), "{told:?}");
    // The grid is the source's all the same.
    let chunks = &metadata(&target, "0/0/zarr.json")["chunk_grid"]["configuration"]["chunk_shape"];
    assert_eq!(chunks, &json!([1, 1, 1, 160, 112]));
    assert_eq!(metadata(&target, "0/0/zarr.json")["codecs"][1]["name"], "gzip");
    assert_eq!(metadata(&target, "1/0/zarr.json")["codecs"][1]["name"], "zstd");
    verify(&source, &target).done();
}
