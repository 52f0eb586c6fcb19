//! Wells, fields and time points of a source, and axes of length 1 that are left out: what is stored, said and proved of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tiff::{Picture, Sample, Tiff};
use crate::support::{assert_same_tree, convert, fairzarr, text};

/// Wells A1, A2 and B2 with two, one and two fields, and a picture in no well; each of the time points that are given.
pub(crate) fn plate(dir: &Path, times: [usize; 6]) -> PathBuf {
    let pictures = times.map(|t| Picture { sample: Sample::U8, size: [t, 1, 1, 20, 30], interleaved: 1 });
    let mut tiff = Tiff::many(pictures.to_vec());
    let fields = [(0, 0, vec![0, 1]), (0, 1, vec![2]), (1, 1, vec![3, 4])];
    let wells: String = fields
        .iter()
        .map(|(row, column, images)| {
            let samples: String = images
                .iter()
                .map(|n| {
                    format!(
                        r#"<WellSample ID="WellSample:{n}" Index="{n}" PositionX="{n}" PositionXUnit="µm"><ImageRef ID="Image:{n}"/></WellSample>"#
                    )
                })
                .collect();
            format!(r#"<Well ID="Well:{row}{column}" Row="{row}" Column="{column}">{samples}</Well>"#)
        })
        .collect();
    let refs: String = (0..5).map(|n| format!(r#"<WellSampleRef ID="WellSample:{n}"/>"#)).collect();
    let mut first = 0;
    let images: String = (0..6)
        .map(|n| {
            let count = times[n];
            let planes: String = (0..count)
                .map(|t| format!(r#"<Plane TheZ="0" TheC="0" TheT="{t}" DeltaT="{}"/>"#, 2 * t))
                .collect();
            first += count;
            format!(
                r#"<Image ID="Image:{n}"><Pixels ID="Pixels:{n}" DimensionOrder="XYZCT" Type="uint8" SizeX="30" SizeY="20"
                SizeZ="1" SizeC="1" SizeT="{count}" PhysicalSizeX="0.5" PhysicalSizeY="0.5" TimeIncrement="2"><Channel ID="Channel:{n}:0"/>
                <TiffData IFD="{}" PlaneCount="{count}"/>{planes}</Pixels><ROIRef ID="ROI:{n}"/></Image>"#,
                first - count
            )
        })
        .collect();
    let rois: String = (0..6)
        .map(|n| {
            format!(
                r#"<ROI ID="ROI:{n}"><Union><Rectangle ID="Shape:{n}" X="1" Y="2" Width="5" Height="6" TheT="{}"/></Union></ROI>"#,
                times[n] - 1
            )
        })
        .collect();
    tiff.described = Some(format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Plate ID="Plate:0" Rows="2" Columns="2">{wells}
        <PlateAcquisition ID="PlateAcquisition:0">{refs}</PlateAcquisition></Plate>{images}{rois}</OME>"#
    ));
    let path = dir.join("plate.ome.tiff");
    tiff.write(&path);
    path
}

fn document(store: &Path, group: &str) -> Value {
    serde_json::from_slice(&fs::read(store.join(group).join("zarr.json")).unwrap()).unwrap()
}

fn metadata(store: &Path) -> String {
    fs::read_to_string(store.join("OME/METADATA.ome.xml")).unwrap()
}

fn proved(source: &Path, store: &Path) -> String {
    fairzarr(["validate", "--deep", &text(store)]).done();
    fairzarr(["verify", &text(store)]).done();
    fairzarr(["verify", &text(source), &text(store)]).done().out
}

#[test]
fn wells_and_fields_of_a_plate_are_a_plate() {
    let dir = TempDir::new().unwrap();
    let source = plate(dir.path(), [2; 6]);
    let cases: [(&str, &[&str], &[&str], Value); 4] = [
        ("wells", &["--wells", "A01,b2"], &["A/1/0", "A/1/1", "B/2/0", "B/2/1"], json!([0, 1, 3, 4])),
        ("fields", &["--fields", "1"], &["A/1/0", "B/2/0"], json!([1, 4])),
        ("both", &["--wells", "B2", "--fields", "0"], &["B/2/0"], json!([3])),
        ("series", &["--wells", "A1,A2", "--series", "1-5"], &["A/1/0", "A/2/0"], json!([1, 2])),
    ];
    for (name, options, paths, series) in cases {
        let store = dir.path().join(name);
        convert(&source, &store, &[&["--rois", "labels"], options].concat()).done();
        let root = document(&store, "");
        assert_eq!(root["attributes"]["fairzarr:conversion"]["series"], series);
        assert_eq!(document(&store, "OME")["attributes"]["ome"]["series"], json!(paths), "{name}");
        let described = metadata(&store);
        for n in 0..6 {
            let count = usize::from(series.as_array().unwrap().contains(&json!(n)));
            assert_eq!(described.matches(&format!("<Image ID=\"Image:{n}\"")).count(), count, "{name}");
            assert_eq!(described.matches(&format!("<ImageRef ID=\"Image:{n}\"")).count(), count, "{name}");
            assert_eq!(described.matches(&format!("\"WellSample:{n}\"")).count(), 2 * count, "{name}");
            assert_eq!(described.matches(&format!("\"ROI:{n}\"")).count(), 2 * count, "{name}");
        }
        assert!(proved(&source, &store).contains("of the source, which was not asked for"));
        let again = dir.path().join("again");
        let (from, to) = (text(&source), text(&again));
        let split = |command: &str, more: &[&str]| {
            let typed = [&[command, from.as_str(), to.as_str()], more].concat();
            fairzarr(typed)
        };
        split("plan", &[options, &["--rois", "labels", "--overwrite"]].concat()).done();
        split("run", &[&["--task", "1/1"], options].concat()).done();
        split("commit", &[]).done();
        assert_same_tree(&store, &again);
    }
    // All wells without the picture that is in none.
    let store = dir.path().join("all");
    convert(&source, &store, &["--fields", "0-1"]).done();
    assert!(!store.join("images").exists());

    let none = dir.path().join("none");
    for (options, said) in [
        (&["--wells", "C7"][..], "A/1, A/2, B/2"),
        (&["--fields", "2"], "2 fields"),
        (&["--wells", "A2", "--fields", "1"], "no image"),
        (&["--wells", "A1", "--series", "5"], "no image"),
        (&["--wells", "1A"], "not a well"),
        (&["--timepoints", "2"], "2 time points"),
    ] {
        let told = convert(&source, &none, options).ends_with(2);
        assert!(told.err.contains(said), "{told:?}");
        assert!(!none.exists());
    }
    let flat = dir.path().join("flat.ome.tiff");
    Tiff::of(Sample::U8, [1, 1, 1, 8, 8]).write(&flat);
    assert!(convert(&flat, &none, &["--wells", "A1"]).ends_with(2).err.contains("no plate with images"));
    // Another part than was planned.
    let (from, to) = (text(&source), text(&dir.path().join("planned")));
    fairzarr(["plan", &from, &to, "--wells", "A1"]).done();
    fairzarr(["run", &from, &to, "--wells", "A2", "--task", "1/1"]).ends_with(2);
    fairzarr(["run", &from, &to, "--timepoints", "0", "--task", "1/1"]).ends_with(2);
}

#[test]
fn time_points_are_stored_and_described_as_those_of_the_store() {
    let dir = TempDir::new().unwrap();
    let source = plate(dir.path(), [6, 6, 6, 6, 3, 6]);
    let cases: [(&str, &[u32], usize, Option<f64>); 4] = [
        ("1-2", &[1, 2], 2, Some(2.0)),
        ("1,3,5", &[1, 3, 5], 3, Some(4.0)),
        ("0,1,5", &[0, 1, 5], 3, None),
        ("2", &[2], 1, Some(2.0)),
    ];
    for version in ["0.4", "0.5", "0.6"] {
        for (asked, times, size, scale) in cases {
            let store = dir.path().join(format!("{version}-{size}-{asked}.zarr"));
            let options = ["--timepoints", asked, "--rois", "labels", "--ngff", version, "--shard", "none"];
            convert(&source, &store, &options).done();
            let described = metadata(&store);
            // One of the images has three time points alone.
            assert_eq!(
                described.matches(&format!(r#"SizeT="{size}""#)).count(),
                if size < 3 { 6 } else { 5 }
            );
            let planes =
                |t: usize| described.matches(&format!(r#"TheT="{t}" DeltaT="{}""#, 2 * times[t])).count();
            assert!((0..size).all(|t| planes(t) >= 5), "{described}");
            assert_eq!(described.matches("TimeIncrement").count() > 1, scale.is_some());
            // A region of a time point that is left out is none.
            assert_eq!(described.contains("ROI:0"), times.contains(&5));
            assert_eq!(store.join("A/1/0/labels").exists(), times.contains(&5));
            let told = proved(&source, &store);
            assert!(told.contains(&format!("{} time points of image 0", 6 - size)), "{told}");
            if version == "0.5" {
                let image = document(&store, "A/1/0");
                let scales = &image["attributes"]["ome"]["multiscales"][0];
                let transformations = &scales["datasets"][0]["coordinateTransformations"];
                assert_eq!(transformations[0]["scale"][0].as_f64(), Some(scale.unwrap_or(1.0)));
                assert_eq!(scales["axes"][0]["unit"].is_string(), scale.is_some());
                assert_eq!(document(&store, "A/1/0/0")["shape"], json!([size, 1, 1, 20, 30]));
                let left_out = &document(&store, "")["attributes"]["fairzarr:conversion"]["not_carried"];
                assert_eq!(left_out["timepoints"][0]["left_out"].as_array().map(Vec::len), Some(6 - size));
                // An export is the part, and is proved against the store.
                let (exported, picture) = (dir.path().join("e.ome.tiff"), dir.path().join("one.zarr"));
                let options = ["--timepoints", asked, "--series", "0", "--overwrite"];
                convert(&source, &picture, &options).done();
                fairzarr(["export", &text(&picture), &text(&exported), "--overwrite"]).done();
                fairzarr(["verify", &text(&exported), &text(&picture)]).done();
            }
        }
    }
    // What is not as it was said to be is found.
    let store = dir.path().join("0.5-2-1-2.zarr");
    let mut root = document(&store, "");
    root["attributes"]["fairzarr:conversion"]["timepoints"] = json!([0, 2]);
    fs::write(store.join("zarr.json"), root.to_string()).unwrap();
    let told = fairzarr(["verify", &text(&source), &text(&store)]).ends_with(1);
    assert!(told.out.contains("image 0, plane t=0"), "{told:?}");
    // An image without any of them.
    let told = convert(&source, &dir.path().join("n"), &["--timepoints", "4"]).ends_with(2);
    assert!(told.err.contains("3 time points, and none of those"), "{told:?}");
}

#[test]
fn axes_of_length_1_are_left_out_where_that_is_asked_for() {
    let dir = TempDir::new().unwrap();
    let rgb = dir.path().join("rgb.ome.tiff");
    let picture = Picture { sample: Sample::U8, size: [1, 3, 1, 300, 310], interleaved: 3 };
    Tiff::many(vec![picture]).write(&rgb);
    let stack = dir.path().join("stack.ome.tiff");
    Tiff::of(Sample::U16, [1, 1, 3, 301, 257]).write(&stack);
    let plates = plate(dir.path(), [1, 2, 1, 1, 1, 1]);
    for version in ["0.4", "0.5", "0.6"] {
        for (n, (source, options, group, axes)) in [
            (&rgb, &["--drop-axes", "all"][..], "", "cyx"),
            (&rgb, &["--drop-axes", "z", "--omit-empty"], "", "tcyx"),
            (&stack, &["--drop-axes", "t,c", "--chunk", "64,64"], "", "zyx"),
            (&stack, &["--drop-axes", "all", "--chunk", "source"], "", "zyx"),
            (&plates, &["--drop-axes", "all", "--rois", "labels"], "A/1/0", "yx"),
            (&plates, &["--drop-axes", "all", "--rois", "labels"], "A/1/1", "tyx"),
            (&plates, &["--drop-axes=z", "--rois", "labels"], "A/1/0/labels/rois", "tcyx"),
        ]
        .into_iter()
        .enumerate()
        {
            let store = dir.path().join(format!("{version}-{n}.zarr"));
            convert(source, &store, &[&["--ngff", version], options].concat()).done();
            if version == "0.5" {
                let names = document(&store.join(group), "0")["dimension_names"].clone();
                assert_eq!(names, axes.chars().map(|axis| axis.to_string()).collect::<Value>());
            }
            proved(source, &store);
        }
    }
    // A store with fewer axes gives the same picture back.
    let exported = dir.path().join("e.ome.tiff");
    fairzarr(["export", &text(&dir.path().join("0.5-2.zarr")), &text(&exported)]).done();
    fairzarr(["verify", &text(&exported), &text(&dir.path().join("0.5-2.zarr"))]).done();
    // Written again as it would be in one go.
    let (whole, split) = (dir.path().join("0.5-2.zarr"), dir.path().join("split.zarr"));
    let (from, to) = (text(&stack), text(&split));
    fairzarr(["plan", &from, &to, "--drop-axes", "t,c", "--chunk", "64,64"]).done();
    fairzarr(["run", &from, &to, "--task", "1/1"]).done();
    fairzarr(["commit", &from, &to]).done();
    assert_same_tree(&whole, &split);

    let none = dir.path().join("none");
    let told = convert(&stack, &none, &["--drop-axes", "z"]).ends_with(2);
    assert!(told.message().contains("image 0: axis z has the length 3"), "{told:?}");
    for wrong in ["y", "t,x", "", "tz"] {
        convert(&stack, &none, &[&format!("--drop-axes={wrong}")]).ends_with(2);
    }
}
