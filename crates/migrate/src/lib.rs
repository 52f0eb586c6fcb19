//! The archive job: all OME-TIFF datasets below some folders to OME-Zarr, each proved, unattended.
//!
//! ```no_run
//! use fairzarr::store::Location;
//! use fairzarr::task::Job;
//! use fairzarr_migrate::{Options, migrate};
//!
//! let sources: Vec<Location> = vec!["/archive".parse()?];
//! let target: Location = "/archive-zarr".parse()?;
//! let summary = migrate(&sources, &target, &Options::default(), &Job::new(), &|event| println!("{event:?}"))?;
//! println!("{} done, {} failed", summary.done, summary.failed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Sources are looked through for datasets: the files of a set are one, whichever of them is met first. Each is converted,
//! proved against its source that is opened anew, and judged by the specifications; only then it is done. What is done, what
//! failed and why is kept in an SQLite file beside the target ([`State`]), so that a job that was killed goes on, and a second
//! one skips what is done and unchanged. Nothing of a source is ever deleted or changed.
#![forbid(unsafe_code)]

mod attempt;
mod bag;
mod cause;
mod deletable;
mod discover;
mod error;
mod filter;
mod identity;
mod job;
mod names;
mod place;
mod recheck;
pub mod report;
mod settings;
mod side_by_side;
mod source;
mod state;
mod table;
mod template;

pub use cause::{Class, Failure};
pub use deletable::{Deletable, Kept, Original, deletable};
pub use discover::Role;
pub use error::Error;
pub use filter::Filter;
pub use job::{Event, Options, Summary, migrate, survey};
pub use place::{STATE_FILE, open_state, state_path};
pub use recheck::{Rechecked, recheck};
pub use state::{Dataset, DatasetState, FileOf, PathEntry, Run, State, Totals};
pub use table::Table;
pub use template::Template;
