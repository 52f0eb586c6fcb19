//! Tables over many stores: which images there are, what they were taken with, and whether that was calibrated.
//!
//! A [`Catalog`] is an SQLite file. [`Catalog::update`] reads the metadata of stores, never their pixels, and writes one
//! transaction for each; a store whose metadata are as they were is left alone. [`stores_below`] finds the stores of a place,
//! and [`Catalog::export`] writes every table as CSV. `docs/catalog.md` describes each column.
//!
//! ```no_run
//! use fairzarr_catalog::{Catalog, Settings, stores_below};
//! use fairzarr_store::{Location, StoreOptions};
//! use fairzarr_task::Job;
//!
//! let place: Location = "archive".parse()?;
//! let found = stores_below(&place, &StoreOptions::default())?;
//! let mut catalog = Catalog::open("archive.sqlite".as_ref())?;
//! let report = catalog.update(&found.stores, &Settings::default(), &StoreOptions::default(), &Job::new())?;
//! println!("{} stores read, {} unchanged", report.read, report.unchanged);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod annotations;
mod catalog;
mod documents;
mod error;
mod export;
mod find;
mod hardware;
mod images;
mod quality;
mod row;
mod schema;

pub use catalog::{Catalog, Report, Settings};
pub use error::Error;
pub use find::{Found, stores_below};
