//! Arguments about microscope provenance and quality control.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use fairzarr_nbo::check::{Enforce, Level};
use std::path::PathBuf;

use super::StoreArgs;

/// What goes into the NBO record of a conversion, and what is asked of it.
#[derive(Debug, ClapArgs)]
pub(crate) struct ProvenanceChoices {
    /// Document on microscope, acquisition or quality control (Micro-Meta App JSON, NBO XML, 4DN portal record,
    /// microscope-metrics results); may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) nbo: Vec<PathBuf>,
    /// How tables and JSON of no known form are read: a mapping of columns to NBO fields.
    #[arg(long, value_name = "FILE")]
    pub(crate) nbo_mapping: Option<PathBuf>,
    /// Documents beside the source that describe it: report them, or use them as if given by --nbo.
    #[arg(long, value_enum, default_value_t = SidecarsArg::Report)]
    pub(crate) sidecars: SidecarsArg,
    /// Check the record by a policy that comes with the program, or by a policy file.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) policy: Option<String>,
    /// What a record that falls short means [default: as the policy says].
    #[arg(long, value_enum, requires = "policy")]
    pub(crate) policy_level: Option<EnforceArg>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum SidecarsArg {
    /// Use them.
    Auto,
    /// Name them.
    Report,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum EnforceArg {
    /// Write nothing.
    Refuse,
    /// Say so and go on.
    Warn,
}

impl From<EnforceArg> for Enforce {
    fn from(arg: EnforceArg) -> Self {
        match arg {
            EnforceArg::Refuse => Self::Refuse,
            EnforceArg::Warn => Self::Warn,
        }
    }
}

/// A place on the three axes of NBO.
#[derive(Debug, ClapArgs)]
pub(crate) struct Axes {
    /// Highest tier asked for; lower ones are included.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) tier: Option<u8>,
    /// Extensions asked for, separated by commas: core, basic, advanced, calibration, all. Core is always one.
    #[arg(long, value_delimiter = ',')]
    pub(crate) extension: Vec<String>,
    /// Whether SHOULD fields are demanded too.
    #[arg(long, value_enum)]
    pub(crate) level: Option<LevelArg>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LevelArg {
    /// MUST fields.
    Must,
    /// MUST and SHOULD fields.
    Should,
}

impl From<LevelArg> for Level {
    fn from(level: LevelArg) -> Self {
        match level {
            LevelArg::Must => Self::Must,
            LevelArg::Should => Self::Should,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Nbo {
    /// Print the dictionary: every field with type, unit, tier, extension and requirement level.
    Fields(Fields),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Fields {
    #[command(flatten)]
    pub(crate) axes: Axes,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CatalogArgs {
    /// OME-Zarr, or a place below which all of them are looked for.
    #[arg(required = true)]
    pub(crate) place: Vec<String>,
    /// SQLite file (.sqlite, .sqlite3, .db), or a directory for CSV, one file a table. One that is there is brought up to date.
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) to: PathBuf,
    /// A row for every plane too.
    #[arg(long)]
    pub(crate) planes: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    /// OME-Zarr, OME-TIFF, OME-XML, Micro-Meta App or NBO file; several files are read together.
    #[arg(required = true)]
    pub(crate) path: Vec<String>,
    #[command(flatten)]
    pub(crate) axes: Axes,
    /// A policy that comes with the program, or a policy file, in place of the axes [default: baseline].
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["tier", "extension", "level"])]
    pub(crate) policy: Option<String>,
    /// List what is advised too, not only what is demanded.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Qc {
    /// OME-Zarr.
    pub(crate) path: String,
    /// A demand such as 'OpticalCalibration within 90 days'; may be repeated. Exit code 1 unless all images satisfy
    /// all of them; an unknown answer does not.
    #[arg(long, value_name = "DEMAND")]
    pub(crate) require: Vec<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Embed {
    /// OME-Zarr of any origin.
    pub(crate) path: String,
    /// Document on microscope or acquisition; may be repeated.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["qc", "remove"])]
    pub(crate) nbo: Vec<PathBuf>,
    /// Document on quality control; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) qc: Vec<PathBuf>,
    /// How tables and JSON of no known form are read: a mapping of columns to NBO fields.
    #[arg(long, value_name = "FILE")]
    pub(crate) nbo_mapping: Option<PathBuf>,
    /// Take out all that was embedded; the rest is left byte for byte.
    #[arg(long, conflicts_with_all = ["nbo", "qc", "nbo_mapping"])]
    pub(crate) remove: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Methods {
    /// OME-Zarr, OME-TIFF, or a file as for `check`.
    #[arg(required = true)]
    pub(crate) path: Vec<String>,
    /// How it is written.
    #[arg(long = "as", value_enum, value_name = "FORM", default_value_t = MethodsAs::Plain)]
    pub(crate) form: MethodsAs,
    /// The same as `--as markdown`.
    #[arg(long, hide = true, conflicts_with = "form")]
    pub(crate) markdown: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum MethodsAs {
    /// Text; what is not recorded in brackets.
    Plain,
    /// Markdown; what is not recorded in bold brackets.
    Markdown,
    /// The text, its facts with where each comes from, and the gaps.
    Json,
}
