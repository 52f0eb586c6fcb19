//! Materials and Methods: what is said, in which order, and what is marked as missing.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use fairzarr_nbo::Record;
use fairzarr_nbo::ingest::ingest;
use fairzarr_nbo::methods::{Markup, exposures, leaves_planes_out, methods};
use fairzarr_nbo::xml;
use fairzarr_ome_xml::Document;

fn data(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn plain(record: &Record) -> String {
    methods(record).text(Markup::Plain)
}

fn said_of(xml: &str) -> String {
    plain(&xml::read(xml).unwrap())
}

/// Each of these in the text, each behind the one before.
fn in_order(text: &str, words: &[&str]) {
    let mut from = 0;
    for word in words {
        let at = text[from..].find(word);
        from += at.unwrap_or_else(|| panic!("“{word}” is not behind what comes before it in\n{text}"))
            + word.len();
    }
}

#[test]
fn everything_that_a_paper_asks_for_is_said_in_its_order() {
    let text = said_of(&data("confocal-live.xml"));
    in_order(
        &text,
        &[
            "HeLa cells expressing GFP-Rab5 (Homo sapiens, cells, live,",
            "labelled by transient transfection",
            "mounted in Example Media FluoroBrite",
            "No. 1.5H (0.17–0.18 mm) coverglass",
            "on a chambered coverslip",
            "laser scanning confocal fluorescence microscopy on a Leica DMi8 inverted microscope",
            "cat. no. EX-1",
            "controlled with LAS X 3.5.7 (Leica)",
            "HC PL APO CS2 objective (63×, NA 1.20, PlanApo correction, water immersion",
            "EGFP (channel “GFP”, excitation 489 nm, emission 509 nm",
            "OPSL 488 laser",
            "set to 2 mW",
            "DD 488/552 dichroic mirror",
            "ET525/50m emission filter",
            "a voltage of 650 V",
            "the DD 488/552 dichroic mirror",
            "R9624 photomultiplier tube",
            "a pixel dwell time of 1.2 µs",
            "an analogue gain of 1",
            "a pinhole of 111.5 µm",
            "512 × 512 pixels of 0.08 µm × 0.08 µm (16-bit), 11 optical sections spaced 500 nm apart, two channels and 60 time points at intervals of 30 s",
            "37 °C, 5% CO₂ and 60% humidity",
            "Focus was maintained with a Leica AFC",
            "Acknowledgements: Images were acquired by Ada Example and Ben Sample (Example University)",
        ],
    );
    assert_eq!(text.matches("R9624").count(), 1, "what channels share is said once");
    assert_eq!(text.matches("analogue gain").count(), 1);
    assert_eq!(text.matches("Leica DMi8").count(), 1, "what images share is said once");
    let gaps = methods(&xml::read(&data("confocal-live.xml")).unwrap());
    assert_eq!(
        gaps.gaps(),
        [
            "unit of the thickness",
            "catalogue number",
            "date, kind and result of calibration and quality control",
            "imaging facility and its RRID",
            "imaging facility and its RRID"
        ],
        "999 is no number, and nothing else is missing"
    );
}

#[test]
fn images_that_differ_in_name_and_date_alone_share_a_paragraph() {
    let text = said_of(&data("confocal-live.xml"));
    in_order(
        &text,
        &[
            "The two images “cell_1” and “cell_2”, acquired between 2024-03-14 and 2024-03-15, show",
            "The image “control”, acquired on 2024-03-15, shows the same.",
            "one time point",
        ],
    );
}

#[test]
fn images_of_beads_are_left_out_and_what_was_measured_on_them_is_not() {
    let text = said_of(&data("handmade-widefield-psf-xsdvalid.xml"));
    in_order(
        &text,
        &[
            "The image “cells_01”",
            "exposure time of 100 ms",
            "1×1 binning, a readout rate of 540 MHz",
            "The point spread function was measured on 2024-02-01 (100 nm beads, MetroloJ_QC 1.3.1): for channel “GFP”",
            "median lateral FWHM 228 nm",
            "n = 25",
            "power at the sample 7.4 mW",
        ],
    );
    assert!(!text.contains("beads_01") && !text.contains("512 × 512"), "{text}");
}

#[test]
fn what_is_not_recorded_is_marked_in_words() {
    let document = data("handmade-widefield-psf-xsdvalid.xml");
    for (said, with, gap) in [
        (r#" Name="Alexa Fluor 488""#, "", "fluorophore"),
        (r#" LensNA="1.4""#, r#" LensNA="TBD""#, "numerical aperture"),
        (r#" ExposureTime="100""#, "", "exposure time"),
        (r#" Binning="1x1""#, "", "binning"),
        (r#" PhysicalSizeX="0.103""#, "", "pixel size"),
        (r#" AcquisitionDate="2024-03-14""#, "", "acquisition date"),
        (r#" IlluminationPowerSettings="60""#, "", "light source power"),
        (r#" CatalogNumber="EX-0003""#, r#" CatalogNumber="999""#, "catalogue number"),
        (
            r#" IlluminationType="Wide-field_Fluorescence" ContrastMethod="Fluorescence""#,
            "",
            "illumination type and contrast method",
        ),
        (r#" Version="2.0.1""#, "", "version"),
    ] {
        assert!(document.contains(said), "{said}");
        let whole = methods(&xml::read(&document).unwrap());
        let text = methods(&xml::read(&document.replace(said, with)).unwrap());
        let count = |of: &[&str]| of.iter().filter(|g| **g == gap).count();
        assert!(count(&text.gaps()) > count(&whole.gaps()), "{said}: {:?}", text.gaps());
        assert!(text.text(Markup::Markdown).contains("**[not recorded: "));
    }
    // A pinhole is asked of a confocal microscope alone.
    let pinhole =
        data("confocal-live.xml").replace(r#" PresetPinholeSize="111.5" PresetPinholeSizeUnit="µm""#, "");
    assert!(said_of(&pinhole).contains("[not recorded: pinhole size]"), "{}", said_of(&pinhole));
    assert!(!said_of(&document).contains("pinhole"));
    let unitless = data("confocal-live.xml").replace(r#" PresetPinholeSizeUnit="µm""#, "");
    assert!(
        said_of(&unitless).contains("a pinhole of 111.5 [not recorded: unit of the preset pinhole size]")
    );
}

#[test]
fn no_identifier_and_no_placeholder_is_printed() {
    for names in [
        &["abif_axiovert1_.json", "derived_settings_axiovert1.json"][..],
        &["derived_settings_axiovert1.json"],
        &["abif_axiovert1_.json"],
        &["imaging_path.insert.json"],
        &["file_set_microscope_qc.insert.json"],
    ] {
        let documents: Vec<String> = names.iter().map(|name| data(name)).collect();
        let all = names.iter().zip(&documents).map(|(name, text)| (*name, text.as_bytes()));
        let text = plain(&fairzarr_nbo::ingest::ingest_all(all).unwrap());
        let is_uuid = |word: &str| {
            fairzarr_nbo::record::value::is_uuid(word.trim_matches(|c: char| !c.is_alphanumeric()))
        };
        assert!(!text.split_whitespace().any(is_uuid), "{text}");
        assert!(!text.contains("999"), "{text}");
    }
}

#[test]
fn facts_say_where_they_come_from() {
    let ome = data("ome/instrument-units-alternate.ome.xml");
    let json = methods(&ingest("a.ome.xml", ome.as_bytes()).unwrap()).to_json();
    let facts = json["paragraphs"][0]["facts"].as_array().unwrap();
    let fact = |field: &str| facts.iter().find(|f| f["field"] == field).unwrap();
    let excitation = fact("ExcitationWavelength");
    assert_eq!(excitation["text"], "610.5 nm");
    assert_eq!((&excitation["value"], excitation["unit"].as_str()), (&610_500.into(), Some("pm")));
    assert_eq!(excitation["origin"], "derived");
    assert_eq!(excitation["from"], "OME:Channel@ExcitationWavelength");
    assert_eq!(excitation["source"], "a.ome.xml");
    assert!(json["paragraphs"][0]["gaps"].as_array().unwrap().iter().any(|g| g == "dichroic mirror"));
    let text = json["text"].as_str().unwrap();
    assert!(facts.iter().all(|f| text.contains(f["text"].as_str().unwrap())));
}

#[test]
fn exposures_of_channels_beyond_the_first_planes_are_known() {
    use std::fmt::Write as _;
    let mut planes = String::new();
    for c in 0..2 {
        for z in 0..20 {
            let time = if c == 0 { 50 + z } else { 100 };
            write!(
                planes,
                r#"<Plane TheC="{c}" TheZ="{z}" TheT="0" ExposureTime="{time}" ExposureTimeUnit="ms"/>"#
            )
            .unwrap();
        }
    }
    let ome = format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="stack"><Pixels ID="Pixels:0"
        DimensionOrder="XYZCT" Type="uint8" SizeX="8" SizeY="8" SizeZ="20" SizeC="2" SizeT="1"><Channel ID="Channel:0:0" Name="A"/><Channel
        ID="Channel:0:1" Name="B"/><MetadataOnly/>{planes}</Pixels></Image></OME>"#
    );
    let mut record = ingest("stack.ome.xml", ome.as_bytes()).unwrap();
    assert!(leaves_planes_out(&record));
    exposures(&mut record, &Document::parse(ome.into_bytes()).unwrap());
    let text = plain(&record);
    in_order(&text, &["“A”", "exposure times from 50 ms to 69 ms", "“B”", "an exposure time of 100 ms"]);
}

#[test]
fn a_store_whose_image_nothing_describes_and_an_empty_record_are_all_gaps() {
    assert!(plain(&Record::default()).contains("[not recorded: microscope"));
    let mut beads_beside = xml::read(&data("handmade-widefield-psf-xsdvalid.xml")).unwrap();
    beads_beside.in_store = Some(vec![None]);
    let text = plain(&beads_beside);
    assert!(!text.contains("cells_01") && text.contains("[not recorded: sample"), "{text}");
}

#[test]
fn images_of_a_plate_are_one_paragraph_whatever_their_number() {
    let document = data("handmade-widefield-psf-xsdvalid.xml");
    let start = document.find(r#"<NBO:Image ID="Image:1""#).unwrap();
    let end = document.find(r#"<NBO:Image ID="Image:2""#).unwrap();
    let image = &document[start..end];
    let many: String = (100..140)
        .map(|n| {
            image.replace(r#"ID="Image:1" Name="cells_01""#, &format!(r#"ID="Image:{n}" Name="field {n}""#))
        })
        .collect();
    let text = said_of(&format!("{}{many}{}", &document[..start], &document[end..]));
    let subject = "The 40 images “field 100”, “field 101”, “field 102”, “field 103”, “field 104”, “field 105” and 34 others, acquired on";
    in_order(&text, &[subject, "The point spread function was measured on 2024-02-01"]);
    assert_eq!(text.matches("point spread function").count(), 1, "{text}");
    assert_eq!(
        text.lines().filter(|line| !line.is_empty()).count(),
        2,
        "a paragraph and the acknowledgement: {text}"
    );
}

#[test]
fn what_other_images_do_not_have_is_not_said_of_them() {
    // The second image has no point spread function, and nothing else that it has is new.
    let document = data("handmade-widefield-psf-xsdvalid.xml");
    let start = document.find(r#"<NBO:Image ID="Image:1""#).unwrap();
    let end = document.find(r#"<NBO:Image ID="Image:2""#).unwrap();
    let image =
        document[start..end].replace(r#"ID="Image:1" Name="cells_01""#, r#"ID="Image:9" Name="later""#);
    let (from, to) =
        (image.find("<NBO:ExcitationCalibration").unwrap(), image.find("</NBO:Channel>").unwrap());
    let other = format!("{}{}", &image[..from], &image[to..]).replace("Instrument:1", "Instrument:9");
    let text = said_of(&format!("{}{other}{}", &document[..end], &document[end..]));
    let later = text.lines().find(|line| line.contains("“later”")).unwrap();
    assert!(!later.contains("illumination was calibrated"), "{later}");
    assert!(later.contains("[not recorded: microscope stand"), "{later}");
}

/// What Tier 1 asks for and a paragraph of Materials and Methods does not: why.
const NOT_ASKED: [(&str, &str); 20] = [
    ("Plane@TheZ", "the place of a plane"),
    ("Plane@TheT", "the place of a plane"),
    ("Plane@Timestamp", "the time step says it"),
    ("Pixels@SizeC", "the channels are told one by one"),
    ("Image@Name", "the paragraph is about the image that has none"),
    ("Instrument@Name", "what its people call the microscope, beside maker and model"),
    ("Experiment@Name", "what its people call the experiment"),
    ("Channel@Name", "a channel without a name goes by its number"),
    ("Channel@ContrastMethod", "the kind of microscopy says it"),
    ("Fluorophore@Model", "the name of the dye says it"),
    ("ImmersionLiquid@Type", "the immersion of the objective says it"),
    ("Sample@BiologicalOrigin", "the organism says it"),
    ("Sample@OrganismTermAccession", "the organism says it"),
    ("CoverGlass@Thickness", "the number of the coverglass says it"),
    ("EmissionFilter@LightPathLocation", "where in the microscope an optic stands is not printed"),
    ("ExcitationFilter@LightPathLocation", "where in the microscope an optic stands is not printed"),
    ("StandardDichroic@LightPathLocation", "where in the microscope an optic stands is not printed"),
    ("EmissionFilter@AttenuationMethod", "nor how it attenuates"),
    ("ExcitationFilter@AttenuationMethod", "nor how it attenuates"),
    ("StandardDichroic@AttenuationMethod", "nor how it attenuates"),
];

#[test]
fn every_field_of_tier_1_is_printed_or_marked_as_not_recorded() {
    use fairzarr_nbo::catalogue::{Extension, Kind};
    let mut marked = std::collections::BTreeMap::new();
    for name in ["confocal-live.xml", "handmade-widefield-psf-xsdvalid.xml"] {
        let record = xml::read(&data(name)).unwrap();
        let counts = |record: &Record| {
            let mut counts = std::collections::BTreeMap::<String, usize>::new();
            for gap in methods(record).gaps() {
                *counts.entry(gap.to_owned()).or_default() += 1;
            }
            counts
        };
        let before = counts(&record);
        let mut fields = std::collections::BTreeSet::new();
        record.visit(&mut |object, class| {
            // Names beside maker and model are what the people of a microscope call its parts; placeholders are marked already.
            let is_asked = |attribute: &fairzarr_nbo::catalogue::Attribute| {
                attribute.tier == 1
                    && attribute.kind == Kind::Value
                    && !attribute.is_id()
                    && !(attribute.name == "Name" && object.field("Manufacturer").is_some())
                    && object.str(attribute.name) != Some("999")
            };
            // Drives are not printed, and what is said of beads and calibrations has sentences of its own.
            let is_of_paragraph = object.class != "Z-Drive"
                && !object.class.contains("Bead")
                && object.class != "CalibrationSoftware";
            for attribute in class.filter(|_| is_of_paragraph).into_iter().flat_map(|class| {
                let extension = |a: &&_| [Extension::Core, Extension::Basic].contains(&class.extension_of(a));
                object.fields.iter().filter_map(|f| class.attribute(&f.name)).filter(extension)
            }) {
                if is_asked(attribute) {
                    fields.insert((object.class.clone(), attribute.name));
                }
            }
        });
        for (class, field) in fields {
            let mut without = record.clone();
            remove(&mut without.objects, &class, field);
            let is_marked = counts(&without).iter().any(|(gap, count)| before.get(gap).unwrap_or(&0) < count);
            *marked.entry(format!("{class}@{field}")).or_insert(false) |= is_marked;
        }
    }
    let is_excused = |field: &str| NOT_ASKED.iter().any(|(excused, _)| *excused == field);
    let silent: Vec<_> = marked.iter().filter(|(field, marked)| !**marked && !is_excused(field)).collect();
    assert!(silent.is_empty(), "missing in silence: {silent:#?}");
    assert!(marked.len() > 80, "{}: {marked:?}", marked.len());
    let needless: Vec<_> = NOT_ASKED.iter().filter(|(field, _)| marked.get(*field) == Some(&true)).collect();
    assert!(needless.is_empty(), "marked all the same: {needless:?}");
}

fn remove(objects: &mut [fairzarr_nbo::record::Object], class: &str, field: &str) {
    for object in objects {
        if object.class == class {
            object.fields.retain(|f| f.name != field);
        }
        remove(&mut object.children, class, field);
    }
}

#[test]
fn an_image_that_was_measured_on_itself_is_of_beads() {
    let image = |name: &str, date: &str, calibration: &str| {
        format!(
            r#"<Image ID="Image:{name}" Name="{name}" AcquisitionDate="{date}"><InstrumentRef ID="Instrument:1"/><ObjectiveSettings
            ID="Objective:1"/>{calibration}</Image>"#
        )
    };
    let calibration = |date: &str| {
        format!(
            r#"<OpticalCalibration ID="OpticalCalibration:{date}" Date="{date}" MedianXYSpotSize_FWHM="220" MedianXYSpotSize_FWHMUnit="nm"/>"#
        )
    };
    let document = |images: &str| {
        format!(
            r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Instrument ID="Instrument:1" Name="W1"><InvertedMicroscopeStand
            ID="Microscope:1" Manufacturer="Zeiss" Model="Axio" CatalogNumber="C1"/><Objective ID="Objective:1" LensNA="1.4"/></Instrument>{images}</OME>"#
        )
    };
    let cells = image("cells", "2024-03-14", "");
    let calibrated = image("calibrated", "2024-03-15", &calibration("2024-03-13"));
    let beads = image("beads", "2024-03-13", &calibration("2024-03-13"));
    let said = methods(&xml::read(&document(&format!("{cells}{calibrated}{beads}"))).unwrap());
    assert_eq!(said.to_json()["leftOut"], serde_json::json!(["beads"]));
    let text = said.text(Markup::Plain);
    assert!(text.contains("“cells”") && text.contains("“calibrated”") && !text.contains("“beads”"), "{text}");
    // Where there is nothing else, it is what the document is about.
    assert!(said_of(&document(&beads)).contains("“beads”"));
    // Of two images whose samples nobody knows, nobody says that they show the same.
    assert!(!text.contains("shows the same"), "{text}");
}
