//! How much is asked for, and what a public place without listings does not stop.

use serde_json::Value;
use std::fmt::Write;

use crate::pages;
use crate::plate::Plate;
use crate::servers::proxy::Fault;
use crate::servers::web::{Abilities, Web};
use crate::support::cells;
use crate::support::tiff::{Blocks, Sample, Tiff};
use crate::{Site, text};

#[test]
fn a_file_of_a_thousand_planes_opens_with_few_requests() {
    let site = Site::new();
    Tiff { blocks: Blocks::Tiles(64, 64), ..Tiff::of(Sample::U16, [10, 1, 100, 64, 64]) }
        .write(&site.stored("thousand.ome.tiff"));
    let size = std::fs::metadata(site.stored("thousand.ome.tiff")).unwrap().len();
    site.fairzarr(["inspect", "s3://bucket/thousand.ome.tiff"]).done();
    let asked = site.requests("GET");
    // The directories lie between the planes, so that all of the file is passed, in blocks that grow to 4 MiB.
    assert!(asked <= 16 + size as usize / (1 << 20), "{asked} requests for {size} bytes");
}

#[test]
fn directories_between_large_planes_are_foreseen() {
    let site = Site::new();
    // Planes of 96 KiB, too far from each other to be read on, near enough to be fetched together.
    Tiff { blocks: Blocks::Tiles(256, 192), ..Tiff::of(Sample::U16, [10, 1, 100, 256, 192]) }
        .write(&site.stored("thousand.ome.tiff"));
    site.fairzarr(["inspect", "s3://bucket/thousand.ome.tiff"]).done();
    let asked = site.requests("GET");
    assert!(asked <= 40, "{asked} requests for 1000 planes");

    // Planes of a MiB: a request each, but many at the same time.
    let site = Site::with_faults(|_| Fault::Delay(std::time::Duration::from_millis(20)));
    Tiff { blocks: Blocks::Tiles(1024, 512), ..Tiff::of(Sample::U16, [1, 1, 80, 1024, 512]) }
        .write(&site.stored("large.ome.tiff"));
    site.fairzarr(["inspect", "s3://bucket/large.ome.tiff"]).done();
    assert!(site.requests("GET") <= 100, "{} requests for 80 planes", site.requests("GET"));
    assert!(site.proxy.most_under_way() >= 5, "{} at the same time", site.proxy.most_under_way());
}

#[test]
fn a_store_is_described_with_one_request_per_document() {
    let site = Site::new();
    site.fairzarr(["convert", &text(&cells()), "s3://bucket/x.ome.zarr"]).done();
    let before = site.proxy.seen().len();
    site.fairzarr(["inspect", "s3://bucket/x.ome.zarr"]).done();
    let asked = site.proxy.seen().len() - before;
    assert!(asked <= 8, "{asked} requests");
}

