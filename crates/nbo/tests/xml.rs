//! NBO XML in and out: the structured record regenerates the document.

#![allow(clippy::unwrap_used, clippy::panic, clippy::format_collect)]

use fairzarr_nbo::{Record, xml};

#[test]
fn documents_regenerate_from_the_json_record() {
    for name in [
        "handmade-widefield-psf-tier2.xml",
        "handmade-widefield-psf-xsdvalid.xml",
        "generated-minimal-valid.xml",
        "generated-calibration-valid.xml",
    ] {
        let source =
            std::fs::read_to_string(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let record = xml::read(&source).unwrap();
        let json = serde_json::to_string_pretty(&record.to_json()).unwrap();
        let back = Record::from_json(&serde_json::from_str(&json).unwrap()).unwrap();
        assert_eq!(back.to_json(), record.to_json(), "{name}");
        let written = xml::write(&back, xml::Style::Verbatim).unwrap();
        assert!(xml::equal(&source, &written).unwrap(), "{name}\n{json}\n{written}");
        // The order of keys in a JSON object means nothing.
        let sorted = sort_keys(serde_json::from_str(&json).unwrap());
        let written = xml::write(&Record::from_json(&sorted).unwrap(), xml::Style::Verbatim).unwrap();
        assert!(xml::equal(&source, &written).unwrap(), "{name} with sorted keys");
    }
}

fn sort_keys(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().map(|(k, v)| (k, sort_keys(v))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            pairs.into_iter().collect()
        }
        serde_json::Value::Array(items) => items.into_iter().map(sort_keys).collect(),
        other => other,
    }
}

#[test]
fn what_the_model_does_not_know_survives() {
    let source = r#"<n:OME xmlns:n="http://www.NamespaceTest.org/Schemas/NBO/2020-11"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b">
      <n:Instrument ID="Instrument:1" Colour="red"><n:Widget Size="3"><n:Part>x</n:Part></n:Widget>
        <n:EmissionFilter ID="Filter:1"/><n:ExcitationFilter ID="Filter:2"/><n:EmissionFilter ID="Filter:3"/>
        <o:other xmlns:o="urn:o" k="v">text</o:other></n:Instrument>
      <n:StructuredAnnotations><n:XMLAnnotation ID="Annotation:1"><n:Value><v:a xmlns:v="urn:v">1<v:b/></v:a></n:Value></n:XMLAnnotation>
      </n:StructuredAnnotations></n:OME>"#;
    let record = xml::read(source).unwrap();
    let back = Record::from_json(&record.to_json()).unwrap();
    let written = xml::write(&back, xml::Style::Verbatim).unwrap();
    assert!(xml::equal(source, &written).unwrap(), "{written}");
}

#[test]
fn valid_documents_stay_as_they_are_in_valid_style() {
    for name in ["handmade-widefield-psf-xsdvalid.xml", "generated-minimal-valid.xml"] {
        let source =
            std::fs::read_to_string(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let written = xml::write(&xml::read(&source).unwrap(), xml::Style::Valid).unwrap();
        assert!(xml::equal(&source, &written).unwrap(), "{name}\n{written}");
    }
    // A unit typed as a number has no valid value but a number; the record keeps it.
    let record = xml::read(
        r#"<OpticalCalibration xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11" MedianZSpotSize_FWHM="640" MedianZSpotSize_FWHMUnit="nm"/>"#,
    )
    .unwrap();
    assert!(xml::write(&record, xml::Style::Verbatim).unwrap().contains("FWHMUnit"));
    assert!(!xml::write(&record, xml::Style::Valid).unwrap().contains("FWHMUnit"));
}
