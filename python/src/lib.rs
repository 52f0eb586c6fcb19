//! The native part of the Python package `fairzarr`: calls of the program's commands, the metadata and samples of stores, and the
//! stored samples of OME-TIFF.
//!
//! Values cross as plain types and as JSON; what Python users see is in `fairzarr/*.py`. The interpreter is free while anything
//! here reads, writes or computes.

mod call;
mod place;
mod store;
mod tiff;

use pyo3::prelude::*;
use std::ffi::OsString;

#[pymodule]
mod _fairzarr {
    #[pymodule_export]
    use super::call::Call;
    #[pymodule_export]
    use super::main;
    #[pymodule_export]
    use super::store::{Array, Store};
    #[pymodule_export]
    use super::tiff::Tiff;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}

/// Runs the program on a command line whose first word is the program's name; gives its exit code.
#[pyfunction]
fn main(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| fairzarr_cli::main(words))
}
