//! The proof of everything that is no chunk of an image: the objects that the store's manifest lists, against their digests.

use fairzarr_ome_zarr::{Comparison, Hierarchy, Manifest, RecordedObject, keys};
use fairzarr_store::{Class, Store};
use fairzarr_task::{Job, in_order};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::report::{Check, Difference, Differences, Proof};

/// Objects between two looks at whether the caller still wants an answer.
const BATCH: usize = 256;
/// Notes that are listed; the others are counted.
const LISTED: usize = 20;

/// What nothing but the manifest speaks for, where the source is at hand.
pub(crate) const WITH_SOURCE: &str = "the record of the conversion";
/// And where it is not.
pub(crate) const WITHOUT_SOURCE: &str = "TIFF tags and the record of the conversion";

/// Compares every listed object, and looks for others. `rests` is what no other proof speaks for.
pub(crate) fn check(hierarchy: &Hierarchy, rests: &str, job: &Job) -> Result<Check, Error> {
    let mut differences = Differences::new("objects");
    let is_changing = match hierarchy.store().exists(keys::CHANGING) {
        // Who may not list a public bucket is told that of what is not there.
        Err(error) if error.class() == Class::Permission => false,
        other => other?,
    };
    if is_changing {
        let expected = "no change of documents that was begun and not finished";
        differences.add(Difference::new(keys::CHANGING, expected, "one"));
    }
    let manifest = match manifest(hierarchy, &mut differences)? {
        Some(manifest) => manifest,
        None if differences.is_empty() => return Ok(none_recorded(hierarchy)),
        None => return Ok(Check::new(Proof::Manifest, "nothing", differences.finish())),
    };
    let store = hierarchy.store();
    let mut notes = embedded_over(hierarchy);
    let mut arrays = BTreeSet::new();
    let objects: Vec<(&String, &RecordedObject)> = manifest.objects().iter().collect();
    for batch in objects.chunks(BATCH) {
        job.cancel.check()?;
        for found in in_order(batch.to_vec(), store.at_once(), |(key, recorded)| look(store, key, recorded))?
        {
            let (key, recorded) = (found.key, found.recorded);
            arrays.extend(found.array);
            match found.comparison {
                Some(Comparison::Same) => {}
                Some(Comparison::Rewritten) => {
                    notes.push(format!("{key} was written anew, with the same values"));
                }
                Some(_) => {
                    let expected = format!("what was recorded, SHA-256 {}", recorded.sha256());
                    differences.add(Difference::new(key, expected, "something else"));
                }
                None => {
                    let expected = format!("an object of {} bytes", recorded.size);
                    differences.add(Difference::new(key, expected, "nothing"));
                }
            }
        }
    }
    let mut extra = Extra { manifest: &manifest, arrays, notes: BTreeMap::new(), differences };
    extra.look(hierarchy, job)?;
    let Extra { notes: others, differences, .. } = extra;
    notes.extend(others.into_iter().map(|(place, count)| match count {
        0 => format!("{place} is no part of what was recorded"),
        1 => format!("{place}/ with 1 object is no part of what was recorded"),
        n => format!("{place}/ with {n} objects is no part of what was recorded"),
    }));
    if notes.len() > LISTED {
        let more = notes.len() - LISTED;
        notes.truncate(LISTED);
        notes.push(format!("{more} more objects that were written anew or added"));
    }
    let covered = format!("{} objects beside the images by SHA-256; {rests}: by it alone", objects.len());
    Ok(Check { notes, ..Check::new(Proof::Manifest, covered, differences.finish()) })
}

/// The manifest, where it is the one that the root names; differences where one was recorded and is not there as it was.
fn manifest(hierarchy: &Hierarchy, differences: &mut Differences) -> Result<Option<Manifest>, Error> {
    let named = hierarchy.root().get(keys::MANIFEST_MEMBER);
    let recorded = hierarchy.conversion().is_some_and(|conversion| conversion.has_manifest());
    let found = match Manifest::read(hierarchy.store()) {
        Ok(found) => found,
        Err(error @ fairzarr_ome_zarr::Error::Store(_)) => return Err(error.into()),
        Err(error) => {
            differences.add(Difference::new(keys::MANIFEST, "the manifest", error.to_string()));
            return Ok(None);
        }
    };
    match &found {
        None if named.is_some() || recorded => {
            differences.add(Difference::new(keys::MANIFEST, "the manifest that was recorded", "nothing"));
        }
        None => {}
        Some(found) => {
            // The whole member: it alone is left out of what the manifest says of the root.
            let expected = json!({"path": keys::MANIFEST, "sha256": found.digest()});
            if named != Some(&expected) {
                let found = named.map_or_else(|| "nothing".to_owned(), Value::to_string);
                let place = format!("{} of the root", keys::MANIFEST_MEMBER);
                differences.add(Difference::new(place, expected.to_string(), found));
            }
        }
    }
    Ok(found)
}

