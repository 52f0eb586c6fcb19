//! The order in which the objects of a store are copied: what makes it look complete goes last.

use fairzarr_ome_zarr::keys::WORKSPACE;
use fairzarr_store::Store;

use crate::{Error, Object};

/// What goes when.
pub(crate) struct Order<'a> {
    pub(crate) chunks: Vec<&'a Object>,
    pub(crate) metadata: Vec<&'a Object>,
    /// Of the root, but the last.
    pub(crate) root: Vec<&'a Object>,
    /// The document that makes the store one.
    pub(crate) last: &'a Object,
}

impl<'a> Order<'a> {
    pub(crate) fn new(from: &Store, objects: &'a [Object]) -> Result<Self, Error> {
        let unfit = |reason: &str| Error::Unfit { place: from.location().to_string(), reason: reason.into() };
        if objects.iter().any(|(key, _)| key.starts_with(&format!("{WORKSPACE}/"))) {
            return Err(Error::Unfinished(from.location().to_string()));
        }
        let find = |name: &&str| objects.iter().find(|(key, _)| key == *name);
        let last = ROOT.iter().find_map(find).ok_or_else(|| unfit("there is no Zarr at its root"))?;
        let (metadata, chunks): (Vec<_>, Vec<_>) = objects
            .iter()
            .filter(|object| *object != last)
            .partition(|(key, _)| ROOT.contains(&key.rsplit('/').next().unwrap_or(key)));
        let (root, metadata) = metadata.into_iter().partition(|(key, _)| !key.contains('/'));
        Ok(Self { chunks, metadata, root, last })
    }

    pub(crate) fn holds(&self, key: &str) -> bool {
        // All lists keep the order of the listing, which is sorted.
        let lists = [&self.chunks, &self.metadata, &self.root];
        self.last.0 == key
            || lists.iter().any(|list| list.binary_search_by(|(other, _)| other.as_str().cmp(key)).is_ok())
    }
}

/// Metadata documents. The first of these that the root has is written last.
const ROOT: [&str; 5] = ["zarr.json", ".zattrs", ".zarray", ".zgroup", ".zmetadata"];
