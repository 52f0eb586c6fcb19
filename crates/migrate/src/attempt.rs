//! One dataset: converted, proved against its source, validated, and only then done.

use fairzarr::convert::{Existing, FileAlgorithm, Options as ConvertOptions, Report, Sidecar};
use fairzarr::nbo::check::Severity;
use fairzarr::nbo::placement;
use fairzarr::ngff::hierarchy::Depth;
use fairzarr::ome_tiff::{Fileset, OpenOptions};
use fairzarr::ome_zarr::{self, Conversion, keys};
use fairzarr::provenance::Provenance;
use fairzarr::store::{Location, Store, StoreOptions};
use fairzarr::task::Job;
use fairzarr::{convert, ngff, verify};
use serde_json::{Map, Value, json};
use std::time::Instant;

use crate::error::chain;
use crate::identity::identity;
use crate::job::Options;
use crate::names;
use crate::settings;
use crate::source::{Source, Stat};
use crate::state::{Done, Finished, SourceFile, Todo};
use crate::{Class, Failure};

/// Differences and findings that a cause lists; the commands that look at one store list all.
const LISTED: usize = 3;
/// Pages that are not carried and are named; of more, their number.
const NAMED: usize = 50;

/// What all attempts of a job have in common.
pub(crate) struct Context<'a> {
    pub(crate) sources: &'a [Source],
    pub(crate) target: &'a Location,
    pub(crate) store: &'a StoreOptions,
    pub(crate) options: &'a Options,
}

/// Migrates one dataset. `job` has the threads and the memory that are this dataset's.
pub(crate) fn attempt(context: &Context<'_>, todo: &Todo, job: &Job) -> Finished {
    let start = Instant::now();
    let outcome = Attempt { context, todo, job }.run();
    Finished { dataset: todo.dataset, seconds: start.elapsed().as_secs_f64(), outcome }
}

struct Attempt<'a> {
    context: &'a Context<'a>,
    todo: &'a Todo,
    job: &'a Job,
}

/// What lies at the target before anything is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Present {
    Nothing,
    Unfinished,
    Complete,
}

