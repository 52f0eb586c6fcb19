//! Which image of a record is which image of a store, and which microscopes are one: a test for each rule, named after
//! it.

#![allow(clippy::unwrap_used)]

use fairzarr_nbo::ingest::ingest;
use fairzarr_nbo::merge::{self, Conflict, ConflictKind, StoreImage, identify};
use fairzarr_nbo::placement::{self, Images, Placement};
use fairzarr_nbo::record::Object;
use fairzarr_nbo::{Record, qc, xml};
use serde_json::{Map, json};

const NBO: &str = "http://www.NamespaceTest.org/Schemas/NBO/2020-11";

/// A store's OME-XML: one image of two named channels, taken on 2024-03-14 with a microscope of serial number SN-1.
fn ome(stand: &str) -> Record {
    let text = format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Instrument ID="Instrument:0"><Microscope Type="Inverted" {stand}/>
        <Detector ID="Detector:0"/><Objective ID="Objective:0"/></Instrument><Image ID="Image:0" Name="cells"><AcquisitionDate>2024-03-14T10:00:00</AcquisitionDate>
        <InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="32" SizeY="32" SizeZ="1" SizeC="2" SizeT="1">
        <Channel ID="Channel:0:0" Name="GFP"><DetectorSettings ID="Detector:0"/></Channel><Channel ID="Channel:0:1" Name="RFP"><DetectorSettings ID="Detector:0"/></Channel><MetadataOnly/></Pixels></Image></OME>"#
    );
    ingest("cells.ome.xml", text.as_bytes()).unwrap()
}

const NIKON: &str = r#"Manufacturer="Nikon" Model="Ti2-E" SerialNumber="SN-1""#;

