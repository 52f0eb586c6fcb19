//! Opening what a command is pointed at.

use fairzarr_ome_tiff::{Fileset, OpenOptions};
use fairzarr_store::{Location, Store, StoreOptions};

use crate::args::StoreArgs;
use crate::exit::{Code, Failure};

/// What a path or URL turned out to be.
pub(crate) enum Input {
    /// An OME-TIFF fileset, or a TIFF.
    Tiff(Box<Fileset>),
    /// An OME-Zarr.
    Store(Store),
}

/// Opens a path or URL as a store when it is a directory or ends like one, and as TIFF otherwise.
pub(crate) fn open(text: &str, args: &StoreArgs) -> Result<Input, Failure> {
    let location = location(text)?;
    let zarr = match location.as_path() {
        Some(path) => path.is_dir(),
        None => text.trim_end_matches('/').ends_with(".zarr"),
    };
    if zarr {
        store(text, args, Code::Input).map(Input::Store)
    } else {
        fileset(text, args, OpenOptions::default()).map(|fileset| Input::Tiff(Box::new(fileset)))
    }
}

/// Opens an OME-TIFF fileset by any of its members.
pub(crate) fn fileset(text: &str, _args: &StoreArgs, options: OpenOptions) -> Result<Fileset, Failure> {
    let location = location(text)?;
    match location.as_path() {
        Some(path) => Ok(Fileset::open_path(path, options)?),
        None => Err(Failure::usage(format!("{text}: only local OME-TIFF files can be read"))),
    }
}

/// Opens a store; `code` is what a failure means for the command.
pub(crate) fn store(text: &str, args: &StoreArgs, code: Code) -> Result<Store, Failure> {
    let mut options = StoreOptions::default();
    options.durability = args.durability;
    options.options.clone_from(&args.store_option);
    Store::open(&location(text)?, &options).map_err(|error| Failure::new(code, error))
}

fn location(text: &str) -> Result<Location, Failure> {
    text.parse().map_err(|error: fairzarr_store::Error| Failure::new(Code::Usage, error))
}
