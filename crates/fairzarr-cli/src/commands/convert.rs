//! `fairzarr convert`.

use fairzarr_convert::{
    BitType, ChunkChoice, Error, Existing, FileAlgorithm, NotCarried, Options, Plan, Present, PyramidChoice,
    Report, ShardChoice, Stage, StageTimes, Tiles,
};
use fairzarr_ome_tiff::{Fileset, OpenOptions, Part};
use fairzarr_store::Store;
use fairzarr_task::{Cancel, Job};
use serde_json::json;
use std::time::Instant;

use super::{archive, part};
use crate::args::{BitArg, ChecksumArg, Convert, ConvertChoices, OutputArgs, Preset, PyramidArg, StoreArgs};
use crate::caller::Caller;
use crate::exit::{Code, Failure};
use crate::print;
use crate::progress;
use crate::source::{self, Output};
use crate::telling;

use super::existing;

pub(crate) fn run(args: &Convert) -> Result<Code, Failure> {
    let start = Instant::now();
    let mut options = options(&args.source, &args.choices);
    let job = job(&args.source, &args.choices);
    options.existing = match (args.overwrite, args.resume) {
        (true, _) => Existing::Overwrite,
        (_, true) => Existing::Resume,
        _ => Existing::Refuse,
    };
    let fileset = open(&args.source, open_options(&args.choices), &args.choices, &args.store)?;
    if args.dry_run {
        let plan = Plan::new(&fileset, &options, job.memory)?;
        return show_plan(&plan, &job, &args.target);
    }
    super::provenance::choose(&args.choices.provenance, &fileset, &mut options)?;
    let output = source::output(&args.target, &args.store)?;
    match &output {
        Output::Store(store) => heed_place(store, &args.target, &mut options)?,
        // What is to be packed is nobody's store; the archive stays until the new one is whole.
        Output::Archive(..) => options.in_place = true,
    }
    let made = existing::Made { fileset: &fileset, options: &options, job: &job };
    if args.skip_existing {
        match made.is_at(&args.target, &args.store, u64::MAX)? {
            Present::Same => return existing::tell_skipped(args, &fileset),
            Present::Nothing => {}
            Present::Unfinished if args.resume => {}
            other => return Err(existing::failure(other, Error::Exists(args.target.clone()))),
        }
    }
    let store = match &output {
        Output::Store(store) => store.clone(),
        Output::Archive(folder, name) => archive::unpacked(folder, name, args, &made)?,
    };
    stop_on_signal(&job.cancel, &store);
    let report = watched(&args.output, &job, || match &output {
        Output::Store(_) => fairzarr_convert::convert(&fileset, &store, &options, &job)
            .map_err(|error| Stopped::of(made.refused(error, &args.target, &args.store))),
        Output::Archive(folder, name) => archive::make(folder, name, &fileset, &store, &options, &job),
    });
    match report {
        Ok(report) => {
            super::provenance::tell(&report, args.choices.provenance.policy.is_some());
            let files = match &output {
                Output::Store(store) => recorded_files(store),
                // The store that was packed has gone.
                Output::Archive(..) => source::store(&args.target, &args.store, Code::Output)
                    .ok()
                    .and_then(|archive| recorded_files(&archive)),
            };
            let told = Told { source: &args.source, target: &args.target, files };
            let code = tell(&told, &report, start.elapsed().as_secs_f64())?;
            if (args.stats || telling::is_verbose()) && !telling::is_json() {
                show_times(&report.times)?;
            }
            Ok(code)
        }
        Err(Stopped::Interrupted) => {
            print::remark(format_args!("interrupted; run the same command with --resume to finish"));
            Ok(Code::Interrupted)
        }
        Err(Stopped::Failed(failure)) => {
            // Abort multipart uploads: their parts would stay in the object store, and be billed.
            store.abort();
            Err(failure)
        }
    }
}

/// An object store cannot exchange two stores: what is replaced there goes first, and that is said before it does.
pub(super) fn heed_place(store: &Store, target: &str, options: &mut Options) -> Result<(), Failure> {
    if options.existing != Existing::Overwrite || options.in_place || store.local_path().is_some() {
        return Ok(());
    }
    options.in_place = true;
    let there = |key| store.exists(key).map_err(|error| Failure::new(Code::Output, error));
    if there("zarr.json")? || there(".zattrs")? {
        print::warning(format_args!(
            "{target}: the old store is removed before the new one is whole, because no object store can exchange the two"
        ));
    }
    Ok(())
}

/// Why a conversion has not come to its end.
pub(super) enum Stopped {
    Interrupted,
    Failed(Failure),
}

