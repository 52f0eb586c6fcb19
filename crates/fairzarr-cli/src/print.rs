//! The only place that prints, to readers who may have gone and disks that may be full. Another program that calls a command takes
//! the lines itself.
//!
//! Names and messages come from files, stores and servers: a line is one line, whatever is in it, and nothing in it acts on the
//! terminal that shows it ([`fairzarr_task::shown`]). JSON keeps its values, and a document its bytes.

use fairzarr_task::{shown, shown_json};
use serde_json::Value;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use crate::caller::Caller;
use crate::exit::{Code, Failure};

/// A line of a result, on standard output. A closed pipe, as in `fairzarr inspect x | head`, is not an error.
pub(crate) fn result(line: fmt::Arguments<'_>) -> Result<(), Failure> {
    whole_line(&shown(&line.to_string()))
}

/// A text of several lines, in which what comes from elsewhere ends no line.
pub(crate) fn lines(text: &str) -> Result<(), Failure> {
    text.trim_end().lines().try_for_each(|line| whole_line(&shown(line)))
}

/// JSON that is the whole result, over several lines.
pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    whole_line(&shown_json(&format!("{value:#}")))
}

/// JSON on one line, of which there may be many.
pub(crate) fn json_line(value: &Value) -> Result<(), Failure> {
    whole_line(&shown_json(&value.to_string()))
}

/// A document that is the result, byte for byte; on a terminal its lines are shown like all others.
pub(crate) fn document(bytes: &[u8]) -> Result<(), Failure> {
    if let Some(caller) = Caller::current() {
        caller.take_document(bytes);
        return Ok(());
    }
    if io::stdout().is_terminal() {
        return lines(&String::from_utf8_lossy(bytes));
    }
    written(io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()))
}

/// A line for the user, on standard error. If that fails there is nobody left to tell.
pub(crate) fn note(line: fmt::Arguments<'_>) {
    let line = line.to_string();
    let line = shown(&line);
    if let Some(caller) = Caller::current() {
        caller.take_note(&line);
        return;
    }
    let _ = writeln!(io::stderr(), "{line}");
}

fn whole_line(line: &str) -> Result<(), Failure> {
    if let Some(caller) = Caller::current() {
        caller.take_result(line);
        return Ok(());
    }
    written(writeln!(io::stdout(), "{line}"))
}

fn written(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Code::Output,
            anyhow::Error::new(error).context("cannot write to standard output"),
        )),
        _ => Ok(()),
    }
}
