//! What cannot be done ends in one sentence that names the file, an exit code, and nothing that looks complete.

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

use crate::support::tiff::{Picture, Sample, Tiff};
use crate::support::{
    Outcome, assert_same_tree, cells, convert, fairzarr, looks_complete, text, tree, verify,
};

const USAGE: i32 = 2;
const INPUT: i32 = 3;
const OUTPUT: i32 = 4;
const EXISTS: i32 = 8;
const SAME: i32 = 9;
const NOT_READY: i32 = 12;

/// A directory with a source's and a target's place.
struct Place {
    dir: TempDir,
    source: PathBuf,
    target: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
        Self { dir, source, target }
    }

    /// A failed conversion: its message names `named`, and nothing is written.
    #[track_caller]
    fn refused(&self, options: &[&str], code: i32, named: &str) -> Outcome {
        let refused = convert(&self.source, &self.target, options).ends_with(code);
        assert!(refused.message().contains(named), "{named}: {refused:?}");
        assert_eq!(refused.out, "");
        assert!(!self.target.exists(), "{refused:?}");
        refused
    }
}

#[test]
fn a_source_that_is_not_a_tiff_is_named() {
    let place = Place::new();
    place.refused(&[], INPUT, "source.ome.tiff");
    for content in
        [&b""[..], b"I", b"II*", b"hello, this is not a TIFF", b"II\x2a\0\0\0\0\0", b"MM\0\x2a\0\0\0\x08"]
    {
        fs::write(&place.source, content).unwrap();
        place.refused(&[], INPUT, "source.ome.tiff");
    }
    fs::remove_file(&place.source).unwrap();
    fs::create_dir(&place.source).unwrap();
    place.refused(&[], INPUT, "source.ome.tiff");
}

#[test]
fn a_file_truncated_anywhere_never_becomes_a_store() {
    let place = Place::new();
    let whole = fs::read(cells()).unwrap();
    let steps = (0..40).map(|n| whole.len() * n / 40).chain((1..20).map(|n| whole.len() - n));
    let builder = Tiff::of(Sample::U16, [1, 1, 3, 40, 30]).bytes();
    let built = (0..builder.len()).step_by(211).map(|length| &builder[..length]);
    for part in steps.map(|length| &whole[..length]).chain(built) {
        fs::write(&place.source, part).unwrap();
        let refused = convert(&place.source, &place.target, &[]);
        assert_eq!(refused.code, Some(INPUT), "{} bytes: {refused:?}", part.len());
        assert!(refused.message().contains("source.ome.tiff"), "{} bytes: {refused:?}", part.len());
        assert!(!place.target.exists(), "{} bytes", part.len());
    }
}

#[test]
fn missing_planes_are_an_error_unless_they_are_to_be_filled() {
    let place = Place::new();
    let size = [2, 1, 3, 40, 30];
    Tiff { lacking: 2, ..Tiff::of(Sample::U16, size) }.write(&place.source);
    let refused = place.refused(&[], INPUT, "source.ome.tiff");
    assert!(refused.message().contains("--on-missing fill"), "{refused:?}");

    // One line for all of an image: a time series that broke off lacks thousands.
    let told = convert(&place.source, &place.target, &["--on-missing", "fill"]).done();
    assert!(
        told.err.contains("2 planes are missing in the source, the first of them t=1 c=0 z=1"),
        "{told:?}"
    );
    assert_eq!(told.err.matches("zeros were written").count(), 1, "{told:?}");
    let root: serde_json::Value =
        serde_json::from_slice(&fs::read(place.target.join("zarr.json")).unwrap()).unwrap();
    let filled = &root["attributes"]["fairzarr:conversion"]["filled_planes"];
    assert_eq!(filled[0], serde_json::json!({"image": 0, "t": 1, "c": 0, "z": 1}));
    assert_eq!(filled.as_array().unwrap().len(), 2);
    verify(&place.source, &place.target).done();
    let picture = Picture { sample: Sample::U16, size, interleaved: 1 };
    let array = crate::support::zarr::read(&place.target, "0", Sample::U16);
    assert_eq!(array.plane([1, 0, 0]), picture.plane([1, 0, 0]));
    assert!(array.plane([1, 0, 1]).iter().all(|value| *value == 0.0));
    // Filling is a choice of each conversion, not of the file.
    convert(&place.source, &place.target, &["--overwrite"]).ends_with(INPUT);
}

#[test]
fn a_compression_that_nobody_knows_is_named() {
    let place = Place::new();
    let mut bytes = Tiff::of(Sample::U8, [1, 1, 1, 20, 20]).bytes();
    let tag = [3, 1, 3, 0, 1, 0, 0, 0, 1, 0];
    let at = bytes.windows(tag.len()).position(|window| window == tag).unwrap();
    bytes[at + 8..at + 10].copy_from_slice(&60_000u16.to_le_bytes());
    fs::write(&place.source, bytes).unwrap();
    let refused = place.refused(&[], INPUT, "source.ome.tiff");
    assert!(refused.message().contains("60000"), "{refused:?}");
}

