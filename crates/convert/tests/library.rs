//! The library as a user calls it, without the program.
#![allow(clippy::unwrap_used)]

use fairzarr_convert::{
    ChunkChoice, Error, Existing, Options, Plan, Share, commit, convert, planned, prepare, run_share,
};
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use fairzarr_task::Job;

fn cells() -> Fileset {
    Fileset::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/cells.ome.tiff")).unwrap()
}

fn objects(store: &Store) -> Vec<(String, Vec<u8>)> {
    let keys = store.list("").unwrap().into_iter().map(|(key, _)| key);
    keys.map(|key| (key.clone(), store.get(&key).unwrap().unwrap().to_vec())).collect()
}

#[test]
fn progress_ends_at_the_total_and_the_report_counts_what_was_written() {
    let (store, job) = (Store::memory(), Job::new());
    let report = convert(&cells(), &store, &Options::default(), &job).unwrap();
    assert_eq!(job.progress.done(), job.progress.total());
    assert_eq!((report.objects, report.bytes), (job.progress.objects(), job.progress.written()));
    assert!(store.exists("zarr.json").unwrap());
}

#[test]
fn a_cancelled_conversion_does_not_look_complete_and_is_resumed_to_the_same_bytes() {
    let (whole, store) = (Store::memory(), Store::memory());
    convert(&cells(), &whole, &Options::default(), &Job::new()).unwrap();
    let job = Job::new();
    job.cancel.cancel();
    assert!(matches!(convert(&cells(), &store, &Options::default(), &job), Err(Error::Interrupted)));
    assert!(!store.exists("zarr.json").unwrap());
    let mut options = Options::default();
    options.existing = Existing::Resume;
    convert(&cells(), &store, &options, &Job::new()).unwrap();
    assert_eq!(objects(&store), objects(&whole));
}

#[test]
fn shares_make_the_same_store_as_one_process() {
    let mut options = Options::default();
    options.chunk = ChunkChoice::Size(64, 64);
    let (whole, store) = (Store::memory(), Store::memory());
    convert(&cells(), &whole, &options, &Job::new()).unwrap();
    assert!(matches!(planned(&store), Err(Error::NoPlan(_))));
    let plan = prepare(&cells(), &store, &options, Job::new().memory).unwrap();
    assert_eq!(planned(&store).unwrap(), plan);
    for number in [2, 1, 3] {
        run_share(&cells(), &store, &options, Share { number, of: 3 }, &Job::new()).unwrap();
    }
    commit(&cells(), &store, &options, &Job::new()).unwrap();
    assert_eq!(objects(&store), objects(&whole));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let store = Store::memory();
    let job = Job::new().with_memory(1 << 10);
    assert!(matches!(convert(&cells(), &store, &Options::default(), &job), Err(Error::Memory { .. })));
    let mut options = Options::default();
    options.chunk = ChunkChoice::Size(0, 64);
    assert!(matches!(Plan::new(&cells(), &options, 1 << 30), Err(Error::ChunkSize(0, 64))));
    options = Options::default();
    options.decode = false;
    assert!(matches!(Plan::new(&cells(), &options, 1 << 30), Err(Error::NeedsSamples)));
    assert!(store.list("").unwrap().is_empty());
}

#[test]
fn messages_of_the_library_name_no_options_of_a_program() {
    let store = Store::memory();
    convert(&cells(), &store, &Options::default(), &Job::new()).unwrap();
    let exists = convert(&cells(), &store, &Options::default(), &Job::new()).unwrap_err();
    assert!(matches!(exists, Error::Exists(_)));
    assert!(!exists.to_string().contains("--"), "{exists}");
}

#[test]
fn a_late_task_writes_nothing_where_another_conversion_was_finished() {
    let mut options = Options::default();
    options.chunk = ChunkChoice::Size(64, 64);
    let store = Store::memory();
    prepare(&cells(), &store, &options, Job::new().memory).unwrap();
    run_share(&cells(), &store, &options, Share::ALL, &Job::new()).unwrap();
    commit(&cells(), &store, &options, &Job::new()).unwrap();
    let finished = objects(&store);
    // No plan: whoever comes late learns that before anything else.
    let late = run_share(&cells(), &store, &options, Share::ALL, &Job::new());
    assert!(matches!(late, Err(Error::NoPlan(_))));
    assert_eq!(objects(&store), finished);
}

#[test]
fn a_task_of_a_complete_store_that_was_not_cleaned_up_does_nothing() {
    let options = Options::default();
    let store = Store::memory();
    prepare(&cells(), &store, &options, Job::new().memory).unwrap();
    assert!(run_share(&cells(), &store, &options, Share::ALL, &Job::new()).unwrap());
    let plan = store.get(".fairzarr/plan.json").unwrap().unwrap();
    commit(&cells(), &store, &options, &Job::new()).unwrap();
    store.put(".fairzarr/plan.json", plan).unwrap();
    let before = objects(&store);
    assert!(!run_share(&cells(), &store, &options, Share::ALL, &Job::new()).unwrap());
    assert_eq!(objects(&store), before);
    // And a repeated commit cleans up.
    commit(&cells(), &store, &options, &Job::new()).unwrap();
    assert!(!store.exists(".fairzarr/plan.json").unwrap());
}
