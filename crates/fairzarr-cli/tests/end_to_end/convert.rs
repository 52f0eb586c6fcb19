//! Whatever the shape, type, layout, codec and version: the pixels arrive, and every level is the mean of the one below.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tiff::{Blocks, Picture, Sample, Tiff};
use crate::support::{assert_same_tree, cells, convert, fairzarr, fixture, text, tree, verify, zarr};

/// Converts `tiff` and proves the result twice: with the program's own `verify`, and with another reader.
#[track_caller]
fn proved(tiff: &Tiff, options: &[&str], groups: &[&str]) {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    tiff.write(&source);
    convert(&source, &target, options).done();
    let report = verify(&source, &target).done();
    assert!(report.out.contains("pixels     equal"), "{report:?}");
    for (image, group) in tiff.images.iter().zip(groups) {
        let mut expected = planes(image);
        let (mut height, mut width) = (image.size[3], image.size[4]);
        for level in 0.. {
            let array = zarr::read(&target.join(group), &level.to_string(), image.sample);
            let [t, c, z, ..] = image.size;
            assert_eq!(array.shape, [t, c, z, height, width].map(|n| n as u64), "{group} {level}");
            for (place, plane) in &expected {
                assert!(
                    array.plane(*place) == plane,
                    "{options:?}: {group} level {level} plane {place:?} differs"
                );
            }
            if height <= 256 && width <= 256 {
                assert!(!target.join(group).join((level + 1).to_string()).exists());
                break;
            }
            for (_, plane) in &mut expected {
                *plane = halved(plane, height, width, image.sample);
            }
            (height, width) = (height.div_ceil(2), width.div_ceil(2));
        }
    }
}

fn planes(image: &Picture) -> Vec<([usize; 3], Vec<f64>)> {
    let [t, c, z, ..] = image.size;
    let mut planes = Vec::new();
    for t in 0..t {
        for c in 0..c {
            for z in 0..z {
                planes.push(([t, c, z], image.plane([t, c, z])));
            }
        }
    }
    planes
}

/// The plain statement of a reduced level: the mean of four, of two at an odd edge; halves of integers go up.
fn halved(plane: &[f64], height: usize, width: usize, sample: Sample) -> Vec<f64> {
    let mut half = Vec::new();
    for y in (0..height).step_by(2) {
        for x in (0..width).step_by(2) {
            let at = |dy: usize, dx: usize| plane[(y + dy).min(height - 1) * width + (x + dx).min(width - 1)];
            let mean = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4.0;
            half.push(if sample.is_float() { mean } else { (mean + 0.5).floor() });
        }
    }
    half
}

fn picture(sample: Sample, size: [usize; 5]) -> Picture {
    Picture { sample, size, interleaved: 1 }
}

#[test]
fn every_sample_type_arrives_in_both_byte_orders() {
    for sample in Sample::ALL {
        for big_endian in [false, true] {
            let tiff = Tiff { big_endian, ..Tiff::of(sample, [1, 2, 1, 70, 301]) };
            proved(&tiff, &["--chunk", "64"], &[""]);
        }
    }
}

#[test]
fn every_version_layout_and_preset_holds_the_same_pixels() {
    let tiff = Tiff::of(Sample::U16, [2, 1, 2, 300, 270]);
    for version in ["0.4", "0.5", "0.6"] {
        for (layout, group) in [("auto", ""), ("image", ""), ("bioformats2raw", "0")] {
            for preset in ["fast", "balanced", "small"] {
                proved(&tiff, &["--ngff", version, "--layout", layout, "--preset", preset], &[group]);
            }
        }
    }
}

#[test]
fn every_codec_is_undone_by_another_reader() {
    let tiff = Tiff::of(Sample::I16, [1, 1, 1, 290, 150]);
    for inner in ["lz4", "lz4hc", "zstd", "zlib", "blosclz"] {
        for shuffle in ["shuffle", "bitshuffle", "noshuffle"] {
            let codec = format!("blosc-{inner}-3-{shuffle}");
            proved(&tiff, &["--codec", &codec, "--chunk", "100,64"], &[""]);
            proved(&tiff, &["--codec", &codec, "--chunk", "100,64", "--ngff", "0.4"], &[""]);
        }
    }
    for codec in ["none", "zstd", "zstd-9", "gzip-1", "gzip-9"] {
        proved(&tiff, &["--codec", codec], &[""]);
        proved(&tiff, &["--codec", codec, "--ngff", "0.4"], &[""]);
        proved(&tiff, &["--codec", codec, "--shard", "200,200", "--chunk", "50"], &[""]);
    }
    proved(&tiff, &["--codec", "zlib-6", "--ngff", "0.4"], &[""]);
}

