//! Tests by specification clause; see `tests/`.
