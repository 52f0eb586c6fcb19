//! `--overwrite`: the old store is there until the new one is whole, and nothing is removed that is no store's.

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

use crate::support::tiff::{Sample, Tiff};
use crate::support::{
    arguments, assert_same_tree, cells, convert, fairzarr, looks_complete, run, start, text, tree, verify,
};

const EXISTS: i32 = 8;
const NOT_READY: i32 = 12;
const OTHER: [&str; 4] = ["--codec", "gzip-9", "--chunk", "64"];

/// A store of a small picture, to be replaced by one of the cells.
struct Place {
    dir: TempDir,
    old: PathBuf,
    target: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let (old, target) = (dir.path().join("old.ome.tiff"), dir.path().join("x.zarr"));
        Tiff::of(Sample::U8, [1, 1, 2, 60, 50]).write(&old);
        convert(&old, &target, &[]).done();
        Self { dir, old, target }
    }

    fn beside(&self) -> PathBuf {
        self.dir.path().join(".x.zarr.fairzarr-new")
    }

    fn aside(&self) -> PathBuf {
        self.dir.path().join(".x.zarr.fairzarr-old")
    }

    /// What the replacement ends with.
    fn whole(&self) -> PathBuf {
        let whole = self.dir.path().join("whole.zarr");
        if !whole.exists() {
            convert(&cells(), &whole, &OTHER).done();
        }
        whole
    }

    /// As a kill leaves it that comes when the new store is whole: its plan is still in it.
    fn killed_before_the_exchange(&self) {
        let split = |command: &str, more: &[&str]| {
            run(command, &cells(), &self.target, &[&OTHER[..], more].concat()).done();
        };
        split("plan", &["--overwrite"]);
        split("run", &["--task", "1/1"]);
        let workspace = tree(&self.beside().join(".fairzarr"));
        verify(&self.old, &self.target).done();
        let plan = fs::read(self.beside().join(".fairzarr/plan.json")).unwrap();
        split("commit", &[]);
        assert!(!workspace.is_empty());
        // Back again to where it was when the root was written.
        fs::rename(&self.target, self.beside()).unwrap();
        fs::create_dir(self.beside().join(".fairzarr")).unwrap();
        fs::write(self.beside().join(".fairzarr/plan.json"), plan).unwrap();
        convert(&self.old, &self.target, &[]).done();
    }

    fn again(&self, option: &str) {
        convert(&cells(), &self.target, &[&OTHER[..], &[option]].concat()).done();
        assert_same_tree(&self.target, &self.whole());
        assert!(!self.beside().exists() && !self.aside().exists());
    }
}

#[test]
fn the_old_store_is_there_until_the_new_one_is_whole() {
    let place = Place::new();
    let run = |command: &str, more: &[&str]| run(command, &cells(), &place.target, more);
    run("plan", &[&OTHER[..], &["--overwrite"]].concat()).done();
    verify(&place.old, &place.target).done();
    run("run", &["--task", "1/2"]).done();
    verify(&place.old, &place.target).done();
    run("run", &["--task", "2/2"]).done();
    run("commit", &[]).done();
    assert_same_tree(&place.target, &place.whole());
    assert!(!place.beside().exists() && !place.aside().exists());
    run("commit", &[]).done();
}

