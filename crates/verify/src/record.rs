//! The proof of the NBO record: the record, its list of sources, the index of quality control and the coverage, made again from the
//! documents that the store keeps, through every embedding that its history tells of; and the summaries of images, from the
//! attributes that are proved here and elsewhere.

use fairzarr_nbo::merge::StoreImage;
use fairzarr_nbo::placement::{CONVENTION_UUID, CONVENTIONS, KEYS};
use fairzarr_ome_zarr::{Hierarchy, Manifest, attributes, recorded, sha256};
use fairzarr_provenance::{Again, Attributes, Described, ImageAgain, derive_again};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

use crate::error::Error;
use crate::json;
use crate::origin::{Origin, Seen};
use crate::report::{Check, Difference, Differences, Proof};
use crate::summaries;

/// The folder of documents.
const SOURCES: &str = "OME/sources/";

/// Compares every attribute of the convention, in the groups of all images and at the root, and what is said of the documents.
pub(crate) fn check(origin: &Origin, seen: &[Seen], hierarchy: &Hierarchy) -> Result<Check, Error> {
    let mut differences = Differences::new("values");
    let mut notes = Vec::new();
    let documents = documents(hierarchy, &mut differences)?;
    let images = images(origin, seen, hierarchy);
    let document = origin.document.as_ref();
    let described = document.map(|document| Described { document, kept: origin.kept.clone() });
    let values = match derive_again(hierarchy.store(), hierarchy.root(), described, &images) {
        Ok(Again::Attributes(made)) => {
            if let Some(policy) = &made.unknown_policy {
                notes.push(format!("not derived: the coverage by the policy {policy:?}, which this program does not come with"));
            }
            compare(&made, hierarchy, &mut differences)?
        }
        Ok(Again::NotDerived(reason)) => {
            notes
                .push(format!("not derived: the record of the microscope and its quality control: {reason}"));
            0
        }
        Err(error @ fairzarr_provenance::Error::Store(_)) => return Err(error.into()),
        Err(error) => {
            differences.add(Difference::new("the documents of the store", "a record", error.to_string()));
            0
        }
    };
    let summaries = summaries::check(seen, hierarchy, &mut differences)?;
    let mut covered = format!("{values} values of nbo:* made again from {documents} documents");
    if summaries > 0 {
        covered = format!("{covered}, {summaries} of fairzarr:summary from them");
    }
    Ok(Check { notes, ..Check::new(Proof::Record, covered, differences.finish()) })
}

/// How many documents are listed. Each has the size and the digest that are said of it, and the documents of a folder are all listed.
fn documents(hierarchy: &Hierarchy, differences: &mut Differences) -> Result<usize, Error> {
    let store = hierarchy.store();
    let listed = recorded(hierarchy.root());
    let mut paths = BTreeSet::new();
    for entry in &listed {
        let path = entry.get("path").and_then(Value::as_str).unwrap_or_default();
        paths.insert(path.to_owned());
        let Some(bytes) = store.get(path)? else { continue };
        let size = entry.get("bytes").and_then(Value::as_u64);
        if size.is_some_and(|size| size != bytes.len() as u64) {
            let (expected, found) = (bytes.len().to_string(), size.unwrap_or_default().to_string());
            differences.add(Difference::new(format!("size of {path}"), expected, found));
        }
    }
    // What the manifest does not list is an extra object, and said by its proof.
    if let Ok(Some(manifest)) = Manifest::read(store) {
        for key in manifest.objects().keys().filter(|key| key.starts_with(SOURCES)) {
            if !paths.contains(key)
                && let Some(bytes) = store.get(key)?
            {
                let found = format!("a document that nothing names, SHA-256 {}", sha256(&bytes));
                differences.add(Difference::new(key, "nothing", found));
            }
        }
    }
    Ok(listed.len())
}

/// The images, as those who made the record knew them.
fn images(origin: &Origin, seen: &[Seen], hierarchy: &Hierarchy) -> Vec<ImageAgain> {
    let images = hierarchy.images().iter().zip(seen).enumerate();
    let images = images.map(|(n, (image, seen))| {
        let mut stored = StoreImage::new(image.multiscale.name.clone());
        let there =
            ["t", "c", "z", "y", "x"].map(|name| image.multiscale.axes.iter().any(|axis| axis.name == name));
        for ((size, length), is_there) in stored.sizes.iter_mut().zip(seen.lengths).zip(there) {
            *size = is_there.then_some(length);
        }
        let labels =
            image.omero.iter().flat_map(|omero| &omero.channels).map(|channel| channel.label.clone());
        stored.channels = labels.collect();
        let origin = origin.images.get(n);
        ImageAgain {
            path: image.path.clone(),
            described: origin.and_then(|origin| origin.ome_index),
            source: origin.map_or_else(|| stored.clone(), |origin| origin.said.clone()),
            stored,
        }
    });
    images.collect()
}

/// How many values were compared.
fn compare(made: &Attributes, hierarchy: &Hierarchy, differences: &mut Differences) -> Result<usize, Error> {
    let none = Map::new();
    let mut values = 0;
    let below = hierarchy.images().iter().map(|image| image.path.as_str()).filter(|path| !path.is_empty());
    for path in std::iter::once("").chain(below) {
        let group = if path.is_empty() {
            hierarchy.root().clone()
        } else {
            attributes(hierarchy.store(), path)?.unwrap_or_default()
        };
        let expected = made.groups.get(path).unwrap_or(&none);
        let place = if path.is_empty() { "the root" } else { path };
        let mut found = Vec::new();
        for key in KEYS {
            if key == "nbo:coverage" && made.unknown_policy.is_some() {
                continue;
            }
            // As a document has them: numbers that were written and read again.
            let expected =
                expected.get(key).map(|value| serde_json::from_str(&value.to_string()).unwrap_or_default());
            values +=
                json::compare(&format!("{place}, {key}"), expected.as_ref(), group.get(key), &mut found);
        }
        let (expected, stored) = (declared(expected), declared(&group));
        values += json::compare(&format!("{place}, {CONVENTIONS}"), expected, stored, &mut found);
        differences.extend(found);
    }
    Ok(values)
}

/// The entry of the convention.
fn declared(attributes: &Map<String, Value>) -> Option<&Value> {
    let all = attributes.get(CONVENTIONS)?.as_array()?;
    all.iter().find(|entry| entry.get("uuid").and_then(Value::as_str) == Some(CONVENTION_UUID))
}
