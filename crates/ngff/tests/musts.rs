//! Every demand of the texts of 0.4, 0.5 and 0.6, broken once: the validator says so, and by the right clause.
//!
//! A hierarchy of each kind is written by this crate into memory and is valid; each row of the tables changes one document
//! of it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use support::{Kind, Memory, Row, hierarchy, row};

use fairzarr_ngff::Version::{self, V04, V05, V06};

const ALL: &[Version] = &[V04, V05, V06];
const BEFORE_06: &[Version] = &[V04, V05];
const SINCE_05: &[Version] = &[V05, V06];

#[test]
fn what_is_written_is_valid() {
    for version in ALL {
        for kind in [Kind::Image, Kind::Plate, Kind::Collection, Kind::Scene] {
            if kind == Kind::Scene && *version != V06 {
                continue;
            }
            let verdict = hierarchy(kind, *version).validate();
            assert!(verdict.is_valid(), "{kind:?} {version}: {:#?}", verdict.findings);
        }
    }
}

#[test]
fn every_demand_on_an_image() {
    check(
        Kind::Image,
        &[
            row(ALL, "", "ms", "multiscales-md", |m| *m = json!({})),
            row(ALL, "", "/datasets", "multiscales-md", |v| *v = json!([])),
            row(ALL, "", "/datasets", "multiscales-md", |v| *v = json!("0")),
            row(ALL, "", "/datasets/0", "multiscales-md", |v| {
                drop(v.as_object_mut().unwrap().remove("path"));
            }),
            row(ALL, "", "/datasets", "multiscales-md", |v| v.as_array_mut().unwrap().reverse()),
            row(ALL, "", "/datasets/1/path", "multiscales-md", |v| *v = json!("0")),
            row(ALL, "", "/datasets/1/path", "multiscales-md", |v| *v = json!("gone")),
            row(ALL, "", "/datasets/1/path", "multiscales-md", |v| *v = json!("../../1")),
            row(ALL, "", "/datasets/0/coordinateTransformations", "", |v| *v = Value::Null),
            row(BEFORE_06, "", "/axes/3/name", "axes-md", |v| *v = json!("x")),
            row(BEFORE_06, "", "/axes/3", "axes-md", |v| drop(v.as_object_mut().unwrap().remove("name"))),
            row(BEFORE_06, "", "/axes", "axes-md", |v| v.as_array_mut().unwrap().swap(0, 1)),
            row(BEFORE_06, "", "/axes/1/type", "axes-md", |v| *v = json!("time")),
            row(BEFORE_06, "", "/axes/0/type", "axes-md", |v| *v = json!("other")),
            row(BEFORE_06, "", "/axes", "axes-md", |v| v.as_array_mut().unwrap().truncate(1)),
            row(BEFORE_06, "", "/axes", "multiscales-md", |v| drop(v.as_array_mut().unwrap().remove(0))),
            row(BEFORE_06, "", "/axes", "axes-md", |v| *v = json!(["t", "c", "z", "y", "x"])),
            row(BEFORE_06, "", "/datasets/0/coordinateTransformations", "multiscales-md", |v| *v = json!([])),
            row(BEFORE_06, "", "/datasets/0/coordinateTransformations", "multiscales-md", |v| {
                let scale = v[0].clone();
                v.as_array_mut().unwrap().push(scale);
            }),
            row(BEFORE_06, "", "/datasets/1/coordinateTransformations", "multiscales-md", |v| {
                v.as_array_mut().unwrap().reverse();
            }),
            row(BEFORE_06, "", "/datasets/1/coordinateTransformations", "multiscales-md", |v| {
                let translation = v[1].clone();
                v.as_array_mut().unwrap().push(translation);
            }),
            row(BEFORE_06, "", "/datasets/0/coordinateTransformations/0/type", "multiscales-md", |v| {
                *v = json!("affine");
            }),
            row(BEFORE_06, "", "/datasets/0/coordinateTransformations/0/scale", "multiscales-md", |v| {
                *v = json!([1, 1]);
            }),
            row(BEFORE_06, "", "/datasets/0/coordinateTransformations/0/scale/0", "multiscales-md", |v| {
                *v = json!("1");
            }),
            row(BEFORE_06, "", "/datasets/1/coordinateTransformations/0/scale", "multiscales-md", |v| {
                *v = json!([1.0, 1.0, 1.0, 0.25, 0.25]);
            }),
            row(&[V06], "", "/coordinateSystems", "coordinate-systems-md", |v| *v = json!([])),
            row(&[V06], "", "/coordinateSystems/0/name", "coordinate-systems-md", |v| *v = json!("")),
            row(&[V06], "", "/coordinateSystems/0/axes/3/name", "axes-md", |v| *v = json!("x")),
            row(&[V06], "", "/coordinateSystems/0/axes/3/discrete", "axes-md", |v| *v = json!("no")),
            row(&[V06], "", "/coordinateSystems/0/axes/3/longName", "axes-md", |v| *v = json!(3)),
            row(&[V06], "", "/coordinateSystems/0/axes", "axes-md", |v| v.as_array_mut().unwrap().swap(0, 1)),
            row(&[V06], "", "/coordinateSystems", "coordinate-systems-md", |v| {
                let system = v[0].clone();
                v.as_array_mut().unwrap().push(system);
            }),
            row(&[V06], "", "/coordinateSystems", "coord-trafo-md", |v| {
                let mut system = v[0].clone();
                system["name"] = json!("island");
                v.as_array_mut().unwrap().push(system);
            }),
            row(&[V06], "", "/datasets/0/coordinateTransformations/0/input", "coordinate-systems-md", |v| {
                *v = json!("0");
            }),
            row(
                &[V06],
                "",
                "/datasets/0/coordinateTransformations/0/input/path",
                "coordinate-systems-md",
                |v| *v = json!("1"),
            ),
            row(
                &[V06],
                "",
                "/datasets/0/coordinateTransformations/0/output/name",
                "coordinate-systems-md",
                |v| *v = json!("gone"),
            ),
            row(
                &[V06],
                "",
                "/datasets/0/coordinateTransformations/0/scale/0",
                "coordinate-systems-md",
                |v| *v = json!(-1),
            ),
            row(&[V06], "", "/datasets/0/coordinateTransformations/0/type", "coordinate-systems-md", |v| {
                *v = json!("rotation");
            }),
            row(&[V06], "", "/datasets/0/coordinateTransformations", "coordinate-systems-md", |v| {
                let first = v[0].clone();
                v.as_array_mut().unwrap().push(first);
            }),
            row(
                &[V06],
                "",
                "/datasets/1/coordinateTransformations/0/transformations",
                "coordinate-systems-md",
                |v| {
                    v.as_array_mut().unwrap().reverse();
                },
            ),
            row(ALL, "", "omero/channels", "omero-md", |v| *v = Value::Null),
            row(ALL, "", "omero/channels/0/color", "omero-md", |v| *v = json!("#00FF00")),
            row(ALL, "", "omero/channels/0/window", "omero-md", |v| *v = json!([])),
            row(ALL, "", "omero/channels/0/window/start", "omero-md", |v| *v = json!("0")),
            row(SINCE_05, "", "version", "ome", |v| *v = json!("9.9")),
            row(SINCE_05, "", "version", "ome", |v| *v = json!(0.5)),
            row(SINCE_05, "labels/cells", "version", "ome", |v| *v = json!("0.9.9")),
        ],
    );
}

