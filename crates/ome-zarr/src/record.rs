//! The NBO record of a store. `docs/nbo-zarr-convention.md` says how it lies there.

use fairzarr_nbo::placement::{self, Stored};
use fairzarr_nbo::{Record, ingest};
use fairzarr_ome_xml::Document;
use fairzarr_store::Store;

use crate::images::image_groups;
use crate::{Error, attributes, keys, sources};

/// The record of a store.
#[derive(Debug)]
pub struct StoredRecord {
    /// The record, with its calibration maps as tables where arrays can be read.
    pub record: Record,
    /// Whether it is of a newer layout than this library knows, so that what is new in it is left out.
    pub newer: bool,
}

/// The record in a store's attributes; where there is none, what its OME-XML says; `None` where there is neither.
///
/// # Errors
/// When the store cannot be read, or its record or OME-XML cannot be used.
pub fn record(store: &Store) -> Result<Option<StoredRecord>, Error> {
    let images = image_groups(store)?;
    let root = attributes(store, "")?.unwrap_or_default();
    if root.contains_key("nbo:record") {
        let below = images.iter().filter(|(path, _)| !path.is_empty()).map(|(_, attributes)| attributes);
        let Stored { record, newer, .. } = placement::read(&root, below)?;
        return Ok(Some(StoredRecord { record: with_maps(store, record)?, newer }));
    }
    let mut document = store.get(keys::METADATA)?.map(|bytes| bytes.to_vec());
    if document.is_none()
        && let Some(first) = sources(store)?.first()
    {
        document = Some(first.read(store)?);
    }
    let Some(document) = document else { return Ok(None) };
    let record = ingest::from_ome(&Document::parse(document)?);
    Ok(Some(StoredRecord { record, newer: false }))
}

/// Puts the cells of calibration maps back, which lie in arrays.
#[cfg(feature = "arrays")]
fn with_maps(store: &Store, mut record: Record) -> Result<Record, Error> {
    let mut failed = None;
    placement::maps::put_back(&mut record, |path| {
        crate::arrays::calibration_map(store, path).map_err(|error| failed = Some(error)).ok()
    });
    failed.map_or(Ok(record), Err)
}

#[cfg(not(feature = "arrays"))]
fn with_maps(_: &Store, record: Record) -> Result<Record, Error> {
    Ok(record)
}
