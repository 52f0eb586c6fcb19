//! Stores in one file (`.ozx`): made, read wherever they are, and never half there.

use crate::servers::proxy::Fault;
use crate::servers::web::{Abilities, Web};
use crate::support::{assert_same_tree, cells};
use crate::{Site, text};

#[test]
fn made_and_read_wherever_they_are() {
    let site = Site::new();
    let source = text(&cells());
    let (store, local) = (site.local("x.ome.zarr"), site.local("x.ozx"));
    site.fairzarr(["convert", &source, &text(&store)]).done();
    let told = site.fairzarr(["copy", &text(&store), &text(&local), "--json"]).done().json();
    assert_eq!((told["kept"].as_u64(), told["verified"].as_str()), (Some(0), Some("full")));
    let remote = "s3://bucket/x.ozx";
    site.fairzarr(["copy", &text(&store), remote]).done();
    let web = Web::start(Abilities::default());
    web.put("x.ozx", &std::fs::read(&local).unwrap());
    for (n, place) in [text(&local), remote.into(), web.url("x.ozx")].iter().enumerate() {
        site.fairzarr(["inspect", place]).done();
        site.fairzarr(["verify", &source, place]).done();
        site.fairzarr(["verify", place]).done();
        let original = site.fairzarr(["extract", place, "--as", "original"]).done().out;
        assert!(original.contains("<OME "), "{original}");
        let checked = site.fairzarr(["check", place]);
        assert!(checked.code.is_some_and(|code| code <= 1), "{checked:?}");
        site.fairzarr(["qc", place]).done();
        // An archive has its listing within, so that it can be copied also from a web server.
        let back = site.local(&format!("{n}.ome.zarr"));
        site.fairzarr(["copy", place, &text(&back)]).done();
        assert_same_tree(&back, &store);
    }
    // A conversion makes the same file, and leaves nothing beside it.
    let direct = site.local("direct.ozx");
    site.fairzarr(["convert", &source, &text(&direct)]).done();
    assert!(std::fs::read(&direct).unwrap() == std::fs::read(&local).unwrap());
    assert!(!site.local("direct.ozx.unpacked").join("zarr.json").exists());
    assert_eq!(site.server.debris(), [""; 0]);
}

#[test]
fn a_remote_archive_is_described_with_few_requests() {
    let site = Site::new();
    site.fairzarr(["convert", &text(&cells()), "s3://bucket/x.ozx"]).done();
    let before = site.proxy.seen().len();
    site.fairzarr(["inspect", "s3://bucket/x.ozx"]).done();
    let asked = site.proxy.seen().len() - before;
    assert!(asked <= 4, "{asked} requests");
}

#[test]
fn what_is_there_is_kept_and_compared() {
    let site = Site::new();
    let (store, target) = (text(&site.local("x.ome.zarr")), text(&site.local("x.ozx")));
    site.fairzarr(["convert", &text(&cells()), &store]).done();
    site.fairzarr(["copy", &store, &target]).done();
    let refused = site.fairzarr(["copy", &store, &target]).ends_with(8);
    assert!(refused.message().contains("exists already"), "{refused:?}");
    site.fairzarr(["convert", &text(&cells()), &target]).ends_with(9);
    let told = site.fairzarr(["copy", &store, &target, "--resume", "--json"]).done().json();
    assert_eq!(told["kept"], told["objects"]);

    // One damaged byte of a chunk.
    let mut bytes = std::fs::read(&target).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&target, bytes).unwrap();
    let told = site.fairzarr(["verify", &target]);
    assert_eq!(told.code, Some(1), "{told:?}");
    let differs = site.fairzarr(["copy", &store, &target, "--resume"]);
    assert!(matches!(differs.code, Some(1 | 4)), "{differs:?}");
    site.fairzarr(["convert", &text(&cells()), &target, "--overwrite"]).done();
    site.fairzarr(["verify", &text(&cells()), &target]).done();
}

#[test]
fn what_cannot_be_packed_is_told() {
    let site = Site::new();
    let (store, target) = (text(&site.local("x.ome.zarr")), text(&site.local("x.ozx")));
    site.fairzarr(["convert", &text(&cells()), &store, "--ngff", "0.4"]).done();
    let refused = site.fairzarr(["copy", &store, &target]).ends_with(3);
    assert!(refused.message().contains("Zarr v3"), "{refused:?}");
    assert!(!site.local("x.ozx").exists());
    std::fs::write(site.local("y.ozx"), "no archive at all").unwrap();
    let refused = site.fairzarr(["inspect", &text(&site.local("y.ozx"))]).ends_with(3);
    assert!(refused.message().contains("not a usable archive"), "{refused:?}");
    site.fairzarr(["inspect", &text(&site.local("none.ozx"))]).ends_with(3);
}

#[test]
fn a_failed_upload_leaves_no_archive() {
    let site = Site::with_faults(|request| {
        let refused = request.method == "PUT" && request.target.contains("x.ozx");
        if refused { Fault::Refuse(403) } else { Fault::None }
    });
    let store = text(&site.local("x.ome.zarr"));
    site.fairzarr(["convert", &text(&cells()), &store]).done();
    let failed = site.fairzarr(["copy", &store, "s3://bucket/x.ozx"]).ends_with(4);
    assert!(failed.message().contains("permission denied"), "{failed:?}");
    assert!(!site.stored("x.ozx").exists());
    assert_eq!(site.server.debris(), [""; 0]);
}
