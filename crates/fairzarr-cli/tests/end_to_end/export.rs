//! To OME-Zarr and back: the same pixels, the same OME-XML.

use fairzarr_ome_tiff::tiff_codec::Compression;
use fairzarr_ome_tiff::{ExtraTag, Grid, Page, PageForm, SampleType, TiffWriter};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

use crate::support::tiff::{Picture, Sample, Tiff};
use crate::support::{cells, convert, fairzarr, fixture, run, text, tree, verify, zarr};

fn export(store: &Path, target: &Path, options: &[&str]) -> crate::support::Outcome {
    run("export", store, target, options)
}

/// A document without what names the file that it is in.
fn without_uuid(store: &Path) -> String {
    let document = std::fs::read_to_string(store.join("OME/METADATA.ome.xml")).unwrap();
    match document.split_once(" UUID=\"") {
        Some((before, rest)) => format!("{before}{}", rest.split_once('"').unwrap().1),
        None => document,
    }
}

/// Converts, exports, and converts again; every step is proved, and the second store is the first one.
#[track_caller]
fn goes_round(source: &Path, options: &[&str], compression: &str) {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (store, exported, again) = (path("a.zarr"), path("b.ome.tiff"), path("c.zarr"));
    convert(source, &store, options).done();
    let told = export(&store, &exported, &["--compression", compression]).done();
    assert_eq!(told.err, "", "{told:?}");
    let report = verify(&exported, &store).done();
    assert!(report.out.contains("pixels     equal") && !report.out.contains("differ"), "{report:?}");
    convert(&exported, &again, options).done();
    verify(&exported, &again).done();
    assert_eq!(without_uuid(&again), without_uuid(&store));
    let arrays = |store: &Path| {
        let mut files = tree(store);
        files.retain(|key, _| !key.starts_with("OME") && !key.ends_with("zarr.json") && !key.contains("/.z"));
        files.retain(|key, _| !key.starts_with(".z"));
        files
    };
    assert!(arrays(&again) == arrays(&store), "{}: chunks differ", source.display());
    // The levels of the file are those of the store.
    convert(&exported, &again, &[options, &["--pyramid", "source", "--overwrite"]].concat()).done();
    assert!(arrays(&again) == arrays(&store), "{}: reduced chunks differ", source.display());
}

fn written(tiff: &Tiff, options: &[&str], compression: &str) {
    let dir = TempDir::new().unwrap();
    let source = dir.path().join("source.ome.tiff");
    tiff.write(&source);
    goes_round(&source, options, compression);
}

#[test]
fn every_sample_type_comes_back() {
    for (sample, compression) in Sample::ALL.into_iter().zip(["none", "deflate", "zstd"].into_iter().cycle())
    {
        written(&Tiff::of(sample, [1, 2, 1, 70, 301]), &[], compression);
        written(&Tiff::of(sample, [2, 1, 2, 70, 30]), &["--ngff", "0.4"], "deflate");
    }
}

#[test]
fn fixtures_come_back() {
    let names = ["bit.ome.tif", "complex-be.ome.tif", "pyramid.ome.tif", "rgb.ome.tif", "rgb-planar.ome.tif"];
    for name in names.into_iter().chain(["strips-be.ome.tif", "tiles-be-big.ome.tif"]) {
        goes_round(&fixture(name), &[], "deflate");
    }
    goes_round(&cells(), &[], "deflate");
    goes_round(&cells(), &["--ngff", "0.6", "--layout", "bioformats2raw"], "zstd");
}

#[test]
fn large_planes_become_tiles_whatever_the_chunks_and_shards() {
    let tiff = Tiff::of(Sample::U16, [1, 1, 2, 1300, 1500]);
    for options in
        [&["--chunk", "100,300"][..], &["--chunk", "256", "--shard", "512,1024"], &["--chunk", "997"]]
    {
        written(&tiff, options, "deflate");
    }
    written(&tiff, &["--ngff", "0.4", "--memory", "16M"], "none");
}

