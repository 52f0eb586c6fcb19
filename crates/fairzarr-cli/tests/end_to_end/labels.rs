//! Label images from files beside the source: the same numbers in the store, proved, exported again, and refused where they do not fit.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tiff::{Picture, Sample, Tiff};
use crate::support::{assert_same_tree, convert, fairzarr, run, text, zarr};

/// A file with images of these sizes.
fn file(dir: &Path, name: &str, sample: Sample, sizes: &[[usize; 5]]) -> PathBuf {
    let picture = |size: &[usize; 5]| Picture { sample, size: *size, interleaved: 1 };
    let path = dir.join(name);
    Tiff::many(sizes.iter().map(picture).collect()).write(&path);
    path
}

/// An image and its labels, which are of one channel and all sections at once.
fn pair(dir: &Path) -> (PathBuf, PathBuf) {
    let source = file(dir, "cells.ome.tiff", Sample::U16, &[[2, 3, 4, 300, 270]]);
    (source, file(dir, "nuclei.ome.tiff", Sample::U16, &[[2, 1, 4, 300, 270]]))
}

fn document(store: &Path, name: &str) -> Value {
    serde_json::from_slice(&fs::read(store.join(name)).unwrap()).unwrap()
}

fn check<'a>(told: &'a Value, name: &str) -> &'a Value {
    told["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

/// Whether two stores hold the same label images of full resolution.
fn same_samples(one: &Path, other: &Path, path: &str, sample: Sample) -> bool {
    let (one, other) = (zarr::read(one, path, sample), zarr::read(other, path, sample));
    one.shape == other.shape && one.values == other.values
}

#[test]
fn labels_of_a_file_are_in_every_version_proved_exported_and_come_back_the_same() {
    let dir = TempDir::new().unwrap();
    let (source, labels) = pair(dir.path());
    let typed = format!("nuclei={}", text(&labels));
    for version in ["0.4", "0.5", "0.6"] {
        let store = dir.path().join(format!("{version}.zarr"));
        convert(&source, &store, &["--ngff", version, "--labels", &typed]).done();
        fairzarr(["validate", &text(&store), "--deep"]).done();
        let told = fairzarr(["verify", &text(&source), &text(&store), "--labels", &typed, "--json"]).done();
        let covered = check(&told.json(), "labels")["covered"].as_str().unwrap().to_owned();
        assert!(covered.contains("8 planes of 1 label images") && covered.contains("by sha256"), "{covered}");
        for arguments in [vec![text(&store)], vec![text(&source), text(&store)]] {
            let told = fairzarr(["verify".to_owned(), "--json".into()].into_iter().chain(arguments)).done();
            let labels = check(&told.json(), "labels").clone();
            assert!(labels["notes"][0].as_str().unwrap().contains("recorded digests"), "{labels}");
        }

        let exported = dir.path().join(format!("{version}.ome.tiff"));
        fairzarr(["export", &text(&store), &text(&exported), "--labels"]).done();
        let again = dir.path().join(format!("{version}.labels-nuclei.ome.tiff"));
        let second = dir.path().join(format!("{version}-again.zarr"));
        convert(&source, &second, &["--labels", &format!("nuclei={}", text(&again))]).done();
        fairzarr(["verify", &text(&source), &text(&second), "--labels", &format!("nuclei={}", text(&again))])
            .done();
        if version != "0.4" {
            assert!(same_samples(&store, &second, "labels/nuclei/0", Sample::U16));
        }
    }
    let store = dir.path().join("0.5.zarr");
    let attributes = &document(&store, "labels/nuclei/zarr.json")["attributes"];
    assert_eq!(attributes["ome"]["image-label"]["source"], json!({"image": "../../"}));
    assert_eq!(attributes["ome"]["multiscales"][0]["type"], "mode");
    assert_eq!(document(&store, "labels/zarr.json")["attributes"]["ome"]["labels"], json!(["nuclei"]));
    for level in 0..2 {
        let [image, label] = ["", "labels/nuclei/"]
            .map(|path| document(&store, &format!("{path}{level}/zarr.json"))["shape"].clone());
        assert_eq!((image[3].clone(), image[4].clone()), (label[3].clone(), label[4].clone()));
    }
    let recorded = &document(&store, "zarr.json")["attributes"]["fairzarr:conversion"]["labels"][0];
    assert_eq!(recorded["name"], "nuclei");
    assert_eq!(recorded["files"][0]["name"], "nuclei.ome.tiff");
    assert_eq!(recorded["files"][0]["checksum"]["algorithm"], "sha256");
}

#[test]
fn a_changed_label_is_found_with_the_file_and_without() {
    let dir = TempDir::new().unwrap();
    let (source, labels) = pair(dir.path());
    let store = dir.path().join("n.zarr");
    convert(&source, &store, &["--labels", &text(&labels)]).done();
    let chunk = store.join("labels/nuclei/0/c/0/0/0/0/0");
    let first = fs::read(&chunk).unwrap();
    fs::write(&chunk, fs::read(store.join("labels/nuclei/0/c/1/0/2/0/0")).unwrap()).unwrap();
    let with = fairzarr(["verify", &text(&source), &text(&store), "--labels", &text(&labels)]).ends_with(1);
    assert!(with.out.contains("label image 0, plane t=0 c=0 z=0, array labels/nuclei/0"), "{with:?}");
    fairzarr(["verify", &text(&store)]).ends_with(1);
    fs::remove_file(&chunk).unwrap();
    fairzarr(["verify", &text(&store)]).ends_with(1);
    fs::write(&chunk, first).unwrap();
    fairzarr(["verify", &text(&store)]).done();

    // Another file is not the one that the labels were made of.
    let other = file(dir.path(), "other.ome.tiff", Sample::U16, &[[2, 1, 4, 300, 269]]);
    let typed = format!("nuclei={}", text(&other));
    fairzarr(["verify", &text(&source), &text(&store), "--labels", &typed]).ends_with(1);
    let told = fairzarr(["verify", &text(&source), &text(&store), "--labels", &text(&other)]).ends_with(1);
    assert!(told.out.contains("labels other"), "{told:?}");
}

#[test]
fn labels_that_are_none_or_fit_no_image_are_refused_before_anything_is_written() {
    let dir = TempDir::new().unwrap();
    let (source, labels) = pair(dir.path());
    let image = [2, 3, 4, 300, 270];
    let cases = [
        ("float", file(dir.path(), "float.ome.tiff", Sample::F32, &[image]), "samples of type float"),
        ("small", file(dir.path(), "small.ome.tiff", Sample::U8, &[[2, 1, 4, 300, 269]]), "x 269; expected"),
        ("deep", file(dir.path(), "deep.ome.tiff", Sample::U8, &[[2, 1, 3, 300, 270]]), "z 3"),
        ("channels", file(dir.path(), "two.ome.tiff", Sample::U8, &[[2, 2, 4, 300, 270]]), "c 2"),
        ("many", file(dir.path(), "many.ome.tiff", Sample::U8, &[image, image]), "several of its images"),
        ("a b", labels.clone(), "does not exist"),
    ];
    let store = dir.path().join("n.zarr");
    for (name, file, expected) in cases {
        let told = convert(&source, &store, &["--labels", &format!("{name}={}", text(&file))]);
        assert!(told.code == Some(3) && told.message().contains(expected), "{name}: {told:?}");
        assert!(!store.exists(), "{name}");
    }
    let colours = dir.path().join("rgb.ome.tiff");
    Tiff::many(vec![Picture { sample: Sample::U8, size: image, interleaved: 3 }]).write(&colours);
    let told = convert(&source, &store, &["--labels", &text(&colours)]).ends_with(3);
    assert!(told.message().contains("3 samples in a pixel"), "{told:?}");
    let twice = [format!("n={}", text(&labels)), format!("N={}", text(&labels))];
    let told = convert(&source, &store, &["--labels", &twice[0], "--labels", &twice[1]]).ends_with(3);
    assert!(told.message().contains("two files of labels"), "{told:?}");
    let rois = format!("rois={}", text(&labels));
    convert(&source, &store, &["--labels", &rois, "--rois", "labels"]).ends_with(3);
    assert!(!store.exists());
}

#[test]
fn each_image_of_several_gets_its_own_labels_and_one_label_image_goes_where_it_fits() {
    let dir = TempDir::new().unwrap();
    let sizes = [[1, 1, 1, 40, 30], [1, 1, 2, 20, 30], [1, 2, 1, 40, 30]];
    let source = file(dir.path(), "three.ome.tiff", Sample::U8, &sizes);
    let all = file(
        dir.path(),
        "all.ome.tiff",
        Sample::I16,
        &[[1, 1, 1, 40, 30], [1, 1, 1, 20, 30], [1, 2, 1, 40, 30]],
    );
    let one = file(dir.path(), "one.ome.tiff", Sample::U8, &[[1, 1, 2, 20, 30]]);
    let store = dir.path().join("three.zarr");
    let typed = ["--labels", &text(&all), "--labels", &text(&one)];
    convert(&source, &store, &typed).done();
    let listed = |image: usize| {
        document(&store, &format!("{image}/labels/zarr.json"))["attributes"]["ome"]["labels"].clone()
    };
    assert_eq!([listed(0), listed(1), listed(2)], [json!(["all"]), json!(["all", "one"]), json!(["all"])]);
    assert_eq!(document(&store, "1/labels/all/0/zarr.json")["data_type"], "int16");
    fairzarr(["verify", &text(&source), &text(&store), typed[0], typed[1], typed[2], typed[3]]).done();
    fairzarr(["validate", &text(&store)]).done();
    // Which of two it belongs to is not known.
    let either = file(dir.path(), "either.ome.tiff", Sample::U8, &[[1, 1, 1, 40, 30]]);
    let told = convert(&source, &dir.path().join("x.zarr"), &["--labels", &text(&either)]).ends_with(3);
    assert!(told.message().contains("fits several images"), "{told:?}");
}

#[test]
fn labels_are_the_same_in_one_go_split_and_resumed_and_a_run_without_them_is_refused() {
    let dir = TempDir::new().unwrap();
    let (source, labels) = pair(dir.path());
    let typed = format!("nuclei={}", text(&labels));
    let (whole, split) = (dir.path().join("whole.zarr"), dir.path().join("split.zarr"));
    let options = ["--labels", &typed, "--chunk", "64,64"];
    convert(&source, &whole, &options).done();
    run("plan", &source, &split, &options).done();
    let told = run("run", &source, &split, &["--task", "1/2"]).ends_with(3);
    assert!(told.message().contains("labels nuclei"), "{told:?}");
    for task in ["1/2", "2/2"] {
        run("run", &source, &split, &["--task", task, "--labels", &typed]).done();
    }
    let second = file(dir.path(), "second.ome.tiff", Sample::U16, &[[2, 1, 1, 300, 270]]);
    run("commit", &source, &split, &["--labels", &format!("nuclei={}", text(&second))]).ends_with(3);
    run("commit", &source, &split, &["--labels", &typed]).done();
    assert_same_tree(&whole, &split);

    // What was made with them is not what would be made without, or with others.
    convert(&source, &whole, &[options[0], options[1], options[2], options[3], "--skip-existing"]).done();
    convert(&source, &whole, &["--chunk", "64,64", "--skip-existing"]).ends_with(8);
    let other = format!("nuclei={}", text(&second));
    convert(&source, &whole, &["--labels", &other, "--chunk", "64,64", "--skip-existing"]).ends_with(8);
}
