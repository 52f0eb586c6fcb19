//! Sources that came from the store: an OME-TIFF that it was exported to.

use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_xml::{ByteOrder, Document};
use fairzarr_ome_zarr::keys::METADATA;
use fairzarr_ome_zarr::{Error as ZarrError, Hierarchy, minimal_document};

use crate::error::Error;
use crate::report::{Check, Proof};

/// That the source's document is the one that an export has, character by character; `None` where it is not.
///
/// Such a source is no fileset that the store was made from, and its document none that the store keeps.
pub(crate) fn check(source: &Fileset, hierarchy: &Hierarchy) -> Result<Option<Check>, Error> {
    let Some(document) = source.document() else { return Ok(None) };
    let metadata = hierarchy.store().get(METADATA)?.map(|bytes| bytes.to_vec());
    let what = if metadata.is_some() { METADATA } else { "what axes, scales and rendering settings say" };
    let metadata = match metadata {
        Some(metadata) => metadata,
        // Of a store that OME-XML has no words for there is no export either.
        None => match minimal_document(hierarchy) {
            Ok(document) => document.into_bytes(),
            Err(error @ (ZarrError::Store(_) | ZarrError::Task(_))) => return Err(error.into()),
            Err(_) => return Ok(None),
        },
    };
    let expected = Document::parse(metadata).and_then(|stored| stored.in_one_tiff(ByteOrder::Little));
    Ok(expected.is_ok_and(|expected| expected == document.text()).then(|| {
        Check::new(
            Proof::Export,
            format!("the source's document is {what} with the places of its planes"),
            Vec::new(),
        )
    }))
}
