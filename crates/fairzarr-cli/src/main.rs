//! The `fairzarr` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    fairzarr_cli::main(std::env::args_os()).into()
}
