//! A store in a later version at another place: objects under their new names, metadata last.

use bytes::Bytes;
use fairzarr_ngff::{Document, Version, group_document};
use fairzarr_ome_zarr::keys::{self, WORKSPACE, join};
use fairzarr_ome_zarr::{
    Codec, Comparison, Consolidation, Encoder, Manifest, ManifestRecorder, RecordedObject, StoredArray,
    manifest_digest, put,
};
use fairzarr_store::{Lease, LockKind, Store};
use fairzarr_task::{Budget, Job, try_for_each};
use fairzarr_zarr::{ArrayDocument, Format, Recoded, UpgradedArray};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::unfit;
use crate::nodes::{DOCUMENTS, Nodes, is_document};
use crate::{Error, Report};

/// Writes a store in a later version to another place. `take_over` does not wait for the marks of killed writers.
///
/// # Errors
/// When the store cannot be read, is of that version already, is damaged, or has what the later version has no word for; when
/// there is something at the other place, or it cannot be written. Whatever the error, there is no root's document there then.
pub fn to_place(
    from: &Store,
    to: &Store,
    version: Version,
    take_over: bool,
    job: &Job,
) -> Result<Report, Error> {
    let objects = from.list("").map_err(Error::Original)?;
    if objects.iter().any(|(key, _)| key == keys::CHANGING) {
        return Err(unfit(
            keys::CHANGING,
            "a change of its documents was interrupted, and has to be finished first",
        ));
    }
    let nodes = Nodes::read(from, &objects, version)?;
    let work = Work::new(from, &objects, &nodes, version)?;
    let is_free = || -> Result<(), Error> {
        let there = to.list("")?;
        if there.iter().any(|(key, _)| !Lease::is_key(WORKSPACE, key)) {
            return Err(Error::Exists(to.location().to_string()));
        }
        Ok(())
    };
    is_free()?;
    let lease = Lease::take(to, WORKSPACE, LockKind::Exclusive, take_over)?;
    is_free()?;
    job.progress.expect(work.pieces.iter().map(|piece| piece.size).sum());
    let (recorder, recorded) = ManifestRecorder::new(to, None);
    let copies = work.consolidates.then(Consolidation::new);
    let with_copies =
        |store: &Store| copies.as_ref().map_or_else(|| store.clone(), |copies| copies.watch(store));
    let recoded = work.pieces(to, &recorded, job)?;
    // Everything else must be there before the store looks complete.
    let documents = work.documents(&with_copies(to), &with_copies(&recorded))?;
    let root = work.root()?;
    let of_root = |root| match &copies {
        Some(copies) => copies.root(version, root),
        None => group_document(version, root),
    };
    let mut documents_of_root = match work.manifest {
        Some(_) => recorder.seal(to, root, of_root)?,
        None => of_root(root),
    };
    to.sync()?;
    let last = documents_of_root.pop();
    put(to, "", documents_of_root)?;
    to.flush()?;
    lease.confirm()?;
    if let Some(Document { name, bytes }) = last
        && !to.put_new(name, bytes)?
    {
        return Err(Error::Exists(to.location().to_string()));
    }
    to.sync()?;
    let moved = work.pieces.len() as u64 - recoded;
    Ok(Report { from: nodes.version, to: version, documents: documents + 1, moved, recoded })
}

/// Everything that is to be written.
struct Work<'a> {
    from: &'a Store,
    nodes: &'a Nodes,
    version: Version,
    /// By path, arrays that get another document.
    arrays: BTreeMap<String, UpgradedArray>,
    /// Objects that are no documents.
    pieces: Vec<Piece<'a>>,
    /// The manifest that the store has.
    manifest: Option<Manifest>,
    consolidates: bool,
}

/// An object that is moved.
struct Piece<'a> {
    key: &'a str,
    size: u64,
    target: String,
    /// The array of which it is a chunk that has to be encoded again.
    recoded: Option<&'a str>,
}

