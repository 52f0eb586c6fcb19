//! What the state says, for reports and for people.

use fairzarr::digest::hex;
use rusqlite::Row;
use std::collections::{BTreeMap, HashMap};

use super::State;
use crate::discover::{Known, KnownDataset, Role};
use crate::source::Stat;
use crate::{Class, Error};

/// How far a dataset is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum DatasetState {
    /// Nothing was tried yet.
    Planned,
    /// Converted and proved.
    Done,
    /// Tried, and not done.
    Failed,
    /// Done, and its source is another one by now.
    Changed,
    /// Not done, and its source is not there any more.
    Gone,
}

impl DatasetState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Planned, Self::Done, Self::Failed, Self::Changed, Self::Gone];

    /// Its name in the state file and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }

    fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.name() == name).unwrap_or(Self::Planned)
    }
}

/// A dataset as the state knows it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dataset {
    /// Its number in the state.
    pub id: i64,
    /// The source that it comes from: an absolute path or a URL.
    pub source: String,
    /// The file that it is opened by, below the source.
    pub path: String,
    /// Where it lies below the target.
    pub target: String,
    /// How far it is.
    pub state: DatasetState,
    /// Why it is not done, by class.
    pub class: Option<Class>,
    /// Why, in words.
    pub cause: Option<String>,
    /// What shaped the output.
    pub settings: Option<String>,
    /// Metadata that a table gave, as a JSON object.
    pub extra: Option<String>,
    /// Number of images.
    pub images: Option<i64>,
    /// Decoded bytes at full resolution.
    pub pixel_bytes: Option<i64>,
    /// Chunk and shard objects.
    pub objects: Option<i64>,
    /// Their bytes.
    pub stored_bytes: Option<i64>,
    /// The digest that stands for the whole store, hexadecimal.
    pub digest: Option<String>,
    /// What was proved: a JSON object of what each proof covered.
    pub proofs: Option<String>,
    /// How much of each NBO tier is filled: a JSON array of `[tier, MUST filled, MUST, SHOULD filled, SHOULD]`.
    pub coverage: Option<String>,
    /// Date of acquisition and latest quality control of each kind, as a JSON object.
    pub quality: Option<String>,
    /// What the source holds and the store does not, as a JSON array of texts.
    pub not_carried: Option<String>,
    /// What was tolerated, as a JSON array of texts.
    pub warnings: Option<String>,
    /// Seconds that the last attempt took.
    pub seconds: Option<f64>,
    /// When it ended, in seconds since 1970.
    pub finished: Option<i64>,
    /// Bytes of its files.
    pub bytes: i64,
    /// Number of its files.
    pub files: i64,
}

/// A file of a dataset.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileOf {
    /// The dataset.
    pub dataset: i64,
    /// The source.
    pub source: String,
    /// Its path below the source.
    pub path: String,
    /// Whether it is a document that describes the images.
    pub sidecar: bool,
    /// Whether it is such a document, and did not go into the record.
    pub unused: bool,
    /// Bytes.
    pub bytes: i64,
    /// SHA-256 when the dataset was done, hexadecimal.
    pub sha256: Option<String>,
    /// Whether the path is a symbolic link.
    pub linked: bool,
}

/// A path and what it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PathEntry {
    /// The source.
    pub source: String,
    /// Below the source.
    pub path: String,
    /// What it is.
    pub role: Role,
    /// Why, where that is not plain.
    pub cause: Option<String>,
    /// Bytes.
    pub bytes: i64,
    /// What a symbolic link points to.
    pub link: Option<String>,
    /// Entries of the datasets that it belongs to.
    pub datasets: Vec<i64>,
}

/// One run of the job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Run {
    /// When it began, in seconds since 1970.
    pub started: i64,
    /// When it ended; none where it was killed.
    pub ended: Option<i64>,
    /// Program and version.
    pub program: String,
    /// What shaped the output.
    pub settings: String,
    /// How it ended.
    pub outcome: Option<String>,
}

/// Numbers over all datasets and paths.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Totals {
    /// Datasets by state.
    pub states: BTreeMap<DatasetState, u64>,
    /// Datasets that are not done, by class of cause.
    pub classes: BTreeMap<Class, u64>,
    /// Paths by role.
    pub roles: BTreeMap<&'static str, u64>,
    /// Bytes of the files of datasets that are done.
    pub source_bytes: u64,
    /// Bytes of chunks and shards.
    pub stored_bytes: u64,
    /// Chunks and shards.
    pub objects: u64,
}

