//! The record of a store made again from the documents that the store keeps, so that the one in its attributes can be judged by
//! it: first as the conversion made it, then through every embedding that the history tells of.

use fairzarr_nbo::check::Policy;
use fairzarr_nbo::merge::StoreImage;
use fairzarr_nbo::{Record, ingest, placement};
use fairzarr_ome_xml::Document;
use fairzarr_ome_zarr::keys;
use fairzarr_store::Store;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::merged::Described;
use crate::{Error, Provenance, Sidecar};

/// The version whose rules made a record. Others may read the same document otherwise.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// An image of the store.
#[derive(Clone, Debug)]
pub struct ImageAgain {
    /// The path of its group; empty for the root.
    pub path: String,
    /// Its number in the document that describes the images, if it is there.
    pub described: Option<usize>,
    /// What the source says of it.
    pub source: StoreImage,
    /// What the store's own metadata say of it.
    pub stored: StoreImage,
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub enum Again {
    /// Attributes of the convention, by path of group.
    Attributes(Attributes),
    /// They cannot be derived, and why.
    NotDerived(String),
}

/// Attributes of the convention as they have to be.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    /// By path of group; the root's is empty.
    pub groups: BTreeMap<String, Map<String, Value>>,
    /// The policy of the coverage, where the program does not know it: that member is then not derived.
    pub unknown_policy: Option<String>,
}

/// Derives the attributes of the convention again. `root` has the attributes of the root, and `described` the document that the
/// images are described by.
///
/// # Errors
/// When the store cannot be read.
pub fn derive_again(
    store: &Store,
    root: &Map<String, Value>,
    described: Option<Described<'_>>,
    images: &[ImageAgain],
) -> Result<Again, Error> {
    let events = root.get(keys::HISTORY).and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(reason) = foreign(root, &events) {
        return Ok(Again::NotDerived(reason));
    }
    if !root.contains_key(keys::CONVERSION) && had_record(store)? {
        return Ok(Again::NotDerived("another program's record was there before the first embedding".into()));
    }
    let paths: Vec<String> = images.iter().map(|image| image.path.clone()).collect();
    let mut made = Attributes::default();
    let mut unread = None;
    let mut read = |entries: Option<&Value>| -> Result<Vec<Sidecar>, Error> {
        let mut sidecars = Vec::new();
        for entry in entries.and_then(Value::as_array).into_iter().flatten() {
            match sidecar(store, entry)? {
                Ok(Some(read)) => sidecars.push(read),
                Ok(None) => {}
                Err(reason) => unread = Some(reason),
            }
        }
        Ok(sidecars)
    };
    if root.contains_key(keys::CONVERSION) {
        let sidecars = read(root.get(keys::SOURCE_LIST))?;
        let count = root.get(keys::SOURCE_LIST).and_then(Value::as_array).map_or(0, Vec::len);
        let policy = policy(root, &events);
        if let Err(name) = &policy {
            made.unknown_policy = Some(name.clone());
        }
        let of_images: Vec<_> = images.iter().map(|image| (image.described, image.source.clone())).collect();
        let policy = policy.ok().flatten();
        let first = count.saturating_sub(sidecars.len());
        let provenance = Provenance::of_images(described, &of_images, &sidecars, first, policy.as_ref());
        made.groups = groups(&provenance, &paths);
    }
    let said: Vec<StoreImage> = images.iter().map(|image| image.stored.clone()).collect();
    for event in &events {
        let record = match made.groups.get("").filter(|root| root.contains_key("nbo:record")) {
            Some(root) => {
                let none = Map::new();
                let below = paths.iter().filter(|path| !path.is_empty());
                let below: Vec<_> = below.map(|path| made.groups.get(path).unwrap_or(&none)).collect();
                placement::read(root, below).map_err(Error::Record)?.record
            }
            None => of_metadata(store, images.len())?,
        };
        let sidecars = read(event.get("sources"))?;
        let key =
            |n: usize, ending: &str| keys::embedded(sidecars.get(n).map_or("", Sidecar::sha256), ending);
        made.groups = groups(&Provenance::new(record, &said, &sidecars, None, key), &paths);
    }
    Ok(match unread {
        Some(reason) => Again::NotDerived(reason),
        None => Again::Attributes(made),
    })
}

