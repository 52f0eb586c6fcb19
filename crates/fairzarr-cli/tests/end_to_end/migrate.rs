//! `migrate`: datasets and not files, each proved; what is done is done after a crash too; and only what is proven is named as
//! what may be deleted.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

use crate::support::tiff::{Sample, Tiff};
use crate::support::{Outcome, assert_same_tree, fairzarr, text, tree};

/// An archive of a single file, a set with its companion, three files of one stem, a damaged file, and what else lies about.
struct Archive {
    dir: TempDir,
}

/// Two files of one image, described by a companion, though each of them describes itself too.
const COMPANION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="set"><Pixels ID="Pixels:0"
DimensionOrder="XYZCT" Type="uint16" SizeX="70" SizeY="60" SizeZ="2" SizeC="1" SizeT="1"><Channel ID="Channel:0:0"
SamplesPerPixel="1"/><TiffData FirstZ="0" IFD="0" PlaneCount="1"><UUID FileName="a.ome.tiff">urn:uuid:a</UUID></TiffData>
<TiffData FirstZ="1" IFD="0" PlaneCount="1"><UUID FileName="b.ome.tiff">urn:uuid:b</UUID></TiffData></Pixels></Image></OME>"#;

impl Archive {
    fn new() -> Self {
        let archive = Self { dir: TempDir::new().unwrap() };
        let image = |path: &str, size| {
            let path = archive.source().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            Tiff::of(Sample::U16, size).write(&path);
        };
        image("single.ome.tiff", [1, 2, 1, 60, 70]);
        image("set/a.ome.tiff", [1, 1, 1, 60, 70]);
        image("set/b.ome.tiff", [1, 1, 1, 60, 70]);
        for name in ["same/x.ome.tiff", "same/x.tif", "same/X.OME.TIFF", "no_extension"] {
            image(name, [1, 1, 1, 40, 50]);
        }
        let put = |path: &str, bytes: &[u8]| fs::write(archive.source().join(path), bytes).unwrap();
        put("set/set.companion.ome", COMPANION.as_bytes());
        let whole = fs::read(archive.source().join("single.ome.tiff")).unwrap();
        put("damaged.ome.tiff", &whole[..whole.len() / 2]);
        put("._single.ome.tiff", b"\0\x05\x16\x07");
        put("text.tif", b"no image");
        put("README.txt", b"about");
        archive
    }

    fn source(&self) -> PathBuf {
        self.dir.path().join("source")
    }

    fn target(&self) -> PathBuf {
        self.dir.path().join("target")
    }

    fn migrate(&self, options: &[&str]) -> Outcome {
        let mut args = vec!["migrate".to_owned(), text(&self.source()), text(&self.target())];
        args.push("--durability=none".into());
        args.extend(options.iter().map(|option| (*option).to_owned()));
        fairzarr(args)
    }

    fn ask(&self, words: &[&str]) -> Outcome {
        let target = text(&self.target());
        fairzarr(["migrate"].iter().chain(words).copied().chain([target.as_str()]))
    }

    /// Datasets by path, with state, class and target.
    fn datasets(&self) -> BTreeMap<String, (String, String, String)> {
        let member = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let lines = self.ask(&["report"]).done().out;
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .map(|line| {
                (
                    member(&line, "path"),
                    (member(&line, "state"), member(&line, "class"), member(&line, "target")),
                )
            })
            .collect()
    }

    fn deletable(&self) -> Vec<String> {
        let prefix = format!("{}/", text(&self.source().canonicalize().unwrap()));
        let lines = self.ask(&["deletable"]).done().out;
        lines.lines().map(|line| line[66..].strip_prefix(&prefix).unwrap().to_owned()).collect()
    }
}

/// The stores of a target, without the state.
fn stores(target: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut tree = tree(target);
    tree.retain(|path, _| !path.starts_with("fairzarr-migration"));
    tree
}

