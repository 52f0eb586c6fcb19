//! NBO records of whatever a command is pointed at, and the documents beside an image.

use fairzarr_convert::{Options, Sidecar};
use fairzarr_nbo::Record;
use fairzarr_nbo::check::{self, Level, Policy};
use fairzarr_nbo::ingest::{self, Mapping};
use fairzarr_nbo::merge::merge;
use fairzarr_nbo::methods::{exposures, leaves_planes_out};
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_xml::Document;
use fairzarr_ome_zarr::{StoredRecord, keys};
use fairzarr_provenance::beside;
use fairzarr_store::{Location, Store, read_document};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::args::{Axes, ProvenanceChoices, SidecarsArg, StoreArgs};
use crate::exit::{Code, Failure};
use crate::print;
use crate::source::{self, Input};

/// What a sidecar may have in bytes: its record takes many times as much.
const SIDECAR_BYTES: u64 = 64 << 20;
/// What a policy or a mapping may have: they are written by hand.
const RULES_BYTES: u64 = 4 << 20;

/// The record of a store, a fileset, or of documents that belong together.
pub(super) fn record(paths: &[String], args: &StoreArgs) -> Result<Record, Failure> {
    record_with(paths, args, Planes::AsRecorded)
}

/// What of planes that a record leaves out is to be known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Planes {
    /// Nothing.
    AsRecorded,
    /// Their exposures, from the OME-XML.
    Exposures,
}

/// The same, with what is to be known of planes.
pub(super) fn record_with(paths: &[String], args: &StoreArgs, planes: Planes) -> Result<Record, Failure> {
    let mut read = Vec::new();
    for path in paths {
        let wanted = |record: &Record| planes == Planes::Exposures && leaves_planes_out(record);
        let record = match document(path)? {
            Some(bytes) => {
                let mut record = ingest::ingest(path, &bytes).map_err(input)?;
                if wanted(&record)
                    && let Ok(document) = Document::parse(bytes)
                {
                    exposures(&mut record, &document);
                }
                record
            }
            None => match source::open(path, args)? {
                Input::Store(store) => {
                    let mut record = of_store(&store)?;
                    if wanted(&record)
                        && let Some(bytes) = store.get(keys::METADATA).map_err(input)?
                    {
                        exposures(&mut record, &Document::parse(bytes.to_vec()).map_err(input)?);
                    }
                    record
                }
                Input::Tiff(fileset) => {
                    let mut record = of_fileset(path, &fileset)?;
                    if let Some(document) = fileset.document().filter(|_| wanted(&record)) {
                        exposures(&mut record, document);
                    }
                    record
                }
            },
        };
        read.push(record);
    }
    // An image first, then microscopes: what was set on them follows them to their new identifiers.
    read.sort_by_key(|record| {
        let has = |class: &str| record.objects.iter().any(|object| object.class == class);
        (record.in_store.is_none(), !has("Instrument"))
    });
    Ok(read.into_iter().reduce(|before, record| merge(before, record).0).unwrap_or_default())
}

/// The record in a store's attributes; where there is none, what its OME-XML says.
pub(super) fn of_store(store: &Store) -> Result<Record, Failure> {
    let Some(StoredRecord { record, newer, .. }) = fairzarr_ome_zarr::record(store)? else {
        let none = anyhow::anyhow!("{} holds neither an NBO record nor OME-XML", store.location());
        return Err(Failure::new(Code::Input, none));
    };
    if newer {
        print::warning(format_args!(
            "the record is of a newer layout than this program knows; what is new in it is left out"
        ));
    }
    Ok(record)
}

fn of_fileset(path: &str, fileset: &Fileset) -> Result<Record, Failure> {
    let none = || Failure::new(Code::Input, anyhow::anyhow!("{path} holds no OME-XML"));
    fileset.document().map(ingest::from_ome).ok_or_else(none)
}

/// The bytes of a local file that is no TIFF and no store.
fn document(path: &str) -> Result<Option<Vec<u8>>, Failure> {
    if !Path::new(path).is_file() || Location::local(path).is_archive() {
        return Ok(None);
    }
    let mut magic = [0; 2];
    // It was a regular file a moment ago; where it is none by now, its bytes are asked for by what looks again.
    let read = File::open(path).and_then(|mut file| file.read(&mut magic));
    match read.map_err(|error| input(anyhow::Error::new(error).context(format!("cannot read {path}"))))? {
        2 if matches!(&magic, b"II" | b"MM") => Ok(None),
        _ => file(Path::new(path), SIDECAR_BYTES).map(Some),
    }
}

/// The bytes of a local document of at most `most` bytes.
pub(super) fn file(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    read_document(path, most)
        .map_err(|error| input(anyhow::Error::new(error).context(format!("cannot read {}", path.display()))))
}

