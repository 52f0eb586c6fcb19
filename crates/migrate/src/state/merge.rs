//! What was found now against what was known: which datasets are new, as they were, or others by now, and what is to be
//! done about each.

use rusqlite::{Connection, params};
use std::collections::{BTreeSet, HashMap, HashSet};

use super::State;
use crate::discover::{Found, FoundDataset, FoundPath};
use crate::error::chain;
use crate::source::{Source, Stat};
use crate::table::Table;
use crate::template::{Named, Template, targets};
use crate::{Class, Error};

/// What a run found, and how it wants things done.
pub(crate) struct Merge<'a> {
    pub(crate) run: i64,
    pub(crate) found: &'a Found,
    pub(crate) sources: &'a [Source],
    /// Sources of which single files were looked at.
    pub(crate) partial: Vec<bool>,
    pub(crate) template: &'a Template,
    pub(crate) table: &'a Table,
    /// Causes that are tried again.
    pub(crate) retry: &'a BTreeSet<Class>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) todo: Vec<Todo>,
    /// Datasets that are done, and whose sources are as they were.
    pub(crate) kept: u64,
    /// Datasets that are done, and whose sources are others.
    pub(crate) changed: u64,
    /// Datasets that failed by a cause that is not tried again by itself.
    pub(crate) waiting: u64,
}

/// A dataset that is to be migrated.
#[derive(Clone, Debug)]
pub(crate) struct Todo {
    pub(crate) dataset: i64,
    pub(crate) source: usize,
    pub(crate) path: String,
    pub(crate) target: String,
    /// Bytes of its files.
    pub(crate) bytes: u64,
    pub(crate) sidecars: Vec<String>,
    /// What lies at the target is ours, and is replaced.
    pub(crate) replace: bool,
}

/// A file as the state has it.
#[derive(Clone)]
struct OldFile {
    id: i64,
    stat: Stat,
    sha256: Option<String>,
}

/// A dataset as the state has it.
#[derive(Clone)]
struct OldDataset {
    id: i64,
    state: String,
    class: Option<Class>,
    target: String,
    members: BTreeSet<i64>,
    /// Documents that described it.
    sidecars: BTreeSet<i64>,
}

type Key = (String, String);

#[derive(Debug, Eq, PartialEq)]
enum Decision {
    New,
    Kept,
    Changed(String),
    Again { replace: bool },
    Waiting,
}

struct Old {
    files: HashMap<Key, OldFile>,
    by_entry: HashMap<i64, OldDataset>,
    /// Entries of datasets by file.
    by_file: HashMap<i64, Vec<i64>>,
}

impl State {
    /// Takes in what was found, and tells what is to be done.
    pub(crate) fn merge(&mut self, merge: &Merge<'_>) -> Result<Plan, Error> {
        let old = self.old()?;
        let decided: Vec<(Option<OldDataset>, Decision)> =
            merge.found.datasets.iter().map(|dataset| merge.decide(&old, dataset)).collect();
        let names = merge.names(&old, &decided);
        let place = self.place.clone();
        let failed = |source| super::at(&place, source);
        let transaction = self.db.transaction().map_err(failed)?;
        let plan = merge.write(&transaction, &decided, &names).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(plan)
    }

