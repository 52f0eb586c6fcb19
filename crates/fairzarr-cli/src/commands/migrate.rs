//! `fairzarr migrate`.

use fairzarr_migrate::{
    Class, Dataset, DatasetState, Event, Filter, Options, State, Summary, Table, Totals, deletable, migrate,
    open_state, recheck, report, survey,
};
use fairzarr_store::{Location, Store};
use fairzarr_task::{Job as Task, lock};
use serde_json::json;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Mutex;

use super::convert::{self, stop_on_signal, watched};
use crate::args::{
    Action, ChecksumArg, ConvertChoices, Deletable, Job, Migrate, Place, Recheck, Report, SidecarsArg,
    Status, StoreArgs,
};
use crate::caller::Caller;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;
use crate::telling;

/// What a table of sources may have in bytes: some millions of lines.
const TABLE_BYTES: u64 = 1 << 30;

pub(crate) fn run(args: &Migrate) -> Result<Code, Failure> {
    match &args.action {
        Some(Action::Status(args)) => status(args),
        Some(Action::Report(args)) => tell_report(args),
        Some(Action::Deletable(args)) => tell_deletable(args),
        Some(Action::Verify(args)) => tell_recheck(args),
        None => job(&args.job),
    }
}

fn job(args: &Job) -> Result<Code, Failure> {
    let Some((target, sources)) = args.paths.split_last() else {
        return Err(Failure::usage("name the sources, and at last the target"));
    };
    let target = location(target)?;
    let table = match &args.from {
        Some(path) => {
            let bytes = super::provenance::file(path, TABLE_BYTES)?;
            Table::parse(&path.display().to_string(), &bytes)?
        }
        None => Table::default(),
    };
    let mut sources = sources.iter().map(|source| location(source)).collect::<Result<Vec<_>, _>>()?;
    if sources.is_empty() {
        sources = table.sources().map(|source| location(OsStr::new(source))).collect::<Result<_, _>>()?;
    }
    if sources.is_empty() {
        return Err(Failure::usage(
            "name at least one source before the target, or a table of sources with --from",
        ));
    }
    let options = options(args, table, sources.first(), &target)?;
    let task = Task::new().with_memory(args.choices.memory);
    // The handler takes back unfinished uploads of one store; those of a job end with their process.
    stop_on_signal(&task.cancel, &Store::memory());
    if args.dry_run {
        let (state, _) = survey(&sources, &target, &options, &task)?;
        return show_plan(&state, &target);
    }
    let live = Caller::current().is_none();
    let later: Mutex<Vec<Event>> = Mutex::default();
    let on = |event: Event| {
        if live {
            // A reader of standard output that has gone is no reason to stop.
            let _ = tell_event(&event, telling::is_json());
        } else {
            lock(&later).push(event);
        }
    };
    let summary = watched(&args.output, &task, || migrate(&sources, &target, &options, &task, &on))?;
    for event in lock(&later).iter() {
        tell_event(event, telling::is_json())?;
    }
    tell_summary(&summary, &target)
}

fn code(summary: &Summary) -> Code {
    if summary.interrupted {
        Code::Interrupted
    } else if summary.failed + summary.waiting + summary.changed + summary.unreadable > 0 {
        Code::SomeFailed
    } else {
        Code::Done
    }
}

