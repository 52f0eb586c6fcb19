//! One module per subcommand.

mod archive;
mod catalog;
mod certificate;
mod check;
mod conformance;
mod convert;
mod copy;
mod embed;
mod emit;
mod existing;
mod export;
mod extract;
mod inspect;
mod labels;
mod manual;
mod methods;
mod migrate;
mod nbo;
mod part;
mod provenance;
mod qc;
mod split;
mod upgrade;
mod validate;
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
        Command::Migrate(args) => migrate::run(&args),
        Command::Copy(args) => copy::run(&args),
        Command::Upgrade(args) => upgrade::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Conformance(args) => conformance::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Extract(args) => extract::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Qc(args) => qc::run(&args),
        Command::Catalog(args) => catalog::run(&args),
        Command::Embed(args) => embed::run(&args),
        Command::Methods(args) => methods::run(&args),
        Command::Nbo(args) => nbo::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::pages(&args),
    }
}
