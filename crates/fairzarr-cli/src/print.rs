//! Printing that survives a reader who has gone and a disk that is full. Another program that calls a command takes the lines itself.

use std::fmt;
use std::io::{self, Write};

use crate::caller::Caller;
use crate::exit::{Code, Failure};

/// A line of a result, on standard output. A closed pipe, as in `fairzarr inspect x | head`, is not an error.
pub(crate) fn result(line: fmt::Arguments<'_>) -> Result<(), Failure> {
    if let Some(caller) = Caller::current() {
        caller.take_result(line);
        return Ok(());
    }
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Code::Output,
            anyhow::Error::new(error).context("cannot write to standard output"),
        )),
        _ => Ok(()),
    }
}

/// A document that is the result, byte for byte.
pub(crate) fn document(bytes: &[u8]) -> Result<(), Failure> {
    if let Some(caller) = Caller::current() {
        caller.take_document(bytes);
        return Ok(());
    }
    match io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Code::Output,
            anyhow::Error::new(error).context("cannot write to standard output"),
        )),
        _ => Ok(()),
    }
}

/// A line for the user, on standard error. If that fails there is nobody left to tell.
pub(crate) fn note(line: fmt::Arguments<'_>) {
    if let Some(caller) = Caller::current() {
        caller.take_note(line);
        return;
    }
    let _ = writeln!(io::stderr(), "{line}");
}
