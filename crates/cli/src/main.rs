//! The `fairzarr` program.

fn main() {}
