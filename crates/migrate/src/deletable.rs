//! Which originals are proven whole, so that a person may delete them. Nothing here deletes anything.
//!
//! A file is named only if every dataset that it belongs to is done, the stores of all of them are at their places with the
//! digests that were recorded when they were proved, and the file itself, hashed again now, is the one that was converted.

use fairzarr::store::{Location, Store, StoreOptions};
use fairzarr::task::{Job, for_each, lock, unlocked};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;

use crate::Error;
use crate::attempt::digest;
use crate::bag::write_bag;
use crate::error::chain;
use crate::names::unescape;
use crate::source::Source;
use crate::state::{Dataset, DatasetState, FileOf, State};

/// An original that is proven whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Original {
    /// The source.
    pub source: String,
    /// Below the source; names that are no Unicode are escaped as `\xNN`.
    pub path: String,
    /// Bytes.
    pub bytes: i64,
    /// SHA-256, hexadecimal, of this moment.
    pub sha256: String,
    /// Where the stores that hold it lie below the target.
    pub targets: Vec<String>,
    /// What it holds and the stores do not.
    pub not_carried: Vec<String>,
}

/// A file that is not to be deleted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Kept {
    /// The source.
    pub source: String,
    /// Below the source.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Which originals may go, and which may not.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Deletable {
    /// Those that are proven whole, by source and path.
    pub originals: Vec<Original>,
    /// Those that are not, by source and path.
    pub kept: Vec<Kept>,
}

impl Deletable {
    /// The originals as lines that `sha256sum --check` reads.
    pub fn lines(&self) -> Vec<u8> {
        self.originals.iter().flat_map(Original::line).collect()
    }

    /// Writes the list as a bag: the lines for `sha256sum`, which store holds what, and what is kept and why.
    ///
    /// # Errors
    /// [`Error::Write`] when the folder is there already, or cannot be written.
    pub fn write_bag(&self, folder: &Path) -> Result<(), Error> {
        let failed = |error: csv::Error| Error::Write {
            place: folder.display().to_string(),
            source: std::io::Error::other(error),
        };
        let mut stores = csv::Writer::from_writer(Vec::new());
        stores
            .write_record(["source", "path", "sha256", "bytes", "stores", "not_carried"])
            .map_err(failed)?;
        for original in &self.originals {
            let (bytes, targets) = (original.bytes.to_string(), original.targets.join("; "));
            let not_carried = original.not_carried.join("; ");
            let row = [&original.source, &original.path, &original.sha256, &bytes, &targets, &not_carried];
            stores.write_record(row).map_err(failed)?;
        }
        let mut kept = csv::Writer::from_writer(Vec::new());
        kept.write_record(["source", "path", "reason"]).map_err(failed)?;
        for file in &self.kept {
            kept.write_record([&file.source, &file.path, &file.reason]).map_err(failed)?;
        }
        let whole = |error: csv::IntoInnerError<_>| failed(error.into_error().into());
        let stores =
            stores.into_inner().map_err(|error: csv::IntoInnerError<csv::Writer<Vec<u8>>>| whole(error))?;
        let kept =
            kept.into_inner().map_err(|error: csv::IntoInnerError<csv::Writer<Vec<u8>>>| whole(error))?;
        let payload = [("originals.sha256", self.lines()), ("stores.csv", stores), ("kept.csv", kept)];
        let about = "Checksums of original files that are proven to be held whole by OME-Zarr stores";
        write_bag(
            folder,
            &payload,
            &[
                ("Bag-Software-Agent", concat!("fairzarr ", env!("CARGO_PKG_VERSION")).to_owned()),
                ("External-Description", about.to_owned()),
            ],
        )
    }
}

impl Original {
    /// The file's whole path or URL, as the operating system has it.
    pub fn place(&self) -> OsString {
        place(&self.source, &self.path)
    }

    /// The line of this file in a list that `sha256sum --check` reads, with the end of the line.
    pub fn line(&self) -> Vec<u8> {
        checksum_line(&self.sha256, &self.place())
    }
}