#[test]
fn chunks_and_shards_of_any_size_fit_strips_and_tiles_of_any_size() {
    let cuts = [
        Blocks::Strips(1),
        Blocks::Strips(7),
        Blocks::Strips(10_000),
        Blocks::Tiles(16, 16),
        Blocks::Tiles(48, 80),
        Blocks::Tiles(512, 1024),
    ];
    for blocks in cuts {
        let tiff = Tiff { blocks, ..Tiff::of(Sample::U16, [1, 1, 1, 331, 417]) };
        for chunk in ["100,300", "33,65", "9,417", "331,40", "1000", "17"] {
            if chunk == "17" && !matches!(blocks, Blocks::Tiles(48, 80)) {
                continue;
            }
            proved(&tiff, &["--chunk", chunk], &[""]);
            proved(&tiff, &["--chunk", chunk, "--shard", "128,256"], &[""]);
        }
    }
}

#[test]
fn little_memory_changes_the_plan_and_not_the_pixels() {
    for blocks in [Blocks::Strips(3), Blocks::Strips(900), Blocks::Tiles(64, 32)] {
        let tiff = Tiff { blocks, ..Tiff::of(Sample::U8, [1, 1, 1, 900, 1100]) };
        for memory in ["6M", "12M"] {
            proved(&tiff, &["--memory", memory, "--chunk", "128,256"], &[""]);
            proved(&tiff, &["--memory", memory, "--chunk", "128", "--shard", "512"], &[""]);
            proved(&tiff, &["--memory", memory, "--chunk", "60,100", "--shard", "240,300"], &[""]);
        }
    }
}

#[test]
fn thin_and_tiny_images_keep_their_shape() {
    for size in [[1, 1], [1, 2], [2, 1], [1, 1000], [1000, 1], [3, 257], [255, 3], [257, 257]] {
        let tiff = Tiff::of(Sample::U16, [1, 1, 1, size[0], size[1]]);
        proved(&tiff, &[], &[""]);
        proved(&tiff, &["--ngff", "0.4", "--chunk", "30,50"], &[""]);
        proved(&tiff, &["--chunk", "64", "--shard", "128"], &[""]);
    }
}

#[test]
fn interleaved_channels_become_channels() {
    for blocks in [Blocks::Strips(20), Blocks::Tiles(32, 64)] {
        let rgb = Picture { sample: Sample::U8, size: [2, 3, 2, 100, 330], interleaved: 3 };
        let two = Picture { sample: Sample::U16, size: [1, 6, 1, 40, 50], interleaved: 3 };
        proved(&Tiff { blocks, ..Tiff::many(vec![rgb.clone()]) }, &["--chunk", "64"], &[""]);
        proved(&Tiff { blocks, ..Tiff::many(vec![two, rgb]) }, &["--shard", "96"], &["0", "1"]);
    }
}

#[test]
fn several_images_of_different_shapes_and_types_lie_side_by_side() {
    let images = vec![
        picture(Sample::U8, [1, 2, 3, 20, 30]),
        picture(Sample::F32, [2, 1, 1, 300, 10]),
        picture(Sample::I32, [1, 1, 1, 1, 1]),
    ];
    for version in ["0.4", "0.5", "0.6"] {
        proved(&Tiff::many(images.clone()), &["--ngff", version], &["0", "1", "2"]);
    }
}

#[test]
fn fixtures_of_every_kind_of_storage_are_verified() {
    let names = [
        "bit.ome.tif",
        "complex-be.ome.tif",
        "imagej-contiguous.tif",
        "imagej.tif",
        "one-strip-zlib.ome.tif",
        "plain.tif",
        "pyramid.ome.tif",
        "rgb-planar.ome.tif",
        "rgb.ome.tif",
        "strips-be.ome.tif",
        "strips-le.ome.tif",
        "tiles-be-big.ome.tif",
        "tiles-predictor.ome.tif",
    ];
    let dir = TempDir::new().unwrap();
    for name in names {
        for version in ["0.4", "0.5", "0.6"] {
            let target = dir.path().join(format!("{name}-{version}"));
            convert(&fixture(name), &target, &["--ngff", version, "--chunk", "20,24"]).done();
            verify(&fixture(name), &target).done();
        }
    }
}

