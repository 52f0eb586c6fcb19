//! A disk or server that fails while a set is opened or read: an error that says so, and never a set that is another than
//! the one that would be read a minute later.
#![allow(clippy::unwrap_used)]

use fairzarr_ome_tiff::{ByteSource, Error, Fileset, Folder, OnMissing, OpenOptions, Opener};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// EIO, ESTALE, ENOMEM.
const FAULTS: [i32; 3] = [5, 116, 12];

/// A folder whose storage fails once, at the call of this number.
struct Failing {
    folder: Folder,
    calls: Arc<AtomicU64>,
    at: u64,
    code: i32,
}

impl Failing {
    fn call(&self) -> io::Result<()> {
        fault(&self.calls, self.at, self.code)
    }
}

fn fault(calls: &AtomicU64, at: u64, code: i32) -> io::Result<()> {
    if calls.fetch_add(1, Ordering::Relaxed) == at { Err(io::Error::from_raw_os_error(code)) } else { Ok(()) }
}

impl Opener for Failing {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>> {
        self.call()?;
        let (calls, at, code) = (Arc::clone(&self.calls), self.at, self.code);
        Ok(Arc::new(FailingSource { source: self.folder.open(name)?, calls, at, code }))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.call()?;
        self.folder.list()
    }
}

struct FailingSource {
    source: Arc<dyn ByteSource>,
    calls: Arc<AtomicU64>,
    at: u64,
    code: i32,
}

impl ByteSource for FailingSource {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        fault(&self.calls, self.at, self.code)?;
        self.source.read_at(offset, buf)
    }
}

/// What is seen of a set, or the number of the error that stopped it.
fn seen(name: &str, at: u64, code: i32) -> (Result<String, Option<i32>>, u64) {
    let calls = Arc::new(AtomicU64::new(0));
    let folder = Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"));
    let opener = Failing { folder, calls: Arc::clone(&calls), at, code };
    let mut options = OpenOptions::default();
    options.on_missing = OnMissing::Fill;
    let outcome = Fileset::open_with(Arc::new(opener), name, options).and_then(|set| {
        let tags: Vec<_> = set.original_metadata().map(|page| format!("{page:?}")).collect();
        set.check_storage()?;
        let images: Vec<_> = set.images().iter().map(|image| format!("{:?}", image.levels())).collect();
        Ok(format!("{tags:?} {images:?} {:?} {:?}", set.warnings(), set.unmapped()))
    });
    let outcome = outcome.map_err(|error| match error {
        Error::Io { source, .. } => source.raw_os_error(),
        // Another error than that of the storage tells something false of the file.
        _ => None,
    });
    (outcome, calls.load(Ordering::Relaxed))
}

#[test]
fn a_failure_of_the_storage_is_told_wherever_it_happens() {
    for name in ["pyramid.ome.tif", "plain.tif", "imagej.tif", "rgb.ome.tif"] {
        let (whole, calls) = seen(name, u64::MAX, 0);
        assert!(whole.is_ok() && calls > 2, "{name}: {whole:?}");
        for code in FAULTS {
            for at in 0..calls {
                let (outcome, _) = seen(name, at, code);
                assert!(
                    outcome == Err(Some(code)) || outcome == whole,
                    "{name}: failure {code} of call {at} of {calls} became content"
                );
            }
        }
    }
}
