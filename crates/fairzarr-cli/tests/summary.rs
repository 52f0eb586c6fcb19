//! `fairzarr:summary` of an image: what it says, that it stays small and true, and that it is proved.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod pages;
#[path = "../../nbo/tests/support/plate.rs"]
mod plate;
mod program;

use pages::tiff;
use plate::Plate;
use program::fairzarr;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const SUMMARY: &str = "fairzarr:summary";

fn document(store: &Path, group: &str) -> PathBuf {
    let group = store.join(group);
    ["zarr.json", ".zattrs"].map(|name| group.join(name)).into_iter().find(|path| path.exists()).unwrap()
}

fn attributes(store: &Path, group: &str) -> Value {
    let mut json: Value = serde_json::from_slice(&std::fs::read(document(store, group)).unwrap()).unwrap();
    match json.get_mut("attributes") {
        Some(attributes) => attributes.take(),
        None => json,
    }
}

/// The summary of a group, which fits the schema and the limit.
#[track_caller]
fn summary(store: &Path, group: &str) -> Value {
    let summary = attributes(store, group)[SUMMARY].take();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas/summary.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(&summary).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?} {summary:#}");
    assert!(summary.to_string().len() <= 8192, "{} bytes", summary.to_string().len());
    summary
}

/// Changes a document of a store, and its copy at the root not.
fn edit(store: &Path, group: &str, change: impl FnOnce(&mut Value)) {
    let path = document(store, group);
    let mut json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(if json.get("attributes").is_some() { &mut json["attributes"] } else { &mut json });
    std::fs::write(path, json.to_string()).unwrap();
}

/// An image of so many channels of a microscope beside another one.
struct Source {
    channels: usize,
    name: String,
    date: &'static str,
    objective: &'static str,
    size: &'static str,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            channels: 2,
            name: "cells_01".into(),
            date: "2024-03-14T10:00:00",
            objective: r#"<ObjectiveSettings ID="Objective:0"/>"#,
            size: r#"PhysicalSizeX="0.10" PhysicalSizeY="100" PhysicalSizeYUnit="nm""#,
        }
    }
}

impl Source {
    fn convert(&self, folder: &Path, options: &[&str]) -> PathBuf {
        let Self { channels, name, date, objective, size } = self;
        let mut xml = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Instrument ID="Instrument:0"><Microscope Manufacturer="Example Optics" Model="Stand 7" SerialNumber="EX-1"/>
<Laser ID="LightSource:0" Manufacturer="Example Optics" Model="Line 488"/><Detector ID="Detector:0" Manufacturer="Example Optics" Model="Camera"/>
<Objective ID="Objective:0" LensNA="1.4" NominalMagnification="63" Immersion="Oil" Model="Plan"/></Instrument>
<Instrument ID="Instrument:1"><Microscope Model="Another"/><Objective ID="Objective:1" LensNA="0.5"/></Instrument>
<Image ID="Image:0" Name="{name}"><AcquisitionDate>{date}</AcquisitionDate><InstrumentRef ID="Instrument:0"/>{objective}
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="2" SizeY="2" SizeZ="1" SizeC="{channels}" SizeT="1" {size}>"#
        );
        for c in 0..*channels {
            write!(xml, r#"<Channel ID="Channel:{c}" Name="Channel {c}" Fluor="dye {c}" ExcitationWavelength="488" EmissionWavelength="{}" SamplesPerPixel="1">
<LightSourceSettings ID="LightSource:0"/><DetectorSettings ID="Detector:0"/></Channel>"#, 500 + c).unwrap();
        }
        xml.push_str("<TiffData/>");
        for c in 0..*channels {
            write!(
                xml,
                r#"<Plane TheZ="0" TheC="{c}" TheT="0" ExposureTime="{}" ExposureTimeUnit="ms"/>"#,
                20 + c
            )
            .unwrap();
        }
        xml.push_str("</Pixels></Image></OME>");
        let (file, store) = (folder.join("a.ome.tiff"), folder.join("a.ome.zarr"));
        tiff(&file, &xml, *channels);
        let paths = ["convert", file.to_str().unwrap(), store.to_str().unwrap(), "--durability", "none"];
        fairzarr(&[&paths[..], options].concat(), 0);
        store
    }
}

