//! The job: what there is, what is to be done, and doing it, some datasets at a time.

use fairzarr::convert;
use fairzarr::ome_tiff::{HalfFloats, OnBadMetadata, OnExtraPages, OnMissing};
use fairzarr::store::{Durability, Location, StoreOptions};
use fairzarr::task::{Job, background, for_each, lock, unlocked};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::attempt::{Context, attempt};
use crate::discover::{Found, Search, discover};
use crate::filter::Filter;
use crate::names::escape;
use crate::place::{fetch_state, put_state, state_path};
use crate::settings;
use crate::source::{Place, Source};
use crate::state::{Finished, Merge, Plan, State, Todo};
use crate::table::Table;
use crate::template::Template;
use crate::{Class, Error};

/// Bytes of files from which on a dataset is converted alone, by all cores.
const LARGE: u64 = 64 << 20;
/// Results that are recorded together, at most.
const TOGETHER: usize = 512;
/// How long the recorder waits for a first result before it looks again.
const LONG: Duration = Duration::from_hours(1);
/// How long a result may wait to be recorded.
const PAUSE: Duration = Duration::from_millis(400);

/// Choices for a migration.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// How each dataset is converted, where the table says nothing else. What exists is handled by the job.
    pub convert: convert::Options,
    /// What to do about planes that the metadata promise and no file holds.
    pub on_missing: OnMissing,
    /// What to do about pages that no plane of the metadata uses.
    pub extra_pages: OnExtraPages,
    /// What to do about metadata of which a part cannot be read.
    pub on_bad_metadata: OnBadMetadata,
    /// What samples of 16-bit floating point become.
    pub half: HalfFloats,
    /// Which paths are looked at.
    pub filter: Filter,
    /// Where datasets lie in the target.
    pub template: Template,
    /// What is said of single datasets.
    pub table: Table,
    /// Datasets at a time; `None`: one for each core.
    pub jobs: Option<usize>,
    /// Whether documents beside images that describe them go into their records.
    pub use_sidecars: bool,
    /// Causes of earlier failures that are tried again. [`Class::Changed`] converts datasets again whose sources are others
    /// by now, and replaces their stores.
    pub retry: BTreeSet<Class>,
    /// How object stores are opened that the sources lie in.
    pub source_store: StoreOptions,
    /// How the target is opened.
    pub target_store: StoreOptions,
    /// Where the state is kept; `None`: see [`state_path`].
    pub state: Option<PathBuf>,
}

/// What a run did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Datasets that were converted and proved by this run.
    pub done: u64,
    /// Datasets that this run could not migrate.
    pub failed: u64,
    /// Datasets that were done before, and whose sources are as they were.
    pub kept: u64,
    /// Datasets that were done before, and whose sources are others by now.
    pub changed: u64,
    /// Datasets that failed before, by a cause that is not tried again by itself.
    pub waiting: u64,
    /// Folders and files that could not be looked at.
    pub unreadable: u64,
    /// Whether the job was stopped before it had come to all datasets.
    pub interrupted: bool,
}

/// What happens, for whoever shows it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The sources were looked at.
    Found {
        /// Datasets in all.
        datasets: u64,
        /// Those that are to be migrated now.
        todo: u64,
        /// Bytes of their files.
        bytes: u64,
    },
    /// A dataset was tried, and that is recorded.
    Tried {
        /// The file that it was opened by, below its source.
        path: String,
        /// Where it lies below the target.
        target: String,
        /// Seconds that it took.
        seconds: f64,
        /// Why it is not done; none where it is.
        failure: Option<crate::Failure>,
    },
}

