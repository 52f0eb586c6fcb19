//! `fairzarr catalog`: tables over many stores.

use fairzarr_catalog::{Catalog, Found, Settings, stores_below};
use fairzarr_store::{Location, Store};
use fairzarr_task::Job;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::convert::stop_on_signal;
use crate::args::CatalogArgs;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;
use crate::telling;

/// The catalogue of a directory of tables.
const IN_DIRECTORY: &str = "catalog.sqlite";

pub(crate) fn run(args: &CatalogArgs) -> Result<Code, Failure> {
    let start = Instant::now();
    let target = Target::of(&args.to)?;
    let job = Job::new();
    let mut places = Vec::new();
    for text in &args.place {
        places.push(absolute(text)?);
    }
    if let Some(first) = places.first() {
        let store = Store::open(first, &source::source_options(&args.store, first));
        stop_on_signal(&job.cancel, &store.map_err(|error| Failure::new(Code::Input, error))?);
    }
    // Everything is looked for before anything is written: a place that cannot be listed has lost nothing.
    let mut found = Vec::new();
    for place in places {
        let below = stores_below(&place, &source::source_options(&args.store, &place));
        found.push((below.map_err(|error| Failure::from(error).about(&place.to_string()))?, place));
    }
    let mut catalog = Catalog::open(&target.file)?;
    let (mut read, mut unchanged, mut removed, mut failed) = (0, 0, 0, Vec::new());
    let settings = Settings::new().with_planes(args.planes);
    for (Found { stores, unfinished, .. }, place) in &found {
        for store in unfinished {
            print::warning(format_args!("{store} is not complete, and is passed over"));
        }
        if stores.is_empty() {
            // A share that is not mounted is an empty folder too.
            print::warning(format_args!("there is no store at {place}; what was known of it stays"));
        } else {
            removed += catalog.remove_missing(place, stores)?;
        }
        let options = source::source_options(&args.store, place);
        let report = catalog.update(stores, &settings, &options, &job)?;
        read += report.read;
        unchanged += report.unchanged;
        failed.extend(report.failed);
    }
    if let Some(directory) = &target.tables {
        catalog.export(directory)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let code = if failed.is_empty() { Code::Done } else { Code::SomeFailed };
    if telling::is_json() {
        let failed: Vec<_> =
            failed.iter().map(|(location, reason)| json!({"location": location, "reason": reason})).collect();
        let members = json!({
            "catalog": target.file.display().to_string(), "read": read, "unchanged": unchanged, "removed": removed,
            "failed": failed, "seconds": seconds,
        });
        return print::outcome("catalog", code, &args.to.to_string_lossy(), members);
    }
    for (location, reason) in &failed {
        print::note(format_args!("fairzarr: {location} cannot be read: {reason}"));
    }
    print::summary(format_args!(
        "{}: {read} stores read, {unchanged} unchanged, {removed} gone, {} not readable, {seconds:.2} s",
        args.to.display(),
        failed.len()
    ))?;
    Ok(code)
}

/// The file, and where its tables go as CSV.
struct Target {
    file: PathBuf,
    tables: Option<PathBuf>,
}

impl Target {
    fn of(to: &Path) -> Result<Self, Failure> {
        let ending = to.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
        match ending.as_str() {
            "sqlite" | "sqlite3" | "db" => Ok(Self { file: to.to_owned(), tables: None }),
            "duckdb" | "parquet" | "csv" => Err(Failure::usage(format!(
                "{}: a catalogue is an SQLite file (.sqlite), which DuckDB reads, or a directory of CSV tables",
                to.display()
            ))),
            _ => {
                std::fs::create_dir_all(to).map_err(|error| {
                    Failure::new(Code::Output, anyhow::Error::new(error).context(to.display().to_string()))
                })?;
                Ok(Self { file: to.join(IN_DIRECTORY), tables: Some(to.to_owned()) })
            }
        }
    }
}

/// A place under a name that means the same in whatever folder the program is run.
fn absolute(text: &str) -> Result<Location, Failure> {
    let location: Location =
        text.parse().map_err(|error: fairzarr_store::Error| Failure::new(Code::Usage, error))?;
    match location.as_path() {
        Some(path) => std::path::absolute(path)
            .map(Location::local)
            .map_err(|error| Failure::new(Code::Input, anyhow::Error::new(error).context(text.to_owned()))),
        None => Ok(location),
    }
}
