//! Which originals are proven whole, so that a person may delete them. Nothing here deletes anything.
//!
//! A file is named only if every dataset that it belongs to is done, the stores of all of them are at their places, are those
//! that were proved, still hold what they recorded, and recorded this very file, which is hashed again now. What came to the
//! sources since then and says more of the dataset keeps its files too.

mod lines;
mod since;
mod stores;

use fairzarr::store::{Location, StoreOptions};
use fairzarr::task::Job;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;

use crate::Error;
use crate::error::chain;
use crate::side_by_side::side_by_side;
use crate::source::Source;
use crate::state::{Dataset, DatasetState, FileOf, State};
use stores::Held;

pub(crate) use lines::place;

/// An original that is proven whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Original {
    /// The source.
    pub source: String,
    /// Below the source; names that are no Unicode are escaped as `\xNN`.
    pub path: String,
    /// Bytes.
    pub bytes: i64,
    /// SHA-256, hexadecimal, of this moment.
    pub sha256: String,
    /// Where the stores that hold it lie below the target.
    pub targets: Vec<String>,
    /// What its datasets hold and the stores do not.
    pub not_carried: Vec<String>,
}

/// A file that is not to be deleted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Kept {
    /// The source.
    pub source: String,
    /// Below the source.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Which originals may go, and which may not.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Deletable {
    /// Those that are proven whole, by whole path.
    pub originals: Vec<Original>,
    /// Those that are not, by whole path.
    pub kept: Vec<Kept>,
}

/// Finds the originals that are proven whole: reads all stores, and hashes all files again. With `complete`, files of datasets
/// of which a page, a level or an attached file is not in the store are kept, though the store says so.
///
/// # Errors
/// When the state cannot be read or the job is cancelled. A file or store that cannot be read is no error: its files are kept.
pub fn deletable(
    state: &State,
    target: &Location,
    target_options: &StoreOptions,
    source_options: &StoreOptions,
    complete: bool,
    job: &Job,
) -> Result<Deletable, Error> {
    let datasets: HashMap<i64, Dataset> =
        state.datasets()?.into_iter().map(|dataset| (dataset.id, dataset)).collect();
    let mut files: BTreeMap<OsString, Vec<FileOf>> = BTreeMap::new();
    // By whole path: sources of several runs may lie within each other.
    for file in state.files()? {
        files.entry(place(&file.source, &file.path)).or_default().push(file);
    }
    let mut sources: HashMap<String, Result<Source, String>> = HashMap::new();
    for file in files.values().flatten() {
        if !sources.contains_key(&file.source) {
            let source = Source::named(&file.source, source_options).map_err(|error| chain(&error));
            sources.insert(file.source.clone(), source);
        }
    }
    let bytes = |of: &Vec<FileOf>| of.first().map_or(0, |file| file.bytes.max(0) as u64);
    job.progress.expect(files.values().map(bytes).sum());
    let since = since::since(state, sources.values().filter_map(|source| source.as_ref().ok()), job)?;
    let judge = Judge {
        held: stores::held(&datasets, &since, target, target_options, complete, job)?,
        datasets: &datasets,
        sources: &sources,
        job,
    };
    let items: Vec<&Vec<FileOf>> = files.values().collect();
    let name = |of: &&Vec<FileOf>| of.first().map_or_else(String::new, |file| file.path.clone());
    let look = |of: &&Vec<FileOf>| {
        let first = of.first()?;
        let (source, path) = (first.source.clone(), first.path.clone());
        let verdict = judge.file(first, of).map_err(|reason| Kept { source, path, reason });
        job.progress.advance(bytes(of));
        Some(verdict)
    };
    let mut deletable = Deletable::default();
    for verdict in side_by_side(&items, job, name, look)?.into_iter().flatten() {
        match verdict {
            Ok(original) => deletable.originals.push(original),
            Err(kept) => deletable.kept.push(kept),
        }
    }
    deletable.keep_other_names(&sources);
    Ok(deletable)
}

struct Judge<'a> {
    held: HashMap<i64, Result<Held, String>>,
    datasets: &'a HashMap<i64, Dataset>,
    sources: &'a HashMap<String, Result<Source, String>>,
    job: &'a Job,
}

