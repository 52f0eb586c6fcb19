//! How much a command tells, in which form, and what it has told so far. In JSON every line is an object of a type that has a
//! schema in `docs/schemas/program`; warnings and remarks are told to people when they arise, and to programs with the outcome.

use fairzarr_task::{lock, shown};
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::SystemTime;

use crate::args::TellingArgs;
use crate::caller::Caller;
use crate::exit::Code;
use crate::time::rfc3339;

/// What is known of the command that runs.
#[derive(Debug)]
pub(crate) struct Telling {
    /// The words that name it, such as `migrate status`.
    command: String,
    json: bool,
    quiet: u8,
    verbose: bool,
    log: Option<File>,
    warnings: Vec<String>,
    remarks: Vec<String>,
    /// Whether its outcome was told.
    ended: bool,
}

impl Telling {
    const fn new() -> Self {
        Self {
            command: String::new(),
            json: false,
            quiet: 0,
            verbose: false,
            log: None,
            warnings: Vec::new(),
            remarks: Vec::new(),
            ended: false,
        }
    }
}

impl Default for Telling {
    fn default() -> Self {
        Self::new()
    }
}

/// That of the program; each call of another program has its own.
static OF_PROCESS: Mutex<Telling> = Mutex::new(Telling::new());

fn with<T>(work: impl FnOnce(&mut Telling) -> T) -> T {
    match Caller::current() {
        Some(caller) => caller.with_telling(work),
        None => work(&mut lock(&OF_PROCESS)),
    }
}

/// Begins a command.
///
/// # Errors
/// When the log file cannot be opened.
pub(crate) fn begin(command: String, args: &TellingArgs) -> std::io::Result<()> {
    let log = args.log_file.as_ref().map(|path| File::options().append(true).create(true).open(path));
    let log = log.transpose()?;
    with(|telling| {
        *telling = Telling {
            command,
            json: args.json,
            quiet: args.quiet,
            verbose: args.verbose,
            log,
            ..Telling::new()
        };
    });
    Ok(())
}

/// Begins a command line that makes no sense, which may still have asked for JSON.
pub(crate) fn begin_without(json: bool) {
    with(|telling| *telling = Telling { json, ..Telling::new() });
}

/// Whether results are told as JSON.
pub(crate) fn is_json() -> bool {
    with(|telling| telling.json)
}

/// Whether progress, remarks and summaries are to be told to people.
pub(crate) fn is_quiet() -> bool {
    with(|telling| telling.quiet > 0)
}

/// Whether warnings are not told to people either.
pub(crate) fn is_silent() -> bool {
    with(|telling| telling.quiet > 1)
}

/// Whether the steps of the work are to be told.
pub(crate) fn is_verbose() -> bool {
    with(|telling| telling.verbose)
}

/// Whether the outcome was told as JSON.
pub(crate) fn has_ended() -> bool {
    with(|telling| telling.ended)
}

/// Keeps a warning for the outcome.
pub(crate) fn keep_warning(text: String) {
    with(|telling| telling.warnings.push(text));
}

/// Keeps a remark for the outcome.
pub(crate) fn keep_remark(text: String) {
    with(|telling| telling.remarks.push(text));
}

/// The last remark: what an interrupted command says can be done.
pub(crate) fn last_remark() -> Option<String> {
    with(|telling| telling.remarks.last().cloned())
}

/// Writes a line to the log file, if there is one. A log that cannot be written is no reason to stop the work.
pub(crate) fn log(level: &str, text: &str) {
    with(|telling| {
        if let Some(log) = &mut telling.log {
            // No name or message of others makes a line of its own.
            let _ = writeln!(log, "{} {level:<7} {}", rfc3339(SystemTime::now()), shown(text.trim_end()));
        }
    });
}

/// A line of JSON on the way to the outcome. A member `type` among `members` is the one that counts.
pub(crate) fn line(kind: &str, members: Value) -> Value {
    let mut line = head(kind);
    if let Value::Object(members) = members {
        line.extend(members.into_iter().filter(|(name, _)| name != "type"));
    }
    line.into()
}

/// The line of JSON that ends a command: what came of it, and what was to be said about it.
pub(crate) fn outcome(kind: &str, code: Code, path: Option<&str>, members: Value) -> Value {
    with(|telling| {
        telling.ended = true;
        let mut line = head(kind);
        line.insert("command".into(), telling.command.clone().into());
        line.insert("code".into(), (code as u8).into());
        line.insert("status".into(), code.name().into());
        line.insert("path".into(), path.into());
        let mut warnings = std::mem::take(&mut telling.warnings);
        if let Value::Object(mut members) = members {
            if let Some(Value::Array(more)) = members.remove("warnings") {
                warnings.extend(more.iter().filter_map(Value::as_str).map(Into::into));
            }
            line.extend(members.into_iter().filter(|(name, _)| name != "type"));
        }
        line.insert("warnings".into(), json!(warnings));
        line.insert("remarks".into(), json!(std::mem::take(&mut telling.remarks)));
        line.into()
    })
}

fn head(kind: &str) -> Map<String, Value> {
    Map::from_iter([("type".into(), kind.into()), ("schema".into(), format!("urn:fairzarr:{kind}:1").into())])
}
