//! OME-TIFF to OME-Zarr with nothing lost: the library in one place.
//!
//! | to do | where | feature |
//! |---|---|---|
//! | read a store's metadata | [`ome_zarr`], [`ngff`], [`nbo`] | none |
//! | read samples | `ome_zarr::StoredArray` | `arrays` |
//! | read OME-TIFF | `ome_tiff`, [`open`] | `tiff` |
//! | convert | `convert` | `convert` |
//! | prove | `verify` | `verify` |
//! | back to OME-TIFF | `export` | `export` |
//! | copy and pack stores | `copy` | `copy` |
//! | add provenance to a store | `provenance` | `provenance` |
//! | a later version of NGFF | `upgrade` | `upgrade` |
//! | object stores and web servers | [`store`] | `cloud` |
//!
//! All features are on by default. Long work takes a [`task::Job`], through which it is watched, limited and stopped.
//!
//! # Read metadata from a URL
//!
//! ```no_run
//! use fairzarr::ome_zarr::{attributes, images, record};
//! use fairzarr::store::{Location, Store, StoreOptions};
//!
//! let url: Location = "https://example.org/cells.ome.zarr".parse()?;
//! let store = Store::open(&url, &StoreOptions::default())?;
//! for image in images(&store)? {
//!     let axes: Vec<&str> = image.multiscale.axes.iter().map(|axis| axis.name.as_str()).collect();
//!     println!("{}: axes {axes:?}, {} levels", image.path, image.multiscale.datasets.len());
//! }
//! if let Some(stored) = record(&store)? {
//!     for objective in stored.record.all("Objective") {
//!         println!("{:?}, NA {:?}", objective.str("Model"), objective.field("LensNA").map(|na| &na.value));
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Read a region
//!
#![cfg_attr(feature = "arrays", doc = "```no_run")]
#![cfg_attr(not(feature = "arrays"), doc = "```ignore")]
//! use fairzarr::ome_zarr::Hierarchy;
//! use fairzarr::store::{Location, Store, StoreOptions};
//!
//! let store = Store::open(&"cells.ome.zarr".parse::<Location>()?, &StoreOptions::default())?;
//! let hierarchy = Hierarchy::open(&store)?;
//! let image = hierarchy.open_image(0)?;
//! // Axes are t, c, z, y, x: the first plane's upper left corner, in this machine's byte order.
//! let samples = image.levels[0].read(&[0..1, 0..1, 0..1, 0..64, 0..64])?;
//! println!("{} bytes of {}", samples.len(), image.levels[0].data_type());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Plan and run a conversion, with progress and cancellation
//!
#![cfg_attr(feature = "convert", doc = "```no_run")]
#![cfg_attr(not(feature = "convert"), doc = "```ignore")]
//! use fairzarr::convert::{Options, Plan, convert};
//! use fairzarr::ome_tiff::Fileset;
//! use fairzarr::store::{Location, Store, StoreOptions};
//! use fairzarr::task::Job;
//!
//! let source = Fileset::open("cells.ome.tiff")?;
//! let store = Store::open(&"cells.ome.zarr".parse::<Location>()?, &StoreOptions::default())?;
//! let options = Options::default();
//! let job = Job::new().with_memory(512 << 20);
//! let plan = Plan::new(&source, &options, job.memory)?;
//! println!("{} objects of {} bytes of pixels", plan.objects(), plan.source_bytes());
//!
//! // Another thread watches the job, and may stop it by `watched.cancel.cancel()`.
//! let watched = job.clone();
//! std::thread::spawn(move || {
//!     while watched.progress.done() < watched.progress.total() || watched.progress.total() == 0 {
//!         println!("{} of {} bytes", watched.progress.done(), watched.progress.total());
//!         std::thread::sleep(std::time::Duration::from_secs(1));
//!     }
//! });
//! let report = convert(&source, &store, &options, &job)?;
//! println!("{} objects written", report.objects);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Verify
//!
#![cfg_attr(feature = "verify", doc = "```no_run")]
#![cfg_attr(not(feature = "verify"), doc = "```ignore")]
//! use fairzarr::ome_tiff::Fileset;
//! use fairzarr::store::{Location, Store, StoreOptions};
//! use fairzarr::task::Job;
//! use fairzarr::verify::{Options, verify};
//!
//! let source = Fileset::open("cells.ome.tiff")?;
//! let store = Store::open(&"cells.ome.zarr".parse::<Location>()?, &StoreOptions::default())?;
//! let report = verify(&source, &store, &Options::default(), &Job::new())?;
//! assert!(report.holds(), "{report}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Embed provenance, and ask about quality control
//!
#![cfg_attr(feature = "provenance", doc = "```no_run")]
#![cfg_attr(not(feature = "provenance"), doc = "```ignore")]
//! use fairzarr::nbo::placement;
//! use fairzarr::nbo::qc::Requirement;
//! use fairzarr::ome_zarr::{attributes, images};
//! use fairzarr::provenance::{Sidecar, embed};
//! use fairzarr::store::{Location, Store, StoreOptions};
//!
//! let store = Store::open(&"cells.ome.zarr".parse::<Location>()?, &StoreOptions::default())?;
//! let psf = Sidecar::parse("psf.yaml", std::fs::read("psf.yaml")?, None)?;
//! let paths: Vec<String> = images(&store)?.into_iter().map(|image| image.path).collect();
//! embed(&store, &paths, &[psf])?;
//!
//! let root = attributes(&store, "")?.unwrap_or_default();
//! let index = placement::read_index(&root)?;
//! let demand: Requirement = "OpticalCalibration within 90 days".parse()?;
//! for verdict in index.require(&demand) {
//!     println!("{:?}", verdict.outcome);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "convert")]
pub use fairzarr_convert as convert;
#[cfg(feature = "copy")]
pub use fairzarr_copy as copy;
pub use fairzarr_digest as digest;
#[cfg(feature = "export")]
pub use fairzarr_export as export;
pub use fairzarr_nbo as nbo;
pub use fairzarr_ngff as ngff;
#[cfg(feature = "tiff")]
pub use fairzarr_ome_tiff as ome_tiff;
pub use fairzarr_ome_xml as ome_xml;
pub use fairzarr_ome_zarr as ome_zarr;
#[cfg(feature = "provenance")]
pub use fairzarr_provenance as provenance;
pub use fairzarr_store as store;
pub use fairzarr_task as task;
#[cfg(feature = "upgrade")]
pub use fairzarr_upgrade as upgrade;
#[cfg(feature = "verify")]
pub use fairzarr_verify as verify;

#[cfg(feature = "tiff")]
pub mod open;
