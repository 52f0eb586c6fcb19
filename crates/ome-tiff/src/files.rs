//! The files of a set, shared by its images.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    container::Container,
    open::OpenOptions,
    source::{ByteSource, FileState},
};

/// Every file that was opened, in the order in which it was met; the entry first.
pub(crate) struct Files {
    /// Tells the chunks of this set from those of others in a [`Scratch`](crate::Scratch).
    pub(crate) id: u64,
    pub(crate) members: Vec<Member>,
    pub(crate) options: OpenOptions,
}

/// One file.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) uuid: Option<String>,
    pub(crate) source: Arc<dyn ByteSource>,
    /// `None` for a companion, which holds XML alone.
    pub(crate) container: Option<Container>,
}

impl Files {
    pub(crate) fn new(members: Vec<Member>, options: OpenOptions) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), members, options }
    }

    pub(crate) fn container(&self, file: u32) -> Option<&Container> {
        self.members.get(file as usize)?.container.as_ref()
    }

    pub(crate) fn name(&self, file: u32) -> String {
        self.members.get(file as usize).map_or_else(String::new, |member| member.name.clone())
    }
}

/// A file of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// Its name, relative to the folder of the file that was named first.
    pub name: String,
    /// Its path or URL.
    pub path: String,
    /// Bytes.
    pub len: u64,
    /// What the storage told of it when it was opened.
    pub state: FileState,
    /// The UUID that it gives itself.
    pub uuid: Option<String>,
}