fn document(body: &str) -> Record {
    xml::read(&format!(r#"<OME xmlns="{NBO}">{body}</OME>"#)).unwrap()
}

fn joined(body: &str) -> (Record, Vec<Conflict>) {
    merge::merge(ome(NIKON), document(body))
}

fn images(record: &Record) -> Vec<&Object> {
    record.objects.iter().filter(|o| o.class == "Image").collect()
}

fn names(image: &Object) -> Vec<&str> {
    image.child("Pixels").unwrap().children_of("Channel").filter_map(|c| c.str("Name")).collect()
}

#[test]
fn an_image_of_a_document_is_the_stores_by_name_where_nothing_contradicts() {
    let pixels = |sizes: &str, channels: &str| format!("<Pixels ID=\"Pixels:9\" {sizes}>{channels}</Pixels>");
    let gfp = r#"<Channel ID="Channel:9" Name="gfp"/>"#;
    for (attributes, pixels, one, why) in [
        (r#"Name="cells""#, String::new(), true, ""),
        (r#"Name="cells" AcquisitionDate="2024-03-14""#, pixels(r#"SizeX="32""#, gfp), true, ""),
        (r#"Name="cells" AcquisitionDate="2024-03-15""#, String::new(), false, "acquired on 2024-03-15"),
        (r#"Name="cells""#, pixels(r#"SizeX="64""#, ""), false, "SizeX is 64, not 32"),
        (r#"Name="cells""#, pixels(r#"SizeC="3""#, ""), false, "SizeC is 3, not 2"),
        (r#"Name="cells""#, pixels("", r#"<Channel ID="Channel:9" Name="Cy7"/>"#), false, "a channel Cy7"),
        (r#"Name="beads""#, String::new(), false, "none of those known has its name"),
        // One of each is no reason, and neither is an identifier that holds in its document alone.
        ("", String::new(), false, "no name"),
    ] {
        let (record, conflicts) = joined(&format!(
            r#"<Image ID="Image:0" {attributes}>{pixels}<StageLabel Name="found"/></Image>"#
        ));
        assert_eq!(images(&record).len(), if one { 1 } else { 2 }, "{attributes} {pixels}");
        assert_eq!(images(&record)[0].child("StageLabel").is_some(), one, "{attributes} {pixels}");
        let said: Vec<_> = conflicts.iter().filter(|c| c.kind == ConflictKind::AnotherImage).collect();
        assert_eq!(said.len(), usize::from(!one), "{conflicts:?}");
        assert!(said.iter().all(|c| c.to_string().contains(why)), "{conflicts:?}");
        // No identifier stands for two images.
        let ids: std::collections::HashSet<_> = images(&record).iter().map(|i| i.id()).collect();
        assert_eq!(ids.len(), images(&record).len());
        assert_eq!(record.in_store, Some(vec![Some(0)]));
    }
}

#[test]
fn two_images_of_one_name_are_not_told_apart_by_it() {
    let (record, conflicts) =
        joined(r#"<Image ID="Image:1" Name="cells"/><Image ID="Image:2" Name="cells"/>"#);
    assert_eq!(images(&record).len(), 3, "{conflicts:?}");
}

#[test]
fn an_image_is_the_same_by_uuid_whatever_it_is_called() {
    let id = "d3202cbf-b807-4f51-9f05-a6443a8f3b72";
    let (first, _) = joined(&format!(r#"<Image ID="{id}" Name="cells"/>"#));
    assert_eq!(images(&first)[0].extra["sameAs"], id);
    let image = |name: &str| {
        document(&format!(r#"<Image ID="{id}" Name="{name}"><StageLabel Name="found"/></Image>"#))
    };
    let (record, conflicts) = merge::merge(first.clone(), image("renamed"));
    assert_eq!((images(&record).len(), images(&record)[0].str("Name")), (1, Some("cells")), "{conflicts:?}");
    let other = document(r#"<Image ID="03202cbf-b807-4f51-9f05-a6443a8f3b72" Name="cells"/>"#);
    assert_eq!(images(&merge::merge(first, other).0).len(), 2, "another UUID is another image");
}

#[test]
fn an_image_taken_on_another_microscope_is_another_image() {
    let (record, conflicts) = joined(
        r#"<Instrument ID="Instrument:0"><InvertedMicroscopeStand ID="Microscope:0" Manufacturer="Nikon" CatalogNumber="SN-2"/></Instrument>
        <Image ID="Image:0" Name="cells"><InstrumentRef ID="Instrument:0"/></Image>"#,
    );
    assert_eq!((images(&record).len(), record.all("Instrument").count()), (2, 2), "{conflicts:?}");
    assert!(conflicts.iter().any(|c| c.to_string().contains("serial numbers differ")), "{conflicts:?}");
    // The other image refers to the other microscope, whatever both were called.
    let targets: Vec<_> =
        images(&record).iter().map(|i| i.child("InstrumentRef").unwrap().target()).collect();
    assert_ne!(targets[0], targets[1]);
}

#[test]
fn documents_add_to_the_stores_images_and_never_replace_or_append() {
    let (record, conflicts) = joined(
        r#"<Image ID="Image:5" Name="cells" AcquisitionDate="2024-03-14"><Pixels ID="Pixels:5" SizeX="32"><Channel ID="Channel:8" Name="rfp"><Fluorophore ID="F:1" Name="mCherry"/></Channel>
        <Channel ID="Channel:9" Name="gfp"/></Pixels></Image>"#,
    );
    let image = images(&record)[0];
    assert_eq!(names(image), ["GFP", "RFP"], "{conflicts:?}");
    let rfp = image.child("Pixels").unwrap().children_of("Channel").nth(1).unwrap();
    assert_eq!(rfp.child("Fluorophore").unwrap().str("Name"), Some("mCherry"));
    assert_eq!(image.str("AcquisitionDate"), Some("2024-03-14"));
    assert!(image.field("AcquisitionDate").unwrap().origin.from.as_deref().unwrap().contains("T10:00"));
    // A channel that cannot be told which it is stays beside them.
    let (record, conflicts) = joined(
        r#"<Image ID="Image:5" Name="cells"><Pixels ID="Pixels:5"><Channel ID="Channel:8"/></Pixels></Image>"#,
    );
    let pixels = images(&record)[0].child("Pixels").unwrap();
    assert_eq!(pixels.children_of("Channel").count(), 2);
    assert_eq!(pixels.extra["channelsNotPlaced"][0]["@id"], "#Channel:8");
    assert_eq!(conflicts[0].kind, ConflictKind::NoSuchChannel);
}

#[test]
fn microscopes_are_one_by_uuid_or_maker_and_serial_number_or_one_image() {
    let scope = |stand: &str, image: &str| {
        joined(&format!(
            r#"<Instrument ID="Instrument:7" Name="W1"><InvertedMicroscopeStand ID="Microscope:7" {stand}/><Objective ID="Objective:7" LensNA="1.4"/></Instrument>{image}"#
        ))
    };
    let image = r#"<Image ID="Image:7" Name="cells"><InstrumentRef ID="Instrument:7"/><ObjectiveSettings ID="Objective:7"/></Image>"#;
    for (stand, image, instruments, why) in [
        (r#"Manufacturer="Nikon Corporation" Model="Eclipse Ti2-E" CatalogNumber="sn-1""#, "", 1, ""),
        (r#"Manufacturer="Nikon" Model="Ti2-E" CatalogNumber="SN-2""#, "", 2, "serial numbers differ"),
        (r#"Manufacturer="Leica" Model="Ti2-E" CatalogNumber="SN-1""#, "", 2, "makers differ"),
        (r#"Manufacturer="Nikon" Model="Ti""#, "", 2, "models differ"),
        // One of a model, and the only one on either side: who knows.
        (r#"Manufacturer="Nikon" Model="Ti2-E""#, "", 2, "no UUID"),
        (r#"Manufacturer="Nikon""#, image, 1, ""),
        ("", image, 1, ""),
    ] {
        let (record, conflicts) = scope(stand, image);
        assert_eq!(record.all("Instrument").count(), instruments, "{stand} {image}: {conflicts:?}");
        let said = conflicts.iter().filter(|c| c.kind == ConflictKind::AnotherMicroscope);
        assert!(said.clone().count() == instruments - 1, "{conflicts:?}");
        assert!(said.clone().all(|c| c.to_string().contains(why)), "{conflicts:?}");
    }
    // What one image was seen through is one objective.
    let (record, _) = scope("", image);
    let objective = record.all("Objective").next().unwrap();
    assert_eq!((record.all("Objective").count(), objective.id()), (1, Some("Objective:0")));
    assert_eq!(objective.number("LensNA"), Some(1.4));
}

#[test]
fn identifiers_of_two_documents_are_never_one_by_chance() {
    let calibration = |day: &str| {
        document(&format!(
            r#"<Experimenter ID="Experimenter:1" FirstName="A" LastName="{day}"/><Image ID="Image:1" Name="beads {day}"><OpticalCalibration ID="OpticalCalibration:1" Date="{day}"><OpticalCalibrationImageRef ID="Image:1"/></OpticalCalibration></Image>"#
        ))
    };
    let (record, _) = merge::merge(ome(NIKON), calibration("2024-01-01"));
    let (record, _) = merge::merge(record, calibration("2024-02-01"));
    assert_eq!(record.all("Experimenter").count(), 2);
    let events = qc::index(&record).events;
    let measured: Vec<_> =
        events.iter().map(|e| (e.date.as_deref().unwrap(), e.measured_on.clone())).collect();
    let ids: Vec<_> = images(&record).iter().map(|i| i.id().unwrap().to_owned()).collect();
    assert_eq!(measured, [("2024-01-01", vec![ids[1].clone()]), ("2024-02-01", vec![ids[2].clone()])]);
    // The same document once more, in other bytes, says nothing new.
    let (again, _) = merge::merge(record.clone(), calibration("2024-02-01"));
    assert_eq!(qc::index(&again).events.len(), 2);
    assert_eq!(again.all("Experimenter").count(), 2);
}

#[test]
fn a_part_found_by_the_settings_of_one_channel_takes_the_class_that_is_known() {
    let (record, _) = joined(
        r#"<Instrument ID="Instrument:7"><CMOS ID="Detector:1" Model="A"/><CMOS ID="Detector:2" Model="B"/></Instrument><Image ID="Image:7" Name="cells"><InstrumentRef ID="Instrument:7"/>
        <Pixels ID="Pixels:7"><Channel ID="Channel:7" Name="GFP"><LightPath ID="LightPath:7"><CameraSettings ID="Detector:2"/></LightPath></Channel></Pixels></Image>"#,
    );
    let used = record.find("Detector:0", &["CMOS"]).unwrap();
    assert_eq!(used.str("Model"), Some("B"));
    assert_eq!(record.all("CMOS").count(), 2);
}

#[test]
fn the_record_says_which_of_its_images_is_the_stores() {
    let (record, _) = joined(r#"<Image ID="Image:0" Name="beads"/>"#);
    let root = placement::root_attributes(&record, &[]);
    assert_eq!(root["nbo:record"]["layout"], 4);
    assert_eq!(root["nbo:record"]["image"], json!({"@id": "#Image:0"}));
    assert_eq!(placement::read(&root, []).unwrap().record, record);
    // Of none, none is said, and nothing is taken for it.
    let mut alone = document(r#"<Image ID="Image:0" Name="beads"/>"#);
    alone.in_store = Some(vec![None]);
    let root = placement::root_attributes(&alone, &[]);
    assert!(root["nbo:record"].get("image").is_none());
    assert_eq!(placement::read(&root, []).unwrap().record.in_store, Some(vec![None]));
    // In a store of several each group says it, and one without a record is known of.
    let placement = Placement::new(&record, Images::InGroups);
    let groups = [placement.image(0, ".."), Map::new()];
    assert_eq!(groups[0]["nbo:record"]["image"], json!({"@id": "#Image:0"}));
    let read = placement::read(&placement.root(&[]), &groups).unwrap().record;
    assert_eq!(read.in_store.as_ref().unwrap().len(), 2);
    let held = read.in_store.unwrap()[0].unwrap();
    assert_eq!(
        images(&placement::read(&placement.root(&[]), &groups).unwrap().record)[held].str("Name"),
        Some("cells")
    );
    // Outside of a store the record says it too.
    assert_eq!(Record::from_json(&record.to_json()).unwrap().in_store, Some(vec![Some(0)]));
}

#[test]
fn an_image_without_an_identifier_of_its_own_is_referred_to_by_its_place() {
    let mut record =
        document(r#"<Image ID="Image:0" Name="a"/><Image ID="Image:0" Name="b"/><Image Name="c"/>"#);
    for number in 0..3 {
        record.in_store = Some(vec![Some(number)]);
        let root = placement::root_attributes(&record, &[]);
        assert_eq!(root["nbo:record"]["image"], json!({"@id": format!("#/@graph/{number}")}));
        assert_eq!(placement::read(&root, []).unwrap().record.in_store, record.in_store);
    }
}

#[test]
fn records_of_layouts_1_and_2_are_read_and_said_of_the_image_that_they_were_made_of() {
    let (record, _) = joined(r#"<Image ID="Image:1" Name="beads"/>"#);
    for layout in [1, 2] {
        let mut root = placement::root_attributes(&record, &[]);
        root["nbo:record"]["layout"] = json!(layout);
        root["nbo:record"].as_object_mut().unwrap().shift_remove("image");
        let read = placement::read(&root, []).unwrap();
        assert!(!read.newer);
        assert_eq!(read.record.in_store, Some(vec![Some(0)]), "it began with the OME-XML");
        root.shift_remove("nbo:sources");
        assert_eq!(placement::read(&root, []).unwrap().record.in_store, Some(vec![None]), "nobody says");
    }
}

#[test]
fn a_store_without_ome_xml_finds_its_image_by_name_sizes_and_channels() {
    let described = || {
        document(
            r#"<Image ID="Image:1" Name="beads"><Pixels ID="Pixels:1" SizeX="64" SizeC="1"><Channel ID="Channel:1" Name="GFP"/></Pixels></Image><Image ID="Image:2" Name="cells"/>"#,
        )
    };
    let image = |name: &str, x: u64, channel: &str| {
        let mut image = StoreImage::new(Some(name.to_owned()));
        image.sizes = [None, Some(1), None, None, Some(x)];
        image.channels = vec![channel.to_owned()];
        image
    };
    for (image, expected) in [
        (image("beads", 64, "GFP"), Some(0)),
        (image("beads", 32, "GFP"), None),
        (image("beads", 64, "Cy5"), None),
        (image("cells", 32, "GFP"), Some(1)),
        (image("image", 64, "GFP"), None),
        (StoreImage::new(None), None),
    ] {
        let mut record = described();
        identify(&mut record, std::slice::from_ref(&image));
        assert_eq!(record.in_store, Some(vec![expected]), "{image:?}");
    }
    // Two images of the store by one name are none.
    let mut record = described();
    identify(&mut record, &[image("cells", 1, "a"), image("cells", 1, "a")]);
    assert_eq!(record.in_store, Some(vec![None, None]));
}

#[test]
fn what_is_about_the_store_has_its_images_and_those_of_its_calibrations() {
    let (record, _) = joined(
        r#"<Image ID="Image:1" Name="elsewhere"/><Image ID="Image:2" Name="beads"/><Image ID="Image:3" Name="dark"><DetectorCalibration ID="DetectorCalibration:1"/></Image>
        <Image ID="Image:4" Name="cells"><OpticalCalibration ID="OpticalCalibration:1"><OpticalCalibrationImageRef ID="Image:2"/></OpticalCalibration></Image>"#,
    );
    assert_eq!(images(&record).len(), 4);
    let about = placement::about_the_store(&record);
    let names: Vec<_> = images(&about).iter().filter_map(|i| i.str("Name")).collect();
    assert_eq!((names, about.in_store.clone()), (vec!["cells", "beads", "dark"], Some(vec![Some(0)])));
    let mut unknown = record.clone();
    unknown.in_store = Some(vec![None]);
    assert_eq!(placement::about_the_store(&unknown), unknown);
}
