//! One conversion by several processes: in any order, at the same time, repeated, killed.

use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

use crate::support::tiff::{Blocks, Picture, Sample, Tiff};
use crate::support::{Outcome, arguments, assert_same_tree, convert, looks_complete, run, start, verify};

const NOT_READY: i32 = 12;
const INPUT: i32 = 3;

struct Job {
    dir: TempDir,
    source: PathBuf,
    whole: PathBuf,
    options: Vec<&'static str>,
}

impl Job {
    fn new(tiff: &Tiff, options: &[&'static str]) -> Self {
        let dir = TempDir::new().unwrap();
        let (source, whole) = (dir.path().join("source.ome.tiff"), dir.path().join("whole.zarr"));
        tiff.write(&source);
        convert(&source, &whole, options).done();
        Self { source, whole, options: options.into(), dir }
    }

    fn planned(&self, name: &str) -> Target<'_> {
        let target = Target { job: self, path: self.dir.path().join(name) };
        let told = target.run("plan", &[]).done();
        assert!(told.out.contains("units"), "{told:?}");
        target
    }
}

/// A store that is being made in parts.
struct Target<'a> {
    job: &'a Job,
    path: PathBuf,
}

impl Target<'_> {
    fn run(&self, command: &str, more: &[&str]) -> Outcome {
        run(command, &self.job.source, &self.path, &[&self.job.options[..], more].concat())
    }

    fn task(&self, task: &str) {
        self.run("run", &["--task", task]).done();
    }

    fn start(&self, task: &str) -> std::process::Child {
        let options = [&self.job.options[..], &["--task", task]].concat();
        start(arguments("run", &self.job.source, &self.path, &options))
    }

    #[track_caller]
    fn committed(&self) {
        assert!(!looks_complete(&self.path));
        self.run("commit", &[]).done();
        assert_same_tree(&self.path, &self.job.whole);
    }
}

fn stack() -> Tiff {
    Tiff::of(Sample::U16, [2, 2, 3, 300, 270])
}

/// Its upper levels need blocks of several tasks.
fn page() -> Tiff {
    Tiff { blocks: Blocks::Tiles(64, 64), ..Tiff::of(Sample::U16, [1, 1, 1, 1300, 1400]) }
}

#[test]
fn tasks_at_the_same_time_make_the_same_store() {
    let picture = Picture { sample: Sample::F32, size: [1, 1, 1, 600, 500], interleaved: 1 };
    let images = Tiff::many(vec![picture.clone(), picture]);
    let jobs = [
        Job::new(&stack(), &["--codec", "gzip-6", "--chunk", "64"]),
        Job::new(&page(), &["--chunk", "32"]),
        Job::new(&page(), &["--chunk", "32", "--shard", "128"]),
        Job::new(&page(), &["--ngff", "0.4", "--chunk", "100", "--memory", "12M"]),
        Job::new(&images, &["--ngff", "0.6"]),
    ];
    for job in &jobs {
        let target = job.planned("split.zarr");
        let children: Vec<_> = ["1/4", "2/4", "3/4", "4/4"].map(|task| target.start(task)).into();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        target.committed();
        verify(&job.source, &target.path).done();
    }
}

#[test]
fn tasks_are_repeated_killed_and_done_in_any_order() {
    let job = Job::new(&stack(), &["--codec", "gzip-9", "--chunk", "64"]);
    let target = job.planned("split.zarr");
    target.task("3/4");
    let mut killed = target.start("2/4");
    std::thread::sleep(std::time::Duration::from_millis(40));
    killed.kill().unwrap();
    killed.wait().unwrap();
    target.task("1/4");
    target.task("3/4");
    // The same task twice at once, and one of another division that overlaps it.
    let children = [target.start("2/4"), target.start("2/4"), target.start("1/2")];
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    target.task("4/4");
    target.committed();
}

#[test]
fn more_tasks_than_units_and_a_single_task_work() {
    let job = Job::new(&Tiff::of(Sample::U8, [1, 1, 2, 20, 20]), &[]);
    let target = job.planned("many.zarr");
    for task in 1..=5 {
        target.task(&format!("{task}/5"));
    }
    target.committed();
    let target = job.planned("single.zarr");
    target.task("1/1");
    target.committed();
    let job = Job::new(&page(), &["--chunk", "64"]);
    let target = job.planned("single.zarr");
    target.task("1/1");
    target.committed();
}

#[test]
fn a_plan_can_be_finished_by_resuming_it() {
    let job = Job::new(&page(), &["--chunk", "64"]);
    let target = job.planned("split.zarr");
    target.task("2/3");
    target.run("convert", &["--resume"]).done();
    assert_same_tree(&target.path, &job.whole);
}

