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
//! assert!(outcome.results.starts_with(br#"{"type":"field","#));
//! ```

mod advice;
mod args;
mod caller;
mod commands;
mod exit;
mod mistake;
mod print;
mod progress;
mod source;
mod telling;
mod time;

use std::ffi::OsString;
use std::time::Instant;

use args::Args;
pub use caller::{CallProgress, Caller, Outcome};
use exit::Code;
use fairzarr_task::shown;
use serde_json::json;

/// Runs the program on a command line whose first word is the program's name, and gives its exit code. Ends the process
/// itself for `--help` and `--version`.
pub fn main(words: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = words.into_iter().collect();
    let (code, _) = match Args::of_words(&words) {
        Ok(args) => perform(args, &words),
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            telling::begin_without(asks_for_json(&words));
            let message = mistake::message(&error, &words);
            mistake::show(&error, &message, &words);
            fail(Code::Usage, &message, None, None)
        }
    };
    code as u8
}

/// Runs one command on this thread for another program: the words of a command line without the program's name. Nothing
/// is printed, no signal handler is installed, and the process is not ended.
pub fn call<T: Into<OsString>>(words: impl IntoIterator<Item = T>, caller: &Caller) -> Outcome {
    let words: Vec<OsString> =
        std::iter::once("fairzarr".into()).chain(words.into_iter().map(Into::into)).collect();
    let (code, failure) = caller.during(|| match Args::of_words(&words) {
        Ok(args) => perform(args, &words),
        Err(error) => {
            telling::begin_without(asks_for_json(&words));
            fail(Code::Usage, &mistake::message(&error, &words), None, None)
        }
    });
    let (results, notes) = caller.printed();
    Outcome { code: code as u8, failure, results, notes }
}

/// Runs a command, and tells how it ended.
fn perform(args: Args, words: &[OsString]) -> (Code, Option<String>) {
    let began = Instant::now();
    if let Err(error) = telling::begin(args.command.name(), &args.telling) {
        telling::begin_without(args.telling.json);
        let path = args.telling.log_file.unwrap_or_default();
        let message = format!("the log {} cannot be opened: {error}", path.display());
        print::failure(&message);
        return fail(Code::Output, &message, None, None);
    }
    let place = args.command.place();
    print::detail(format_args!("version {}: {}", env!("CARGO_PKG_VERSION"), mistake::without_secrets(words)));
    let (code, failure) = match commands::run(args) {
        Ok(Code::Interrupted) if telling::is_json() && !telling::has_ended() => {
            let message = telling::last_remark().unwrap_or_else(|| Code::Interrupted.meaning().into());
            let (code, _) = fail(Code::Interrupted, &message, None, place.as_deref());
            (code, None)
        }
        Ok(code) => (code, None),
        Err(failure) => {
            let message = failure.to_string();
            print::failure(&message);
            fail(failure.code(), &message, failure.class(), place.as_deref())
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    print::detail(format_args!("exit code {} ({}) after {seconds:.2} s", code as u8, code.name()));
    (code, failure)
}

/// Tells programs of a failure. If that fails too, there is nobody left to tell.
fn fail(code: Code, message: &str, class: Option<&str>, path: Option<&str>) -> (Code, Option<String>) {
    if telling::is_json() {
        let line = telling::outcome("error", code, path, json!({"message": message, "class": class}));
        let _ = print::json_line(&line);
    }
    (code, Some(shown(message).into_owned()))
}

/// Whether a command line that cannot be read asks for JSON.
fn asks_for_json(words: &[OsString]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
}