#[test]
fn every_path_has_its_outcome_and_only_what_is_proven_may_be_deleted() {
    let archive = Archive::new();
    archive.migrate(&[]).ends_with(7);
    let datasets = archive.datasets();
    let found: Vec<(&str, &str, &str)> = datasets
        .iter()
        .map(|(path, (state, class, _))| (path.as_str(), state.as_str(), class.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("damaged.ome.tiff", "failed", datasets["damaged.ome.tiff"].1.as_str()),
            ("no_extension", "done", ""),
            ("same/X.OME.TIFF", "done", ""),
            ("same/x.ome.tiff", "done", ""),
            ("same/x.tif", "done", ""),
            ("set/set.companion.ome", "done", ""),
            ("single.ome.tiff", "done", ""),
            ("text.tif", "failed", "not-tiff"),
        ]
    );
    assert!(["damaged", "missing"].contains(&datasets["damaged.ome.tiff"].1.as_str()));
    assert_eq!(datasets["same/x.tif"].2, "same/x.tif.ome.zarr");
    assert_eq!(datasets["set/set.companion.ome"].2, "set/set.ome.zarr");
    assert!(!archive.target().join("damaged.ome.zarr").exists());
    let expected = [
        "no_extension",
        "same/X.OME.TIFF",
        "same/x.ome.tiff",
        "same/x.tif",
        "set/a.ome.tiff",
        "set/b.ome.tiff",
        "set/set.companion.ome",
        "single.ome.tiff",
    ];
    assert_eq!(archive.deletable(), expected);
    // A store that is not the one that was proved stands for nothing.
    fs::write(archive.target().join("single.ome.zarr/zarr.json"), "{}").unwrap();
    fs::write(archive.source().join("no_extension"), "another").unwrap();
    assert_eq!(archive.deletable(), expected[1..7]);
    let bag = archive.dir.path().join("bag");
    archive.ask(&["deletable", "--bag", &text(&bag)]).done();
    assert_eq!(fs::read_to_string(bag.join("data/kept.csv")).unwrap().lines().count(), 5);
}

#[test]
fn a_second_run_skips_what_is_done_and_one_without_state_proves_what_is_there() {
    let archive = Archive::new();
    archive.migrate(&["--exclude", "damaged*", "--exclude", "text.tif"]).done();
    let before = stores(&archive.target());
    let again = archive.migrate(&["--exclude", "damaged*", "--exclude", "text.tif", "--json"]).done();
    let summary: Value = serde_json::from_str(again.out.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["done"], &summary["kept"]), (&0.into(), &6.into()));
    fs::remove_file(archive.target().join("fairzarr-migration.sqlite")).unwrap();
    // One that was cut off, and one of which nothing is there yet.
    fs::remove_dir_all(archive.target().join("no_extension.ome.zarr")).unwrap();
    archive.migrate(&["--exclude", "damaged*", "--exclude", "text.tif"]).done();
    assert!(stores(&archive.target()) == before);
    assert_eq!(archive.deletable().len(), 8);
}

#[test]
fn a_changed_source_is_noticed_and_converted_again_only_on_request() {
    let archive = Archive::new();
    let only = ["--include", "single*"];
    archive.migrate(&only).done();
    let first = stores(&archive.target());
    // Touched and the same: not changed.
    let path = archive.source().join("single.ome.tiff");
    fs::write(&path, fs::read(&path).unwrap()).unwrap();
    archive.migrate(&only).done();
    Tiff::of(Sample::U8, [1, 2, 1, 60, 70]).write(&path);
    archive.migrate(&only).ends_with(7);
    assert_eq!(archive.datasets()["single.ome.tiff"].0, "changed");
    assert!(archive.deletable().is_empty());
    assert!(stores(&archive.target()) == first);
    archive.migrate(&["--include", "single*", "--retry", "changed"]).done();
    assert!(stores(&archive.target()) != first);
    assert_eq!(archive.deletable(), ["single.ome.tiff"]);
    let plain = archive.dir.path().join("plain.zarr");
    fairzarr(["convert", &text(&path), &text(&plain)]).done();
    assert_same_tree(&archive.target().join("single.ome.zarr"), &plain);
}

