//! What came to the sources since datasets were done, and says more of them: a document that describes an image, or a file by
//! whose word the files of a dataset belong to a larger set.

use fairzarr::task::Job;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::Error;
use crate::discover::{Found, FoundDataset, Known, Role, Search, look_again};
use crate::filter::Filter;
use crate::names::folder;
use crate::source::Source;
use crate::state::State;

type Key = (String, String);

/// Why datasets that are done do not stand for their files any more, by dataset. Only folders that files of such datasets lie
/// in are looked at, and those above: what describes a set lies beside its files, or higher.
pub(super) fn since<'a>(
    state: &State,
    sources: impl Iterator<Item = &'a Source>,
    job: &Job,
) -> Result<HashMap<i64, String>, Error> {
    let known = state.known()?;
    let sources: Vec<Source> = sources.cloned().collect();
    let folders: Vec<BTreeSet<String>> = sources.iter().map(|source| folders(&known, source)).collect();
    let excluded: HashSet<Key> = state
        .paths()?
        .into_iter()
        .filter(|path| path.role == Role::Excluded)
        .map(|path| (path.source, path.path))
        .collect();
    let search =
        Search { sources: &sources, only: &[], filter: &Filter::default(), target: None, known: &known, job };
    let found = look_again(&search, &folders, &excluded)?;
    let mut doubts = HashMap::new();
    for dataset in &found.datasets {
        for (of, doubt) in doubts_by(dataset, &found, &sources, &known) {
            doubts.entry(of).or_insert(doubt);
        }
    }
    Ok(doubts)
}

fn folders(known: &Known, source: &Source) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    let members = known.datasets.values().flat_map(|dataset| &dataset.members);
    for (_, path) in members.filter(|(of, _)| *of == source.name) {
        let mut at = folder(path);
        while folders.insert(at.to_owned()) && !at.is_empty() {
            at = folder(at);
        }
    }
    folders
}

/// What one dataset, as it is found now, says against those that were done with files of it.
fn doubts_by(dataset: &FoundDataset, found: &Found, sources: &[Source], known: &Known) -> Vec<(i64, String)> {
    let key = |index: &usize| -> Option<Key> {
        let path = found.paths.get(*index)?;
        Some((sources.get(path.source)?.name.clone(), path.path.clone()))
    };
    let members: BTreeSet<Key> = dataset.members.iter().filter_map(key).collect();
    let owners: BTreeSet<i64> = members
        .iter()
        .filter_map(|member| known.files.get(member))
        .flat_map(|(_, datasets)| datasets.iter().copied())
        .collect();
    let of_owner = |owner: &i64| -> BTreeSet<Key> {
        known.datasets.get(owner).map(|of| of.members.iter().cloned().collect()).unwrap_or_default()
    };
    let was_done = owners.iter().any(|owner| of_owner(owner) == members);
    let mut doubts = Vec::new();
    for owner in owners {
        let Some(of) = known.datasets.get(&owner) else { continue };
        let then = of_owner(&owner);
        if members.is_disjoint(&then) {
            // It has a document of that dataset, and no file.
            continue;
        }
        if !was_done && !members.is_subset(&then) {
            let entry = found.paths.get(dataset.entry).map_or("", |path| path.path.as_str());
            let count = members.len();
            doubts.push((
                owner,
                format!("it belongs to {entry} by now, a set of {count} files that is not done"),
            ));
            continue;
        }
        let changed = dataset.sidecars.iter().find_map(|index| {
            let (path, key) = (found.paths.get(*index)?, key(index)?);
            if !of.sidecars.contains(&key) {
                return Some(format!("{}, which describes it, came after it was proved", path.path));
            }
            let (stat, _) = known.files.get(&key)?;
            let source = sources.get(path.source)?;
            let same = *stat == path.stat
                || known
                    .sha256
                    .get(&key)
                    .is_some_and(|then| source.sha256(&path.path, || Ok(())).is_ok_and(|now| now == *then));
            (!same).then(|| format!("{}, which describes it, has changed since it was proved", path.path))
        });
        doubts.extend(changed.map(|doubt| (owner, doubt)));
    }
    doubts
}
