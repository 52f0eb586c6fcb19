//! A store goes back to OME-TIFF by the library, and the file is what the store holds.
#![allow(clippy::unwrap_used)]

use fairzarr_convert::convert;
use fairzarr_export::{Error, Options, export};
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use fairzarr_task::Job;
use fairzarr_verify::verify;

fn converted() -> Store {
    let cells = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/cells.ome.tiff");
    let store = Store::memory();
    let options = fairzarr_convert::Options::default();
    convert(&Fileset::open(cells).unwrap(), &store, &options, &Job::new()).unwrap();
    store
}

#[test]
fn what_is_exported_is_proved_to_be_the_store() {
    let (store, dir, job) = (converted(), tempfile::tempdir().unwrap(), Job::new());
    let target = dir.path().join("back.ome.tiff");
    let report = export(&store, &target, &Options::default(), &job).unwrap();
    assert_eq!((report.images, job.progress.done()), (1, job.progress.total()));
    let back = Fileset::open(&target).unwrap();
    let proofs = verify(&back, &store, &fairzarr_verify::Options::default(), &Job::new()).unwrap();
    assert!(proofs.holds(), "{proofs}");
}

#[test]
fn a_cancelled_export_leaves_no_file_and_one_that_exists_is_kept() {
    let (store, dir, job) = (converted(), tempfile::tempdir().unwrap(), Job::new());
    let target = dir.path().join("back.ome.tiff");
    job.cancel.cancel();
    assert!(matches!(export(&store, &target, &Options::default(), &job), Err(Error::Interrupted)));
    assert_eq!(dir.path().read_dir().unwrap().count(), 0);
    std::fs::write(&target, "mine").unwrap();
    let refused = export(&store, &target, &Options::default(), &Job::new());
    assert!(matches!(refused, Err(Error::Exists(_))));
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
}
