//! A store packed into one file: zipped OME-Zarr (`.ozx`, NGFF RFC-9).

use bytes::Bytes;
use fairzarr_store::{ArchiveWriter, Store, StoreOptions};
use fairzarr_task::{Budget, Job, Progress, lock, unlocked};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::order::Order;
use crate::{Check, Error, Object, Options, Report, objects_of, side_by_side, transfer};

/// Packs all objects of a store into the file `name` of `folder`: `zarr.json` of the root first, then those of groups
/// and arrays breadth-first, then the rest, nothing compressed. The file appears when it is whole.
///
/// # Errors
/// As [`copy`](crate::copy()); [`Error::Unfit`] also for Zarr v2, which the format does not allow. With `resume`, a file
/// that is there already is only compared.
pub fn pack(from: &Store, folder: &Store, name: &str, options: &Options, job: &Job) -> Result<Report, Error> {
    let mut objects = objects_of(from)?;
    Order::new(from, &objects)?;
    let comment = comment(from, &objects)?;
    objects.sort_by_cached_key(|(key, _)| place(key));
    let bytes = objects.iter().map(|(_, size)| size).sum();
    job.progress.expect(bytes);
    let mut report = Report { objects: objects.len() as u64, bytes, kept: 0 };
    let packing = Packing { from, folder, objects: &objects, check: options.check, job };

    let headers: u64 = objects.iter().map(|(key, _)| HEADERS + 2 * key.len() as u64).sum();
    let place = || folder.location().join(name).to_string();
    let expected = bytes + headers;
    let replaces = options.replace && folder.exists(name)?;
    let archive = match replaces {
        true if folder.local_path().is_some() => {
            // The old archive stays until the new one is proved.
            let beside = format!(".{name}.fairzarr-new");
            let archive = ArchiveWriter::replace(folder, &beside, expected, &comment)?;
            packing.write_and_prove(archive, &beside)?;
            folder.rename(&beside, name)?;
            return Ok(report);
        }
        true => Some(ArchiveWriter::replace(folder, name, expected, &comment)?),
        false => ArchiveWriter::create(folder, name, expected, &comment)?,
    };
    match archive {
        Some(archive) => packing.write_and_prove(archive, name)?,
        None if options.resume => {
            packing.prove(name)?;
            report.kept = report.objects;
        }
        None => return Err(Error::Exists(place())),
    }
    Ok(report)
}

/// What is packed, and where to.
struct Packing<'a> {
    from: &'a Store,
    folder: &'a Store,
    /// In the order of the archive.
    objects: &'a [Object],
    check: Check,
    job: &'a Job,
}

impl Packing<'_> {
    /// Writes an archive, and looks at it; one that is not as it was written is removed.
    fn write_and_prove(&self, archive: ArchiveWriter, name: &str) -> Result<(), Error> {
        write(archive, self.from, self.objects, self.job)?;
        let proved = self.prove(name);
        if let Err(Error::Differs { .. }) = proved {
            self.folder.delete(name)?;
        }
        proved
    }

    /// Looks at the archive as far as was asked.
    fn prove(&self, name: &str) -> Result<(), Error> {
        let Self { from, folder, objects, check, job } = *self;
        if check == Check::None {
            return Ok(());
        }
        let packed = Store::archive(folder, name, &StoreOptions::default());
        let there: BTreeMap<String, u64> = packed.list("")?.into_iter().collect();
        let differs =
            |key: &str| Error::Differs { key: key.to_owned(), place: packed.location().to_string() };
        let wanted: BTreeMap<String, u64> = objects.iter().cloned().collect();
        let missing = wanted.iter().find(|(key, size)| there.get(*key) != Some(size));
        if let Some((key, _)) = missing.or_else(|| there.iter().find(|(key, _)| !wanted.contains_key(*key))) {
            return Err(differs(key));
        }
        if check == Check::Size {
            return Ok(());
        }
        let references: Vec<&Object> = objects.iter().collect();
        let budget = Budget::new(job.memory);
        side_by_side(job, &references, |object| {
            job.cancel.check()?;
            let _memory = budget.take(transfer::memory(object.1));
            if transfer::are_same(from, &packed, object)? { Ok(()) } else { Err(differs(&object.0)) }
        })
    }
}

/// Bytes of an entry's two headers, names apart.
const HEADERS: u64 = 144;

