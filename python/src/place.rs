//! Places and what goes wrong with them, between the library and Python.

use fairzarr::store::{Location, StoreOptions};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// Reads a path or URL, and the settings of the client for it.
pub(crate) fn location(text: &str, options: Vec<(String, String)>) -> PyResult<(Location, StoreOptions)> {
    let location = text.parse().map_err(failed)?;
    Ok((location, StoreOptions { options, ..StoreOptions::default() }))
}

/// An error with all its causes; Python makes its own exception of it.
pub(crate) fn failed(error: impl std::error::Error) -> PyErr {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some errors repeat their source's text; once is enough.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    PyOSError::new_err(text)
}
