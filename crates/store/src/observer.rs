//! Who is told of what is written through one handle of a store.

use bytes::Bytes;

/// Sees every object that is written through a handle that [`Store::observed`](crate::Store::observed) gave. It is told
/// before the object is stored; whether that fails, the writer learns, and the observer does not.
pub trait Observer: Send + Sync {
    /// An object is about to be written; its bytes are `parts`, one after another.
    fn writes(&self, key: &str, parts: &[Bytes]);
}
