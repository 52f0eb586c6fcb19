//! Which files belong together: candidates are opened, and what each set says of its files decides.

use fairzarr::ome_tiff::{Fileset, OnMissing, OpenOptions};
use fairzarr::provenance::beside;
use fairzarr::task::{for_each, lock, unlocked};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Mutex;

use super::{Found, FoundDataset, FoundPath, Role, Search};
use crate::source::{Place, Stat};
use crate::{Class, Error, Failure, names};

/// Datasets of earlier runs that are done, by source and path.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Of each file of such a dataset what it was known by, and the datasets.
    pub(crate) files: HashMap<(String, String), (Stat, Vec<i64>)>,
    /// Files of each dataset, the entry first, and its sidecars.
    pub(crate) datasets: HashMap<i64, KnownDataset>,
    /// What documents beside images were known by, whether they describe one or not.
    pub(crate) documents: HashMap<(String, String), Stat>,
    /// SHA-256 of documents that describe an image.
    pub(crate) sha256: HashMap<(String, String), String>,
}

#[derive(Debug, Default)]
pub(crate) struct KnownDataset {
    pub(crate) members: Vec<(String, String)>,
    pub(crate) sidecars: Vec<(String, String)>,
}

/// What opening found.
struct Opened {
    members: Vec<usize>,
    entry: usize,
    sidecars: Vec<usize>,
    image: Option<String>,
    failure: Option<Failure>,
}

pub(super) fn group(search: &Search<'_>, paths: Vec<FoundPath>) -> Result<Found, Error> {
    let mut paths = paths;
    let by_path: HashMap<(usize, String), usize> =
        paths.iter().enumerate().map(|(index, found)| ((found.source, found.path.clone()), index)).collect();
    links(&mut paths, &by_path);
    let documents = documents(&paths);
    let mut datasets = known(search, &paths, &by_path, &documents);
    let claimed: HashSet<usize> =
        datasets.iter().flat_map(|dataset| dataset.members.iter().copied()).collect();
    let candidates: Vec<usize> = (0..paths.len())
        .filter(|index| paths[*index].role == Role::Dataset && !claimed.contains(index))
        .collect();
    let claimed = Mutex::new(claimed);
    let outside: Mutex<Vec<FoundPath>> = Mutex::default();
    let opened: Mutex<Vec<Opened>> = Mutex::default();
    let all = &paths;
    for_each(
        &candidates,
        search.job.cores(),
        |index| all[*index].path.clone(),
        || (),
        |(), &index| {
            if search.job.cancel.is_cancelled() {
                return ControlFlow::Break(());
            }
            if !lock(&claimed).contains(&index) {
                let one = open(search, all, index, &by_path, &documents, &outside);
                lock(&claimed).extend(one.members.iter().copied());
                lock(&opened).push(one);
            }
            ControlFlow::Continue(())
        },
    )?;
    search.job.cancel.check()?;
    paths.extend(unlocked(outside));
    datasets.extend(unlocked(opened).into_iter().map(|opened| FoundDataset {
        entry: opened.entry,
        members: opened.members,
        sidecars: opened.sidecars,
        image: opened.image,
        failure: opened.failure,
    }));
    let datasets = distinct(datasets);
    assign_roles(&mut paths, &datasets);
    Ok(Found { paths, datasets })
}

/// A link to a file that is looked at itself is not a second dataset.
fn links(paths: &mut [FoundPath], by_path: &HashMap<(usize, String), usize>) {
    for (index, found) in paths.iter_mut().enumerate() {
        let Some(to) = found.link.clone() else { continue };
        let seen = by_path.get(&(found.source, to.clone())).is_some_and(|other| *other != index);
        if seen {
            found.role = Role::Link;
            found.cause = Some(format!("a symbolic link to {to}"));
        }
    }
}