/// Migrates all datasets below the sources.
///
/// # Errors
/// What concerns the job as a whole; what is wrong with one dataset is recorded, and the others go on.
pub fn migrate(
    sources: &[Location],
    target: &Location,
    options: &Options,
    job: &Job,
    on: &(dyn Fn(Event) + Sync),
) -> Result<Summary, Error> {
    let path = options.state.clone().unwrap_or_else(|| state_path(target));
    if target.as_path().is_none() && !path.exists() {
        fetch_state(target, &options.target_store, &path)?;
    }
    let (mut state, _turn) = State::change(&path)?;
    let (sources, only) = open_sources(sources, options)?;
    let found = look(&sources, &only, target, options, &state, job)?;
    let run =
        state.begin(concat!("fairzarr ", env!("CARGO_PKG_VERSION")), &settings::told(&options.convert))?;
    let plan = state.merge(&merging(run, &found, &sources, &only, options))?;
    let mut summary = summary(&found, &plan);
    on(Event::Found {
        datasets: found.datasets.len() as u64,
        todo: plan.todo.len() as u64,
        bytes: plan.todo.iter().map(|todo| todo.bytes).sum(),
    });
    job.progress.expect(plan.todo.iter().map(|todo| todo.bytes.max(1)).sum());
    drop(found);
    let work = Work { sources: &sources, target, options, job, on };
    work.all(&mut state, run, &plan.todo, &mut summary)?;
    summary.interrupted = job.cancel.is_cancelled();
    let outcome = match (summary.interrupted, summary.failed + summary.changed + summary.waiting) {
        (true, _) => "interrupted",
        (false, 0) => "complete",
        (false, _) => "some failed",
    };
    state.end(run, outcome)?;
    if target.as_path().is_none() {
        put_state(&state, target, &options.target_store)?;
    }
    Ok(summary)
}

/// Looks at the sources and tells what [`migrate`] would do, as a state in memory. Nothing is written.
///
/// # Errors
/// As [`migrate`].
pub fn survey(
    sources: &[Location],
    target: &Location,
    options: &Options,
    job: &Job,
) -> Result<(State, Summary), Error> {
    let path = options.state.clone().unwrap_or_else(|| state_path(target));
    let mut state = State::copy_in_memory(&path)?;
    let (sources, only) = open_sources(sources, options)?;
    let found = look(&sources, &only, target, options, &state, job)?;
    let run =
        state.begin(concat!("fairzarr ", env!("CARGO_PKG_VERSION")), &settings::told(&options.convert))?;
    let plan = state.merge(&merging(run, &found, &sources, &only, options))?;
    for dataset in &found.datasets {
        let at = found.paths.get(dataset.entry);
        if let (Some(failure), Some(at)) = (&dataset.failure, at)
            && let Some(todo) = plan.todo.iter().find(|todo| todo.path == at.path && todo.source == at.source)
        {
            let outcome = Err(failure.clone());
            state.record(run, &[Finished { dataset: todo.dataset, seconds: 0.0, outcome }])?;
        }
    }
    Ok((state, summary(&found, &plan)))
}

fn summary(found: &Found, plan: &Plan) -> Summary {
    let unreadable = found.paths.iter().filter(|path| path.role == crate::Role::Unreadable).count();
    Summary {
        kept: plan.kept,
        changed: plan.changed,
        waiting: plan.waiting,
        unreadable: unreadable as u64,
        ..Summary::default()
    }
}

fn look(
    sources: &[Source],
    only: &[Only],
    target: &Location,
    options: &Options,
    state: &State,
    job: &Job,
) -> Result<Found, Error> {
    let target = target.as_path().and_then(|path| path.canonicalize().ok());
    let known = state.known()?;
    discover(&Search {
        sources,
        only,
        filter: &options.filter,
        target: target.as_deref(),
        known: &known,
        job,
    })
}

fn merging<'a>(
    run: i64,
    found: &'a Found,
    sources: &'a [Source],
    only: &[Only],
    options: &'a Options,
) -> Merge<'a> {
    Merge {
        run,
        found,
        sources,
        partial: only.iter().map(Option::is_some).collect(),
        template: &options.template,
        table: &options.table,
        retry: &options.retry,
    }
}