#[test]
fn colours_and_several_images_come_back() {
    let rgb = Picture { sample: Sample::U8, size: [2, 3, 2, 100, 330], interleaved: 3 };
    let two = Picture { sample: Sample::U16, size: [1, 6, 1, 40, 1100], interleaved: 3 };
    let grey = Picture { sample: Sample::F32, size: [2, 2, 3, 30, 10], interleaved: 1 };
    written(&Tiff::many(vec![rgb.clone()]), &[], "deflate");
    written(&Tiff::many(vec![two, rgb, grey]), &[], "deflate");
}

/// Four images of one plane each, which are two fields of two wells.
fn plate(path: &Path) {
    let mut xml = String::from(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Plate ID="Plate:0" Rows="2" Columns="2">"#,
    );
    for (well, row, col) in [(0, 0, 1), (1, 1, 0)] {
        write!(xml, r#"<Well ID="Well:{well}" Row="{row}" Column="{col}">"#).unwrap();
        for n in [well, well + 2] {
            write!(
                xml,
                r#"<WellSample ID="WellSample:{n}" Index="{n}"><ImageRef ID="Image:{n}"/></WellSample>"#
            )
            .unwrap();
        }
        xml.push_str("</Well>");
    }
    xml.push_str("</Plate>");
    let mut writer = TiffWriter::new(std::fs::File::create(path).unwrap()).unwrap();
    let (height, width) = (30, 20);
    let form = Arc::new(PageForm {
        height,
        width,
        samples: 1,
        sample_type: SampleType::Uint8,
        grid: Grid { tiled: false, height, width },
        compression: Compression::None,
        predictor: false,
        tags: Vec::new(),
    });
    let mut pages = Vec::new();
    for n in 0..4 {
        write!(
            xml,
            r#"<Image ID="Image:{n}"><Pixels ID="Pixels:{n}" DimensionOrder="XYZCT" Type="uint8" SizeX="20" SizeY="30" SizeZ="1" SizeC="1" SizeT="1"><TiffData IFD="{n}" PlaneCount="1"/></Pixels></Image>"#
        )
        .unwrap();
        let samples: Vec<u8> = (0..600u32).map(|at| (at * (n + 3)) as u8).collect();
        let chunks = vec![writer.chunk(&samples).unwrap()];
        pages.push(Page { form: Arc::clone(&form), chunks, reduced: Vec::new() });
    }
    writer.finish(&pages, &(xml + "</OME>")).unwrap();
}

#[test]
fn a_plate_and_an_archive_come_back() {
    let dir = TempDir::new().unwrap();
    let source = dir.path().join("plate.ome.tiff");
    plate(&source);
    goes_round(&source, &[], "deflate");
    goes_round(&source, &["--ngff", "0.4"], "deflate");
    let (archive, exported) = (dir.path().join("plate.ozx"), dir.path().join("again.ome.tiff"));
    convert(&source, &archive, &[]).done();
    export(&archive, &exported, &[]).done();
    let report = verify(&exported, &archive).done();
    assert!(report.out.contains("4 planes of 4 images"), "{report:?}");
}

#[test]
fn planes_follow_each_other_in_every_order() {
    let dir = TempDir::new().unwrap();
    let source = dir.path().join("source.ome.tiff");
    let picture = Picture { sample: Sample::U16, size: [2, 3, 4, 20, 30], interleaved: 1 };
    Tiff::many(vec![picture.clone()]).write(&source);
    let (store, exported, again) =
        (dir.path().join("a.zarr"), dir.path().join("b.ome.tiff"), dir.path().join("c.zarr"));
    convert(&source, &store, &[]).done();
    let metadata = store.join("OME/METADATA.ome.xml");
    let document = std::fs::read_to_string(&metadata).unwrap();
    for order in ["XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC"] {
        std::fs::write(&metadata, document.replace("XYZCT", order)).unwrap();
        export(&store, &exported, &["--overwrite"]).done();
        convert(&exported, &again, &["--overwrite"]).done();
        let array = zarr::read(&again, "0", Sample::U16);
        for [t, c, z] in [[0, 0, 0], [1, 0, 0], [0, 2, 1], [1, 1, 3]] {
            assert!(array.plane([t, c, z]) == picture.plane([t, c, z]), "{order}: {t} {c} {z}");
        }
    }
}

#[test]
fn the_same_file_comes_of_any_number_of_threads() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name);
    Tiff::of(Sample::U16, [2, 2, 1, 600, 1500]).write(&path("source.ome.tiff"));
    convert(&path("source.ome.tiff"), &path("store.zarr"), &["--chunk", "128"]).done();
    export(&path("store.zarr"), &path("1.tif"), &["--jobs", "1"]).done();
    export(&path("store.zarr"), &path("7.tif"), &["--jobs", "7"]).done();
    assert!(std::fs::read(path("1.tif")).unwrap() == std::fs::read(path("7.tif")).unwrap());
}