fn options(
    args: &Job,
    table: Table,
    source: Option<&Location>,
    target: &Location,
) -> Result<Options, Failure> {
    let ConvertChoices { series, wells, fields, timepoints, .. } = &args.choices;
    let parts = [
        ("--series", series.is_some()),
        ("--wells", wells.is_some()),
        ("--fields", fields.is_some()),
        ("--timepoints", timepoints.is_some()),
    ];
    if let Some((option, _)) = parts.into_iter().find(|(_, is_typed)| *is_typed) {
        return Err(Failure::usage(format!("{option}: datasets of an archive are migrated whole")));
    }
    if matches!(args.choices.source_checksum, ChecksumArg::Blake3 | ChecksumArg::None) {
        return Err(Failure::usage("a migration records SHA-256 of all sources: `deletable` lists by them"));
    }
    let mut options = Options::default();
    options.convert = convert::options("", &args.choices);
    super::provenance::given(&args.choices.provenance, &mut options.convert)?;
    options.use_sidecars = args.choices.provenance.sidecars == SidecarsArg::Auto;
    options.on_missing = args.choices.on_missing.into();
    options.extra_pages = args.choices.extra_pages.into();
    options.on_bad_metadata = args.choices.on_bad_metadata.into();
    options.half = args.choices.half.into();
    options.filter = Filter::new(&args.include, &args.exclude)?;
    options.template = args.name.parse()?;
    options.table = table;
    options.jobs = args.choices.jobs;
    let class = |text: &String| text.parse::<Class>().map_err(Failure::usage);
    options.retry = args.retry.iter().map(class).collect::<Result<BTreeSet<_>, _>>()?;
    if let Some(source) = source {
        options.source_store = source::source_options(&args.store, source);
    }
    options.target_store = source::store_options(&args.store, target);
    options.state.clone_from(&args.place.state);
    Ok(options)
}

