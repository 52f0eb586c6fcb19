//! What a split conversion and a small one ask of an object store: requests are counted, since each costs its latency.

use std::time::Duration;

use crate::servers::proxy::Fault;
use crate::support::cells;
use crate::support::tiff::{Blocks, Sample, Tiff};
use crate::{Site, text};

/// Many tasks: 40 planes, each of them one.
fn planes() -> Tiff {
    Tiff { blocks: Blocks::Tiles(64, 64), ..Tiff::of(Sample::U16, [10, 2, 2, 130, 140]) }
}

/// The number of requests of each of `of` tasks of a conversion, one after the other.
fn requests_of_tasks(site: &Site, target: &str, source: &str, of: u32) -> Vec<usize> {
    let task = |number| {
        site.proxy.forget();
        site.fairzarr(["run", source, target, "--task", &format!("{number}/{of}")]).done();
        site.proxy.seen().len()
    };
    (1..=of).map(task).collect()
}

#[test]
fn a_task_reads_no_journal_of_others() {
    let site = Site::new();
    let source = site.local("source.ome.tiff");
    planes().write(&source);
    let (source, target) = (text(&source), "s3://bucket/split.ome.zarr");
    site.fairzarr(["plan", &source, target]).done();
    let counts = requests_of_tasks(&site, target, &source, 10);
    // All have as much to do. A mark may be renewed in between.
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(most - least <= 4, "{counts:?}");
    let read = |request: &crate::servers::proxy::Request| {
        request.method == "GET" && request.target.contains(".fairzarr/journal/")
    };
    assert!(!site.proxy.seen().iter().any(read), "the last task read what others had recorded");
    // A task that is repeated reads what it has recorded itself, and writes nothing again.
    site.proxy.forget();
    site.fairzarr(["run", &source, target, "--task", "4/10"]).done();
    let seen = site.proxy.seen();
    assert!(!seen.iter().any(|request| request.method == "PUT" && request.target.contains("/c/")));
    assert!(seen.iter().filter(|request| read(request)).all(|request| request.target.contains("4of10")));
    // Whoever joins them reads each of the ten segments once.
    site.proxy.forget();
    site.fairzarr(["commit", &source, target]).done();
    assert_eq!(site.proxy.seen().iter().filter(|request| read(request)).count(), 10);
    let local = site.local("local.zarr");
    site.fairzarr(["convert", &source, &text(&local)]).done();
    site.assert_stored("split.ome.zarr", &local);
}

#[test]
fn a_task_beyond_the_work_says_that_it_has_none() {
    let site = Site::new();
    let (source, target) = (text(&cells()), "s3://bucket/x.ome.zarr");
    site.fairzarr(["plan", &source, target]).done();
    let mut idle = 0;
    for number in 1..=100 {
        if ![1, 2, 50, 99, 100].contains(&number) {
            continue;
        }
        let told = site.fairzarr(["run", &source, target, "--task", &format!("{number}/100")]).done();
        idle += usize::from(told.err.contains(&format!("task {number}/100 has nothing to do")));
    }
    assert!(idle >= 2, "{idle}");
    site.fairzarr(["run", &source, target, "--task", "1/1"]).done();
    site.fairzarr(["commit", &source, target]).done();
    site.fairzarr(["verify", &source, target]).done();
}

#[test]
fn a_small_image_costs_few_requests_and_fewer_in_series() {
    let site = Site::with_faults(|_| Fault::Delay(Duration::from_millis(150)));
    let source = site.local("small.ome.tiff");
    Tiff::of(Sample::U16, [1, 1, 1, 100, 90]).write(&source);
    site.fairzarr(["convert", &text(&source), "s3://bucket/x.ome.zarr"]).done();
    let (all, in_series) = (site.proxy.seen().len(), site.proxy.in_series());
    let names: Vec<_> =
        site.proxy.seen().iter().map(|request| format!("{} {}", request.method, request.target)).collect();
    assert!(in_series <= SERIES && all <= ALL, "{in_series} of {all} in series: {names:#?}");
}

/// Requests of a conversion of one chunk: in series, and all of them. Ten of them are the objects of the store.
const SERIES: usize = 12;
const ALL: usize = 26;