impl<'a> Work<'a> {
    fn new(
        from: &'a Store,
        objects: &'a [(String, u64)],
        nodes: &'a Nodes,
        version: Version,
    ) -> Result<Self, Error> {
        let root = nodes.by_path.get("").map(|root| &root.attributes);
        let manifest = Manifest::read(from).ok().flatten();
        let manifest =
            manifest.filter(|manifest| root.and_then(manifest_digest) == Some(manifest.digest().as_str()));
        for key in manifest.iter().flat_map(|manifest| manifest.objects().keys()) {
            if objects.binary_search_by(|(other, _)| other.cmp(key)).is_err() {
                return Err(unfit(key, "the store's manifest lists it, and it is not there"));
            }
        }
        let mut work = Self {
            from,
            nodes,
            version,
            arrays: BTreeMap::new(),
            pieces: Vec::new(),
            manifest,
            consolidates: is_consolidated(from)?,
        };
        for path in nodes.by_path.keys() {
            work.is_as_recorded(path)?;
        }
        let axes = nodes.axes();
        for (path, node) in &nodes.by_path {
            let Some(array) = node.array.as_ref().filter(|_| nodes.version.zarr_format() == 2) else {
                continue;
            };
            let document = ArrayDocument::of(Format::V2, array.clone());
            let names = axes.get(path).map(Vec::as_slice);
            let upgraded =
                document.upgraded(&node.attributes, names).map_err(|reason| unfit(path, reason))?;
            if upgraded.recoded.is_some() && axes.contains_key(path) && nodes.has_digests_of_stored_bytes() {
                return Err(unfit(
                    path,
                    "its chunks have to be encoded again, and the recorded digests are those of their stored bytes",
                ));
            }
            work.arrays.insert(path.clone(), upgraded);
        }
        for (key, size) in objects {
            if is_document(key) || [keys::MANIFEST, keys::ZMETADATA, keys::UPGRADED].contains(&key.as_str()) {
                continue;
            }
            let piece = work.piece(key, *size);
            work.pieces.push(piece);
        }
        Ok(work)
    }

    /// Where an object goes.
    fn piece(&self, key: &'a str, size: u64) -> Piece<'a> {
        let stays = Piece { key, size, target: key.to_owned(), recoded: None };
        let Some((path, _)) = self.nodes.array_of(key) else { return stays };
        let Some(array) = self.arrays.get(path) else { return stays };
        let name = if path.is_empty() { key } else { key.get(path.len() + 1..).unwrap_or_default() };
        let Some(name) = array.key(name) else { return stays };
        let recoded = array.recoded.is_some().then_some(path);
        Piece { key, size, target: join(path, &name), recoded }
    }

    /// Moves all objects; how many had to be encoded again.
    fn pieces(&self, to: &Store, recorded: &Store, job: &Job) -> Result<u64, Error> {
        let memory = Budget::new(job.memory);
        let recoded = AtomicU64::new(0);
        let one = |piece: &Piece<'_>| -> Result<(), Error> {
            job.cancel.check()?;
            let listed = self.manifest.as_ref().and_then(|manifest| manifest.objects().get(piece.key));
            if let Some(path) = piece.recoded {
                if let Some(listed) = listed {
                    self.compare(piece.key, listed)?;
                }
                recoded.fetch_add(1, Ordering::Relaxed);
                let target = if listed.is_some() { recorded } else { to };
                return self.recode(piece, path, target, &memory, job);
            }
            let Some(listed) = listed else {
                return Ok(fairzarr_copy::object(
                    (self.from, piece.key, piece.size),
                    (to, &piece.target),
                    &memory,
                    job,
                )?);
            };
            let _memory = memory.take(piece.size);
            let bytes = self.compare(piece.key, listed)?;
            let bytes = if piece.key == keys::EMBEDDED && !self.arrays.is_empty() {
                fairzarr_provenance::embedded_in_zarr_3(&bytes)?.into()
            } else {
                bytes
            };
            recorded.put(&piece.target, bytes)?;
            job.progress.advance(piece.size);
            Ok(())
        };
        let name = |piece: &Piece<'_>| piece.key.to_owned();
        try_for_each(&self.pieces, job.threads.unwrap_or(AT_ONCE), name, || (), |(), piece| one(piece))?;
        Ok(recoded.into_inner())
    }