/// Single files of a source that alone are meant; none where the whole of it is.
type Only = Option<Vec<String>>;

/// Sources as places; of single files their folder, and which files of it are meant. A folder within another one that is
/// given too is no source of its own.
fn open_sources(locations: &[Location], options: &Options) -> Result<(Vec<Source>, Vec<Only>), Error> {
    let mut sources: Vec<Source> = Vec::new();
    let mut only: Vec<Only> = Vec::new();
    for location in locations {
        let (source, file) = match location.as_path() {
            Some(path) if path.is_dir() => (Source::local(path)?, None),
            Some(path) => {
                // A path that is not there is an error of the call, not of a dataset.
                std::fs::symlink_metadata(path)
                    .map_err(|source| Error::Source { place: path.display().to_string(), source })?;
                let name = path.file_name().map(escape);
                (Source::local(path.parent().unwrap_or(Path::new("")))?, name)
            }
            None => {
                let text = location.to_string();
                let is_file = is_file_name(&text);
                match (is_file, location.parent(), location.file_name()) {
                    (true, Some(folder), Some(name)) => {
                        (Source::remote(&folder, &options.source_store)?, Some(name.into_owned()))
                    }
                    _ => (Source::remote(location, &options.source_store)?, None),
                }
            }
        };
        let known = sources.iter().position(|other| other.name == source.name);
        match (known, file) {
            (Some(at), Some(file)) => {
                if let Some(files) = only.get_mut(at).and_then(Option::as_mut) {
                    files.push(file);
                }
            }
            (Some(at), None) => only[at] = None,
            (None, file) => {
                sources.push(source);
                only.push(file.map(|file| vec![file]));
            }
        }
    }
    let folders: Vec<PathBuf> = sources
        .iter()
        .zip(&only)
        .filter_map(|(source, only)| match (&source.place, only) {
            (Place::Local(path), None) => Some(path.clone()),
            _ => None,
        })
        .collect();
    let within = |source: &Source| match &source.place {
        Place::Local(path) => folders.iter().any(|folder| folder != path && path.starts_with(folder)),
        Place::Remote(_) => false,
    };
    Ok(sources.into_iter().zip(only).filter(|(source, _)| !within(source)).unzip())
}

struct Work<'a> {
    sources: &'a [Source],
    target: &'a Location,
    options: &'a Options,
    job: &'a Job,
    on: &'a (dyn Fn(Event) + Sync),
}

