#![no_main]

use fairzarr_fuzz::provenance;
use fairzarr_nbo::check::{Policy, check};
use fairzarr_nbo::ingest::{Mapping, ingest, ingest_mapped};
use fairzarr_nbo::{Record, placement};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

// The first byte tells the reader, as the caller's choice does. What a record of any origin is written as reads as that record.
fuzz_target!(init: provenance::write(), |data: &[u8]| {
    let Some((reader, document)) = data.split_first() else { return };
    let text = std::str::from_utf8(document).ok();
    match *reader {
        b'p' => {
            if let Some(Ok(policy)) = text.map(Policy::from_json) {
                let _ = check(&Record::default(), &policy);
            }
        }
        b'm' => {
            if let Some(Ok(mapping)) = text.map(Mapping::from_json) {
                let _ = ingest_mapped("table.csv", b"a,b\n1,2\nx,\"y\n", &mapping);
                let _ = ingest_mapped("table.json", br#"[{"a": 1, "b": {"c": "x"}}]"#, &mapping);
            }
        }
        b'a' => {
            let Some(Ok(root)) = text.map(serde_json::from_str::<Map<String, Value>>) else { return };
            let _ = placement::read_index(&root);
            if let Ok(stored) = placement::read(&root, [&root, &Map::new()]) {
                written(&stored.record);
            }
        }
        _ => {
            if let Ok(record) = ingest("document", document) {
                for policy in Policy::builtin_names().filter_map(Policy::builtin).take(2) {
                    let _ = check(&record, &policy);
                }
                written(&record);
            }
        }
    }
});

/// A record that is written reads as itself.
fn written(record: &Record) {
    let again = Record::from_json(&record.to_json()).expect("a record that has been written");
    assert_eq!(again.to_json(), record.to_json());
}
