//! One location type and one blocking interface for local directories, memory and object stores.
//!
//! A [`Location`] is what a user types: a path, `file://`, `s3://`, `gs://`, `az://`, `http(s)://` or `memory:`.
//! A [`Store`] is a flat map below a location, from keys (`/`-separated, relative, without `.` and `..`) to immutable
//! byte strings. Every write of an object is atomic: readers see the old bytes or the new ones, never a mixture.
//! All methods block and may be called from any number of threads at once.
//!
//! ```
//! use fairzarr_store::Store;
//!
//! let store = Store::memory();
//! store.put("0/zarr.json", "{}")?;
//! assert_eq!(store.get("0/zarr.json")?.as_deref(), Some(b"{}".as_slice()));
//! assert_eq!(store.list("")?, [("0/zarr.json".to_owned(), 2)]);
//! # Ok::<(), fairzarr_store::Error>(())
//! ```

#![forbid(unsafe_code)]

mod archive;
pub mod backend;
mod block_cache;
#[cfg(feature = "cloud")]
mod cloud;
pub mod conformance;
#[cfg(feature = "cloud")]
mod content_type;
mod control;
mod error;
mod guard;
mod kept;
mod key;
mod lease;
mod local;
mod location;
mod lock;
mod memory;
mod options;
mod remote_file;
mod replacement;
mod requests;
mod store;
mod writer;

pub use archive::ArchiveWriter;
pub use backend::Children;
pub use control::{Control, Waiting};
pub use error::{Class, Error};
pub use guard::{Guard, Permit};
pub use lease::Lease;
pub use local::read_document;
pub use location::{Location, Scheme};
pub use lock::{Lock, LockKind, Locked};
pub use options::{Durability, StoreOptions};
pub use remote_file::RemoteFile;
pub use replacement::Replacement;
pub use requests::RequestCounts;
pub use store::Store;
pub use writer::ObjectWriter;
