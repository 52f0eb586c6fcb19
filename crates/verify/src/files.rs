//! The source's files are those that were converted: by the checksums that were recorded then.

use fairzarr_digest::FileAlgorithm;
use fairzarr_ome_tiff::Fileset;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::parallel::in_parallel;
use crate::report::{Check, Difference};

/// Compares by checksum, whatever the files are called by now; `None` where no checksums were recorded.
pub(crate) fn compare(source: &Fileset, root: &Map<String, Value>) -> Result<Option<Check>, Error> {
    let files = root.get("fairzarr:conversion").and_then(|record| record.get("files"));
    let files = files.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let recorded: Vec<Recorded> = files.iter().filter_map(Recorded::of).collect();
    if recorded.is_empty() {
        return Ok(None);
    }
    let algorithms: BTreeSet<&str> = recorded.iter().map(|file| file.algorithm.name()).collect();
    let mut work = Vec::new();
    for algorithm in algorithms.iter().filter_map(|name| FileAlgorithm::from_name(name)) {
        work.extend(source.files().iter().enumerate().map(|(index, file)| (algorithm, index, file)));
    }
    let found: BTreeMap<(&str, String), &str> = in_parallel(work, |(algorithm, index, file)| {
        let checksum = algorithm.checksum(file.len, |at, out| source.read_file(index, at, out))?;
        Ok(((algorithm.name(), checksum), file.name.as_str()))
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
    Ok(Some(Check { name: "files", covered, differences: differences.collect() }))
}

/// A file with its checksum at the time of the conversion.
struct Recorded<'a> {
    name: &'a str,
    algorithm: FileAlgorithm,
    value: String,
}

impl<'a> Recorded<'a> {
    fn of(file: &'a Value) -> Option<Self> {
        let checksum = file.get("checksum")?;
        Some(Self {
            name: file.get("name")?.as_str()?,
            algorithm: FileAlgorithm::from_name(checksum.get("algorithm")?.as_str()?)?,
            value: checksum.get("value")?.as_str()?.to_ascii_lowercase(),
        })
    }
}
