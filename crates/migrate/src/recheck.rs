//! Proving the stores of a migration again, with their sources or without them.

use fairzarr::store::{Location, Store, StoreOptions};
use fairzarr::task::Job;
use fairzarr::verify::{Options, opening, verify, verify_store};
use std::collections::HashMap;

use crate::identity::identity;
use crate::side_by_side::side_by_side;
use crate::source::Source;
use crate::state::{Dataset, DatasetState, State};
use crate::{Class, Error, Failure};

/// What proving a store again found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rechecked {
    /// Where the store lies below the target.
    pub target: String,
    /// The file that it was made from, below its source.
    pub path: String,
    /// What is wrong; none where all proofs hold.
    pub failure: Option<Failure>,
}

/// Proves the stores of all datasets that are done, as many at a time as there are cores; `with_sources` compares them with
/// their sources, which have to be there then. The results are in the order of sources and paths. Nothing is recorded.
///
/// # Errors
/// When the state cannot be read or the job is cancelled.
pub fn recheck(
    state: &State,
    target: &Location,
    target_options: &StoreOptions,
    source_options: &StoreOptions,
    with_sources: bool,
    job: &Job,
) -> Result<Vec<Rechecked>, Error> {
    let mut done = state.datasets()?;
    done.retain(|dataset| dataset.state == DatasetState::Done);
    let mut sources = HashMap::new();
    for dataset in done.iter().filter(|_| with_sources) {
        if !sources.contains_key(&dataset.source) {
            sources.insert(dataset.source.clone(), Source::named(&dataset.source, source_options)?);
        }
    }
    job.progress.expect(done.iter().map(|dataset| dataset.bytes as u64).sum());
    let one = job.next_step().with_threads(Some(1));
    let look = |dataset: &Dataset| {
        let source = sources.get(&dataset.source);
        let failure = check(dataset, source, target, target_options, &one).err();
        job.progress.advance(dataset.bytes as u64);
        Rechecked { target: dataset.target.clone(), path: dataset.path.clone(), failure }
    };
    side_by_side(&done, job, |dataset| dataset.target.clone(), look)
}

fn check(
    dataset: &Dataset,
    source: Option<&Source>,
    target: &Location,
    options: &StoreOptions,
    job: &Job,
) -> Result<(), Failure> {
    let store = Store::open(&target.join(&dataset.target), options)?;
    let found = identity(&store)?;
    if let (Some(proved), Some(found)) = (&dataset.digest, &found)
        && !found.continues(proved)
    {
        let cause = format!(
            "the store is another one than was proved: its manifest is {}, and was {proved}",
            found.digest
        );
        return Err(Failure::new(Class::Difference, cause));
    }
    if found.is_none() {
        return Err(Failure::new(Class::Difference, "the store is not there, or has no manifest"));
    }
    let report = match source {
        Some(source) => verify(
            &source.open(&dataset.path, opening(&store))?,
            &store,
            &Options::default(),
            &job.next_step(),
        )?,
        None => verify_store(&store, &Options::default(), &job.next_step())?,
    };
    if report.holds() {
        return Ok(());
    }
    let differences = report.checks.iter().flat_map(|check| &check.differences);
    let listed: Vec<String> = differences.take(3).map(|difference| difference.to_string()).collect();
    Err(Failure::new(Class::Difference, listed.join("; ")))
}
