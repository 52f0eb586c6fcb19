//! Regions of the OME-XML as label images: painted as the shapes say, valid, proved, and the same however the work was split.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tiff::{Sample, Tiff};
use crate::support::{assert_same_tree, convert, fairzarr, text, zarr};

const ROIS: &str = r#"
<ROI ID="ROI:0" Name="cell"><Union>
  <Mask ID="Shape:0" X="50" Y="60" Width="3" Height="3" TheZ="1"><BinData BigEndian="false" Length="2" Compression="zlib">eJyLZQAAALwAXg==</BinData></Mask>
  <Rectangle ID="Shape:1" X="10" Y="10" Width="100" Height="40" FillColor="-16711681"/></Union></ROI>
<ROI ID="ROI:1"><Union><Polygon ID="Shape:2" Points="200,200 300,210 250,280" Text="nucleus"/></Union></ROI>
<ROI ID="ROI:2"><Union><Polyline ID="Shape:3" Points="0,0 100,100 359,10" StrokeWidth="3" TheT="1"/>
  <Line ID="Shape:4" X1="0" Y1="299" X2="359" Y2="0"/></Union></ROI>
<ROI ID="ROI:3"><Union><Ellipse ID="Shape:5" X="60" Y="30" RadiusX="20" RadiusY="10">
  <Transform A00="0.8" A01="-0.6" A02="50" A10="0.6" A11="0.8" A12="0"/></Ellipse><Point ID="Shape:6" X="5" Y="6"/></Union></ROI>
<ROI ID="ROI:4"><Union><Ellipse ID="Shape:7" X="NaN" Y="30" RadiusX="20" RadiusY="10"/></Union></ROI>"#;