/// Documents by their paths, with the names that the store records.
pub(super) fn sidecars<'a>(
    paths: impl IntoIterator<Item = &'a std::path::PathBuf>,
    mapping: Option<&Mapping>,
) -> Result<Vec<Sidecar>, Failure> {
    let named = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    paths
        .into_iter()
        .map(|path| {
            let bytes = file(path, SIDECAR_BYTES)?;
            let broken = broken_json(path, &bytes);
            Sidecar::parse(named(path), bytes, mapping)
                .map_err(|error| broken.map_or_else(|| error.into(), |why| input(anyhow::Error::msg(why))))
        })
        .collect()
}

/// What is wrong with a document that is called JSON and is none, with line and column.
fn broken_json(path: &Path, bytes: &[u8]) -> Option<String> {
    path.extension().filter(|ending| ending.eq_ignore_ascii_case("json"))?;
    let error = serde_json::from_slice::<serde_json::Value>(bytes).err()?;
    Some(format!("{} is not JSON: {error}", path.display()))
}

pub(super) fn mapping(path: Option<&std::path::PathBuf>) -> Result<Option<Mapping>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let text = String::from_utf8(file(path, RULES_BYTES)?).map_err(input)?;
    let mapping = Mapping::from_json(&text).map_err(|error| Failure::new(Code::Usage, error))?;
    Ok(Some(mapping))
}

/// A policy that comes with the program, or that a file holds.
pub(super) fn policy(name: &str) -> Result<Policy, Failure> {
    if let Some(policy) = Policy::builtin(name) {
        return Ok(policy);
    }
    if !Path::new(name).exists() {
        let known: Vec<_> = Policy::builtin_names().collect();
        return Err(Failure::usage(format!("{name} is neither a file nor one of {}", known.join(", "))));
    }
    let text = String::from_utf8(file(Path::new(name), RULES_BYTES)?).map_err(input)?;
    Policy::from_json(&text)
        .map_err(|error| Failure::new(Code::Usage, anyhow::Error::new(error).context(name.to_owned())))
}

/// A policy that is a place on the three axes.
pub(super) fn axes(axes: &Axes) -> Result<Policy, Failure> {
    let usage = |error| Failure::new(Code::Usage, error);
    let extensions = check::extensions(axes.extension.iter().map(String::as_str)).map_err(usage)?;
    let level = axes.level.map_or(Level::Must, Into::into);
    Policy::new(axes.tier.unwrap_or(1), &extensions, level).map_err(usage)
}

/// Adds what was typed about provenance to the options of a conversion.
pub(super) fn given(choices: &ProvenanceChoices, options: &mut Options) -> Result<(), Failure> {
    options.mapping = mapping(choices.nbo_mapping.as_ref())?;
    options.sidecars = sidecars(&choices.nbo, options.mapping.as_ref())?;
    if let Some(name) = &choices.policy {
        let mut policy = policy(name)?;
        policy.enforce = choices.policy_level.map_or(policy.enforce, Into::into);
        options.policy = Some(policy);
    }
    Ok(())
}

/// Adds what was typed about provenance, and what lies beside `fileset` if that was asked for.
pub(super) fn choose(
    choices: &ProvenanceChoices,
    fileset: &Fileset,
    options: &mut Options,
) -> Result<(), Failure> {
    given(choices, options)?;
    for sidecar in beside(fileset)? {
        if options.sidecars.iter().any(|given| given.sha256() == sidecar.sha256()) {
            continue;
        }
        if choices.sidecars == SidecarsArg::Auto {
            print::remark(format_args!("{} describes this image and is used", sidecar.name()));
            options.sidecars.push(sidecar);
        } else {
            print::remark(format_args!(
                "{} seems to describe this image; --sidecars auto or --nbo uses it",
                sidecar.name()
            ));
        }
    }
    Ok(())
}

/// What the policy that was asked for, or the baseline, says of the record, in short.
pub(super) fn verdict(report: &fairzarr_convert::Report) -> serde_json::Value {
    report.coverage.as_ref().map_or(serde_json::Value::Null, |coverage| {
        serde_json::json!({
            "name": coverage.policy, "passes": coverage.passes(),
            "errors": coverage.count(check::Severity::Error), "warnings": coverage.count(check::Severity::Warning),
            "coverage": coverage.coverage,
        })
    })
}

/// Tells where sources differ and how far the record falls short of a policy that was asked for.
pub(super) fn tell(report: &fairzarr_convert::Report, asked: bool) {
    for conflict in &report.conflicts {
        print::warning(format_args!("{conflict}"));
    }
    if let Some(coverage) = report.coverage.as_ref().filter(|coverage| asked && !coverage.passes()) {
        print::warning(format_args!(
            "the record falls short of policy '{}' in {} places; fairzarr check lists them",
            coverage.policy,
            coverage.count(check::Severity::Error)
        ));
    }
}

fn input(error: impl Into<anyhow::Error>) -> Failure {
    Failure::new(Code::Input, error)
}