#[test]
fn a_tile_that_does_not_decode_leaves_no_root_and_can_be_told_from_a_store() {
    let place = Place::new();
    let mut bytes = fs::read(cells()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    fs::write(&place.source, bytes).unwrap();
    let refused = convert(&place.source, &place.target, &[]).ends_with(INPUT);
    assert!(refused.message().contains("source.ome.tiff"), "{refused:?}");
    assert!(!looks_complete(&place.target));
    assert!(
        fairzarr(["inspect", &text(&place.target)]).ends_with(NOT_READY).message().contains("unfinished")
    );
    // What is in the way is still not replaced without being asked.
    convert(&cells(), &place.target, &[]).ends_with(NOT_READY);
    convert(&cells(), &place.target, &["--overwrite"]).done();
    verify(&cells(), &place.target).done();
}

#[test]
fn what_exists_is_refused_and_untouched() {
    let place = Place::new();
    convert(&cells(), &place.target, &[]).done();
    let copy = place.dir.path().join("copy.zarr");
    convert(&cells(), &copy, &[]).done();
    Tiff::of(Sample::U8, [1, 1, 1, 20, 20]).write(&place.source);
    let refused = convert(&place.source, &place.target, &["--chunk", "64"]).ends_with(EXISTS);
    assert!(refused.message().contains("target.zarr exists"), "{refused:?}");
    assert_same_tree(&place.target, &copy);

    // An empty directory is nobody's.
    let empty = place.dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    convert(&place.source, &empty, &[]).done();
}

#[test]
fn overwriting_leaves_nothing_of_the_old_store() {
    let place = Place::new();
    Tiff::of(Sample::U8, [1, 1, 1, 20, 20]).write(&place.source);
    let fresh = place.dir.path().join("fresh.zarr");
    convert(&place.source, &fresh, &[]).done();
    convert(&cells(), &place.target, &["--ngff", "0.4"]).done();
    convert(&place.source, &place.target, &["--overwrite"]).done();
    assert_same_tree(&place.target, &fresh);
    // Where there is nothing, there is nothing to replace.
    convert(&place.source, &place.dir.path().join("new.zarr"), &["--overwrite"]).done();
}

#[test]
fn overwriting_never_takes_what_is_not_a_store() {
    let place = Place::new();
    let home = place.dir.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("thesis.txt"), "years").unwrap();
    let source = home.join("source.ome.tiff");
    Tiff::of(Sample::U8, [1, 1, 1, 20, 20]).write(&source);
    let before = tree(&home);
    let refused = convert(&source, &home, &["--overwrite"]).ends_with(EXISTS);
    assert!(refused.message().contains("home"), "{refused:?}");
    assert_eq!(tree(&home), before);

    // Nor a store that the source lies in.
    let store = place.dir.path().join("store.zarr");
    convert(&source, &store, &[]).done();
    let inside = store.join("inside.ome.tiff");
    fs::copy(&source, &inside).unwrap();
    convert(&inside, &store, &["--overwrite"]).ends_with(EXISTS);
    assert!(inside.exists() && looks_complete(&store));
}

#[test]
fn options_that_make_no_sense_are_usage_errors() {
    let place = Place::new();
    Tiff::of(Sample::U8, [1, 1, 1, 20, 20]).write(&place.source);
    place.refused(&["--codec", "zlib"], USAGE, "zlib");
    place.refused(&["--chunk", "4000000000,4000000000"], USAGE, "4000000000");
    place.refused(&["--memory", "1"], USAGE, "--memory");
    for wrong in [
        &["--chunk", "0"][..],
        &["--chunk", "1,2,3"],
        &["--chunk", "-4"],
        &["--codec", "jpeg"],
        &["--codec", "blosc-lz4-11"],
        &["--codec", "gzip", "--preset", "fast"],
        &["--ngff", "0.3"],
        &["--shard", "sometimes"],
        &["--layout", "flat"],
        &["--memory", "lots"],
        &["--jobs", "many"],
        &["--overwrite", "--resume"],
        &["--nonsense"],
        &["too", "many"],
    ] {
        let refused = convert(&place.source, &place.target, wrong).ends_with(USAGE);
        assert!(refused.err.starts_with("error: "), "{refused:?}");
        assert!(!place.target.exists());
    }
    fairzarr(["convert"]).ends_with(USAGE);
    fairzarr(["--version"]).done();
    fairzarr(["convert", "--help"]).done();
}

#[test]
fn one_image_is_not_made_of_several() {
    let place = Place::new();
    let picture = Picture { sample: Sample::U8, size: [1, 1, 1, 9, 9], interleaved: 1 };
    Tiff::many(vec![picture.clone(), picture]).write(&place.source);
    place.refused(&["--layout", "image"], USAGE, "2 images");
}

