//! Microscope provenance and quality control through the program.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod pages;
#[path = "../../nbo/tests/support/plate.rs"]
mod plate;

use fairzarr_nbo::ingest::{self, Form};
use fairzarr_nbo::{Record, xml};
use pages::tiff;
use plate::Plate;
use serde_json::{Value, json};
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
fn quality_control_is_asked_of_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    let store = directory.path().join("a.zarr");
    convert(&source, &store, &[]).done();
    let demand = "OpticalCalibration within 90 days";
    let unknown = fairzarr(&["qc", text(&store), "--require", demand]).ends_with(1);
    assert!(!unknown.text().contains("pass"), "{}", unknown.text());
    // A document that names the image, and is of another size and channel: it is of another image, and said so.
    let document = std::fs::read_to_string(data("handmade-widefield-psf-xsdvalid.xml")).unwrap();
    let other = directory.path().join("other.zarr");
    let told =
        convert(&source, &other, &["--nbo", text(&data("handmade-widefield-psf-xsdvalid.xml"))]).done();
    assert!(told.err.contains("another image than Image:0 \"cells_01\": its SizeX is 2048"), "{}", told.err);
    let answer = fairzarr(&["qc", text(&other), "--require", demand]).ends_with(1).text();
    assert!(answer.starts_with("unknown") && answer.contains("not of this store"), "{answer}");
    // The same document about this image.
    let calibrated = directory.path().join("b.zarr");
    let fitting = directory.path().join("fitting.xml");
    let of_this = document
        .replace(r#"SizeX="2048" SizeY="2048""#, r#"SizeX="2" SizeY="2""#)
        .replace(r#"<NBO:Channel ID="Channel:1" Name="GFP""#, r#"<NBO:Channel ID="Channel:1" Name="DAPI""#);
    std::fs::write(&fitting, of_this).unwrap();
    convert(&source, &calibrated, &["--nbo", text(&fitting)]).done();
    let root = attributes(&calibrated, "");
    assert_eq!(
        (&root["nbo:record"]["layout"], &root["nbo:record"]["image"]),
        (&json!(4), &json!({"@id": "#Image:0"}))
    );
    let index = fairzarr(&["qc", text(&calibrated), "--json"]).done().json();
    assert_eq!(index["passes"], Value::Null, "nothing asked is no pass");
    assert!(index["qc"]["events"].as_array().unwrap().iter().any(|e| e["kind"] == "OpticalCalibration"));
    let held: Vec<_> =
        index["qc"]["images"].as_array().unwrap().iter().map(|i| i["inStore"].clone()).collect();
    assert_eq!(held, [json!(true), json!(false)]);
    let verdicts = fairzarr(&["qc", text(&calibrated), "--require", demand, "--json"]).done().json();
    assert_eq!(
        (&verdicts["passes"], &verdicts["answers"][0]["verdicts"][0]["outcome"]),
        (&json!(true), &json!("pass"))
    );
    assert_eq!(verdicts["answers"][0]["notOfThisStore"][0]["image"], "Image:2");
    let misspelt =
        fairzarr(&["qc", text(&calibrated), "--require", "OpticalCalbration within 90 days"]).ends_with(2);
    assert!(misspelt.err.contains("the nearest is OpticalCalibration"), "{}", misspelt.err);
    fairzarr(&["qc", text(&calibrated), "--require", "Optical within 90 days"]).ends_with(2);
    // Results of microscope-metrics name their microscope, and so they count for it.
    fairzarr(&["embed", text(&calibrated), "--qc", text(&data("psf-beads.yaml"))]).done();
    assert_eq!(attributes(&calibrated, "")["nbo:record"]["image"], json!({"@id": "#Image:0"}));
    let index = fairzarr(&["qc", text(&calibrated), "--json"]).done().json();
    let beads: Vec<_> = index["qc"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["channels"] == json!(["DAPI"]) && e["kind"] == "OpticalCalibration")
        .collect();
    assert_eq!(beads.len(), 1, "{index:#}");
    assert!(beads[0]["instrument"].is_string(), "{:#}", beads[0]);
    let demand = "OpticalCalibration in channel DAPI within 90 days and MedianZSpotSize_FWHM <= 650 nm";
    fairzarr(&["qc", text(&calibrated), "--require", demand]).done();
    // A record of an older layout does not say which image is the store's; it began with the image's OME-XML.
    let document = std::fs::read_to_string(calibrated.join("zarr.json")).unwrap();
    let mut json: Value = serde_json::from_str(&document).unwrap();
    let ours = json["attributes"].as_object_mut().unwrap();
    ours["nbo:record"]["layout"] = json!(2);
    ours["nbo:record"].as_object_mut().unwrap().remove("image");
    ours["nbo:qc"] = json!({"events": [], "images": []});
    std::fs::write(calibrated.join("zarr.json"), json.to_string()).unwrap();
    fairzarr(&["qc", text(&calibrated), "--require", demand]).done();
}

#[test]
fn an_image_of_another_programs_store_is_found_by_name_and_size() {
    let directory = tempfile::tempdir().unwrap();
    let document = |name: &str, size: u32| {
        let file = directory.path().join(format!("{name}{size}.xml"));
        let xml = format!(
            r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Instrument ID="Instrument:1"><Objective ID="Objective:1"/></Instrument>
            <Image ID="Image:4" Name="{name}" AcquisitionDate="2024-03-14"><InstrumentRef ID="Instrument:1"/><ObjectiveSettings ID="Objective:1"/>
            <OpticalCalibration ID="OpticalCalibration:1" Date="2024-03-01" MedianXYSpotSize_FWHM="220"/><Pixels ID="Pixels:4" SizeX="{size}"/></Image></OME>"#
        );
        std::fs::write(&file, xml).unwrap();
        file
    };
    let demand = "OpticalCalibration within 30 days";
    for (name, size, code) in [("beads", 2, 0), ("beads", 3, 1), ("cells", 2, 1)] {
        let place = directory.path().join(format!("{name}{size}"));
        let store = &foreign(&place)[0];
        fairzarr(&["embed", text(store), "--qc", text(&document(name, size))]).done();
        let answer = fairzarr(&["qc", text(store), "--require", demand]).ends_with(code).text();
        assert!(answer.starts_with(if code == 0 { "pass" } else { "unknown" }), "{answer}");
        // Once more keeps what is known.
        fairzarr(&["embed", text(store), "--nbo", text(&data("abif_axiovert1_.json"))]).done();
        fairzarr(&["qc", text(store), "--require", demand]).ends_with(code);
    }
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

/// Another program's stores, written as it writes them: compact, or with its own indentation and consolidated
/// metadata.
fn foreign(directory: &Path) -> Vec<PathBuf> {
    let datasets = r#"[{"path":"0","coordinateTransformations":[{"type":"scale","scale":[1.0,1.0]}]}]"#;
    let axes = r#"[{"name":"y","type":"space"},{"name":"x","type":"space"}]"#;
    let put = |path: PathBuf, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let v2 = directory.join("v2.zarr");
    let multiscales = format!(r#"[{{"version":"0.4","name":"beads","axes":{axes},"datasets":{datasets}}}]"#);
    put(v2.join(".zgroup"), "{\n    \"zarr_format\": 2\n}");
    put(v2.join(".zattrs"), &format!("{{\n    \"multiscales\": {multiscales},\n    \"gain\": 1.50\n}}"));
    put(
        v2.join(".zmetadata"),
        &format!(
            r#"{{"metadata": {{".zattrs": {{"multiscales": {multiscales},"gain": 1.50}}, ".zgroup": {{"zarr_format": 2}}}}, "zarr_consolidated_format": 1}}"#
        ),
    );
    put(
        v2.join("0/.zarray"),
        r#"{"zarr_format":2,"shape":[2,2],"chunks":[2,2],"dtype":"|u1","compressor":null,"fill_value":0,"order":"C","filters":null}"#,
    );
    let v3 = directory.join("v3.zarr");
    let image = format!(
        r#"{{"ome":{{"version":"0.5","multiscales":[{{"name":"beads","axes":{axes},"datasets":{datasets}}}]}}}}"#
    );
    let group = |attributes: &str| {
        format!(r#"{{"attributes": {attributes}, "zarr_format": 3, "node_type": "group"}}"#)
    };
    let conventions =
        r#"{"ome":{"version":"0.5","bioformats2raw.layout":3}, "zarr_conventions": [ {"uuid": "other"} ]}"#;
    put(
        v3.join("zarr.json"),
        &format!(
            r#"{{"attributes":{conventions},"zarr_format":3,"consolidated_metadata":{{"kind":"inline","must_understand":false,"metadata":{{"0":{},"1":{}}}}},"node_type":"group"}}"#,
            group(&image),
            group(&image)
        ),
    );
    put(v3.join("0/zarr.json"), &group(&image));
    put(v3.join("1/zarr.json"), &group(&image));
    vec![v2, v3]
}

#[test]
fn stores_of_others_take_a_record_and_lose_it_to_the_byte() {
    let directory = tempfile::tempdir().unwrap();
    for store in foreign(directory.path()) {
        let before = tree(&store);
        fairzarr(&["embed", text(&store), "--nbo", text(&data("abif_axiovert1_.json"))]).done();
        fairzarr(&["embed", text(&store), "--qc", text(&data("handmade-widefield-psf-xsdvalid.xml"))]).done();
        let attributes = attributes(&store, "");
        assert_eq!(attributes["fairzarr:history"].as_array().unwrap().len(), 2);
        assert_eq!(attributes["nbo:sources"].as_array().unwrap().len(), 2);
        if store.join(".zmetadata").exists() {
            let copy: Value =
                serde_json::from_slice(&std::fs::read(store.join(".zmetadata")).unwrap()).unwrap();
            assert_eq!(copy["metadata"][".zattrs"], attributes);
        } else {
            assert_eq!(attributes["zarr_conventions"].as_array().unwrap().len(), 2);
        }
        fairzarr(&["check", text(&store), "--json"]);
        fairzarr(&["embed", text(&store), "--remove"]).done();
        same(&tree(&store), &before);
    }
}

#[test]
fn what_is_embedded_is_consolidated_too_and_goes_without_a_trace() {
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    let row = |row: u8| {
        format!(
            "<NBO:Row RowNr=\"{row}\"><NBO:Cell CellNr=\"0\" CellValue=\"1.5\" CellValueUnit=\"e-\"/></NBO:Row>"
        )
    };
    let cells: String = (0..70).map(row).collect();
    let map = directory.path().join("map.xml");
    let xml = format!(
        "<NBO:OME xmlns:NBO=\"http://www.NamespaceTest.org/Schemas/NBO/2020-11\"><NBO:Image ID=\"Image:1\"><NBO:DetectorCalibration ID=\"DetectorCalibration:1\" Date=\"2024-01-15\"><NBO:CalibrationMap MetricType=\"Gain\">{cells}</NBO:CalibrationMap></NBO:DetectorCalibration></NBO:Image></NBO:OME>"
    );
    std::fs::write(&map, xml).unwrap();
    for version in ["0.4", "0.5"] {
        let store = directory.path().join(format!("{version}.zarr"));
        convert(&source, &store, &["--ngff", version, "--layout", "bioformats2raw"]).done();
        let before = tree(&store);
        for sidecar in [&map, &data("abif_axiovert1_.json")] {
            fairzarr(&["embed", text(&store), "--nbo", text(sidecar)]).done();
            let verdict = fairzarr(&["validate", text(&store), "--json"]).done().json();
            assert_eq!(verdict["findings"], json!([]));
        }
        assert!(store.join("OME/calibration/0").is_dir());
        let (document, copy) = match version {
            "0.4" => (".zmetadata", "/metadata/OME~1calibration~10~1.zarray"),
            _ => ("zarr.json", "/consolidated_metadata/metadata/OME~1calibration~10"),
        };
        let document: Value = serde_json::from_slice(&std::fs::read(store.join(document)).unwrap()).unwrap();
        assert!(document.pointer(copy).is_some());
        fairzarr(&["embed", text(&store), "--remove"]).done();
        same(&tree(&store), &before);
    }
}

/// An OME-Zarr that says nothing but the names of its images.
fn bare(store: &Path, names: &[String]) {
    let group = |path: PathBuf, ome: Value| {
        std::fs::create_dir_all(&path).unwrap();
        let document = json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}});
        std::fs::write(path.join("zarr.json"), document.to_string()).unwrap();
    };
    let image = |name: &String| {
        let datasets =
            json!([{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0]}]}]);
        let axes = json!([{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]);
        json!({"version": "0.5", "multiscales": [{"name": name, "axes": axes, "datasets": datasets}]})
    };
    if let [only] = names {
        return group(store.to_path_buf(), image(only));
    }
    group(store.to_path_buf(), json!({"version": "0.5", "bioformats2raw.layout": 3}));
    for (n, name) in names.iter().enumerate() {
        group(store.join(n.to_string()), image(name));
    }
}