impl Attempt<'_> {
    fn run(&self) -> Result<Done, Failure> {
        let source = self.context.sources.get(self.todo.source);
        let source = source.ok_or_else(|| Failure::new(Class::Internal, "a dataset without source"))?;
        let (options, documents) = self.options(source)?;
        let fileset = source.open(&self.todo.path, opening(self.context.options))?;
        let members = source.members(&self.todo.path, &fileset);
        let outside = members.iter().filter(|member| member.is_none()).count();
        let before = stats(source, &members)?;
        let place = self.context.target.join(&self.todo.target);
        let store = Store::open(&place, self.context.store)?;
        let Made { report, by_one_run } = self.convert(&fileset, &store, &options)?;
        let proofs = self.prove(source, &store).map_err(|failure| match failure.class {
            // What was there before may be anybody's, and is not replaced.
            Class::Difference | Class::Invalid if report.is_none() => {
                Failure::new(Class::Exists, format!("there is another store at {place}: {}", failure.cause))
            }
            _ => failure,
        })?;
        let root = attributes(&store)?;
        if stats(source, &members)? != before {
            return Err(Failure::new(Class::Changed, "a file of the source changed while it was converted"));
        }
        let mut done = Done {
            files: files(&members, &before, &fileset, &root),
            sidecars: documents,
            beside: self.beside(source)?,
            settings: settings::told(&options),
            images: fileset.images().len() as u64,
            pixel_bytes: fileset.images().iter().map(pixel_bytes).sum(),
            digest: identity(&store)?.map(|identity| identity.digest),
            proofs,
            quality: quality(&root),
            not_carried: listed(&not_carried(&root)),
            warnings: listed(&warnings(&fileset, outside, report.as_ref())),
            ..Done::default()
        };
        (done.objects, done.stored_bytes) = match &report {
            Some(report) if by_one_run => (report.objects, report.bytes),
            _ => stored(&store)?,
        };
        let coverage = if let Some(report) = report {
            report.coverage
        } else {
            let read = Provenance::of_fileset(&fileset, &options.sidecars, options.policy.as_ref());
            read.map_err(|error| Failure::from(convert::Error::from(error)))?.report
        };
        done.coverage = coverage.map(|report| {
            let tiers = report.coverage.iter();
            tiers
                .map(|of| json!([of.tier, of.must_filled, of.must, of.should_filled, of.should]))
                .collect::<Value>()
                .to_string()
        });
        Ok(done)
    }

    /// The options of the job with what the table says of this dataset, and the documents that describe it.
    fn options(&self, source: &Source) -> Result<(ConvertOptions, Vec<SourceFile>), Failure> {
        let mut options = self.context.options.convert.clone();
        // What may be deleted is known by these.
        options.source_checksum = Some(FileAlgorithm::Sha256);
        let row = self.context.options.table.row(&source.name, &self.todo.path);
        let mut documents: Vec<&str> = Vec::new();
        if self.context.options.use_sidecars {
            documents.extend(self.todo.sidecars.iter().map(String::as_str));
        }
        if let Some(row) = row {
            settings::apply(&mut options, &row.settings)
                .map_err(|error| Failure::new(Class::Settings, chain(&error)))?;
            documents.extend(row.sidecars.iter().map(String::as_str));
        }
        documents.sort_unstable();
        documents.dedup();
        let mut files = Vec::with_capacity(documents.len());
        for path in documents {
            let unreadable = |error| Failure::new(Class::Sidecar, format!("{path}: {error}"));
            let stat = source.stat(path).map_err(unreadable)?;
            let bytes = source.read(path).map_err(unreadable)?;
            let sha256 = Some(ome_zarr::sha256(&bytes));
            files.push(SourceFile { path: path.to_owned(), stat, sha256 });
            let sidecar = Sidecar::parse(names::last(path), bytes, options.mapping.as_ref());
            options.sidecars.push(sidecar.map_err(|error| Failure::from(convert::Error::from(error)))?);
        }
        if let (Some(document), Some(mapping)) =
            (row.and_then(|row| row.as_document()), options.mapping.as_ref())
        {
            let sidecar = Sidecar::parse("table.csv", document, Some(mapping));
            options.sidecars.push(sidecar.map_err(|error| Failure::from(convert::Error::from(error)))?);
        }
        Ok((options, files))
    }

    /// Makes the store, unless a complete one is there.
    fn convert(&self, fileset: &Fileset, store: &Store, options: &ConvertOptions) -> Result<Made, Failure> {
        let present = present(store)?;
        let existing = match present {
            _ if self.todo.replace => Existing::Overwrite,
            // A job that was killed may have finished it, and not have come to say so.
            Present::Complete => return Ok(Made { report: None, by_one_run: false }),
            Present::Unfinished => Existing::Resume,
            Present::Nothing => Existing::Refuse,
        };
        let run = |existing| {
            let mut options = options.clone();
            options.existing = existing;
            // No object store can exchange two stores. What is replaced is not what its source holds any more.
            options.in_place = store.local_path().is_none();
            convert::convert(fileset, store, &options, self.job)
        };
        let by_one_run = existing != Existing::Resume;
        let (made, by_one_run) = match run(existing) {
            // What an earlier run began by other settings or from another version of the file was never complete.
            Err(convert::Error::Settings { .. } | convert::Error::Resume(_))
                if present == Present::Unfinished =>
            {
                (run(Existing::Overwrite), true)
            }
            made => (made, by_one_run),
        };
        made.map(|report| Made { report: Some(report), by_one_run }).map_err(|error| {
            let failure = Failure::from(error);
            // What no later run can finish is not left behind.
            if !failure.class.may_pass() && failure.class != Class::Exists && is_unfinished(store) {
                let _ = convert::discard(store);
            }
            failure
        })
    }

    /// Proves the store against a source that was opened anew, and judges it by the specifications.
    fn prove(&self, source: &Source, store: &Store) -> Result<String, Failure> {
        let fileset = source.open(&self.todo.path, verify::opening(store))?;
        let step = self.job.next_step();
        let report = verify::verify(&fileset, store, &verify::Options::default(), &step)?;
        if !report.holds() {
            let differences = report.checks.iter().flat_map(|check| {
                check
                    .differences
                    .iter()
                    .map(move |difference| format!("{}: {difference}", check.proof.name()))
            });
            let listed: Vec<String> = differences.take(LISTED).collect();
            return Err(Failure::new(Class::Difference, listed.join("; ")));
        }
        let validity = verify::validate_hierarchy(store, Depth::Documents)?;
        if !validity.is_valid() {
            let broken =
                validity.findings.iter().filter(|found| found.finding.severity == ngff::Severity::Must);
            let listed: Vec<String> =
                broken.take(LISTED).map(|found| format!("{}: {}", found.node, found.finding)).collect();
            return Err(Failure::new(Class::Invalid, listed.join("; ")));
        }
        let mut proofs: Map<String, Value> = report
            .checks
            .iter()
            .map(|check| (check.proof.name().into(), check.covered.as_str().into()))
            .collect();
        let covered = format!("{} groups, {} arrays", validity.groups, validity.arrays);
        proofs.insert("valid".into(), covered.into());
        Ok(Value::Object(proofs).to_string())
    }

    /// Documents that describe the dataset, and that nobody wanted in its record.
    fn beside(&self, source: &Source) -> Result<Vec<SourceFile>, Failure> {
        if self.context.options.use_sidecars {
            return Ok(Vec::new());
        }
        let file = |path: &String| -> std::io::Result<SourceFile> {
            let stat = source.stat(path)?;
            Ok(SourceFile { path: path.clone(), stat, sha256: Some(source.sha256(path, || Ok(()))?) })
        };
        let failed = |path: &String, error| Failure::new(Class::Sidecar, format!("{path}: {error}"));
        self.todo.sidecars.iter().map(|path| file(path).map_err(|error| failed(path, error))).collect()
    }
}

