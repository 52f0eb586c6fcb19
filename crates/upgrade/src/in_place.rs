//! A store in a later version where it is: metadata alone.
//!
//! What is changed is written down first, in `OME/upgraded.json`: of every group the text of its `ome` before. Documents are
//! changed as texts, and so are the copies of them at the root; all that they will be is written down before the first changes, so
//! that a run that was interrupted is finished by the next one. Groups that are of the later version already are left as they are.

use fairzarr_ngff::{Version, group_document, upgraded};
use fairzarr_ome_zarr::keys::{self, join};
use fairzarr_ome_zarr::put;
use fairzarr_provenance::{Texts, finish_interrupted, put_texts};
use fairzarr_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::error::unfit;
use crate::nodes::{Node, Nodes};
use crate::{Error, Report};

/// What an upgrade changed.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Journal {
    /// The version before.
    from: String,
    /// The version after.
    to: String,
    /// By the path of a group the text of its `ome` before.
    groups: BTreeMap<String, String>,
    /// The same of their copies at the root, which may be laid out otherwise.
    copies: BTreeMap<String, String>,
    /// Documents that were not there before.
    objects: BTreeSet<String>,
}

/// The documents of Zarr 3, whichever version of NGFF is in them.
const ZARR_3: Version = Version::V05;

/// Upgrades a store of Zarr 3 where it is.
///
/// # Errors
/// When the store is of Zarr 2 ([`Error::NeedsTarget`]), of that version already, damaged, or cannot be written. Nothing was
/// changed then, unless writing itself failed; the next run finishes that.
pub fn in_place(store: &Store, to: Version) -> Result<Report, Error> {
    let was_interrupted = finish_interrupted(store)?;
    let objects = store.list("").map_err(Error::Original)?;
    let nodes = match Nodes::read(store, &objects, to) {
        // All that was left of an earlier run is done.
        Err(Error::Already { .. }) if was_interrupted => return finished(store, to),
        nodes => nodes?,
    };
    let from = nodes.version;
    if from.zarr_format() != to.zarr_format() {
        let place = store.location().to_string();
        return Err(Error::NeedsTarget { place, found: from.to_string() });
    }
    let mut texts = Texts::open(store, ZARR_3)?;
    let mut journal = journal(store)?.unwrap_or_default();
    (journal.from, journal.to) = (from.to_string(), to.to_string());
    // What an interrupted run has changed is no longer as the manifest says.
    let mut ours = BTreeSet::new();
    for (path, node) in &nodes.by_path {
        let new = match nodes.attributes(path, to)? {
            Some(attributes) => attributes.get(OME).map(Value::to_string).unwrap_or_default(),
            None if is_ours(&journal, path, node, to) => {
                ours.insert(join(path, "zarr.json"));
                node.attributes.get(OME).map(Value::to_string).unwrap_or_default()
            }
            None => continue,
        };
        for (n, place) in texts.attributes(path).into_iter().enumerate() {
            let before = texts.get(&place, OME)?;
            let known = if n == 0 { &mut journal.groups } else { &mut journal.copies };
            match before {
                Some(before) => {
                    known.entry(path.clone()).or_insert(before);
                }
                None if n == 0 => return Err(unfit(path, "its metadata are gone")),
                // A copy that is out of date gets what it lacks, and keeps it.
                None => {}
            }
            if !texts.set(&place, OME, Some(&new))? {
                return Err(unfit(path, "its document has no attributes"));
            }
        }
    }
    let changed = texts.manifest().map(|manifest| manifest.not_as_recorded().keys());
    if let Some(key) = changed.into_iter().flatten().find(|key| !ours.contains(*key)).cloned() {
        return Err(unfit(
            &key,
            "it is not what the store's manifest says, and an upgrade would vouch for it",
        ));
    }
    let event = json!({
        "action": ACTION, "program": "fairzarr", "version": env!("CARGO_PKG_VERSION"),
        "from": journal.from, "to": journal.to, "journal": keys::UPGRADED,
    });
    set_history(&mut texts, |history| history.push(event.clone()))?;
    if !store.exists(&join(keys::OME, "zarr.json")).map_err(Error::Original)? {
        journal.objects.insert(join(keys::OME, "zarr.json"));
    }
    let target = texts.manifest().map_or(store, |manifest| manifest.store());
    target.put(keys::UPGRADED, serde_json::to_vec(&journal).unwrap_or_default())?;
    if !journal.objects.is_empty() {
        put(target, keys::OME, group_document(ZARR_3, fairzarr_ngff::plain_attributes(to)))?;
    }
    store.sync()?;
    let documents = put_texts(store, texts, &BTreeMap::new())?.len() as u64;
    store.sync()?;
    Ok(Report { from, to, documents, moved: 0, recoded: 0 })
}

