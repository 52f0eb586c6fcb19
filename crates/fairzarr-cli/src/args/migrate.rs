//! Arguments of the archive job.

use clap::{Args as ClapArgs, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

use super::parse::parse_jobs;
use super::{ConvertChoices, OutputArgs, StoreArgs};

#[derive(Debug, ClapArgs)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "fairzarr migrate [OPTIONS] SOURCE... TARGET\n       fairzarr migrate --from TABLE TARGET\n       \
                      fairzarr migrate status|report|deletable|verify TARGET"
)]
pub(crate) struct Migrate {
    #[command(subcommand)]
    pub(crate) action: Option<Action>,
    #[command(flatten)]
    pub(crate) job: Job,
}

/// What is migrated, and how.
#[derive(Debug, ClapArgs)]
pub(crate) struct Job {
    /// Folders, files or prefixes of object stores, and at last the place that the stores go to. A source that is called
    /// like a subcommand is written with its folder: ./status
    #[arg(value_name = "SOURCE... TARGET", required = true)]
    pub(crate) paths: Vec<OsString>,
    /// Look only at files that match; * does not cross a /, ** does; without / it is about names at any depth. May be repeated.
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// Leave out what matches, folders with all that is in them. May be repeated.
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// CSV table with a column `source`, and of each what else is said: target, settings, sidecars, metadata. Without a
    /// SOURCE, what it names is what is migrated.
    #[arg(long, value_name = "TABLE")]
    pub(crate) from: Option<PathBuf>,
    /// Where each dataset goes below the target, from {dir}, {stem}, {name}, {source} and {image}.
    #[arg(long, value_name = "TEMPLATE", default_value = "{dir}/{stem}.ome.zarr")]
    pub(crate) name: String,
    /// Try again what failed by this cause, such as damaged or changed; may be repeated. Causes that may pass by themselves
    /// are tried again anyway. `changed` replaces stores whose sources are others by now.
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    pub(crate) retry: Vec<String>,
    /// Show what there is and what would be done, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) choices: ConvertChoices,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Where the state is.
#[derive(Debug, ClapArgs)]
pub(crate) struct Place {
    /// File that keeps the state [default: fairzarr-migration.sqlite in the target; for object stores one in this user's
    /// folder of states, of which a copy goes to the target at the end].
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Show how far a migration is.
    Status(Status),
    /// Write what was done and why not: a page, a table for spreadsheets, or a JSON object a line.
    Report(Report),
    /// List the originals that are proven whole, hashed again, as `sha256sum --check` reads it. Deletes nothing.
    Deletable(Deletable),
    /// Prove all stores of a migration again.
    Verify(Recheck),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Status {
    /// Target of the migration.
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Report {
    /// Target of the migration.
    pub(crate) target: String,
    /// Write one HTML page with totals, causes, proofs and thumbnails, that needs nothing beside it.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Datasets of which the page shows thumbnails.
    #[arg(long, value_name = "COUNT", default_value_t = fairzarr_migrate::report::THUMBNAILS)]
    pub(crate) thumbnails: usize,
    /// Write a CSV table; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Write a JSON object for each dataset, one a line; - is standard output [default].
    #[arg(long, value_name = "FILE")]
    pub(crate) jsonl: Option<PathBuf>,
    /// Tell of every path instead of every dataset: what it is, and why.
    #[arg(long, conflicts_with_all = ["csv", "html"])]
    pub(crate) paths: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Deletable {
    /// Target of the migration.
    pub(crate) target: String,
    /// Also write the list as a BagIt bag, a new folder: checksums, which store holds what, what is kept and why.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) bag: Option<PathBuf>,
    /// Keep also originals of which a page, a level or an attached file is not in the store, though the store says so.
    #[arg(long)]
    pub(crate) complete: bool,
    /// Threads [default: one per core].
    #[arg(long, short, value_parser = parse_jobs)]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Recheck {
    /// Target of the migration.
    pub(crate) target: String,
    /// Compare with the sources, not only with what was recorded.
    #[arg(long)]
    pub(crate) sources: bool,
    /// Stores at a time [default: one per core].
    #[arg(long, short, value_parser = parse_jobs)]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