/// An image of 2 time points, 3 sections and 300 x 360 pixels with these regions.
fn source(dir: &Path, rois: &str) -> PathBuf {
    let mut tiff = Tiff::of(Sample::U8, [2, 1, 3, 300, 360]);
    let references: String = (0..5).map(|n| format!(r#"<ROIRef ID="ROI:{n}"/>"#)).collect();
    tiff.described = Some(format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="i"><Pixels ID="Pixels:0"
        DimensionOrder="XYZCT" Type="uint8" SizeX="360" SizeY="300" SizeZ="3" SizeC="1" SizeT="2" PhysicalSizeX="0.5"
        PhysicalSizeY="0.5"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels>{references}</Image>{rois}</OME>"#
    ));
    let path = dir.join("rois.ome.tiff");
    tiff.write(&path);
    path
}

fn document(store: &Path, name: &str) -> Value {
    serde_json::from_slice(&fs::read(store.join(name)).unwrap()).unwrap()
}

#[test]
fn regions_become_labels_in_every_version_and_are_proved() {
    let dir = TempDir::new().unwrap();
    let source = source(dir.path(), ROIS);
    for version in ["0.4", "0.5", "0.6"] {
        let store = dir.path().join(format!("{version}.zarr"));
        convert(&source, &store, &["--rois", "labels", "--ngff", version]).done();
        let valid = fairzarr(["validate", &text(&store), "--deep", "--json"]).done().json();
        assert_eq!(valid["findings"], json!([]), "{version}");
        for arguments in [vec![text(&store)], vec![text(&source), text(&store)]] {
            let told =
                fairzarr(["verify".to_owned(), "--json".into()].into_iter().chain(arguments)).done().json();
            let checks = told["checks"].as_array().unwrap();
            let labels = checks.iter().find(|check| check["name"] == "labels").unwrap();
            assert_eq!(labels["covered"], "4 regions painted again in 2 levels", "{labels}");
        }
    }
    let store = dir.path().join("0.5.zarr");
    let group = document(&store, "labels/rois/zarr.json");
    let label = &group["attributes"]["ome"]["image-label"];
    assert_eq!(label["colors"][0], json!({"label-value": 1, "rgba": [255, 0, 255, 255]}));
    // The others have a colour as well, though the document gives them none.
    assert_eq!(label["colors"].as_array().map(Vec::len), Some(4));
    assert_eq!(
        label["properties"][0],
        json!({"label-value": 1, "roi": "ROI:0", "name": "cell", "shapes": ["Shape:0", "Shape:1"]})
    );
    assert_eq!(label["properties"][1]["text"], "nucleus");
    assert_eq!(group["attributes"]["fairzarr:rois"]["left_out"][0]["shape"], "Shape:7");
    assert_eq!(group["attributes"]["ome"]["multiscales"][0]["type"], "mode");
    let array = zarr::read(&store, "labels/rois/0", Sample::U8);
    assert_eq!(array.shape, [2, 1, 3, 300, 360]);
    let at = |t: usize, z: usize, y: usize, x: usize| array.values[((t * 3 + z) * 300 + y) * 360 + x] as u8;
    assert_eq!([at(0, 0, 61, 51), at(0, 1, 61, 51), at(0, 1, 60, 50)], [0, 1, 0]);
    assert_eq!([at(0, 0, 10, 10), at(1, 2, 49, 20), at(0, 0, 6, 5), at(0, 0, 220, 250)], [1, 1, 4, 2]);
    assert_eq!([at(0, 0, 99, 100), at(1, 0, 99, 99), at(0, 0, 298, 0)], [0, 3, 3]);

    // What is not painted so is found.
    let chunk = store.join("labels/rois/0/c/0/0/0/0/0");
    let other = fs::read(store.join("labels/rois/0/c/1/0/1/0/0")).unwrap();
    fs::write(&chunk, other).unwrap();
    let told = fairzarr(["verify", &text(&store)]).ends_with(1);
    assert!(told.out.contains("array labels/rois/0, plane 0"), "{told:?}");
}

#[test]
fn labels_are_the_same_in_one_go_and_split() {
    let dir = TempDir::new().unwrap();
    let source = source(dir.path(), ROIS);
    let (whole, split) = (dir.path().join("whole.zarr"), dir.path().join("split.zarr"));
    convert(&source, &whole, &["--rois", "labels"]).done();
    let (from, to) = (text(&source), text(&split));
    fairzarr(["plan", &from, &to, "--rois", "labels"]).done();
    for task in ["1/2", "2/2"] {
        fairzarr(["run", &from, &to, "--task", task]).done();
    }
    fairzarr(["commit", &from, &to]).done();
    assert_same_tree(&whole, &split);
}

#[test]
fn shapes_that_no_plane_is_said_of_are_painted_once_and_regions_without_pixels_make_no_labels() {
    let dir = TempDir::new().unwrap();
    let tall = source(dir.path(), r#"<ROI ID="ROI:1"><Union><Point ID="S" X="1" Y="2"/></Union></ROI>"#);
    let store = dir.path().join("one.zarr");
    convert(&tall, &store, &["--rois", "labels"]).done();
    assert_eq!(document(&store, "labels/rois/0/zarr.json")["shape"], json!([1, 1, 1, 300, 360]));
    fairzarr(["verify", &text(&tall), &text(&store)]).done();
    let none =
        source(dir.path(), r#"<ROI ID="ROI:1"><Union><Label ID="S" X="1" Y="2" Text="t"/></Union></ROI>"#);
    convert(&none, &store, &["--rois", "labels", "--overwrite"]).done();
    assert!(!store.join("labels").exists());
    fairzarr(["verify", &text(&none), &text(&store)]).done();
}

#[test]
fn more_work_than_a_document_may_ask_for_is_refused_before_anything_is_written() {
    let dir = TempDir::new().unwrap();
    let shape = r#"<Rectangle ID="S" X="0" Y="0" Width="360" Height="300" TheZ="0"/>"#;
    let hostile =
        source(dir.path(), &format!(r#"<ROI ID="ROI:0"><Union>{}</Union></ROI>"#, shape.repeat(200_000)));
    let store = dir.path().join("n.zarr");
    let told = convert(&hostile, &store, &["--rois", "labels"]).ends_with(3);
    assert!(told.message().contains("regions of image 0") && !store.join("zarr.json").exists(), "{told:?}");
}