impl Work<'_> {
    fn all(&self, state: &mut State, run: i64, todo: &[Todo], summary: &mut Summary) -> Result<(), Error> {
        let (results, written) = channel();
        let counted = Mutex::new(std::mem::take(summary));
        let worked = std::thread::scope(|scope| {
            let recorder = background(scope, "state", || {
                let written = written;
                self.record(state, run, todo, &written, &counted)
            })?;
            let worked = self.attempts(todo, &results);
            drop(results);
            let recorded = recorder.join().unwrap_or(Err(Error::Interrupted));
            worked.and(recorded)
        });
        *summary = unlocked(counted);
        worked
    }

    /// Small datasets beside each other, each by its share of the cores; then the large ones, each by all.
    fn attempts(&self, todo: &[Todo], results: &Sender<Finished>) -> Result<(), Error> {
        let cores = self.job.cores();
        let at_once = self.options.jobs.unwrap_or(cores).max(1);
        let store = self.store_options();
        let context =
            Context { sources: self.sources, target: self.target, store: &store, options: self.options };
        let (small, large): (Vec<&Todo>, Vec<&Todo>) = todo.iter().partition(|todo| todo.bytes < LARGE);
        let share = self
            .job
            .next_step()
            .with_threads(Some((cores / at_once).max(1)))
            .with_memory(self.job.memory / at_once as u64);
        let too_large: Mutex<Vec<&Todo>> = Mutex::new(large);
        let results = Mutex::new(results.clone());
        let report = |todo: &Todo, finished: Finished| {
            self.job.progress.advance(todo.bytes.max(1));
            match lock(&results).send(finished) {
                Ok(()) => ControlFlow::Continue(()),
                // The recorder has ended, and says why.
                Err(_) => ControlFlow::Break(()),
            }
        };
        for_each(
            &small,
            at_once,
            |todo| todo.path.clone(),
            || (),
            |(), todo| {
                if self.job.cancel.is_cancelled() {
                    return ControlFlow::Break(());
                }
                let finished = attempt(&context, todo, &share.next_step());
                let of_memory = matches!(&finished.outcome, Err(failure) if failure.class == Class::Memory);
                if of_memory && at_once > 1 {
                    lock(&too_large).push(todo);
                    return ControlFlow::Continue(());
                }
                report(todo, finished)
            },
        )?;
        for todo in unlocked(too_large) {
            if self.job.cancel.is_cancelled() {
                break;
            }
            let alone = self.job.next_step().with_threads(Some(cores));
            if report(todo, attempt(&context, todo, &alone)).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Records results as they come, several at a time: first the stores have to be on the disk, then the state says so.
    fn record(
        &self,
        state: &mut State,
        run: i64,
        todo: &[Todo],
        results: &Receiver<Finished>,
        counted: &Mutex<Summary>,
    ) -> Result<(), Error> {
        let by_id: std::collections::HashMap<i64, &Todo> =
            todo.iter().map(|todo| (todo.dataset, todo)).collect();
        let mut open = true;
        while open {
            let mut finished = Vec::new();
            let mut first = None;
            while finished.len() < TOGETHER {
                let wait = first.map_or(LONG, |first: Instant| PAUSE.saturating_sub(first.elapsed()));
                match results.recv_timeout(wait) {
                    Ok(one) => {
                        first.get_or_insert_with(Instant::now);
                        finished.push(one);
                    }
                    Err(RecvTimeoutError::Timeout) if first.is_some() => break,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        open = false;
                        break;
                    }
                }
            }
            // What was stopped half-way is no result.
            finished
                .retain(|one| !matches!(&one.outcome, Err(failure) if failure.class == Class::Interrupted));
            if finished.is_empty() {
                continue;
            }
            let recorded = self.settle().and_then(|()| state.record(run, &finished));
            if let Err(error) = recorded {
                self.job.cancel.cancel();
                return Err(error);
            }
            for one in finished {
                let failure = one.outcome.err();
                let mut summary = lock(counted);
                match failure {
                    None => summary.done += 1,
                    Some(_) => summary.failed += 1,
                }
                drop(summary);
                if let Some(todo) = by_id.get(&one.dataset) {
                    let (path, target) = (todo.path.clone(), todo.target.clone());
                    (self.on)(Event::Tried { path, target, seconds: one.seconds, failure });
                }
            }
        }
        Ok(())
    }

    fn store_options(&self) -> StoreOptions {
        let mut options = self.options.target_store.clone();
        // The disk is asked once for many datasets, not once for each.
        if cfg!(target_os = "linux") && options.durability == Durability::End {
            options.durability = Durability::None;
        }
        options
    }

    /// Waits until what was written to a local target would survive a power cut.
    fn settle(&self) -> Result<(), Error> {
        #[cfg(target_os = "linux")]
        if self.options.target_store.durability == Durability::End
            && let Some(path) = self.target.as_path()
        {
            let failed = |source| Error::Write { place: path.display().to_string(), source };
            let folder = std::fs::File::open(path).map_err(failed)?;
            rustix::fs::syncfs(folder).map_err(|error| failed(error.into()))?;
        }
        Ok(())
    }
}

/// Whether a URL names a file rather than a prefix; nothing else tells.
fn is_file_name(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    [".tif", ".tiff", ".btf", ".tf2", ".tf8", ".companion.ome"].iter().any(|ending| lower.ends_with(ending))
}
