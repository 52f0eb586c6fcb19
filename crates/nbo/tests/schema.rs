//! What is written fits the published schemas, and the published context is the one that is written.

#![allow(clippy::unwrap_used)]

use fairzarr_nbo::check::{Policy, check};
use fairzarr_nbo::ingest::ingest;
use fairzarr_nbo::placement::{self, Images, Placement};
use fairzarr_nbo::{Record, merge};
use serde_json::{Map, Value as Json};

fn file(path: &str) -> Json {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn schema(name: &str) -> Json {
    file(&format!("../../docs/schemas/{name}"))
}

fn documents() -> Vec<(String, Vec<u8>)> {
    let folder = format!("{}/tests/data", env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in [folder.clone(), format!("{folder}/ome")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && path.extension().is_some_and(|e| e != "md") {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found
}

fn assert_valid(validator: &jsonschema::Validator, json: &Json, what: &str) {
    let errors: Vec<_> = validator.iter_errors(json).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

#[test]
fn attributes_fit_the_schemas() {
    let [record, sources, qc] = ["nbo-record.schema.json", "nbo-sources.schema.json", "nbo-qc.schema.json"]
        .map(|name| jsonschema::validator_for(&schema(name)).unwrap());
    let documents = documents();
    assert!(documents.len() > 15);
    for (name, bytes) in documents {
        let read = ingest(&name, &bytes).unwrap();
        assert_valid(&record, &read.to_json(), &name);
        let report = check(&read, &Policy::builtin("baseline").unwrap());
        let root = placement::root_attributes(&read, &[report]);
        fits(&record, &sources, &qc, &root, &name);
        let images = read.objects.iter().filter(|o| o.class == "Image").count();
        let mut held = read.clone();
        held.in_store = Some((0..images).map(Some).collect());
        assert_valid(&record, &held.to_json(), &name);
        let placement = Placement::new(&held, Images::InGroups);
        fits(&record, &sources, &qc, &placement.root(&[]), &name);
        for image in 0..images {
            fits(&record, &sources, &qc, &placement.image(image, ".."), &name);
        }
        let (merged, _) = merge::merge(read.clone(), read);
        assert_valid(&record, &merged.to_json(), &name);
    }
}

fn fits(
    record: &jsonschema::Validator,
    sources: &jsonschema::Validator,
    qc: &jsonschema::Validator,
    attributes: &Map<String, Json>,
    name: &str,
) {
    for (key, validator) in [("nbo:record", record), ("nbo:sources", sources), ("nbo:qc", qc)] {
        if let Some(value) = attributes.get(key) {
            assert_valid(validator, value, &format!("{name} {key}"));
        }
    }
    assert_eq!(attributes["zarr_conventions"][0]["uuid"], placement::CONVENTION_UUID);
}

#[test]
fn the_context_is_published() {
    assert_eq!(schema("nbo-context.jsonld")["@context"], Record::context());
}

#[test]
fn policies_fit_their_schema() {
    let validator = jsonschema::validator_for(&schema("nbo-policy.schema.json")).unwrap();
    for name in Policy::builtin_names() {
        assert_valid(&validator, &file(&format!("policies/{name}.json")), name);
    }
}

/// The policy that the documentation shows.
#[test]
fn the_policy_of_the_documentation_is_one() {
    let path = format!("{}/../../docs/provenance.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(path).unwrap();
    let block = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let validator = jsonschema::validator_for(&schema("nbo-policy.schema.json")).unwrap();
    assert_valid(&validator, &serde_json::from_str(block).unwrap(), "docs/provenance.md");
    let policy = Policy::from_json(block).unwrap();
    let record = ingest(
        "a.ome.xml",
        br#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:1"/></OME>"#,
    );
    let report = check(&record.unwrap(), &policy);
    let policy_finds = |field: &str| report.findings.iter().any(|f| f.field == field);
    for demanded in
        ["Objective@WorkingDistance", "Sample", "AcquisitionDate", "OpticalCalibration within 180 days"]
    {
        assert!(policy_finds(demanded), "{demanded}: {:#?}", report.findings);
    }
    assert!(Policy::from_json(&block.replace("\"qc\"", "\"quality\"")).is_err());
}
