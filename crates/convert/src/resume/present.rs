//! What a conversion would find at its output's place: whether that is what it would make.

use fairzarr_digest::FileAlgorithm;
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::{Conversion, ConvertedFile, keys};
use fairzarr_provenance::Documents;
use fairzarr_store::Store;
use fairzarr_task::{Job, in_order};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::options::Options;
use crate::plan::settings::{Setting, Settings};
use crate::resume::replace;

/// What is at the place of a conversion.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Present {
    /// Nothing.
    Nothing,
    /// A conversion that is going on or was interrupted.
    Unfinished,
    /// A complete store, by the recorded checksums of the same source, and made with the same options.
    Same,
    /// Something else, or something of which that is not known; in words.
    Other(String),
}

/// Files that are read at the same time.
const AT_ONCE: usize = 4;

/// Compares what is at the place with the source and the options of a conversion. The source's files are hashed if they have
/// the recorded sizes and are together not larger than `most` bytes.
///
/// # Errors
/// When the place or the source cannot be read, or the job is cancelled.
pub fn present(
    source: &Fileset,
    store: &Store,
    options: &Options,
    most: u64,
    job: &Job,
) -> Result<Present, Error> {
    // That of a replacement lies beside what it is to replace.
    if replace::working(store)?.0.exists(&keys::plan())? {
        return Ok(Present::Unfinished);
    }
    let other = |why: &str| Ok(Present::Other(why.into()));
    let Some(root) = fairzarr_ome_zarr::attributes(store, "")? else {
        let children = store.list_children("")?;
        if children.directories.is_empty() && children.objects.is_empty() {
            return Ok(Present::Nothing);
        }
        return other("it is no Zarr");
    };
    let Some(conversion) = Conversion::of(&root) else {
        return other("it was not made by this program");
    };
    let files: Vec<ConvertedFile<'_>> = conversion.files().collect();
    if files.is_empty() || files.iter().any(|file| file.checksum.is_none()) {
        return other("no checksums of its source were recorded");
    }
    if let Some(difference) = other_sizes(source, &files) {
        return Ok(Present::Other(format!("it was made of another source: {difference}")));
    }
    if let Some(difference) = other_options(source, conversion, options) {
        return Ok(Present::Other(difference));
    }
    if source.files().iter().map(|file| file.len).sum::<u64>() > most {
        return other("whether it was made of the same source was not looked at");
    }
    if let Some(difference) = other_checksum(source, &files, job)? {
        return Ok(Present::Other(format!("it was made of another source: {difference}")));
    }
    let recorded = conversion.labels();
    for (now, was) in options.labels.iter().zip(&recorded) {
        if let Some(difference) = other_checksum(now.files(), &was.files, job)? {
            return Ok(Present::Other(format!("its labels {} were made of others: {difference}", was.name)));
        }
    }
    Ok(Present::Same)
}

/// The settings as the record of a conversion has them, by the names of the options.
pub(crate) fn recorded(settings: &Settings) -> Map<String, Value> {
    let of = |setting: &Setting| (setting.to_string(), settings.value(*setting).into());
    // Stores from before there were files of labels say nothing of them.
    let is_said = |setting: &&Setting| **setting != Setting::Labels || !settings.labels.is_empty();
    Setting::ALL.iter().filter(is_said).map(of).collect()
}

/// A digest of the documents beside the image, the mapping and the policy; `None` where there are none.
pub(crate) fn recorded_documents(documents: &Documents) -> Option<String> {
    let text = serde_json::to_vec(documents).ok()?;
    (*documents != Documents::default()).then(|| fairzarr_ome_zarr::sha256(&text))
}

fn other_sizes(source: &Fileset, files: &[ConvertedFile<'_>]) -> Option<String> {
    let found = source.files();
    if found.len() != files.len() {
        return Some(format!("{} files, and not {}", files.len(), found.len()));
    }
    // Files may have other names by now, so that sizes are compared as a set.
    let mut sizes: Vec<u64> = files.iter().filter_map(|file| file.bytes).collect();
    let mut lengths: Vec<u64> = found.iter().map(|file| file.len).collect();
    sizes.sort_unstable();
    lengths.sort_unstable();
    let (was, is) = sizes.iter().zip(&lengths).find(|(was, is)| was != is)?;
    Some(format!("one with a file of {was} bytes, and this has one of {is}"))
}

/// The first option that was another one. The checksum that is recorded changes nothing of what was converted.
fn other_options(source: &Fileset, conversion: Conversion<'_>, options: &Options) -> Option<String> {
    let Some(settings) = conversion.settings() else {
        return Some("the options that it was made with were not recorded".into());
    };
    let now = recorded(&Settings::new(source, options));
    let labels = |labels: Option<&Value>| labels.and_then(Value::as_str).unwrap_or("none").to_owned();
    let name = Setting::Labels.to_string();
    let (was, is) = (labels(settings.get(&name)), labels(now.get(&name)));
    if was != is {
        return Some(format!("it was made with {name} {was}, and not {is}"));
    }
    let kept = Setting::SourceChecksum.to_string();
    let differs = |(name, value): &(&String, &Value)| **name != kept && settings.get(*name) != Some(*value);
    if let Some((name, value)) = now.iter().find(differs) {
        let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        let was = settings.get(name).map_or("none".into(), text);
        return Some(format!("it was made with {name} {was}, and not {}", text(value)));
    }
    let documents = Documents::new(&options.sidecars, options.mapping.as_ref(), options.policy.as_ref());
    (conversion.documents() != recorded_documents(&documents).as_deref())
        .then(|| "it was made with other documents, or another policy".into())
}

fn other_checksum(source: &Fileset, files: &[ConvertedFile<'_>], job: &Job) -> Result<Option<String>, Error> {
    let mut recorded: Vec<(&str, &str, &str)> = files
        .iter()
        .filter_map(|file| file.checksum.map(|(algorithm, value)| (algorithm, value, file.name)))
        .collect();
    let Some((name, ..)) = recorded.first() else { return Ok(None) };
    let Some(algorithm) = FileAlgorithm::from_name(name) else {
        return Ok(Some(format!("its checksums are by {name}, which is not known")));
    };
    let work = source.files().iter().enumerate().collect();
    let found = in_order(work, AT_ONCE, |(index, file)| {
        let checksum = algorithm.checksum(file.len, |at, out| {
            job.cancel.check()?;
            Ok::<(), Error>(source.read_file(index, at, out)?)
        })?;
        Ok::<_, Error>((file.name.clone(), checksum))
    })?;
    for (name, checksum) in found {
        let same = |(by, value, _): &(&str, &str, &str)| {
            *by == algorithm.name() && value.eq_ignore_ascii_case(&checksum)
        };
        match recorded.iter().position(same) {
            Some(place) => {
                recorded.swap_remove(place);
            }
            None => return Ok(Some(format!("no file of it had the content that {name} has"))),
        }
    }
    Ok(None)
}
