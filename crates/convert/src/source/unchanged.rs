//! Whether the files of the source are still those that the conversion began with.

use fairzarr_digest::FileAlgorithm;
use fairzarr_ome_tiff::{FileInfo, Fileset};
use std::collections::BTreeMap;

use super::identity::{SeenFiles, SourceFile, content};
use crate::error::Error;
use crate::labels::{Inputs, LabelFile};
use crate::plan::Plan;

/// What can be said of files that hold what they held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    /// Nothing speaks against them.
    Same,
    /// The status of one of them changed: it may have got another name, place or permissions, or other content, after
    /// which its time of modification was put back.
    Touched,
}

/// Compares the files of the set, as they were when it was opened, with those that a plan was made for.
pub(crate) fn check_planned(
    source: &Fileset,
    planned: &[SourceFile],
    seen: Option<&SeenFiles>,
) -> Result<Status, Error> {
    let now = source.files();
    if now.len() != planned.len() {
        let (had, has) = (planned.len(), now.len());
        return Err(Error::OtherSource(format!("the source had {had} files and has {has}")));
    }
    let seen = seen.filter(|seen| seen.is_here() && seen.times.len() == planned.len());
    let mut status = Status::Same;
    for (index, (file, planned)) in now.iter().zip(planned).enumerate() {
        if file.name != planned.name {
            return Err(Error::OtherSource(format!("the source had {} and has {}", planned.name, file.name)));
        }
        if file.len != planned.bytes {
            return Err(changed(file, format!("it has {} bytes, and had {}", file.len, planned.bytes)));
        }
        let mut vouched = false;
        if let Some((modified, touched)) = seen.map(|seen| seen.times[index]) {
            if file.state.modified != modified {
                return Err(changed(file, "it was modified".into()));
            }
            if file.state.status_changed != touched {
                status = Status::Touched;
            }
            vouched = file.state.status_changed == touched && is_fine(modified) && is_fine(touched);
        }
        if !vouched {
            check_content(source, index, planned)?;
        }
    }
    Ok(status)
}

/// Compares the files of labels with those that a plan was made for.
pub(crate) fn check_labels(labels: &[LabelFile], plan: &Plan) -> Result<(), Error> {
    let names = |names: Vec<&str>| if names.is_empty() { "none".into() } else { names.join(", ") };
    let planned = names(plan.labels.iter().map(|labels| labels.name.as_str()).collect());
    let given = names(labels.iter().map(LabelFile::name).collect());
    if planned != given {
        return Err(Error::OtherSource(format!("it had the labels {planned}, and has {given}")));
    }
    labels
        .iter()
        .zip(&plan.labels)
        .try_for_each(|(labels, planned)| check_planned(labels.files(), &planned.files, None).map(|_| ()))
}

/// Checks that files have not changed since the set was opened: what was read of them is of one state then. `checksums` are
/// those of whole files that were computed while the files were read; where there is one, it decides in case of doubt.
pub(crate) fn check_read(
    inputs: Inputs<'_>,
    plan: &Plan,
    checksums: &BTreeMap<u32, String>,
) -> Result<(), Error> {
    let algorithm = plan.settings.source_checksum;
    check_set(inputs.source, &plan.files, algorithm, checksums)?;
    // The checksums of labels are computed at the end, of the files as they are then.
    inputs
        .labels
        .iter()
        .zip(&plan.labels)
        .try_for_each(|(labels, planned)| check_set(labels.files(), &planned.files, None, &BTreeMap::new()))
}

fn check_set(
    source: &Fileset,
    planned: &[SourceFile],
    algorithm: Option<FileAlgorithm>,
    checksums: &BTreeMap<u32, String>,
) -> Result<(), Error> {
    source.check_storage()?;
    for (index, (file, planned)) in source.files().iter().zip(planned).enumerate() {
        let (before, now) = (&file.state, source.state_now(index)?);
        if now.len != before.len {
            return Err(changed(file, format!("it has {} bytes, and had {}", now.len, before.len)));
        }
        if now.modified != before.modified {
            return Err(changed(file, "it was modified while it was read".into()));
        }
        // Reads of a server that sends ETags are all of one version.
        let vouched = now.etag.is_some()
            || now.status_changed == before.status_changed
                && is_fine(now.modified)
                && is_fine(now.status_changed);
        if vouched {
            continue;
        }
        check_content(source, index, planned)?;
        if let Some((algorithm, before)) = algorithm.zip(checksums.get(&(index as u32)))
            && now.status_changed != file.state.status_changed
        {
            let now = algorithm.checksum(file.len, |at, out| source.read_file(index, at, out))?;
            if now != *before {
                return Err(changed(file, "its checksum is another now".into()));
            }
        }
    }
    Ok(())
}

/// `error`, unless the source turns out to have changed: then what could not be read or decoded is no fault of the source.
pub(crate) fn blame(error: Error, inputs: Inputs<'_>, plan: &Plan) -> Error {
    if matches!(error, Error::Source(_))
        && let Err(change @ Error::SourceChanged { .. }) = check_read(inputs, plan, &BTreeMap::new())
    {
        return change;
    }
    error
}

fn check_content(source: &Fileset, index: usize, planned: &SourceFile) -> Result<(), Error> {
    let file = &source.files()[index];
    if let Some(etag) = &planned.etag {
        return match &file.state.etag {
            Some(now) if now == etag => Ok(()),
            Some(now) => Err(changed(file, format!("its ETag is {now}, and was {etag}"))),
            None => Err(changed(file, format!("it was known by its ETag {etag}, and has none now"))),
        };
    }
    let now = content(source, index)?;
    match &planned.content {
        Some(before) if *before != now => Err(changed(file, "its content is another".into())),
        _ => Ok(()),
    }
}

/// Whether a time was taken by a clock that is fine enough to tell two changes in a row apart. File systems that keep whole
/// seconds do not.
fn is_fine(time: Option<i64>) -> bool {
    time.is_some_and(|time| time % 1_000_000_000 != 0)
}

fn changed(file: &FileInfo, what: String) -> Error {
    Error::SourceChanged { file: file.path.clone(), what }
}
