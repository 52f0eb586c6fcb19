//! Untrusted input ends in an error or a record, never in a panic, and what is read can be written.

#![allow(clippy::unwrap_used)]

use fairzarr_nbo::check::{Policy, check};
use fairzarr_nbo::ingest::{ingest, micro_meta};
use fairzarr_nbo::methods::{Markup, methods};
use fairzarr_nbo::placement::{self, Images, Placement};
use fairzarr_nbo::{Record, merge, xml};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

type Attributes = serde_json::Map<String, Json>;

/// The attributes of the root and of every image.
fn place(record: &Record) -> (Attributes, Vec<Attributes>) {
    let images = record.objects.iter().filter(|o| o.class == "Image").count();
    let held = Record { in_store: Some((0..images).map(Some).collect()), ..record.clone() };
    let placement = Placement::new(&held, Images::InGroups);
    (placement.root(&[]), (0..images).map(|image| placement.image(image, "..")).collect())
}

/// Everything that can be done with a record.
fn exercise(record: &Record) {
    let back = Record::from_json(&record.to_json()).unwrap();
    assert_eq!(back.to_json(), record.to_json());
    check(record, &Policy::builtin("quality-controlled").unwrap());
    let said = methods(record);
    let _ = (said.text(Markup::Markdown), said.to_json());
    let (root, images) = place(record);
    let stored = placement::read(&root, &images).unwrap().record;
    assert_eq!(stored.objects.len(), record.objects.len());
    assert!(record.objects.iter().all(|object| stored.objects.contains(object)));
    let _ = merge::merge(stored, record.clone());
    let _ = xml::write(record, xml::Style::Valid);
    let _ = micro_meta::write(record);
}

fn data(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn truncated_documents() {
    for name in [
        "handmade-widefield-psf-tier2.xml",
        "abif_axiovert1_.json",
        "psf-beads.yaml",
        "ome/instrument.ome.xml",
    ] {
        let bytes = data(name);
        for end in (0..bytes.len()).step_by(97) {
            if let Ok(record) = ingest(name, &bytes[..end]) {
                exercise(&record);
            }
        }
    }
}

#[test]
fn members_of_the_wrong_kind() {
    for value in [
        Json::Null,
        json!(1),
        json!("x"),
        json!([]),
        json!([[1]]),
        json!({}),
        json!({"@id": 1}),
        json!([{"@id": "x"}, 1]),
    ] {
        let (root, images) = place(&ingest("x", &data("handmade-widefield-psf-tier2.xml")).unwrap());
        for key in ["shared", "imagesAt", "layout", "order"] {
            let mut root = root.clone();
            root["nbo:record"][key] = value.clone();
            if let Ok(stored) = placement::read(&root, &images) {
                exercise(&stored.record);
            }
        }
        for key in ["@graph", "origin", "extra", "order", "sources", "spec"] {
            let mut record = ingest("x", &data("generated-minimal-valid.xml")).unwrap().to_json();
            record[key] = value.clone();
            if let Ok(record) = Record::from_json(&record) {
                exercise(&record);
            }
        }
        for key in ["MicroscopeStand", "components", "linkedFields", "ID", "Schema_ID"] {
            let mut file: Json = serde_json::from_slice(&data("abif_axiovert1_.json")).unwrap();
            file[key] = value.clone();
            if let Ok(record) = ingest("x", file.to_string().as_bytes()) {
                exercise(&record);
            }
        }
        for key in ["Pixels", "Planes", "Channels", "Experiment", "ObjectiveSettings", "InstrumentID"] {
            let mut file: Json = serde_json::from_slice(&data("derived_settings_axiovert1.json")).unwrap();
            file[key] = value.clone();
            if let Ok(record) = ingest("x", file.to_string().as_bytes()) {
                exercise(&record);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn attributes_of_any_text(name in "[A-Za-z@#/~]{1,12}", value in "\\PC{0,40}") {
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let element = name.trim_matches(|c: char| !c.is_ascii_alphabetic()).to_owned();
        prop_assume!(!element.is_empty() && element.bytes().all(|b| b.is_ascii_alphabetic()));
        let text = format!(
            r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Instrument ID="{escaped}" {element}x="{escaped}"><{element} LensNA="{escaped}">{escaped}</{element}>
               <Objective LensNA="{escaped}" WorkingDistance="{escaped}" DIC="{escaped}"/></Instrument></OME>"#
        );
        if let Ok(record) = xml::read(&text) {
            exercise(&record);
            let back = Record::from_json(&record.to_json()).unwrap();
            prop_assert!(xml::equal(&text, &xml::write(&back, xml::Style::Verbatim)).unwrap());
        }
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(record) = ingest("x", &bytes) {
            exercise(&record);
        }
    }
}