#[test]
fn a_plate_opens_with_requests_in_proportion_to_its_wells() {
    let site = Site::new();
    let image = site.local("image.ome.zarr");
    site.fairzarr(["convert", &text(&cells()), &text(&image)]).done();
    let mut counts = Vec::new();
    for wells in [6, 12] {
        let root = format!("{wells}.ome.zarr");
        let mut listed = String::new();
        for column in 0..wells {
            let well = format!("A/{column}");
            let field = site.stored(&format!("{root}/{well}/0"));
            std::fs::create_dir_all(field.join("0")).unwrap();
            std::fs::copy(image.join("zarr.json"), field.join("zarr.json")).unwrap();
            for entry in std::fs::read_dir(&image).unwrap() {
                let level = entry.unwrap().file_name();
                let document = image.join(&level).join("zarr.json");
                if document.exists() {
                    std::fs::create_dir_all(field.join(&level)).unwrap();
                    std::fs::copy(document, field.join(&level).join("zarr.json")).unwrap();
                }
            }
            let attributes = r#"{"ome":{"version":"0.5","well":{"images":[{"path":"0"}]}}}"#;
            group(&site.stored(&format!("{root}/{well}/zarr.json")), attributes);
            let comma = if column > 0 { "," } else { "" };
            write!(listed, r#"{comma}{{"path":"{well}","rowIndex":0,"columnIndex":{column}}}"#).unwrap();
        }
        let columns: Vec<String> = (0..wells).map(|n| format!(r#"{{"name":"{n}"}}"#)).collect();
        let attributes = format!(
            r#"{{"ome":{{"version":"0.5","plate":{{"name":"p","rows":[{{"name":"A"}}],"columns":[{}],"wells":[{listed}]}}}}}}"#,
            columns.join(",")
        );
        group(&site.stored(&format!("{root}/zarr.json")), &attributes);
        let before = site.proxy.seen().len();
        let told = site.fairzarr(["inspect", &format!("s3://bucket/{root}"), "--json"]).done().json();
        assert_eq!(told["images"].as_array().unwrap().len(), wells);
        counts.push(site.proxy.seen().len() - before);
    }
    // Well, image and its arrays: as much for each, and a little for the plate.
    let each = (counts[1] - counts[0]) / 6;
    assert!(each <= 5 && counts[0] <= 6 * each + 6, "{counts:?}");
}

#[test]
fn images_open_with_the_same_requests_whatever_is_said_of_their_microscope() {
    let site = Site::new();
    let plate = Plate { wells: 2, fields: 2 };
    let (source, said) = (site.local("plate.ome.tiff"), site.local("plate.xml"));
    pages::tiff(&source, &plate.ome(), 4 * plate.images());
    std::fs::write(&said, plate.nbo()).unwrap();
    site.fairzarr(["convert", &text(&source), "s3://bucket/plate.ome.zarr", "--nbo", &text(&said)]).done();
    let requests = || {
        let before = site.proxy.seen().len();
        let told = site.fairzarr(["inspect", "s3://bucket/plate.ome.zarr", "--json"]).done().json();
        assert_eq!(told["images"].as_array().unwrap().len(), plate.images());
        site.proxy.seen().len() - before
    };
    let with = requests();
    for document in ["", "A/1/0/", "A/1/1/", "A/2/0/", "A/2/1/"].map(|group| format!("{group}zarr.json")) {
        let path = site.stored(&format!("plate.ome.zarr/{document}"));
        let mut json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let attributes = json["attributes"].as_object_mut().unwrap();
        let count = attributes.len();
        attributes.retain(|key, _| !key.starts_with("nbo:"));
        assert!(attributes.len() < count, "{document} says nothing of a microscope");
        std::fs::write(&path, json.to_string()).unwrap();
    }
    assert_eq!(with, requests());
}

fn group(path: &std::path::Path, attributes: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = format!(r#"{{"zarr_format":3,"node_type":"group","attributes":{attributes}}}"#);
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_public_bucket_that_refuses_instead_of_missing() {
    for version in ["0.4", "0.5"] {
        let site = Site::new();
        site.fairzarr(["convert", &text(&cells()), "s3://bucket/x.ome.zarr", "--ngff", version]).done();
        let root = site.stored("");
        // Who may not list is told 403 of what is not there.
        let public = Site::with_faults(move |request| {
            let path = request.target.split('?').next().unwrap_or_default();
            let there = path.strip_prefix("/bucket/").is_some_and(|key| root.join(key).is_file());
            if there { Fault::None } else { Fault::Refuse(403) }
        });
        for (key, bytes) in crate::support::tree(&site.stored("x.ome.zarr")) {
            let file = public.stored(&format!("x.ome.zarr/{key}"));
            if !key.ends_with('/') {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, bytes).unwrap();
            }
        }
        let target = "s3://bucket/x.ome.zarr";
        public.fairzarr(["inspect", target]).done();
        public.fairzarr(["verify", &text(&cells()), target]).done();
        public.fairzarr(["verify", target]).done();
        // Nothing at all is a refusal, not an empty place.
        let refused = public.fairzarr(["inspect", "s3://bucket/no.ome.zarr"]).ends_with(3);
        assert!(refused.message().contains("permission denied"), "{refused:?}");
    }
}

#[test]
fn a_store_on_a_web_server_is_read_without_listings() {
    for version in ["0.4", "0.5"] {
        let site = Site::new();
        let local = site.local("x.ome.zarr");
        site.fairzarr(["convert", &text(&cells()), &text(&local), "--ngff", version]).done();
        let web = Web::start(Abilities::default());
        for (key, bytes) in crate::support::tree(&local) {
            web.put(&format!("x.ome.zarr/{}", key.replace(' ', "%20")), &bytes);
        }
        let url = web.url("x.ome.zarr");
        site.fairzarr(["inspect", &url]).done();
        site.fairzarr(["verify", &text(&cells()), &url]).done();
        site.fairzarr(["verify", &url]).done();
        let copied = site.local("y.ome.zarr");
        site.fairzarr(["copy", &url, &text(&copied)]).done();
        crate::support::assert_same_tree(&copied, &local);
    }
}

#[test]
fn a_plate_is_read_with_many_requests_at_a_time() {
    let site = Site::with_faults(|_| Fault::Delay(std::time::Duration::from_millis(100)));
    let plate = Plate { wells: 6, fields: 3 };
    let source = site.local("plate.ome.tiff");
    pages::tiff(&source, &plate.ome(), 4 * plate.images());
    // The server's files are plain ones.
    let stored = site.stored("plate.ome.zarr");
    site.fairzarr(["convert", &text(&source), &text(&stored), "--no-consolidated"]).done();
    let (source, target) = (text(&source), "s3://bucket/plate.ome.zarr");
    for (command, most) in [
        (&["inspect", target][..], 8),
        (&["check", target], 8),
        (&["validate", target], 14),
        (&["verify", target], 26),
        (&["verify", &source, target], 26),
    ] {
        site.proxy.forget();
        // What there is to say about the record of a plate is not asked here.
        let told = site.fairzarr(command.iter().copied());
        assert!(matches!(told.code, Some(0 | 1)), "{told:?}");
        let (all, in_series) = (site.proxy.seen().len(), site.proxy.in_series());
        assert!(in_series <= most, "{command:?}: {in_series} of {all} requests in series");
    }
}

#[test]
fn a_sample_says_what_it_covered_and_is_always_the_same() {
    let site = Site::new();
    let source = site.local("source.ome.tiff");
    Tiff { blocks: Blocks::Tiles(64, 64), ..Tiff::of(Sample::U16, [5, 2, 10, 128, 128]) }.write(&source);
    let (source, target) = (text(&source), "s3://bucket/x.ome.zarr");
    site.fairzarr(["convert", &source, target, "--chunk", "64"]).done();
    for places in [&[source.as_str(), target][..], &[target][..]] {
        let verify = |more: &[&str]| {
            let before = site.proxy.seen().len();
            let args = ["verify"].iter().chain(places).chain(more);
            let told = site.fairzarr(args.copied().collect::<Vec<_>>()).done().out;
            (told, site.proxy.seen().len() - before)
        };
        let (all, most) = verify(&[]);
        assert!(!all.contains("sample of"), "{all}");
        let (part, fewer) = verify(&["--sample", "5%"]);
        assert!(part.contains("a sample of 5%"), "{part}");
        assert_eq!(verify(&["--sample", "5%"]), (part, fewer));
        assert!(fewer < most / 3, "{fewer} of {most} requests");
    }
    site.fairzarr(["verify", &source, target, "--sample", "5"]).ends_with(2);
}