#[test]
fn the_same_bytes_come_of_any_number_of_jobs() {
    let dir = TempDir::new().unwrap();
    let source = dir.path().join("source.ome.tiff");
    let images = vec![picture(Sample::F32, [1, 2, 2, 700, 900]), picture(Sample::U16, [3, 1, 1, 310, 90])];
    Tiff::many(images).write(&source);
    for options in [["--shard", "none"], ["--shard", "256"], ["--ngff", "0.4"]] {
        let target = |name: &str| dir.path().join(format!("{name}{}", options[1]));
        let chunk = ["--chunk", "128", options[0], options[1]];
        let with = |more: [&'static str; 2]| [&chunk[..], &more].concat();
        convert(&source, &target("one"), &with(["--jobs", "1"])).done();
        convert(&source, &target("four"), &with(["--jobs", "4"])).done();
        assert_same_tree(&target("four"), &target("one"));
        // More memory than the default changes nothing either: the plan is the same.
        convert(&source, &target("more"), &with(["--memory", "512M"])).done();
        assert_same_tree(&target("more"), &target("one"));
    }
}

#[test]
fn the_readme_example_holds_its_documents() {
    let dir = TempDir::new().unwrap();
    let target = dir.path().join("cells.ome.zarr");
    let told = convert(&cells(), &target, &[]).done();
    assert!(told.out.contains("1 image"), "{told:?}");
    assert_eq!(told.err, "", "quiet in a pipe");
    let report = verify(&cells(), &target).done();
    assert!(report.out.contains("documents  equal: 1"), "{report:?}");
    let source = std::fs::read(cells()).unwrap();
    let document = std::fs::read(target.join("OME/sources/0.ome.xml")).unwrap();
    assert!(source.windows(document.len()).any(|window| window == document));
    let metadata = std::fs::read_to_string(target.join("OME/METADATA.ome.xml")).unwrap();
    assert!(metadata.contains("MetadataOnly") && !metadata.contains("TiffData"));
}

#[test]
fn empty_chunks_are_left_out_on_request_and_read_as_zeros() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    let picture = picture(Sample::U8, [1, 1, 2, 64, 64]);
    let tiff = Tiff::many(vec![picture.clone()]);
    // The second plane's samples become zeros.
    let mut bytes = tiff.bytes();
    let second: Vec<u8> = picture.plane([0, 0, 1])[..16 * 64].iter().map(|value| *value as u8).collect();
    let at = bytes.windows(second.len()).position(|window| window == second).unwrap();
    bytes[at..at + 64 * 64].fill(0);
    std::fs::write(&source, bytes).unwrap();
    for shard in ["none", "64"] {
        convert(&source, &target, &["--omit-empty", "--chunk", "32", "--shard", shard, "--overwrite"]).done();
        verify(&source, &target).done();
        let written: Vec<_> = tree(&target.join("0/c")).into_keys().collect();
        assert!(written.iter().all(|key| key.starts_with("0/0/0/")), "{written:?}");
        let array = zarr::read(&target, "0", Sample::U8);
        assert_eq!(array.plane([0, 0, 0]), picture.plane([0, 0, 0]));
        assert!(array.plane([0, 0, 1]).iter().all(|value| *value == 0.0));
    }
}

#[test]
fn a_dry_run_tells_the_plan_and_writes_nothing() {
    let dir = TempDir::new().unwrap();
    let target = dir.path().join("target.zarr");
    let told = convert(&cells(), &target, &["--dry-run"]).done();
    assert!(told.out.contains("level 0: 400 x 520"), "{told:?}");
    let told = convert(&cells(), &target, &["--dry-run", "--json"]).done().json();
    assert_eq!(told["source_bytes"], 2_496_000);
    assert!(!target.exists());
}

