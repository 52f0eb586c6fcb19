//! Very many small planes: several share a shard, so that they do not become as many objects.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tiff::{Picture, Sample, Tiff};
use crate::support::{assert_same_tree, convert, fairzarr, run, tree, verify, zarr};

/// 10,080 planes of 24 x 20 pixels: more than are stored as one object each.
const SIZE: [usize; 5] = [360, 4, 7, 24, 20];

#[test]
fn planes_share_shards() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    let tiff = Tiff::of(Sample::U16, SIZE);
    tiff.write(&source);
    let told = convert(&source, &target, &["--json"]).done().json();
    // Enough units for many workers all the same: 157 planes of one channel fit, which is 22 time points with 7 sections.
    assert_eq!(told["objects"], json!(4 * 17), "{told}");
    let array: Value = serde_json::from_slice(&std::fs::read(target.join("0/zarr.json")).unwrap()).unwrap();
    assert_eq!(array["chunk_grid"]["configuration"]["chunk_shape"], json!([22, 1, 7, 24, 20]));
    assert_eq!(array["codecs"][0]["configuration"]["chunk_shape"], json!([1, 1, 1, 24, 20]));
    let contents = zarr::read(&target, "0", Sample::U16);
    for at in [[0, 0, 0], [0, 3, 6], [21, 1, 6], [22, 2, 0], [359, 3, 6], [352, 0, 5]] {
        assert_eq!(contents.plane(at), tiff.images[0].plane(at), "{at:?}");
    }
    verify(&source, &target).done();
    fairzarr(["verify".as_ref(), target.as_os_str()]).done();

    // One sample in a plane in the middle of a shard.
    let mut other = std::fs::read(&source).unwrap();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    let changed = dir.path().join("changed.ome.tiff");
    std::fs::write(&changed, other).unwrap();
    let outcome = verify(&changed, &target);
    assert_ne!(outcome.code, Some(0), "{}", outcome.out);

    // 0.4 has no shards.
    let old = dir.path().join("v2.zarr");
    let told = convert(&source, &old, &["--ngff", "0.4", "--dry-run", "--json"]).done().json();
    assert_eq!(told["objects"], json!(10_080));
}

#[test]
fn damage_in_a_shared_shard_is_named() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    Tiff::of(Sample::U8, SIZE).write(&source);
    convert(&source, &target, &["--codec", "none"]).done();
    let shard = target.join("0/c/3/2/0/0/0");
    let mut bytes = std::fs::read(&shard).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&shard, bytes).unwrap();
    for outcome in [verify(&source, &target), fairzarr(["verify".as_ref(), target.as_os_str()])] {
        assert_eq!(outcome.code, Some(1));
        assert!(outcome.out.contains("checksum"), "{}", outcome.out);
    }
}

#[test]
fn shared_shards_are_the_same_however_they_come_about() {
    let dir = TempDir::new().unwrap();
    let source = dir.path().join("source.ome.tiff");
    // Interleaved channels, and two images of which one has few planes.
    let deep = Picture { sample: Sample::U8, size: [1800, 6, 1, 10, 12], interleaved: 3 };
    let flat = Picture { sample: Sample::U8, size: [1, 3, 2, 30, 12], interleaved: 3 };
    let tiff = Tiff::many(vec![deep, flat]);
    tiff.write(&source);
    let (whole, split) = (dir.path().join("whole.zarr"), dir.path().join("split.zarr"));
    convert(&source, &whole, &[]).done();
    verify(&source, &whole).done();
    assert!(tree(&whole.join("0/0")).len() < 1000);
    let contents = zarr::read(&whole, "0/0", Sample::U8);
    for at in [[0, 0, 0], [1, 5, 0], [1799, 4, 0]] {
        assert_eq!(contents.plane(at), tiff.images[0].plane(at), "{at:?}");
    }
    run("plan", &source, &split, &[]).done();
    for task in ["3/3", "1/3", "1/3", "2/3"] {
        run("run", &source, &split, &["--task", task]).done();
    }
    run("commit", &source, &split, &[]).done();
    assert_same_tree(&whole, &split);
}
