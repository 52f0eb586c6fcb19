//! The `fairzarr` program.

mod args;
mod commands;
mod exit;
mod print;
mod progress;
mod source;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args = args::Args::of_command_line();
    match commands::run(args) {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            print::note(format_args!("fairzarr: {failure}"));
            failure.code().into()
        }
    }
}