#[test]
fn every_demand_on_labels() {
    check(
        Kind::Image,
        &[
            row(ALL, "labels", "labels", "labels-md", |v| *v = json!("cells")),
            row(ALL, "labels", "labels", "labels-md", |v| *v = json!(["cells", "gone"])),
            row(&[V05], "labels", "labels", "labels-md", |v| *v = json!([])),
            row(ALL, "labels/cells", "ms", "", |v| *v = json!(null)),
            row(ALL, "labels/cells", "/datasets", "labels-md", |v| v.as_array_mut().unwrap().truncate(1)),
            row(ALL, "labels/cells", "image-label/colors", "label-md", |v| *v = json!({})),
            row(ALL, "labels/cells", "image-label/colors/0/label-value", "label-md", |v| *v = json!("1")),
            row(ALL, "labels/cells", "image-label/colors/0/rgba", "label-md", |v| *v = json!([1, 2, 300, 4])),
            row(ALL, "labels/cells", "image-label/colors/0/rgba", "label-md", |v| *v = json!([1, 2, 3])),
            row(ALL, "labels/cells", "image-label/colors", "label-md", |v| {
                *v = json!([{"label-value": 1, "rgba": [1, 1, 1, 1]}, {"label-value": 1, "rgba": [2, 2, 2, 2]}]);
            }),
            row(ALL, "labels/cells", "image-label/properties", "label-md", |v| *v = json!([{"area": 3}])),
            row(ALL, "labels/cells", "image-label/source", "label-md", |v| *v = json!("../../")),
            row(ALL, "labels/cells", "image-label/source/image", "label-md", |v| *v = json!("../../gone")),
            row(SINCE_05, "labels/cells/0", "data_type", "labels-md", |v| *v = json!("float32")),
            row(ALL, "labels/cells/0", "shape", "labels-md", |v| *v = json!([2, 2, 3, 40, 40])),
        ],
    );
}

