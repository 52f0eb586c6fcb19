//! The `fairzarr` program as a library: its own `main`, and calls of its commands from another program.
//!
//! A call takes the words of a command line and gives what the program would have printed, so that an option means the
//! same wherever it is said, and a result is the JSON that the program documents. The Python package is such a caller.
//!
//! ```
//! use fairzarr_cli::{Caller, call};
//!
//! let caller = Caller::new();
//! // Another thread may hold a clone, read `caller.progress()` from it, and stop the call by `caller.stop()`.
//! let outcome = call(["nbo", "fields", "--tier", "1", "--json"], &caller);
//! assert_eq!((outcome.code, outcome.failure), (0, None));
//! assert!(outcome.results.starts_with(b"["));
//! ```

mod args;
mod caller;
mod commands;
mod exit;
mod print;
mod progress;
mod source;

use std::ffi::OsString;

pub use caller::{CallProgress, Caller, Outcome};
use exit::Code;
use fairzarr_task::shown;

/// Runs the program on a command line whose first word is the program's name, and gives its exit code. Ends the process
/// itself for `--help`, `--version` and command lines that make no sense.
pub fn main(words: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = words.into_iter().collect();
    let args = match args::Args::of_words(words.clone()) {
        Ok(args) => args,
        Err(error) if words.iter().all(|word| shown(&word.to_string_lossy()) == word.to_string_lossy()) => {
            error.exit()
        }
        Err(error) => {
            // The parser repeats words as they are, and a pattern of the shell makes words of names.
            print::note(format_args!("{}", error.to_string().trim_end()));
            return Code::Usage as u8;
        }
    };
    match commands::run(args) {
        Ok(code) => code as u8,
        Err(failure) => {
            print::note(format_args!("fairzarr: {failure}"));
            failure.code() as u8
        }
    }
}

/// Runs one command on this thread for another program: the words of a command line without the program's name. Nothing
/// is printed, no signal handler is installed, and the process is not ended.
pub fn call<T: Into<OsString>>(words: impl IntoIterator<Item = T>, caller: &Caller) -> Outcome {
    let words = std::iter::once("fairzarr".into()).chain(words.into_iter().map(Into::into));
    let (code, failure) = caller.during(|| match args::Args::of_words(words) {
        Ok(args) => match commands::run(args) {
            Ok(code) => (code, None),
            Err(failure) => (failure.code(), Some(shown(&failure.to_string()).into_owned())),
        },
        Err(error) => (Code::Usage, Some(shown(&first_sentence(&error.to_string())).into_owned())),
    });
    let (results, notes) = caller.printed();
    Outcome { code: code as u8, failure, results, notes }
}

/// What is wrong with a command line, without the usage lines that follow.
fn first_sentence(error: &str) -> String {
    let text = error.split("\n\n").next().unwrap_or(error);
    text.trim_start_matches("error: ").trim().to_owned()
}
