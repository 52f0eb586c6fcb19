//! Counting what is asked of a store.

use std::sync::atomic::{AtomicU64, Ordering};

/// Requests made since a store was opened. Of an object store these are HTTP requests, repetitions included; of local
/// directories and memory, operations.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct RequestCounts {
    /// Reads of objects and of ranges of objects.
    pub gets: u64,
    /// Writes: whole objects, parts, and the opening and closing of an upload in parts.
    pub puts: u64,
    /// Listings; of object stores, pages.
    pub lists: u64,
    /// Questions for existence or size.
    pub heads: u64,
    /// Deletions; of object stores, batches.
    pub deletes: u64,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Get,
    Put,
    List,
    Head,
    Delete,
}

impl Kind {
    /// What an HTTP request to S3, Azure or Google Cloud is for.
    #[cfg(feature = "cloud")]
    pub(crate) fn of(method: &str, query: &str) -> Self {
        let has = |wanted: &str| {
            query.split('&').any(|pair| pair == wanted || pair.split('=').next() == Some(wanted))
        };
        match method {
            "GET" if has("list-type") || has("comp=list") => Self::List,
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "DELETE" => Self::Delete,
            "POST" if has("delete") || has("comp=batch") => Self::Delete,
            _ => Self::Put,
        }
    }
}

/// The counters behind [`RequestCounts`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    gets: AtomicU64,
    puts: AtomicU64,
    lists: AtomicU64,
    heads: AtomicU64,
    deletes: AtomicU64,
}

impl Counters {
    pub(crate) fn count(&self, kind: Kind) {
        let counter = match kind {
            Kind::Get => &self.gets,
            Kind::Put => &self.puts,
            Kind::List => &self.lists,
            Kind::Head => &self.heads,
            Kind::Delete => &self.deletes,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> RequestCounts {
        RequestCounts {
            gets: self.gets.load(Ordering::Relaxed),
            puts: self.puts.load(Ordering::Relaxed),
            lists: self.lists.load(Ordering::Relaxed),
            heads: self.heads.load(Ordering::Relaxed),
            deletes: self.deletes.load(Ordering::Relaxed),
        }
    }
}
