//! The file, and how it is brought up to date.

use fairzarr_nbo::{Record, ingest, placement};
use fairzarr_ome_zarr::keys;
use fairzarr_store::{Location, Store, StoreOptions};
use fairzarr_task::{Job, in_order};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value as Json;
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use crate::Error;
use crate::documents::{self, Documents};
use crate::error::Unread;
use crate::row::{Writer, text, whole};
use crate::schema;

/// Stores that are read at the same time. Their metadata are what the memory is for.
const AT_ONCE: usize = 8;

/// How long another process that writes is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Choices for [`Catalog::update`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// A row for every plane too.
    pub planes: bool,
}

/// What an update did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Stores whose rows were written.
    pub read: usize,
    /// Stores that are as they were.
    pub unchanged: usize,
    /// Stores that cannot be read, and why. What was known of them stays.
    pub failed: Vec<(String, String)>,
}

/// A catalogue.
#[derive(Debug)]
pub struct Catalog {
    pub(crate) db: Connection,
    pub(crate) place: String,
}

impl Settings {
    /// Without planes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a row for every plane.
    #[must_use]
    pub fn with_planes(self, planes: bool) -> Self {
        Self { planes }
    }
}

impl Catalog {
    /// Opens a catalogue, or makes one.
    ///
    /// # Errors
    /// [`Error::Foreign`] when the file is something else, [`Error::Version`] when other tables are in it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let place = path.display().to_string();
        let of = |source| Error::of(&place, source);
        let db = Connection::open(path).map_err(of)?;
        db.busy_timeout(PATIENCE).map_err(of)?;
        db.pragma_update(None, "foreign_keys", true).map_err(of)?;
        let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(of);
        let tables: i64 =
            db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(of)?;
        if tables == 0 && number("application_id")? == 0 {
            let statements = format!("BEGIN EXCLUSIVE; {} COMMIT;", schema::statements());
            db.execute_batch(&statements).map_err(of)?;
        } else if number("application_id")? != schema::APPLICATION {
            return Err(Error::Foreign(place));
        }
        let found = number("user_version")?;
        if found != schema::VERSION {
            return Err(Error::Version { place, found, expected: schema::VERSION });
        }
        Ok(Self { db, place })
    }

    /// Reads stores, a few at a time, and writes the rows of those that have changed, each in one transaction. A store that
    /// cannot be read is reported, and stops no other.
    ///
    /// # Errors
    /// When the catalogue cannot be written, or the job is cancelled.
    pub fn update(
        &mut self,
        stores: &[Location],
        settings: &Settings,
        options: &StoreOptions,
        job: &Job,
    ) -> Result<Report, Error> {
        let salt = format!("{} {}", schema::VERSION, if settings.planes { "planes" } else { "" });
        let mut report = Report::default();
        for some in stores.chunks(AT_ONCE) {
            let mut known = Vec::new();
            for location in some {
                let before = "SELECT fingerprint FROM stores WHERE location = ?";
                let before = self.db.query_row(before, [location.to_string()], |row| row.get(0)).optional();
                known.push((location, before.map_err(|source| Error::of(&self.place, source))?));
            }
            let read = in_order(known, AT_ONCE, |(location, before): (&Location, Option<String>)| {
                job.cancel.check()?;
                let read = Store::open(location, options)
                    .map_err(Unread::from)
                    .and_then(|store| documents::read(&store, &salt, before.as_deref()));
                Ok::<_, Error>((location.to_string(), read))
            })?;
            for (location, documents) in read {
                job.cancel.check()?;
                let written = match documents {
                    Ok(None) => {
                        report.unchanged += 1;
                        self.forget_problem(&location)?;
                        continue;
                    }
                    Ok(Some(documents)) => self.write(&location, &documents, *settings),
                    Err(error) => Ok(Err(error)),
                };
                match written? {
                    Ok(()) => report.read += 1,
                    Err(error) => {
                        let reason = error.to_string();
                        let statement = "INSERT OR REPLACE INTO problems VALUES (?, ?)";
                        let done = self.db.execute(statement, params![location, reason]);
                        done.map_err(|source| Error::of(&self.place, source))?;
                        report.failed.push((location, reason));
                    }
                }
            }
        }
        Ok(report)
    }

    /// Takes out the stores at and below a place that are not among `there`; how many.
    ///
    /// # Errors
    /// When the catalogue cannot be written.
    pub fn remove_missing(&mut self, place: &Location, there: &[Location]) -> Result<usize, Error> {
        let of = |source| Error::of(&self.place, source);
        let there: HashSet<String> = there.iter().map(ToString::to_string).collect();
        let place = place.to_string();
        let below = format!("{}/", place.trim_end_matches('/'));
        let change = self.db.unchecked_transaction().map_err(of)?;
        let mut removed = 0;
        for table in ["stores", "problems"] {
            let mut rows = change.prepare(&format!("SELECT location FROM {table}")).map_err(of)?;
            let known = rows.query_map([], |row| row.get::<_, String>(0)).map_err(of)?;
            let known: Vec<String> = known.collect::<Result<_, _>>().map_err(of)?;
            for location in known {
                if (location == place || location.starts_with(&below)) && !there.contains(&location) {
                    let statement = format!("DELETE FROM {table} WHERE location = ?");
                    change.execute(&statement, [&location]).map_err(of)?;
                    removed += usize::from(table == "stores");
                }
            }
        }
        change.commit().map_err(of)?;
        Ok(removed)
    }

    /// Writes the rows of a store in place of those that it had. The inner error is one of the store.
    fn write(
        &mut self,
        location: &str,
        documents: &Documents,
        settings: Settings,
    ) -> Result<Result<(), Unread>, Error> {
        let record = match record(documents) {
            Ok(record) => record,
            Err(error) => return Ok(Err(error)),
        };
        let place = &self.place;
        let of = |source| Error::of(place, source);
        let change = self.db.transaction().map_err(of)?;
        change.execute("DELETE FROM stores WHERE location = ?", [location]).map_err(of)?;
        rows(&change, location, documents, &record, settings).map_err(of)?;
        change.execute("DELETE FROM problems WHERE location = ?", [location]).map_err(of)?;
        change.commit().map_err(of)?;
        Ok(Ok(()))
    }

    fn forget_problem(&self, location: &str) -> Result<(), Error> {
        let done = self.db.execute("DELETE FROM problems WHERE location = ?", [location]);
        done.map(drop).map_err(|source| Error::of(&self.place, source))
    }
}

