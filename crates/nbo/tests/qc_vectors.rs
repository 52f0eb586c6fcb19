//! The answers to demands that others are held to as well: `vectors/qc.json`, which the JavaScript reader answers too.

#![allow(clippy::unwrap_used)]

use fairzarr_nbo::qc::{ImageQuality, Index, Requirement, require_quality};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("vectors/qc.json");

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value[member].as_array().unwrap()
}

fn demand(answer: &Value) -> Requirement {
    answer["demand"].as_str().unwrap().parse().unwrap()
}

#[test]
fn demands_are_answered_as_the_shared_vectors_say() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    for case in list(&vectors, "cases") {
        let index = Index::from_json(&case["index"]).unwrap();
        for answer in list(case, "answers") {
            let demand = demand(answer);
            assert_eq!(json!(index.require(&demand)), answer["verdicts"], "{answer} of {}", case["index"]);
            assert_eq!(json!(index.others(&demand)), answer["others"], "{answer} of {}", case["index"]);
        }
    }
    for case in list(&vectors, "quality") {
        let attributes = &case["attributes"];
        let ome = &attributes["ome"];
        let name = ome["multiscales"][0]["name"].as_str().map(str::to_owned);
        let labels = list(&ome["omero"], "channels").iter().map(|c| c["label"].as_str().unwrap().to_owned());
        let labels: Vec<String> = labels.collect();
        let quality = ImageQuality::read("", name, attributes.get("fairzarr:statistics"), &labels);
        for answer in list(case, "answers") {
            let verdicts = require_quality(std::slice::from_ref(&quality), &demand(answer));
            assert_eq!(json!(verdicts), answer["verdicts"], "{answer} of {attributes}");
        }
    }
    for refused in list(&vectors, "refused") {
        assert!(refused.as_str().unwrap().parse::<Requirement>().is_err(), "{refused}");
    }
}
