//! The proofs of documents: every distinct OME-XML of the source is in the store byte for byte, and every recorded document has
//! its recorded digest.

use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::{Hierarchy, StoredDocument, keys, sha256, sources};
use fairzarr_store::Store;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::error::Error;
use crate::report::{Check, Difference, Differences, Proof};

/// Compares by SHA-256, whatever the documents are called in the store.
pub(crate) fn compare(source: &Fileset, store: &Store) -> Result<Check, Error> {
    let mut stored = BTreeMap::new();
    let keys: Vec<String> = match store.list_if_allowed(keys::SOURCES)? {
        Some(found) => found.into_iter().map(|(key, _)| key).collect(),
        None => sources(store)?.into_iter().map(|document| document.key).collect(),
    };
    for key in keys {
        match (StoredDocument { key: key.clone(), sha256: None }).read(store) {
            Ok(bytes) => drop(stored.insert(sha256(&bytes), key)),
            Err(error @ fairzarr_ome_zarr::Error::Store(_)) => return Err(error.into()),
            // What is missing or damaged is none of the source's documents.
            Err(_) => {}
        }
    }
    let mut differences = Vec::new();
    for (number, document) in source.sources().iter().enumerate() {
        let bytes = source.source_bytes(number).unwrap_or_default();
        let digest = sha256(&bytes);
        if !stored.contains_key(&digest) {
            differences.push(Difference {
                place: format!("{} of {}", document.role, document.name),
                expected: format!("{} bytes with SHA-256 {digest} under OME/sources", bytes.len()),
                found: match stored.len() {
                    0 => "no documents there".into(),
                    n => format!("{n} other documents"),
                },
            });
        }
    }
    let covered = format!("{} source documents by SHA-256", source.sources().len());
    Ok(Check::new(Proof::Documents, covered, differences))
}

/// The documents that were recorded are there, with their SHA-256.
pub(crate) fn recorded(hierarchy: &Hierarchy) -> Result<Check, Error> {
    let recorded = fairzarr_ome_zarr::recorded(hierarchy.root());
    let mut differences = Differences::new("places");
    for source in &recorded {
        let text = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default();
        let found = match hierarchy.store().get(text("path"))? {
            Some(bytes) => sha256(&bytes),
            None => "nothing".to_owned(),
        };
        if found != text("sha256") {
            differences.add(Difference::new(text("path"), text("sha256"), found));
            continue;
        }
        // Those that are kept as edits of another one have to come back.
        match (StoredDocument { key: text("path").to_owned(), sha256: None }).read(hierarchy.store()) {
            Ok(document) => {
                // What is kept as edits is recorded by what it makes too.
                let recorded = source
                    .get("restored")
                    .map(|of| of.get("sha256").and_then(Value::as_str).unwrap_or_default());
                let found = sha256(&document);
                if let Some(recorded) = recorded.filter(|recorded| *recorded != found) {
                    differences.add(Difference::new(format!("{}, restored", text("path")), recorded, found));
                }
            }
            Err(error @ fairzarr_ome_zarr::Error::Store(_)) => return Err(error.into()),
            Err(error) => differences.add(Difference::new(text("path"), "a document", error.to_string())),
        }
    }
    let covered = format!("{} recorded documents by SHA-256", recorded.len());
    Ok(Check::new(Proof::Documents, covered, differences.finish()))
}
