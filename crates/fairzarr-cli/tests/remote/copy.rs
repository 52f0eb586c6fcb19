//! `fairzarr copy` between directories and object stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::pages;
use crate::plate::Plate;
use crate::servers::proxy::Fault;
use crate::servers::web::{Abilities, Web};
use crate::support::tiff::{Blocks, Picture, Sample, Tiff};
use crate::support::{assert_same_tree, cells};
use crate::{Site, text};

fn original(site: &Site) -> String {
    let original = text(&site.local("original.ome.zarr"));
    site.fairzarr(["convert", &text(&cells()), &original]).done();
    original
}

#[test]
fn there_and_back_again() {
    let site = Site::new();
    let original = original(&site);
    let (remote, other) = ("s3://bucket/a.ome.zarr", "s3://bucket/b.ome.zarr");
    let back = text(&site.local("back.ome.zarr"));
    for (n, (from, to)) in [(original.as_str(), remote), (remote, other), (other, &back)].iter().enumerate() {
        let check = ["full", "size", "none"][n];
        let told = site.fairzarr(["copy", from, to, "--verify", check, "--json"]).done().json();
        assert_eq!(told["kept"], 0);
        assert_eq!(told["verified"], check);
    }
    assert_same_tree(back.as_ref(), original.as_ref());
    site.fairzarr(["verify", &text(&cells()), &back]).done();

    // The root document is the last that is written.
    let puts: Vec<_> = site.proxy.seen().into_iter().filter(|request| request.method == "PUT").collect();
    let first = puts.iter().position(|request| request.target.contains("/b.ome.zarr/")).unwrap();
    assert!(puts[first - 1].target.ends_with("/a.ome.zarr/zarr.json"), "{}", puts[first - 1].target);
}

#[test]
fn a_web_server_is_copied_by_the_names_in_the_metadata() {
    let plate = Plate { wells: 3, fields: 2 };
    for options in [["--ngff", "0.4"], ["--ngff", "0.5"]] {
        let site = Site::new();
        let (source, local) = (site.local("plate.ome.tiff"), site.local("plate.ome.zarr"));
        pages::tiff(&source, &plate.ome(), 4 * plate.images());
        let (from, to) = (text(&source), text(&local));
        site.fairzarr([&["convert", &from, &to, "--no-consolidated"][..], &options].concat()).done();
        let serve = |without: &[&str]| {
            let web = Web::start(Abilities::default());
            for (key, bytes) in crate::support::tree(&local) {
                if !without.contains(&key.as_str()) && !key.ends_with('/') {
                    web.put(&format!("p.ome.zarr/{key}"), &bytes);
                }
            }
            web
        };
        let web = serve(&[]);
        let copied = site.local("copied.ome.zarr");
        site.fairzarr(["copy", &web.url("p.ome.zarr"), &text(&copied)]).done();
        assert_same_tree(&copied, &local);

        // Without a manifest, as stores of others are: all nodes are found, and what no metadata name is not.
        let web = serve(&["OME/manifest.json"]);
        let bare = site.local("bare.ome.zarr");
        site.fairzarr(["copy", &web.url("p.ome.zarr"), &text(&bare)]).done();
        let keys = |root: &std::path::Path| -> Vec<String> {
            let tree = crate::support::tree(root);
            tree.into_keys().filter(|key| !key.starts_with("OME/") && !key.ends_with('/')).collect()
        };
        assert_eq!(keys(&bare), keys(&local));
        site.fairzarr(["inspect", &text(&bare)]).done();

        // A chunk that a conversion has written and the server has not is no chunk of nothing.
        let chunk = keys(&local).into_iter().find(|key| key.ends_with("0/0/0/0/0")).unwrap();
        let web = serve(&[&chunk]);
        let broken = site.local("broken.ome.zarr");
        let refused = site.fairzarr(["copy", &web.url("p.ome.zarr"), &text(&broken)]).ends_with(3);
        assert!(refused.message().contains(&chunk), "{refused:?}");
        assert!(!broken.exists());
    }
}

