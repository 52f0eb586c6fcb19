//! Opening what a command is pointed at.

use fairzarr_ome_tiff::{ByteSource, Fileset, OpenOptions, Opener};
use fairzarr_store::{Control, Location, RemoteFile, Scheme, Store, StoreOptions};
use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::args::StoreArgs;
use crate::exit::{Code, Failure};

/// What a path or URL turned out to be.
pub(crate) enum Input {
    /// An OME-TIFF fileset, or a TIFF.
    Tiff(Box<Fileset>),
    /// An OME-Zarr.
    Store(Store),
}

/// Opens a path or URL as a store when it is a directory or an archive, or ends like one, and as TIFF otherwise.
pub(crate) fn open(text: &str, args: &StoreArgs) -> Result<Input, Failure> {
    let location = location(text)?;
    let zarr = match location.as_path() {
        Some(path) => path.is_dir(),
        None => text.trim_end_matches('/').to_ascii_lowercase().ends_with(".zarr"),
    };
    if zarr || location.is_archive() {
        source_store(text, args).map(Input::Store)
    } else {
        fileset(text, args, OpenOptions::default()).map(|fileset| Input::Tiff(Box::new(fileset)))
    }
}

/// Whether a path or URL is of this machine.
pub(crate) fn is_local(text: &str) -> bool {
    text.parse::<Location>().is_ok_and(|location| location.as_path().is_some())
}

/// Opens an OME-TIFF fileset by any of its members, local or remote.
pub(crate) fn fileset(text: &str, args: &StoreArgs, options: OpenOptions) -> Result<Fileset, Failure> {
    let location = location(text)?;
    if let Some(path) = location.as_path() {
        return Fileset::open_path(path, options).map_err(|error| Failure::from(error).about(text));
    }
    let whole = || Failure::usage(format!("{text}: name a file, not a bucket or server"));
    let entry = location.file_name().ok_or_else(whole)?.into_owned();
    let folder = location.parent().ok_or_else(whole)?;
    let store_options = source_options(args, &location);
    let store = Store::open(&folder, &store_options).map_err(|error| Failure::new(Code::Input, error))?;
    let opener = RemoteFolder { store, options: store_options };
    Fileset::open_with(Arc::new(opener), &entry, options).map_err(|error| Failure::from(error).about(text))
}

/// A place in an object store or on a web server that holds the files of a set.
struct RemoteFolder {
    store: Store,
    options: StoreOptions,
}

impl Opener for RemoteFolder {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>> {
        Ok(Arc::new(Remote(RemoteFile::in_store(&self.store, name, &self.options)?)))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        // Web servers cannot be listed: there a set is found by its names alone.
        let children = self.store.list_children("")?;
        Ok(children.objects.into_iter().map(|(name, _)| name).collect())
    }

    fn describe(&self, name: &str) -> String {
        self.store.location().join(name).to_string()
    }
}

/// A remote file, read by ranges.
struct Remote(RemoteFile);

impl ByteSource for Remote {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, buffer)
    }

    fn read_ranges(&self, ranges: &[Range<u64>], out: &mut [u8]) -> io::Result<()> {
        let mut rest = out;
        for part in self.0.read_ranges(ranges)? {
            let (head, tail) = rest.split_at_mut_checked(part.len()).ok_or_else(wrong_length)?;
            head.copy_from_slice(&part);
            rest = tail;
        }
        if rest.is_empty() { Ok(()) } else { Err(wrong_length()) }
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        self.0.prefetch(ranges);
    }
}

fn wrong_length() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the buffer is not as long as the ranges")
}

/// Opens a store to read from.
pub(crate) fn source_store(text: &str, args: &StoreArgs) -> Result<Store, Failure> {
    let location = location(text)?;
    Store::open(&location, &source_options(args, &location)).map_err(|error| Failure::new(Code::Input, error))
}

/// Opens a store to write to, or one that is read beside a source; `code` is what a failure means for the command.
pub(crate) fn store(text: &str, args: &StoreArgs, code: Code) -> Result<Store, Failure> {
    let location = location(text)?;
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

fn source_options(args: &StoreArgs, location: &Location) -> StoreOptions {
    let mut options = store_options(args, location);
    options.options.extend(args.source_option.iter().cloned());
    options
}

/// The handle of everything that this process does with stores.
pub(crate) fn control() -> &'static Control {
    static CONTROL: OnceLock<Control> = OnceLock::new();
    CONTROL.get_or_init(Control::new)
}

/// The settings that concern a location: a command may have two, with different clients.
fn store_options(args: &StoreArgs, location: &Location) -> StoreOptions {
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
        control: control().clone(),
        ..StoreOptions::default()
    }
}

fn location(text: &str) -> Result<Location, Failure> {
    text.parse().map_err(|error: fairzarr_store::Error| Failure::new(Code::Usage, error))
}
