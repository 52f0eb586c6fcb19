//! The command line, exactly as typed.

mod provenance;

use clap::parser::ValueSource;
use clap::{Args as ClapArgs, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use fairzarr_convert::{ChunkChoice, Codec, Layout, ShardChoice, Share};
use fairzarr_store::Durability;

pub(crate) use provenance::{Axes, Check, Embed, Fields, Methods, Nbo, ProvenanceChoices, Qc, SidecarsArg};

/// OME-TIFF to OME-Zarr with nothing lost, and proof of it.
///
/// Exit codes: 0 done and as asked; 1 a verification found a difference; 2 usage; 3 the input cannot be read;
/// 4 the output cannot be written; 5 interrupted.
#[derive(Debug, Parser)]
#[command(name = "fairzarr", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// Reads the command line; ends the process where that makes no sense.
    pub(crate) fn of_command_line() -> Self {
        let matches = Self::command().get_matches();
        let mut args = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        if let (Command::Run(Run { split, .. }) | Command::Commit(split), Some((_, matches))) =
            (&mut args.command, matches.subcommand())
        {
            let typed = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
            split.typed = matches.ids().filter(typed).map(|id| id.as_str().replace('_', "-")).collect();
        }
        args
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Convert an OME-TIFF fileset to an OME-Zarr.
    Convert(Convert),
    /// Split a conversion: write its plan into the target, for `run` and `commit`.
    Plan(Split),
    /// Split a conversion: do one of its tasks. Tasks may run at the same time, anywhere, and more than once.
    Run(Run),
    /// Split a conversion: check that every task was done, and complete the target.
    Commit(Split),
    /// Copy an OME-Zarr to another place, metadata last, and prove the copy.
    Copy(Copy),
    /// Write an OME-Zarr as one OME-TIFF: the same pixels, the same OME-XML.
    Export(Export),
    /// Show what an OME-TIFF or an OME-Zarr holds.
    Inspect(Inspect),
    /// Judge the metadata of an OME-Zarr of any origin by the NGFF specification: all groups and arrays, no chunks. Exit code
    /// 1 if a demand of it is broken.
    Validate(Validate),
    /// Prove that an OME-Zarr holds all that its OME-TIFF holds; or, without the source, that every object is
    /// there, decodes, and has the digests recorded at the conversion.
    Verify(Verify),
    /// Take the metadata out of an OME-Zarr: as OME-XML, as the original documents, or as JSON.
    Extract(Extract),
    /// Check how complete the description of microscope and acquisition is, by tier, extension and level of NBO.
    Check(Check),
    /// Show the quality control that an OME-Zarr records, or ask whether it satisfies a demand.
    Qc(Qc),
    /// Add microscope provenance and quality control to an OME-Zarr of any origin, or take it out again.
    Embed(Embed),
    /// Write a Materials and Methods paragraph.
    Methods(Methods),
    /// What NBO, the standard of microscope provenance, knows.
    #[command(subcommand)]
    Nbo(Nbo),
}

#[derive(Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "flags, as typed")]
pub(crate) struct Convert {
    /// OME-TIFF file, or any file of a fileset.
    pub(crate) source: String,
    /// OME-Zarr to write; a name that ends with .ozx makes one file of it (zipped OME-Zarr).
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) choices: ConvertChoices,
    /// Replace what exists at the target.
    #[arg(long, conflicts_with = "resume")]
    pub(crate) overwrite: bool,
    /// Finish an interrupted conversion; the result is the same as without the interruption.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show what the threads spent their time on. With --json it is always told.
    #[arg(long)]
    pub(crate) stats: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Choices that shape the output, and the resources for it.
#[derive(Debug, ClapArgs)]
pub(crate) struct ConvertChoices {
    /// NGFF version: 0.4 (Zarr v2), 0.5 or 0.6 (Zarr v3).
    #[arg(long, default_value = "0.5", value_parser = parse_version)]
    pub(crate) ngff: fairzarr_ngff::Version,
    /// Where images lie: one at the root, or as groups of a bioformats2raw layout.
    #[arg(long, value_enum, default_value_t = LayoutArg::Auto)]
    pub(crate) layout: LayoutArg,
    /// Compression preset.
    #[arg(long, value_enum, default_value_t = Preset::Balanced, conflicts_with = "codec")]
    pub(crate) preset: Preset,
    /// Compression in detail: blosc-{lz4,lz4hc,zstd,zlib,blosclz}[-LEVEL[-{shuffle,bitshuffle,noshuffle}]],
    /// zstd[-LEVEL[-nochecksum]], gzip[-LEVEL], zlib[-LEVEL] (NGFF 0.4), none.
    #[arg(long)]
    pub(crate) codec: Option<Codec>,
    /// Chunk height and width in pixels; or source: those of the source's tiles or strips, which are moved without
    /// being compressed again where Zarr readers can read them as they are (Deflate, Zstandard, uncompressed).
    #[arg(long, value_name = "Y,X|source", default_value = "512,512", value_parser = parse_chunk)]
    pub(crate) chunk: ChunkChoice,
    /// Where reduced levels come from [default: computed; with --no-decode: source].
    #[arg(long, value_enum)]
    pub(crate) pyramid: Option<PyramidArg>,
    /// With --chunk source: do not even decode the tiles that are moved. Nothing is computed from their samples: no levels,
    /// no statistics; the recorded digests are those of the stored bytes. `verify` decodes them.
    #[arg(long)]
    pub(crate) no_decode: bool,
    /// Shard height and width in pixels, auto, or none (NGFF 0.5 and later).
    #[arg(long, value_name = "auto|Y,X|none", default_value = "auto", value_parser = parse_shard)]
    pub(crate) shard: ShardChoice,
    /// How samples of OME type bit are stored.
    #[arg(long, value_enum, default_value_t = BitArg::Uint8)]
    pub(crate) bit: BitArg,
    /// Checksum of the source's files to record, for `verify` and archives.
    #[arg(long, value_enum, default_value_t = ChecksumArg::Auto)]
    pub(crate) source_checksum: ChecksumArg,
    /// Leave out chunks that hold only zeros.
    #[arg(long)]
    pub(crate) omit_empty: bool,
    /// What to do with planes that the OME-XML promises and the files lack.
    #[arg(long, value_enum, default_value_t = OnMissingArg::Error)]
    pub(crate) on_missing: OnMissingArg,
    /// Ignore the leases of crashed writers in an object store; local directories notice crashes by themselves.
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Worker threads [default: one per core].
    #[arg(long, short)]
    pub(crate) jobs: Option<usize>,
    /// Memory for pixels, such as 256M or 2G.
    #[arg(long, default_value = "256M", value_parser = parse_bytes)]
    pub(crate) memory: u64,
    #[command(flatten)]
    pub(crate) provenance: ProvenanceChoices,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Split {
    /// OME-TIFF file, or any file of a fileset.
    pub(crate) source: String,
    /// OME-Zarr to write.
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) choices: ConvertChoices,
    /// Replace what exists at the target (plan only).
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Names of the options that were typed.
    #[arg(skip)]
    pub(crate) typed: Vec<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) split: Split,
    /// Which of how many tasks, such as 1/4.
    #[arg(long, value_name = "I/N", value_parser = parse_share)]
    pub(crate) task: Share,
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
    /// Objects under way at the same time.
    #[arg(long, short, default_value_t = 16)]
    pub(crate) jobs: usize,
    /// Memory for objects, such as 256M or 2G.
    #[arg(long, default_value = "256M", value_parser = parse_bytes)]
    pub(crate) memory: u64,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// OME-Zarr to export.
    pub(crate) source: String,
    /// OME-TIFF to write, a file of this machine.
    pub(crate) target: std::path::PathBuf,
    /// How tiles are compressed. Not all readers know zstd.
    #[arg(long, value_enum, default_value_t = CompressionArg::Deflate)]
    pub(crate) compression: CompressionArg,
    /// Write full resolution alone, without the reduced levels.
    #[arg(long)]
    pub(crate) no_pyramid: bool,
    /// Replace what exists at the target.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Threads [default: one per core].
    #[arg(long, short)]
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
    /// Compare only so much of the pixels, such as 5%: a quick look, no proof. The same parts every time.
    #[arg(long, value_name = "PERCENT", default_value = "100%")]
    pub(crate) sample: fairzarr_verify::Sample,
    /// Threads [default: one per core].
    #[arg(long, short)]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Validate {
    /// OME-Zarr.
    pub(crate) path: String,
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
    /// Which of several original documents, counted from 0.
    #[arg(long)]
    pub(crate) index: Option<usize>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
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
    /// When local files must be on the disk: none (whenever), end (once, before the root metadata), each.
    #[arg(long, default_value = "end", value_parser = parse_durability)]
    pub(crate) durability: Durability,
}

