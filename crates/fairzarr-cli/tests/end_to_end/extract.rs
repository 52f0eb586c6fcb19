//! `extract` gives back what the source said: its bytes, its XML, its values.

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

use crate::support::{Outcome, convert, fairzarr, fixture, text, verify};

/// Everything that the structured form treats in a way of its own.
fn xml() -> String {
    let mask = "QUJD".repeat(1500);
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- made by hand -->
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" xmlns:lab="http://example.org/lab" Creator="µ-tests">
  <Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="1.40"/></Instrument>
  <Image ID="Image:0" Name="a &amp; b"><Description>two
lines</Description>
    <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="2" SizeY="2" SizeZ="1" SizeC="1" SizeT="2"
            PhysicalSizeX="0.10" PhysicalSizeY="1.0E-1">
      <Channel ID="Channel:0:0" Name="DAPI" Color="65535" SamplesPerPixel="1"/>
      <TiffData IFD="0" FirstT="0" PlaneCount="1"/><TiffData IFD="1" FirstT="1" PlaneCount="1"/>
      <Plane TheZ="0" TheC="0" TheT="0" DeltaT="0.500"/>
      <Plane TheZ="0" TheC="0" TheT="1" DeltaT="1.25" PositionX="-3"><AnnotationRef ID="Annotation:0"/></Plane>
    </Pixels><ROIRef ID="ROI:0"/></Image>
  <StructuredAnnotations>
    <XMLAnnotation ID="Annotation:0"><Value><lab:x> <lab:y/>  </lab:x></Value></XMLAnnotation>
  </StructuredAnnotations>
  <ROI ID="ROI:0"><Union><Mask ID="Shape:0" X="0" Y="0" Width="60" Height="600">
    <BinData BigEndian="false" Length="6000">{mask}</BinData></Mask></Union></ROI>
</OME>
"#
    )
}

/// A file of two pages of 2 x 2 samples.
fn tiff(xml: &str) -> Vec<u8> {
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    let page = 2 + 9 * 12 + 4;
    let description = 8 + 2 * page + 8;
    for n in 0..2 {
        bytes.extend(9_u16.to_le_bytes());
        let tags = [
            (256, 3, 1, 2),
            (257, 3, 1, 2),
            (258, 3, 1, 8),
            (259, 3, 1, 1),
            (262, 3, 1, 1),
            // A page without OME-XML has other software.
            if n == 0 { (270, 2, xml.len() + 1, description) } else { (270, 2, 4, 0x0078_7878) },
            (273, 4, 1, 8 + 2 * page + 4 * n),
            (278, 3, 1, 2),
            (279, 4, 1, 4),
        ];
        for (code, kind, count, value) in tags {
            bytes.extend((code as u16).to_le_bytes());
            bytes.extend((kind as u16).to_le_bytes());
            bytes.extend((count as u32).to_le_bytes());
            bytes.extend((value as u32).to_le_bytes());
        }
        let next = if n == 0 { 8 + page } else { 0 };
        bytes.extend((next as u32).to_le_bytes());
    }
    bytes.extend(1..=8);
    bytes.extend(xml.as_bytes());
    bytes.push(0);
    bytes
}

struct Pair {
    dir: TempDir,
    source: PathBuf,
    target: PathBuf,
}

impl Pair {
    fn new(ngff: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let (source, target) = (dir.path().join("source.ome.tiff"), dir.path().join("target.zarr"));
        fs::write(&source, tiff(&xml())).unwrap();
        convert(&source, &target, &["--ngff", ngff]).done();
        Self { dir, source, target }
    }
}

fn extract(store: &Path, form: &str, options: &[&str]) -> Outcome {
    fairzarr([&["extract", &text(store), "--as", form], options].concat())
}

#[test]
fn the_original_comes_back_byte_for_byte() {
    for ngff in ["0.4", "0.5"] {
        let pair = Pair::new(ngff);
        assert_eq!(extract(&pair.target, "original", &[]).done().out, xml());
        let file = pair.dir.path().join("out.xml");
        extract(&pair.target, "original", &["--output", &text(&file)]).done();
        assert_eq!(fs::read_to_string(&file).unwrap(), xml());
        // What exists is not replaced.
        extract(&pair.target, "original", &["--output", &text(&file)]).ends_with(8).message();
    }
}