fn tell_event(event: &Event, json: bool) -> Result<(), Failure> {
    match event {
        Event::Found { datasets, todo, bytes } if json => {
            print::event("found", json!({"datasets": datasets, "todo": todo, "bytes": bytes}))
        }
        Event::Found { datasets, todo, bytes } => {
            print::remark(format_args!(
                "{datasets} datasets, {todo} of them to migrate, {:.1} MB",
                *bytes as f64 / 1e6
            ));
            Ok(())
        }
        Event::Tried { path, target, seconds, failure } if json => print::event(
            "dataset",
            json!({
                "path": path, "target": target, "seconds": seconds,
                "state": if failure.is_none() { "done" } else { "failed" },
                "class": failure.as_ref().map(|failure| failure.class.name()),
                "cause": failure.as_ref().map(|failure| &failure.cause),
            }),
        ),
        Event::Tried { path, failure: Some(failure), .. } => {
            print::remark(format_args!("{}: {}: {}", path.escape_debug(), failure.class, failure.cause));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn tell_summary(summary: &Summary, target: &Location) -> Result<Code, Failure> {
    let code = code(summary);
    let place = target.to_string();
    if telling::is_json() {
        let members = json!({
            "target": place, "done": summary.done, "kept": summary.kept,
            "failed": summary.failed, "waiting": summary.waiting, "changed": summary.changed,
            "unreadable": summary.unreadable, "interrupted": summary.interrupted,
        });
        return print::outcome("summary", code, &place, members);
    }
    let mut parts = vec![format!("{} done", summary.done)];
    for (count, what) in [
        (summary.kept, "done before and unchanged"),
        (summary.failed, "failed"),
        (summary.waiting, "failed before, and not tried again without --retry"),
        (summary.changed, "done before, and their sources have changed: --retry changed converts them again"),
        (summary.unreadable, "paths that cannot be looked at"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    print::summary(format_args!("{target}: {}", parts.join(", ")))?;
    if summary.interrupted {
        print::remark(format_args!("interrupted; the same command goes on"));
    }
    Ok(code)
}

fn show_plan(state: &State, target: &Location) -> Result<Code, Failure> {
    for dataset in state.datasets()? {
        if telling::is_json() {
            let line = json!({
                "path": dataset.path, "source": dataset.source, "target": dataset.target,
                "state": dataset.state.name(), "class": dataset.class.map(|class| class.name()), "cause": dataset.cause,
                "files": dataset.files, "bytes": dataset.bytes,
            });
            print::event("dataset", line)?;
        } else {
            print::result(format_args!("{}", planned(&dataset)))?;
        }
    }
    let totals = state.totals()?;
    if telling::is_json() {
        return print::outcome("status", Code::Done, &target.to_string(), report::totals_json(&totals));
    }
    show_totals(&totals)?;
    Ok(Code::Done)
}

fn planned(dataset: &Dataset) -> String {
    let files = if dataset.files > 1 { format!(" ({} files)", dataset.files) } else { String::new() };
    let path = dataset.path.escape_debug();
    match (&dataset.state, dataset.class, &dataset.cause) {
        (DatasetState::Done, _, _) => format!("= {path}{files}"),
        (_, Some(class), Some(cause)) => format!("! {path}{files}: {class}: {cause}"),
        _ => format!("+ {path}{files} -> {}", dataset.target),
    }
}

fn status(args: &Status) -> Result<Code, Failure> {
    let (_, state) = opened(&args.target, &args.place, &args.store)?;
    let totals = state.totals()?;
    let open = totals.states.iter().any(|(state, count)| *state != DatasetState::Done && *count > 0);
    let code = if open { Code::SomeFailed } else { Code::Done };
    if telling::is_json() {
        return print::outcome("status", code, &args.target, report::totals_json(&totals));
    }
    show_totals(&totals)?;
    if let Some(run) = state.runs()?.last() {
        let outcome = run.outcome.as_deref().unwrap_or("running, or killed");
        print::result(format_args!("last run: {} ({}), {outcome}", run.program, run.settings))?;
    }
    Ok(code)
}

fn show_totals(totals: &Totals) -> Result<(), Failure> {
    let listed = |parts: Vec<String>| if parts.is_empty() { "none".into() } else { parts.join(", ") };
    let states = totals.states.iter().map(|(state, count)| format!("{count} {}", state.name())).collect();
    print::result(format_args!("datasets: {}", listed(states)))?;
    if !totals.classes.is_empty() {
        let classes = totals.classes.iter().map(|(class, count)| format!("{count} {class}")).collect();
        print::result(format_args!("causes:   {}", listed(classes)))?;
    }
    let roles = totals.roles.iter().map(|(role, count)| format!("{count} {role}")).collect();
    print::result(format_args!("paths:    {}", listed(roles)))?;
    if totals.objects > 0 {
        print::result(format_args!(
            "bytes:    {:.1} MB of files in {} objects of {:.1} MB",
            totals.source_bytes as f64 / 1e6,
            totals.objects,
            totals.stored_bytes as f64 / 1e6
        ))?;
    }
    Ok(())
}

fn tell_report(args: &Report) -> Result<Code, Failure> {
    let (target, state) = opened(&args.target, &args.place, &args.store)?;
    if let Some(path) = &args.html {
        let task = Task::new();
        stop_on_signal(&task.cancel, &Store::memory());
        let options = source::store_options(&args.store, &target);
        write(path, report::page(&state, &target, &options, args.thumbnails, &task)?.as_bytes())?;
    }
    if let Some(path) = &args.csv {
        write(path, &report::csv_table(&state)?)?;
    }
    if args.jsonl.is_none() && (args.html.is_some() || args.csv.is_some()) {
        return tell_written(args);
    }
    let lines = if args.paths { report::path_lines(&state)? } else { report::json_lines(&state)? };
    let kind = if args.paths { "path" } else { "dataset" };
    let text: String = lines.into_iter().map(|line| format!("{}\n", telling::line(kind, line))).collect();
    write(args.jsonl.as_deref().unwrap_or(Path::new("-")), text.as_bytes())?;
    tell_written(args)
}

/// Tells programs which reports were written.
fn tell_written(args: &Report) -> Result<Code, Failure> {
    if !telling::is_json() {
        return Ok(Code::Done);
    }
    let written = [&args.html, &args.csv, &args.jsonl].into_iter().flatten();
    let written: Vec<String> = written.map(|path| path.display().to_string()).collect();
    print::outcome("report", Code::Done, &args.target, json!({"written": written}))
}

fn tell_deletable(args: &Deletable) -> Result<Code, Failure> {
    let (target, state) = opened(&args.target, &args.place, &args.store)?;
    let task = Task::new().with_threads(args.jobs);
    stop_on_signal(&task.cancel, &Store::memory());
    let target_options = source::store_options(&args.store, &target);
    let source_options = source::source_options(&args.store, &target);
    let found = watched(&args.output, &task, || {
        deletable(&state, &target, &target_options, &source_options, args.complete, &task)
    })?;
    if telling::is_json() {
        for original in &found.originals {
            let line = json!({
                "source": original.source, "path": original.path, "bytes": original.bytes,
                "sha256": original.sha256, "stores": original.targets, "not_carried": original.not_carried,
            });
            print::event("original", line)?;
        }
        for kept in &found.kept {
            let line = json!({"source": kept.source, "path": kept.path, "reason": kept.reason});
            print::event("kept", line)?;
        }
    } else {
        print::document(&found.lines())?;
        for original in found.originals.iter().filter(|original| !original.not_carried.is_empty()) {
            let path = original.path.escape_debug();
            print::remark(format_args!("{path}: not carried: {}", original.not_carried.join("; ")));
        }
        print::remark(format_args!(
            "{} files are proven whole, {} are not and are kept",
            found.originals.len(),
            found.kept.len()
        ));
    }
    if let Some(folder) = &args.bag {
        found.write_bag(folder)?;
    }
    if telling::is_json() {
        let members = json!({"originals": found.originals.len(), "kept": found.kept.len()});
        return print::outcome("deletable", Code::Done, &args.target, members);
    }
    Ok(Code::Done)
}

/// What one object of a store may take, decoded, while it is proved again.
const RECHECK_MEMORY: u64 = 1 << 30;

fn tell_recheck(args: &Recheck) -> Result<Code, Failure> {
    let (target, state) = opened(&args.target, &args.place, &args.store)?;
    let task = Task::new().with_threads(args.jobs).with_memory(RECHECK_MEMORY);
    stop_on_signal(&task.cancel, &Store::memory());
    let target_options = source::store_options(&args.store, &target);
    let source_options = source::source_options(&args.store, &target);
    let results = watched(&args.output, &task, || {
        recheck(&state, &target, &target_options, &source_options, args.sources, &task)
    })?;
    let mut wrong = 0;
    for result in &results {
        wrong += u64::from(result.failure.is_some());
        if telling::is_json() {
            let line = json!({
                "target": result.target, "path": result.path, "holds": result.failure.is_none(),
                "class": result.failure.as_ref().map(|failure| failure.class.name()),
                "cause": result.failure.as_ref().map(|failure| &failure.cause),
            });
            print::event("verified", line)?;
        } else if let Some(failure) = &result.failure {
            print::result(format_args!("{}: {}: {}", result.target, failure.class, failure.cause))?;
        }
    }
    let code = if wrong > 0 { Code::Different } else { Code::Done };
    if telling::is_json() {
        let members = json!({"stores": results.len(), "different": wrong});
        return print::outcome("recheck", code, &args.target, members);
    }
    print::result(format_args!("{} stores proved, {wrong} of them with differences", results.len()))?;
    Ok(code)
}

fn opened(target: &str, place: &Place, store: &StoreArgs) -> Result<(Location, State), Failure> {
    let target = location(OsStr::new(target))?;
    let state = open_state(&target, place.state.as_deref(), &source::store_options(store, &target))?;
    Ok((target, state))
}

/// A place as it was typed; paths need not be Unicode.
fn location(text: &OsStr) -> Result<Location, Failure> {
    match text.to_str() {
        Some(text) => text.parse().map_err(|error: fairzarr_store::Error| Failure::new(Code::Usage, error)),
        None => Ok(Location::local(OsString::from(text))),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path == Path::new("-") {
        return print::document(bytes);
    }
    std::fs::write(path, bytes).map_err(|error| {
        Failure::new(
            Code::Output,
            anyhow::Error::new(error).context(format!("cannot write {}", path.display())),
        )
    })
}
