//! Sources that came from the store: an OME-TIFF that it was exported to.

use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_xml::{ByteOrder, Document};
use fairzarr_ome_zarr::keys::METADATA;
use fairzarr_store::Store;

use crate::error::Error;
use crate::report::{Check, Proof};

/// That the source's document is the one that an export has, character by character; `None` where it is not.
///
/// Such a source is no fileset that the store was made from, and its document none that the store keeps.
pub(crate) fn check(source: &Fileset, store: &Store) -> Result<Option<Check>, Error> {
    let Some((document, metadata)) = source.document().zip(store.get(METADATA)?) else { return Ok(None) };
    let expected =
        Document::parse(metadata.to_vec()).and_then(|stored| stored.in_one_tiff(ByteOrder::Little));
    Ok(expected.is_ok_and(|expected| expected == document.text()).then(|| {
        Check::new(
            Proof::Export,
            format!("the source's document is {METADATA} with the places of its planes"),
            Vec::new(),
        )
    }))
}
