//! Recording what was done.

use rusqlite::{Connection, params};

use super::{State, digest_bytes, now};
use crate::source::Stat;
use crate::{Error, Failure};

/// What became of a dataset.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) dataset: i64,
    pub(crate) seconds: f64,
    pub(crate) outcome: Result<Done, Failure>,
}

/// A dataset that was converted and proved.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Files of the set as they were read, the entry first.
    pub(crate) files: Vec<SourceFile>,
    /// Documents that went into the record.
    pub(crate) sidecars: Vec<SourceFile>,
    /// Documents that describe the dataset, and did not go into the record.
    pub(crate) beside: Vec<SourceFile>,
    pub(crate) settings: String,
    pub(crate) images: u64,
    pub(crate) pixel_bytes: u64,
    pub(crate) objects: u64,
    pub(crate) stored_bytes: u64,
    /// The digest of the store's manifest.
    pub(crate) digest: Option<String>,
    pub(crate) proofs: String,
    pub(crate) coverage: Option<String>,
    pub(crate) quality: Option<String>,
    pub(crate) not_carried: Option<String>,
    pub(crate) warnings: Option<String>,
}

/// A file as it was when a dataset was done.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) stat: Stat,
    pub(crate) sha256: Option<String>,
}

impl State {
    /// Begins a run.
    pub(crate) fn begin(&mut self, program: &str, settings: &str) -> Result<i64, Error> {
        self.db
            .execute(
                "INSERT INTO runs (started, program, settings) VALUES (?1, ?2, ?3)",
                params![now(), program, settings],
            )
            .map_err(|error| self.failed(error))?;
        Ok(self.db.last_insert_rowid())
    }

    /// Ends a run.
    pub(crate) fn end(&mut self, run: i64, outcome: &str) -> Result<(), Error> {
        self.db
            .execute("UPDATE runs SET ended = ?2, outcome = ?3 WHERE id = ?1", params![run, now(), outcome])
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Records what became of some datasets, all or none of them.
    pub(crate) fn record(&mut self, run: i64, finished: &[Finished]) -> Result<(), Error> {
        let place = self.place.clone();
        let failed = |source| super::at(&place, source);
        let transaction = self.db.transaction().map_err(failed)?;
        for one in finished {
            record(&transaction, run, one).map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// Writes a copy of the state that needs nothing beside it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn export(&self, path: &std::path::Path) -> Result<(), Error> {
        let text = path.to_string_lossy();
        self.db.execute("VACUUM INTO ?1", [text.as_ref()]).map_err(|error| self.failed(error))?;
        Ok(())
    }
}

fn record(db: &Connection, run: i64, one: &Finished) -> rusqlite::Result<()> {
    let (class, cause) = match &one.outcome {
        Ok(_) => (None, None),
        Err(failure) => (Some(failure.class.name()), Some(failure.cause.as_str())),
    };
    db.prepare_cached(
        "INSERT INTO attempts (dataset, run, finished, seconds, class, cause) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![one.dataset, run, now(), rounded(one.seconds), class, cause])?;
    if let Ok(done) = &one.outcome {
        return record_done(db, run, one, done);
    }
    db.prepare_cached(
        "UPDATE datasets SET state = 'failed', class = ?2, cause = ?3, seconds = ?4, finished = ?5, run = ?6 WHERE id = ?1",
    )?
    .execute(params![one.dataset, class, cause, rounded(one.seconds), now(), run])?;
    Ok(())
}

fn record_done(db: &Connection, run: i64, one: &Finished, done: &Done) -> rusqlite::Result<()> {
    let source: i64 = db
        .prepare_cached("SELECT f.source FROM datasets d JOIN files f ON f.id = d.entry WHERE d.id = ?1")?
        .query_row([one.dataset], |row| row.get(0))?;
    db.prepare_cached("DELETE FROM members WHERE dataset = ?1")?.execute([one.dataset])?;
    let files = done
        .files
        .iter()
        .map(|file| ("file", file))
        .chain(done.sidecars.iter().map(|file| ("sidecar", file)))
        .chain(done.beside.iter().map(|file| ("beside", file)));
    for (kind, file) in files {
        let role = if kind == "file" { "member" } else { "sidecar" };
        let id: i64 = db
            .prepare_cached(
                "INSERT INTO files (source, path, role, bytes, modified, sha256, run) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (source, path) DO UPDATE SET bytes = excluded.bytes, modified = excluded.modified,
                 sha256 = excluded.sha256 RETURNING id",
            )?
            .query_row(
                params![
                    source,
                    file.path,
                    role,
                    file.stat.bytes as i64,
                    file.stat.modified,
                    file.sha256.as_deref().and_then(digest_bytes),
                    run
                ],
                |row| row.get(0),
            )?;
        db.prepare_cached("INSERT OR REPLACE INTO members (dataset, file, kind) VALUES (?1, ?2, ?3)")?
            .execute(params![one.dataset, id, kind])?;
    }
    db.prepare_cached(
        "UPDATE datasets SET state = 'done', class = NULL, cause = NULL, settings = ?2, images = ?3, pixel_bytes = ?4,
         objects = ?5, stored_bytes = ?6, digest = ?7, proofs = ?8, coverage = ?9, quality = ?10, not_carried = ?11,
         warnings = ?12, seconds = ?13, finished = ?14, run = ?15 WHERE id = ?1",
    )?
    .execute(params![
        one.dataset,
        done.settings,
        done.images as i64,
        done.pixel_bytes as i64,
        done.objects as i64,
        done.stored_bytes as i64,
        done.digest.as_deref().and_then(digest_bytes),
        done.proofs,
        done.coverage,
        done.quality,
        done.not_carried,
        done.warnings,
        rounded(one.seconds),
        now(),
        run
    ])?;
    Ok(())
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1e4).round() / 1e4
}
