//! Documents of many Images, such as those of plates: all rows in one table of each kind.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use fairzarr_ome_xml::{ArrayData, Document, Normalisations, Structured, Table, compare};
use serde_json::json;

/// Images of 2 time points and a channel; the planes of image `odd` hold a comment.
fn plate(images: usize, size_t: impl Fn(usize) -> usize, odd: usize) -> String {
    let image = |n: usize| {
        let times = 0..size_t(n);
        let data: String =
            times.clone().map(|t| format!(r#"<TiffData FirstT="{t}" IFD="{}"/>"#, 2 * n + t)).collect();
        let comment = if n == odd { "<!-- bleached -->" } else { "" };
        let planes: String = times
            .map(|t| format!(r#"<Plane TheZ="0" TheC="0" TheT="{t}" DeltaT="{n}.{t}0">{comment}</Plane>"#))
            .collect();
        format!(
            r#"<Image ID="Image:{n}"><Pixels ID="Pixels:{n}" DimensionOrder="XYZCT" Type="uint8" SizeX="1" SizeY="1"
            SizeZ="1" SizeC="1" SizeT="{}">{data}{planes}</Pixels></Image>"#,
            size_t(n)
        )
    };
    let images: String = (0..images).map(image).collect();
    format!(r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{images}</OME>"#)
}

fn through_arrays(xml: &str, structured: Structured) -> (Vec<fairzarr_ome_xml::ArrayGroup>, Structured) {
    let document = Document::parse(xml.as_bytes()).unwrap();
    let sizes = |image: usize| {
        let pixels = document.ome().images.get(image).and_then(|image| image.pixels.as_ref());
        pixels.map_or([0; 3], |p| [p.size_t, p.size_c, p.size_z].map(|size| size.unwrap_or(0)))
    };
    let groups: Vec<_> = structured.tables.iter().map(|table| table.to_arrays(sizes)).collect();
    let tables = groups.iter().map(|group| Table::from_arrays(group).unwrap()).collect();
    (groups, Structured { json: structured.json, tables, blobs: structured.blobs })
}

fn taken_apart(xml: &str) -> Structured {
    Structured::from_document(&Document::parse(xml.as_bytes()).unwrap())
}

#[test]
fn images_of_one_size_share_a_grid() {
    let xml = plate(20, |_| 2, 99);
    let (groups, again) = through_arrays(&xml, taken_apart(&xml));
    let paths: Vec<_> = groups.iter().map(|group| group.path.as_str()).collect();
    assert_eq!(paths, ["tiff_data/all", "planes/all"]);

    let planes = &groups[1];
    assert_eq!(planes.attributes["sizes"], json!([20, 2, 1, 1]));
    assert_eq!(planes.attributes["order"][3], "image");
    let delta_t = planes.arrays.iter().find(|array| array.name == "DeltaT").unwrap();
    assert_eq!((&*delta_t.dimensions, &*delta_t.shape), (&["image", "t", "c", "z"][..], &[20, 2, 1, 1][..]));
    let ArrayData::Float64(values) = &delta_t.data else { panic!("{:?}", delta_t.data) };
    assert!((values[2 * 7 + 1] - 7.1).abs() < 1e-12);

    let fourth = &again.json["OME"][0]["Image"][3]["Pixels"][0]["Plane"];
    assert_eq!(
        (&fourth["#table"], &fourth["first"], &fourth["rows"]),
        (&json!("planes/all"), &json!(6), &json!(2))
    );
    let inlined = &again.to_json()["OME"][0]["Image"][7]["Pixels"][0]["Plane"]["columns"];
    assert_eq!(inlined["DeltaT"], json!([7.0, 7.1]));
    assert!(inlined.get("image").is_none());

    let differences = compare(&xml, &again.to_xml().unwrap(), Normalisations::STRUCTURED).unwrap();
    assert!(differences.is_empty(), "{}", differences[0]);
}

#[test]
fn images_of_different_sizes_share_rows() {
    let xml = plate(20, |n| 1 + n % 2, 3);
    let (groups, again) = through_arrays(&xml, taken_apart(&xml));
    let planes = &groups[1];
    assert!(!planes.attributes.contains_key("sizes"));
    let image = planes.arrays.iter().find(|array| array.name == "image").unwrap();
    assert_eq!((&*image.dimensions, &*image.shape), (&["row"][..], &[30][..]));
    // A row that no shape describes is counted among those of its own Image.
    let fourth = &again.json["OME"][0]["Image"][3]["Pixels"][0]["Plane"];
    assert_eq!((&fourth["first"], &fourth["#rows"]["1"]["#comment"]), (&json!(4), &json!([" bleached "])));
    let differences = compare(&xml, &again.to_xml().unwrap(), Normalisations::STRUCTURED).unwrap();
    assert!(differences.is_empty(), "{}", differences[0]);
}

#[test]
fn few_images_keep_tables_of_their_own() {
    let tables = taken_apart(&plate(16, |_| 1, 99)).tables;
    assert_eq!(tables.len(), 32);
    assert_eq!((tables[3].path().as_str(), tables[3].image()), ("planes/1", Some(1)));
}

#[test]
fn rows_beyond_a_shared_table_are_refused() {
    let mut structured = taken_apart(&plate(20, |_| 2, 99));
    structured.json["OME"][0]["Image"][19]["Pixels"][0]["Plane"]["first"] = json!(39);
    assert!(structured.to_xml().unwrap_err().to_string().contains("2 from row 39"));
    structured.json["OME"][0]["Image"][19]["Pixels"][0]["Plane"]["first"] = json!(u64::MAX);
    assert!(structured.to_xml().is_err());
}

/// Found by fuzzing: the text of a file name came back as another's.
#[test]
fn attributes_named_like_arrays_of_a_table_are_kept() {
    for images in [1, 20] {
        for names in [["image", "row", "shape"], ["DeltaT._style", "Note._bytes", "Note._ends"]] {
            let mut xml = plate(images, |_| 2, 99);
            for (n, name) in names.into_iter().enumerate() {
                xml = xml.replacen(r#" DeltaT="0."#, &format!(r#" {name}="{n}x" DeltaT="0."#), n + 1);
            }
            xml = xml.replace(r#"IFD="1""#, r#"IFD="1" FirstZ._bytes="7" Note="many" Note._ends="8""#);
            let (_, again) = through_arrays(&xml, taken_apart(&xml));
            let differences = compare(&xml, &again.to_xml().unwrap(), Normalisations::STRUCTURED).unwrap();
            assert!(differences.is_empty(), "{names:?}: {}", differences[0]);
        }
    }
}

/// Found by fuzzing: rows of Pixels within Pixels, as damaged documents have them, came back as the outer ones'.
#[test]
fn pixels_within_pixels_have_rows_of_their_own() {
    let inner = |name: &str| {
        format!(
            r#"<Pixels ID="Pixels:9" SizeX="1" SizeY="1" SizeZ="1" SizeC="1" SizeT="2"><TiffData><UUID FileName="{name}"/></TiffData><TiffData
            IFD="7"/><Plane TheZ="0" TheC="0" TheT="0"/></Pixels>"#
        )
    };
    for images in [2, 20] {
        // In a row, between rows, and twice in the XML of an annotation.
        let xml = plate(images, |_| 2, 99)
            .replacen(r#"IFD="1"/>"#, &format!(r#"IFD="1">{}</TiffData>"#, inner("a")), 1)
            .replacen("<Plane", &format!("{}<Plane", inner("b")), 1)
            .replace(
                "</OME>",
                &format!(
                    r#"<StructuredAnnotations><XMLAnnotation ID="Annotation:0"><Value><OME>{}{}</OME></Value></XMLAnnotation></StructuredAnnotations></OME>"#,
                    inner("c"),
                    inner("d")
                ),
            );
        let (groups, again) = through_arrays(&xml, taken_apart(&xml));
        let paths: std::collections::BTreeSet<_> = groups.iter().map(|group| &group.path).collect();
        assert_eq!(paths.len(), groups.len(), "{paths:?}");
        let differences = compare(&xml, &again.to_xml().unwrap(), Normalisations::STRUCTURED).unwrap();
        assert!(differences.is_empty(), "{}", differences[0]);
    }
}