    fn old(&self) -> Result<Old, Error> {
        let files = self.all(
            "SELECT s.name, f.path, f.id, f.bytes, f.modified, f.sha256 FROM files f JOIN sources s ON s.id = f.source",
            |row| {
                let stat = Stat { bytes: row.get::<_, i64>(3)? as u64, modified: row.get(4)? };
                let sha256 = row.get::<_, Option<Vec<u8>>>(5)?.map(|bytes| fairzarr::digest::hex(&bytes));
                Ok(((row.get(0)?, row.get(1)?), OldFile { id: row.get(2)?, stat, sha256 }))
            },
        )?;
        let mut by_entry: HashMap<i64, OldDataset> = HashMap::new();
        let mut entries: HashMap<i64, i64> = HashMap::new();
        for (entry, dataset) in self.all("SELECT entry, id, state, class, target FROM datasets", |row| {
            let class = row.get::<_, Option<String>>(3)?.and_then(|class| class.parse().ok());
            let (id, state, target) = (row.get(1)?, row.get(2)?, row.get(4)?);
            let (members, sidecars) = (BTreeSet::new(), BTreeSet::new());
            Ok((row.get::<_, i64>(0)?, OldDataset { id, state, class, target, members, sidecars }))
        })? {
            entries.insert(dataset.id, entry);
            by_entry.insert(entry, dataset);
        }
        let mut by_file: HashMap<i64, Vec<i64>> = HashMap::new();
        let members = self.all("SELECT dataset, file, kind = 'file' FROM members", |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
        })?;
        for (dataset, file, is_file) in members {
            let Some(entry) = entries.get(&dataset) else { continue };
            if !is_file {
                if let Some(dataset) = by_entry.get_mut(entry) {
                    dataset.sidecars.insert(file);
                }
                continue;
            }
            by_file.entry(file).or_default().push(*entry);
            if let Some(dataset) = by_entry.get_mut(entry) {
                dataset.members.insert(file);
            }
        }
        Ok(Old { files: files.into_iter().collect(), by_entry, by_file })
    }
}