#[test]
fn what_is_there_already_is_refused_or_kept() {
    let site = Site::new();
    let (original, target) = (original(&site), "s3://bucket/x.ome.zarr");
    site.fairzarr(["copy", &original, target]).done();
    let refused = site.fairzarr(["copy", &original, target]).ends_with(8);
    assert!(refused.message().contains("exists already"), "{refused:?}");

    // A damaged object is found and written anew, all others are kept.
    let chunk = site.stored("x.ome.zarr/OME/METADATA.ome.xml");
    let mut bytes = std::fs::read(&chunk).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&chunk, bytes).unwrap();
    let told = site.fairzarr(["copy", &original, target, "--resume", "--json"]).done().json();
    assert_eq!(told["objects"].as_u64().unwrap() - 1, told["kept"].as_u64().unwrap());
    site.assert_stored("x.ome.zarr", original.as_ref());
}

#[test]
fn a_copy_that_fails_does_not_look_complete_and_is_finished_later() {
    let down = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&down);
    let site = Site::with_faults(move |request| {
        let refused = request.method == "PUT" && request.target.contains("METADATA");
        if refused && broken.load(Ordering::SeqCst) { Fault::Refuse(403) } else { Fault::None }
    });
    let (original, target) = (original(&site), "s3://bucket/x.ome.zarr");
    let failed = site.fairzarr(["copy", &original, target]).ends_with(4);
    assert!(failed.message().contains("METADATA.ome.xml"), "{failed:?}");
    assert!(!site.stored("x.ome.zarr/zarr.json").exists());
    down.store(false, Ordering::SeqCst);
    site.fairzarr(["copy", &original, target, "--resume"]).done();
    site.assert_stored("x.ome.zarr", original.as_ref());
}

#[test]
fn large_objects_pass_piece_by_piece() {
    let site = Site::new();
    let source = site.local("source.ome.tiff");
    let picture = Picture { sample: Sample::U16, size: [1, 1, 1, 5120, 5120], interleaved: 1 };
    Tiff { blocks: Blocks::Tiles(512, 512), ..Tiff::many(vec![picture]) }.write(&source);
    let original = site.local("original.ome.zarr");
    let shard = ["--codec", "none", "--shard", "5120"];
    let (from, to) = (text(&source), text(&original));
    site.fairzarr(["convert", &from, &to].iter().chain(&shard)).done();
    let largest = std::fs::metadata(original.join("0/c/0/0/0/0/0")).unwrap().len();
    assert!(largest > 50 << 20, "{largest}");

    let (remote, other, packed) = ("s3://bucket/a.ome.zarr", "s3://bucket/b.ome.zarr", "s3://bucket/c.ozx");
    let back = site.local("back.ome.zarr");
    for (from, to) in [(to.as_str(), remote), (remote, other), (other, packed), (packed, &text(&back))] {
        let copied = peak_memory(&site, ["copy", from, to, "--memory", "64M"]);
        // The budget, what one large object needs, and the program itself; the object has 50 MiB more than that.
        assert!(copied.is_none_or(|peak| peak < 160 << 20), "{from} to {to}: {copied:?} bytes");
    }
    site.assert_stored("b.ome.zarr", &original);
    assert_same_tree(&back, &original);
    assert_eq!(site.server.debris(), [""; 0]);

    // One damaged bit in the middle of it is found and mended.
    let chunk = site.stored("b.ome.zarr/0/c/0/0/0/0/0");
    let mut bytes = std::fs::read(&chunk).unwrap();
    bytes[30 << 20] ^= 1;
    std::fs::write(&chunk, bytes).unwrap();
    let told = site.fairzarr(["copy", remote, other, "--resume", "--json"]).done().json();
    assert_eq!(told["objects"].as_u64().unwrap() - 1, told["kept"].as_u64().unwrap());
    site.assert_stored("b.ome.zarr", &original);
}

/// Runs the program and tells its peak memory in bytes, where the system does.
fn peak_memory<const N: usize>(site: &Site, args: [&str; N]) -> Option<u64> {
    let mut child = site.start(args);
    let mut peak = None;
    let code = loop {
        // The high-water mark, as far as it can be seen before the process is gone.
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let now = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak = now.map(|kib: u64| kib << 10).max(peak);
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert_eq!(code, Some(0), "{args:?}");
    peak
}