/// What came of a conversion.
struct Made {
    /// `None` where a complete store was there, which has yet to be proved.
    report: Option<Report>,
    /// Whether the report tells of the whole store, and not of what an interrupted run had left to do.
    by_one_run: bool,
}

/// Chunk and shard objects of all images of a store, and their bytes, as a conversion without interruption counts them.
fn stored(store: &Store) -> Result<(u64, u64), Failure> {
    let mut stored = (0, 0);
    let images = ome_zarr::images(store)?;
    for image in images {
        for level in 0..image.multiscale.datasets.len() {
            let Some(array) = image.array_path(level) else { continue };
            let objects = store.list(&array)?;
            let is_chunk = |key: &str| !matches!(names::last(key), "zarr.json" | ".zarray" | ".zattrs");
            for (_, bytes) in objects.iter().filter(|(key, _)| is_chunk(key)) {
                stored = (stored.0 + 1, stored.1 + bytes);
            }
        }
    }
    Ok(stored)
}

fn opening(choices: &Options) -> OpenOptions {
    let mut options = OpenOptions::default();
    options.on_missing = choices.on_missing;
    options.on_extra_pages = choices.extra_pages;
    options.on_bad_metadata = choices.on_bad_metadata;
    options.half = choices.half;
    options
}

fn present(store: &Store) -> Result<Present, Failure> {
    if store.local_path().is_some_and(|path| !path.exists()) {
        return Ok(Present::Nothing);
    }
    if store.exists(&keys::plan())? {
        return Ok(Present::Unfinished);
    }
    let complete = store.exists("zarr.json")? || store.exists(".zattrs")?;
    Ok(if complete { Present::Complete } else { Present::Nothing })
}

fn is_unfinished(store: &Store) -> bool {
    matches!(present(store), Ok(Present::Unfinished))
        && !store.exists("zarr.json").unwrap_or(true)
        && !store.exists(".zattrs").unwrap_or(true)
}

fn stats(source: &Source, members: &[Option<String>]) -> Result<Vec<Stat>, Failure> {
    let stat = |path: &Option<String>| match path {
        Some(path) => {
            source.stat(path).map_err(|error| Failure::new(Class::Unreadable, format!("{path}: {error}")))
        }
        None => Ok(Stat::default()),
    };
    members.iter().map(stat).collect()
}

fn attributes(store: &Store) -> Result<Map<String, Value>, Failure> {
    Ok(ome_zarr::attributes(store, "")?.unwrap_or_default())
}