impl Merge<'_> {
    fn path(&self, index: usize) -> Option<(&FoundPath, Key)> {
        let found = self.found.paths.get(index)?;
        Some((found, (self.sources.get(found.source)?.name.clone(), found.path.clone())))
    }

    fn decide(&self, old: &Old, dataset: &FoundDataset) -> (Option<OldDataset>, Decision) {
        let known = |index: &usize| self.path(*index).and_then(|(_, key)| old.files.get(&key));
        let entry = known(&dataset.entry).map(|file| file.id);
        // A set that is described by another file now is still the set that was done.
        let done = || {
            let entries =
                dataset.members.iter().filter_map(known).filter_map(|file| old.by_file.get(&file.id));
            let mut found = entries.flatten().filter_map(|entry| old.by_entry.get(entry));
            found.find(|dataset| matches!(dataset.state.as_str(), "done" | "changed"))
        };
        let Some(earlier) = entry.and_then(|entry| old.by_entry.get(&entry)).or_else(done) else {
            return (None, Decision::New);
        };
        let members: Option<BTreeSet<i64>> =
            dataset.members.iter().map(|index| known(index).map(|file| file.id)).collect();
        let same_members = members.as_ref() == Some(&earlier.members);
        let decision = match earlier.state.as_str() {
            "done" | "changed" => match self.difference(old, dataset, earlier, same_members) {
                None => Decision::Kept,
                Some(_) if self.retry.contains(&Class::Changed) => Decision::Again { replace: true },
                Some(cause) => Decision::Changed(cause),
            },
            "failed" => {
                let same = same_members
                    && dataset.members.iter().all(|index| {
                        self.path(*index).is_some_and(|(found, key)| {
                            old.files.get(&key).is_some_and(|file| file.stat == found.stat)
                        })
                    });
                let class = earlier.class.unwrap_or(Class::Internal);
                let replace = matches!(class, Class::Difference | Class::Invalid | Class::Changed);
                if !same || class.may_pass() || self.retry.contains(&class) {
                    Decision::Again { replace }
                } else {
                    Decision::Waiting
                }
            }
            _ => Decision::Again { replace: false },
        };
        (Some(earlier.clone()), decision)
    }

    /// In what the source is another one than that which was done.
    fn difference(
        &self,
        old: &Old,
        dataset: &FoundDataset,
        earlier: &OldDataset,
        same_members: bool,
    ) -> Option<String> {
        if !same_members {
            let (now, then) = (dataset.members.len(), earlier.members.len());
            return Some(format!(
                "the set has {now} files now, other ones than the {then} that were converted"
            ));
        }
        for index in dataset.members.iter().chain(&dataset.sidecars) {
            let Some((found, key)) = self.path(*index) else { continue };
            let file = old.files.get(&key);
            let is_new =
                |file: &OldFile| !earlier.members.contains(&file.id) && !earlier.sidecars.contains(&file.id);
            let Some(file) = file.filter(|file| !is_new(file)) else {
                return Some(format!(
                    "{}, which describes it, was not there when it was converted",
                    found.path
                ));
            };
            if file.stat == found.stat {
                continue;
            }
            if file.stat.bytes != found.stat.bytes {
                return Some(format!(
                    "{} has {} bytes, {} were converted",
                    found.path, found.stat.bytes, file.stat.bytes
                ));
            }
            // A file that was copied back or touched may well be the same.
            let Some(source) = self.sources.get(found.source) else { continue };
            match source.sha256(&found.path, || Ok(())) {
                Ok(sha256) if Some(&sha256) == file.sha256.as_ref() => {}
                Ok(sha256) => {
                    let then = file.sha256.as_deref().unwrap_or("unknown");
                    return Some(format!("{} has the SHA-256 {sha256}, {then} was converted", found.path));
                }
                Err(error) => return Some(format!("{} cannot be read: {}", found.path, chain(&error))),
            }
        }
        None
    }

    /// Paths below the target of the datasets that are new.
    fn names(&self, old: &Old, decided: &[(Option<OldDataset>, Decision)]) -> HashMap<usize, String> {
        let mut taken: Vec<String> = old.by_entry.values().map(|dataset| dataset.target.clone()).collect();
        let mut names = HashMap::new();
        let mut open = Vec::new();
        for (n, (dataset, (earlier, _))) in self.found.datasets.iter().zip(decided).enumerate() {
            let Some(found) = self.found.paths.get(dataset.entry).filter(|_| earlier.is_none()) else {
                continue;
            };
            let Some(source) = self.sources.get(found.source) else { continue };
            let given = self.table.row(&source.name, &found.path).and_then(|row| row.target.clone());
            match given.filter(|target| !taken.contains(target)) {
                Some(target) => {
                    taken.push(target.clone());
                    names.insert(n, target);
                }
                None => open.push((
                    n,
                    Named { source: &source.name, path: &found.path, image: dataset.image.as_deref() },
                )),
            }
        }
        let named: Vec<Named> = open.iter().map(|(_, named)| *named).collect();
        names.extend(open.iter().map(|(n, _)| *n).zip(targets(self.template, &named, &taken)));
        names
    }

    fn write(
        &self,
        db: &Connection,
        decided: &[(Option<OldDataset>, Decision)],
        names: &HashMap<usize, String>,
    ) -> rusqlite::Result<Plan> {
        let sources =
            self.sources.iter().map(|source| source_id(db, &source.name)).collect::<Result<Vec<_>, _>>()?;
        let frozen: HashSet<usize> = self
            .found
            .datasets
            .iter()
            .zip(decided)
            .filter(|(_, (_, decision))| matches!(decision, Decision::Changed(_)))
            .flat_map(|(dataset, _)| dataset.members.iter().chain(&dataset.sidecars).copied())
            .collect();
        let mut ids = Vec::with_capacity(self.found.paths.len());
        for (index, found) in self.found.paths.iter().enumerate() {
            let source = sources.get(found.source).copied().unwrap_or_default();
            ids.push(file_id(db, self.run, source, found, frozen.contains(&index))?);
        }
        let mut plan = Plan::default();
        for (n, (dataset, (earlier, decision))) in self.found.datasets.iter().zip(decided).enumerate() {
            let Some(found) = self.found.paths.get(dataset.entry) else { continue };
            let (id, target) = match (earlier, names.get(&n)) {
                (Some(earlier), _) => (earlier.id, earlier.target.clone()),
                (None, Some(target)) => {
                    db.prepare_cached(
                        "INSERT INTO datasets (entry, target, state) VALUES (?1, ?2, 'planned')",
                    )?
                    .execute(params![ids[dataset.entry], target])?;
                    (db.last_insert_rowid(), target.clone())
                }
                (None, None) => continue,
            };
            match decision {
                Decision::Kept => {
                    plan.kept += 1;
                    let state = earlier.as_ref().map_or("", |earlier| earlier.state.as_str());
                    if state == "changed" {
                        db.execute(
                            "UPDATE datasets SET state = 'done', class = NULL, cause = NULL WHERE id = ?1",
                            [id],
                        )?;
                    }
                }
                Decision::Changed(cause) => {
                    plan.changed += 1;
                    db.prepare_cached(
                        "UPDATE datasets SET state = 'changed', class = ?2, cause = ?3 WHERE id = ?1",
                    )?
                    .execute(params![id, Class::Changed.name(), cause])?;
                }
                Decision::Waiting => plan.waiting += 1,
                Decision::New | Decision::Again { .. } => {
                    let row =
                        self.sources.get(found.source).and_then(|s| self.table.row(&s.name, &found.path));
                    if let Some(extra) = row.and_then(|row| row.as_json()) {
                        db.execute("UPDATE datasets SET extra = ?2 WHERE id = ?1", params![id, extra])?;
                    }
                    members(db, id, dataset, &ids)?;
                    let size =
                        |index: &usize| self.found.paths.get(*index).map_or(0, |found| found.stat.bytes);
                    let path = |index: &usize| self.found.paths.get(*index).map(|found| found.path.clone());
                    plan.todo.push(Todo {
                        dataset: id,
                        source: found.source,
                        path: found.path.clone(),
                        target,
                        bytes: dataset.members.iter().map(size).sum(),
                        sidecars: dataset.sidecars.iter().filter_map(path).collect(),
                        replace: matches!(decision, Decision::Again { replace: true }),
                    });
                }
            }
        }
        self.gone(db, &sources)?;
        Ok(plan)
    }

    /// Datasets that were not done and are not there any more, or are part of another set by now.
    fn gone(&self, db: &Connection, sources: &[i64]) -> rusqlite::Result<()> {
        let whole = sources.iter().zip(&self.partial).filter(|(_, partial)| !**partial);
        for (source, _) in whole {
            db.execute(
                "UPDATE datasets SET state = 'gone' WHERE state IN ('planned', 'failed') AND entry IN
                   (SELECT id FROM files WHERE source = ?1 AND (run < ?2 OR role NOT IN ('dataset', 'excluded')))",
                params![source, self.run],
            )?;
        }
        Ok(())
    }
}