/// How results are told.
#[derive(Debug, ClapArgs)]
pub(crate) struct OutputArgs {
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
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

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LayoutArg {
    /// One image at the root; a plate as a plate; several images as bioformats2raw.
    Auto,
    /// The one image at the root.
    Image,
    /// The layout that raw2ometiff, Bio-Formats and OMERO read.
    Bioformats2raw,
}

impl From<LayoutArg> for Layout {
    fn from(layout: LayoutArg) -> Self {
        match layout {
            LayoutArg::Auto => Self::Auto,
            LayoutArg::Image => Self::Image,
            LayoutArg::Bioformats2raw => Self::Bioformats2raw,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum PyramidArg {
    /// 2x means in y and x, until both sides are at most 256 pixels.
    Computed,
    /// The levels that the source holds; computed where it holds none and samples are decoded.
    Source,
    /// Full resolution alone.
    None,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum BitArg {
    /// 0 or 1 in a byte, which every viewer shows.
    Uint8,
    /// Zarr bool, which few viewers show.
    Bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ChecksumArg {
    /// sha256 of local files; none with --preset fast, and of remote files, which it would read twice.
    Auto,
    /// SHA-256, as sha256sum prints it.
    Sha256,
    /// BLAKE3, as b3sum prints it; about four times as fast.
    Blake3,
    /// None.
    None,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum OnMissingArg {
    /// Refuse, before anything is written.
    Error,
    /// Write zeros and record each plane.
    Fill,
}

impl From<OnMissingArg> for fairzarr_ome_tiff::OnMissing {
    fn from(arg: OnMissingArg) -> Self {
        match arg {
            OnMissingArg::Error => Self::Error,
            OnMissingArg::Fill => Self::Fill,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Preset {
    /// blosc-lz4-5-shuffle.
    Fast,
    /// blosc-zstd-1-bitshuffle.
    Balanced,
    /// blosc-zstd-5-shuffle.
    Small,
}

impl From<Preset> for Codec {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Fast => Self::FAST,
            Preset::Balanced => Self::BALANCED,
            Preset::Small => Self::SMALL,
        }
    }
}

fn parse_version(text: &str) -> Result<fairzarr_ngff::Version, String> {
    text.parse().map_err(|_| format!("'{text}' is not an NGFF version that can be written (0.4, 0.5, 0.6)"))
}

fn parse_pair(text: &str) -> Result<(u32, u32), String> {
    let number = |part: &str| part.trim().parse::<u32>().ok().filter(|n| *n > 0);
    match text.split_once(',') {
        Some((y, x)) => number(y).zip(number(x)),
        None => number(text).map(|side| (side, side)),
    }
    .ok_or_else(|| format!("'{text}' is not a height and width such as 512,512"))
}

fn parse_chunk(text: &str) -> Result<ChunkChoice, String> {
    match text {
        "source" => Ok(ChunkChoice::Source),
        _ => parse_pair(text).map(|(y, x)| ChunkChoice::Size(y, x)),
    }
}

fn parse_shard(text: &str) -> Result<ShardChoice, String> {
    match text {
        "auto" => Ok(ShardChoice::Auto),
        "none" => Ok(ShardChoice::None),
        _ => parse_pair(text).map(|(y, x)| ShardChoice::Size(y, x)),
    }
}

fn parse_share(text: &str) -> Result<Share, String> {
    text.split_once('/')
        .and_then(|(number, of)| Some(Share { number: number.parse().ok()?, of: of.parse().ok()? }))
        .filter(|share| (1..=share.of).contains(&share.number))
        .ok_or_else(|| format!("'{text}' is not a task such as 1/4"))
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is not a size such as 256M or 2G");
    let upper = text.to_ascii_uppercase();
    let trimmed = upper.trim_end_matches('B').trim_end_matches('I');
    let (digits, shift) = match trimmed.chars().last() {
        Some('K') => (&trimmed[..trimmed.len() - 1], 10),
        Some('M') => (&trimmed[..trimmed.len() - 1], 20),
        Some('G') => (&trimmed[..trimmed.len() - 1], 30),
        Some('T') => (&trimmed[..trimmed.len() - 1], 40),
        _ => (trimmed, 0),
    };
    digits.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift)).ok_or_else(wrong)
}

fn parse_time(text: &str) -> Result<std::time::Duration, String> {
    let (digits, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds
        .map(std::time::Duration::from_secs)
        .ok_or_else(|| format!("'{text}' is not a time such as 90s or 5m"))
}

fn parse_option(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.into(), value.into()))
        .ok_or_else(|| format!("'{text}' is not KEY=VALUE"))
}

fn parse_durability(text: &str) -> Result<Durability, String> {
    text.parse().map_err(|error: fairzarr_store::Error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(parse_bytes("256M"), Ok(256 << 20));
        assert_eq!(parse_bytes("2GiB"), Ok(2 << 30));
        assert_eq!(parse_bytes("100"), Ok(100));
        assert!(parse_bytes("lots").is_err());
        assert!(parse_bytes("99999999999T").is_err());
        assert_eq!(parse_pair("256"), Ok((256, 256)));
        assert_eq!(parse_pair("64, 128"), Ok((64, 128)));
        assert!(parse_pair("0,1").is_err());
    }
}
