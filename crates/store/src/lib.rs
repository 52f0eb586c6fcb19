//! One URL type and one blocking interface for local directories and object stores.
