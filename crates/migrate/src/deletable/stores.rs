//! The other side of the proof: the stores that stand for files, read again.

use fairzarr::digest::FileAlgorithm;
use fairzarr::ome_zarr::{self, Conversion};
use fairzarr::store::{Location, Store, StoreOptions};
use fairzarr::task::Job;
use fairzarr::verify::{Options, verify_store};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

use crate::Error;
use crate::attempt::not_carried;
use crate::error::chain;
use crate::identity::identity;
use crate::side_by_side::side_by_side;
use crate::state::{Dataset, DatasetState};

/// What a store that holds what it recorded says of its source.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// SHA-256 of the files and documents that it was made from.
    pub(super) files: HashSet<String>,
    /// What it does not hold of them, in words.
    pub(super) not_carried: Vec<String>,
}

/// What each dataset's store holds, or why the dataset does not stand for its files. `since` are doubts that are known already.
pub(super) fn held(
    datasets: &HashMap<i64, Dataset>,
    since: &HashMap<i64, String>,
    target: &Location,
    options: &StoreOptions,
    complete: bool,
    job: &Job,
) -> Result<HashMap<i64, Result<Held, String>>, Error> {
    let all: Vec<&Dataset> = datasets.values().collect();
    let alone = job.next_step().with_threads(Some(1)).with_memory(job.memory / job.cores().max(1) as u64);
    let look = |dataset: &&Dataset| {
        let one = match since.get(&dataset.id) {
            Some(doubt) if dataset.state == DatasetState::Done => Err(doubt.clone()),
            _ => of(dataset, target, options, &alone.next_step()),
        };
        let one = one.and_then(|held| match held.not_carried.first() {
            Some(first) if complete => Err(format!("not all of it is carried: {first}")),
            _ => Ok(held),
        });
        (dataset.id, one)
    };
    Ok(side_by_side(&all, job, |dataset| dataset.target.clone(), look)?.into_iter().collect())
}

fn of(dataset: &Dataset, target: &Location, options: &StoreOptions, job: &Job) -> Result<Held, String> {
    if dataset.state != DatasetState::Done {
        let class = dataset.class.map_or(String::new(), |class| format!(", {class}"));
        return Err(format!("dataset {} is {}{class}", dataset.path, dataset.state.name()));
    }
    let at = |said: String| format!("the store at {}{said}", dataset.target);
    let place = target.join(&dataset.target);
    if place.as_path().is_some_and(|path| !path.is_dir()) {
        return Err(at(" is not there".into()));
    }
    let store = Store::open(&place, options).map_err(|error| at(format!(": {}", chain(&error))))?;
    let found = identity(&store).map_err(|failure| at(format!(": {}", failure.cause)))?;
    let found = found.ok_or_else(|| at(" is not there, or has no manifest".into()))?;
    if !dataset.digest.as_ref().is_some_and(|proved| found.continues(proved)) {
        return Err(at(" is not the one that was proved".into()));
    }
    let report = verify_store(&store, &Options::default(), job)
        .map_err(|error| at(format!(" cannot be proved again: {}", chain(&error))))?;
    if let Some(difference) = report.checks.iter().flat_map(|check| &check.differences).next() {
        return Err(at(format!(" is not as it was proved: {difference}")));
    }
    let root = ome_zarr::attributes(&store, "").map_err(|error| at(format!(": {}", chain(&error))))?;
    let root = root.unwrap_or_default();
    if Conversion::of(&root).is_some_and(Conversion::is_part) {
        return Err(at(" holds a part of it alone".into()));
    }
    let mut held = Held { not_carried: not_carried(&root), ..Held::default() };
    let files = Conversion::of(&root).into_iter().flat_map(Conversion::files);
    let checksums = files.filter_map(|file| file.checksum);
    held.files.extend(
        checksums
            .filter(|(algorithm, _)| *algorithm == FileAlgorithm::Sha256.name())
            .map(|(_, value)| value.to_ascii_lowercase()),
    );
    let documents = ome_zarr::recorded(&root);
    // A document that is kept as edits of another one is held too, by the digest of what they make.
    let digests = documents
        .iter()
        .flat_map(|document| [Some(document), document.get("restored")])
        .filter_map(|document| document?.get("sha256").and_then(Value::as_str));
    held.files.extend(digests.map(str::to_ascii_lowercase));
    Ok(held)
}