#[test]
fn a_summary_says_in_si_and_as_written_what_an_image_is() {
    let folder = tempfile::tempdir().unwrap();
    for version in ["0.4", "0.5", "0.6"] {
        let store = Source::default().convert(folder.path(), &["--overwrite", "--ngff", version]);
        let summary = summary(&store, "");
        for (pointer, expected) in [
            ("/name", json!("cells_01")),
            ("/acquisitionDate", json!("2024-03-14")),
            ("/acquired", json!("2024-03-14T10:00:00")),
            ("/size", json!({"t": 1, "c": 2, "z": 1, "y": 2, "x": 2})),
            ("/type", json!("uint8")),
            ("/pixelSize/x", json!({"value": 1e-7, "unit": "m", "written": "0.10 µm"})),
            ("/pixelSize/y", json!({"value": 1e-7, "unit": "m", "written": "100 nm"})),
            (
                "/microscope",
                json!({"id": "Instrument:0", "manufacturer": "Example Optics", "model": "Stand 7", "serialNumber": "EX-1"}),
            ),
            (
                "/objective",
                json!({"id": "Objective:0", "model": "Plan", "NA": 1.4, "magnification": 63.0, "immersion": "Oil"}),
            ),
            ("/root", json!(".")),
            ("/planes", json!({"path": "OME/planes/0", "rows": 2})),
            ("/record", json!({"attribute": "nbo:record", "image": "#Image:0"})),
            ("/qc", json!([])),
            ("/coverage/0/policy", json!("Baseline for interpretability")),
            (
                "/channels/1",
                json!({"name": "Channel 1", "fluorophore": "dye 1", "excitation": {"value": 4.88e-7, "unit": "m", "written": "488 nm"},
                    "emission": {"value": 5.01e-7, "unit": "m", "written": "501 nm"},
                    "exposure": {"min": 0.021, "max": 0.021, "unit": "s", "written": "21 ms"},
                    "lightSource": "Example Optics Line 488", "detector": "Example Optics Camera"}),
            ),
        ] {
            assert_eq!(summary.pointer(pointer), Some(&expected), "{version} {pointer}");
        }
        assert!(store.join("OME/planes/0").is_dir());
        let listed: Value =
            serde_json::from_str(&fairzarr(&["extract", store.to_str().unwrap(), "--as", "summary"], 0))
                .unwrap();
        assert_eq!(listed, json!([summary]));
        assert!(fairzarr(&["verify", store.to_str().unwrap()], 0).contains("of fairzarr:summary"));
    }
}

#[test]
fn a_summary_has_the_axes_and_the_planes_that_the_image_has() {
    let folder = tempfile::tempdir().unwrap();
    let store = Source::default().convert(folder.path(), &["--drop-axes", "all"]);
    let summary = summary(&store, "");
    assert_eq!(summary["size"], json!({"c": 2, "y": 2, "x": 2}));
    assert_eq!(summary["pixelSize"]["y"]["written"], "100 nm");
    fairzarr(&["verify", store.to_str().unwrap()], 0);
    let plate = Plate { wells: 2, fields: 2 };
    let (source, part) = (folder.path().join("plate.ome.tiff"), folder.path().join("part.zarr"));
    tiff(&source, &plate.ome(), 4 * plate.images());
    let [source, part_of] = [&source, &part].map(|path| path.to_str().unwrap());
    fairzarr(&["convert", source, part_of, "--wells", "A2", "--durability", "none"], 0);
    let summary = self::summary(&part, "A/2/1");
    // Of the model, which is that of the whole source, the fourth image.
    assert_eq!((&summary["planes"]["path"], &summary["name"]), (&json!("OME/planes/3"), &json!("w3")));
    fairzarr(&["verify", part_of], 0);
    fairzarr(&["verify", source, part_of], 0);
}