/// Documents by source and folder.
fn documents(paths: &[FoundPath]) -> BTreeMap<(usize, &str), BTreeMap<&str, usize>> {
    let mut documents: BTreeMap<(usize, &str), BTreeMap<&str, usize>> = BTreeMap::new();
    for (index, found) in paths.iter().enumerate().filter(|(_, found)| found.role == Role::Sidecar) {
        let folder = documents.entry((found.source, names::folder(&found.path))).or_default();
        folder.insert(names::last(&found.path), index);
    }
    documents
}

/// Datasets that earlier runs have done and whose files are there as they were, and what describes them too.
fn known(
    search: &Search<'_>,
    paths: &[FoundPath],
    by_path: &HashMap<(usize, String), usize>,
    documents: &BTreeMap<(usize, &str), BTreeMap<&str, usize>>,
) -> Vec<FoundDataset> {
    let is_new = |index: &usize| {
        let found = &paths[*index];
        let source = search.sources.get(found.source).map_or("", |source| source.name.as_str());
        search.known.documents.get(&(source.to_owned(), found.path.clone())) != Some(&found.stat)
    };
    let news: HashSet<(usize, &str)> = documents
        .iter()
        .filter(|(_, folder)| folder.values().any(is_new))
        .map(|(folder, _)| *folder)
        .collect();
    let sources: HashMap<&str, usize> =
        search.sources.iter().enumerate().map(|(index, source)| (source.name.as_str(), index)).collect();
    let find = |(source, path): &(String, String)| {
        by_path.get(&(*sources.get(source.as_str())?, path.clone())).copied()
    };
    let mut datasets = Vec::new();
    for known in search.known.datasets.values() {
        let found: Option<Vec<usize>> = known.members.iter().map(find).collect();
        let Some(members) = found else { continue };
        let unchanged = members.iter().zip(&known.members).all(|(index, key)| {
            search.known.files.get(key).is_some_and(|(stat, _)| *stat == paths[*index].stat)
        });
        let describing: Vec<usize> = known.sidecars.iter().filter_map(find).collect();
        let unchanged = unchanged && !describing.iter().any(is_new);
        if let (true, Some(entry)) = (unchanged, members.first().copied()) {
            if news.contains(&(paths[entry].source, names::folder(&paths[entry].path))) {
                continue;
            }
            let sidecars = describing;
            let mut members = members;
            members.sort_unstable();
            datasets.push(FoundDataset { entry, members, sidecars, image: None, failure: None });
        }
    }
    datasets
}

fn open(
    search: &Search<'_>,
    paths: &[FoundPath],
    index: usize,
    by_path: &HashMap<(usize, String), usize>,
    documents: &BTreeMap<(usize, &str), BTreeMap<&str, usize>>,
    outside: &Mutex<Vec<FoundPath>>,
) -> Opened {
    let alone = |failure| Opened {
        members: vec![index],
        entry: index,
        sidecars: Vec::new(),
        image: None,
        failure: Some(failure),
    };
    let found = &paths[index];
    if let Some(cause) = &found.cause {
        return alone(Failure::new(Class::Unreadable, cause.clone()));
    }
    let Some(source) = search.sources.get(found.source) else {
        return alone(Failure::new(Class::Internal, "a path without source"));
    };
    // A set with a missing member is one dataset that cannot be migrated, not as many as it has files.
    let mut options = OpenOptions::default();
    options.on_missing = OnMissing::Fill;
    let fileset = match source.open(&found.path, options) {
        Ok(fileset) => fileset,
        Err(failure) => return alone(failure),
    };
    let mut members = BTreeSet::new();
    for path in source.members(&found.path, &fileset).into_iter().flatten() {
        match by_path.get(&(found.source, path.clone())) {
            Some(member) => {
                members.insert(*member);
            }
            None => add_outside(search, paths.len(), found.source, path, outside, &mut members),
        }
    }
    members.insert(index);
    let entry = entry(index, &members, paths, &fileset);
    let (sidecars, failure) = match sidecars(search, found, &fileset, documents) {
        Ok(sidecars) => (sidecars, None),
        Err(error) => (Vec::new(), Some(Failure::new(Class::Unreadable, error.to_string()))),
    };
    Opened {
        sidecars,
        image: fileset.images().first().and_then(|image| image.name()).map(str::to_owned),
        members: members.into_iter().collect(),
        entry,
        failure,
    }
}

