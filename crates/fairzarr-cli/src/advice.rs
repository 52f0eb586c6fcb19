//! Places that cannot be what a command wants: what they are instead, and what can be done.

use fairzarr_store::{Location, Scheme};
use std::path::Path;

use crate::exit::{Code, Failure};

/// A place that is read has to be there.
pub(crate) fn check_there(text: &str, location: &Location) -> Result<(), Failure> {
    let Some(path) = location.as_path() else { return Ok(()) };
    let no = |message: String| Err(Failure::new(Code::Input, anyhow::Error::msg(message)));
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if text == "-" {
                return no(
                    "an image is read at any place, so that it cannot come from standard input; name a file"
                        .into(),
                );
            }
            if path.symlink_metadata().is_ok() {
                return no(format!("{text} is a link to something that does not exist"));
            }
            no(format!("{text} does not exist{}", similar(path)))
        }
        // Whatever else is wrong, reading says it.
        _ => Ok(()),
    }
}

/// A source of a conversion has to be a file.
pub(crate) fn check_source(text: &str, location: &Location) -> Result<(), Failure> {
    check_there(text, location)?;
    let Some(path) = location.as_path() else { return Ok(()) };
    let no = |message: String| Err(Failure::new(Code::Input, anyhow::Error::msg(message)));
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
    if metadata.is_dir() {
        if is_zarr(path) {
            return no(format!(
                "{text} is a Zarr, and an OME-TIFF is wanted here: the OME-TIFF comes first, the OME-Zarr second"
            ));
        }
        return no(format!(
            "{text} is a folder; `fairzarr migrate {text} TARGET` converts all that is in it"
        ));
    }
    if metadata.is_file() && metadata.len() == 0 {
        return no(format!("{text} is empty: a TIFF file or an OME-XML document was expected"));
    }
    Ok(())
}

/// A store is a folder, and needs a place that can be written.
pub(crate) fn check_target(text: &str, location: &Location) -> Result<(), Failure> {
    if location.scheme() == Scheme::Http {
        return Err(Failure::usage(format!(
            "{text}: a web server is only read; name a folder or an object store"
        )));
    }
    match location.as_path() {
        Some(path) if path.is_file() && !location.is_archive() => {
            let message = format!("{text} is a file, and an OME-Zarr is a folder; name another target");
            Err(Failure::new(Code::Output, anyhow::Error::msg(message)))
        }
        _ => Ok(()),
    }
}

fn is_zarr(path: &Path) -> bool {
    ["zarr.json", ".zattrs", ".zgroup", ".zarray"].iter().any(|name| path.join(name).exists())
}

/// What lies beside it with nearly the same name.
fn similar(path: &Path) -> String {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return String::new() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else {
        return format!(", nor does its folder {}", folder.display());
    };
    let names = entries.flatten().take(MOST_NAMES).filter_map(|entry| entry.file_name().into_string().ok());
    let near = names.map(|other| (strsim::damerau_levenshtein(name, &other), other)).min();
    match near {
        Some((distance, other)) if distance > 0 && distance <= (name.chars().count() / 4).min(3) => {
            format!("; {other} does")
        }
        _ => String::new(),
    }
}

/// Names of a folder that are compared at most.
const MOST_NAMES: usize = 10_000;