#[test]
fn xml_is_made_from_attributes_and_arrays_alone() {
    for ngff in ["0.4", "0.5"] {
        let pair = Pair::new(ngff);
        verify(&pair.source, &pair.target).done();
        fs::remove_dir_all(pair.target.join("OME/sources")).unwrap();
        fs::remove_file(pair.target.join("OME/METADATA.ome.xml")).unwrap();
        let made = extract(&pair.target, "ome-xml", &[]).done().out;
        for part in [
            "<!-- made by hand -->",
            "Creator=\"µ-tests\"",
            "LensNA=\"1.40\"",
            "PhysicalSizeX=\"0.10\" PhysicalSizeY=\"1.0E-1\"",
            "<Description>two\nlines</Description>",
            "<Plane TheZ=\"0\" TheC=\"0\" TheT=\"0\" DeltaT=\"0.500\"/>",
            "PositionX=\"-3\"><AnnotationRef ID=\"Annotation:0\"/></Plane>",
            "<lab:x> <lab:y/>  </lab:x>",
            &"QUJD".repeat(1500),
        ] {
            assert!(made.contains(part), "{part}: {made}");
        }
    }
}

#[test]
fn json_holds_the_values_of_every_plane() {
    let pair = Pair::new("0.5");
    let json = extract(&pair.target, "json", &[]).done().json();
    let pixels = &json["OME"][0]["Image"][0]["Pixels"][0];
    assert_eq!(pixels["PhysicalSizeX"], 0.1);
    assert_eq!(pixels["Plane"]["columns"]["DeltaT"], serde_json::json!([0.5, 1.25]));
    for path in [&pair.source, &pair.target] {
        assert_eq!(fairzarr(["inspect", "--metadata", &text(path)]).done().json(), json);
    }
}

#[test]
fn tags_beside_the_pixels_are_kept() {
    let pair = Pair::new("0.5");
    let tags: serde_json::Value =
        serde_json::from_slice(&fs::read(pair.target.join("OME/tiff-tags.json")).unwrap()).unwrap();
    let pages = tags["pages"].as_array().unwrap();
    assert_eq!(pages[0]["complete"], true);
    assert_eq!(pages[1]["tags"][0]["name"], "ImageDescription");
    assert_eq!(pages[1]["tags"][0]["value"], "xxx");
}

#[test]
fn changed_attributes_and_arrays_are_found() {
    let alone = |pair: &Pair| fairzarr(["verify", &text(&pair.target)]);
    let pair = Pair::new("0.5");
    alone(&pair).done();
    let path = pair.target.join("OME/zarr.json");
    let changed = fs::read_to_string(&path).unwrap().replace("\"1.40\"", "\"1.41\"");
    fs::write(&path, changed).unwrap();
    for report in [verify(&pair.source, &pair.target), alone(&pair)] {
        let report = report.ends_with(1);
        assert!(report.out.contains("@LensNA: expected 1.40, found 1.41"), "{report:?}");
    }

    let pair = Pair::new("0.5");
    fs::remove_dir_all(pair.target.join("OME/planes/0/DeltaT/c")).unwrap();
    assert!(verify(&pair.source, &pair.target).ends_with(1).out.contains("DeltaT"));
    extract(&pair.target, "ome-xml", &[]).ends_with(3).message();
}

