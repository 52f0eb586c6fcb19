//! Microscope provenance and quality control through the program.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod embed;
#[path = "../pages/mod.rs"]
mod pages;
#[path = "../../../nbo/tests/support/plate.rs"]
mod plate;
mod qc;

use pages::tiff;
use plate::Plate;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Outcome {
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

impl Outcome {
    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{} {}", String::from_utf8_lossy(&self.out), self.err);
        self
    }

    #[track_caller]
    fn done(self) -> Self {
        self.ends_with(0)
    }

    fn text(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap()
    }
}

fn fairzarr(args: &[&str]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_fairzarr")).args(args).output().unwrap();
    Outcome { code: output.status.code(), out: output.stdout, err: String::from_utf8(output.stderr).unwrap() }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../nbo/tests/data").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn ome(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">{body}</OME>"
    )
}

/// The quantities whose default units differ between OME and NBO.
fn traps() -> String {
    ome(r#"<Instrument ID="Instrument:0"><Detector ID="Detector:0" Type="CCD" Voltage="1.5"/>
<Objective ID="Objective:0" LensNA="1.4" WorkingDistance="190"/></Instrument>
<Image ID="Image:0" Name="cells_01"><AcquisitionDate>2024-03-14T10:00:00</AcquisitionDate><InstrumentRef ID="Instrument:0"/>
<ObjectiveSettings ID="Objective:0"/>
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="2" SizeY="2" SizeZ="1" SizeC="1" SizeT="1" PhysicalSizeX="0.1" PhysicalSizeZ="0.3">
<Channel ID="Channel:0" Name="DAPI" SamplesPerPixel="1"><DetectorSettings ID="Detector:0" ReadOutRate="2.5"/></Channel><TiffData/>
<Plane TheZ="0" TheC="0" TheT="0" ExposureTime="0.02"/></Pixels></Image>"#)
}

fn image(directory: &Path) -> PathBuf {
    let path = directory.join("cells_01.ome.tiff");
    tiff(&path, &traps(), 1);
    path
}

fn convert(source: &Path, target: &Path, options: &[&str]) -> Outcome {
    let mut args = vec!["convert", text(source), text(target), "--durability=none"];
    args.extend(options);
    fairzarr(&args)
}

fn attributes(store: &Path, group: &str) -> Value {
    let group = store.join(group);
    let read = |name: &str| std::fs::read(group.join(name)).ok();
    match read("zarr.json") {
        Some(document) => serde_json::from_slice::<Value>(&document).unwrap()["attributes"].take(),
        None => serde_json::from_slice(&read(".zattrs").unwrap()).unwrap(),
    }
}

/// Every object of this class in a record.
fn all<'j>(record: &'j Value, class: &str) -> Vec<&'j Value> {
    let mut found = Vec::new();
    let mut pending = vec![record];
    while let Some(value) = pending.pop() {
        if value["@type"] == class {
            found.push(value);
        }
        match value {
            Value::Array(values) => pending.extend(values),
            Value::Object(members) => pending.extend(members.values()),
            _ => {}
        }
    }
    found
}

fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let key = text(path.strip_prefix(root).unwrap()).to_owned();
                files.insert(key, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[track_caller]
fn same(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) {
    let differ: Vec<_> = a.keys().chain(b.keys()).filter(|key| a.get(*key) != b.get(*key)).collect();
    assert!(differ.is_empty(), "{differ:?}");
}

/// A value with its unit, in the unit that NBO has as its own.
fn quantity(object: &Value, field: &str) -> String {
    let unit = object[format!("{field}Unit")].as_str().unwrap_or("no unit");
    format!("{} {unit}", object[field])
}

#[test]
fn units_are_said_before_anything_is_mapped() {
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    for version in ["0.4", "0.5", "0.6"] {
        let store = directory.path().join(format!("{version}.ome.zarr"));
        convert(&source, &store, &["--ngff", version]).done();
        let attributes = attributes(&store, "");
        let record = &attributes["nbo:record"];
        let one = |class| {
            all(record, class).first().copied().cloned().unwrap_or_else(|| panic!("no {class}: {record:#}"))
        };
        // OME's default units, said; NBO's would be mm, nm, ms, mV and Hz.
        assert_eq!(quantity(&one("Objective"), "WorkingDistance"), "190 µm");
        assert_eq!(quantity(&one("Pixels"), "PhysicalSizeZ"), "0.3 µm");
        assert_eq!(quantity(&one("Plane"), "ExposureTime"), "0.02 s");
        assert_eq!(quantity(&one("CameraSettings"), "PixelReadOutRate"), "2.5 MHz");
        let conventions = attributes["zarr_conventions"].as_array().unwrap();
        assert!(conventions.iter().any(|c| c["name"] == "nbo:"), "{conventions:?}");
        assert_eq!(attributes["nbo:sources"][0]["path"], "OME/sources/0.ome.xml");
        fairzarr(&["verify", text(&source), text(&store)]).done();
        fairzarr(&["verify", text(&store)]).done();
    }
}

#[test]
fn the_dictionary_has_the_published_numbers() {
    let count = |args: &[&str]| {
        let lines = fairzarr(&[&["nbo", "fields", "--json"], args].concat()).done().text();
        lines.lines().filter(|line| line.starts_with(r#"{"type":"field","#)).count()
    };
    // Table 3 of the publication, its baseline, and its Materials and Methods.
    for (tier, extension, level, fields) in [
        ("1", "basic", "must", 127),
        ("2", "basic,calibration", "must", 238),
        ("3", "all", "should", 740),
        ("3", "basic,calibration", "should", 620),
        ("1", "core", "must", 61),
        ("1", "basic", "should", 199),
    ] {
        assert_eq!(
            count(&["--tier", tier, "--extension", extension, "--level", level]),
            fields,
            "{extension}"
        );
    }
    assert_eq!(count(&[]), 875);
    let listed = fairzarr(&["nbo", "fields", "--tier", "1"]).done().text();
    assert!(listed.contains("Objective@LensNA"), "{listed}");
    fairzarr(&["nbo", "fields", "--tier", "4"]).ends_with(2);
    fairzarr(&["nbo", "fields", "--extension", "deluxe"]).ends_with(2);
}

#[test]
fn a_micro_meta_pair_comes_out_as_it_went_in() {
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    let pair = [data("abif_axiovert1_.json"), data("derived_settings_axiovert1.json")];
    let (converted, embedded) = (directory.path().join("a.zarr"), directory.path().join("b.zarr"));
    convert(&source, &converted, &["--nbo", text(&pair[0]), "--nbo", text(&pair[1])]).done();
    convert(&source, &embedded, &[]).done();
    let before = tree(&embedded);
    let args = ["embed", text(&embedded), "--nbo", text(&pair[0]), "--nbo", text(&pair[1])];
    fairzarr(&args).done();
    for store in [&converted, &embedded] {
        fairzarr(&["verify", text(&source), text(store)]).done();
        fairzarr(&["verify", text(store)]).done();
        let out =
            directory.path().join(format!("{}.originals", store.file_name().unwrap().to_str().unwrap()));
        fairzarr(&["extract", text(store), "--as", "original", "--output", text(&out)]).done();
        let stored: Vec<Vec<u8>> = tree(&out).into_values().collect();
        for sidecar in &pair {
            assert!(stored.contains(&std::fs::read(sidecar).unwrap()), "{sidecar:?} in {store:?}");
        }
        let xml = fairzarr(&["extract", text(store), "--as", "nbo-xml"]).done().text();
        assert!(xml.contains("InvertedMicroscopeStand"), "{xml}");
        let settings = fairzarr(&["extract", text(store), "--as", "micro-meta"]).done().json();
        assert_eq!(settings["Schema_ID"], "Image.json");
        let microscope =
            fairzarr(&["extract", text(store), "--as", "micro-meta", "--index", "1"]).done().json();
        assert_eq!(microscope["Schema_ID"], "Instrument.json");
        let record = fairzarr(&["extract", text(store), "--as", "nbo-json"]).done();
        let file = directory.path().join("record.json");
        std::fs::write(&file, &record.out).unwrap();
        fairzarr(&["check", text(&file), "--tier", "3", "--json"]);
        let methods = fairzarr(&["methods", text(store), "--as", "markdown"]).done().text();
        // The document's image has other sizes and channels: what it was taken with is said of no image of the store.
        assert!(methods.contains("cells\\_01") && !methods.contains("Axio Observer"), "{methods}");
    }
    // Again is the same as once.
    let once = tree(&embedded);
    fairzarr(&args).done();
    assert_eq!(attributes(&embedded, "")["nbo:record"], {
        let document: Value = serde_json::from_slice(&once["zarr.json"]).unwrap();
        document["attributes"]["nbo:record"].clone()
    });
    fairzarr(&["embed", text(&embedded), "--remove"]).done();
    same(&tree(&embedded), &before);
    fairzarr(&["embed", text(&embedded), "--remove"]).ends_with(2);
}

#[test]
fn what_lies_beside_the_image_is_used_only_if_asked() {
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    for (file, name) in
        [("abif_axiovert1_.json", "scope.json"), ("derived_settings_axiovert1.json", "shot.json")]
    {
        std::fs::copy(data(file), directory.path().join(name)).unwrap();
    }
    std::fs::write(directory.path().join("other.json"), "{\"a\": 1}").unwrap();
    let (plain, used) = (directory.path().join("plain.zarr"), directory.path().join("used.zarr"));
    let told = convert(&source, &plain, &[]).done().err;
    assert!(told.contains("scope.json seems") && told.contains("shot.json seems"), "{told}");
    assert!(!told.contains("other.json"), "{told}");
    assert_eq!(attributes(&plain, "")["nbo:sources"].as_array().unwrap().len(), 1);
    convert(&source, &used, &["--sidecars", "auto"]).done();
    assert_eq!(attributes(&used, "")["nbo:sources"].as_array().unwrap().len(), 3);
}

#[test]
fn documents_are_part_of_the_plan() {
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    let [store, other] = ["a.zarr", "b.zarr"].map(|name| directory.path().join(name));
    let (microscope, qc) = (data("abif_axiovert1_.json"), data("psf-beads.yaml"));
    let said = ["--nbo", text(&microscope), "--policy", "baseline"];
    convert(&source, &other, &said).done();
    let step = |args: &[&str]| fairzarr(&[&args[..1], &[text(&source), text(&store)], &args[1..]].concat());
    step(&[&["plan"], &said[..]].concat()).done();
    step(&["run", "--task", "1/1"]).done();
    // What is given now is not what the plan says; without it the plan's documents are used.
    let refused = step(&["commit", "--nbo", text(&qc)]).ends_with(8);
    assert!(refused.err.contains("other documents"), "{}", refused.err);
    step(&["commit"]).done();
    same(&tree(&store), &tree(&other));
    // A conversion that is resumed is the same conversion, documents and all.
    std::fs::remove_dir_all(&store).unwrap();
    step(&[&["plan"], &said[..]].concat()).done();
    let refused = convert(&source, &store, &["--resume"]).ends_with(8);
    assert!(refused.err.contains("other documents or another policy"), "{}", refused.err);
    convert(&source, &store, &[&["--resume"], &said[..]].concat()).done();
    same(&tree(&store), &tree(&other));
}

#[test]
fn a_policy_refuses_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    let store = directory.path().join("a.zarr");
    let policy = ["--policy", "materials-and-methods", "--policy-level"];
    let refused = convert(&source, &store, &[policy[0], policy[1], policy[2], "refuse"]).ends_with(13);
    assert!(refused.err.contains("nothing was written"), "{}", refused.err);
    // Findings are told by the part that they are about, not by the way to it through the record.
    assert!(!refused.err.contains("/Image"), "{}", refused.err);
    assert!(!store.exists() || tree(&store).is_empty());
    let warned = convert(&source, &store, &[policy[0], policy[1], policy[2], "warn"]).done();
    assert!(warned.err.contains("falls short"), "{}", warned.err);
    assert!(attributes(&store, "")["nbo:coverage"][0]["errors"].as_u64().unwrap() > 0);
    for path in [&source, &store] {
        let checked = fairzarr(&["check", text(path), "--policy", "materials-and-methods"]).ends_with(1);
        assert!(checked.text().contains("does not pass"), "{}", checked.text());
    }
    convert(&source, &store, &["--overwrite", "--policy", "none-such"]).ends_with(2);
    convert(&source, &store, &["--overwrite", "--nbo", text(&source)]).ends_with(3);
}

#[test]
fn calibration_maps_lie_in_arrays_and_come_back() {
    let mut cells = String::new();
    for row in 0..9 {
        write!(cells, "<NBO:Row RowNr=\"{row}\">").unwrap();
        for cell in 0..8 {
            write!(
                cells,
                "<NBO:Cell CellNr=\"{cell}\" CellValue=\"{}.5\" CellValueUnit=\"e-\"/>",
                row * 8 + cell
            )
            .unwrap();
        }
        cells.push_str("</NBO:Row>");
    }
    let xml = format!(
        "<NBO:OME xmlns:NBO=\"http://www.NamespaceTest.org/Schemas/NBO/2020-11\"><NBO:Image ID=\"Image:1\"><NBO:DetectorCalibration ID=\"DetectorCalibration:1\" Date=\"2024-01-15\"><NBO:CalibrationMap MetricType=\"Gain\">{cells}</NBO:CalibrationMap></NBO:DetectorCalibration></NBO:Image></NBO:OME>"
    );
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    let map = directory.path().join("map.xml");
    std::fs::write(&map, xml).unwrap();
    for version in ["0.4", "0.5"] {
        let store = directory.path().join(format!("{version}.zarr"));
        convert(&source, &store, &["--ngff", version, "--nbo", text(&map)]).done();
        assert!(store.join("OME/calibration/0").is_dir());
        assert!(all(&attributes(&store, "")["nbo:record"], "Cell").is_empty());
        let out = fairzarr(&["extract", text(&store), "--as", "nbo-xml"]).done().text();
        assert!(out.contains("CellValue=\"71.5\""), "{out}");
        fairzarr(&["verify", text(&store)]).done();
    }
}

#[test]
fn a_plate_with_everything_said_about_it() {
    let plate = Plate { wells: 4, fields: 9 };
    let directory = tempfile::tempdir().unwrap();
    let [source, said, store] =
        ["plate.ome.tiff", "plate.xml", "plate.zarr"].map(|name| directory.path().join(name));
    tiff(&source, &plate.ome(), 4 * plate.images());
    std::fs::write(&said, plate.nbo()).unwrap();
    convert(&source, &store, &["--nbo", text(&said)]).done();
    let size = |group: &str| {
        let attributes = attributes(&store, group);
        let ours = attributes.as_object().unwrap().iter().filter(|(key, _)| key.starts_with("nbo:"));
        ours.map(|(_, value)| value.to_string().len()).sum::<usize>()
    };
    for image in ["A/1/0", "A/4/8"] {
        assert!((2000..10_000).contains(&size(image)), "{} bytes", size(image));
    }
    assert!(size("") < 64_000, "{} bytes", size(""));
    let qc = fairzarr(&["qc", text(&store), "--json"]).done().json();
    assert_eq!(qc["qc"]["images"][0]["count"], 36);
    let record = fairzarr(&["extract", text(&store), "--as", "nbo-json"]).done().json();
    assert_eq!(all(&record, "ExcitationCalibration").len(), 4 * 36);
    // Embedding more reads what images share, and writes it again.
    let images = ["A/1/0", "A/4/8"].map(|image| attributes(&store, image)["nbo:record"].clone());
    fairzarr(&["embed", text(&store), "--nbo", text(&data("abif_axiovert1_.json"))]).done();
    assert_eq!(images, ["A/1/0", "A/4/8"].map(|image| attributes(&store, image)["nbo:record"].clone()));
    fairzarr(&["verify", text(&store)]).done();
}