#[test]
fn what_exists_is_kept_and_failures_leave_nothing() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name);
    convert(&cells(), &path("store.zarr"), &["--shard", "none", "--chunk", "128"]).done();
    std::fs::write(path("there.tif"), "mine").unwrap();
    let told = export(&path("store.zarr"), &path("there.tif"), &[]).ends_with(8);
    assert!(told.message().contains("--overwrite"), "{told:?}");
    assert_eq!(std::fs::read(path("there.tif")).unwrap(), b"mine");
    let told = export(&path("store.zarr"), &path("there.tif"), &["--overwrite", "--json"]).done().json();
    assert_eq!((&told["planes"], &told["bigtiff"]), (&6.into(), &false.into()));

    let told = fairzarr(["export", &text(&path("store.zarr")), "s3://bucket/x.ome.tiff"]).ends_with(2);
    assert!(told.message().contains("this machine"), "{told:?}");
    // A damaged chunk is named, and no file is left.
    let chunk = path("store.zarr").join("0/c/0/1/0/1/1");
    let mut bytes = std::fs::read(&chunk).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&chunk, bytes).unwrap();
    let told = export(&path("store.zarr"), &path("new.tif"), &[]).ends_with(3);
    assert!(told.message().contains("array 0"), "{told:?}");
    let left: Vec<_> = tree(dir.path()).into_keys().filter(|key| !key.contains(".zarr/")).collect();
    assert_eq!(left, ["there.tif"]);
}

#[test]
fn an_export_of_another_store_is_no_proof() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name);
    convert(&cells(), &path("cells.zarr"), &[]).done();
    Tiff::of(Sample::U16, [1, 1, 1, 20, 30]).write(&path("other.ome.tiff"));
    convert(&path("other.ome.tiff"), &path("other.zarr"), &[]).done();
    export(&path("other.zarr"), &path("export.ome.tiff"), &[]).done();
    let told = verify(&path("export.ome.tiff"), &path("cells.zarr")).ends_with(1);
    assert!(!told.out.contains("export "), "{told:?}");
}

#[test]
fn a_store_without_ome_xml_is_exported_with_what_its_metadata_say() {
    for name in ["plain.tif", "imagej.tif"] {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        convert(&fixture(name), &path("a.zarr"), &[]).done();
        export(&path("a.zarr"), &path("b.ome.tif"), &[]).done();
        let told = verify(&path("b.ome.tif"), &path("a.zarr")).done();
        assert!(told.out.contains("export     equal"), "{told:?}");
        // Stores of other programs have neither our attributes nor our documents.
        std::fs::remove_dir_all(path("a.zarr/OME")).unwrap();
        let document = path("a.zarr/zarr.json");
        let mut root: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&document).unwrap()).unwrap();
        root["attributes"].as_object_mut().unwrap().retain(|key, _| key == "ome");
        root.as_object_mut().unwrap().remove("consolidated_metadata");
        std::fs::write(&document, root.to_string()).unwrap();
        export(&path("a.zarr"), &path("c.ome.tif"), &[]).done();
        verify(&path("c.ome.tif"), &path("a.zarr")).done();
    }
}

