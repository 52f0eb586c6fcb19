//! The command line, exactly as typed.

mod conversion;
mod examples;
mod migrate;
mod parse;
mod provenance;
mod stores;

use clap::parser::ValueSource;
use clap::{Args as ClapArgs, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use fairzarr_store::Durability;
use std::ffi::OsString;

pub(crate) use conversion::{
    BitArg, ChecksumArg, Convert, ConvertChoices, EmitArg, Planning, Preset, PyramidArg, Run, Split,
};
pub(crate) use migrate::{Action, Deletable, Job, Migrate, Place, Recheck, Report, Status};
pub(crate) use provenance::{
    Axes, CatalogArgs, Check, Embed, Fields, Methods, MethodsAs, Nbo, ProvenanceChoices, Qc, SidecarsArg,
};
pub(crate) use stores::{Conformance, ConformanceCase, Extract, Form, Inspect, SchemaArg, Validate, Verify};

use crate::exit::Code;
use parse::{parse_bytes, parse_durability, parse_jobs, parse_option, parse_time, parse_version};

/// OME-TIFF to OME-Zarr with nothing lost, and proof of it.
///
/// Every command takes --json, and ends with an exit code that tells a script what to do next.
#[derive(Debug, Parser)]
#[command(name = "fairzarr", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) telling: TellingArgs,
    /// Whether nothing is to be told while the command runs.
    #[arg(skip)]
    pub(crate) is_silent: bool,
}

/// How much is told, and in which form; the same for all commands.
#[derive(Debug, ClapArgs)]
pub(crate) struct TellingArgs {
    /// Print JSON for programs, one object a line, errors too.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Tell neither progress nor remarks nor what was written; twice, not even warnings.
    #[arg(long, short, global = true, action = clap::ArgAction::Count, conflicts_with = "verbose")]
    pub(crate) quiet: u8,
    /// Tell on standard error what is done, and how it ended.
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// Append all that is told to a file, each line with its time.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) log_file: Option<std::path::PathBuf>,
}

impl Args {
    /// Reads a command line, whose first word is the program's name.
    pub(crate) fn of_words(words: &[OsString]) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(words)?;
        let mut args = Self::from_arg_matches(&matches)?;
        let mut at = matches.subcommand();
        while let Some((_, matches)) = at {
            let progress = matches.try_get_one::<ProgressArg>("progress").ok().flatten();
            args.is_silent |= progress == Some(&ProgressArg::None);
            at = matches.subcommand();
        }
        if let (Command::Run(Run { split, .. }) | Command::Commit(split), Some((_, matches))) =
            (&mut args.command, matches.subcommand())
        {
            let typed = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
            split.typed = matches.ids().filter(typed).map(|id| id.as_str().replace('_', "-")).collect();
        }
        Ok(args)
    }
}

/// The whole command line. What one option means elsewhere it may not mean to the job of an archive.
pub(crate) fn command() -> clap::Command {
    let codes = Code::ALL.map(|code| format!("  {:>2} {:<12} {}", code as u8, code.name(), code.meaning()));
    let codes = format!("Exit codes:\n{}", codes.join("\n"));
    let whole = Args::command().after_help(codes).mut_subcommand("migrate", |migrate| {
        migrate.mut_arg("jobs", |jobs| {
            jobs.help("Datasets at a time; all together have one thread per core [default: one per core]")
        })
    });
    examples::with_examples(hide_what_means_nothing(whole))
}

