//! Calls of the program's commands.

use fairzarr_cli::Caller;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::OsString;

/// Exit code, failure, results and notes.
type Ended<'py> = (u8, Option<String>, Bound<'py, PyBytes>, Vec<String>);

/// One call: it runs on the thread that asks for it, and other threads watch and stop it.
#[pyclass(frozen)]
#[derive(Default)]
pub(crate) struct Call(Caller);

#[pymethods]
impl Call {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Runs the command of these words; gives exit code, failure, results and notes.
    fn run<'py>(&self, py: Python<'py>, words: Vec<OsString>) -> Ended<'py> {
        let outcome = py.detach(|| fairzarr_cli::call(words, &self.0));
        (outcome.code, outcome.failure, PyBytes::new(py, &outcome.results), outcome.notes)
    }

    /// Asks the command to stop; tells whether there is work that will heed it.
    fn stop(&self, py: Python<'_>) -> bool {
        py.detach(|| self.0.stop())
    }

    /// Bytes done, in all and written, and objects written; `None` before work has begun.
    fn progress(&self, py: Python<'_>) -> Option<(u64, u64, u64, u64)> {
        let progress = py.detach(|| self.0.progress())?;
        Some((progress.done, progress.total, progress.written, progress.objects))
    }
}
