//! Killed, interrupted, torn: `--resume` ends with the bytes of a conversion that nothing happened to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

use crate::support::tiff::{Blocks, Picture, Sample, Tiff};
use crate::support::{arguments, assert_same_tree, convert, looks_complete, run, start, text, verify};

const INPUT: i32 = 3;
const EXISTS: i32 = 8;
const SAME: i32 = 9;
const BUSY: i32 = 10;
const NOT_READY: i32 = 12;
const INTERRUPTED: i32 = 5;

/// Slow enough to be hit, with chunks, shards and reduced levels.
const OPTIONS: [&str; 6] = ["--codec", "gzip-9", "--chunk", "128", "--jobs", "2"];

/// A source, and what an uninterrupted conversion makes of it.
struct Job {
    dir: TempDir,
    source: PathBuf,
    whole: PathBuf,
    options: Vec<&'static str>,
    /// How long that took.
    time: Duration,
}

impl Job {
    fn new(tiff: &Tiff, more: &[&'static str]) -> Self {
        Self::with(tiff, [&OPTIONS[..], more].concat())
    }

    fn with(tiff: &Tiff, options: Vec<&'static str>) -> Self {
        let dir = TempDir::new().unwrap();
        let (source, whole) = (dir.path().join("source.ome.tiff"), dir.path().join("whole.zarr"));
        tiff.write(&source);
        let start = Instant::now();
        convert(&source, &whole, &options).done();
        Self { source, whole, options, time: start.elapsed(), dir }
    }

    fn target(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts a conversion and ends it with a signal after a while; whether that hit it.
    fn hit(&self, target: &Path, signal: &str, after: Duration) -> bool {
        let mut child = start(arguments("convert", &self.source, target, &self.options));
        std::thread::sleep(after);
        let _ = Command::new("kill").args([signal, &child.id().to_string()]).output().unwrap();
        let code = child.wait().unwrap().code();
        let hit = code != Some(0);
        let expected = if signal == "-KILL" { None } else { Some(INTERRUPTED) };
        assert!(!hit || code == expected, "{code:?}");
        hit
    }

    /// Interrupts a conversion politely, so that its journal is there.
    fn interrupted(&self, target: &Path) {
        for part in (1..=10).rev().cycle() {
            let _ = fs::remove_dir_all(target);
            if self.hit(target, "-INT", self.time * part / 12) && target.join(".fairzarr/journal").exists() {
                return;
            }
        }
    }

    #[track_caller]
    fn resumed(&self, target: &Path) {
        convert(&self.source, target, &[&self.options[..], &["--resume"]].concat()).done();
        assert_same_tree(target, &self.whole);
    }
}

fn planes() -> Tiff {
    Tiff::of(Sample::U16, [1, 2, 8, 300, 270])
}

#[test]
fn killed_at_any_moment_and_resumed() {
    // Many pages; one page whose upper levels are put together from its blocks; two images in shards.
    let page = Tiff { blocks: Blocks::Tiles(128, 128), ..Tiff::of(Sample::U16, [1, 1, 1, 1300, 1200]) };
    let picture = Picture { sample: Sample::U8, size: [2, 3, 2, 260, 300], interleaved: 3 };
    let images = Tiff::many(vec![picture.clone(), picture]);
    for (tiff, more) in [(planes(), &[][..]), (page, &["--ngff", "0.4"]), (images, &["--shard", "256"])] {
        let job = Job::new(&tiff, more);
        let mut hits = 0;
        for part in 0..5u32 {
            let target = job.target(&format!("killed{part}.zarr"));
            // Not the same moments twice, and more early ones where the time was overestimated.
            if job.hit(&target, "-KILL", job.time * (part * 23 + 3) / 120) {
                hits += 1;
                assert!(!looks_complete(&target) || target.join(".fairzarr/plan.json").exists());
            } else {
                fs::remove_dir_all(&target).unwrap();
            }
            job.resumed(&target);
        }
        assert!(hits > 0, "nothing was killed");
    }
}

#[test]
fn killed_again_and_again() {
    let job = Job::new(&planes(), &[]);
    let target = job.target("killed.zarr");
    let resume = [&job.options[..], &["--resume"]].concat();
    for _ in 0..6 {
        let mut child = start(arguments("convert", &job.source, &target, &resume));
        std::thread::sleep(job.time / 3);
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        // Killed in its last moments, it is complete, and nothing is left to be resumed.
        if ended.success() || (looks_complete(&target) && !target.join(".fairzarr").exists()) {
            assert_same_tree(&target, &job.whole);
            return;
        }
    }
    job.resumed(&target);
}

#[test]
fn an_interruption_says_how_to_go_on() {
    let job = Job::new(&planes(), &[]);
    let target = job.target("interrupted.zarr");
    for part in (1..=10).rev().cycle() {
        let _ = fs::remove_dir_all(&target);
        let child = start(arguments("convert", &job.source, &target, &job.options));
        std::thread::sleep(job.time * part / 12);
        Command::new("kill").args(["-INT", &child.id().to_string()]).output().unwrap();
        let output = child.wait_with_output().unwrap();
        // Before the handler is there, a signal simply ends the process.
        if output.status.code() == Some(INTERRUPTED) {
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!(told, "fairzarr: interrupted; run the same command with --resume to finish\n");
            break;
        }
    }
    assert!(!looks_complete(&target));
    job.resumed(&target);
    verify(&job.source, &target).done();
}

#[test]
fn what_is_recorded_is_not_done_again() {
    let job = Job::new(&planes(), &[]);
    let target = job.target("interrupted.zarr");
    job.interrupted(&target);
    let objects = |json: &serde_json::Value| json["objects"].as_u64().unwrap();
    let again = [&job.options[..], &["--resume", "--json"]].concat();
    let resumed = convert(&job.source, &target, &again).done().json();
    let fresh = [&job.options[..], &["--json"]].concat();
    let whole = convert(&job.source, &job.target("fresh.zarr"), &fresh).done().json();
    assert!(objects(&resumed) < objects(&whole), "{resumed} {whole}");
    assert_same_tree(&target, &job.whole);
}

#[test]
fn a_torn_or_damaged_journal_costs_work_and_nothing_else() {
    let job = Job::new(&planes(), &[]);
    for damage in 0..4 {
        let target = job.target(&format!("torn{damage}.zarr"));
        job.interrupted(&target);
        let segment = fs::read_dir(target.join(".fairzarr/journal")).unwrap().next().unwrap().unwrap().path();
        let mut bytes = fs::read(&segment).unwrap();
        let middle = bytes.len() / 2;
        match damage {
            0 => bytes.truncate(middle),
            1 => bytes[middle] ^= 1,
            2 => bytes[..8].fill(0xff),
            _ => bytes.clear(),
        }
        fs::write(&segment, bytes).unwrap();
        // As if killed in the middle of a write.
        fs::write(target.join(".fairzarr/journal/.fairzarr-tmp-1-1"), "half").unwrap();
        fs::write(target.join("0/.fairzarr-tmp-1-2"), "half").unwrap();
        job.resumed(&target);
    }
}

#[test]
fn chunks_that_were_recorded_and_lost_are_made_again() {
    // As after a power cut, which the journal may survive and chunks may not.
    let page = Tiff { blocks: Blocks::Tiles(128, 128), ..Tiff::of(Sample::U16, [1, 1, 1, 1300, 1200]) };
    for (tiff, more) in [
        (planes(), &[][..]),
        (planes(), &["--omit-empty", "--shard", "256"]),
        (page, &["--chunk", "source", "--ngff", "0.4"]),
    ] {
        let options = [&["--codec", "gzip-9", "--jobs", "2"], more].concat();
        let job = Job::with(&tiff, options);
        let chunk = if more.contains(&"0.4") { "0/0/0/0/0/0" } else { "0/c/0/0/0/0/0" };
        for damage in 0..3 {
            let target = job.target(&format!("lost{damage}.zarr"));
            job.interrupted(&target);
            let chunk = target.join(chunk);
            let bytes = fs::read(&chunk).unwrap();
            match damage {
                0 => fs::remove_file(&chunk).unwrap(),
                1 => fs::write(&chunk, "").unwrap(),
                _ => fs::write(&chunk, &bytes[..bytes.len() - 1]).unwrap(),
            }
            job.resumed(&target);
        }
    }
}

#[test]
fn reduced_levels_that_were_recorded_and_lost_are_made_again() {
    // Levels 1 to 3 are put together from the units, which are chunks of level 0.
    let page = Tiff { blocks: Blocks::Tiles(128, 128), ..Tiff::of(Sample::U16, [1, 1, 1, 1300, 1200]) };
    let job = Job::new(&page, &["--ngff", "0.4"]);
    let chunks = |target: &Path, level: usize| {
        let row = fs::read_dir(target.join(format!("{level}/0/0/0/0")));
        row.into_iter().flatten().map(|chunk| chunk.unwrap().path()).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        let target = job.target("lost.zarr");
        let chunk = loop {
            job.interrupted(&target);
            if let Some(chunk) = (1..4).rev().find_map(|level| chunks(&target, level).pop()) {
                break chunk;
            }
        };
        fs::remove_file(chunk).unwrap();
        job.resumed(&target);
    }
}

#[test]
fn other_options_or_another_source_cannot_resume() {
    let job = Job::new(&planes(), &[]);
    let target = job.target("interrupted.zarr");
    job.interrupted(&target);
    for (options, difference) in [
        (&["--resume"][..], "--chunk 128,128 --codec gzip-9;"),
        (&["--resume", "--codec", "gzip-9", "--chunk", "32"], "--chunk 128,128;"),
        (&["--resume", "--codec", "gzip-9", "--chunk", "128", "--ngff", "0.6"], "--ngff 0.5;"),
    ] {
        let refused = convert(&job.source, &target, options).ends_with(EXISTS);
        let told = format!("interrupted.zarr had other settings: {difference}");
        assert!(refused.message().contains(&told), "{refused:?}");
    }
    let other = job.target("other.ome.tiff");
    Tiff::of(Sample::U16, [1, 2, 8, 300, 271]).write(&other);
    convert(&other, &target, &[&job.options[..], &["--resume"]].concat()).ends_with(INPUT);
    // How many jobs there are and how much memory is no such option, and nothing has been spoilt.
    let options = [&job.options[..4], &["--resume", "--jobs", "1", "--memory", "24M"]].concat();
    convert(&job.source, &target, &options).done();
    assert_same_tree(&target, &job.whole);
}

#[test]
fn there_must_be_something_to_resume() {
    let job = Job::new(&Tiff::of(Sample::U8, [1, 1, 1, 20, 20]), &[]);
    let resume = [&job.options[..], &["--resume"]].concat();
    let refused = convert(&job.source, &job.whole, &resume).ends_with(SAME);
    assert!(refused.message().contains("whole.zarr is complete"), "{refused:?}");
    let foreign = job.target("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("notes.txt"), "mine").unwrap();
    let refused = convert(&job.source, &foreign, &resume).ends_with(EXISTS);
    assert!(refused.message().contains("no interrupted conversion"), "{refused:?}");
    // Killed before its first byte, a conversion is resumed from nothing.
    let target = job.target("nothing.zarr");
    fs::create_dir_all(target.join(".fairzarr")).unwrap();
    fs::write(target.join(".fairzarr/.fairzarr-tmp-1-1"), "half a plan").unwrap();
    job.resumed(&target);
    job.resumed(&job.target("absent.zarr"));
}

#[test]
fn killed_between_the_root_and_the_end() {
    let job = Job::new(&Tiff::of(Sample::U8, [1, 1, 1, 20, 20]), &[]);
    let planned = job.target("planned.zarr");
    crate::support::run("plan", &job.source, &planned, &job.options).done();
    let plan = fs::read(planned.join(".fairzarr/plan.json")).unwrap();
    for with_plan in [true, false] {
        let target = job.target(&format!("late{with_plan}.zarr"));
        convert(&job.source, &target, &job.options).done();
        fs::create_dir(target.join(".fairzarr")).unwrap();
        let resume = [&job.options[..], &["--resume"]].concat();
        if with_plan {
            fs::write(target.join(".fairzarr/plan.json"), &plan).unwrap();
            convert(&job.source, &target, &resume).done();
        } else {
            convert(&job.source, &target, &resume).ends_with(SAME);
        }
        assert_same_tree(&target, &job.whole);
    }
}

#[test]
fn several_at_one_target_do_not_mix() {
    let job = Job::new(&planes(), &[]);
    for round in 0..3 {
        let target = job.target(&format!("shared{round}.zarr"));
        let other = arguments("convert", &job.source, &target, &["--codec", "gzip-9", "--chunk", "100"]);
        let mut other = start(other);
        let mut one = start(arguments("convert", &job.source, &target, &job.options));
        let codes = [other.wait().unwrap().code(), one.wait().unwrap().code()];
        let refused = [EXISTS, SAME, BUSY, NOT_READY].map(Some);
        assert!(codes.contains(&Some(0)) && codes.iter().any(|code| refused.contains(code)), "{codes:?}");
        verify(&job.source, &target).done();
        assert!(!target.join(".fairzarr").exists());
        if codes[1] == Some(0) {
            assert_same_tree(&target, &job.whole);
        }
    }
}

#[test]
fn what_is_being_written_is_neither_replaced_nor_resumed() {
    let job = Job::new(&planes(), &[]);
    let target = job.target("busy.zarr");
    let mut first = start(arguments("convert", &job.source, &target, &job.options));
    while !target.join(".fairzarr/plan.json").exists() {
        assert!(first.try_wait().unwrap().is_none(), "it ended before it was looked at");
    }
    // Stopped, it still has its lock.
    let signal =
        |signal: &str, id: u32| Command::new("kill").args([signal, &id.to_string()]).output().unwrap();
    signal("-STOP", first.id());
    for more in ["--overwrite", "--resume"] {
        let refused = convert(&job.source, &target, &[&job.options[..], &[more]].concat()).ends_with(BUSY);
        assert!(refused.message().contains("busy.zarr is being written to: another process"), "{refused:?}");
    }
    run("run", &job.source, &target, &[&job.options[..], &["--task", "1/2"]].concat()).ends_with(BUSY);
    signal("-CONT", first.id());
    assert!(first.wait().unwrap().success());
    assert_same_tree(&target, &job.whole);
    // The lock of a process that was killed does not outlive it.
    let mut killed =
        start(arguments("convert", &job.source, &target, &[&job.options[..], &["--overwrite"]].concat()));
    std::thread::sleep(job.time / 2);
    killed.kill().unwrap();
    killed.wait().unwrap();
    convert(&job.source, &target, &[&job.options[..], &["--overwrite"]].concat()).done();
    assert_same_tree(&target, &job.whole);
}

#[test]
fn an_interrupted_replacement_can_be_repeated() {
    let job = Job::new(&planes(), &[]);
    let target = job.target("old.zarr");
    let overwrite = [&job.options[..], &["--overwrite"]].concat();
    for part in 1..4 {
        let _ = fs::remove_dir_all(&target);
        convert(&job.source, &target, &["--codec", "none", "--chunk", "100"]).done();
        let mut child = start(arguments("convert", &job.source, &target, &overwrite));
        std::thread::sleep(job.time * part / 20);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Path::new(&text(&target)).exists());
        convert(&job.source, &target, &overwrite).done();
        assert_same_tree(&target, &job.whole);
    }
}

#[test]
fn killed_on_the_way_to_an_archive_and_resumed() {
    let dir = TempDir::new().unwrap();
    let (source, whole) = (dir.path().join("source.ome.tiff"), dir.path().join("whole.ozx"));
    planes().write(&source);
    let begin = Instant::now();
    convert(&source, &whole, &OPTIONS).done();
    let time = begin.elapsed();
    let expected = fs::read(&whole).unwrap();
    let resume = [&OPTIONS[..], &["--resume"]].concat();
    let mut hits = 0;
    for part in 0..16u32 {
        // Packing is the last part of the time.
        let place = dir.path().join(format!("{part}"));
        fs::create_dir(&place).unwrap();
        let target = place.join("killed.ozx");
        let mut child = start(arguments("convert", &source, &target, &OPTIONS));
        std::thread::sleep(time * (part * 4 + 38) / 100);
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        if !ended.success() {
            hits += 1;
            // Killed after its last mark was removed, it is complete.
            let is_complete = names(&place) == ["killed.ozx"];
            if !is_complete {
                convert(&source, &target, &resume).done();
            }
        }
        assert!(fs::read(&target).unwrap() == expected, "{part}");
        assert_eq!(names(&place), ["killed.ozx"], "{part}");
    }
    assert!(hits > 0, "nothing was killed");
}

#[test]
fn what_lies_beside_an_unfinished_archive_is_finished_or_made_again() {
    let dir = TempDir::new().unwrap();
    let (source, whole) = (dir.path().join("source.ome.tiff"), dir.path().join("whole.ozx"));
    Tiff::of(Sample::U16, [1, 1, 2, 60, 70]).write(&source);
    convert(&source, &whole, &[]).done();
    let expected = fs::read(&whole).unwrap();
    let place = dir.path().join("place");
    fs::create_dir(&place).unwrap();
    let target = place.join("a.ozx");
    // A finished store of which nobody knows by which conversion it was made.
    convert(&source, &place.join("a.ozx.unpacked"), &["--chunk", "16"]).done();
    convert(&source, &target, &["--resume"]).done();
    assert!(fs::read(&target).unwrap() == expected);
    assert_eq!(names(&place), ["a.ozx"]);
    // What was not begun here is not replaced.
    convert(&source, &target, &["--resume"]).ends_with(SAME);
    assert!(fs::read(&target).unwrap() == expected);
    // What others have put there is not removed.
    let other = place.join("b.ozx");
    fs::create_dir(place.join("b.ozx.unpacked")).unwrap();
    fs::write(place.join("b.ozx.unpacked/notes.txt"), "mine").unwrap();
    convert(&source, &other, &["--resume"]).ends_with(EXISTS);
    assert_eq!(fs::read(place.join("b.ozx.unpacked/notes.txt")).unwrap(), b"mine");
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