impl Stopped {
    pub(super) fn of(error: impl Into<Failure>) -> Self {
        let failure = error.into();
        // A request that was cut off by the signal fails as one of the store's.
        if failure.code() == Code::Interrupted { Self::Interrupted } else { Self::Failed(failure) }
    }
}

/// Shows progress while `work` runs.
pub(super) fn watched<T>(output: &OutputArgs, job: &Job, work: impl FnOnce() -> T) -> T {
    if let Some(caller) = Caller::current() {
        caller.may_watch(&job.progress);
    }
    progress::show(output, &job.progress, work)
}

/// How the choices have the source opened.
pub(super) fn open_options(choices: &ConvertChoices) -> OpenOptions {
    let mut options = OpenOptions::default();
    options.on_missing = choices.on_missing.into();
    options.on_extra_pages = choices.extra_pages.into();
    options.on_bad_metadata = choices.on_bad_metadata.into();
    options.half = choices.half.into();
    options
}

/// Opens the source, with the part of it that is asked for, and tells what it tolerated.
pub(super) fn open(
    text: &str,
    options: OpenOptions,
    choices: &ConvertChoices,
    store: &StoreArgs,
) -> Result<Fileset, Failure> {
    let whole = source::fileset(text, store, options)?;
    let part = part::of(text, &whole, choices)?;
    opened(text, whole, &part)
}

/// The part of a source that was opened.
pub(super) fn opened(text: &str, whole: Fileset, part: &Part) -> Result<Fileset, Failure> {
    let fileset = whole.part(part).map_err(|error| Failure::new(Code::Usage, error).about(text))?;
    for warning in fileset.warnings() {
        print::warning(format_args!("{warning}"));
    }
    let bytes: u64 = fileset.files().iter().map(|file| file.len).sum();
    print::detail(format_args!(
        "{text}: {} files of {:.1} MB, {} images",
        fileset.files().len(),
        bytes as f64 / 1e6,
        fileset.images().len()
    ));
    Ok(fileset)
}

/// What was typed, as the library wants it.
pub(super) fn options(source: &str, choices: &ConvertChoices) -> Options {
    if let (ShardChoice::Size(height, width), ChunkChoice::Size(y, x)) = (choices.shard, choices.chunk)
        && (!height.is_multiple_of(y) && height > y || !width.is_multiple_of(x) && width > x)
    {
        let whole = |side: u32, chunk: u32| u64::from(side).next_multiple_of(u64::from(chunk));
        print::remark(format_args!(
            "a shard holds whole chunks of {y} x {x}: shards are {} x {} instead of {height} x {width}",
            whole(height, y),
            whole(width, x)
        ));
    }
    let fast = choices.preset == Preset::Fast && choices.codec.is_none();
    let mut options = Options::default();
    options.source_checksum = match choices.source_checksum {
        ChecksumArg::Auto if fast || !source::is_local(source) => None,
        ChecksumArg::Auto | ChecksumArg::Sha256 => Some(FileAlgorithm::Sha256),
        ChecksumArg::Blake3 => Some(FileAlgorithm::Blake3),
        ChecksumArg::None => None,
    };
    options.version = choices.ngff;
    options.layout = choices.layout.into();
    options.codec = choices.codec.unwrap_or_else(|| choices.preset.into());
    options.chunk = choices.chunk;
    options.pyramid = match choices.pyramid {
        Some(PyramidArg::None) => PyramidChoice::None,
        Some(PyramidArg::Source) => PyramidChoice::Source,
        None if choices.no_decode => PyramidChoice::Source,
        Some(PyramidArg::Computed) | None => PyramidChoice::Computed,
    };
    options.positions = choices.positions.into();
    options.time_scale = choices.time_scale.into();
    options.rois = choices.rois.into();
    options.downsample = choices.downsample.into();
    options.drop_axes = choices.drop_axes.clone().unwrap_or_default();
    options.smallest_level = choices.smallest_level;
    options.decode = !choices.no_decode;
    options.shard = choices.shard;
    options.omit_empty = choices.omit_empty;
    options.consolidated = !choices.no_consolidated;
    options.in_place = choices.in_place;
    options.take_over = choices.take_over;
    options.bit = match choices.bit {
        BitArg::Uint8 => BitType::Uint8,
        BitArg::Bool => BitType::Bool,
    };
    options
}

/// The resources that were typed. Of a source that is far away, more is read at the same time than there are cores, since
/// each read mostly waits; memory bounds it.
pub(super) fn job(source: &str, choices: &ConvertChoices) -> Job {
    let job = Job::new().with_threads(choices.jobs).with_memory(choices.memory);
    let readers = job.readers(!source::is_local(source), 1);
    job.with_threads(Some(readers))
}

