//! The end of a conversion: checks, then all metadata, the root's last.

use fairzarr_nbo::placement;
use fairzarr_ngff::{Document, group_document};
use fairzarr_ome_zarr::keys::{self, JOURNAL, WORKSPACE};
use fairzarr_ome_zarr::{Consolidation, ManifestRecorder, Summaries, model, put};
use fairzarr_provenance::Provenance;
use fairzarr_store::{Lease, Store};
use fairzarr_task::{Job, in_order};
use fairzarr_zarr::{ArraySpec, Codecs, array_document};
use serde_json::Map;

use crate::commit::digests;
use crate::commit::label_files;
use crate::commit::labels;
use crate::commit::metadata;
use crate::error::Error;
use crate::labels::Inputs;
use crate::options::RoiChoice;
use crate::pipeline::findings::Findings;
use crate::plan::{ImagePlan, Plan};
use crate::resume::{journal, lease};
use crate::source::check_read;

/// Writes arrays' metadata, the OME group, image groups, the manifest of all of them, and the root, in this order. Returns the
/// bytes of consolidated metadata that were left out because they are too many.
///
/// All but the root goes through a handle that the manifest watches: what is written here is in the manifest.
pub(crate) fn write(
    inputs: Inputs<'_>,
    plan: &Plan,
    store: &Store,
    lease: &Lease,
    findings: &Findings,
    provenance: &Provenance,
    job: &Job,
) -> Result<Option<u64>, Error> {
    let version = plan.ngff();
    let copies = plan.settings.consolidated.then(Consolidation::new);
    let (plain, (recorder, recorded)) = (store, ManifestRecorder::new(store, None));
    let watched = copies.as_ref().map(|copies| copies.watch(&recorded));
    let store = watched.as_ref().unwrap_or(&recorded);
    let source = inputs.source;
    let metadata = metadata::Metadata::new(source, plan, findings, label_files::record(inputs, plan, job)?);
    for image in &plan.images {
        for level in 0..image.levels.len() {
            put(store, &image.array_path(level), array_document(version, &array_spec(plan, image, level))?)?;
        }
    }
    if plan.settings.rois == RoiChoice::Labels {
        labels::write(source, plan, &metadata, store, job)?;
    }
    label_files::write(source, plan, &metadata, findings, store)?;
    for (key, bytes) in metadata.files()? {
        store.put_in_background(&key, bytes.into())?;
    }
    digests::write_all(plan, store, findings)?;
    let mut groups = metadata.groups(provenance.sources())?;
    if let Some(document) = source.document() {
        let model = model::write(store, version, document)?;
        groups.entry(keys::OME.into()).or_default().extend(model);
    }
    provenance.write(store, version)?;
    let images = plan.placement.paths();
    let mut ours = provenance.attributes(&images).peekable();
    let mut root = groups.remove("").unwrap_or_default();
    if let Some((_, of_root)) = ours.next() {
        placement::insert(&mut root, of_root);
    }
    let none = Map::new();
    let summaries = Summaries::new(provenance.record(), &root, groups.get(keys::OME).unwrap_or(&none));
    if images.first().is_some_and(String::is_empty) {
        let summary = summaries.image(&metadata.subject(0, &root));
        root.insert(keys::SUMMARY.into(), summary);
    }
    for (path, attributes) in groups {
        put(store, &path, group_document(version, attributes))?;
    }
    for (index, path) in images.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        let mut attributes = metadata.image(index);
        if let Some((_, of_image)) = ours.next_if(|(of, _)| of == path) {
            placement::insert(&mut attributes, of_image);
        }
        let summary = summaries.image(&metadata.subject(index, &attributes));
        attributes.insert(keys::SUMMARY.into(), summary);
        put(store, path, group_document(version, attributes))?;
    }
    // The source must have been one and the same up to here.
    check_read(inputs, plan, &findings.checksums)?;
    let mut documents = recorder.seal(plain, root, |root| match &copies {
        Some(copies) => copies.root(version, root),
        None => group_document(version, root),
    })?;
    // Everything else must be on the disk before the store looks complete.
    plain.sync()?;
    let last = documents.pop();
    put(plain, "", documents)?;
    plain.flush()?;
    if let Some(Document { name, bytes }) = last {
        // Two looks at the same time: whether this process may still write here, and whether somebody else has finished.
        let looks = in_order(vec![true, false], 2, |own| {
            if own { lease.confirm().map(|()| false) } else { plain.exists(name) }.map_err(Error::from)
        });
        let is_new = !looks?.contains(&true) && plain.put_unseen(name, bytes.clone())?;
        if !is_new && plain.get(name)?.as_deref() != Some(&bytes) {
            // Somebody else finished another conversion here in the meantime.
            return Err(Error::Exists(plain.location().to_string()));
        }
    }
    Ok(copies.and_then(|copies| copies.left_out()))
}

/// Whether the last document of the root is there.
pub(crate) fn is_complete(plan: &Plan, store: &Store) -> Result<bool, Error> {
    let last = if plan.ngff().zarr_format() == 2 { ".zattrs" } else { "zarr.json" };
    Ok(store.exists(last)?)
}

/// Removes what only an unfinished store has. The plan goes last: as long as it is there, the rest is known to be
/// left over.
pub(crate) fn clean(store: &Store) -> Result<(), Error> {
    if store.local_path().is_some() {
        journal::remove(store)?;
        store.delete_prefix(WORKSPACE)?;
    } else {
        let plan = keys::plan();
        let left = store.list(WORKSPACE)?;
        // The mark of this process goes with its lease; others may have been left by processes that were taken over.
        let is_alone = left.iter().filter(|(key, _)| lease::is_ours(key)).count() < 2;
        let others = left.into_iter().map(|(key, _)| key);
        let others: Vec<_> =
            others.filter(|key| *key != plan && !(is_alone && lease::is_ours(key))).collect();
        if others.iter().any(|key| key.starts_with(JOURNAL)) {
            journal::remove(store)?;
        }
        let others = others.into_iter().filter(|key| !key.starts_with(JOURNAL)).collect();
        in_order(others, AT_ONCE, |key| Ok::<_, Error>(store.delete(&key)?))?;
        store.delete(&plan)?;
    }
    store.sync()?;
    Ok(())
}

fn array_spec(plan: &Plan, image: &ImagePlan, level: usize) -> ArraySpec {
    let [t, c, z, _, _] = image.shape.map(u64::from);
    let level = &image.levels[level];
    let (h, w) = level.chunk;
    let mut spec = ArraySpec::new(
        image.along_axes([t, c, z, level.size.0 as u64, level.size.1 as u64]),
        image.data_type(),
        image.along_axes([1, 1, 1, h, w].map(u64::from)),
    );
    spec.shards = level.shard.map(|(h, w)| {
        let (times, sections) = image.depth;
        image.along_axes([times, 1, sections, h, w].map(u64::from))
    });
    spec.codecs = Codecs::new(level.codec.compressor());
    spec.codecs.crc32c = plan.crc32c(level);
    spec.codecs.endian = image.endian();
    spec.dimension_names = image.along_axes(["t", "c", "z", "y", "x"].map(Into::into));
    spec
}

/// What is left over and removed at the same time.
const AT_ONCE: usize = 32;