#[test]
fn a_summary_stays_small_whatever_the_source_says() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source { channels: 300, name: "long \u{b5} ".repeat(3000), ..Source::default() };
    let store = source.convert(folder.path(), &[]);
    let summary = summary(&store, "");
    let listed = summary["channels"].as_array().unwrap().len() as u64;
    assert!(listed > 10 && listed + summary["channelsNotListed"].as_u64().unwrap() == 300, "{listed}");
    assert_eq!(summary["channels"][0]["exposure"]["written"], "20 ms");
    assert!(summary["name"].as_str().unwrap().ends_with('…'));
    fairzarr(&["verify", store.to_str().unwrap()], 0);
}

#[test]
fn what_is_not_known_is_not_in_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source {
        date: "TBD",
        objective: "",
        size: r#"PhysicalSizeX="2" PhysicalSizeXUnit="pixel""#,
        ..Source::default()
    };
    let summary = summary(&source.convert(folder.path(), &[]), "");
    for absent in ["acquisitionDate", "acquired", "objective"] {
        assert!(summary.get(absent).is_none(), "{absent}: {summary:#}");
    }
    assert_eq!(summary["pixelSize"], json!({"x": {"written": "2 pixel"}}));
    // A day that does not exist is what the source says, and no date.
    let source = Source { date: "2023-02-30T10:00:00", ..Source::default() };
    let summary = self::summary(&source.convert(folder.path(), &["--overwrite"]), "");
    assert_eq!((summary.get("acquisitionDate"), &summary["acquired"]), (None, &json!("2023-02-30T10:00:00")));
}

#[test]
fn a_summary_that_was_edited_or_lost_is_a_difference() {
    let folder = tempfile::tempdir().unwrap();
    let forged = json!([{"kind": "OpticalCalibration", "outcome": "pass", "text": "forged"}]);
    for (member, value) in [
        ("/objective/NA", Some(json!(1.49))),
        ("/channels/0/exposure/max", Some(json!(0.5))),
        ("/qc", Some(forged)),
        ("", None),
    ] {
        let store = Source::default().convert(folder.path(), &["--overwrite"]);
        edit(&store, "", |attributes| match &value {
            Some(value) => *attributes[SUMMARY].pointer_mut(member).unwrap() = value.clone(),
            None => _ = attributes.as_object_mut().unwrap().remove(SUMMARY),
        });
        let told = fairzarr(&["verify", store.to_str().unwrap()], 1);
        assert!(told.contains(SUMMARY), "{member}: {told}");
    }
}

#[test]
fn each_image_of_a_plate_has_a_summary_and_embedding_and_upgrading_keep_it_true() {
    let plate = Plate { wells: 2, fields: 2 };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let [source, said, store, later] = ["plate.ome.tiff", "plate.xml", "plate.zarr", "later.zarr"].map(path);
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    tiff(&source, &plate.ome(), 4 * plate.images());
    std::fs::write(&said, plate.nbo()).unwrap();
    fairzarr(&["convert", &text(&source), &text(&store), "--ngff", "0.4", "--durability", "none"], 0);
    let before = summary(&store, "A/2/1");
    assert_eq!((&before["root"], &before["qc"]), (&json!("../../.."), &json!([])));
    assert!(attributes(&store, "").get(SUMMARY).is_none(), "a plate is no image");
    fairzarr(&["embed", &text(&store), "--nbo", &text(&said)], 0);
    let after = summary(&store, "A/2/1");
    let optical = after["qc"].as_array().unwrap().iter().find(|line| line["kind"] == "OpticalCalibration");
    assert_eq!(optical.unwrap()["outcome"], "pass", "{after:#}");
    fairzarr(&["verify", &text(&store)], 0);
    fairzarr(&["upgrade", &text(&store), &text(&later), "--to", "0.6"], 0);
    assert_eq!(summary(&later, "A/2/1"), after);
    assert!(fairzarr(&["verify", &text(&later)], 0).contains("of fairzarr:summary"));
    fairzarr(&["embed", &text(&store), "--remove"], 0);
    assert_eq!(summary(&store, "A/2/1"), before);
}

