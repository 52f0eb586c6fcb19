//! Opening what a command is pointed at.

use fairzarr_ome_tiff::{Fileset, OpenOptions};
use fairzarr_store::{Control, Location, Scheme, Store, StoreOptions};
use std::sync::OnceLock;
use std::time::Duration;

use crate::advice;
use crate::args::StoreArgs;
use crate::caller::Caller;
use crate::exit::{Code, Failure};

/// What a path or URL turned out to be.
pub(crate) enum Input {
    /// An OME-TIFF fileset, or a TIFF.
    Tiff(Box<Fileset>),
    /// An OME-Zarr.
    Store(Store),
}

/// Opens a path or URL as a store when it is a directory or an archive, or holds the documents of one, and as TIFF otherwise.
pub(crate) fn open(text: &str, args: &StoreArgs) -> Result<Input, Failure> {
    let location = location(text)?;
    advice::check_there(text, &location)?;
    let zarr = match location.as_path() {
        Some(path) => path.is_dir(),
        None => is_remote_store(&location, args),
    };
    if zarr || location.is_archive() {
        source_store(text, args).map(Input::Store)
    } else {
        fileset(text, args, OpenOptions::default()).map(|fileset| Input::Tiff(Box::new(fileset)))
    }
}

/// Whether a remote place is a store, or a part of one, rather than a file. Names tell it only where they are those that are
/// always given; what is called otherwise is looked at.
fn is_remote_store(location: &Location, args: &StoreArgs) -> bool {
    let Some(name) = location.file_name() else { return true };
    let name = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&STORES) || ends(&TIFFS) {
        return ends(&STORES);
    }
    // A place that does not answer is opened as a file, and that fails with its reason.
    let Ok(store) = Store::open(location, &source_options(args, location)) else { return false };
    NODES.iter().any(|document| store.exists(document).unwrap_or(false))
}

/// Endings of stores.
const STORES: [&str; 1] = [".zarr"];
/// Endings of files of which the directories are read.
const TIFFS: [&str; 8] = [".tif", ".tiff", ".tf2", ".tf8", ".btf", ".ome", ".ome.xml", ".lsm"];
/// Documents that make a place a node of Zarr.
const NODES: [&str; 3] = ["zarr.json", ".zgroup", ".zarray"];

/// Whether a path or URL is of this machine.
pub(crate) fn is_local(text: &str) -> bool {
    text.parse::<Location>().is_ok_and(|location| location.as_path().is_some())
}

/// Opens an OME-TIFF fileset by any of its members, local or remote.
pub(crate) fn fileset(text: &str, args: &StoreArgs, mut options: OpenOptions) -> Result<Fileset, Failure> {
    options.follow_links = args.follow_links;
    let location = location(text)?;
    advice::check_source(text, &location)?;
    let remote = source_options(args, &location);
    fairzarr::open::fileset(&location, options, &remote).map_err(|error| match error {
        fairzarr::open::Error::NotAFile(_) => {
            Failure::usage(format!("{text}: name a file, not a bucket or server"))
        }
        fairzarr::open::Error::Source(error) => Failure::from(error).about(text),
        error => Failure::new(Code::Input, error),
    })
}

/// Opens a store to read from.
pub(crate) fn source_store(text: &str, args: &StoreArgs) -> Result<Store, Failure> {
    let location = location(text)?;
    Store::open(&location, &source_options(args, &location)).map_err(|error| Failure::new(Code::Input, error))
}

/// The place that an archive lies in, and its name there.
pub(crate) fn beside(text: &str, args: &StoreArgs) -> Result<(Store, String), Failure> {
    let location = location(text)?;
    let whole = || Failure::usage(format!("{text}: name a file, not a bucket or server"));
    let name = location.file_name().ok_or_else(whole)?.into_owned();
    let folder = location.parent().ok_or_else(whole)?;
    let store = Store::open(&folder, &source_options(args, &folder));
    Ok((store.map_err(|error| Failure::new(Code::Input, error))?, name))
}

/// Opens a store to write to, or one that is read beside a source; `code` is what a failure means for the command.
pub(crate) fn store(text: &str, args: &StoreArgs, code: Code) -> Result<Store, Failure> {
    let location = location(text)?;
    if code == Code::Output {
        advice::check_target(text, &location)?;
    }
    Store::open(&location, &store_options(args, &location)).map_err(|error| Failure::new(code, error))
}

/// What is written to: a store, or one file that holds a store.
pub(crate) enum Output {
    Store(Store),
    /// The place of the file, and its name there.
    Archive(Store, String),
}

/// Opens what is to be written.
pub(crate) fn output(text: &str, args: &StoreArgs) -> Result<Output, Failure> {
    let location = location(text)?;
    match (location.parent(), location.file_name()) {
        (Some(folder), Some(name)) if location.is_archive() => {
            let folder = Store::open(&folder, &store_options(args, &location));
            let folder = folder.map_err(|error| Failure::new(Code::Output, error))?;
            Ok(Output::Archive(folder, name.into_owned()))
        }
        _ => store(text, args, Code::Output).map(Output::Store),
    }
}

pub(crate) fn source_options(args: &StoreArgs, location: &Location) -> StoreOptions {
    let mut options = store_options(args, location);
    options.options.extend(args.source_option.iter().cloned());
    options
}

/// The handle of everything that this command does with stores.
pub(crate) fn control() -> Control {
    static OF_PROCESS: OnceLock<Control> = OnceLock::new();
    match Caller::current() {
        Some(caller) => caller.control(),
        None => OF_PROCESS.get_or_init(Control::new).clone(),
    }
}

/// Ends what waits for a server a moment after the work was asked to stop between two blocks.
pub(crate) fn stop_waiting(control: Control) {
    let now = control.clone();
    let later = move || {
        std::thread::sleep(STOP_TIME);
        control.cancel();
    };
    if std::thread::Builder::new().name("stop".into()).spawn(later).is_err() {
        now.cancel();
    }
}

/// How long requests go on after the work was asked to stop.
const STOP_TIME: Duration = Duration::from_millis(100);

/// The settings that concern a location: a command may have two, with different clients.
pub(crate) fn store_options(args: &StoreArgs, location: &Location) -> StoreOptions {
    let vendors = [(Scheme::S3, "aws_"), (Scheme::Azure, "azure_"), (Scheme::Gcs, "google_")];
    let elsewhere = |key: &str| {
        let key = key.to_ascii_lowercase();
        vendors.iter().any(|(scheme, prefix)| *scheme != location.scheme() && key.starts_with(prefix))
            || location.scheme() == Scheme::Http && key == "anonymous"
    };
    StoreOptions {
        options: args.store_option.iter().filter(|(key, _)| !elsewhere(key)).cloned().collect(),
        durability: args.durability,
        retry_for: args.retry_for,
        follow_redirects: args.follow_redirects,
        control: control(),
        ..StoreOptions::default()
    }
}

fn location(text: &str) -> Result<Location, Failure> {
    text.parse().map_err(|error: fairzarr_store::Error| Failure::new(Code::Usage, error))
}
