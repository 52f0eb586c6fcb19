//! A source that changes under a conversion: between an interruption and its resumption, between the tasks of a split one,
//! and while it is read.
#![allow(clippy::unwrap_used)]

use fairzarr_convert::{Error, Existing, Options, Plan, Share, commit, convert, prepare, run_share};
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use fairzarr_task::Job;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use tempfile::TempDir;

/// A copy of a small source that may be changed.
struct Source {
    dir: TempDir,
    path: PathBuf,
}

impl Source {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("cells.ome.tiff");
        fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/cells.ome.tiff"), &path).unwrap();
        Self { dir, path }
    }

    fn open(&self) -> Fileset {
        Fileset::open(&self.path).unwrap()
    }

    /// Writes other bytes in the middle of the file, whose size stays as it is.
    fn change(&self) {
        let file = File::options().write(true).open(&self.path).unwrap();
        let middle = file.metadata().unwrap().len() / 2;
        file.write_all_at(&[0xEE; 512], middle).unwrap();
    }

    /// As [`Self::change`], and puts the time of modification back.
    fn change_and_put_the_time_back(&self) {
        let before = fs::metadata(&self.path).unwrap().modified().unwrap();
        self.change();
        let file = File::options().write(true).open(&self.path).unwrap();
        file.set_times(FileTimes::new().set_modified(before)).unwrap();
    }

    /// Puts another file in its place.
    fn replace(&self) {
        let other = self.dir.path().join("other");
        fs::copy(&self.path, &other).unwrap();
        let before = fs::metadata(&self.path).unwrap().modified().unwrap();
        fs::rename(&other, &self.path).unwrap();
        self.change();
        File::options().write(true).open(&self.path).unwrap().set_modified(before).unwrap();
    }

    fn append(&self) {
        let mut bytes = fs::read(&self.path).unwrap();
        bytes.push(0);
        fs::write(&self.path, bytes).unwrap();
    }
}

/// Changes that size or time of modification tell of.
const PLAIN: [fn(&Source); 2] = [Source::change, Source::append];
/// Changes that neither tells of.
const HIDDEN: [fn(&Source); 2] = [Source::change_and_put_the_time_back, Source::replace];

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, store: &Store) {
    let error = result.unwrap_err();
    assert!(
        matches!(&error, Error::SourceChanged { file, .. } if file.ends_with("cells.ome.tiff")),
        "{error}"
    );
    assert!(!store.exists("zarr.json").unwrap());
}

fn resume() -> Options {
    let mut options = Options::default();
    options.existing = Existing::Resume;
    options
}

#[test]
fn a_source_that_changed_since_the_interruption_is_not_resumed() {
    for change in PLAIN {
        let (source, store) = (Source::new(), Store::memory());
        prepare(&source.open(), &store, &Options::default(), Job::new().memory).unwrap();
        change(&source);
        refused(convert(&source.open(), &store, &resume(), &Job::new()), &store);
    }
}

#[test]
fn a_source_that_changes_while_it_is_read_gives_no_complete_store() {
    for change in PLAIN {
        let (source, store) = (Source::new(), Store::memory());
        let opened = source.open();
        prepare(&opened, &store, &Options::default(), Job::new().memory).unwrap();
        change(&source);
        refused(run_share(&opened, &store, &Options::default(), Share::ALL, &Job::new()), &store);
    }
}

#[test]
fn every_task_and_the_commit_look_at_the_source() {
    for change in PLAIN {
        let (source, store) = (Source::new(), Store::memory());
        let (options, job) = (Options::default(), Job::new());
        prepare(&source.open(), &store, &options, job.memory).unwrap();
        run_share(&source.open(), &store, &options, Share::ALL, &job).unwrap();
        change(&source);
        refused(run_share(&source.open(), &store, &options, Share::ALL, &job), &store);
        refused(commit(&source.open(), &store, &options, &job), &store);
    }
}

#[test]
fn a_change_whose_time_was_put_back_is_found_by_the_checksum() {
    for change in HIDDEN {
        let (source, store) = (Source::new(), Store::memory());
        let (options, job) = (Options::default(), Job::new());
        let opened = source.open();
        prepare(&opened, &store, &options, job.memory).unwrap();
        run_share(&opened, &store, &options, Share::ALL, &job).unwrap();
        change(&source);
        refused(commit(&opened, &store, &options, &job), &store);
    }
}

#[test]
fn a_copy_of_the_source_gives_the_same_plan() {
    let (here, there) = (Source::new(), Source::new());
    let plan = |source: &Source| Plan::new(&source.open(), &Options::default(), 1 << 30).unwrap();
    assert_eq!(plan(&here), plan(&there));
}

#[test]
fn what_only_got_other_permissions_is_resumed_to_the_same_bytes() {
    let (source, store, whole) = (Source::new(), Store::memory(), Store::memory());
    convert(&source.open(), &whole, &Options::default(), &Job::new()).unwrap();
    let options = Options::default();
    prepare(&source.open(), &store, &options, Job::new().memory).unwrap();
    run_share(&source.open(), &store, &options, Share { number: 1, of: 2 }, &Job::new()).unwrap();
    let mut permissions = fs::metadata(&source.path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&source.path, permissions).unwrap();
    let job = Job::new();
    convert(&source.open(), &store, &resume(), &job).unwrap();
    let objects = |store: &Store| {
        let keys = store.list("").unwrap().into_iter().map(|(key, _)| key);
        keys.map(|key| (key.clone(), store.get(&key).unwrap().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(objects(&store), objects(&whole));
    // Nothing of what was done before was relied on.
    assert_eq!(job.progress.written(), {
        let job = Job::new();
        convert(&source.open(), &Store::memory(), &Options::default(), &job).unwrap();
        job.progress.written()
    });
}