#[test]
fn a_store_of_another_program_gets_summaries_with_what_is_embedded() {
    let folder = tempfile::tempdir().unwrap();
    let store = Source::default().convert(folder.path(), &["--no-consolidated"]);
    std::fs::remove_dir_all(store.join("OME")).unwrap();
    edit(&store, "", |attributes| attributes.as_object_mut().unwrap().retain(|key, _| key == "ome"));
    let before = std::fs::read(document(&store, "")).unwrap();
    let microscope = Path::new(env!("CARGO_MANIFEST_DIR")).join("../nbo/tests/data/abif_axiovert1_.json");
    let store = store.to_str().unwrap();
    fairzarr(&["embed", store, "--nbo", microscope.to_str().unwrap()], 0);
    let summary = summary(Path::new(store), "");
    assert_eq!(summary["pixelSize"]["y"], json!({"value": 1e-7, "unit": "m", "written": "0.1 µm"}));
    assert_eq!(summary["channels"][1]["name"], "Channel 1");
    assert!(summary.get("planes").is_none() && summary.get("microscope").is_none(), "{summary:#}");
    fairzarr(&["embed", store, "--remove"], 0);
    assert_eq!(std::fs::read(document(Path::new(store), "")).unwrap(), before);
}

/// As `docs/summary.md` has it.
fn within(summary: &Value, kind: &str, days: i64) -> &'static str {
    let Some(line) = summary["qc"].as_array().unwrap().iter().find(|line| line["kind"] == kind) else {
        return if summary.get("microscope").is_some() { "fail" } else { "unknown" };
    };
    match (line["outcome"].as_str().unwrap(), line.get("ageDays").and_then(Value::as_i64)) {
        ("fail", _) => "fail",
        ("unknown", _) | (_, None) => "unknown",
        (_, Some(age)) if (0..=days).contains(&age) => "pass",
        _ => "fail",
    }
}

#[test]
fn the_traffic_light_of_a_summary_is_the_answer_of_qc() {
    let folder = tempfile::tempdir().unwrap();
    let (source, said) = (folder.path().join("plate.ome.tiff"), folder.path().join("plate.xml"));
    let plate = Plate { wells: 1, fields: 1 };
    tiff(&source, &plate.ome(), 4);
    let full = plate.nbo();
    let undated = full.replace(r#" Date="2024-"#, r#" Undated="2024-"#);
    let later = full.replace("Date=\"2024-02", "Date=\"2024-05");
    for (n, said_of_it) in [Some(full), Some(undated), Some(later), None].into_iter().enumerate() {
        let store = folder.path().join(format!("{n}.zarr"));
        let mut args = vec!["convert", source.to_str().unwrap(), store.to_str().unwrap()];
        if let Some(said_of_it) = &said_of_it {
            std::fs::write(&said, said_of_it).unwrap();
            args.extend(["--nbo", said.to_str().unwrap()]);
        }
        fairzarr(&args, 0);
        let summary = summary(&store, "A/1/0");
        for kind in ["OpticalCalibration", "DetectorCalibration", "ExcitationCalibration", "LightSensor"] {
            for days in [0, 30, 90, 400] {
                let demand = format!("{kind} within {days} days");
                let output = Command::new(env!("CARGO_BIN_EXE_fairzarr"))
                    .args(["qc", store.to_str().unwrap(), "--json", "--require", &demand])
                    .output()
                    .unwrap();
                let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
                let outcome = &answer["answers"][0]["verdicts"][0]["outcome"];
                assert_eq!(outcome, within(&summary, kind, days), "{n} {demand}: {summary:#}");
            }
        }
    }
}
