//! `inspect` in words and as JSON, of both ends of a conversion.

use tempfile::TempDir;

use crate::support::tiff::{Blocks, Picture, Sample, Tiff};
use crate::support::{cells, convert, fairzarr, text};

#[test]
fn a_tiff_is_told_in_words_and_as_json() {
    let told = fairzarr(["inspect", &text(&cells())]).done();
    for expected in
        ["OME-TIFF", "t=1 c=2 z=3 y=400 x=520 uint16", "DAPI, GFP", "0.325 µm", "tiles 256 x 256, Deflate"]
    {
        assert!(told.out.contains(expected), "{expected}: {told:?}");
    }
    let found = fairzarr(["inspect", "--json", &text(&cells())]).done().json();
    assert_eq!(found["format"], "OME-TIFF");
    assert_eq!(found["files"][0]["bytes"], std::fs::metadata(cells()).unwrap().len());
    let image = &found["images"][0];
    assert_eq!((&image["t"], &image["c"], &image["z"]), (&1.into(), &2.into(), &3.into()));
    assert_eq!((&image["y"], &image["x"], &image["type"]), (&400.into(), &520.into(), &"uint16".into()));
}

#[test]
fn every_version_of_zarr_is_told_alike() {
    let dir = TempDir::new().unwrap();
    for version in ["0.4", "0.5", "0.6"] {
        let target = dir.path().join(version);
        convert(&cells(), &target, &["--ngff", version]).done();
        let told = fairzarr(["inspect", &text(&target)]).done();
        for expected in
            [&format!("OME-Zarr {version}"), "t=1 c=2 z=3 y=400 x=520", "DAPI, GFP", "0.325 micrometer"]
        {
            assert!(told.out.contains(expected), "{expected}: {told:?}");
        }
        let found = fairzarr(["inspect", "--json", &text(&target)]).done().json();
        assert_eq!(found["images"][0]["levels"].as_array().unwrap().len(), 3);
        assert_eq!(found["images"][0]["levels"][2]["shape"], serde_json::json!([1, 2, 3, 100, 130]));
    }
}

#[test]
fn all_images_and_shards_of_a_collection_are_told() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    let picture = |sample| Picture { sample, size: [1, 1, 1, 64, 64], interleaved: 1 };
    // Shards of the given size need blocks that are as high.
    let images = vec![picture(Sample::U8), picture(Sample::F64)];
    Tiff { blocks: Blocks::Strips(64), ..Tiff::many(images) }.write(&source);
    convert(&source, &target, &["--chunk", "16", "--shard", "32"]).done();
    let found = fairzarr(["inspect", "--json", &text(&target)]).done().json();
    let paths: Vec<_> =
        found["images"].as_array().unwrap().iter().map(|image| image["path"].clone()).collect();
    assert_eq!(paths, ["0", "1"]);
    assert_eq!(found["images"][1]["type"], "float64");
    let storage = found["images"][0]["levels"][0]["storage"].as_str().unwrap();
    assert_eq!(storage, "shards 1 x 1 x 1 x 32 x 32 of chunks 1 x 1 x 1 x 16 x 16");
}

#[test]
fn of_very_many_images_words_tell_the_first_and_json_all() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    let picture = Picture { sample: Sample::U8, size: [1, 1, 1, 16, 16], interleaved: 1 };
    Tiff::many(vec![picture; 23]).write(&source);
    convert(&source, &target, &[]).done();
    let told = fairzarr(["inspect", &text(&target)]).done().out;
    assert_eq!(told.matches("y=16 x=16 uint8").count(), 20, "{told}");
    assert!(told.contains("and 3 more images"), "{told}");
    let found = fairzarr(["inspect", "--json", &text(&target)]).done().json();
    assert_eq!((found["images"].as_array().unwrap().len(), &found["image_count"]), (23, &23.into()));
}

#[test]
fn what_is_no_image_is_refused() {
    let dir = TempDir::new().unwrap();
    let refused = fairzarr(["inspect", &text(dir.path())]).ends_with(3);
    assert!(refused.message().contains("not an OME-Zarr"), "{refused:?}");
    let refused = fairzarr(["inspect", &text(&dir.path().join("nothing"))]).ends_with(3);
    assert!(refused.message().contains("nothing"), "{refused:?}");
}

#[test]
fn what_brings_an_older_schema_to_2016_06_is_reported_and_recorded() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("old.ome.tiff"), dir.path().join("old.zarr"));
    let mut bytes = Tiff::of(Sample::U8, [1, 1, 1, 32, 32]).bytes();
    let place = bytes.windows(7).position(|window| window == b"2016-06").unwrap();
    bytes[place..place + 7].copy_from_slice(b"2013-06");
    std::fs::write(&source, bytes).unwrap();

    let inspected = fairzarr(["inspect", "--json", &text(&source)]).done().json();
    assert_eq!(inspected["schema"], "2013-06");
    let changes = inspected["schema_changes"].as_array().unwrap();
    assert!(
        !changes.is_empty() && changes.iter().all(|change| change["count"].as_u64() > Some(0)),
        "{changes:?}"
    );
    let told = fairzarr(["inspect", &text(&source)]).done();
    assert!(told.out.contains(changes[0]["what"].as_str().unwrap()), "{told:?}");

    let converted = convert(&source, &target, &["--json"]).done();
    assert_eq!(converted.json()["schema_changes"], inspected["schema_changes"]);
    let root = std::fs::read(target.join("zarr.json")).unwrap();
    let root: serde_json::Value = serde_json::from_slice(&root).unwrap();
    let record = &root["attributes"]["fairzarr:conversion"];
    assert_eq!(
        (&record["schema"], &record["schema_changes"]),
        (&"2013-06".into(), &inspected["schema_changes"])
    );
}