fn none_recorded(hierarchy: &Hierarchy) -> Check {
    let mut check = Check::new(Proof::Manifest, "nothing: no manifest was recorded", Vec::new());
    if hierarchy.conversion().is_some() {
        check.notes.push(
            "the store was made by a version that recorded no manifest: of its metadata, only what other proofs cover is proved"
                .into(),
        );
    }
    check
}

/// Documents that others had changed before something was embedded in them: the manifest has vouched for them since.
fn embedded_over(hierarchy: &Hierarchy) -> Vec<String> {
    let history = hierarchy.root().get(keys::HISTORY).and_then(Value::as_array);
    let events = history.into_iter().flatten().filter_map(|event| event.get("not_as_recorded")?.as_array());
    let documents = events.flatten().filter_map(Value::as_str);
    documents
        .map(|key| format!("{key} had been changed by others before something was embedded in it"))
        .collect()
}

/// One object as it was found.
struct Found<'m> {
    key: &'m str,
    recorded: &'m RecordedObject,
    /// `None` where there is nothing.
    comparison: Option<Comparison>,
    /// The path of the array that it declares.
    array: Option<&'m str>,
}

fn look<'m>(store: &Store, key: &'m str, recorded: &'m RecordedObject) -> Result<Found<'m>, Error> {
    let bytes = match store.probe(key) {
        // A manifest that was changed can name what no store can hold.
        Err(error) if error.class() == Class::Usage => None,
        other => other?,
    };
    let comparison = bytes.as_ref().map(|bytes| recorded.compare(key, bytes));
    let (path, name) = key.rsplit_once('/').unwrap_or(("", key));
    let is_array = |bytes: &[u8]| {
        name == ".zarray"
            || name == "zarr.json"
                && serde_json::from_slice::<Value>(bytes)
                    .is_ok_and(|document| document.get("node_type").and_then(Value::as_str) == Some("array"))
    };
    let array = bytes.is_some_and(|bytes| is_array(&bytes)).then_some(path);
    Ok(Found { key, recorded, comparison, array })
}

/// Documents that make a place a node of the hierarchy.
const DOCUMENTS: [&str; 5] = ["zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata"];

/// Looks for what the manifest does not list.
struct Extra<'m> {
    manifest: &'m Manifest,
    arrays: BTreeSet<&'m str>,
    /// Objects that change no reading: a key with 0, or a folder with the number of its objects.
    notes: BTreeMap<String, u64>,
    differences: Differences,
}

impl Extra<'_> {
    /// Everything but what lies in arrays of images, which is the matter of another proof. Where a place cannot list, nothing
    /// is found.
    fn look(&mut self, hierarchy: &Hierarchy, job: &Job) -> Result<(), Error> {
        let store = hierarchy.store();
        let of_images: BTreeSet<String> = hierarchy
            .images()
            .iter()
            .flat_map(|image| {
                (0..image.multiscale.datasets.len()).filter_map(|level| image.array_path(level))
            })
            .collect();
        let Some(of_ome) = store.list_if_allowed(keys::OME)? else { return Ok(()) };
        for (key, _) in &of_ome {
            self.object(key);
        }
        let mut folders = vec![String::new()];
        while !folders.is_empty() {
            job.cancel.check()?;
            let children = in_order(folders, store.at_once(), |folder| {
                let children = store.list_children(&folder)?;
                Ok::<_, Error>((folder, children))
            })?;
            folders = Vec::new();
            for (folder, children) in children {
                children.objects.iter().for_each(|(name, _)| self.object(&keys::join(&folder, name)));
                let below = children.directories.iter().map(|name| keys::join(&folder, name));
                folders.extend(below.filter(|path| path != keys::OME && !of_images.contains(path)));
            }
        }
        Ok(())
    }

    fn object(&mut self, key: &str) {
        let listed = self.manifest.objects();
        if key == keys::MANIFEST || listed.contains_key(key) {
            return;
        }
        let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
        if let Some(array) = above(key).find(|path| self.arrays.contains(path)) {
            let place = format!("{key} in the array {array}");
            self.differences.add(Difference::new(place, "nothing", "an object that was not recorded"));
        } else if DOCUMENTS.contains(&name) && self.is_node(folder) {
            let found = "a document that was not recorded";
            self.differences.add(Difference::new(key, "nothing", found));
        } else {
            // Of a folder that is not the store's, its first name says enough.
            let top = above(key).filter(|path| !path.is_empty() && !self.has_below(path)).last();
            let count = self.notes.entry(top.unwrap_or(key).to_owned()).or_default();
            *count += u64::from(top.is_some());
        }
    }

    /// Whether the manifest knows a group or an array there.
    fn is_node(&self, path: &str) -> bool {
        DOCUMENTS.iter().any(|name| self.manifest.objects().contains_key(&keys::join(path, name)))
    }

    fn has_below(&self, path: &str) -> bool {
        let start = format!("{path}/");
        self.manifest.objects().range(start.clone()..).next().is_some_and(|(key, _)| key.starts_with(&start))
    }
}

/// The folders that an object is in, the nearest first, the root apart.
fn above(key: &str) -> impl Iterator<Item = &str> {
    key.rmatch_indices('/').map(|(at, _)| &key[..at])
}
