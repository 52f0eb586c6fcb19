//! Metadata of which a part cannot be read safely: the pixels are converted by the rest, the document is carried, and every
//! place says so.

use std::fs;
use tempfile::TempDir;

use crate::support::tiff::{Sample, Tiff};
use crate::support::{convert, fairzarr, text, verify};

const INPUT: i32 = 3;

/// A document of one image, with something after its root began and something in its `Pixels`.
fn document(before: &str, pixels: &str, annotations: &str) -> String {
    format!(
        r#"<?xml version="1.0"?>{before}<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="30" SizeY="20" SizeZ="1" SizeC="1" SizeT="1"{pixels}><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image>{annotations}</OME>"#
    )
}

#[test]
fn what_no_plane_depends_on_does_not_stop_the_pixels() {
    let deep = format!(
        r#"<StructuredAnnotations><XMLAnnotation ID="Annotation:0"><Value>{}deep{}</Value></XMLAnnotation></StructuredAnnotations>"#,
        "<a>".repeat(500),
        "</a>".repeat(500)
    );
    let doctype = r#"<!DOCTYPE OME [<!ENTITY lab "x"><!ENTITY more "&lab;&lab;">]>"#;
    for (described, said) in
        [(document("", "", &deep), "`a` is not read"), (document(doctype, "", ""), "document type")]
    {
        let dir = TempDir::new().unwrap();
        let (source, target) = (dir.path().join("a.ome.tiff"), dir.path().join("a.zarr"));
        let tiff = Tiff { described: Some(described.clone()), ..Tiff::of(Sample::U8, [1, 1, 1, 20, 30]) };
        tiff.write(&source);
        let refused = convert(&source, &target, &["--on-bad-metadata", "error"]).ends_with(INPUT);
        assert!(refused.message().contains(said) && !target.exists(), "{refused:?}");
        for ngff in ["0.4", "0.5"] {
            let told = convert(&source, &target, &["--json", "--overwrite", "--ngff", ngff]).done();
            assert!(told.err.contains(said), "{told:?}");
            let parts = &told.json()["not_carried"]["metadata"];
            assert!(parts[0].as_str().unwrap().contains(said), "{parts}");
            let kept = fs::read(target.join("OME/sources/0.ome.xml")).unwrap();
            assert_eq!(kept, described.as_bytes());
            for proved in [verify(&source, &target).done(), fairzarr(["verify", &text(&target)]).done()] {
                assert!(proved.out.contains(said), "{proved:?}");
            }
        }
    }
}

#[test]
fn what_planes_depend_on_is_refused() {
    let dir = TempDir::new().unwrap();
    let (source, target) = (dir.path().join("a.ome.tiff"), dir.path().join("a.zarr"));
    let doctype = r#"<!DOCTYPE OME [<!ENTITY size "0.5">]>"#;
    let described = Some(document(doctype, r#" PhysicalSizeX="&size;""#, ""));
    Tiff { described, ..Tiff::of(Sample::U8, [1, 1, 1, 20, 30]) }.write(&source);
    let refused = convert(&source, &target, &[]).ends_with(INPUT);
    assert!(refused.message().contains("document type"), "{refused:?}");
    assert!(!target.exists());
}