impl Judge<'_> {
    /// Judges a file, `first`, by all datasets that it is part of.
    fn file(&self, first: &FileOf, of: &[FileOf]) -> Result<Original, String> {
        // What was never done and is not there any more says nothing of files that are.
        let state = |file: &&FileOf| self.datasets.get(&file.dataset).map(|dataset| dataset.state);
        let mut of: Vec<&FileOf> = of.iter().filter(|file| state(file) != Some(DatasetState::Gone)).collect();
        of.sort_by_key(|file| file.dataset);
        of.dedup_by_key(|file| file.dataset);
        let mut held = Vec::with_capacity(of.len());
        for file in &of {
            match self.held.get(&file.dataset) {
                Some(Ok(one)) => held.push(one),
                Some(Err(doubt)) => return Err(doubt.clone()),
                None => return Err("its dataset is not in the state".into()),
            }
        }
        let Some(recorded) = of.first() else {
            return Err("the dataset that it was part of is not there any more, and was not done".into());
        };
        if of.iter().any(|file| file.linked) {
            return Err("a symbolic link; the file that it points to lies elsewhere".into());
        }
        if of.iter().any(|file| file.unused) {
            return Err("it was not used, so that no store holds it".into());
        }
        let Some(converted) = &recorded.sha256 else { return Err("no checksum is recorded".into()) };
        let source = self.sources.get(&first.source).ok_or("its source is not known")?;
        let source = source.as_ref().map_err(Clone::clone)?;
        source.is_itself(&first.path)?;
        let go_on = || {
            if self.job.cancel.is_cancelled() { Err(std::io::ErrorKind::Interrupted.into()) } else { Ok(()) }
        };
        let sha256 =
            source.sha256(&first.path, go_on).map_err(|error| format!("it cannot be read: {error}"))?;
        if sha256 != *converted {
            return Err(format!("it has the SHA-256 {sha256} now, {converted} was converted"));
        }
        // The state is a file that anybody may edit; the store says itself what it was made from.
        if !held.iter().all(|held| held.files.contains(&sha256)) {
            return Err("the store does not say that it was made from this file".into());
        }
        let targets: BTreeSet<String> = of
            .iter()
            .filter_map(|file| self.datasets.get(&file.dataset))
            .map(|dataset| dataset.target.clone())
            .collect();
        Ok(Original {
            source: first.source.clone(),
            path: first.path.clone(),
            bytes: first.bytes,
            sha256,
            targets: targets.into_iter().collect(),
            not_carried: held.iter().flat_map(|held| held.not_carried.iter().cloned()).collect(),
        })
    }
}

impl Deletable {
    /// Where names that differ only in case are one file, what is said against one of them holds for all.
    #[cfg(unix)]
    fn keep_other_names(&mut self, sources: &HashMap<String, Result<Source, String>>) {
        use std::os::unix::fs::MetadataExt as _;
        let folded = |source: &str, path: &str| place(source, path).to_string_lossy().to_lowercase();
        let file = |source: &str, path: &str| {
            let path = sources.get(source)?.as_ref().ok()?.local_path(path)?;
            let found = std::fs::symlink_metadata(path).ok()?;
            Some((found.dev(), found.ino()))
        };
        let kept: HashMap<String, &Kept> =
            self.kept.iter().map(|kept| (folded(&kept.source, &kept.path), kept)).collect();
        let same = |original: &Original| {
            let other = kept.get(&folded(&original.source, &original.path))?;
            let this = file(&original.source, &original.path)?;
            (file(&other.source, &other.path)? == this).then(|| Kept {
                source: original.source.clone(),
                path: original.path.clone(),
                reason: format!("it is the same file as {}, of which: {}", other.path, other.reason),
            })
        };
        let found: Vec<Option<Kept>> = self.originals.iter().map(same).collect();
        let mut is_kept = found.iter().map(Option::is_some);
        self.originals.retain(|_| !is_kept.next().unwrap_or(false));
        self.kept.extend(found.into_iter().flatten());
    }

    #[cfg(not(unix))]
    fn keep_other_names(&mut self, _: &HashMap<String, Result<Source, String>>) {}
}
