//! Stores against real servers, and against servers that misbehave. Everything runs in this process, over loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the lints' exemption for tests does not reach the helpers of integration tests"
)]

mod archive;
mod conformance;
mod dependencies;
mod suite;

#[cfg(feature = "cloud")]
mod faults;
#[cfg(feature = "cloud")]
#[path = "servers/listed.rs"]
mod listed;
mod plate;
#[cfg(feature = "cloud")]
mod programs;
#[cfg(feature = "cloud")]
mod s3;
#[cfg(feature = "cloud")]
mod servers;
#[cfg(feature = "cloud")]
mod web;
