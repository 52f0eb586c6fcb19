//! Conversion from and to object stores: the same bytes as on disk.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::servers::proxy::Fault;
use crate::servers::web::{Abilities, Web};
use crate::support::tiff::{Blocks, Picture, Sample, Tiff};
use crate::support::{assert_same_tree, cells};
use crate::{Site, text};

fn stack() -> Tiff {
    Tiff { blocks: Blocks::Tiles(64, 64), ..Tiff::of(Sample::U16, [2, 2, 3, 300, 270]) }
}

#[test]
fn a_store_on_s3_has_the_bytes_of_a_local_one() {
    let site = Site::new();
    let source = site.local("source.ome.tiff");
    stack().write(&source);
    for (name, options) in [
        ("plain", &[][..]),
        ("old", &["--ngff", "0.4"][..]),
        ("sharded", &["--chunk", "64", "--shard", "128"][..]),
        ("collection", &["--layout", "bioformats2raw"][..]),
    ] {
        let (local, remote) = (site.local(name), format!("s3://bucket/deep/{name}.ome.zarr"));
        let run = |target: &str| {
            let args = ["convert".to_owned(), text(&source), target.to_owned()];
            site.fairzarr(args.iter().map(String::as_str).chain(options.iter().copied())).done()
        };
        run(&text(&local));
        run(&remote);
        site.assert_stored(&format!("deep/{name}.ome.zarr"), &local);
        site.fairzarr(["verify", &text(&source), &remote]).done();
        site.fairzarr(["verify", &remote]).done();
        let told = site.fairzarr(["inspect", &remote]).done().out;
        assert!(told.contains("t=2 c=2 z=3 y=300 x=270"), "{told}");
    }
    assert_eq!(site.server.debris(), [""; 0]);
}

#[test]
fn a_remote_file_converts_like_a_local_one() {
    let site = Site::new();
    let web = Web::start(Abilities::default());
    let bytes = std::fs::read(cells()).unwrap();
    web.put("data/cells.ome.tiff", &bytes);
    std::fs::write(site.stored("cells.ome.tiff"), &bytes).unwrap();
    let local = site.local("local.zarr");
    // Of a remote file there is no checksum unless asked for.
    site.fairzarr(["convert", &text(&cells()), &text(&local), "--source-checksum", "none"]).done();
    for (n, source) in
        [web.url("data/cells.ome.tiff"), "s3://bucket/cells.ome.tiff".into()].iter().enumerate()
    {
        let target = site.local(&format!("{n}.zarr"));
        // Settings for one of the two places do not disturb the other.
        site.fairzarr(["convert", source, &text(&target), "--store-option", "aws_request_payer=false"])
            .done();
        assert_same_tree(&target, &local);
        site.fairzarr(["verify", source, &text(&target)]).done();
        let remote = format!("s3://bucket/{n}.zarr");
        site.fairzarr(["convert", source, &remote]).done();
        site.assert_stored(&format!("{n}.zarr"), &local);
    }
}

#[test]
fn a_store_that_is_there_is_kept_and_a_second_writer_refused() {
    let site = Site::new();
    let (source, target) = (text(&cells()), "s3://bucket/x.ome.zarr");
    site.fairzarr(["convert", &source, target]).done();
    let refused = site.fairzarr(["convert", &source, target]).ends_with(9);
    assert!(refused.message().contains("exists already"), "{refused:?}");
    // A prefix cannot be exchanged, and that is said.
    let told = site.fairzarr(["convert", &source, target, "--overwrite", "--preset", "fast"]).done();
    assert!(told.err.contains("the old store is removed before the new one is whole"), "{told:?}");
    site.fairzarr(["verify", &source, target]).done();

    // Two at the same time: this server's conditional writes do not exclude each other, so that both may go on; since
    // both write the same, the result is whole.
    let target = "s3://bucket/race.ome.zarr";
    let children: Vec<_> = (0..2).map(|_| site.start(["convert", &source, target])).collect();
    let codes: Vec<_> = children.into_iter().map(|mut child| child.wait().unwrap().code()).collect();
    assert!(
        codes.contains(&Some(0)) && codes.iter().all(|code| matches!(code, Some(0 | 4 | 10))),
        "{codes:?}"
    );
    site.fairzarr(["verify", &source, target]).done();
}

#[test]
fn an_interrupted_conversion_leaves_no_debris_and_is_resumed() {
    // Objects that go up in parts, over a line that is slow enough to be cut.
    let site = Site::with_faults(|request| {
        let part = request.target.contains("partNumber=");
        if part { Fault::Delay(Duration::from_millis(400)) } else { Fault::None }
    });
    let source = site.local("source.ome.tiff");
    let picture = Picture { sample: Sample::U16, size: [1, 1, 4, 3072, 3072], interleaved: 1 };
    Tiff { blocks: Blocks::Tiles(512, 512), ..Tiff::many(vec![picture]) }.write(&source);
    let whole = site.local("whole.zarr");
    let options = ["--codec", "none", "--shard", "3072", "--jobs", "1"];
    let args = |target: &str, more: &[&str]| -> Vec<String> {
        let base = ["convert".to_owned(), text(&source), target.to_owned()];
        base.into_iter().chain([&options[..], more].concat().into_iter().map(str::to_owned)).collect()
    };
    site.fairzarr(args(&text(&whole), &[])).done();

    let target = "s3://bucket/x.ome.zarr";
    let mut child = site.start(args(target, &[]));
    let start = Instant::now();
    while !site.proxy.seen().iter().any(|request| request.target.contains("partNumber=")) {
        assert!(start.elapsed() < Duration::from_mins(1), "no upload in parts");
        std::thread::sleep(Duration::from_millis(10));
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).output().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(site.server.debris(), [""; 0]);
    assert!(!site.stored("x.ome.zarr/zarr.json").exists());
    let refused = site.fairzarr(["verify", &text(&source), target]).ends_with(12);
    assert!(refused.message().contains("--resume"), "{refused:?}");
    site.fairzarr(args(target, &["--resume"])).done();
    site.assert_stored("x.ome.zarr", &whole);
}

#[test]
fn the_parts_of_a_split_conversion_meet_on_s3() {
    let site = Site::new();
    let source = site.local("source.ome.tiff");
    stack().write(&source);
    let (source, local, target) = (text(&source), site.local("local.zarr"), "s3://bucket/split.ome.zarr");
    site.fairzarr(["convert", &source, &text(&local)]).done();
    site.fairzarr(["plan", &source, target]).done();
    for task in ["2/2", "1/2"] {
        site.fairzarr(["run", &source, target, "--task", task]).done();
    }
    site.fairzarr(["commit", &source, target]).done();
    site.assert_stored("split.ome.zarr", &local);
}
