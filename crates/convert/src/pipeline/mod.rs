//! The way of the pixels: tasks are run by threads ([`run`]), each with a [`worker`] that reads, reduces, encodes and writes;
//! levels above the tasks are put together ([`assemble`]).

pub(crate) mod assemble;
pub(crate) mod checksums;
mod encode;
pub(crate) mod findings;
pub(crate) mod run;
pub(crate) mod timing;
pub(crate) mod worker;