const DATASETS: &str = "SELECT d.id, s.name, f.path, d.target, d.state, d.class, d.cause, d.settings, d.extra, d.images,
  d.pixel_bytes, d.objects, d.stored_bytes, d.digest, d.proofs, d.coverage, d.quality, d.not_carried, d.warnings,
  d.seconds, d.finished, m.bytes, m.files
  FROM datasets d JOIN files f ON f.id = d.entry JOIN sources s ON s.id = f.source
  LEFT JOIN (SELECT m.dataset, sum(f.bytes) AS bytes, count(*) AS files FROM members m JOIN files f ON f.id = m.file
    WHERE m.kind = 'file' GROUP BY m.dataset) m ON m.dataset = d.id
  ORDER BY s.name, f.path";

impl State {
    /// All datasets, by source and path.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn datasets(&self) -> Result<Vec<Dataset>, Error> {
        self.all(DATASETS, dataset)
    }

    /// The files of all datasets.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn files(&self) -> Result<Vec<FileOf>, Error> {
        self.all(
            "SELECT m.dataset, s.name, f.path, m.kind, f.bytes, f.sha256, f.link
             FROM members m JOIN files f ON f.id = m.file JOIN sources s ON s.id = f.source
             ORDER BY s.name, f.path, m.dataset",
            |row| {
                Ok(FileOf {
                    dataset: row.get(0)?,
                    source: row.get(1)?,
                    path: row.get(2)?,
                    sidecar: row.get::<_, String>(3)? != "file",
                    unused: row.get::<_, String>(3)? == "beside",
                    bytes: row.get(4)?,
                    sha256: row.get::<_, Option<Vec<u8>>>(5)?.map(|bytes| hex(&bytes)),
                    linked: row.get::<_, Option<String>>(6)?.is_some(),
                })
            },
        )
    }

    /// All paths of the sources, with what they are.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn paths(&self) -> Result<Vec<PathEntry>, Error> {
        self.all(
            "SELECT s.name, f.path, f.role, f.cause, f.bytes, f.link,
             (SELECT group_concat(m.dataset) FROM members m WHERE m.file = f.id)
             FROM files f JOIN sources s ON s.id = f.source ORDER BY s.name, f.path",
            |row| {
                let datasets: Option<String> = row.get(6)?;
                Ok(PathEntry {
                    source: row.get(0)?,
                    path: row.get(1)?,
                    role: Role::from_name(&row.get::<_, String>(2)?).unwrap_or(Role::NotAnImage),
                    cause: row.get(3)?,
                    bytes: row.get(4)?,
                    link: row.get(5)?,
                    datasets: datasets
                        .iter()
                        .flat_map(|all| all.split(','))
                        .filter_map(|id| id.parse().ok())
                        .collect(),
                })
            },
        )
    }

    /// All runs, the first one first.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn runs(&self) -> Result<Vec<Run>, Error> {
        self.all("SELECT started, ended, program, settings, outcome FROM runs ORDER BY id", |row| {
            Ok(Run {
                started: row.get(0)?,
                ended: row.get(1)?,
                program: row.get(2)?,
                settings: row.get(3)?,
                outcome: row.get(4)?,
            })
        })
    }

    /// Numbers over everything.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn totals(&self) -> Result<Totals, Error> {
        let mut totals = Totals::default();
        let by_state = self
            .all("SELECT state, class, count(*) FROM datasets GROUP BY state, class", |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, i64>(2)?))
            })?;
        for (state, class, count) in by_state {
            *totals.states.entry(DatasetState::from_name(&state)).or_default() += count as u64;
            if let Some(class) = class.and_then(|class| class.parse().ok()) {
                *totals.classes.entry(class).or_default() += count as u64;
            }
        }
        let roles = self.all("SELECT role, count(*) FROM files GROUP BY role", |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })?;
        for (role, count) in roles {
            if let Some(role) = Role::from_name(&role) {
                *totals.roles.entry(role.name()).or_default() += count as u64;
            }
        }
        let sums = self.all(
            "SELECT coalesce(sum(stored_bytes), 0), coalesce(sum(objects), 0),
             (SELECT coalesce(sum(bytes), 0) FROM files WHERE id IN
               (SELECT m.file FROM members m JOIN datasets d ON d.id = m.dataset WHERE d.state = 'done' AND m.kind = 'file'))
             FROM datasets WHERE state = 'done'",
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)),
        )?;
        for (stored, objects, source) in sums {
            totals.stored_bytes = stored as u64;
            totals.objects = objects as u64;
            totals.source_bytes = source as u64;
        }
        Ok(totals)
    }

    /// Datasets that are done, with what their files were known by.
    pub(crate) fn known(&self) -> Result<Known, Error> {
        let rows = self.all(
            "SELECT m.dataset, s.name, f.path, m.kind, f.bytes, f.modified, f.id = d.entry
             FROM datasets d JOIN members m ON m.dataset = d.id JOIN files f ON f.id = m.file
             JOIN sources s ON s.id = f.source WHERE d.state = 'done'",
            |row| {
                let stat = Stat { bytes: row.get::<_, i64>(4)? as u64, modified: row.get(5)? };
                let key = (row.get::<_, String>(1)?, row.get::<_, String>(2)?);
                Ok((row.get::<_, i64>(0)?, key, row.get::<_, String>(3)?, stat, row.get::<_, bool>(6)?))
            },
        )?;
        let mut known = Known::default();
        for (dataset, key, kind, stat, entry) in rows {
            let of: &mut KnownDataset = known.datasets.entry(dataset).or_default();
            match (kind.as_str(), entry) {
                ("sidecar" | "beside", _) => of.sidecars.push(key.clone()),
                (_, true) => of.members.insert(0, key.clone()),
                _ => of.members.push(key.clone()),
            }
            known.files.entry(key).or_insert((stat, Vec::new())).1.push(dataset);
        }
        let documents = self.all(
            "SELECT s.name, f.path, f.bytes, f.modified, f.sha256 FROM files f JOIN sources s ON s.id = f.source
             WHERE f.role IN ('sidecar', 'not-an-image')",
            |row| {
                let stat = Stat { bytes: row.get::<_, i64>(2)? as u64, modified: row.get(3)? };
                let sha256 = row.get::<_, Option<Vec<u8>>>(4)?.map(|bytes| hex(&bytes));
                Ok(((row.get::<_, String>(0)?, row.get::<_, String>(1)?), stat, sha256))
            },
        )?;
        for (key, stat, sha256) in documents {
            if let Some(sha256) = sha256 {
                known.sha256.insert(key.clone(), sha256);
            }
            known.documents.insert(key, stat);
        }
        Ok(known)
    }

    /// The files of each dataset, by its number.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn files_by_dataset(&self) -> Result<HashMap<i64, Vec<FileOf>>, Error> {
        let mut by_dataset: HashMap<i64, Vec<FileOf>> = HashMap::new();
        for file in self.files()? {
            by_dataset.entry(file.dataset).or_default().push(file);
        }
        Ok(by_dataset)
    }

    pub(super) fn all<T>(
        &self,
        query: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.db.prepare_cached(query).map_err(|error| self.failed(error))?;
        let rows = statement.query_map([], read).map_err(|error| self.failed(error))?;
        rows.collect::<rusqlite::Result<_>>().map_err(|error| self.failed(error))
    }
}

fn dataset(row: &Row<'_>) -> rusqlite::Result<Dataset> {
    Ok(Dataset {
        id: row.get(0)?,
        source: row.get(1)?,
        path: row.get(2)?,
        target: row.get(3)?,
        state: DatasetState::from_name(&row.get::<_, String>(4)?),
        class: row.get::<_, Option<String>>(5)?.and_then(|class| class.parse().ok()),
        cause: row.get(6)?,
        settings: row.get(7)?,
        extra: row.get(8)?,
        images: row.get(9)?,
        pixel_bytes: row.get(10)?,
        objects: row.get(11)?,
        stored_bytes: row.get(12)?,
        digest: row.get::<_, Option<Vec<u8>>>(13)?.map(|bytes| hex(&bytes)),
        proofs: row.get(14)?,
        coverage: row.get(15)?,
        quality: row.get(16)?,
        not_carried: row.get(17)?,
        warnings: row.get(18)?,
        seconds: row.get(19)?,
        finished: row.get(20)?,
        bytes: row.get::<_, Option<i64>>(21)?.unwrap_or_default(),
        files: row.get::<_, Option<i64>>(22)?.unwrap_or_default(),
    })
}
