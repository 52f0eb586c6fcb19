//! Records that are embedded in stores, our own and those of others, and taken out again.

use fairzarr_nbo::ingest::{self, Form};
use fairzarr_nbo::{Record, xml};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

use super::{attributes, convert, data, fairzarr, image, same, text, tree};

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
