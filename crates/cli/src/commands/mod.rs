//! One module per subcommand.

mod convert;
mod copy;
mod extract;
mod inspect;
mod split;
mod verify;

use crate::args::{Args, Command};
use crate::exit::{Code, Failure};

/// Runs the subcommand.
pub(crate) fn run(args: Args) -> Result<Code, Failure> {
    match args.command {
        Command::Convert(args) => convert::run(&args),
        Command::Plan(args) => split::plan(&args),
        Command::Run(args) => split::run(&args),
        Command::Commit(args) => split::commit(&args),
        Command::Copy(args) => copy::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Extract(args) => extract::run(&args),
    }
}
