//! The structured OME model in a store: JSON in an attribute of the group `OME`, per-plane tables as arrays and large
//! binary content as files below it. `docs/ome-json.md` describes the form.

mod read;
mod write;

pub use read::read;
pub use write::write;
