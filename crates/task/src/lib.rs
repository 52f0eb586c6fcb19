//! What every long job is given, the loops that it runs on several threads, and how text of others is shown ([`shown`]).
//!
//! A [`Job`] is handed to a conversion, a copy, a verification or an export. Whoever handed it over keeps a clone, reads
//! [`Progress`] from it and stops the job through [`Cancel`]:
//!
//! ```
//! use fairzarr_task::Job;
//!
//! let job = Job::new();
//! let watched = job.clone();
//! job.progress.expect(100);
//! job.progress.advance(25);
//! assert_eq!((watched.progress.done(), watched.progress.total()), (25, 100));
//! watched.cancel.cancel();
//! assert!(job.cancel.check().is_err());
//! ```
//!
//! All loops run on threads of rayon, but each worker takes its next item only when it has finished the one before.
//! Nothing is stolen from within an item, so that the number of items under way, and with it the memory they hold, is
//! the number of threads (`docs/adr/0003-own-threads.md`).
#![forbid(unsafe_code)]

mod budget;
mod error;
mod job;
mod locks;
mod parallel;
mod shown;

pub use budget::{Budget, Taken};
pub use error::{Error, Interrupted};
pub use job::{Cancel, DEFAULT_MEMORY, Job, Progress};
pub use locks::{lock, unlocked};
pub use parallel::{Pool, background, caught, for_each, in_order, shared_threads, try_for_each};
pub use shown::{shown, shown_json};