#[test]
fn changed_ngff_values_are_found() {
    for (from, to, place) in [
        ("\"DAPI\"", "\"GFP\"", "image 0, channel 0, name"),
        ("\"micrometer\"", "\"nanometer\"", "axis y, unit"),
        ("0.1,", "0.2,", "level 0, scale along y"),
    ] {
        let pair = Pair::new("0.5");
        let path = pair.target.join("zarr.json");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let report = verify(&pair.source, &pair.target).ends_with(1);
        assert!(report.out.contains(place), "{report:?}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let pair = Pair::new("0.5");
    assert!(
        extract(&pair.target, "original", &["--index", "1"]).ends_with(2).message().contains("1 documents")
    );
    assert!(
        extract(&pair.target, "json", &["--index", "0"]).ends_with(2).message().contains("--as original")
    );
    let plain = pair.dir.path().join("plain.zarr");
    convert(&fixture("plain.tif"), &plain, &[]).done();
    for form in ["original", "ome-xml", "json"] {
        assert!(extract(&plain, form, &[]).ends_with(3).message().contains("holds no"));
    }
}

#[test]
fn documents_that_differ_in_their_uuid_alone_are_stored_once_and_come_back_byte_for_byte() {
    let dir = TempDir::new().unwrap();
    let text_of = |uuid: usize| {
        let planes = [0, 1].map(|file| {
            format!(
                r#"<TiffData IFD="0" FirstT="{}" PlaneCount="2"><UUID FileName="{file}.ome.tif">urn:uuid:{file}</UUID></TiffData>"#,
                2 * file
            )
        });
        let long = "n".repeat(9000);
        format!(
            r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{uuid}"><Image ID="Image:0" Name="{long}"><Pixels ID="Pixels:0" DimensionOrder="XYZTC" Type="uint8" SizeX="2" SizeY="2" SizeZ="1" SizeC="1" SizeT="4"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>{}</Pixels></Image></OME>"#,
            planes.concat()
        )
    };
    let texts = [text_of(0), text_of(1)];
    for (file, xml) in texts.iter().enumerate() {
        fs::write(dir.path().join(format!("{file}.ome.tif")), tiff(xml)).unwrap();
    }
    let (source, store) = (dir.path().join("0.ome.tif"), dir.path().join("set.ome.zarr"));
    convert(&source, &store, &[]).done();
    assert_eq!(fs::read(store.join("OME/sources/0.ome.xml")).unwrap(), texts[0].as_bytes());
    assert!(!store.join("OME/sources/1.ome.xml").exists());
    let edits = store.join("OME/sources/1.edits.json");
    assert!(fs::metadata(&edits).unwrap().len() < 400);
    let root: serde_json::Value =
        serde_json::from_slice(&fs::read(store.join("zarr.json")).unwrap()).unwrap();
    let entry = &root["attributes"]["fairzarr:sources"][1];
    assert_eq!(entry["path"], "OME/sources/1.edits.json");
    assert_eq!(entry["restored"]["bytes"], texts[1].len());
    assert_eq!(entry["restored"]["sha256"].as_str().unwrap(), fairzarr_ome_zarr::sha256(texts[1].as_bytes()));
    verify(&source, &store).done();
    fairzarr(["verify", &text(&store)]).done();

    let out = dir.path().join("out");
    extract(&store, "original", &["--output", &text(&out)]).done();
    for (file, xml) in texts.iter().enumerate() {
        assert_eq!(fs::read(out.join(format!("{file}.ome.xml"))).unwrap(), xml.as_bytes());
    }

    // Edits that make another document are noticed without the source too.
    let changed = fs::read_to_string(&edits).unwrap().replace("\"inserted\":\"1\"", "\"inserted\":\"7\"");
    fs::write(&edits, changed).unwrap();
    fairzarr(["verify", &text(&store)]).ends_with(1);
    verify(&source, &store).ends_with(1);
}

#[test]
fn json_in_one_schema_is_the_same_whatever_version_the_source_had() {
    let dir = TempDir::new().unwrap();
    let mut found = Vec::new();
    for (n, namespace) in ["2013-06", "2015-01", "2016-06"].into_iter().enumerate() {
        let xml = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/{namespace}"><Image ID="Image:0" Name="a"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="2" SizeY="2" SizeZ="1" SizeC="1" SizeT="2" PhysicalSizeX="0.10"><Channel ID="Channel:0:0" SamplesPerPixel="1" EmissionWavelength="525"/><TiffData/><Plane TheZ="0" TheC="0" TheT="1" DeltaT="1.25"/></Pixels></Image></OME>"#
        );
        let (source, target) =
            (dir.path().join(format!("{n}.ome.tiff")), dir.path().join(format!("{n}.zarr")));
        fs::write(&source, tiff(&xml)).unwrap();
        convert(&source, &target, &[]).done();
        let json = fairzarr(["extract", &text(&target), "--as", "json", "--schema", "2016-06"]).done().json();
        let image = &json["OME"][0]["Image"][0];
        assert_eq!(json["OME"][0]["xmlns"], "http://www.openmicroscopy.org/Schemas/OME/2016-06");
        found.push(image.clone());
        let of_source =
            fairzarr(["extract", &text(&target), "--as", "json", "--schema", "source"]).done().json();
        assert!(of_source["OME"][0]["xmlns"].as_str().unwrap().ends_with(namespace));
        fairzarr(["extract", &text(&target), "--as", "ome-xml", "--schema", "2016-06"]).ends_with(2);
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:#?}");
}
