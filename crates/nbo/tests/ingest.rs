//! Every form is recognised by content, read, and given back.

#![allow(clippy::unwrap_used, clippy::panic, clippy::format_collect)]

use fairzarr_nbo::catalogue::{Extension, Kind};
use fairzarr_nbo::check::{Finding, Level, Policy, Rule, Severity, check};
use fairzarr_nbo::ingest::{Form, Mapping, detect, ingest, ingest_all, ingest_mapped, micro_meta};
use fairzarr_nbo::record::{Object, OriginKind};
use fairzarr_nbo::{Record, xml};
use serde_json::Value as Json;

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn json(name: &str) -> Json {
    serde_json::from_slice(&bytes(name)).unwrap()
}

fn through_json(record: &Record) -> Record {
    let text = serde_json::to_string(&record.to_json()).unwrap();
    let back = Record::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(back.to_json(), record.to_json());
    back
}

#[test]
fn forms_are_known_by_content() {
    for (name, form) in [
        ("abif_axiovert1_.json", Form::MicroMetaMicroscope),
        ("derived_settings_axiovert1.json", Form::MicroMetaSettings),
        ("file_set_microscope_qc.insert.json", Form::Portal),
        ("imaging_path.insert.json", Form::Portal),
        ("handmade-widefield-psf-tier2.xml", Form::NboXml),
        ("generated-minimal-valid.xml", Form::NboXml),
        ("ome/instrument.ome.xml", Form::OmeXml),
        ("psf-beads.yaml", Form::MicroscopeMetrics),
    ] {
        assert_eq!(detect(&bytes(name)), Some(form), "{name}");
    }
    for other in [&b""[..], b"hello", b"{}", b"[1]", b"<a/>", b"\xff\xfe", b"a: 1"] {
        assert_eq!(detect(other), None, "{}", String::from_utf8_lossy(other));
        assert!(ingest("x", other).is_err());
    }
}

#[test]
fn micro_meta_microscope_regenerates() {
    let record = ingest("abif_axiovert1_.json", &bytes("abif_axiovert1_.json")).unwrap();
    let back = through_json(&record);
    assert_eq!(micro_meta::write(&back).unwrap(), json("abif_axiovert1_.json"));
    let cube = back.all("FilterCube").next().unwrap();
    let filter = cube.child("ExcitationFilterRef").and_then(Object::target).unwrap();
    assert!(back.find(filter, &["ExcitationFilter"]).is_some());
    let led = back.all("LightEmittingDiode").count();
    assert_eq!(led, 2, "the role before the class is not part of it");
}

#[test]
fn micro_meta_settings_regenerate() {
    let name = "derived_settings_axiovert1.json";
    let record = ingest(name, &bytes(name)).unwrap();
    let written = micro_meta::write(&through_json(&record)).unwrap();
    assert_eq!(written, json(name), "{written:#}");
}

#[test]
fn a_pair_is_joined_by_identifiers() {
    let names = ["abif_axiovert1_.json", "derived_settings_axiovert1.json"];
    let read: Vec<_> = names.iter().map(|n| bytes(n)).collect();
    let record = ingest_all(names.iter().copied().zip(read.iter().map(Vec::as_slice))).unwrap();
    assert_eq!(record.sources.len(), 2);
    let image = record.all("Image").next().unwrap();
    let instrument = image.child("InstrumentRef").and_then(Object::target).unwrap();
    assert!(record.find(instrument, &["Instrument"]).is_some());
    let path = record.all("LightPath").next().unwrap();
    let classes: Vec<_> = path.children.iter().map(|c| c.class.as_str()).collect();
    assert!(
        classes.contains(&"ExcitationFilterRef")
            && classes.contains(&"StandardDichroicRef")
            && classes.contains(&"CameraSettings")
    );
    let policy = Policy::new(1, &[Extension::Basic], Level::Must).unwrap();
    let dangling: Vec<_> = check(&record, &policy)
        .findings
        .into_iter()
        .filter(|f| f.rule == Rule::Reference && f.severity == Severity::Error)
        .collect();
    assert!(dangling.is_empty(), "{dangling:#?}");
    // The regenerated XML has the identifiers that the schema wants.
    let text = xml::write(&record, xml::Style::Valid);
    assert!(text.contains("ID=\"LightSource:ac3523c7-20da-47f4-83c5-aa7b2e98c1e7\""), "{text}");
}