#[test]
fn every_demand_on_plates_and_wells() {
    check(
        Kind::Plate,
        &[
            row(ALL, "", "plate/rows", "plate-md", |v| *v = json!("A")),
            row(ALL, "", "plate/columns", "plate-md", |v| *v = json!([{"name": "1"}, {"name": "1"}])),
            row(ALL, "", "plate/rows/0/name", "plate-md", |v| *v = json!("A_1")),
            row(ALL, "", "plate/rows/0/name", "plate-md", |v| *v = json!("")),
            row(ALL, "", "plate/wells", "plate-md", |v| *v = json!([])),
            row(ALL, "", "plate/wells/0/path", "plate-md", |v| *v = json!("A/9")),
            row(ALL, "", "plate/wells/0/path", "plate-md", |v| *v = json!("./A/1")),
            row(ALL, "", "plate/wells/0/path", "plate-md", |v| *v = json!("1/A")),
            row(ALL, "", "plate/wells/0/rowIndex", "plate-md", |v| *v = json!(1)),
            row(ALL, "", "plate/wells/0/rowIndex", "plate-md", |v| *v = json!("0")),
            row(ALL, "", "plate/wells/0/columnIndex", "plate-md", |v| *v = json!(-1)),
            row(ALL, "", "plate/field_count", "plate-md", |v| *v = json!(0)),
            row(ALL, "", "plate/name", "plate-md", |v| *v = json!(3)),
            row(ALL, "", "plate/acquisitions", "plate-md", |v| *v = json!({})),
            row(ALL, "", "plate/acquisitions/0/id", "plate-md", |v| *v = json!(-1)),
            row(ALL, "", "plate/acquisitions/1/id", "plate-md", |v| *v = json!(0)),
            row(ALL, "", "plate/acquisitions/0/maximumfieldcount", "plate-md", |v| *v = json!(0)),
            row(ALL, "", "plate/acquisitions/0/description", "plate-md", |v| *v = json!(1)),
            row(ALL, "", "plate/acquisitions/0/starttime", "plate-md", |v| *v = json!("now")),
            row(ALL, "A/1", "well/images", "well-md", |v| *v = json!({})),
            row(ALL, "A/1", "well/images/0/path", "well-md", |v| *v = json!("")),
            row(BEFORE_06, "A/1", "well/images/0/path", "well-md", |v| *v = json!("a_b")),
            row(&[V06], "A/1", "well/images/0/path", "well-md", |v| *v = json!("__0")),
            row(&[V06], "A/1", "well/images/0/path", "well-md", |v| *v = json!("0/0")),
            row(ALL, "A/1", "well/images/0/path", "well-md", |v| *v = json!("7")),
            row(ALL, "A/1", "well/images", "well-md", |v| {
                let first = v[0].clone();
                v.as_array_mut().unwrap().push(first);
            }),
            row(ALL, "A/1", "well/images/0", "well-md", |v| {
                drop(v.as_object_mut().unwrap().remove("acquisition"));
            }),
            row(ALL, "A/1", "well/images/0/acquisition", "well-md", |v| *v = json!(9)),
            row(ALL, "A/1", "well/images/0/acquisition", "well-md", |v| *v = json!("0")),
        ],
    );
    for version in ALL {
        let mut plate = hierarchy(Kind::Plate, *version);
        plate.remove("A/zarr.json");
        plate.remove("A/.zgroup");
        plate.remove("A/.zattrs");
        plate.assert_broken("hcs-layout", "the group of a row");
        let mut plate = hierarchy(Kind::Plate, *version);
        plate.remove_below("A/1");
        plate.assert_broken("plate-md", "a well");
    }
}

