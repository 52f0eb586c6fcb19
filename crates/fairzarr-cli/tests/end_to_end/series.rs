//! A part of a source: converted as if it were all, with metadata that describe the part and say of what it is one.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tiff::{Picture, Sample, Tiff};
use crate::support::{assert_same_tree, convert, fairzarr, text};

#[test]
fn some_images_of_a_source_are_converted_and_proved_as_a_part() {
    let dir = TempDir::new().unwrap();
    let picture = |sample, x| Picture { sample, size: [1, 1, 2, 40, x], interleaved: 1 };
    let source = dir.path().join("three.ome.tiff");
    Tiff::many(vec![picture(Sample::U8, 30), picture(Sample::U16, 50), picture(Sample::F32, 60)])
        .write(&source);
    for (asked, series, paths) in [("1", json!([1]), &[""][..]), ("0,2-2", json!([0, 2]), &["0", "1"])] {
        let store = dir.path().join(format!("{}.zarr", paths.len()));
        convert(&source, &store, &["--series", asked]).done();
        let root: Value = serde_json::from_slice(&fs::read(store.join("zarr.json")).unwrap()).unwrap();
        let conversion = &root["attributes"]["fairzarr:conversion"];
        assert_eq!(conversion["series"], series);
        assert_eq!(conversion["not_carried"]["series"].as_array().map(Vec::len), Some(3 - paths.len()));
        let described = fs::read_to_string(store.join("OME/METADATA.ome.xml")).unwrap();
        assert_eq!(described.matches("<Image ").count(), paths.len());
        for (path, n) in paths.iter().zip(series.as_array().unwrap()) {
            let array: Value =
                serde_json::from_slice(&fs::read(store.join(path).join("0/zarr.json")).unwrap()).unwrap();
            assert_eq!(array["shape"][4], [30, 50, 60][n.as_u64().unwrap() as usize]);
        }
        fairzarr(["validate", &text(&store)]).done();
        fairzarr(["verify", &text(&store)]).done();
        let told = fairzarr(["verify", &text(&source), &text(&store)]).done();
        assert!(told.out.contains("of the source, which was not asked for"), "{told:?}");

        // The same, split.
        let split = dir.path().join("split.zarr");
        let (from, to) = (text(&source), text(&split));
        fairzarr(["plan", &from, &to, "--series", asked, "--overwrite"]).done();
        fairzarr(["run", &from, &to, "--task", "1/1"]).done();
        fairzarr(["commit", &from, &to]).done();
        assert_same_tree(&store, &split);
    }
    // An archive's originals may be deleted: its datasets are migrated whole.
    fairzarr(["migrate", &text(dir.path()), &text(&dir.path().join("out")), "--series", "1"]).ends_with(2);
    let store = dir.path().join("n.zarr");
    let told = convert(&source, &store, &["--series", "3"]).ends_with(2);
    assert!(told.message().contains("3 images"), "{told:?}");
    for wrong in ["", "a", "2-1", "1,", "-1", "99999999999"] {
        fairzarr(["convert", &text(&source), &text(&store), &format!("--series={wrong}")]).ends_with(2);
    }
}
