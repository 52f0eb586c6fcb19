//! Stage positions and times of planes, where they are asked for: written, recorded, and derived again by the proof.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tiff::{Picture, Sample, Tiff};
use crate::support::{convert, fairzarr, text};

fn source(dir: &Path) -> PathBuf {
    let mut tiff = Tiff::of(Sample::U8, [3, 1, 1, 300, 360]);
    let planes: String = (0..3)
        .map(|t| format!(r#"<Plane TheZ="0" TheC="0" TheT="{t}" DeltaT="{}" PositionX="2" PositionXUnit="mm" PositionY="-1.5" PositionYUnit="µm"/>"#, 4 * t))
        .collect();
    tiff.described = Some(format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="i"><Pixels ID="Pixels:0"
        DimensionOrder="XYZCT" Type="uint8" SizeX="360" SizeY="300" SizeZ="1" SizeC="1" SizeT="3" PhysicalSizeX="0.5"
        PhysicalSizeY="0.5"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/>{planes}</Pixels><ROIRef ID="ROI:0"/></Image>
        <ROI ID="ROI:0"><Union><Point ID="S" X="1" Y="2"/></Union></ROI></OME>"#
    ));
    let path = dir.join("stage.ome.tiff");
    tiff.write(&path);
    path
}

/// Transformations of a level.
fn transformations(store: &Path, group: &str, level: usize) -> Value {
    let document: Value = serde_json::from_slice(&fs::read(store.join(group)).unwrap()).unwrap();
    document["attributes"]["ome"]["multiscales"][0]["datasets"][level]["coordinateTransformations"].clone()
}

#[test]
fn images_lie_on_the_stage_and_time_has_a_scale_where_that_is_asked_for() {
    let dir = TempDir::new().unwrap();
    let source = source(dir.path());
    let store = dir.path().join("stage.zarr");
    convert(&source, &store, &[]).done();
    let scale = |time: f64| json!({"type": "scale", "scale": [time, 1.0, 1.0, 0.5, 0.5]});
    assert_eq!(transformations(&store, "zarr.json", 0), json!([scale(1.0)]));
    let asked = ["--overwrite", "--positions", "stage", "--time-scale", "delta-t", "--rois", "labels"];
    convert(&source, &store, &asked).done();
    let place = |y: f64, x: f64| json!({"type": "translation", "translation": [0.0, 0.0, 0.0, y, x]});
    for group in ["zarr.json", "labels/rois/zarr.json"] {
        assert_eq!(transformations(&store, group, 0), json!([scale(4.0), place(-1.5, 2000.0)]));
        assert_eq!(transformations(&store, group, 1)[1], place(-1.25, 2000.25));
    }
    let valid = fairzarr(["validate", &text(&store), "--json"]).done().json();
    assert_eq!(valid["findings"], json!([]));
    fairzarr(["verify", &text(&source), &text(&store)]).done();
    fairzarr(["upgrade", &text(&store), "--to", "0.6"]).done();
    fairzarr(["validate", &text(&store)]).done();
    fairzarr(["verify", &text(&source), &text(&store)]).done();
    // A place that is not the document's is found.
    convert(&source, &store, &asked).done();
    let root = fs::read_to_string(store.join("zarr.json")).unwrap();
    fs::write(store.join("zarr.json"), root.replace("2000.0", "1000.0")).unwrap();
    let told = fairzarr(["verify", &text(&source), &text(&store)]).ends_with(1);
    assert!(told.out.contains("translation along x"), "{told:?}");
}

/// A plate with two wells of two and one fields, whose places are those of well samples, and for one of planes; and an image that is
/// nowhere.
fn plate(dir: &Path, unit_of_last: &str) -> PathBuf {
    let mut tiff =
        Tiff::many(vec![Picture { sample: Sample::U8, size: [1, 1, 1, 20, 30], interleaved: 1 }; 4]);
    let sample = |n: usize| {
        format!(
            r#"<WellSample ID="WellSample:{n}" Index="{n}" PositionX="{n}" PositionXUnit="mm" PositionY="-2" PositionYUnit="µm"><ImageRef ID="Image:{n}"/></WellSample>"#
        )
    };
    let image = |n: usize| {
        let plane = if n == 1 {
            r#"<Plane TheZ="0" TheC="0" TheT="0" PositionX="7" PositionXUnit="µm" PositionY="8" PositionYUnit="µm"/>"#
        } else {
            ""
        };
        let unit = if n == 2 { unit_of_last } else { "µm" };
        format!(
            r#"<Image ID="Image:{n}"><Pixels ID="Pixels:{n}" DimensionOrder="XYZCT" Type="uint8" SizeX="30" SizeY="20" SizeZ="1"
            SizeC="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeY="0.5" PhysicalSizeXUnit="{unit}" PhysicalSizeYUnit="{unit}">
            <Channel ID="Channel:{n}:0"/><TiffData IFD="{n}" PlaneCount="1"/>{plane}</Pixels></Image>"#
        )
    };
    tiff.described = Some(format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Plate ID="Plate:0"><Well ID="Well:0" Row="0" Column="0">{}{}</Well>
        <Well ID="Well:1" Row="1" Column="0">{}</Well></Plate>{}</OME>"#,
        sample(0),
        sample(1),
        sample(2),
        (0..4).map(image).collect::<String>()
    ));
    let path = dir.join("plate.ome.tiff");
    tiff.write(&path);
    path
}