/// The report of a run whose rest was done by another.
fn finished(store: &Store, to: Version) -> Result<Report, Error> {
    let journal = journal(store)?.unwrap_or_default();
    let from = journal.from.parse().unwrap_or(to);
    Ok(Report { from, to, documents: journal.groups.len() as u64, moved: 0, recoded: 0 })
}

/// Takes back what [`in_place`] changed. What others have changed since stays.
///
/// # Errors
/// [`Error::NothingToUndo`], and when the store cannot be read or written.
pub fn undo(store: &Store) -> Result<Report, Error> {
    finish_interrupted(store)?;
    let Some(journal) = journal(store)? else {
        return Err(Error::NothingToUndo(store.location().to_string()));
    };
    let version =
        |text: &str| text.parse().map_err(|_| unfit(keys::UPGRADED, format!("it names a version {text:?}")));
    let (from, to): (Version, Version) = (version(&journal.from)?, version(&journal.to)?);
    let mut texts = Texts::open(store, ZARR_3)?;
    for (path, before) in &journal.groups {
        for (n, place) in texts.attributes(path).into_iter().enumerate() {
            let before = if n == 0 { before } else { journal.copies.get(path).unwrap_or(before) };
            let now: Value = match texts.get(&place, OME)? {
                Some(now) => serde_json::from_str(&now).unwrap_or_default(),
                None => continue,
            };
            if now["version"] == to.as_str() {
                texts.set(&place, OME, Some(before))?;
            }
        }
    }
    set_history(&mut texts, |history| history.retain(|event| event["action"] != ACTION))?;
    if let Some(manifest) = texts.manifest() {
        manifest.forget(journal.objects.iter().map(String::as_str).chain([keys::UPGRADED]));
    }
    let documents = put_texts(store, texts, &BTreeMap::new())?.len() as u64;
    for object in journal.objects.iter().map(String::as_str).chain([keys::UPGRADED]) {
        store.delete(object)?;
    }
    store.sync()?;
    Ok(Report { from: to, to: from, documents, moved: 0, recoded: 0 })
}

/// Whether a group of the later version is so because an earlier run has changed it.
fn is_ours(journal: &Journal, path: &str, node: &Node, to: Version) -> bool {
    let before = journal.groups.get(path).and_then(|before| serde_json::from_str::<Value>(before).ok());
    before.is_some_and(|before| {
        let attributes = Map::from_iter([(OME.to_owned(), before)]);
        let again = upgraded(&attributes, ZARR_3, to).ok().flatten();
        again.is_some_and(|again| again.get(OME) == node.attributes.get(OME))
    })
}

fn journal(store: &Store) -> Result<Option<Journal>, Error> {
    let Some(bytes) = store.get(keys::UPGRADED).map_err(Error::Original)? else { return Ok(None) };
    let journal = serde_json::from_slice(&bytes);
    journal.map(Some).map_err(|error| unfit(keys::UPGRADED, format!("it cannot be read: {error}")))
}

/// Changes the list of what was done to the store; a list without entries is taken away.
fn set_history(texts: &mut Texts<'_>, change: impl Fn(&mut Vec<Value>)) -> Result<(), Error> {
    for place in texts.attributes("") {
        let before = texts.get(&place, keys::HISTORY)?;
        let mut history: Vec<Value> =
            before.and_then(|before| serde_json::from_str(&before).ok()).unwrap_or_default();
        change(&mut history);
        let new = (!history.is_empty()).then(|| Value::from(history).to_string());
        texts.set(&place, keys::HISTORY, new.as_deref())?;
    }
    Ok(())
}

const OME: &str = "ome";
const ACTION: &str = "upgrade";
