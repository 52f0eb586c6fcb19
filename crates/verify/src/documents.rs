//! The document proof: every distinct OME-XML of the source lies in the store byte for byte.

use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

use crate::Error;
use crate::report::{Check, Difference};

/// Compares by SHA-256, whatever the documents are called in the store.
pub(crate) fn compare(source: &Fileset, store: &Store) -> Result<Check, Error> {
    let mut stored = BTreeMap::new();
    for (key, _) in store.list("OME/sources")? {
        if let Some(bytes) = store.get(&key)? {
            stored.insert(Sha256::digest(&bytes), key);
        }
    }
    let mut differences = Vec::new();
    for document in source.sources() {
        let digest = Sha256::digest(&document.bytes);
        if !stored.contains_key(&digest) {
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            differences.push(Difference {
                place: format!("{} of {}", document.role, document.name),
                expected: format!("{} bytes with SHA-256 {hex} under OME/sources", document.bytes.len()),
                found: match stored.len() {
                    0 => "no documents there".into(),
                    n => format!("{n} other documents"),
                },
            });
        }
    }
    let covered = format!("{} source documents by SHA-256", source.sources().len());
    Ok(Check { name: "documents", covered, differences })
}