#[test]
fn the_public_microscope_file_at_three_tiers() {
    let record = ingest("abif_axiovert1_.json", &bytes("abif_axiovert1_.json")).unwrap();
    // The published counts of what is beyond the scope take three units for fields: those whose names fit no value's
    // (finding C4). By R8 a unit is no field.
    for (tier, errors, warnings, published, units) in
        [(1, 35, 9, 69, 3), (2, 35, 93, 19, 1), (3, 37, 244, 0, 0)]
    {
        let report = check(&record, &Policy::new(tier, &[Extension::Basic], Level::Must).unwrap());
        // They are of the components' own attributes.
        let component = |f: &&Finding| {
            let inner =
                ["TransmittanceRange", "LEDModule"].contains(&f.class.as_str()) || f.class.ends_with("Ref");
            !inner && !matches!(f.rule, Rule::Structure | Rule::Reference | Rule::Unknown)
        };
        let of =
            |severity| report.findings.iter().filter(component).filter(|f| f.severity == severity).count();
        assert_eq!(
            (of(Severity::Error), of(Severity::Warning), of(Severity::Info) + units),
            (errors, warnings, published),
            "Tier {tier}"
        );
        let mut orphans = 0;
        record.visit(&mut |object, class| {
            let filled = object.fields.iter().filter_map(|f| class?.attribute(&f.name));
            orphans += filled.filter(|a| a.kind == Kind::OrphanUnit && a.tier > tier).count();
        });
        assert_eq!(orphans, units, "Tier {tier}");
    }
}

#[test]
fn portal_records_are_kept_whole() {
    for name in ["file_set_microscope_qc.insert.json", "imaging_path.insert.json"] {
        let record = through_json(&ingest(name, &bytes(name)).unwrap());
        let kept: Vec<_> =
            record.extra["4dn-portal"].as_array().unwrap().iter().map(|i| i["record"].clone()).collect();
        assert_eq!(Json::from(kept), json(name));
    }
    let configuration = serde_json::json!({"uuid": "u", "lab": "l", "award": "a", "title": "t", "microscope": json("abif_axiovert1_.json")});
    let text = configuration.to_string();
    assert_eq!(detect(text.as_bytes()), Some(Form::Portal));
    let record = through_json(&ingest("configuration.json", text.as_bytes()).unwrap());
    assert_eq!(micro_meta::write(&record).unwrap(), json("abif_axiovert1_.json"));
}

#[test]
fn annotations_of_ome_xml() {
    let name = "ome/derived-nbo-in-structured-annotations.ome.xml";
    let record = through_json(&ingest(name, &bytes(name)).unwrap());
    let from = |id: &str| {
        record.objects.iter().find(|o| o.extra.get("annotation").is_some_and(|a| a == id)).unwrap()
    };
    let fragment = from("Annotation:1");
    assert_eq!((fragment.class.as_str(), fragment.str("ImmersionType")), ("Objective", Some("Mineral Oil")));
    let map = from("Annotation:3");
    assert_eq!((map.number("WorkingDistance"), map.str("WorkingDistanceUnit")), (Some(190.0), Some("µm")));
    assert_eq!(map.number("LensNA"), Some(1.4));
    let pairs = &record.extra["keyValuePairs"]["Annotation:2"]["pairs"];
    assert_eq!(pairs.as_array().unwrap().len(), 3, "repeated keys stay");
    for alias in xml::NAMESPACE_ALIASES {
        let text = String::from_utf8(bytes(name))
            .unwrap()
            .replace("http://www.NamespaceTest.org/Schemas/NBO/2020-11", alias);
        let record = ingest(name, text.as_bytes()).unwrap();
        assert!(record.objects.iter().any(|o| o.class == "Objective"), "{alias}");
    }
}

