//! The program as its users run it: arguments in, files and exit codes out.

mod convert;
mod errors;
mod inspect;
mod resume;
mod split;
mod support;
mod verify;