/// What was embedded comes out: the bytes, the record as it was read, and the form that it had.
fn regenerates(store: &Path, file: &Path, out: &Path) {
    let (name, bytes) = (file.display(), std::fs::read(file).unwrap());
    let extract = |form: &str| fairzarr(&["extract", text(store), "--as", form]).done();
    fairzarr(&["extract", text(store), "--as", "original", "--output", text(out)]).done();
    assert_eq!(std::fs::read(out).unwrap(), bytes, "{name}");
    let read = ingest::ingest(text(file), &bytes).unwrap();
    let stored = Record::from_json(&extract("nbo-json").json()).unwrap();
    assert_eq!((stored.objects, stored.extra), (read.objects.clone(), read.extra.clone()), "{name}");
    match ingest::detect(&bytes).unwrap() {
        Form::NboXml => {
            let xml = extract("nbo-xml").text();
            assert!(xml::equal(std::str::from_utf8(&bytes).unwrap(), &xml).unwrap(), "{name}: {xml}");
        }
        Form::MicroMetaMicroscope | Form::MicroMetaSettings => {
            assert_eq!(
                extract("micro-meta").json(),
                serde_json::from_slice::<Value>(&bytes).unwrap(),
                "{name}"
            );
        }
        // What NBO has no fields for is kept whole, and what is neither a microscope nor an image has no Micro-Meta App form.
        Form::Portal => {
            let has_form = ["Instrument", "Image"].iter().any(|class| read.all(class).next().is_some());
            assert!(!has_form || !extract("micro-meta").out.is_empty());
        }
        _ => assert!(!extract("nbo-xml").out.is_empty()),
    }
}

