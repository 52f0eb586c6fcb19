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
        let written = xml::write(&back, xml::Style::Verbatim);
        assert!(xml::equal(&source, &written).unwrap(), "{name}\n{json}\n{written}");
        // The order of keys in a JSON object means nothing.
        let sorted = sort_keys(serde_json::from_str(&json).unwrap());
        let written = xml::write(&Record::from_json(&sorted).unwrap(), xml::Style::Verbatim);
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
    let written = xml::write(&back, xml::Style::Verbatim);
    assert!(xml::equal(source, &written).unwrap(), "{written}");
}

#[test]
fn valid_documents_stay_as_they_are_in_valid_style() {
    for name in ["handmade-widefield-psf-xsdvalid.xml", "generated-minimal-valid.xml"] {
        let source =
            std::fs::read_to_string(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let record = xml::read(&source).unwrap();
        let written = xml::write(&record, xml::Style::Valid);
        // The same, with the units said that the document leaves to the schema.
        let graph = |record: &Record| record.to_json()["@graph"].clone();
        let said = |text: &str| text.matches("Unit=").count();
        assert!(said(&written) > said(&source), "{name}");
        assert_eq!(graph(&xml::read(&written).unwrap()), graph(&record), "{name}\n{written}");
    }
    // A unit typed as a number has no valid value but a number; the record keeps it.
    let record = xml::read(
        r#"<OpticalCalibration xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11" MedianZSpotSize_FWHM="640" MedianZSpotSize_FWHMUnit="nm"/>"#,
    )
    .unwrap();
    assert!(xml::write(&record, xml::Style::Verbatim).contains("FWHMUnit"));
    assert!(!xml::write(&record, xml::Style::Valid).contains("FWHMUnit"));
}

#[test]
fn what_the_schema_has_no_room_for_is_left_to_the_record() {
    let ome = r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Instrument ID="Instrument:0">
        <FilterSet ID="FilterSet:0"><ExcitationFilterRef ID="Filter:0"/><ExcitationFilterRef ID="Filter:1"/></FilterSet>
        <Filter ID="Filter:0"/><Filter ID="Filter:1"/></Instrument>
        <StructuredAnnotations><XMLAnnotation ID="Annotation:7" Namespace="https://nbo.github.io/4DN-BINA-OME-Schema"><Value>
        <n:Objective xmlns:n="http://www.NamespaceTest.org/Schemas/NBO/2020-11" ID="Objective:1" Correction="plan apo"/></Value></XMLAnnotation>
        </StructuredAnnotations></OME>"#;
    let record = fairzarr_nbo::ingest::ingest("a.ome.xml", ome.as_bytes()).unwrap();
    let cube = |text: &str| xml::read(text).unwrap().all("FilterCube").next().unwrap().clone();
    let [verbatim, valid] = [xml::Style::Verbatim, xml::Style::Valid].map(|style| xml::write(&record, style));
    assert_eq!(cube(&verbatim).children_of("ExcitationFilterRef").count(), 2);
    assert_eq!(cube(&valid).children_of("ExcitationFilterRef").count(), 1);
    // An object that cannot stand under the root is the annotation that it was.
    let back = xml::read(&valid).unwrap();
    let annotation = back.all("XMLAnnotation").next().unwrap();
    assert_eq!(annotation.id(), Some("Annotation:7"));
    assert!(valid.contains("<Objective ID=\"Objective:1\""), "{valid}");
}

#[test]
fn identifiers_and_what_refers_to_them_change_together() {
    let id = "2a8ff30f-8a66-4298-ba02-1694d1ae05c0";
    let record = xml::read(&format!(
        r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Instrument ID="Instrument:1">
        <FilterCube ID="FilterCube:1"><StandardDichroicRef ID="{id}"/></FilterCube><StandardDichroic ID="{id}" Type="longpass"/></Instrument>
        <Image ID="Image:1" AcquisitionDate="2024-03-14T10:00:00"><Pixels ID="Pixels:1" SizeX="2.0"/></Image></OME>"#
    ))
    .unwrap();
    let valid = xml::read(&xml::write(&record, xml::Style::Valid)).unwrap();
    let dichroic = valid.all("StandardDichroic").next().unwrap();
    assert_eq!(dichroic.id(), valid.all("StandardDichroicRef").next().unwrap().target());
    assert!(dichroic.id().unwrap().ends_with(&format!(":{id}")), "{dichroic:?}");
    // Spelt as the lists spell it, a day for a date, a whole number for a whole number.
    assert_eq!(dichroic.str("Type"), Some("LongPass"));
    assert_eq!(valid.all("Image").next().unwrap().str("AcquisitionDate"), Some("2024-03-14"));
    assert_eq!(valid.all("Pixels").next().unwrap().number("SizeX"), Some(2.0));
}