/// The whole path or URL of what lies below a source.
pub(crate) fn place(source: &str, path: &str) -> OsString {
    let whole =
        if path.is_empty() { source.to_owned() } else { format!("{}/{path}", source.trim_end_matches('/')) };
    match source.parse::<Location>() {
        Ok(location) if location.as_path().is_none() => whole.into(),
        _ => unescape(&whole),
    }
}

/// A line as `sha256sum` prints and reads it: names with backslashes or ends of lines are escaped, and the line begins with
/// a backslash then.
#[cfg(unix)]
pub(crate) fn checksum_line(sha256: &str, place: &std::ffi::OsStr) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    let name = place.as_bytes();
    let escaped = name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    let mut line = if escaped { vec![b'\\'] } else { Vec::new() };
    line.extend_from_slice(sha256.as_bytes());
    line.extend_from_slice(b"  ");
    for byte in name {
        match byte {
            b'\\' => line.extend_from_slice(b"\\\\"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            byte => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
}

/// A line as `sha256sum` prints it.
#[cfg(not(unix))]
pub(crate) fn checksum_line(sha256: &str, place: &std::ffi::OsStr) -> Vec<u8> {
    format!("{sha256}  {}\n", place.to_string_lossy().replace('\\', "/")).into_bytes()
}

/// Finds the originals that are proven whole, and hashes them again.
///
/// # Errors
/// When the state cannot be read or the job is cancelled. A file or store that cannot be read is no error: its files are kept.
pub fn deletable(
    state: &State,
    target: &Location,
    target_options: &StoreOptions,
    source_options: &StoreOptions,
    job: &Job,
) -> Result<Deletable, Error> {
    let datasets: HashMap<i64, Dataset> =
        state.datasets()?.into_iter().map(|dataset| (dataset.id, dataset)).collect();
    let doubts = doubts(&datasets, target, target_options, job)?;
    let mut files: BTreeMap<(String, String), Vec<FileOf>> = BTreeMap::new();
    for file in state.files()? {
        files.entry((file.source.clone(), file.path.clone())).or_default().push(file);
    }
    let mut sources: HashMap<&str, Result<Source, String>> = HashMap::new();
    for (source, _) in files.keys() {
        sources
            .entry(source)
            .or_insert_with(|| Source::named(source, source_options).map_err(|error| chain(&error)));
    }
    let items: Vec<(&(String, String), &Vec<FileOf>)> = files.iter().collect();
    job.progress.expect(items.iter().map(|(_, of)| of.first().map_or(0, |file| file.bytes as u64)).sum());
    let judged: Mutex<Vec<(usize, Result<Original, Kept>)>> = Mutex::default();
    let numbered: Vec<usize> = (0..items.len()).collect();
    for_each(
        &numbered,
        job.cores(),
        |n| items[*n].0.1.clone(),
        || (),
        |(), n| {
            if job.cancel.is_cancelled() {
                return ControlFlow::Break(());
            }
            let ((source, path), of) = items[*n];
            let verdict = judge(source, path, of, &datasets, &doubts, sources.get(source.as_str()), job);
            let verdict =
                verdict.map_err(|reason| Kept { source: source.clone(), path: path.clone(), reason });
            job.progress.advance(of.first().map_or(0, |file| file.bytes as u64));
            lock(&judged).push((*n, verdict));
            ControlFlow::Continue(())
        },
    )?;
    job.cancel.check()?;
    let mut judged = unlocked(judged);
    judged.sort_by_key(|(n, _)| *n);
    let mut deletable = Deletable::default();
    for (_, verdict) in judged {
        match verdict {
            Ok(original) => deletable.originals.push(original),
            Err(kept) => deletable.kept.push(kept),
        }
    }
    Ok(deletable)
}

/// Why a dataset's store does not stand for its files; none for those that do.
fn doubts(
    datasets: &HashMap<i64, Dataset>,
    target: &Location,
    options: &StoreOptions,
    job: &Job,
) -> Result<HashMap<i64, String>, Error> {
    let doubts: Mutex<HashMap<i64, String>> = Mutex::default();
    let all: Vec<&Dataset> = datasets.values().collect();
    for_each(
        &all,
        job.cores(),
        |dataset| dataset.target.clone(),
        || (),
        |(), dataset| {
            if job.cancel.is_cancelled() {
                return ControlFlow::Break(());
            }
            if let Some(doubt) = doubt(dataset, target, options) {
                lock(&doubts).insert(dataset.id, doubt);
            }
            ControlFlow::Continue(())
        },
    )?;
    job.cancel.check()?;
    Ok(unlocked(doubts))
}

fn doubt(dataset: &Dataset, target: &Location, options: &StoreOptions) -> Option<String> {
    if dataset.state != DatasetState::Done {
        let class = dataset.class.map_or(String::new(), |class| format!(", {class}"));
        return Some(format!("dataset {} is {}{class}", dataset.path, dataset.state.name()));
    }
    let place = target.join(&dataset.target);
    let found = Store::open(&place, options)
        .map_err(|error| chain(&error))
        .and_then(|store| digest(&store).map_err(|failure| failure.cause));
    match found {
        Ok(Some(found)) if Some(&found) == dataset.digest.as_ref() => None,
        Ok(Some(_)) => Some(format!("the store at {} is not the one that was proved", dataset.target)),
        Ok(None) => Some(format!("the store at {} is not there", dataset.target)),
        Err(error) => Some(format!("the store at {}: {error}", dataset.target)),
    }
}

fn judge(
    source: &str,
    path: &str,
    of: &[FileOf],
    datasets: &HashMap<i64, Dataset>,
    doubts: &HashMap<i64, String>,
    place: Option<&Result<Source, String>>,
    job: &Job,
) -> Result<Original, String> {
    if let Some(doubt) = of.iter().find_map(|file| doubts.get(&file.dataset)) {
        return Err(doubt.clone());
    }
    let first = of.first().ok_or("it belongs to no dataset")?;
    if first.linked {
        return Err("a symbolic link; the file that it points to lies elsewhere".into());
    }
    let Some(recorded) = &first.sha256 else {
        let reason = if first.sidecar {
            "it was not used, so that no store holds it"
        } else {
            "no checksum is recorded"
        };
        return Err(reason.into());
    };
    let place = place.ok_or("its source is not known")?.as_ref().map_err(Clone::clone)?;
    let go_on =
        || if job.cancel.is_cancelled() { Err(std::io::ErrorKind::Interrupted.into()) } else { Ok(()) };
    let sha256 = place.sha256(path, go_on).map_err(|error| format!("it cannot be read: {error}"))?;
    if sha256 != *recorded {
        return Err(format!("it has the SHA-256 {sha256} now, {recorded} was converted"));
    }
    let of_file = || of.iter().filter_map(|file| datasets.get(&file.dataset));
    let not_carried = of_file().filter_map(|dataset| dataset.not_carried.as_deref());
    Ok(Original {
        source: source.to_owned(),
        path: path.to_owned(),
        bytes: first.bytes,
        sha256,
        targets: of_file().map(|dataset| dataset.target.clone()).collect(),
        not_carried: not_carried
            .flat_map(|list| serde_json::from_str::<Vec<String>>(list).unwrap_or_default())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn lines_are_those_of_sha256sum() {
        use std::os::unix::ffi::OsStrExt as _;
        let line = |name: &[u8]| checksum_line("ab", std::ffi::OsStr::from_bytes(name));
        assert_eq!(line(b"a b"), b"ab  a b\n");
        assert_eq!(line(b"a\nb"), b"\\ab  a\\nb\n");
        assert_eq!(line(b"\\x"), b"\\ab  \\\\x\n");
        assert_eq!(line(b"\xe9"), b"ab  \xe9\n");
    }
}