#[test]
fn every_document_of_the_corpus_is_embedded_and_comes_out_again() {
    let Some(corpus) = fairzarr_spec_tests::corpus("nbo") else { return };
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    let files: Vec<_> = tree(&corpus).into_keys().filter(|name| name.contains('/')).collect();
    assert!(files.len() >= 18, "{files:?}");
    for (n, name) in files.iter().enumerate() {
        let file = corpus.join(name);
        // Into stores that say nothing else: one image, and the images that the document names.
        let read = ingest::ingest(name, &std::fs::read(&file).unwrap()).unwrap();
        let named: Vec<String> = read.all("Image").filter_map(|i| i.str("Name")).map(str::to_owned).collect();
        let other = ["unknown".to_owned()];
        for (kind, names) in [("one", &other[..]), ("named", &[&named[..], &other[..]].concat())] {
            let store = directory.path().join(format!("{n}-{kind}.zarr"));
            bare(&store, names);
            let before = tree(&store);
            fairzarr(&["embed", text(&store), "--nbo", text(&file)]).done();
            regenerates(&store, &file, &directory.path().join(format!("{n}-{kind}.out")));
            fairzarr(&["embed", text(&store), "--remove"]).done();
            same(&tree(&store), &before);
        }
        // Into one that was converted, beside what is known already.
        let store = directory.path().join(format!("{n}.zarr"));
        convert(&source, &store, &[]).done();
        let before = tree(&store);
        fairzarr(&["embed", text(&store), "--nbo", text(&file)]).done();
        fairzarr(&["verify", text(&store)]).done();
        let out = directory.path().join(format!("{n}.out"));
        fairzarr(&["extract", text(&store), "--as", "original", "--output", text(&out)]).done();
        assert!(tree(&out).into_values().any(|bytes| bytes == std::fs::read(&file).unwrap()), "{name}");
        fairzarr(&["embed", text(&store), "--remove"]).done();
        same(&tree(&store), &before);
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

#[test]
fn a_record_of_a_newer_layout_is_read_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    let store = directory.path().join("a.zarr");
    convert(&source, &store, &[]).done();
    let document = std::fs::read_to_string(store.join("zarr.json")).unwrap();
    let mut json: Value = serde_json::from_str(&document).unwrap();
    json["attributes"]["nbo:record"]["layout"] = json!(9);
    json["attributes"]["nbo:record"]["novelty"] = json!({"a": 1});
    std::fs::write(store.join("zarr.json"), json.to_string()).unwrap();
    let before = tree(&store);
    let read = fairzarr(&["extract", text(&store), "--as", "nbo-xml"]).done();
    assert!(read.err.contains("newer layout"), "{}", read.err);
    let refused =
        fairzarr(&["embed", text(&store), "--nbo", text(&data("abif_axiovert1_.json"))]).ends_with(2);
    assert!(refused.err.contains("newer layout"), "{}", refused.err);
    same(&tree(&store), &before);
}

#[test]
fn image_quality_is_counted_asked_of_every_channel_and_proven() {
    let directory = tempfile::tempdir().unwrap();
    let source = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/cells.ome.tiff"));
    let store = directory.path().join("cells.zarr");
    // Chunks of 100 columns hold runs of four.
    convert(&source, &store, &["--chunk", "100"]).done();
    let listed = fairzarr(&["qc", text(&store)]).done().text();
    assert!(
        listed.contains("ImageQuality  ") && listed.contains("channel GFP: SaturatedFraction 0"),
        "{listed}"
    );
    let told = fairzarr(&["qc", text(&store), "--json"]).done().json();
    let channels = told["imageQuality"][0]["channels"].as_array().unwrap().clone();
    assert_eq!(
        channels.iter().map(|c| c["channel"].clone()).collect::<Vec<_>>(),
        [json!("DAPI"), json!("GFP")]
    );
    let of = |channel: usize, name: &str| {
        let metrics = channels[channel]["metrics"].as_array().unwrap();
        metrics.iter().find(|m| m["name"] == name).unwrap()["value"].as_f64().unwrap()
    };
    for name in fairzarr_nbo::qc::IMAGE_QUALITY_METRICS {
        let (low, high) = (of(0, name).min(of(1, name)), of(0, name).max(of(1, name)));
        let ask = |demand: String| fairzarr(&["qc", text(&store), "--require", &demand]);
        ask(format!("ImageQuality and {name} >= {low}")).done();
        ask(format!("ImageQuality and {name} <= {high}")).done();
        if low < high {
            let failed = ask(format!("ImageQuality and {name} >= {high}")).ends_with(1).text();
            assert!(failed.starts_with("fail") && failed.contains(&format!("{name} is {low}")), "{failed}");
        }
    }
    let unknown = fairzarr(&["qc", text(&store), "--require", "ImageQuality in channel Cy5"]).ends_with(1);
    assert!(unknown.text().starts_with("unknown"), "{}", unknown.text());
    fairzarr(&["qc", text(&store), "--require", "ImageQuality and FocusScores >= 1"]).ends_with(2);
    for command in [&["verify", text(&source), text(&store)][..], &["verify", text(&store)]] {
        let proven = fairzarr(command).done().text();
        assert!(proven.contains("statistics equal"), "{proven}");
    }
    // What was not looked at is unknown.
    let unseen = directory.path().join("foreign.zarr");
    convert(&source, &unseen, &[]).done();
    let document = unseen.join(told["imageQuality"][0]["path"].as_str().unwrap()).join("zarr.json");
    let mut edited: Value = serde_json::from_slice(&std::fs::read(&document).unwrap()).unwrap();
    edited["attributes"].as_object_mut().unwrap().remove("fairzarr:statistics");
    std::fs::write(&document, edited.to_string()).unwrap();
    let unknown = fairzarr(&["qc", text(&unseen), "--require", "ImageQuality"]).ends_with(1);
    assert!(unknown.text().contains("nothing was counted of this image"), "{}", unknown.text());
}