/// A directory in a TIFF of classic form: each tag with its field type and values.
fn tags(path: &Path) -> std::collections::BTreeMap<u16, (u16, Vec<u8>)> {
    let file = std::fs::read(path).unwrap();
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let short = |at: usize| u16::from_le_bytes(file[at..at + 2].try_into().unwrap());
    let first = number(4);
    let entries = (0..usize::from(short(first))).map(|n| first + 2 + 12 * n);
    entries
        .map(|at| {
            let width = match short(at + 2) {
                3 => 2,
                4 => 4,
                5 => 8,
                _ => 1,
            };
            let len = number(at + 4) * width;
            let from = if len > 4 { number(at + 8) } else { at + 8 };
            (short(at), (short(at + 2), file[from..from + len].to_vec()))
        })
        .collect()
}

#[test]
fn how_samples_are_shown_and_who_made_them_comes_back() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name);
    let ramp: Vec<u8> = (0..3)
        .flat_map(|part| (0..256u16).flat_map(move |n| (n * 257 * u16::from(part != 1)).to_le_bytes()))
        .collect();
    let tag =
        |code, field_type, count, bytes: &[u8]| ExtraTag { code, field_type, count, bytes: bytes.to_vec() };
    let icc = [7; 40];
    let shown = [
        vec![
            tag(262, 3, 1, &[0, 0]),
            tag(305, 2, 4, b"abc\0"),
            tag(306, 2, 20, b"2020:01:02 03:04:05\0"),
            tag(34675, 7, 40, &icc),
        ],
        vec![tag(262, 3, 1, &[3, 0]), tag(320, 3, 768, &ramp), tag(282, 5, 1, &[72, 0, 0, 0, 1, 0, 0, 0])],
    ];
    for (n, expected) in shown.into_iter().enumerate() {
        let (height, width) = (30, 20);
        let form = Arc::new(PageForm {
            height,
            width,
            samples: 1,
            sample_type: SampleType::Uint8,
            grid: Grid { tiled: false, height, width },
            compression: Compression::None,
            predictor: false,
            tags: [&expected[..], &[tag(65000, 3, 1, &[1, 0])]].concat(),
        });
        let xml = r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="20" SizeY="30" SizeZ="1" SizeC="1" SizeT="1"><TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>"#;
        let mut writer = TiffWriter::new(std::fs::File::create(path("a.ome.tif")).unwrap()).unwrap();
        let chunks = vec![writer.chunk(&[5; 600]).unwrap()];
        writer.finish(&[Page { form, chunks, reduced: Vec::new() }], xml).unwrap();
        convert(&path("a.ome.tif"), &path("a.zarr"), &["--overwrite"]).done();
        let root = std::fs::read_to_string(path("a.zarr/zarr.json")).unwrap();
        let root: serde_json::Value = serde_json::from_str(&root).unwrap();
        let channel = &root["attributes"]["ome"]["omero"]["channels"][0];
        assert_eq!(
            (&channel["inverted"], &channel["color"]),
            [(&true.into(), &"FFFFFF".into()), (&false.into(), &"FF00FF".into())][n]
        );
        let told = export(&path("a.zarr"), &path("b.ome.tif"), &["--overwrite"]).done();
        assert!(told.err.contains("tags of the source that the file has not: 65000"), "{told:?}");
        verify(&path("b.ome.tif"), &path("a.zarr")).done();
        let found = tags(&path("b.ome.tif"));
        for tag in expected {
            assert_eq!(found.get(&tag.code), Some(&(tag.field_type, tag.bytes)), "{}", tag.code);
        }
        assert!(!found.contains_key(&317), "no predictor unless it is asked for");
    }
    export(&path("a.zarr"), &path("b.ome.tif"), &["--overwrite", "--predictor"]).done();
    assert_eq!(tags(&path("b.ome.tif"))[&317], (3, vec![2, 0]));
    verify(&path("b.ome.tif"), &path("a.zarr")).done();
}