#[test]
fn killed_at_any_moment_one_of_the_two_is_whole() {
    let place = Place::new();
    for (n, option) in ["--overwrite", "--resume"].into_iter().cycle().take(8).enumerate() {
        let _ = fs::remove_dir_all(&place.target);
        convert(&place.old, &place.target, &[]).done();
        let mut child =
            start(arguments("convert", &cells(), &place.target, &[&OTHER[..], &["--overwrite"]].concat()));
        std::thread::sleep(std::time::Duration::from_millis(15 * n as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(looks_complete(&place.target));
        let is_old = verify(&place.old, &place.target).code == Some(0);
        assert!(is_old || verify(&cells(), &place.target).code == Some(0));
        if is_old && option == "--resume" && !place.beside().join(".fairzarr/plan.json").exists() {
            // Too early to leave anything that could be resumed.
            convert(&cells(), &place.target, &[&OTHER[..], &[option]].concat()).ends_with(EXISTS);
            continue;
        }
        if !is_old && option == "--resume" && !place.target.join(".fairzarr").exists() {
            continue;
        }
        place.again(option);
    }
}

#[test]
fn a_kill_between_the_steps_of_the_exchange_is_mended() {
    for option in ["--overwrite", "--resume"] {
        // Whole, and not exchanged.
        let place = Place::new();
        fs::remove_dir_all(&place.target).unwrap();
        convert(&place.old, &place.target, &[]).done();
        place.killed_before_the_exchange();
        place.again(option);

        // Between two renames, where the names cannot be exchanged at once. Nothing may be begun at the place.
        let place = Place::new();
        place.killed_before_the_exchange();
        fs::rename(&place.target, place.aside()).unwrap();
        let refused = convert(&cells(), &place.target, &[]).ends_with(NOT_READY);
        assert!(refused.message().contains("exists already"), "{refused:?}");
        place.again(option);

        // Exchanged, and the old one not yet aside.
        let place = Place::new();
        place.killed_before_the_exchange();
        fs::rename(&place.target, place.aside()).unwrap();
        fs::rename(place.beside(), &place.target).unwrap();
        fs::rename(place.aside(), place.beside()).unwrap();
        verify(&cells(), &place.target).done();
        place.again(option);

        // While the old one is removed.
        let place = Place::new();
        place.killed_before_the_exchange();
        fs::rename(&place.target, place.aside()).unwrap();
        fs::rename(place.beside(), &place.target).unwrap();
        fs::remove_dir_all(place.aside().join("0/c")).unwrap();
        fs::remove_file(place.aside().join("OME/manifest.json")).unwrap();
        place.again(option);
    }
}

#[test]
fn an_old_store_whose_successor_was_never_whole_is_put_back() {
    let place = Place::new();
    fs::rename(&place.target, place.aside()).unwrap();
    convert(&cells(), &place.target, &[]).ends_with(EXISTS);
    verify(&place.old, &place.target).done();
}

#[test]
fn what_is_no_part_of_the_store_is_named_and_kept() {
    let place = Place::new();
    let files = ["notes.txt", "0/c/0/figure.png", "OME/letter.pdf", "labels/cells/zarr.json"];
    for file in files {
        let path = place.target.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, r#"{"zarr_format": 3, "node_type": "group"}"#).unwrap();
        let before = tree(&place.target);
        let refused = convert(&cells(), &place.target, &["--overwrite"]).ends_with(EXISTS);
        assert!(refused.message().contains(file), "{refused:?}");
        convert(&cells(), &place.target, &["--overwrite", "--in-place"]).ends_with(EXISTS);
        assert_eq!(tree(&place.target), before);
        fs::remove_file(&path).unwrap();
    }
    // Also what comes while the new store is written.
    let run = |command: &str, more: &[&str]| run(command, &cells(), &place.target, more);
    run("plan", &["--overwrite"]).done();
    run("run", &["--task", "1/1"]).done();
    fs::write(place.target.join("late.txt"), "").unwrap();
    let refused = run("commit", &[]).ends_with(EXISTS);
    assert!(refused.message().contains("late.txt"), "{refused:?}");
    verify(&place.old, &place.target).done();
    fs::remove_file(place.target.join("late.txt")).unwrap();
    run("commit", &[]).done();
    verify(&cells(), &place.target).done();
    assert!(!place.beside().exists() && !place.aside().exists());
}

#[test]
fn a_folder_that_merely_holds_attributes_is_no_store() {
    let dir = TempDir::new().unwrap();
    let home = dir.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join(".zattrs"), "{}").unwrap();
    fs::write(home.join("thesis.txt"), "years").unwrap();
    let before = tree(&home);
    for more in [&["--overwrite"][..], &["--overwrite", "--in-place"]] {
        convert(&cells(), &home, more).ends_with(EXISTS);
        assert_eq!(tree(&home), before);
    }
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    let place = Place::new();
    let link = place.dir.path().join("link.zarr");
    std::os::unix::fs::symlink("x.zarr", &link).unwrap();
    convert(&cells(), &link, &[&OTHER[..], &["--overwrite"]].concat()).done();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_same_tree(&place.target, &place.whole());
}

#[test]
fn an_archive_is_there_until_the_new_one_is_whole() {
    let dir = TempDir::new().unwrap();
    let (old, target) = (dir.path().join("old.ome.tiff"), dir.path().join("x.ozx"));
    Tiff::of(Sample::U8, [1, 1, 2, 60, 50]).write(&old);
    convert(&old, &target, &[]).done();
    let whole = dir.path().join("whole.ozx");
    convert(&cells(), &whole, &OTHER).done();
    for n in 0..6 {
        fs::remove_file(&target).unwrap();
        convert(&old, &target, &[]).done();
        let mut child =
            start(arguments("convert", &cells(), &target, &[&OTHER[..], &["--overwrite"]].concat()));
        std::thread::sleep(std::time::Duration::from_millis(25 * n));
        child.kill().unwrap();
        child.wait().unwrap();
        fairzarr(["verify", &text(&target)]).done();
        convert(&cells(), &target, &[&OTHER[..], &["--overwrite"]].concat()).done();
        assert_eq!(fs::read(&target).unwrap(), fs::read(&whole).unwrap());
        assert_eq!(names(dir.path()), ["old.ome.tiff", "whole.ozx", "x.ozx"]);
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