/// The first Ctrl-C stops between blocks, and ends what waits for a server; a second one stops at once, but takes back
/// unfinished uploads. Signals of another program's process are that program's own.
pub(super) fn stop_on_signal(cancel: &Cancel, store: &Store) {
    if let Some(caller) = Caller::current() {
        caller.may_stop(cancel, store);
        return;
    }
    let (cancel, store, control) = (cancel.clone(), store.clone(), source::control());
    let installed = ctrlc::set_handler(move || {
        if cancel.cancel() {
            store.abort();
            std::process::exit(i32::from(Code::Interrupted as u8));
        }
        source::stop_waiting(control.clone());
    });
    if let Err(error) = installed {
        print::warning(format_args!("interruptions will not be clean: {error}"));
    }
}

pub(super) fn show_plan(plan: &Plan, job: &Job, target: &str) -> Result<Code, Failure> {
    let jobs = plan.threads(job);
    let memory = plan.worker_memory * jobs as u64;
    if telling::is_json() {
        let members = json!({
            "target": target, "plan": plan, "source_bytes": plan.source_bytes(), "decoded_bytes": plan.target_bytes(),
            "objects": plan.objects(), "units": plan.task_count(), "jobs": jobs, "memory": memory,
        });
        return print::outcome("plan", Code::Done, target, members);
    }
    for image in &plan.images {
        let name = if image.path.is_empty() { "(root)" } else { &image.path };
        let [t, c, z, y, x] = image.shape;
        print::result(format_args!("{name}: t={t} c={c} z={z} y={y} x={x} {}", image.sample_type))?;
        for (n, level) in image.levels.iter().enumerate() {
            let planes = match image.planes_in_shard() {
                1 => String::new(),
                several => format!(" of {several} planes"),
            };
            let shard = level.shard.map_or(String::new(), |(h, w)| format!(", shards {h} x {w}{planes}"));
            print::result(format_args!(
                "  level {n}: {} x {}, chunks {} x {}{shard}, {}",
                level.size.0, level.size.1, level.chunk.0, level.chunk.1, level.codec
            ))?;
        }
        match &image.tiles {
            Tiles::Encoded => {}
            Tiles::Moved { big_endian, decoded } => {
                let order = if *big_endian { ", big-endian" } else { "" };
                let how = if *decoded { "as they are" } else { "without being decoded" };
                let moved = image.levels.iter().filter(|level| level.moved).count();
                let which = if moved > 1 { format!("{moved} levels are") } else { "level 0 is".into() };
                print::result(format_args!("  {which} the source's tiles, moved {how}{order}"))?;
            }
            Tiles::Refused(why) => {
                print::result(format_args!("  the source's tiles are encoded again: {why}"))?;
            }
        }
    }
    print::result(format_args!(
        "reads {:.1} MB (decoded), encodes {:.1} MB with {} into at most {} objects; {} units, {jobs} jobs, {:.0} MiB of memory",
        plan.source_bytes() as f64 / 1e6,
        plan.target_bytes() as f64 / 1e6,
        plan.settings.codec,
        plan.objects(),
        plan.task_count(),
        memory as f64 / f64::from(1 << 20)
    ))?;
    Ok(Code::Done)
}

/// What is told of a finished conversion beside its report.
pub(super) struct Told<'a> {
    pub(super) source: &'a str,
    pub(super) target: &'a str,
    /// The source's files with their checksums, as recorded.
    pub(super) files: Option<serde_json::Value>,
}

/// The source's files with their checksums as the store has them; only programs are told.
pub(super) fn recorded_files(store: &Store) -> Option<serde_json::Value> {
    if !telling::is_json() {
        return None;
    }
    let root = fairzarr_ome_zarr::attributes(store, "").ok().flatten()?;
    root.get("fairzarr:conversion")?.get("files").cloned()
}