#[test]
fn microscope_metrics_are_converted_by_meaning() {
    let record = through_json(&ingest("psf-beads.yaml", &bytes("psf-beads.yaml")).unwrap());
    let psf: Vec<_> = record.all("OpticalCalibration").collect();
    assert_eq!(psf.len(), 2, "one per channel");
    assert_eq!(psf[0].str("Date"), Some("2024-02-01"));
    assert_eq!(
        (psf[0].number("MedianXYSpotSize_FWHM"), psf[0].str("MedianXYSpotSize_FWHMUnit")),
        (Some(230.0), Some("nm"))
    );
    assert_eq!(psf[0].number("MedianZSpotSize_FWHM"), Some(640.0));
    assert_eq!(psf[0].field("MedianXYSpotSize_FWHM").unwrap().origin.kind, OriginKind::Computed);

    let power = r#"{"name": "power", "acquisition_datetime": "2024-02-01T10:00:00", "output": {"key_measurements": [
        {"measuring_location": "OBJECTIVE_EXIT", "power_mean_mw": 7.4, "power_linearity_coefficient_of_determination": 0.81},
        {"measuring_location": "FIBER_EXIT", "power_mean_mw": 50.0}]}}"#;
    let record = ingest("power.json", power.as_bytes()).unwrap();
    let found: Vec<_> = record.all("ExcitationCalibration").collect();
    assert_eq!(found[0].number("ObseredIlluminationPowerAtSample"), Some(7.4));
    assert_eq!(found[0].number("IlluminationLinearity"), Some(0.9), "R², not r");
    assert_eq!(found[1].number("ObseredIlluminationPowerAtSample"), None, "no field for power at the fibre");

    let field = r#"{"name": "field", "output": {"key_measurements": {"top_left_intensity_ratio": 0.5,
        "top_right_intensity_ratio": 0.5, "bottom_left_intensity_ratio": 1.0, "bottom_right_intensity_ratio": 1.0}}}"#;
    let record = ingest("field.json", field.as_bytes()).unwrap();
    let found = record.all("FieldUniformityEvaluation").next().unwrap();
    assert_eq!(
        found.number("MeanMaxtoCornerIntensityRatio"),
        Some(1.5),
        "mean of inverses, not inverse of mean"
    );
}

#[test]
fn tables_need_a_mapping() {
    let mapping = Mapping::from_json(
        r#"{"fields": [{"from": "No", "to": "Objective@ID", "prefix": "Objective:"}, {"from": "NA", "to": "Objective@LensNA"},
            {"from": "WD (um)", "to": "Objective@WorkingDistance", "unit": "µm"}, {"from": "DIC?", "to": "Objective@DIC"}],
            "values": {"yes": "true", "no": "false"}}"#,
    )
    .unwrap();
    let table = "\u{feff}No,NA,WD (um),DIC?,Shelf\n1,1.40,190,yes,B\n2,0.8,,no,C\n";
    assert_eq!(detect(table.as_bytes()), None);
    let record = through_json(&ingest_mapped("objectives.csv", table.as_bytes(), &mapping).unwrap());
    let objectives: Vec<_> = record.all("Objective").collect();
    assert_eq!(objectives.len(), 2);
    assert_eq!((objectives[0].id(), objectives[0].number("LensNA")), (Some("Objective:1"), Some(1.4)));
    assert_eq!(objectives[0].str("WorkingDistanceUnit"), Some("µm"));
    assert_eq!(objectives[1].field("WorkingDistance"), None);
    assert!(ingest_mapped("x.csv", b"a,b\n1,2\n", &mapping).is_err(), "a column is missing");
    for wrong in ["Objective@Na", "Lens@", "Objective"] {
        let text = format!(r#"{{"fields": [{{"from": "x", "to": "{wrong}"}}]}}"#);
        assert!(Mapping::from_json(&text).is_err(), "{wrong}");
    }
    let json =
        Mapping::from_json(r#"{"fields": [{"from": "/scope/na", "to": "Objective@LensNA"}]}"#).unwrap();
    let record = ingest_mapped("x.json", br#"{"scope": {"na": 1.4}}"#, &json).unwrap();
    assert_eq!(record.all("Objective").next().unwrap().number("LensNA"), Some(1.4));
}
