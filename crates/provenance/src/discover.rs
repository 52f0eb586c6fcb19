//! Documents beside an image: those in its folder that describe it.

use fairzarr_nbo::Record;
use fairzarr_nbo::ingest::Form;
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::read_document;
use serde_json::Value;
use std::path::Path;
use std::{fs, io};

use crate::{Error, Sidecar};

/// Files beside an image that are looked into: at most so many, and so large.
const BESIDE: (usize, u64) = (1000, 16 << 20);

/// Documents in the directory of a local source that name it, and the microscopes that those name; by file name.
///
/// # Errors
/// [`Error::Beside`] when the storage fails. What is not there any more, or is somebody else's, is no description.
pub fn beside(fileset: &Fileset) -> Result<Vec<Sidecar>, Error> {
    let members: Vec<&str> = fileset.files().iter().map(|file| file.name.as_str()).collect();
    let Some(directory) = fileset.files().first().and_then(|file| Path::new(&file.path).parent()) else {
        return Ok(Vec::new());
    };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Some(entries) = answered(directory, fs::read_dir(directory))? else { return Ok(Vec::new()) };
    let entries = entries.map(|entry| answered(directory, entry)).collect::<Result<Vec<_>, _>>()?;
    let mut paths: Vec<_> = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            matches!(ending, "json" | "xml" | "yaml" | "yml" | "csv")
                && path.metadata().is_ok_and(|found| found.is_file() && found.len() <= BESIDE.1)
                && !members.iter().any(|member| path.ends_with(member))
        })
        .take(BESIDE.0)
        .collect();
    paths.sort();
    let mut names: Vec<String> = members
        .iter()
        .flat_map(|name| [*name, name.split('.').next().unwrap_or(name)])
        .chain(fileset.images().iter().filter_map(|image| image.name()))
        .filter(|name| !name.trim().is_empty())
        .map(str::to_owned)
        .collect();
    let mut found = Vec::new();
    let mut rest = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(bytes) = answered(&path, read_document(&path, BESIDE.1))? else { continue };
        let Ok(sidecar) = Sidecar::parse(name, bytes, None) else { continue };
        if [Form::OmeXml, Form::Record].iter().any(|form| form.name() == sidecar.form()) {
            continue;
        }
        if describes(sidecar.record(), &names) {
            // Who is named by what describes the image belongs to it.
            let references = sidecar.record().objects.iter().filter(|object| object.class == "Image");
            let references = references.flat_map(|image| image.descendants());
            names.extend(references.filter_map(|object| object.target()).map(str::to_owned));
            found.push(sidecar);
        } else {
            rest.push(sidecar);
        }
    }
    let named = |record: &Record| {
        let instruments = record.objects.iter().filter(|object| object.class == "Instrument");
        instruments
            .filter_map(|object| object.id())
            .any(|id| is_unique(id) && names.iter().any(|name| name == id))
    };
    found.extend(rest.into_iter().filter(|sidecar| named(sidecar.record())));
    found.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(found)
}

/// What the storage gave; none where it said that there is nothing for us.
fn answered<T>(path: &Path, result: io::Result<T>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            Ok(None)
        }
        Err(source) => Err(Error::Beside { file: path.display().to_string(), source }),
    }
}

/// Whether an image of the record has one of these names, or a source file of it is named.
fn describes(record: &Record, names: &[String]) -> bool {
    let is_name = |value: &Value| value.as_str().is_some_and(|text| names.iter().any(|name| name == text));
    record.all("Image").any(|image| {
        ["Name", "FileName"].iter().any(|field| image.field(field).is_some_and(|field| is_name(&field.value)))
            || image.extra.values().any(is_name)
    })
}

/// Whether an identifier means the same outside its document: a UUID does, `Instrument:0` does not.
fn is_unique(id: &str) -> bool {
    !id.contains(':') && id.len() == 36
}
