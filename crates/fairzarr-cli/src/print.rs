//! The only place that prints, to readers who may have gone and disks that may be full. Another program that calls a command takes
//! the lines itself.
//!
//! Standard output has the result: text for people, or lines of JSON. Whatever else is to be said goes to standard error. Names and
//! messages come from files, stores and servers: a line is one line, whatever is in it, and nothing in it acts on the terminal that
//! shows it ([`fairzarr_task::shown`]). JSON keeps its values, and a document its bytes.

use fairzarr_task::{shown, shown_json};
use serde_json::Value;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use crate::caller::Caller;
use crate::exit::{Code, Failure};
use crate::telling;

/// A line of a result that was asked for, on standard output. A closed pipe, as in `fairzarr inspect x | head`, is not an error.
pub(crate) fn result(line: fmt::Arguments<'_>) -> Result<(), Failure> {
    whole_line(&shown(&line.to_string()))
}

/// A line on what was written, which those who want quiet do not get.
pub(crate) fn summary(line: fmt::Arguments<'_>) -> Result<(), Failure> {
    telling::log("info", &line.to_string());
    if telling::is_quiet() { Ok(()) } else { result(line) }
}

/// A text of several lines, in which what comes from elsewhere ends no line.
pub(crate) fn lines(text: &str) -> Result<(), Failure> {
    text.trim_end().lines().try_for_each(|line| whole_line(&shown(line)))
}

/// JSON for people, over several lines.
pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    whole_line(&shown_json(&format!("{value:#}")))
}

/// JSON on one line.
pub(crate) fn json_line(value: &Value) -> Result<(), Failure> {
    whole_line(&shown_json(&value.to_string()))
}

/// A line of JSON on the way to the outcome, of a type that has a schema.
pub(crate) fn event(kind: &str, members: Value) -> Result<(), Failure> {
    json_line(&telling::line(kind, members))
}

/// The line of JSON that ends a command, of a type that has a schema. `path` is what the command made or looked at.
pub(crate) fn outcome(kind: &str, code: Code, path: &str, members: Value) -> Result<Code, Failure> {
    json_line(&telling::outcome(kind, code, Some(path), members))?;
    Ok(code)
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
/// A line on something that was tolerated or left out, for the user and for the outcome.
pub(crate) fn warning(text: fmt::Arguments<'_>) {
    let text = text.to_string();
    telling::log("warning", &text);
    if !telling::is_silent() {
        note(format_args!("fairzarr: warning: {text}"));
    }
    telling::keep_warning(text);
}

/// A line that is good to know, for the user and for the outcome.
pub(crate) fn remark(text: fmt::Arguments<'_>) {
    let text = text.to_string();
    telling::log("info", &text);
    if !telling::is_quiet() {
        note(format_args!("fairzarr: {text}"));
    }
    telling::keep_remark(text);
}

/// A line on what is being done, for those who want to know.
pub(crate) fn detail(text: fmt::Arguments<'_>) {
    let text = text.to_string();
    telling::log("detail", &text);
    if telling::is_verbose() {
        note(format_args!("fairzarr: {text}"));
    }
}

/// Why a command failed, which everybody gets; another program that calls the command has it with the outcome.
pub(crate) fn failure(text: &str) {
    telling::log("error", text);
    if Caller::current().is_none() {
        note(format_args!("fairzarr: {text}"));
    }
}