#[test]
fn every_demand_on_collections() {
    check(
        Kind::Collection,
        &[
            row(ALL, "", "bioformats2raw.layout", "bf2raw", |v| *v = json!(2)),
            row(ALL, "", "bioformats2raw.layout", "bf2raw", |v| *v = json!("3")),
            row(ALL, "OME", "series", "bf2raw", |v| *v = json!("0")),
            row(ALL, "OME", "series", "bf2raw", |v| *v = json!([0, 1])),
            row(ALL, "OME", "series", "bf2raw", |v| *v = json!(["0", "7"])),
            row(ALL, "OME", "series", "bf2raw", |v| *v = json!([])),
        ],
    );
    for version in ALL {
        let mut two = hierarchy(Kind::Collection, *version);
        two.edit("0", *version, "multiscales", |v| {
            let mut second = v[0].clone();
            second["name"] = json!("second");
            v.as_array_mut().unwrap().push(second);
        });
        two.assert_broken("bf2raw", "two multiscales of one Image");
        let mut gap = hierarchy(Kind::Collection, *version);
        gap.remove_below("OME");
        gap.remove_below("0");
        gap.assert_broken("bf2raw", "no group 0");
        #[cfg(feature = "ome")]
        for (from, to, what) in [
            ("<MetadataOnly/>", "<TiffData/>", "TiffData"),
            ("</OME>", "", "not well-formed"),
            ("SizeX=\"64\"", "SizeX=\"65\"", "a size"),
            ("<Image ID=\"Image:1\"", "<Imag ID=\"Image:1\"", "an Image less"),
        ] {
            let mut collection = hierarchy(Kind::Collection, *version);
            collection.replace("OME/METADATA.ome.xml", from, to);
            collection.assert_broken("bf2raw", what);
        }
    }
}

#[test]
fn every_demand_on_scenes_and_transformations() {
    let to = |kind: Value| {
        move |v: &mut Value| {
            let mut all = kind.clone();
            all["input"] = v["input"].clone();
            all["output"] = v["output"].clone();
            *v = all;
        }
    };
    let five = |n: usize| vec![1.0; n];
    let kinds = [
        json!({"type": "nothing"}),
        json!({"type": "scale", "scale": five(4)}),
        json!({"type": "translation", "translation": five(6)}),
        json!({"type": "translation"}),
        json!({"type": "mapAxis", "mapAxis": [0, 1, 2, 3, 3]}),
        json!({"type": "mapAxis", "mapAxis": [0, 1, 2, 3, 5]}),
        json!({"type": "mapAxis", "mapAxis": [0, 1, 2]}),
        json!({"type": "affine", "affine": [[1, 0], [0, 1]]}),
        json!({"type": "affine", "path": "gone"}),
        json!({"type": "rotation", "rotation": [[1,1,0,0,0],[0,1,0,0,0],[0,0,1,0,0],[0,0,0,1,0],[0,0,0,0,1]]}),
        json!({"type": "rotation", "rotation": [[-1,0,0,0,0],[0,1,0,0,0],[0,0,1,0,0],[0,0,0,1,0],[0,0,0,0,1]]}),
        json!({"type": "sequence", "transformations": []}),
        json!({"type": "byDimension", "transformations": [{"inputAxes": [0], "outputAxes": [0],
            "transformation": {"type": "identity"}}]}),
        json!({"type": "bijection", "forward": {"type": "identity"}}),
        json!({"type": "displacements"}),
        json!({"type": "displacements", "path": "gone"}),
    ];
    for kind in kinds {
        let mut scene = hierarchy(Kind::Scene, V06);
        scene.edit("", V06, "scene/coordinateTransformations/0", to(kind.clone()));
        scene.assert_broken("coord-trafo-md", &kind.to_string());
    }
    check(
        Kind::Scene,
        &[
            row(&[V06], "", "scene/coordinateTransformations", "scene-md", |v| *v = json!([])),
            row(&[V06], "", "scene/coordinateTransformations", "scene-md", |v| *v = Value::Null),
            row(&[V06], "", "scene/coordinateTransformations/0/input/path", "scene-md", |v| {
                *v = json!("gone");
            }),
            row(&[V06], "", "scene/coordinateTransformations/0/input/name", "scene-md", |v| {
                *v = json!("gone");
            }),
            row(&[V06], "", "scene/coordinateTransformations/0/output/name", "coord-trafo-md", |v| {
                *v = json!("gone");
            }),
            row(&[V06], "", "scene/coordinateTransformations/0/output", "", |v| *v = json!("world")),
            row(&[V06], "", "scene/coordinateSystems", "coord-trafo-md", |v| {
                let mut island = v[0].clone();
                island["name"] = json!("island");
                v.as_array_mut().unwrap().push(island);
            }),
            row(&[V06], "a", "/datasets", "multiscales-md", |v| *v = json!([])),
        ],
    );
}