/// Why the rules of this program cannot say what the record has to be.
fn foreign(root: &Map<String, Value>, events: &[Value]) -> Option<String> {
    let text = |of: &Value, member: &str| of.get(member).and_then(Value::as_str).unwrap_or("none").to_owned();
    let conversion = root.get(keys::CONVERSION);
    let made =
        conversion.into_iter().chain(events).map(|step| (text(step, "program"), text(step, "version")));
    for (program, version) in made {
        if (&*program, &*version) != ("fairzarr", VERSION) {
            return Some(format!("made by {program} {version}, whose rules this version does not know"));
        }
    }
    if let Some(event) = events.iter().find(|event| text(event, "action") != "embed") {
        return Some(format!(
            "the history has {:?}, which this version does not know",
            text(event, "action")
        ));
    }
    (conversion.is_none() && events.is_empty() && root.keys().any(|key| placement::KEYS.contains(&&**key)))
        .then(|| "it was written by another program".to_owned())
}

/// Whether there was a record before anything was embedded.
fn had_record(store: &Store) -> Result<bool, Error> {
    let Some(journal) = store.get(keys::EMBEDDED)? else { return Ok(false) };
    let journal: Value = serde_json::from_slice(&journal).unwrap_or_default();
    let changes = journal["changes"].as_array().cloned().unwrap_or_default();
    Ok(changes.iter().any(|change| change["member"] == "nbo:record" && !change["before"].is_null()))
}

/// The policy that the conversion was checked by: its name is in the coverage, if no embedding has replaced that. `Err` with the name of one
/// that the program does not come with.
fn policy(root: &Map<String, Value>, events: &[Value]) -> Result<Option<Policy>, String> {
    let coverage = root.get("nbo:coverage").filter(|_| events.is_empty());
    let name = coverage.and_then(|all| all.get(0)?.get("policy")?.as_str());
    match name {
        None => Ok(None),
        Some(name) => Policy::builtin_names()
            .filter_map(Policy::builtin)
            .find(|policy| policy.name == name)
            .map(Some)
            .ok_or_else(|| name.to_owned()),
    }
}

/// A document that is listed among the sources; `None` for the OME-XML of the images themselves, and the reason where it cannot be read
/// as it was.
fn sidecar(store: &Store, entry: &Value) -> Result<Result<Option<Sidecar>, String>, Error> {
    let text = |member: &str| entry.get(member).and_then(Value::as_str).unwrap_or_default();
    let path = text("path");
    if ["ImageDescription", "companion"].contains(&text("role")) {
        return Ok(Ok(None));
    }
    let Some(bytes) = store.get(path)? else { return Ok(Err(format!("{path} is missing"))) };
    Ok(match Sidecar::parse(text("file"), bytes.to_vec(), None) {
        Ok(sidecar) => Ok(Some(sidecar)),
        Err(error) => Err(format!("{path} was read by a mapping that the store does not keep ({error})")),
    })
}

/// The record that an embedding begins with where the store has none: what its OME-XML says.
pub(crate) fn of_metadata(store: &Store, images: usize) -> Result<Record, Error> {
    let mut record = Record::default();
    if let Some(bytes) = store.get(keys::METADATA)? {
        record = ingest::from_ome(&Document::parse(bytes.to_vec())?);
        let mut source = ingest::source("METADATA.ome.xml", ingest::Form::OmeXml, "application/xml", &bytes);
        source.path = Some(keys::METADATA.into());
        record.sources.push(source);
    }
    // The document's images are the store's in the order of both, unless it has others too.
    if record.in_store.as_ref().is_none_or(|held| held.len() != images) {
        record.in_store = Some(vec![None; images]);
    }
    Ok(record)
}

fn groups(provenance: &Provenance, paths: &[String]) -> BTreeMap<String, Map<String, Value>> {
    let attributes = provenance.attributes(paths);
    attributes.filter(|(_, of)| !of.is_empty()).map(|(path, of)| (path.to_owned(), of)).collect()
}