/// What the archive says of itself. It may hold no other archives.
fn comment(from: &Store, objects: &[Object]) -> Result<String, Error> {
    let unfit = |reason: String| Error::Unfit { place: from.location().to_string(), reason };
    let nested = |key: &str| [".ozx", ".zip"].iter().any(|end| key.to_ascii_lowercase().ends_with(end));
    if let Some((key, _)) = objects.iter().find(|(key, _)| nested(key)) {
        return Err(unfit(format!("it holds {key}, and an .ozx may not hold another archive")));
    }
    let root = from
        .get("zarr.json")
        .map_err(Error::Original)?
        .ok_or_else(|| unfit("an .ozx holds Zarr v3, this is Zarr v2".to_owned()))?;
    let root: Value =
        serde_json::from_slice(&root).map_err(|error| unfit(format!("zarr.json is no JSON: {error}")))?;
    let version = root
        .pointer("/attributes/ome/version")
        .and_then(Value::as_str)
        .ok_or_else(|| unfit("zarr.json at its root names no version of OME-Zarr".to_owned()))?;
    let own = json!({"ome": {"version": version, "zipFile": {"centralDirectory": {"jsonFirst": true}}}});
    Ok(own.to_string())
}

/// What decides on an object's place in the archive: documents of Zarr first, those of the upper levels before others.
fn place(key: &str) -> (Reverse<bool>, usize, String) {
    let document = key.rsplit('/').next() == Some("zarr.json");
    (Reverse(document), if document { key.matches('/').count() } else { 0 }, key.to_owned())
}

/// Objects are read side by side, as many as fit into the memory, and written one after another.
fn write(mut archive: ArchiveWriter, from: &Store, objects: &[Object], job: &Job) -> Result<(), Error> {
    let mut rest = objects;
    while let Some(first) = rest.first() {
        job.cancel.check()?;
        let batch = &rest[..batch(rest, job.memory)];
        rest = &rest[batch.len()..];
        if first.1 > transfer::WHOLE {
            write_large(&mut archive, from, first, job)?;
            wrote(&job.progress, first.1);
            continue;
        }
        for ((key, size), bytes) in batch.iter().zip(read(from, batch, job)?) {
            archive.add(key, &bytes)?;
            wrote(&job.progress, *size);
        }
    }
    Ok(archive.finish()?)
}

/// Writes one object piece by piece. Its checksum stands before it: where it does not fit into the memory, it is read twice.
fn write_large(archive: &mut ArchiveWriter, from: &Store, object: &Object, job: &Job) -> Result<(), Error> {
    let (key, size) = object;
    let is_kept = *size <= job.memory.saturating_sub(transfer::STREAM);
    let (mut sum, mut kept) = (crc32fast::Hasher::new(), Vec::new());
    transfer::each_piece(from, object, |_, piece| {
        job.cancel.check()?;
        sum.update(&piece);
        if is_kept {
            kept.push(piece);
        }
        Ok(true)
    })?;
    archive.start(key, *size, sum.finalize())?;
    for piece in &kept {
        archive.append(piece)?;
    }
    if is_kept {
        return Ok(());
    }
    transfer::each_piece(from, object, |_, piece| {
        job.cancel.check()?;
        archive.append(&piece)?;
        Ok(true)
    })?;
    Ok(())
}

/// How many of the next objects are read together.
fn batch(objects: &[Object], memory: u64) -> usize {
    let mut left = memory;
    let fit = objects.iter().take(BATCH).take_while(|(_, size)| {
        let fits = *size <= left.min(transfer::WHOLE);
        left = left.saturating_sub(*size);
        fits
    });
    fit.count().max(1)
}

/// Objects that are read together at most.
const BATCH: usize = 1024;

/// Reads objects, several at a time.
fn read(from: &Store, objects: &[Object], job: &Job) -> Result<Vec<Bytes>, Error> {
    let found = Mutex::new(BTreeMap::new());
    let references: Vec<&Object> = objects.iter().collect();
    side_by_side(job, &references, |object| {
        job.cancel.check()?;
        let bytes = transfer::read(from, object)?;
        lock(&found).insert(object.0.clone(), bytes);
        Ok(())
    })?;
    let mut found = unlocked(found);
    Ok(objects.iter().filter_map(|(key, _)| found.remove(key)).collect())
}

fn wrote(progress: &Progress, size: u64) {
    progress.wrote(size);
    progress.advance(size);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_object_is_read_twice_only_where_it_does_not_fit_into_the_memory() {
        let large: Vec<u8> = (0..=transfer::WHOLE).map(|n| (n % 251) as u8).collect();
        let mut reads = Vec::new();
        let mut archives = Vec::new();
        for memory in [256 << 20, 64 << 20] {
            let (from, folder) = (Store::memory(), Store::memory());
            from.put("zarr.json", r#"{"attributes": {"ome": {"version": "0.5"}}}"#).unwrap();
            from.put("0/c/0", large.clone()).unwrap();
            let options = Options::new().with_check(Check::None);
            let before = from.requests().gets;
            pack(&from, &folder, "x.ozx", &options, &Job::new().with_memory(memory)).unwrap();
            reads.push(from.requests().gets - before);
            archives.push(folder.get("x.ozx").unwrap().unwrap());
        }
        assert!(archives[0] == archives[1]);
        let pieces = 5;
        assert!(reads[0] >= pieces && reads[1] >= reads[0] + pieces, "{reads:?}");
    }
}