#[test]
fn nothing_is_committed_before_every_task_is_done() {
    let job = Job::new(&stack(), &["--chunk", "64"]);
    let target = job.planned("split.zarr");
    let refused = target.run("commit", &[]).ends_with(NOT_READY);
    assert!(refused.message().contains("pieces have not been done"), "{refused:?}");
    target.task("1/4");
    target.task("2/4");
    target.task("4/4");
    let refused = target.run("commit", &[]).ends_with(NOT_READY);
    assert!(refused.message().contains("t=1 group=0 z=0"), "{refused:?}");
    assert!(!looks_complete(&target.path));
    target.task("3/4");
    target.committed();
}

#[test]
fn a_chunk_that_was_lost_after_its_task_is_made_again() {
    let job = Job::new(&stack(), &["--chunk", "64"]);
    let target = job.planned("split.zarr");
    target.task("1/2");
    target.task("2/2");
    let chunk = target.path.join("0/c/1/0/2/0/1");
    fs::remove_file(&chunk).unwrap();
    // By its task, or at the latest by the commit.
    target.task("2/2");
    assert!(chunk.exists());
    fs::write(&chunk, "").unwrap();
    target.committed();
}

#[test]
fn options_that_the_plan_has_decided_on_are_not_passed_over() {
    let job = Job::new(&stack(), &["--chunk", "64"]);
    let target = job.planned("split.zarr");
    let path = &target.path;
    let with = |command: &str, options: &[&str]| run(command, &job.source, path, options);
    for (typed, told) in [
        (&["--chunk", "512"][..], "--chunk 64,64, not 512,512"),
        (&["--preset", "fast"], "--codec blosc-zstd-1-bitshuffle, not blosc-lz4-5-shuffle"),
        (&["--shard", "none"], "--shard auto, not none"),
        (&["--omit-empty"], "--omit-empty false, not true"),
    ] {
        for (command, task) in [("run", &["--task", "1/1"][..]), ("commit", &[])] {
            let refused = with(command, &[typed, task].concat()).ends_with(2);
            assert!(refused.message().contains(told), "{refused:?}");
        }
    }
    // What is not said, or said as it was, and resources are no such options.
    with("run", &["--task", "1/1", "--jobs", "1", "--memory", "32M"]).done();
    with("commit", &["--chunk", "64"]).done();
    assert_same_tree(path, &job.whole);
}

#[test]
fn a_plan_is_needed_and_is_not_replaced() {
    let job = Job::new(&stack(), &["--chunk", "64"]);
    let target = Target { job: &job, path: job.dir.path().join("split.zarr") };
    for (command, more) in [("run", &["--task", "1/2"][..]), ("commit", &[])] {
        let refused = target.run(command, more).ends_with(NOT_READY);
        assert!(refused.message().contains("no plan at"), "{refused:?}");
        assert!(!target.path.exists());
    }
    target.run("plan", &[]).done();
    target.task("1/2");
    let refused = target.run("plan", &[]).ends_with(NOT_READY);
    assert!(refused.message().contains("exists"), "{refused:?}");
    target.task("2/2");
    target.committed();

    target.run("plan", &["--overwrite"]).done();
    // It is there until the shares have made another one.
    assert!(looks_complete(&target.path));
    let other = job.dir.path().join("other.ome.tiff");
    Tiff::of(Sample::U16, [2, 2, 3, 300, 271]).write(&other);
    let refused = run("run", &other, &target.path, &["--task", "1/2"]).ends_with(INPUT);
    assert!(refused.message().contains("other source"), "{refused:?}");
    for task in ["0/2", "3/2", "1", "a/b", "1/0"] {
        target.run("run", &["--task", task]).ends_with(2);
    }
}

#[test]
fn a_file_that_reaches_far_beyond_its_share_is_hashed_to_its_end() {
    let job = Job::new(&stack(), &["--chunk", "64"]);
    // A hole behind the last directory changes no plane, and the file is hashed by the task in whose share it begins.
    fs::File::options().write(true).open(&job.source).unwrap().set_len(80 << 20).unwrap();
    let target = job.planned("split.zarr");
    for task in ["1/4", "3/4", "2/4", "4/4"] {
        target.task(task);
    }
    target.run("commit", &[]).done();
    assert!(verify(&job.source, &target.path).done().out.contains("1 source files by sha256"));
}

#[test]
fn what_becomes_of_missing_planes_is_decided_by_the_plan() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("split.zarr"));
    Tiff { lacking: 2, ..stack() }.write(&source);
    run("plan", &source, &target, &["--on-missing", "fill"]).done();
    run("run", &source, &target, &["--task", "1/1"]).done();
    run("commit", &source, &target, &[]).done();
    assert!(looks_complete(&target));
}
