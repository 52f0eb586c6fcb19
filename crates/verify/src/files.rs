//! The source's files are those that were converted: by the checksums that were recorded then.

use fairzarr_digest::FileAlgorithm;
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::ConvertedFile;
use fairzarr_task::{Job, in_order};
use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::report::{Check, Difference, Proof};

/// Files that are read at the same time.
const AT_ONCE: usize = 16;

/// Compares by checksum, whatever the files are called by now; `None` where no checksums were recorded.
pub(crate) fn compare<'a>(
    source: &Fileset,
    files: impl Iterator<Item = ConvertedFile<'a>>,
    job: &Job,
) -> Result<Option<Check>, Error> {
    let recorded: Vec<Recorded> = files.filter_map(Recorded::of).collect();
    if recorded.is_empty() {
        return Ok(None);
    }
    let algorithms: BTreeSet<&str> = recorded.iter().map(|file| file.algorithm.name()).collect();
    let mut work = Vec::new();
    for algorithm in algorithms.iter().filter_map(|name| FileAlgorithm::from_name(name)) {
        work.extend(source.files().iter().enumerate().map(|(index, file)| (algorithm, index, file)));
    }
    let found: BTreeMap<(&str, String), &str> = in_order(work, AT_ONCE, |(algorithm, index, file)| {
        let checksum = algorithm.checksum(file.len, |at, out| {
            job.cancel.check()?;
            Ok::<(), Error>(source.read_file(index, at, out)?)
        })?;
        Ok::<_, Error>(((algorithm.name(), checksum), file.name.as_str()))
    })?
    .into_iter()
    .collect();
    let differs = |file: &&Recorded| !found.contains_key(&(file.algorithm.name(), file.value.clone()));
    let differences = recorded.iter().filter(differs).map(|file| {
        let same_name = found
            .iter()
            .find(|((algorithm, _), name)| **name == file.name && *algorithm == file.algorithm.name());
        Difference {
            place: format!("file {}", file.name),
            expected: format!("{} {}", file.algorithm.name(), file.value),
            found: same_name.map_or_else(|| "no such file".into(), |((_, value), _)| value.clone()),
        }
    });
    let names: Vec<&str> = algorithms.into_iter().collect();
    let covered = format!("{} source files by {}", recorded.len(), names.join(" and "));
    Ok(Some(Check::new(Proof::Files, covered, differences.collect())))
}

/// A file with its checksum at the time of the conversion.
struct Recorded<'a> {
    name: &'a str,
    algorithm: FileAlgorithm,
    value: String,
}

impl<'a> Recorded<'a> {
    fn of(file: ConvertedFile<'a>) -> Option<Self> {
        let (algorithm, value) = file.checksum?;
        let algorithm = FileAlgorithm::from_name(algorithm)?;
        Some(Self { name: file.name, algorithm, value: value.to_ascii_lowercase() })
    }
}
