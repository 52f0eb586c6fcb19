//! Where things lie in a store. Written and read by these names alone.

/// The group beside the images that holds everything that is said of them.
pub const OME: &str = "OME";
/// The OME-XML of the store, 2016-06, without pixel data.
pub const METADATA: &str = "OME/METADATA.ome.xml";
/// The folder of the source's documents, byte for byte.
pub const SOURCES: &str = "OME/sources";
/// What the tags of the source's TIFF pages say beside the pixels.
pub const TIFF_TAGS: &str = "OME/tiff-tags.json";
/// The array of the digests that were recorded at the conversion.
pub const DIGESTS: &str = "OME/digests";
/// The group of calibration maps, which are arrays.
pub const CALIBRATION: &str = "OME/calibration";
/// What `embed` changed, so that it can be undone.
pub const EMBEDDED: &str = "OME/embedded.json";
/// What an upgrade in place changed, so that it can be undone.
pub const UPGRADED: &str = "OME/upgraded.json";
/// A change of documents that is under way, or was killed; nothing else.
pub const CHANGING: &str = "OME/changing.json";
/// Digests of all objects that are no chunks of images.
pub const MANIFEST: &str = "OME/manifest.json";
/// Copies of all metadata documents, at the root of a Zarr v2.
pub const ZMETADATA: &str = ".zmetadata";
/// Everything that only an unfinished store has lies below this key; it is removed when the store is complete.
pub const WORKSPACE: &str = ".fairzarr";
/// Below it, the record of finished tasks of a conversion that is unfinished.
pub const JOURNAL: &str = ".fairzarr/journal";

/// Attribute of [`OME`]: the structured OME model.
pub const MODEL: &str = "fairzarr:ome";
/// Attribute of the root: what was converted, with what, and how.
pub const CONVERSION: &str = "fairzarr:conversion";
/// Attribute of the root: the documents under [`SOURCES`].
pub const SOURCE_LIST: &str = "fairzarr:sources";
/// Attribute of each image: extremes and fractions of its samples, by channel.
pub const STATISTICS: &str = "fairzarr:statistics";
/// Attribute of each image: what most readers ask of it, in one schema.
pub const SUMMARY: &str = "fairzarr:summary";
/// Attribute of a label image of regions: shapes that are not painted.
pub const ROIS: &str = "fairzarr:rois";
/// The group of label images, below their image.
pub const LABELS: &str = "labels";
/// The label image of regions, below its image.
pub const ROI_LABELS: &str = "labels/rois";
/// Attribute of the root: what was done to the store after its conversion.
pub const HISTORY: &str = "fairzarr:history";

/// Attribute of the root: where the manifest is, and its digest.
pub const MANIFEST_MEMBER: &str = "fairzarr:manifest";

/// The plan of an unfinished conversion.
pub fn plan() -> String {
    format!("{WORKSPACE}/plan.json")
}

/// The source's `index`-th OME-XML document.
pub fn source(index: usize) -> String {
    format!("{SOURCES}/{index}.ome.xml")
}

/// What stands otherwise in the source's `index`-th OME-XML document than in another one, which is nearly the same.
pub fn source_edits(index: usize) -> String {
    format!("{SOURCES}/{index}{EDITS}")
}

/// The end of the names of such documents.
pub(crate) const EDITS: &str = ".edits.json";

/// The `index`-th source document where it is a sidecar with this file extension.
pub fn sidecar(index: usize, extension: &str) -> String {
    format!("{SOURCES}/{index}.{extension}")
}

/// A document that was embedded later, by its SHA-256 in hexadecimal digits.
pub fn embedded(sha256: &str, extension: &str) -> String {
    format!("{SOURCES}/{}.{extension}", sha256.get(..16).unwrap_or(sha256))
}

/// The key of `name` in the group at `path`; the root's path is empty.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { format!("{path}/{name}") }
}