#[test]
fn every_demand_on_the_layout() {
    check(
        Kind::Image,
        &[
            row(&[V05], "0", "dimension_names", "axes-md", |v| *v = json!(["t", "c", "z", "x", "y"])),
            row(&[V06], "1", "data_type", "storage-format", |v| *v = json!("uint8")),
            row(ALL, "1", "shape", "storage-format", |v| *v = json!([2, 2, 3, 128, 128])),
            row(ALL, "1", "shape", "storage-format", |v| *v = json!([2, 2, 3])),
            row(&[V04], "0", "dimension_separator", "storage-format", |v| *v = json!(".")),
        ],
    );
    for (version, from, to) in [(V04, ".zarray", "zarr.json"), (V05, "zarr.json", ".zarray")] {
        let mut image = hierarchy(Kind::Image, version);
        image.rename(&format!("1/{from}"), &format!("1/{to}"));
        image.assert_broken("multiscales-md", "an array in the other Zarr format");
    }
    for version in ALL {
        let mut image = hierarchy(Kind::Image, *version);
        let root = if *version == V04 { ".zattrs" } else { "zarr.json" };
        image.replace(root, "0.25", "NaN");
        image.assert_broken(if *version == V04 { "zarr-v2/metadata" } else { "zarr-v3/metadata" }, "NaN");
    }
    let mut old = hierarchy(Kind::Image, V04);
    old.remove(".zgroup");
    old.assert_broken("zarr-v2/groups", ".zgroup");
}

/// Versions that are not judged are recognised by name, and what they name is looked at.
#[test]
fn older_versions_and_drafts_are_recognised() {
    for (base, name) in [(V04, "0.3"), (V04, "0.2"), (V06, "0.9.dev1")] {
        let mut image = hierarchy(Kind::Image, base);
        image.edit("", base, if base == V04 { "multiscales/0/version" } else { "version" }, |v| {
            *v = json!(name);
        });
        for label in ["labels", "labels/cells"] {
            if base == V06 {
                image.edit(label, base, "version", |v| *v = json!(name));
            }
        }
        let verdict = image.validate();
        assert!(verdict.is_valid(), "{name}: {:#?}", verdict.findings);
        assert_eq!((verdict.declared.as_deref(), verdict.version), (Some(name), None));
        assert!(verdict.findings.iter().any(|found| found.finding.message.contains(name)));
        image.edit("0", base, "shape", |v| *v = json!("x"));
        assert!(!image.validate().is_valid(), "{name}");
    }
}

fn check(kind: Kind, rows: &[Row]) {
    for (number, row) in rows.iter().enumerate() {
        for version in row.versions {
            let mut hierarchy: Memory = hierarchy(kind, *version);
            hierarchy.edit(row.node, *version, row.member, row.change);
            hierarchy
                .assert_broken(row.clause, &format!("{version}, row {number}: {} {}", row.node, row.member));
        }
    }
}
