//! Arguments of the commands that read a store: what is there, whether it is whole and valid, and what can be taken out.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::parse::{parse_bytes, parse_jobs};
use super::{OutputArgs, StoreArgs};

#[derive(Debug, ClapArgs)]
pub(crate) struct Inspect {
    /// OME-TIFF file or OME-Zarr.
    pub(crate) path: String,
    /// Print the whole OME model as JSON, with the metadata of every plane.
    #[arg(long)]
    pub(crate) metadata: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Verify {
    /// OME-TIFF file, or any file of a fileset; or the OME-Zarr, to be proved on its own.
    pub(crate) source: String,
    /// OME-Zarr made from it.
    pub(crate) target: Option<String>,
    /// File that label images of the store were made of, with the name of these if it is not the file's; may be repeated. Without
    /// it they are compared with the recorded digests.
    #[arg(long, value_name = "[NAME=]FILE", requires = "target")]
    pub(crate) labels: Vec<String>,
    /// Compare only so much of the pixels, such as 5%: a quick look, no proof. The same parts every time.
    #[arg(long, value_name = "PERCENT", default_value = "100%")]
    pub(crate) sample: fairzarr_verify::Sample,
    /// Write a certificate of what was compared and how it ended, a new file in JSON; also where something differs.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<std::path::PathBuf>,
    /// Threads [default: one per core].
    #[arg(long, short, value_parser = parse_jobs)]
    pub(crate) jobs: Option<usize>,
    /// What one object may take, decoded, such as 256M or 2G; a store with larger ones is refused.
    #[arg(long, default_value = "1G", value_parser = parse_bytes)]
    pub(crate) memory: u64,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Conformance {
    /// A file with the attributes of a group.
    Attributes(ConformanceCase),
    /// A directory with a zarr.json, of which only that is looked at.
    Zarr(ConformanceCase),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ConformanceCase {
    /// Count recommendations as demands, as for cases in a folder `strict`.
    #[arg(long)]
    pub(crate) strict: bool,
    /// The case.
    pub(crate) path: std::path::PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Validate {
    /// OME-Zarr.
    pub(crate) path: String,
    /// Also look at the stored objects: names of chunks, indexes of shards, lengths that headers state.
    #[arg(long)]
    pub(crate) deep: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Extract {
    /// OME-Zarr.
    pub(crate) path: String,
    /// What to take out.
    #[arg(long = "as", value_enum)]
    pub(crate) form: Form,
    /// File to write; with several original documents, a directory [default: standard output].
    #[arg(long, short)]
    pub(crate) output: Option<std::path::PathBuf>,
    /// Which of several original documents, or which image's summary, counted from 0.
    #[arg(long)]
    pub(crate) index: Option<usize>,
    /// Of the OME model as JSON: the schema version of the source, or 2016-06 whatever the source had, of the images that are there.
    #[arg(long, value_enum, value_name = "VERSION")]
    pub(crate) schema: Option<SchemaArg>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum SchemaArg {
    /// That of the source, nothing renamed.
    Source,
    /// The one that METADATA.ome.xml has.
    #[value(name = "2016-06")]
    V2016_06,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Form {
    /// OME-XML made anew from attributes and arrays alone.
    OmeXml,
    /// The OME-XML documents of the source, byte for byte.
    Original,
    /// The OME model as JSON, with the metadata of every plane.
    Json,
    /// Microscope provenance and quality control as NBO XML, as far as possible valid by its schema.
    NboXml,
    /// The same as JSON.
    NboJson,
    /// The same for Micro-Meta App: the image's settings, or the microscope with --index 1.
    MicroMeta,
    /// The summary of every image, as one JSON array in series order.
    Summary,
}
