//! A bad network under whole conversions: the same store in the end, or a clear failure and nothing that looks whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::servers::proxy::Fault;
use crate::support::cells;
use crate::support::tiff::{Blocks, Sample, Tiff};
use crate::{Site, text};

/// One request in four meets a fault that passes.
fn bad_network() -> Site {
    let dice = AtomicU64::new(2026);
    Site::with_faults(move |_| {
        let next = |old: u64| Some(old.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        let roll = dice.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).unwrap() >> 33;
        match roll % 24 {
            0 => Fault::Reset,
            1 => Fault::Refuse(503),
            2 => Fault::Refuse(500),
            3 => Fault::Delay(Duration::from_millis(300)),
            4 => Fault::Truncate,
            5 => Fault::LoseAnswer,
            _ => Fault::None,
        }
    })
}

#[test]
fn faults_that_pass_change_nothing() {
    let site = bad_network();
    let source = site.local("source.ome.tiff");
    Tiff { blocks: Blocks::Tiles(64, 64), ..Tiff::of(Sample::U16, [1, 2, 2, 300, 270]) }.write(&source);
    let local = site.local("local.zarr");
    site.fairzarr(["convert", &text(&source), &text(&local), "--chunk", "128"]).done();
    std::fs::copy(&source, site.stored("source.ome.tiff")).unwrap();
    let (source, target) = ("s3://bucket/source.ome.tiff", "s3://bucket/x.ome.zarr");
    let checksum = ["--source-checksum", "sha256"];
    site.fairzarr([&["convert", source, target, "--chunk", "128"][..], &checksum].concat()).done();
    site.assert_stored("x.ome.zarr", &local);
    site.fairzarr(["verify", source, target]).done();
    site.fairzarr(["copy", target, "s3://bucket/y.ome.zarr"]).done();
    site.assert_stored("y.ome.zarr", &local);
    assert_eq!(site.server.debris(), [""; 0]);
}

/// Every fault that passes, for every command that moves or proves data: the first time that something is asked.
#[test]
fn each_command_survives_each_fault() {
    let faults = [
        Fault::Reset,
        Fault::Refuse(503),
        Fault::Delay(Duration::from_millis(400)),
        Fault::Truncate,
        Fault::LoseAnswer,
    ];
    for fault in faults {
        let site = Site::with_faults(move |request| {
            let chosen = request.earlier == 0 && request.target.len() % 3 == 0;
            if chosen { fault } else { Fault::None }
        });
        let source = text(&cells());
        let local = site.local("local.zarr");
        site.fairzarr(["convert", &source, &text(&local)]).done();
        let (first, second) = ("s3://bucket/a.ome.zarr", "s3://bucket/b.ome.zarr");
        site.fairzarr(["convert", &source, first]).done();
        site.assert_stored("a.ome.zarr", &local);
        site.fairzarr(["copy", first, second]).done();
        site.assert_stored("b.ome.zarr", &local);
        site.fairzarr(["verify", &source, second]).done();
        site.fairzarr(["verify", second]).done();

        // What is missing and what is damaged is written again.
        std::fs::remove_file(site.stored("b.ome.zarr/OME/METADATA.ome.xml")).unwrap();
        std::fs::write(site.stored("b.ome.zarr/OME/zarr.json"), "{}").unwrap();
        site.fairzarr(["copy", first, second, "--resume"]).done();
        site.assert_stored("b.ome.zarr", &local);
        site.fairzarr(["copy", second, "s3://bucket/c.ozx"]).done();
        site.fairzarr(["verify", &source, "s3://bucket/c.ozx"]).done();
        assert_eq!(site.server.debris(), [""; 0], "{fault:?}");
    }
}

#[test]
fn a_conversion_that_a_dead_line_stops_is_resumed() {
    for fault in [Fault::Refuse(403), Fault::Refuse(400)] {
        let down = Arc::new(AtomicBool::new(true));
        let broken = Arc::clone(&down);
        // From the fifth chunk on, nothing is taken any more.
        let chunks = AtomicU64::new(0);
        let site = Site::with_faults(move |request| {
            let chunk = request.method == "PUT" && request.target.contains("/c/");
            let late = chunk && chunks.fetch_add(1, Ordering::SeqCst) >= 4;
            if late && broken.load(Ordering::SeqCst) { fault } else { Fault::None }
        });
        let (source, local) = (text(&cells()), site.local("local.zarr"));
        site.fairzarr(["convert", &source, &text(&local)]).done();
        let target = "s3://bucket/x.ome.zarr";
        let failed = site.fairzarr(["convert", &source, target]).ends_with(4);
        assert!(failed.message().contains("/c/"), "{failed:?}");
        assert!(!site.stored("x.ome.zarr/zarr.json").exists());
        down.store(false, Ordering::SeqCst);
        site.fairzarr(["convert", &source, target, "--resume"]).done();
        site.assert_stored("x.ome.zarr", &local);
        assert_eq!(site.server.debris(), [""; 0]);
    }
}

#[test]
fn what_cannot_be_written_is_told() {
    // Chunks, metadata, the root: wherever it happens.
    for part in ["/0/c/", "/OME/", "x.ome.zarr/zarr.json", "plan.json"] {
        let site = Site::with_faults(move |request| {
            let chosen = request.method == "PUT" && request.target.contains(part);
            if chosen { Fault::Refuse(403) } else { Fault::None }
        });
        let failed = site.fairzarr(["convert", &text(&cells()), "s3://bucket/x.ome.zarr"]).ends_with(4);
        assert!(failed.message().contains("permission denied"), "{part}: {failed:?}");
        assert!(!site.stored("x.ome.zarr/zarr.json").exists(), "{part}");
        assert_eq!(site.server.debris(), [""; 0]);
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let site = Site::with_faults(|request| {
        let late = request.head.to_ascii_lowercase().contains("range: bytes=") && request.method == "GET";
        if late && !request.head.contains("bytes=0-") { Fault::Refuse(403) } else { Fault::None }
    });
    let source = site.local("source.ome.tiff");
    Tiff::of(Sample::U16, [1, 1, 3, 300, 270]).write(&source);
    std::fs::copy(&source, site.stored("source.ome.tiff")).unwrap();
    let target = site.local("x.zarr");
    let failed = site.fairzarr(["convert", "s3://bucket/source.ome.tiff", &text(&target)]).ends_with(3);
    assert!(failed.message().contains("source.ome.tiff"), "{failed:?}");
    assert!(!target.join("zarr.json").exists());
}

#[test]
fn a_server_that_fails_is_no_difference_of_what_it_holds() {
    // Chunks alone: metadata are read, and with them everything looks as if the store were damaged.
    for (fault, code) in [(Fault::Refuse(503), 11), (Fault::Refuse(403), 3)] {
        let site = Site::with_faults(move |request| {
            let chunk = request.method == "GET" && request.target.contains("/0/c/");
            if chunk { fault } else { Fault::None }
        });
        let (source, store) = (text(&cells()), "s3://bucket/x.ome.zarr");
        site.fairzarr(["convert", &source, store]).done();
        let exported = text(&site.local("x.ome.tiff"));
        let commands = [
            vec!["verify", &source, store],
            vec!["verify", store],
            vec!["export", store, &exported],
            vec!["copy", store, "s3://bucket/y.ome.zarr"],
        ];
        for command in commands {
            let stopped = site.fairzarr([&command[..], &["--retry-for", "1s"]].concat()).ends_with(code);
            assert!(stopped.message().contains("/c/"), "{stopped:?}");
            assert!(!stopped.out.contains("differ"), "{stopped:?}");
        }
    }
}