/// Options that are taken everywhere, since all stores are opened alike, are shown where they mean something.
fn hide_what_means_nothing(mut whole: clap::Command) -> clap::Command {
    let hide = |command: clap::Command, names: &[&str]| {
        names.iter().fold(command, |command, name| command.mut_arg(name, |arg| arg.hide(true)))
    };
    for name in ["inspect", "validate", "verify", "extract", "check", "qc", "methods"] {
        whole = whole.mut_subcommand(name, |command| hide(command, &["durability"]));
    }
    for name in ["inspect", "validate", "extract", "check", "qc", "methods", "embed"] {
        whole = whole.mut_subcommand(name, |command| hide(command, &["source_option"]));
    }
    for name in ["copy", "export", "validate", "extract", "qc", "embed"] {
        whole = whole.mut_subcommand(name, |command| hide(command, &["follow_links"]));
    }
    whole
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Convert an OME-TIFF fileset to an OME-Zarr.
    Convert(Convert),
    /// Split a conversion: write its plan into the target, for `run` and `commit`.
    Plan(Planning),
    /// Split a conversion: do one of its tasks. Tasks may run at the same time, anywhere, and more than once.
    Run(Run),
    /// Split a conversion: check that every task was done, and complete the target.
    Commit(Split),
    /// Migrate an archive: find all datasets, convert and prove each, go on after anything, and say which originals are proven
    /// whole.
    Migrate(Box<Migrate>),
    /// Copy an OME-Zarr to another place, metadata last, and prove the copy.
    Copy(Copy),
    /// Bring an OME-Zarr of any origin to a later version of NGFF: in place where only metadata change (0.5 to 0.6), else at
    /// another place, with its chunks moved.
    Upgrade(Upgrade),
    /// Write an OME-Zarr as one OME-TIFF: the same pixels, the same OME-XML.
    Export(Export),
    /// Show what an OME-TIFF or an OME-Zarr holds.
    Inspect(Inspect),
    /// Judge the metadata of an OME-Zarr of any origin by the specifications of NGFF and Zarr: all groups and arrays, no
    /// chunks unless asked for. Exit code 1 if a demand of them is broken.
    Validate(Validate),
    /// Answer one case of the NGFF specification's conformance suite in the protocol of its runner.
    #[command(subcommand)]
    Conformance(Conformance),
    /// Prove that an OME-Zarr holds all that its OME-TIFF holds; or, without the source, that every object is
    /// there, decodes, and has the digests recorded at the conversion.
    Verify(Verify),
    /// Take the metadata out of an OME-Zarr: as OME-XML, as the original documents, or as JSON.
    Extract(Extract),
    /// Check how complete the description of microscope and acquisition is, by tier, extension and level of NBO.
    Check(Check),
    /// Show the quality control that an OME-Zarr records, or ask whether it satisfies a demand.
    Qc(Qc),
    /// Write what many stores say into tables: SQLite, or CSV.
    Catalog(CatalogArgs),
    /// Add microscope provenance and quality control to an OME-Zarr of any origin, or take it out again.
    Embed(Embed),
    /// Write a Materials and Methods paragraph.
    Methods(Methods),
    /// What NBO, the standard of microscope provenance, knows.
    #[command(subcommand)]
    Nbo(Nbo),
    /// Print what completes commands and options in a shell.
    Completions(Completions),
    /// Print the manual page of the program, or write those of all commands into a folder.
    Man(Man),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Man {
    /// Folder to write a page for each command into.
    #[arg(long, short, value_name = "FOLDER")]
    pub(crate) output: Option<std::path::PathBuf>,
}

impl Command {
    /// The words that name it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Convert(_) => "convert",
            Self::Plan(_) => "plan",
            Self::Run(_) => "run",
            Self::Commit(_) => "commit",
            Self::Migrate(args) => match args.action {
                None => "migrate",
                Some(Action::Status(_)) => "migrate status",
                Some(Action::Report(_)) => "migrate report",
                Some(Action::Deletable(_)) => "migrate deletable",
                Some(Action::Verify(_)) => "migrate verify",
            },
            Self::Copy(_) => "copy",
            Self::Upgrade(_) => "upgrade",
            Self::Export(_) => "export",
            Self::Inspect(_) => "inspect",
            Self::Validate(_) => "validate",
            Self::Conformance(_) => "conformance",
            Self::Verify(_) => "verify",
            Self::Extract(_) => "extract",
            Self::Check(_) => "check",
            Self::Qc(_) => "qc",
            Self::Catalog(_) => "catalog",
            Self::Embed(_) => "embed",
            Self::Methods(_) => "methods",
            Self::Nbo(_) => "nbo fields",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
        .into()
    }

    /// What it makes or looks at, as it was typed.
    pub(crate) fn place(&self) -> Option<String> {
        Some(match self {
            Self::Convert(args) => args.target.clone(),
            Self::Plan(args) => args.split.target.clone(),
            Self::Run(args) => args.split.target.clone(),
            Self::Commit(args) => args.target.clone(),
            Self::Migrate(args) => match &args.action {
                None => args.job.paths.last()?.to_string_lossy().into_owned(),
                Some(Action::Status(args)) => args.target.clone(),
                Some(Action::Report(args)) => args.target.clone(),
                Some(Action::Deletable(args)) => args.target.clone(),
                Some(Action::Verify(args)) => args.target.clone(),
            },
            Self::Copy(args) => args.target.clone(),
            Self::Upgrade(args) => args.target.as_ref().unwrap_or(&args.store).clone(),
            Self::Export(args) => args.target.display().to_string(),
            Self::Inspect(args) => args.path.clone(),
            Self::Validate(args) => args.path.clone(),
            Self::Conformance(Conformance::Attributes(case) | Conformance::Zarr(case)) => {
                case.path.display().to_string()
            }
            Self::Verify(args) => args.target.as_ref().unwrap_or(&args.source).clone(),
            Self::Extract(args) => args.path.clone(),
            Self::Check(args) => args.path.first()?.clone(),
            Self::Qc(args) => args.path.clone(),
            Self::Catalog(args) => args.to.display().to_string(),
            Self::Embed(args) => args.path.clone(),
            Self::Methods(args) => args.path.first()?.clone(),
            Self::Man(args) => return args.output.as_ref().map(|path| path.display().to_string()),
            Self::Nbo(_) | Self::Completions(_) => return None,
        })
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Copy {
    /// OME-Zarr to copy.
    pub(crate) source: String,
    /// Where to; a name that ends with .ozx makes one file of it (zipped OME-Zarr).
    pub(crate) target: String,
    /// What is proved of each object after it was written.
    #[arg(long, value_enum, default_value_t = CheckArg::Full)]
    pub(crate) verify: CheckArg,
    /// Finish an interrupted copy: what is there and passes the check is kept. One into an .ozx starts again.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Do not wait until the marks of killed writers in an object store expire.
    #[arg(long)]
    pub(crate) take_over: bool,
    #[command(flatten)]
    pub(crate) objects: ObjectsArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Upgrade {
    /// OME-Zarr to upgrade.
    pub(crate) store: String,
    /// Where to; where there is none, the store itself is changed.
    pub(crate) target: Option<String>,
    /// Version of NGFF.
    #[arg(long, value_name = "0.5|0.6", value_parser = parse_version, required_unless_present = "undo")]
    pub(crate) to: Option<fairzarr_ngff::Version>,
    /// Take back an upgrade in place, byte for byte.
    #[arg(long, conflicts_with_all = ["to", "target"])]
    pub(crate) undo: bool,
    /// Do not wait until the marks of killed writers in an object store expire.
    #[arg(long, requires = "target")]
    pub(crate) take_over: bool,
    #[command(flatten)]
    pub(crate) objects: ObjectsArgs,
    #[command(flatten)]
    pub(crate) places: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// How objects are moved from place to place.
#[derive(Debug, ClapArgs)]
pub(crate) struct ObjectsArgs {
    /// Objects under way at the same time.
    #[arg(long, short, default_value_t = 32, value_parser = parse_jobs)]
    pub(crate) jobs: usize,
    /// Memory for objects, such as 256M or 2G.
    #[arg(long, default_value = "256M", value_parser = parse_bytes)]
    pub(crate) memory: u64,
}

impl ObjectsArgs {
    pub(crate) fn job(&self) -> fairzarr_task::Job {
        fairzarr_task::Job::new().with_threads(Some(self.jobs)).with_memory(self.memory)
    }
}

#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "flags, as typed")]
pub(crate) struct Export {
    /// OME-Zarr to export.
    pub(crate) source: String,
    /// OME-TIFF to write, a file of this machine.
    pub(crate) target: std::path::PathBuf,
    /// How tiles are compressed. Not all readers know zstd.
    #[arg(long, value_enum, default_value_t = CompressionArg::Deflate)]
    pub(crate) compression: CompressionArg,
    /// Store integers of one and two bytes as differences: smaller files, which ImageJ 1 reads wrong without a word.
    #[arg(long)]
    pub(crate) predictor: bool,
    /// Write full resolution alone, without the reduced levels.
    #[arg(long)]
    pub(crate) no_pyramid: bool,
    /// Write the label images too, those of each name into a file beside the target: TARGET.labels-NAME.ome.tiff, where TARGET is
    /// its name without its ending.
    #[arg(long)]
    pub(crate) labels: bool,
    /// Replace what exists at the target.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Threads [default: one per core].
    #[arg(long, short, value_parser = parse_jobs)]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum CompressionArg {
    /// Not at all.
    None,
    /// Deflate, which every reader knows.
    Deflate,
    /// Zstandard.
    Zstd,
}

impl From<CompressionArg> for fairzarr_ome_tiff::tiff_codec::Compression {
    fn from(compression: CompressionArg) -> Self {
        match compression {
            CompressionArg::None => Self::None,
            CompressionArg::Deflate => Self::Deflate,
            CompressionArg::Zstd => Self::Zstd,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum CheckArg {
    /// Nothing.
    None,
    /// Its size.
    Size,
    /// Every byte, read back.
    Full,
}

impl From<CheckArg> for fairzarr_copy::Check {
    fn from(check: CheckArg) -> Self {
        match check {
            CheckArg::None => Self::None,
            CheckArg::Size => Self::Size,
            CheckArg::Full => Self::Full,
        }
    }
}

/// How stores are opened.
#[derive(Debug, ClapArgs)]
pub(crate) struct StoreArgs {
    /// Setting of the object store client, such as aws_endpoint=http://localhost:9000; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_option)]
    pub(crate) store_option: Vec<(String, String)>,
    /// The same for the source alone, such as anonymous=true; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_option)]
    pub(crate) source_option: Vec<(String, String)>,
    /// How long a place that does not answer as it should is tried again, such as 90s, 10m or 0; at most 14m.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_time)]
    pub(crate) retry_for: std::time::Duration,
    /// Follow links that lead out of the folder of a TIFF file that is named.
    #[arg(long)]
    pub(crate) follow_links: bool,
    /// Let web servers send requests on to other hosts and ports, but never to addresses of this machine or its link.
    #[arg(long)]
    pub(crate) follow_redirects: bool,
    /// When local files must be on the disk: none (whenever), end (once, before the root metadata), each.
    #[arg(long, default_value = "end", value_parser = parse_durability)]
    pub(crate) durability: Durability,
}

/// How progress is told.
#[derive(Debug, ClapArgs)]
pub(crate) struct OutputArgs {
    /// Progress on standard error: auto shows a bar on a terminal, and nothing otherwise or with --json.
    #[arg(long, value_enum, default_value_t = ProgressArg::Auto)]
    pub(crate) progress: ProgressArg,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ProgressArg {
    /// A bar on a terminal, else nothing.
    Auto,
    /// A line every few seconds.
    Plain,
    /// A JSON object per line.
    Json,
    /// Nothing.
    None,
}