/// The files with the checksums that the store has recorded, which the verification has compared with the files.
fn files(
    members: &[Option<String>],
    stats: &[Stat],
    fileset: &Fileset,
    root: &Map<String, Value>,
) -> Vec<SourceFile> {
    let recorded: Vec<_> =
        Conversion::of(root).into_iter().flat_map(|conversion| conversion.files()).collect();
    let same = recorded.len() == members.len()
        && recorded.iter().zip(fileset.files()).all(|(recorded, file)| recorded.name == file.name);
    let checksum = |n: usize| {
        let (algorithm, value) = recorded.get(n).filter(|_| same)?.checksum?;
        (algorithm == FileAlgorithm::Sha256.name()).then(|| value.to_ascii_lowercase())
    };
    let file = |(n, (path, stat)): (usize, (&Option<String>, &Stat))| {
        Some(SourceFile { path: path.clone()?, stat: *stat, sha256: checksum(n) })
    };
    members.iter().zip(stats).enumerate().filter_map(file).collect()
}

fn pixel_bytes(image: &fairzarr::ome_tiff::Image) -> u64 {
    let shape = image.shape();
    [shape.t, shape.c, shape.z, shape.y, shape.x].iter().map(|side| u64::from(*side)).product::<u64>()
        * image.sample_type().bytes() as u64
}

/// When the images were taken, and the latest quality control of each kind.
fn quality(root: &Map<String, Value>) -> Option<String> {
    let index = placement::read_index(root).ok()?;
    let mut latest: std::collections::BTreeMap<&str, &str> = std::collections::BTreeMap::new();
    for event in &index.events {
        let Some(date) = event.date.as_deref() else { continue };
        let of = latest.entry(event.kind.as_str()).or_default();
        if *of < date {
            *of = date;
        }
    }
    let acquired = index.images.iter().filter_map(|image| image.acquisition_date.as_deref()).max();
    if acquired.is_none() && latest.is_empty() {
        return None;
    }
    Some(json!({"acquired": acquired, "events": latest}).to_string())
}

/// What the store says that it does not hold of its source, in words.
pub(crate) fn not_carried(root: &Map<String, Value>) -> Vec<String> {
    let Some(named) = Conversion::of(root).and_then(Conversion::not_carried) else { return Vec::new() };
    let list = |member: &str| named.get(member).and_then(Value::as_array).into_iter().flatten();
    let text = |entry: &Value, member: &str| match entry.get(member) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let mut said: Vec<String> = Vec::new();
    for page in list("pages").take(NAMED) {
        let [file, ifd, kind, x, y] = ["file", "ifd", "kind", "x", "y"].map(|member| text(page, member));
        said.push(format!("{file}, IFD {ifd}: {kind} of {x} x {y} pixels"));
    }
    let pages = named.get("page_count").and_then(Value::as_u64).unwrap_or_default();
    let more = pages.saturating_sub(said.len() as u64);
    if more > 0 {
        said.push(format!("{more} more pages"));
    }
    for levels in list("levels") {
        said.push(format!("the source's reduced levels of image {}", text(levels, "image")));
    }
    said.extend(list("series").map(|series| format!("image {series} of the source")));
    for times in list("timepoints") {
        let count = times.get("left_out").and_then(Value::as_array).map_or(0, Vec::len);
        said.push(format!("{count} time points of image {}", text(times, "image")));
    }
    said.extend(
        list("metadata").filter_map(Value::as_str).map(|part| format!("of what the OME-XML says: {part}")),
    );
    said.extend(list("files").map(|file| format!("the attached file {}", text(file, "name"))));
    said
}

/// Sentences as the state has them: a JSON list; none where there are none.
fn listed(said: &[String]) -> Option<String> {
    (!said.is_empty()).then(|| Value::from(said).to_string())
}

fn warnings(fileset: &Fileset, outside: usize, report: Option<&Report>) -> Vec<String> {
    let mut said: Vec<String> = fileset.warnings().iter().map(|warning| warning.to_string()).collect();
    if let Some(report) = report {
        said.extend(report.conflicts.iter().map(|conflict| conflict.to_string()));
        said.extend(report.filled_sentences());
        if let Some(coverage) =
            report.coverage.as_ref().filter(|coverage| coverage.policy != "baseline" && !coverage.passes())
        {
            let errors = coverage.count(Severity::Error);
            said.push(format!("the record falls short of policy '{}' in {errors} places", coverage.policy));
        }
    }
    if outside > 0 {
        said.push(format!("{outside} files of the set lie outside of the source: what they hold is converted, and no list names them"));
    }
    said
}
