//! Keys of stored chunks.

use crate::Format;

/// The key of a stored chunk, or of a shard where there are shards, below the root that `path` is relative to.
pub fn chunk_key(format: impl Into<Format>, path: &str, index: &[u64]) -> String {
    let mut key = String::from(path);
    let mut push = |part: &str| {
        if !key.is_empty() {
            key.push('/');
        }
        key.push_str(part);
    };
    match format.into() {
        Format::V2 if index.is_empty() => push("0"),
        Format::V2 => {}
        Format::V3 => push("c"),
    }
    for i in index {
        push(&i.to_string());
    }
    key
}
