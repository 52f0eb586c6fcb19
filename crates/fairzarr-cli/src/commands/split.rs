//! `fairzarr plan`, `run` and `commit`: one conversion by several processes that share only the store.

use fairzarr_convert::{Error, Existing, Plan, Setting, Settings, Share};
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use serde_json::json;
use std::time::Instant;

use super::convert::{
    Told, heed_place, job, open, open_options, opened, options, recorded_files, show_plan, stop_on_signal,
    tell, watched,
};
use super::{existing, labels, part};
use crate::args::{Planning, Run, Split};
use crate::exit::{Code, Failure, flag};
use crate::print;
use crate::source;
use crate::telling;

pub(crate) fn plan(planning: &Planning) -> Result<Code, Failure> {
    let args = &planning.split;
    let mut options = options(&args.source, &args.choices);
    if args.overwrite {
        options.existing = Existing::Overwrite;
    }
    let fileset = open(&args.source, open_options(&args.choices), &args.choices, &args.store)?;
    options.labels = labels::open(&args.labels, &args.store)?;
    let store = source::store(&args.target, &args.store, Code::Output)?;
    super::provenance::choose(&args.choices.provenance, &fileset, &mut options)?;
    heed_place(&store, &args.target, &mut options)?;
    let job = job(&args.source, &args.choices);
    let made = existing::Made { fileset: &fileset, options: &options, job: &job };
    let plan = fairzarr_convert::prepare(&fileset, &store, &options, job.memory)
        .map_err(|error| made.refused(error, &args.target, &args.store))?;
    match planning.emit {
        Some(kind) => super::emit::emit(planning, &plan, kind),
        None => show_plan(&plan, &job, &args.target),
    }
}

pub(crate) fn run(args: &Run) -> Result<Code, Failure> {
    let Run { split: args, task } = args;
    let mut options = options(&args.source, &args.choices);
    let store = source::store(&args.target, &args.store, Code::Output)?;
    let Some(plan) = unfinished(args, &store)? else { return tell_task(args, *task, false) };
    let fileset = open_planned(args, &plan)?;
    options.labels = labels::open(&args.labels, &args.store)?;
    check_typed(args, &Settings::new(&fileset, &options), &plan)?;
    let job = job(&args.source, &args.choices);
    stop_on_signal(&job.cancel, &store);
    let outcome =
        watched(&args.output, &job, || fairzarr_convert::run_share(&fileset, &store, &options, *task, &job));
    match outcome.map_err(Failure::from) {
        Ok(true) => {
            if plan.task_count_of(*task) == 0 {
                let (number, of, count) = (task.number, task.of, plan.task_count());
                print::remark(format_args!(
                    "task {number}/{of} has nothing to do: the plan has {count} pieces of work"
                ));
            }
            tell_task(args, *task, true)
        }
        Ok(false) => {
            tell_complete(args);
            tell_task(args, *task, false)
        }
        Err(failure) if failure.code() == Code::Interrupted => {
            print::remark(format_args!("interrupted; run the same task again to finish it"));
            Ok(Code::Interrupted)
        }
        Err(failure) => Err(failure),
    }
}

pub(crate) fn commit(args: &Split) -> Result<Code, Failure> {
    let start = Instant::now();
    let mut options = options(&args.source, &args.choices);
    let store = source::store(&args.target, &args.store, Code::Output)?;
    let Some(plan) = unfinished(args, &store)? else {
        return existing::tell_complete(&args.source, &args.target, recorded_files(&store).as_ref());
    };
    let fileset = open_planned(args, &plan)?;
    options.labels = labels::open(&args.labels, &args.store)?;
    check_typed(args, &Settings::new(&fileset, &options), &plan)?;
    super::provenance::given(&args.choices.provenance, &mut options)?;
    let job = job(&args.source, &args.choices);
    stop_on_signal(&job.cancel, &store);
    let report = watched(&args.output, &job, || fairzarr_convert::commit(&fileset, &store, &options, &job))?;
    super::provenance::tell(&report, args.choices.provenance.policy.is_some());
    let told = Told { source: &args.source, target: &args.target, files: recorded_files(&store) };
    tell(&told, &report, start.elapsed().as_secs_f64())
}

/// Tells programs of a task that is done; `worked` is false where the store was complete.
fn tell_task(args: &Split, task: Share, worked: bool) -> Result<Code, Failure> {
    if !telling::is_json() {
        return Ok(Code::Done);
    }
    let members = json!({
        "source": args.source, "target": args.target, "task": task.number, "tasks": task.of, "complete": !worked,
    });
    print::outcome("task", Code::Done, &args.target, members)
}

/// The plan of what is still to be done; none, and told, where a complete store is.
fn unfinished(args: &Split, store: &Store) -> Result<Option<Plan>, Failure> {
    let is_there = |name| store.exists(name).map_err(|error| Failure::new(Code::Output, error));
    match fairzarr_convert::planned(store) {
        Err(Error::NoPlan(_)) if is_there("zarr.json")? || is_there(".zattrs")? => {
            tell_complete(args);
            Ok(None)
        }
        planned => Ok(Some(planned?)),
    }
}

fn tell_complete(args: &Split) {
    print::remark(format_args!("{} is complete: there is nothing left to do", args.target));
}

/// Opens the source as it was planned, unless something else was typed, which is refused then.
fn open_planned(args: &Split, plan: &Plan) -> Result<Fileset, Failure> {
    let typed = |option: &str| args.typed.iter().any(|name| name == option);
    let mut options = open_options(&args.choices);
    if !typed("on-missing") {
        options.on_missing = plan.settings.on_missing;
    }
    if !typed("extra-pages") {
        options.on_extra_pages = plan.settings.extra_pages;
    }
    if !typed("half") {
        options.half = plan.settings.half;
    }
    let whole = source::fileset(&args.source, &args.store, options)?;
    let mut part = part::of(&args.source, &whole, &args.choices)?;
    if !part::is_of_images(typed) {
        part.series.clone_from(&plan.settings.series);
    }
    if !typed("timepoints") {
        part.times.clone_from(&plan.settings.timepoints);
    }
    opened(&args.source, whole, &part)
}

/// What shapes the output was decided by `plan`: options that say otherwise now are refused, not passed over.
fn check_typed(args: &Split, now: &Settings, plan: &Plan) -> Result<(), Failure> {
    let is_typed = |setting: &Setting| {
        let flag = flag(*setting);
        args.typed.iter().any(|name| {
            flag.trim_start_matches('-') == name
                || name == "preset" && *setting == Setting::Codec
                || part::is_of_images(|option| option == name) && *setting == Setting::Series
        })
    };
    if let Some(setting) = plan.settings.differences(now).into_iter().find(is_typed) {
        return Err(Failure::usage(format!(
            "{} was planned with {} {}, not {}; leave the option out, or plan again with --overwrite",
            args.target,
            flag(setting),
            plan.settings.value(setting),
            now.value(setting)
        )));
    }
    Ok(())
}