/// All rows of a store.
fn rows(
    db: &Connection,
    location: &str,
    documents: &Documents,
    record: &Record,
    settings: Settings,
) -> rusqlite::Result<()> {
    let root = &documents.root;
    let conversion = root.get(keys::CONVERSION).cloned().unwrap_or_default();
    let version = documents.images.first().and_then(|image| {
        let (version, ..) = fairzarr_ngff::parse_image(&image.attributes).ok()?;
        Some(version.to_string())
    });
    let mut writer = Writer { db, store: 0 };
    writer.store = writer.add(
        "stores",
        &[
            ("location", text(Some(location))),
            ("fingerprint", text(Some(&documents.fingerprint))),
            ("ngff_version", text(version.as_deref())),
            ("program", text(conversion["program"].as_str())),
            ("program_version", text(conversion["version"].as_str())),
            ("images", whole(Some(documents.images.len() as u64))),
        ],
    )?;
    for source in fairzarr_ome_zarr::recorded(root) {
        // The list of the conversion and that of the record name their members differently.
        let member = |names: [&str; 2]| {
            text(names.into_iter().find_map(|name| source.get(name).and_then(Json::as_str)))
        };
        writer.add(
            "sources",
            &[
                ("store_id", Value::Integer(writer.store)),
                ("path", member(["path", "path"])),
                ("name", member(["file", "name"])),
                ("role", member(["role", "form"])),
                ("media_type", member(["media_type", "mediaType"])),
                ("sha256", member(["sha256", "sha256"])),
                ("size_bytes", whole(source.get("bytes").and_then(Json::as_u64))),
            ],
        )?;
    }
    let hardware = writer.hardware(record)?;
    let images = writer.images(documents, record, &hardware, settings.planes)?;
    writer.quality(record, &hardware)?;
    if let Some(document) = &documents.metadata {
        // Ours are the document's in its order, further ones last; of what others have written that is known only where there are as
        // many.
        let is_ours = root.contains_key(keys::CONVERSION);
        let known = is_ours || document.ome().images.len() == images.len();
        writer.annotations(document, if known { &images } else { &[] })?;
    }
    Ok(())
}

/// The record of a store; of one without what its OME-XML says.
fn record(documents: &Documents) -> Result<Record, Unread> {
    let Documents { root, images, metadata, .. } = documents;
    if root.contains_key("nbo:record") {
        let below = images.iter().filter(|image| !image.path.is_empty()).map(|image| &image.attributes);
        return Ok(placement::read(root, below)?.record);
    }
    let Some(document) = metadata else { return Ok(Record::default()) };
    let mut record = ingest::from_ome(document);
    // The document's images are the store's in the order of both, unless it has others too.
    if record.in_store.as_ref().is_none_or(|held| held.len() != images.len()) {
        record.in_store = None;
    }
    Ok(record)
}