/// Tells what was done.
pub(super) fn tell(told: &Told<'_>, report: &Report, seconds: f64) -> Result<Code, Failure> {
    let Told { source, target, files } = told;
    tell_notes(source, report);
    if telling::is_json() {
        let filled: Vec<_> = report
            .filled
            .iter()
            .map(|(image, t, c, z)| json!({"image": image, "t": t, "c": c, "z": z}))
            .collect();
        let not_moved = report.not_moved.iter().map(|(image, why)| json!({"image": image, "reason": why}));
        let members = json!({
            "source": source, "target": target, "skipped": false, "files": files, "images": report.images,
            "source_bytes": report.source_bytes, "objects": report.objects, "bytes": report.bytes,
            "seconds": seconds, "stats": times(&report.times), "filled_planes": filled,
            "schema_changes": report.schema_changes, "not_consolidated": report.not_consolidated,
            "unplaced": report.unplaced,
            "not_carried": report.not_carried, "conflicts": report.conflicts,
            "policy": super::provenance::verdict(report),
            "moved_tiles": report.moved, "decoded": report.decoded, "not_moved": not_moved.collect::<Vec<_>>(),
        });
        return print::outcome("conversion", Code::Done, target, members);
    }
    let rate = report.source_bytes as f64 / 1e6 / seconds.max(1e-9);
    print::summary(format_args!(
        "{}: {} image{}, {:.1} MB of pixels in {} objects of {:.1} MB, {seconds:.2} s ({rate:.0} MB/s){}",
        target,
        report.images.len(),
        if report.images.len() == 1 { "" } else { "s" },
        report.source_bytes as f64 / 1e6,
        report.objects,
        report.bytes as f64 / 1e6,
        limit(&report.times)
    ))?;
    if report.images.len() > 1 {
        for path in &report.images {
            print::summary(format_args!("  {}/{path}", target.trim_end_matches('/')))?;
        }
    }
    Ok(Code::Done)
}

/// Tells people what there is to be said of a conversion.
fn tell_notes(source: &str, report: &Report) {
    for filled in report.filled_sentences() {
        print::warning(format_args!("{filled}"));
    }
    if report.unplaced > 0 {
        print::warning(format_args!(
            "{} of {} images stay at the origin: their position on the stage is not known, or not in a unit of length",
            report.unplaced,
            report.images.len()
        ));
    }
    let NotCarried { series, timepoints, .. } = &report.not_carried;
    if !series.is_empty() {
        print::remark(format_args!("{} images of the source are left out, as asked", series.len()));
    }
    let left_out = timepoints.iter().map(|times| times.left_out.len()).sum::<usize>();
    if left_out > 0 {
        let images = timepoints.len();
        print::remark(format_args!("{left_out} time points of {images} images are left out, as asked"));
    }
    for levels in &report.not_carried.levels {
        let sizes = levels.sizes.iter().map(|[y, x]| format!("{x} x {y}")).collect::<Vec<_>>().join(", ");
        print::remark(format_args!(
            "image {}: the reduced levels of the source ({sizes} pixels) are left out; --pyramid source keeps them",
            levels.image
        ));
    }
    if !report.schema_changes.is_empty() {
        let count: usize = report.schema_changes.iter().map(|change| change.count).sum();
        print::remark(format_args!(
            "the OME-XML is of an older schema: {count} changes made METADATA.ome.xml and the JSON 2016-06; `fairzarr inspect {source}` lists them, OME/sources/ has the original"
        ));
    }
    for image in &report.decoded {
        print::warning(format_args!(
            "image {image}: the source's tiles were decoded all the same: Deflate data do not tell how much they hold"
        ));
    }
    for (image, why) in &report.not_moved {
        print::warning(format_args!("image {image}: the source's tiles were encoded again: {why}"));
    }
    if let Some(bytes) = report.not_consolidated {
        print::remark(format_args!(
            "consolidated metadata were left out: they would add {:.1} MB to the root's document, which every reader fetches first",
            bytes as f64 / 1e6
        ));
    }
}

/// What made it no faster, for the end of the line.
fn limit(times: &StageTimes) -> String {
    times.longest().map_or(String::new(), |stage| {
        let threads = match times.threads {
            1 => "the thread's".to_owned(),
            several => format!("{several} threads'"),
        };
        format!(", limited by {} ({:.0} % of {threads} time)", stage.name(), 100.0 * times.share(stage))
    })
}

/// Seconds that all threads together spent on each stage.
fn times(times: &StageTimes) -> serde_json::Value {
    let stages: serde_json::Map<_, _> = Stage::ALL
        .iter()
        .map(|stage| (stage.name().into(), times.spent(*stage).as_secs_f64().into()))
        .collect();
    json!({"threads": times.threads, "seconds": times.elapsed.as_secs_f64(), "stages": stages})
}

fn show_times(times: &StageTimes) -> Result<(), Failure> {
    let mut rest = 1.0;
    for stage in Stage::ALL {
        let share = times.share(stage);
        rest -= share;
        let seconds = times.spent(stage).as_secs_f64();
        print::result(format_args!("  {:<10} {seconds:>9.3} s {:>5.1} %", stage.name(), 100.0 * share))?;
    }
    let all = times.elapsed.as_secs_f64() * times.threads as f64;
    print::result(format_args!(
        "  {:<10} {:>9.3} s {:>5.1} %",
        "idle",
        (all * rest).max(0.0),
        (100.0 * rest).max(0.0)
    ))?;
    print::result(format_args!(
        "  of {all:.3} s: {} threads for {:.3} s",
        times.threads,
        times.elapsed.as_secs_f64()
    ))
}