#[test]
fn a_target_that_cannot_be_written_is_named() {
    let place = Place::new();
    Tiff::of(Sample::U8, [1, 1, 1, 20, 20]).write(&place.source);
    let file = place.dir.path().join("file");
    fs::write(&file, "content").unwrap();
    for target in [file.clone(), file.join("below.zarr"), PathBuf::from("/proc/nowhere.zarr")] {
        for options in [&[][..], &["--overwrite"]] {
            let refused = convert(&place.source, &target, options).ends_with(OUTPUT);
            assert!(refused.message().contains(&text(&target)), "{refused:?}");
        }
    }
    assert_eq!(fs::read(&file).unwrap(), b"content");
    let onto_itself = convert(&place.source, &place.source, &["--overwrite"]).ends_with(OUTPUT);
    assert!(onto_itself.message().contains("source.ome.tiff"), "{onto_itself:?}");
    assert!(place.source.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_no_root_and_is_finished_later() {
    // The largest size that a file may reach is the nearest to a full disk that needs no rights.
    let place = Place::new();
    Tiff::of(Sample::U16, [1, 1, 20, 100, 100]).write(&place.source);
    let limited = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_fairzarr")])
        .args(crate::support::arguments("convert", &place.source, &place.target, &["--codec", "none"]))
        .output()
        .unwrap();
    assert_eq!(limited.status.code(), Some(OUTPUT), "{limited:?}");
    assert!(!looks_complete(&place.target));
    convert(&place.source, &place.target, &["--codec", "none", "--resume"]).done();
    let whole = place.dir.path().join("whole.zarr");
    convert(&place.source, &whole, &["--codec", "none"]).done();
    assert_same_tree(&place.target, &whole);
}

#[test]
fn names_with_spaces_and_other_alphabets_work() {
    let place = Place::new();
    for name in ["a b", "größe", "細胞", "per%20cent", "hash#tag", "quest?ion", "-dash", "c\\slash", "."]
    {
        let dir = place.dir.path().join("names");
        let target = dir.join(format!("{name}.zarr"));
        let source = place.dir.path().join(format!("{name}.ome.tiff"));
        Tiff::of(Sample::U8, [1, 1, 1, 20, 20]).write(&source);
        convert(&source, &target, &[]).done();
        verify(&source, &target).done();
        assert!(looks_complete(&target), "{name}");
        fairzarr(["inspect", &text(&target)]).done();
    }
    assert_eq!(fs::read_dir(place.dir.path().join("names")).unwrap().count(), 9);
}

#[test]
fn a_relative_target_and_a_trailing_slash_are_the_same_place() {
    let place = Place::new();
    Tiff::of(Sample::U8, [1, 1, 1, 20, 20]).write(&place.source);
    let slash = PathBuf::from(format!("{}/", text(&place.target)));
    convert(&place.source, &slash, &[]).done();
    assert!(looks_complete(&place.target));
    convert(&place.source, Path::new(&place.target), &[]).ends_with(SAME);
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_fairzarr"))
        .args(["convert", "source.ome.tiff", "relative.zarr"])
        .current_dir(place.dir.path())
        .status()
        .unwrap();
    assert!(status.success());
    assert_same_tree(&place.dir.path().join("relative.zarr"), &place.target);
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_who_leaves_is_no_failure_and_a_full_disk_is_one() {
    use std::process::{Command, Stdio};
    let place = Place::new();
    convert(&cells(), &place.target, &[]).done();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for (n, command) in ["convert", "inspect", "verify"].into_iter().enumerate() {
        let run = |out: Stdio, target: &Path| {
            let mut program = Command::new(env!("CARGO_BIN_EXE_fairzarr"));
            program.arg(command).arg(cells()).stdout(out).stderr(Stdio::piped());
            if command != "inspect" {
                program.arg(target);
            }
            program.spawn().unwrap()
        };
        let target = |name: &str| match command {
            "convert" => place.dir.path().join(format!("{n}{name}")),
            _ => place.target.clone(),
        };
        let mut gone = run(Stdio::piped(), &target("gone.zarr"));
        drop(gone.stdout.take());
        let gone = gone.wait_with_output().unwrap();
        assert_eq!((gone.status.code(), &gone.stderr[..]), (Some(0), &b""[..]), "{command}");
        let full = run(full().into(), &target("full.zarr")).wait_with_output().unwrap();
        assert_eq!(full.status.code(), Some(OUTPUT), "{command}");
        let told = String::from_utf8(full.stderr).unwrap();
        assert!(told.starts_with("fairzarr: cannot write to standard output: "), "{told}");
    }
    // The conversion itself was done.
    verify(&cells(), &place.dir.path().join("0full.zarr")).done();
}
