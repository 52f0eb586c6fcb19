//! From records to attributes of a store and back: placement, quality control, merging.

#![allow(clippy::unwrap_used, clippy::panic, clippy::format_collect)]

use fairzarr_nbo::check::{Level, Policy, check};
use fairzarr_nbo::ingest::ingest;
use fairzarr_nbo::merge::ConflictKind;
use fairzarr_nbo::placement::{self, Images, Placement, maps};
use fairzarr_nbo::qc::{self, Outcome, Requirement};
use fairzarr_nbo::record::Object;
use fairzarr_nbo::{Record, merge, xml};
use serde_json::{Map, Value as Json, json};

fn text(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn widefield() -> Record {
    ingest("widefield.xml", text("handmade-widefield-psf-xsdvalid.xml").as_bytes()).unwrap()
}

fn outcome(record: &Record, demand: &str) -> (Outcome, Option<i64>) {
    let verdicts = qc::index(record).require(&demand.parse::<Requirement>().unwrap());
    (verdicts[0].outcome, verdicts[0].age_days)
}

#[test]
fn a_psf_measured_42_days_before() {
    let record = widefield();
    assert_eq!(outcome(&record, "OpticalCalibration within 90 days"), (Outcome::Pass, Some(42)));
    assert_eq!(outcome(&record, "OpticalCalibration within 42 days"), (Outcome::Pass, Some(42)));
    assert_eq!(outcome(&record, "OpticalCalibration within 41 days"), (Outcome::Fail, Some(42)));
    let ratio = "OpticalCalibration and MedianXYSpotSize_FWHM <= 1.2 x TheoreticalXYSpotSize_FWHM";
    assert_eq!(outcome(&record, ratio).0, Outcome::Pass);
    assert_eq!(outcome(&record, "OpticalCalibration and MedianXYSpotSize_FWHM <= 0.2 µm").0, Outcome::Fail);
    assert_eq!(outcome(&record, "OpticalCalibration and MedianXYSpotSize_FWHM <= 0.25 µm").0, Outcome::Pass);
    assert_eq!(
        outcome(&record, "ChromaticRegistrationEvaluation within 90 days and XChromaticShift_RT < 103 nm").0,
        Outcome::Pass
    );
    assert_eq!(outcome(&record, "DetectorCalibration within 90 days").0, Outcome::Fail);
    assert_eq!(outcome(&record, "ExcitationCalibration within 90 days"), (Outcome::Pass, Some(42)));
}

#[test]
fn missing_dates_are_unknown_and_later_calibrations_need_saying() {
    let source = text("handmade-widefield-psf-xsdvalid.xml");
    let read = |from: &str, to: &str| xml::read(&source.replace(from, to)).unwrap();
    let demand = "OpticalCalibration within 90 days";
    assert_eq!(outcome(&read(r#" AcquisitionDate="2024-03-14""#, ""), demand).0, Outcome::Unknown);
    assert_eq!(
        outcome(&read(r#"OpticalCalibration:1" Date="2024-02-01""#, r#"OpticalCalibration:1""#), demand).0,
        Outcome::Unknown
    );
    assert_eq!(
        outcome(&read(r#"AcquisitionDate="2024-03-14""#, r#"AcquisitionDate="2024""#), demand).0,
        Outcome::Unknown
    );
    let later =
        read(r#"OpticalCalibration:1" Date="2024-02-01""#, r#"OpticalCalibration:1" Date="2024-03-20""#);
    assert_eq!(outcome(&later, demand), (Outcome::Fail, Some(-6)));
    assert_eq!(outcome(&later, "OpticalCalibration within 90 days either side").0, Outcome::Pass);
    assert_eq!(outcome(&Record::default(), demand).0, Outcome::Unknown);
}

#[test]
fn another_image_is_judged_by_instrument_and_objective() {
    let record = widefield();
    let index = qc::index(&record);
    let verdicts = index.require(&"OpticalCalibration".parse().unwrap());
    assert_eq!(verdicts[1].image, "Image:2");
    assert_eq!(verdicts[1].outcome, Outcome::Pass, "{}", verdicts[1].reason);
    let other = text("handmade-widefield-psf-xsdvalid.xml");
    let at = other.find("beads_01").unwrap();
    let mut moved = other.clone();
    // The bead image with another objective: a calibration of Objective:2 says nothing about Objective:1.
    moved.replace_range(
        at..,
        &other[at..].replacen(
            r#"<NBO:ObjectiveSettings ID="Objective:1"/>"#,
            r#"<NBO:ObjectiveSettings ID="Objective:2"/>"#,
            1,
        ),
    );
    let event = qc::index(&xml::read(&moved).unwrap())
        .events
        .into_iter()
        .find(|e| e.kind == "OpticalCalibration")
        .unwrap();
    assert_eq!(event.objective.as_deref(), Some("Objective:2"));
    let attribute = index.to_json();
    assert_eq!(qc::Index::from_json(&attribute).unwrap(), index);
}

#[test]
fn attributes_of_one_image_and_of_several() {
    let mut record = widefield();
    record.in_store = Some(vec![Some(0)]);
    let report = check(&record, &Policy::new(2, &[], Level::Must).unwrap());
    let root = placement::root_attributes(&record, std::slice::from_ref(&report));
    assert_eq!(placement::read(&root, []).unwrap().record, record);
    assert_eq!(placement::read_index(&root).unwrap(), qc::index(&record));
    assert_eq!(root["nbo:coverage"][0]["errors"], 0);

    assert_eq!(root["nbo:record"]["image"], json!({"@id": "#Image:1"}), "the other is of beads");
    record.in_store = Some(vec![Some(0), Some(1)]);
    let placement = Placement::new(&record, Images::InGroups);
    let root = placement.root(&[report]);
    assert!(root["nbo:record"].get("image").is_none());
    let images: Vec<_> = (0..2).map(|i| placement.image(i, "..")).collect();
    assert_eq!(images[0]["nbo:record"]["common"]["path"], "..");
    assert!(placement.image(2, "..").is_empty());
    // The images stand before the annotations again, where they stood.
    let back = placement::read(&root, &images).unwrap().record;
    assert_eq!(back, record);
}

#[test]
fn inserting_and_removing_leaves_the_rest_untouched() {
    let before: Map<String, Json> = serde_json::from_value(json!({
        "ome": {"version": "0.5"}, "zarr_conventions": [{"uuid": "0d4ef942-0f74-4187-ae72-016ddf083fe1", "name": "provenance"}], "z": 1
    }))
    .unwrap();
    let mut attributes = before.clone();
    let ours = placement::root_attributes(&widefield(), &[]);
    placement::insert(&mut attributes, ours.clone());
    placement::insert(&mut attributes, ours);
    assert_eq!(attributes["zarr_conventions"].as_array().unwrap().len(), 2);
    placement::remove(&mut attributes);
    assert_eq!(serde_json::to_string(&attributes).unwrap(), serde_json::to_string(&before).unwrap());
}

#[test]
fn other_layouts_are_read_as_far_as_they_are_known() {
    let mut record = widefield();
    record.in_store = Some(vec![None]);
    let written = placement::root_attributes(&record, &[]);
    let mut root = written.clone();
    for (layout, newer) in [(1, false), (2, false), (3, false), (4, false), (5, true)] {
        // Before layout 4 identifiers stood as they are, and none was made of maker and serial number.
        root = written.clone();
        if layout < 4 {
            let mut text = serde_json::to_string(&written["nbo:record"]).unwrap();
            for (iri, id) in written["nbo:record"]["identifiers"].as_object().unwrap() {
                text = text.replace(&format!("\"@id\":\"{iri}\""), &format!("\"@id\":{id}"));
            }
            root["nbo:record"] = serde_json::from_str(&text.replace("\"@id\":\"#", "\"@id\":\"")).unwrap();
        }
        root["nbo:record"]["layout"] = json!(layout);
        let stored = placement::read(&root, []).unwrap();
        assert_eq!((stored.newer, stored.record == record), (newer, true));
    }
    root["nbo:record"].as_object_mut().unwrap().shift_remove("layout");
    assert!(placement::read(&root, []).is_err());
}

#[test]
fn one_microscope_of_two_stores_is_one_node_and_an_lsid_never_is() {
    let document = |maker: &str, serial: &str, id: &str| {
        let text = format!(
            r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Instrument ID="{id}"><InvertedMicroscopeStand Manufacturer="{maker}"
            CatalogNumber="{serial}"/><Objective ID="Objective:0"/></Instrument><Image ID="Image:0"><InstrumentRef ID="{id}"/></Image></OME>"#
        );
        let record = xml::read(&text).unwrap();
        let json = record.to_json();
        assert_eq!(Record::from_json(&json).unwrap(), record);
        assert_eq!(json["@graph"][0]["@id"], json["@graph"][1]["InstrumentRef"]["@id"]);
        assert_eq!(json["@graph"][0]["Objective"][0]["@id"], "#Objective:0", "relative to the store");
        json["@graph"][0]["@id"].as_str().unwrap().to_owned()
    };
    let one = document("Carl Zeiss", "SN-1", "Instrument:0");
    assert!(one.starts_with("urn:uuid:"));
    assert_eq!(one, document("Zeiss", "sn-1", "Instrument:7"));
    assert_ne!(one, document("Zeiss", "SN-2", "Instrument:0"));
    assert_eq!(document("Zeiss", "", "Instrument:0"), "#Instrument:0");
    let uuid = "93efaebd-1042-43aa-994e-2f5bc2a92fb1";
    assert_eq!(document("Zeiss", "SN-1", uuid), format!("urn:uuid:{uuid}"));
}

#[test]
fn calibration_maps_become_arrays_and_come_back() {
    let cells = |r: usize| -> String {
        (1..=16)
            .map(|c| format!(r#"<Cell CellNr="{c}" CellValue="{}.5" CellValueUnit="e-"/>"#, r * c))
            .collect()
    };
    let rows: String = (1..=8).map(|r| format!(r#"<Row RowNr="{r}">{}</Row>"#, cells(r))).collect();
    let source = format!(
        r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Image ID="Image:1"><DetectorCalibration ID="DetectorCalibration:1" Date="2024-01-15">
        <CalibrationMap MetricType="Gain" IlluminationIntensity="1.0" NrOfImages="10">{rows}</CalibrationMap></DetectorCalibration></Image></OME>"#
    );
    let mut record = xml::read(&source).unwrap();
    let taken = maps::take(&mut record);
    assert_eq!((taken.len(), taken[0].shape, taken[0].values.len()), (1, [8, 16], 128));
    assert!(record.to_json().to_string().len() < 2000);
    let mut back = Record::from_json(&record.to_json()).unwrap();
    maps::put_back(&mut back, |path| taken.iter().find(|m| m.path == path).map(|m| m.values.clone()));
    assert!(xml::equal(&source, &xml::write(&back, xml::Style::Verbatim)).unwrap());
}

#[test]
fn a_sidecar_and_ome_xml_are_joined() {
    let ome = ingest(
        "image.ome.xml",
        br#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Instrument ID="Instrument:0">
          <Microscope Type="Inverted" Manufacturer="Zeiss"/>
          <Objective ID="Objective:0" Manufacturer="Zeiss" Model="P63" LensNA="1.4" WorkingDistance="190" Immersion="Oil"/></Instrument>
          <Image ID="Image:0" Name="cells"><InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>
          <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="2" SizeY="2" SizeZ="1" SizeC="1" SizeT="1" PhysicalSizeX="0.1">
          <Channel ID="Channel:0:0"/><Plane TheZ="0" TheC="0" TheT="0" ExposureTime="0.1"/><MetadataOnly/></Pixels></Image></OME>"#,
    )
    .unwrap();
    let sidecar = xml::read(
        r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Instrument ID="93efaebd-1042-43aa-994e-2f5bc2a92fb1">
          <InvertedMicroscopeStand ID="Microscope:9" Manufacturer="Zeiss" Model="Axio"/>
          <Objective ID="Objective:7" Manufacturer="Zeiss" Model="P63" LensNA="1.3" WorkingDistance="0.19" WorkingDistanceUnit="mm" ImmersionType="Silicone Oil" CatalogNumber="999"/></Instrument>
          <Image ID="Image:5" Name="cells"><InstrumentRef ID="93efaebd-1042-43aa-994e-2f5bc2a92fb1"/><ObjectiveSettings ID="Objective:7"/>
          <Pixels ID="Pixels:5" PhysicalSizeX="0.2" PhysicalSizeXUnit="µm"><Plane ID="Plane:1" TheZ="0" TheC="0" TheT="0" ExposureTime="0.1" ExposureTimeUnit="ms"/></Pixels></Image></OME>"#,
    )
    .unwrap();
    let (record, conflicts) = merge::merge(ome, sidecar);
    let objective = record.all("Objective").next().unwrap();
    assert_eq!(record.all("Objective").count(), 1);
    assert_eq!(objective.number("LensNA"), Some(1.3), "the sidecar knows the microscope");
    assert_eq!(objective.extra["conflict"]["LensNA"], "1.4");
    assert_eq!(objective.str("WorkingDistanceUnit"), Some("µm"), "the same distance, said twice");
    assert_eq!(objective.str("ImmersionType"), Some("Silicone Oil"), "a statement replaces a guess");
    let stand = record.all("InvertedMicroscopeStand").next().unwrap();
    assert_eq!((stand.id(), stand.str("Model")), (Some("Microscope:9"), Some("Axio")));
    let pixels = record.all("Pixels").next().unwrap();
    assert_eq!(pixels.number("PhysicalSizeX"), Some(0.1), "the file knows its pixels");
    let image = record.all("Image").next().unwrap();
    assert_eq!(record.all("Image").count(), 1);
    assert_eq!(image.child("ObjectiveSettings").and_then(Object::target), Some("Objective:0"));
    // A factor of a thousand in the exposure is what imports without units bring about.
    let mut fields: Vec<_> =
        conflicts.iter().map(|c| (c.field.as_str(), c.kept.as_str(), c.other.as_str())).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            ("ExposureTime", "0.1 s", "0.1 ms"),
            ("ImmersionType", "Silicone Oil", "Mineral Oil"),
            ("LensNA", "1.3", "1.4"),
            ("PhysicalSizeX", "0.1 µm", "0.2 µm")
        ]
    );
    assert_eq!(Record::from_json(&record.to_json()).unwrap().to_json(), record.to_json());
}

#[test]
fn two_things_of_a_sidecar_stay_two() {
    let scope = |objectives: &str| {
        xml::read(&format!(
            r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Instrument ID="Instrument:1">
            <InvertedMicroscopeStand ID="Microscope:1" Manufacturer="M" CatalogNumber="S-1"/>{objectives}</Instrument></OME>"#
        ))
        .unwrap()
    };
    let two = r#"<Objective ID="Objective:7" Manufacturer="M" Model="N" LensNA="0.8"/>
        <Objective ID="Objective:8" Manufacturer="M" Model="N" LensNA="0.9"/>"#;
    let one = r#"<Objective ID="Objective:0" Manufacturer="M" Model="N"/>"#;
    // Which of the two the known one is nobody says, so it is neither.
    for (base, expected) in [(Record::default(), 2), (scope(one), 3)] {
        let (merged, conflicts) = merge::merge(base, scope(two));
        assert_eq!(merged.all("Objective").count(), expected);
        assert!(conflicts.is_empty(), "{conflicts:?}");
    }
}

#[test]
fn two_microscopes_stay_two() {
    let scope = |maker: &str, id: &str, serial: &str| {
        xml::read(&format!(
            r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Instrument ID="{id}">
            <InvertedMicroscopeStand ID="Microscope:1" Manufacturer="{maker}" Model="Stand" CatalogNumber="{serial}"/><Objective ID="Objective:1" Model="{maker} 20x"/>
            <FilterCube ID="FilterCube:1"><ExcitationFilterRef ID="Filter:1"/></FilterCube><ExcitationFilter ID="Filter:1" Model="{maker}"/>
            </Instrument></OME>"#
        ))
        .unwrap()
    };
    for id in ["Instrument:1", "Instrument:7", "93efaebd-1042-43aa-994e-2f5bc2a92fb1"] {
        let (merged, conflicts) =
            merge::merge(scope("Zeiss", "Instrument:1", "999"), scope("Nikon", id, "999"));
        let instruments: Vec<_> = merged.all("Instrument").collect();
        assert_eq!((instruments.len(), merged.all("Objective").count()), (2, 2), "{id}");
        assert_eq!(
            (conflicts.len(), conflicts[0].kind),
            (1, ConflictKind::AnotherMicroscope),
            "{conflicts:?}"
        );
        assert!(conflicts[0].field.contains("makers differ"), "{conflicts:?}");
        // Each refers to its own parts, and no identifier stands for two.
        for instrument in instruments {
            let target =
                instrument.child("FilterCube").unwrap().child("ExcitationFilterRef").unwrap().target();
            let maker = instrument.child("InvertedMicroscopeStand").unwrap().str("Manufacturer");
            let filter = merged.find(target.unwrap(), &["ExcitationFilter"]).unwrap();
            assert_eq!(filter.str("Model"), maker);
        }
        let report = check(&merged, &Policy::new(1, &[], Level::Must).unwrap());
        let doubled =
            report.findings.iter().filter(|f| f.rule == fairzarr_nbo::check::Rule::Identity).count();
        assert_eq!(doubled, 0);
    }
    // The same maker in other words, and the same microscope again.
    let first = scope("Zeiss", "Instrument:1", "S-1");
    let (merged, conflicts) = merge::merge(first.clone(), scope("Carl Zeiss", "Instrument:1", "S-1"));
    assert_eq!(merged.all("Instrument").count(), 1, "{conflicts:?}");
    let uuids = ["93efaebd-1042-43aa-994e-2f5bc2a92fb1", "03efaebd-1042-43aa-994e-2f5bc2a92fb1"];
    let (merged, _) = merge::merge(first, scope("Zeiss", uuids[0], "S-1"));
    let (merged, conflicts) = merge::merge(merged, scope("Zeiss", uuids[0], ""));
    assert_eq!((merged.all("Instrument").count(), conflicts.len()), (1, 0), "{conflicts:?}");
    let (merged, _) = merge::merge(merged, scope("Zeiss", uuids[1], ""));
    assert_eq!(merged.all("Instrument").count(), 2, "two of one model");
}

#[test]
fn settings_hold_for_the_images_of_a_plate_that_they_fit() {
    let image = |n: usize, channels: [&str; 2]| {
        let channel = |c: usize| {
            format!(r#"<Channel ID="Channel:{n}:{c}" Name="{}" SamplesPerPixel="1"/>"#, channels[c])
        };
        format!(
            r#"<Image ID="Image:{n}" Name="w{n}"><InstrumentRef ID="Instrument:0"/><Pixels ID="Pixels:{n}" DimensionOrder="XYZCT" Type="uint16"
            SizeX="2" SizeY="2" SizeZ="1" SizeC="2" SizeT="1" PhysicalSizeX="0.5">{}{}<MetadataOnly/></Pixels></Image>"#,
            channel(0),
            channel(1)
        )
    };
    let ome = format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Instrument ID="Instrument:0"><Microscope Manufacturer="Zeiss" SerialNumber="S-77"/></Instrument>{}{}{}</OME>"#,
        image(0, ["DAPI", "GFP"]),
        image(1, ["dapi", "gfp"]),
        image(2, ["DAPI", "Cy5"])
    );
    let base = ingest("plate.ome.xml", ome.as_bytes()).unwrap();
    let read = |name: &str| ingest(name, text(name).as_bytes()).unwrap();
    let mut microscope: Json = serde_json::from_str(&text("abif_axiovert1_.json")).unwrap();
    microscope["MicroscopeStand"]["CatalogNumber"] = json!("S-77");
    let microscope = ingest("scope.json", microscope.to_string().as_bytes()).unwrap();
    // The microscope first, and its settings with it or later.
    let (with_microscope, _) = merge::merge(base, microscope);
    let (record, conflicts) = merge::merge(with_microscope, read("derived_settings_axiovert1.json"));
    assert_eq!(conflicts, []);
    let images: Vec<_> = record.all("Image").collect();
    let lit =
        |image: &Object| image.descendants().iter().filter(|o| o.class == "LightSourceSettings").count();
    // The settings of the one that fits no channels stay what they are: those of another image.
    assert_eq!(images.iter().map(|image| lit(image)).collect::<Vec<_>>(), [2, 2, 0]);
    for (n, image) in images.iter().enumerate() {
        assert_eq!(image.str("Name"), Some(format!("w{n}").as_str()));
        assert_eq!(image.children_of("InstrumentRef").count(), 1);
        assert_eq!(image.child("Pixels").unwrap().number("PhysicalSizeX"), Some(0.5));
        assert_eq!(image.child("Pixels").unwrap().children_of("Plane").count(), 0);
    }
}

#[test]
fn what_two_documents_say_beside_the_model_is_kept_of_both() {
    let qc = |name: &str, fwhm: f64| {
        let json = json!({"name": name, "acquisition_datetime": "2024-02-01T10:00:00", "output": {"key_measurements":
            [{"channel_name": "GFP", "fwhm_micron_x_median": fwhm, "fwhm_micron_y_median": fwhm}]}});
        ingest(name, json.to_string().as_bytes()).unwrap()
    };
    let (record, _) = merge::merge(widefield(), qc("first", 0.2));
    let (record, _) = merge::merge(record, qc("second", 0.3));
    let (record, _) = merge::merge(record, qc("third", 0.4));
    let datasets: Vec<_> =
        record.extra["microscope-metrics"].as_array().unwrap().iter().map(|d| d["dataset"].clone()).collect();
    assert_eq!(datasets, ["first", "second", "third"]);
}
