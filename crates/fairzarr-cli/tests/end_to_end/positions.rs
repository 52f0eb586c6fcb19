//! Stage positions and times of planes, where they are asked for: written, recorded, and derived again by the proof.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tiff::{Sample, Tiff};
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