#[test]
fn bits_become_bytes_or_booleans_as_asked() {
    let source = fixture("bit.ome.tif");
    for (options, expected) in [(&[][..], "uint8"), (&["--bit", "bool"][..], "bool")] {
        let dir = TempDir::new().unwrap();
        let target = dir.path().join("target.zarr");
        convert(&source, &target, options).done();
        let document = std::fs::read_to_string(target.join("0/zarr.json")).unwrap();
        assert!(document.contains(&format!("\"data_type\": \"{expected}\"")), "{document}");
        verify(&source, &target).done();
    }
}

/// The times of the stages are told as text and as JSON, and are no more than the threads had.
#[test]
fn the_time_of_each_stage_is_told() {
    let dir = TempDir::new().unwrap();
    let told = convert(&cells(), &dir.path().join("text.zarr"), &["--stats", "--jobs", "1"]).done().out;
    assert!(told.lines().next().unwrap().contains("limited by "), "{told}");
    for stage in ["read", "decode", "statistics", "digest", "downsample", "encode", "write", "record", "idle"]
    {
        assert!(told.lines().any(|line| line.trim_start().starts_with(stage)), "{stage}: {told}");
    }
    let report = convert(&cells(), &dir.path().join("json.zarr"), &["--json", "--jobs", "1"]).done().json();
    let stats = &report["stats"];
    let stages = stats["stages"].as_object().unwrap();
    let sum: f64 = stages.values().map(|seconds| seconds.as_f64().unwrap()).sum();
    assert_eq!(stats["threads"], 1);
    assert!(stages["encode"].as_f64().unwrap() > 0.0 && sum <= stats["seconds"].as_f64().unwrap(), "{stats}");
}

#[test]
fn levels_are_made_as_asked_and_proved_by_what_the_store_says() {
    let dir = TempDir::new().unwrap();
    let target = dir.path().join("levels.zarr");
    // Tasks of one block each, so that upper levels are put together from several.
    let small = ["--overwrite", "--chunk", "64", "--memory", "16M"];
    let mut levels = Vec::new();
    for method in ["mean", "nearest", "mode", "max"] {
        convert(&cells(), &target, &[&small[..], &["--downsample", method]].concat()).done();
        let root: Value = serde_json::from_slice(&fs::read(target.join("zarr.json")).unwrap()).unwrap();
        let image = &root["attributes"]["ome"]["multiscales"][0];
        assert_eq!(image["type"], method);
        // The sample that is taken lies where it lay.
        let translation = &image["datasets"][1]["coordinateTransformations"][1]["translation"];
        let shifted = translation.as_array().unwrap().iter().any(|by| by.as_f64() != Some(0.0));
        assert_eq!(shifted, method != "nearest", "{image}");
        fairzarr(["verify", &text(&cells()), &text(&target)]).done();
        levels.push(fs::read(target.join("1/c/0/0/0/0/0")).unwrap());

        // Levels of another method than the store says are found.
        let other = if method == "mean" { "max" } else { "mean" };
        let mut lie = root.clone();
        lie["attributes"]["ome"]["multiscales"][0]["type"] = json!(other);
        fs::write(target.join("zarr.json"), lie.to_string()).unwrap();
        let told = fairzarr(["verify", &text(&target), "--json"]).ends_with(1).json();
        let checks = told["checks"].as_array().unwrap();
        let pyramid = checks.iter().find(|check| check["name"] == "pyramid");
        assert!(!pyramid.unwrap()["differences"].as_array().unwrap().is_empty(), "{method}: {told}");
    }
    levels.dedup();
    assert_eq!(levels.len(), 4);
    convert(&cells(), &target, &["--overwrite", "--smallest-level", "20"]).done();
    let root: Value = serde_json::from_slice(&fs::read(target.join("zarr.json")).unwrap()).unwrap();
    let last = root["attributes"]["ome"]["multiscales"][0]["datasets"].as_array().unwrap().len() - 1;
    let array: Value =
        serde_json::from_slice(&fs::read(target.join(format!("{last}/zarr.json"))).unwrap()).unwrap();
    assert!(
        array["shape"][3].as_u64().unwrap() <= 20 && array["shape"][4].as_u64().unwrap() <= 20,
        "{array}"
    );
    fairzarr(["verify", &text(&cells()), &text(&target)]).done();
}
