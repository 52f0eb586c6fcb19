//! `--source-checksum`: what is recorded of the source's files, and what `verify` makes of it.

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

use crate::support::tiff::{Sample, Tiff};
use crate::support::{assert_same_tree, convert, fairzarr, run, text};

/// What is recorded of the source's only file.
fn recorded(store: &Path) -> Value {
    let root: Value = serde_json::from_slice(&std::fs::read(store.join("zarr.json")).unwrap()).unwrap();
    root["attributes"]["fairzarr:conversion"]["files"][0].clone()
}

#[test]
fn checksums_are_recorded_and_compared() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    Tiff::of(Sample::U16, [1, 2, 8, 300, 270]).write(&source);
    for (option, algorithm) in [("auto", "sha256"), ("sha256", "sha256"), ("blake3", "blake3")] {
        convert(&source, &target, &["--source-checksum", option, "--overwrite"]).done();
        let file = recorded(&target);
        assert_eq!(file["bytes"], std::fs::metadata(&source).unwrap().len());
        assert_eq!(file["checksum"]["algorithm"], algorithm);
        if algorithm == "sha256"
            && let Ok(output) = Command::new("sha256sum").arg(&source).output()
        {
            let expected = String::from_utf8(output.stdout).unwrap();
            assert_eq!(file["checksum"]["value"].as_str(), expected.split(' ').next());
        }
        let proved = fairzarr(["verify", &text(&source), &text(&target)]).done();
        let line = format!("files      equal: 1 source files by {algorithm}");
        assert!(proved.out.lines().any(|found| found == line), "{proved:?}");
    }
    // Another name is no difference, not to the record either; another byte is, even where no pixel and no document lies.
    let moved = dir.path().join("moved.ome.tiff");
    std::fs::copy(&source, &moved).unwrap();
    fairzarr(["verify", &text(&moved), &text(&target)]).done();
    let mut bytes = std::fs::read(&source).unwrap();
    bytes.push(0);
    std::fs::write(&source, bytes).unwrap();
    let refuted = fairzarr(["verify", &text(&source), &text(&target)]).ends_with(1);
    assert!(refuted.out.contains("files      1 DIFFERENCE"), "{refuted:?}");
    assert!(refuted.out.contains("file source.ome.tiff: expected blake3 "), "{refuted:?}");
}

#[test]
fn without_one_nothing_is_recorded() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
    Tiff::of(Sample::U8, [1, 1, 1, 20, 20]).write(&source);
    for options in [&["--source-checksum", "none"][..], &["--preset", "fast", "--overwrite"]] {
        convert(&source, &target, options).done();
        assert_eq!(recorded(&target)["checksum"], Value::Null);
        let proved = fairzarr(["verify", &text(&source), &text(&target)]).done();
        assert!(!proved.out.contains("files "), "{proved:?}");
    }
}

#[test]
fn tasks_and_commit_compute_each_once() {
    let dir = TempDir::new().unwrap();
    let source = dir.path().join("source.ome.tiff");
    Tiff::of(Sample::U16, [1, 2, 8, 300, 270]).write(&source);
    let (whole, split) = (dir.path().join("whole.zarr"), dir.path().join("split.zarr"));
    convert(&source, &whole, &[]).done();
    run("plan", &source, &split, &[]).done();
    for task in ["1/2", "2/2"] {
        run("run", &source, &split, &["--task", task]).done();
    }
    run("commit", &source, &split, &[]).done();
    assert_same_tree(&split, &whole);
}

#[test]
fn a_source_that_changes_between_tasks_and_commit_is_found() {
    let dir = TempDir::new().unwrap();
    let (source, split) = (dir.path().join("source.ome.tiff"), dir.path().join("split.zarr"));
    Tiff::of(Sample::U16, [1, 2, 8, 300, 270]).write(&source);
    run("plan", &source, &split, &[]).done();
    run("run", &source, &split, &["--task", "1/1"]).done();
    let (bytes, modified) =
        (std::fs::read(&source).unwrap(), std::fs::metadata(&source).unwrap().modified().unwrap());
    let mut changed = bytes.clone();
    changed[20] ^= 1;
    std::fs::write(&source, changed).unwrap();
    let refused = run("commit", &source, &split, &[]).ends_with(3);
    assert!(refused.err.contains("source.ome.tiff has changed since the conversion began"), "{refused:?}");
    assert!(!split.join("zarr.json").exists());
    // As it was, with its time, it is the same source again.
    std::fs::write(&source, bytes).unwrap();
    std::fs::File::options().write(true).open(&source).unwrap().set_modified(modified).unwrap();
    run("commit", &source, &split, &[]).done();
}