/// A member that the walk has not seen: of a set of which a single file was named.
fn add_outside(
    search: &Search<'_>,
    seen: usize,
    source: usize,
    path: String,
    outside: &Mutex<Vec<FoundPath>>,
    members: &mut BTreeSet<usize>,
) {
    let mut outside = lock(outside);
    let known = outside.iter().position(|found| found.source == source && found.path == path);
    let position = known.unwrap_or_else(|| {
        let stat = search.sources.get(source).and_then(|place| place.stat(&path).ok()).unwrap_or_default();
        outside.push(FoundPath { source, path, role: Role::Member, cause: None, stat, link: None });
        outside.len() - 1
    });
    members.insert(seen + position);
}

/// The file by which a set is opened and named, whichever was met first: its companion, or the first by path.
fn entry(met: usize, members: &BTreeSet<usize>, paths: &[FoundPath], fileset: &Fileset) -> usize {
    let companions: Vec<&str> = fileset
        .sources()
        .iter()
        .filter(|document| document.role == "companion")
        .map(|document| names::last(&document.name))
        .collect();
    let seen = || members.iter().copied().filter(|member| *member < paths.len());
    let is_companion =
        |member: &usize| companions.iter().any(|name| names::last(&paths[*member].path) == *name);
    seen()
        .find(is_companion)
        .or_else(|| seen().find(|member| paths[*member].role == Role::Dataset))
        .unwrap_or(met)
}

fn sidecars(
    search: &Search<'_>,
    found: &FoundPath,
    fileset: &Fileset,
    documents: &BTreeMap<(usize, &str), BTreeMap<&str, usize>>,
) -> Result<Vec<usize>, fairzarr::provenance::Error> {
    let local =
        search.sources.get(found.source).is_some_and(|source| matches!(source.place, Place::Local(_)));
    // Without a document in the folder there is nothing to look for.
    match documents.get(&(found.source, names::folder(&found.path))) {
        Some(folder) if local => {
            let describing = beside(fileset)?;
            Ok(describing.iter().filter_map(|sidecar| folder.get(sidecar.name()).copied()).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// Each set once: several threads may have met members of the same one, and a member that was opened before the file that
/// describes it knew only itself.
fn distinct(mut datasets: Vec<FoundDataset>) -> Vec<FoundDataset> {
    datasets.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then(a.entry.cmp(&b.entry)));
    let mut owners: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut kept: Vec<FoundDataset> = Vec::new();
    for dataset in datasets {
        let first = dataset.members.first().and_then(|member| owners.get(member));
        let within = first.into_iter().flatten().any(|owner| {
            let whole: &FoundDataset = &kept[*owner];
            dataset.members.iter().all(|member| whole.members.binary_search(member).is_ok())
        });
        if !within {
            for member in &dataset.members {
                owners.entry(*member).or_default().push(kept.len());
            }
            kept.push(dataset);
        }
    }
    kept.sort_by_key(|dataset| dataset.entry);
    kept
}

fn assign_roles(paths: &mut [FoundPath], datasets: &[FoundDataset]) {
    let mut sidecars = HashSet::new();
    for dataset in datasets {
        for member in &dataset.members {
            paths[*member].role = Role::Member;
        }
        sidecars.extend(dataset.sidecars.iter().copied());
    }
    for dataset in datasets {
        paths[dataset.entry].role = Role::Dataset;
    }
    for (index, found) in paths.iter_mut().enumerate() {
        if found.role == Role::Sidecar && !sidecars.contains(&index) {
            found.role = Role::NotAnImage;
            found.cause = Some("a document that describes no image of its folder".into());
        }
    }
}