    /// Encodes a chunk again.
    fn recode(
        &self,
        piece: &Piece<'_>,
        path: &str,
        to: &Store,
        memory: &Budget,
        job: &Job,
    ) -> Result<(), Error> {
        let upgraded = self.arrays.get(path);
        let Some((upgraded, Recoded { data_type, compressor, .. })) =
            upgraded.and_then(|array| Some((array, array.recoded.as_ref()?)))
        else {
            return Ok(());
        };
        let array = StoredArray::open(self.from, path)?;
        let name =
            if path.is_empty() { piece.key } else { piece.key.get(path.len() + 1..).unwrap_or_default() };
        let index = upgraded.keys.index(name).unwrap_or_default();
        let chunk = array.object_shape().to_vec();
        let samples = chunk.iter().try_fold(data_type.bytes() as u64, |all, side| all.checked_mul(*side));
        let bytes = samples.filter(|bytes| *bytes <= MOST_BYTES);
        let bytes = bytes.ok_or_else(|| unfit(path, format!("a chunk of {chunk:?} samples is too large")))?;
        let _memory = memory.take(3 * bytes);
        let ranges: Vec<_> = index
            .iter()
            .zip(&chunk)
            .zip(array.shape())
            .map(|((n, side), size)| n * side..((n + 1) * side).min(*size))
            .collect();
        let inside = array.read(&ranges)?;
        let whole = padded(&inside, &ranges, &chunk, data_type.bytes());
        let encoder = Encoder::new(Codec::new(*compressor), data_type.bytes(), false)?;
        to.put(&piece.target, encoder.encode(&whole)?)?;
        job.progress.advance(piece.size);
        Ok(())
    }

    /// Writes the documents of all nodes but the root; how many.
    fn documents(&self, plain: &Store, recorded: &Store) -> Result<u64, Error> {
        let mut count = 0;
        // Zarr 2 tolerates folders between groups, of which Zarr 3 has groups as well.
        let mut between = BTreeSet::new();
        for path in self.nodes.by_path.keys() {
            let mut path = path.as_str();
            while let Some((above, _)) = path.rsplit_once('/') {
                path = above;
                if !self.nodes.by_path.contains_key(path) {
                    between.insert(path);
                }
            }
        }
        for path in between {
            put(plain, path, group_document(self.version, Map::new()))?;
            count += 1;
        }
        for (path, node) in &self.nodes.by_path {
            if path.is_empty() {
                continue;
            }
            // Nodes that others have added are not vouched for because they were moved.
            let to = if self.is_listed(path) { recorded } else { plain };
            let document = match (&node.array, self.arrays.get(path)) {
                (_, Some(upgraded)) => upgraded.members.clone(),
                (Some(array), None) => array.clone(),
                (None, None) => {
                    let attributes = self.nodes.attributes(path, self.version)?;
                    put(
                        to,
                        path,
                        group_document(self.version, attributes.unwrap_or_else(|| node.attributes.clone())),
                    )?;
                    count += 1;
                    continue;
                }
            };
            to.put_in_background(
                &join(path, "zarr.json"),
                format!("{:#}", Value::Object(document)).into_bytes().into(),
            )?;
            count += 1;
        }
        plain.flush()?;
        recorded.flush()?;
        Ok(count)
    }

    /// Whether the manifest says something of a node's documents.
    fn is_listed(&self, path: &str) -> bool {
        let listed = |manifest: &Manifest| {
            DOCUMENTS.iter().any(|name| manifest.objects().contains_key(&join(path, name)))
        };
        self.manifest.as_ref().is_some_and(listed)
    }