fn source_id(db: &Connection, name: &str) -> rusqlite::Result<i64> {
    db.query_row(
        "INSERT INTO sources (name) VALUES (?1) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
        [name],
        |row| row.get(0),
    )
}

fn file_id(db: &Connection, run: i64, source: i64, found: &FoundPath, frozen: bool) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "INSERT INTO files (source, path, role, cause, bytes, modified, link, run)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (source, path) DO UPDATE SET role = excluded.role, cause = excluded.cause, link = excluded.link,
           run = excluded.run, bytes = iif(?9, bytes, excluded.bytes), modified = iif(?9, modified, excluded.modified)
         RETURNING id",
    )?
    .query_row(
        params![
            source,
            found.path,
            found.role.name(),
            found.cause,
            found.stat.bytes as i64,
            found.stat.modified,
            found.link,
            run,
            frozen
        ],
        |row| row.get(0),
    )
}

fn members(db: &Connection, id: i64, dataset: &FoundDataset, ids: &[i64]) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM members WHERE dataset = ?1")?.execute([id])?;
    let files = dataset.members.iter().map(|index| ("file", index));
    for (kind, index) in files.chain(dataset.sidecars.iter().map(|index| ("sidecar", index))) {
        db.prepare_cached("INSERT OR REPLACE INTO members (dataset, file, kind) VALUES (?1, ?2, ?3)")?
            .execute(params![id, ids.get(*index), kind])?;
    }
    Ok(())
}
