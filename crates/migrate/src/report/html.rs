//! The report as one page that needs nothing beside it: no script, style or image from elsewhere.

use fairzarr::store::{Location, StoreOptions};
use fairzarr::task::{Job, shown_json};
use serde_json::{Value, json};
use std::collections::HashMap;

use super::{as_json, thumbnail};
use crate::Error;
use crate::side_by_side::side_by_side;
use crate::state::{Dataset, DatasetState, State, now};

/// Datasets that get thumbnails unless more are asked for: a page of ten thousand would be slow to open.
pub const THUMBNAILS: usize = 500;

/// The page, with thumbnails of the first `thumbnails` datasets that are done.
///
/// # Errors
/// When the state cannot be read or the job is cancelled. A store without thumbnails is no error.
pub fn page(
    state: &State,
    target: &Location,
    options: &StoreOptions,
    thumbnails: usize,
    job: &Job,
) -> Result<String, Error> {
    let datasets = state.datasets()?;
    let done = datasets.iter().filter(|dataset| dataset.state == DatasetState::Done);
    let shown: Vec<&Dataset> = done.take(thumbnails).collect();
    job.progress.expect(shown.len() as u64);
    let look = |dataset: &&Dataset| {
        let made = thumbnail::of_store(&target.join(&dataset.target), options);
        job.progress.advance(1);
        (dataset.id, made)
    };
    let pictures = side_by_side(&shown, job, |dataset| dataset.target.clone(), look)?;
    let mut pictures: HashMap<i64, Vec<String>> = pictures.into_iter().collect();
    let rows = datasets.iter().map(|dataset| {
        let mut row = as_json(dataset);
        row["thumbnails"] = pictures.remove(&dataset.id).unwrap_or_default().into();
        row
    });
    let data = json!({
        "target": target.to_string(),
        "program": concat!("fairzarr ", env!("CARGO_PKG_VERSION")),
        "made": now(),
        "totals": super::totals_json(&state.totals()?),
        "datasets": rows.collect::<Vec<Value>>(),
    });
    // Nothing that a file says of itself ends the script that holds it, or acts where the page is read as text.
    let text = shown_json(&data.to_string()).replace('<', "\\u003c");
    Ok(PAGE.replacen("{{DATA}}", &text, 1))
}

const PAGE: &str = include_str!("page.html");