    /// Refuses documents that are not what the manifest says: the new one would vouch for them.
    fn is_as_recorded(&self, path: &str) -> Result<(), Error> {
        let Some(manifest) = &self.manifest else { return Ok(()) };
        for name in DOCUMENTS {
            let key = join(path, name);
            let Some(recorded) = manifest.objects().get(&key) else { continue };
            self.compare(&key, recorded)?;
        }
        Ok(())
    }

    /// An object that the manifest lists, if it is what the manifest says.
    fn compare(&self, key: &str, recorded: &RecordedObject) -> Result<Bytes, Error> {
        let bytes = self.from.get(key).map_err(Error::Original)?;
        let bytes = bytes.ok_or_else(|| unfit(key, "it was listed, and is gone now"))?;
        if recorded.compare(key, &bytes) == Comparison::Changed {
            return Err(unfit(
                key,
                "it is not what the store's manifest says, and an upgrade would vouch for it",
            ));
        }
        Ok(bytes)
    }

    /// The attributes of the root, with what was done.
    fn root(&self) -> Result<Map<String, Value>, Error> {
        let before = self.nodes.by_path.get("").map(|root| root.attributes.clone()).unwrap_or_default();
        let mut root = self.nodes.attributes("", self.version)?.unwrap_or(before);
        let mut event = json!({
            "action": "upgrade", "program": "fairzarr", "version": env!("CARGO_PKG_VERSION"),
            "from": self.nodes.version.as_str(), "to": self.version.as_str(),
        });
        if let Some(manifest) = &self.manifest {
            event["manifest"] = manifest.digest().into();
        }
        root.shift_remove(keys::MANIFEST_MEMBER);
        let history = root.entry(keys::HISTORY).or_insert_with(|| json!([]));
        match history {
            Value::Array(history) => history.push(event),
            other => *other = json!([event]),
        }
        Ok(root)
    }
}

/// Whether a store has copies of its metadata at its root.
fn is_consolidated(store: &Store) -> Result<bool, Error> {
    if store.exists(keys::ZMETADATA).map_err(Error::Original)? {
        return Ok(true);
    }
    let root = store.probe("zarr.json").map_err(Error::Original)?;
    let root: Value = root.and_then(|root| serde_json::from_slice(&root).ok()).unwrap_or_default();
    Ok(root.get("consolidated_metadata").is_some_and(Value::is_object))
}

/// A whole chunk from the samples of it that lie within the array; the others are zero.
fn padded(inside: &[u8], ranges: &[std::ops::Range<u64>], chunk: &[u64], sample: usize) -> Vec<u8> {
    let sizes: Vec<usize> = ranges.iter().map(|range| (range.end - range.start) as usize).collect();
    let sides: Vec<usize> = chunk.iter().map(|side| *side as usize).collect();
    let mut whole = vec![0; sides.iter().product::<usize>() * sample];
    let row = sizes.last().copied().unwrap_or(1) * sample;
    for (n, from) in inside.chunks_exact(row.max(1)).enumerate() {
        let (mut rest, mut at, mut stride) = (n, 0, sides.last().copied().unwrap_or(1));
        for (size, side) in sizes.iter().zip(&sides).rev().skip(1) {
            at += rest % size * stride;
            rest /= size;
            stride *= side;
        }
        whole[at * sample..][..row].copy_from_slice(from);
    }
    whole
}

/// Objects under way at the same time where nothing else is asked for.
const AT_ONCE: usize = 32;
/// What one chunk may hold, decoded.
const MOST_BYTES: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_outside_of_the_array_are_zero() {
        assert_eq!(padded(&[1, 2, 3, 4], &[0..2, 4..6], &[3, 3], 1), [1, 2, 0, 3, 4, 0, 0, 0, 0]);
        assert_eq!(padded(&[1, 2], &[0..1, 0..1, 0..2], &[1, 2, 2], 1), [1, 2, 0, 0]);
        assert_eq!(padded(&[7, 8], &[], &[], 2), [7, 8]);
    }
}