#[test]
fn what_a_store_does_not_hold_is_said_of_its_original() {
    let archive = Archive::new();
    let mut tiff = Tiff::of(Sample::U16, [1, 1, 1, 60, 70]);
    tiff.reduced = vec![(30, 35)];
    tiff.write(&archive.source().join("single.ome.tiff"));
    archive.migrate(&["--include", "single*"]).done();
    let told = archive.ask(&["deletable"]).done();
    assert!(
        told.err.contains("single.ome.tiff: not carried: the source's reduced levels of image 0"),
        "{told:?}"
    );
}

#[test]
fn what_is_not_ours_is_never_replaced() {
    let archive = Archive::new();
    let target = archive.target().join("single.ome.zarr");
    fs::create_dir_all(&target).unwrap();
    fs::write(target.join("precious"), "mine").unwrap();
    archive.migrate(&["--include", "single*"]).ends_with(7);
    assert_eq!(archive.datasets()["single.ome.tiff"].1, "exists");
    // Nor what is a store of another image.
    fs::remove_dir_all(&target).unwrap();
    fairzarr(["convert", &text(&archive.source().join("no_extension")), &text(&target)]).done();
    let before = stores(&archive.target());
    archive.migrate(&["--include", "single*", "--retry", "exists"]).ends_with(7);
    assert_eq!(archive.datasets()["single.ome.tiff"].1, "exists");
    assert!(stores(&archive.target()) == before);
}

#[test]
fn a_dry_run_writes_nothing_and_a_table_says_more_of_some() {
    let archive = Archive::new();
    let plan = archive.migrate(&["--dry-run"]).done();
    assert!(plan.out.contains("+ set/set.companion.ome (3 files) -> set/set.ome.zarr"), "{}", plan.out);
    assert!(plan.out.contains("! text.tif: not-tiff"), "{}", plan.out);
    assert!(!archive.target().exists());
    let table = archive.dir.path().join("table.csv");
    fs::write(&table, "source,target,settings,Operator\nsingle.ome.tiff,new/one.zarr,ngff=0.4,Ada\n")
        .unwrap();
    archive.migrate(&["--include", "single*", "--from", &text(&table)]).done();
    assert!(archive.target().join("new/one.zarr/.zattrs").exists());
    assert!(archive.ask(&["report"]).out.contains("\"Operator\":\"Ada\""));
    archive.ask(&["verify", "--sources"]).done();
    archive.ask(&["status"]).done();
}

#[cfg(unix)]
#[test]
fn names_that_are_no_unicode_links_and_closed_folders_are_said() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    const NAME: &[u8] = b"/latin1-\xe9.ome.tiff";
    let archive = Archive::new();
    let latin = archive.source().join(OsStr::from_bytes(b"latin1-\xe9.ome.tiff"));
    fs::rename(archive.source().join("single.ome.tiff"), &latin).unwrap();
    std::os::unix::fs::symlink("no_extension", archive.source().join("link.tif")).unwrap();
    std::os::unix::fs::symlink("nowhere", archive.source().join("lost.tif")).unwrap();
    archive.migrate(&["--include", "l*", "--include", "no_extension"]).ends_with(7);
    let datasets = archive.datasets();
    assert_eq!(datasets["latin1-\\xe9.ome.tiff"].0, "done");
    assert!(archive.target().join("latin1-%E9.ome.zarr/zarr.json").exists());
    assert_eq!(datasets["lost.tif"].1, "unreadable");
    assert!(!datasets.contains_key("link.tif"));
    let bag = archive.dir.path().join("bag");
    archive.ask(&["deletable", "--json", "--bag", &text(&bag)]).done();
    let listed = fs::read(bag.join("data/originals.sha256")).unwrap();
    assert!(listed.windows(NAME.len()).any(|bytes| bytes == NAME), "{listed:?}");
}
