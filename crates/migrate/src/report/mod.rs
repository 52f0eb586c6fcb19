//! Reports of a migration: for programs, line by line, and for spreadsheets.

mod html;
mod thumbnail;

use serde_json::{Value, json};
use std::collections::HashMap;

use crate::Error;
use crate::state::{Dataset, PathEntry, State, Totals};

pub use html::{THUMBNAILS, page};

/// Columns of the CSV table, which are members of the JSON lines too.
const COLUMNS: [&str; 16] = [
    "source",
    "path",
    "target",
    "state",
    "class",
    "cause",
    "images",
    "files",
    "source_bytes",
    "pixel_bytes",
    "objects",
    "stored_bytes",
    "digest",
    "seconds",
    "finished",
    "settings",
];

/// All datasets, one JSON object a line.
///
/// # Errors
/// When the state cannot be read.
pub fn json_lines(state: &State) -> Result<Vec<Value>, Error> {
    Ok(state.datasets()?.iter().map(as_json).collect())
}

/// All paths of the sources, one JSON object a line: what each is, and the entries of the datasets that it belongs to.
///
/// # Errors
/// When the state cannot be read.
pub fn path_lines(state: &State) -> Result<Vec<Value>, Error> {
    let datasets: HashMap<i64, Dataset> =
        state.datasets()?.into_iter().map(|dataset| (dataset.id, dataset)).collect();
    let line = |path: &PathEntry| {
        let of = path.datasets.iter().filter_map(|id| datasets.get(id));
        let of: Vec<Value> =
            of.map(|of| json!({"path": of.path, "target": of.target, "state": of.state.name()})).collect();
        json!({
            "type": "path", "source": path.source, "path": path.path, "role": path.role.name(), "cause": path.cause,
            "bytes": path.bytes, "link": path.link, "datasets": of,
        })
    };
    Ok(state.paths()?.iter().map(line).collect())
}

/// All datasets as a CSV table with a header.
///
/// # Errors
/// When the state cannot be read.
pub fn csv_table(state: &State) -> Result<Vec<u8>, Error> {
    let failed =
        |error: csv::Error| Error::Write { place: "the table".into(), source: std::io::Error::other(error) };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(failed)?;
    for dataset in state.datasets()? {
        let json = as_json(&dataset);
        let text = |column: &&str| match json.get(column) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        writer.write_record(COLUMNS.iter().map(text)).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| failed(error.into_error().into()))
}

/// Numbers over everything, as `status` tells them.
pub fn totals_json(totals: &Totals) -> Value {
    let states: serde_json::Map<_, _> =
        totals.states.iter().map(|(state, count)| (state.name().into(), (*count).into())).collect();
    let classes: serde_json::Map<_, _> =
        totals.classes.iter().map(|(class, count)| (class.name().into(), (*count).into())).collect();
    json!({
        "type": "status", "datasets": states, "causes": classes, "paths": totals.roles,
        "source_bytes": totals.source_bytes, "stored_bytes": totals.stored_bytes, "objects": totals.objects,
    })
}

/// A dataset as `docs/migrate.md` describes it.
fn as_json(dataset: &Dataset) -> Value {
    let parsed =
        |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({
        "type": "dataset",
        "source": dataset.source,
        "path": dataset.path,
        "target": dataset.target,
        "state": dataset.state.name(),
        "class": dataset.class.map(|class| class.name()),
        "cause": dataset.cause,
        "images": dataset.images,
        "files": dataset.files,
        "source_bytes": dataset.bytes,
        "pixel_bytes": dataset.pixel_bytes,
        "objects": dataset.objects,
        "stored_bytes": dataset.stored_bytes,
        "digest": dataset.digest,
        "seconds": dataset.seconds,
        "finished": dataset.finished,
        "settings": dataset.settings,
        "metadata": parsed(&dataset.extra),
        "proofs": parsed(&dataset.proofs),
        "coverage": parsed(&dataset.coverage),
        "quality": parsed(&dataset.quality),
        "not_carried": parsed(&dataset.not_carried),
        "warnings": parsed(&dataset.warnings),
    })
}