#[test]
fn each_field_of_a_plate_lies_where_it_was_as_translation_or_in_a_scene() {
    let dir = TempDir::new().unwrap();
    let source = plate(dir.path(), "µm");
    let places = [[-2.0, 0.0], [8.0, 7.0], [-2.0, 2000.0]];
    let paths = ["A/1/0", "A/1/1", "B/1/0"];
    let store = dir.path().join("stage.zarr");
    let told = convert(&source, &store, &["--positions", "stage"]).done();
    assert!(told.err.contains("1 of 4 images stay at the origin"), "{told:?}");
    for (path, [y, x]) in paths.iter().zip(places) {
        let found = transformations(&store, &format!("{path}/zarr.json"), 0);
        let expected = if (y, x) == (0.0, 0.0) { Value::Null } else { json!([0.0, 0.0, 0.0, y, x]) };
        assert_eq!(found[1]["translation"], expected, "{path}");
    }
    fairzarr(["verify", &text(&source), &text(&store)]).done();

    for (name, options, leading) in [("all", &[][..], 3), ("flat", &["--drop-axes", "all"], 0)] {
        let store = dir.path().join(name);
        convert(&source, &store, &[&["--positions", "scene", "--ngff", "0.6"], options].concat()).done();
        let root: Value = serde_json::from_slice(&fs::read(store.join("zarr.json")).unwrap()).unwrap();
        let scene = &root["attributes"]["ome"]["scene"];
        let system = &scene["coordinateSystems"][0];
        assert_eq!(system["name"], "stage");
        assert_eq!(system["axes"].as_array().map(Vec::len), Some(leading + 2));
        let found = scene["coordinateTransformations"].as_array().unwrap();
        // The image that is nowhere is in no scene.
        assert_eq!(found.len(), 3);
        for ((found, path), [y, x]) in found.iter().zip(paths).zip(places) {
            assert_eq!(found["input"], json!({"path": path, "name": "intrinsic"}));
            let place: Vec<f64> = std::iter::repeat_n(0.0, leading).chain([y, x]).collect();
            assert_eq!(found["translation"], json!(place));
        }
        assert_eq!(transformations(&store, "A/1/1/zarr.json", 0)[0]["type"], "scale");
        let valid = fairzarr(["validate", "--deep", &text(&store), "--json"]).done().json();
        assert_eq!(valid["findings"], json!([]));
        fairzarr(["verify", &text(&store)]).done();
        fairzarr(["verify", &text(&source), &text(&store)]).done();
        // Another place is found.
        let moved = fs::read_to_string(store.join("zarr.json")).unwrap().replace("2000.0", "2001.0");
        fs::write(store.join("zarr.json"), moved).unwrap();
        let told = fairzarr(["verify", &text(&source), &text(&store)]).ends_with(1);
        assert!(told.out.contains("scene"), "{told:?}");
    }
    // One image at the root, without a path for a scene.
    let one = dir.path().join("one");
    let options = ["--positions", "scene", "--ngff", "0.6", "--series", "2", "--layout", "image"];
    convert(&source, &one, &options).done();
    let root: Value = serde_json::from_slice(&fs::read(one.join("zarr.json")).unwrap()).unwrap();
    let image = &root["attributes"]["ome"]["multiscales"][0];
    assert_eq!(image["coordinateSystems"][1]["name"], "stage");
    assert_eq!(image["coordinateTransformations"][0]["translation"], json!([0.0, 0.0, 0.0, -2.0, 2000.0]));
    let valid = fairzarr(["validate", "--deep", &text(&one), "--json"]).done().json();
    assert_eq!(valid["findings"], json!([]));
    fairzarr(["verify", &text(&source), &text(&one)]).done();

    let none = dir.path().join("none");
    let told = convert(&source, &none, &["--positions", "scene"]).ends_with(2);
    assert!(told.message().contains("NGFF 0.5 has no scenes"), "{told:?}");
    let mixed = plate(dir.path(), "nm");
    let told = convert(&mixed, &none, &["--positions", "scene", "--ngff", "0.6"]).ends_with(2);
    assert!(told.message().contains("image 2 has other axes"), "{told:?}");
}
