//! The container: header, chain of directories, values. Knows TIFF and BigTIFF, nothing of OME.
//!
//! The chain is walked once, into sixteen bytes a page: where its directory is, which of the few geometries of
//! the file it has, and what, if anything, is wrong with its chunks. Everything else is read when asked for.

mod chunk_table;
mod directory;
mod error;
mod geometry;
mod ifd;
mod index;
mod prefetch;
pub(crate) mod tag;
mod window;

use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use chunk_table::{ChunkTable, check_chunk};
pub(crate) use error::ContainerError;
pub(crate) use geometry::Geometry;
pub(crate) use ifd::{Entry, Form};
pub(crate) use window::Window;

use crate::{cache::Cache, source::ByteSource};

/// A page of a container: one of the chain, or one of those that a page of the chain points to (SubIFDs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PageId(pub(crate) u32);

impl PageId {
    const SUB: u32 = 1 << 31;

    fn is_sub(self) -> bool {
        self.0 & Self::SUB != 0
    }
}

/// One TIFF file, indexed.
pub(crate) struct Container {
    source: Arc<dyn ByteSource>,
    form: Form,
    chain: Vec<PageRecord>,
    sub_pages: Vec<PageRecord>,
    /// Page of the chain and first of its sub-pages, ascending; the sub-pages end where the next begin.
    sub_starts: Vec<(u32, u32)>,
    geometries: Vec<Result<Arc<Geometry>, Arc<str>>>,
    problems: Vec<String>,
    /// Why the chain ended other than with a zero.
    broken_chain: Option<String>,
    tables: Mutex<Cache<PageId, Arc<ChunkTable>>>,
}

/// What is kept of every page.
#[derive(Clone, Copy, Debug)]
struct PageRecord {
    offset: u64,
    geometry: u32,
    /// Index into the problems, or `NO_PROBLEM`.
    problem: u32,
}

const NO_PROBLEM: u32 = u32::MAX;

impl Container {
    /// Indexes the file; the error says in words what is wrong with it.
    pub(crate) fn open(source: Arc<dyn ByteSource>) -> Result<Self, ContainerError> {
        index::index(source)
    }

    /// Whether the first bytes are those of a TIFF file, sound or not.
    pub(crate) fn recognises(head: &[u8]) -> bool {
        matches!(head, [b'I', b'I', _, 0, ..] | [b'M', b'M', 0, _, ..])
    }

    pub(crate) fn source(&self) -> &Arc<dyn ByteSource> {
        &self.source
    }

    pub(crate) fn big_endian(&self) -> bool {
        self.form.big_endian
    }

    /// Pages in the chain.
    pub(crate) fn len(&self) -> u32 {
        self.chain.len() as u32
    }

    pub(crate) fn broken_chain(&self) -> Option<&str> {
        self.broken_chain.as_deref()
    }

    /// The page with number `index` in the chain.
    pub(crate) fn page(&self, index: u32) -> Option<PageId> {
        (index < self.len()).then_some(PageId(index))
    }

    /// The pages that a page of the chain points to, in the order in which it does.
    pub(crate) fn sub_pages(&self, page: PageId) -> impl ExactSizeIterator<Item = PageId> {
        let range = match self.sub_starts.binary_search_by_key(&page.0, |(owner, _)| *owner) {
            Ok(i) => {
                let end = self.sub_starts.get(i + 1).map_or(self.sub_pages.len() as u32, |(_, first)| *first);
                self.sub_starts[i].1..end
            }
            Err(_) => 0..0,
        };
        range.map(|i| PageId(i | PageId::SUB))
    }

    /// Which of the geometries of this file the page has; pages with equal numbers are alike.
    pub(crate) fn geometry_number(&self, page: PageId) -> u32 {
        self.record(page).map_or(u32::MAX, |record| record.geometry)
    }

    /// The geometry of a page, or why its tags make none.
    pub(crate) fn geometry(&self, page: PageId) -> Result<&Arc<Geometry>, Arc<str>> {
        self.record(page)
            .and_then(|record| self.geometries.get(record.geometry as usize))
            .ok_or_else(|| Arc::from("there is no such page"))?
            .as_ref()
            .map_err(Arc::clone)
    }

    /// What is wrong with the places of the chunks of a page.
    pub(crate) fn problem(&self, page: PageId) -> Option<&str> {
        self.record(page).and_then(|record| self.problems.get(record.problem as usize)).map(String::as_str)
    }

    /// All entries of the directory of a page.
    pub(crate) fn entries(&self, page: PageId) -> Result<Vec<Entry>, ContainerError> {
        let record =
            self.record(page).ok_or_else(|| ContainerError::Structure("there is no such page".to_owned()))?;
        let mut window = Window::new(&*self.source);
        Ok(directory::read_directory(&mut window, self.form, record.offset)?.entries)
    }

    /// The bytes of all entries of `number` on a page, in the order of the file.
    pub(crate) fn values(
        &self,
        page: PageId,
        number: u16,
        limit: u64,
    ) -> Result<Vec<Vec<u8>>, ContainerError> {
        let mut window = Window::new(&*self.source);
        let entries = self.entries(page)?;
        let found = entries.iter().filter(|entry| entry.tag == number);
        found.map(|entry| Ok(entry.bytes(&mut window, limit)?)).collect()
    }

    /// The number of a page in the chain; of a SubIFD that of the page that points to it, and which of its SubIFDs
    /// it is.
    pub(crate) fn number(&self, page: PageId) -> (u32, Option<u32>) {
        if !page.is_sub() {
            return (page.0, None);
        }
        let index = page.0 & !PageId::SUB;
        let owner = self.sub_starts.partition_point(|(_, first)| *first <= index).saturating_sub(1);
        self.sub_starts.get(owner).map_or((0, None), |(page, first)| (*page, Some(index - first)))
    }

    /// All pages: those of the chain, then all SubIFDs.
    pub(crate) fn pages(&self) -> impl Iterator<Item = PageId> {
        let subs = self.sub_pages.len() as u32;
        (0..self.len()).map(PageId).chain((0..subs).map(|i| PageId(i | PageId::SUB)))
    }

    /// The bytes of the first value of `number` on a page.
    pub(crate) fn value(
        &self,
        page: PageId,
        number: u16,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, ContainerError> {
        let entries = self.entries(page)?;
        let Some(entry) = entries.iter().find(|entry| entry.tag == number) else { return Ok(None) };
        Ok(Some(entry.bytes(&mut Window::new(&*self.source), limit)?))
    }

    /// Where the chunks of a page are; read once and kept while it is in use.
    pub(crate) fn chunk_table(&self, page: PageId) -> Result<Arc<ChunkTable>, ContainerError> {
        let cached = self.tables.lock().unwrap_or_else(PoisonError::into_inner).get(&page);
        if let Some(table) = cached {
            return Ok(table);
        }
        let geometry = self.geometry(page).map_err(|what| ContainerError::Structure(what.to_string()))?;
        let entries = self.entries(page)?;
        let mut window = Window::new(&*self.source);
        let table = Arc::new(chunk_table::read_chunk_table(&mut window, &entries, geometry)?);
        // The map itself costs about as much as the table of a page of one strip.
        let cost = 128 + table.0.len() * size_of::<(u64, u64)>();
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).insert(page, Arc::clone(&table), cost);
        Ok(table)
    }

    fn record(&self, page: PageId) -> Option<&PageRecord> {
        if page.is_sub() {
            self.sub_pages.get((page.0 & !PageId::SUB) as usize)
        } else {
            self.chain.get(page.0 as usize)
        }
    }
}

/// The start of each ImageDescription of the first page, or of the file itself where it is no TIFF; for looking into
/// files that may not belong here, so every failure is a no.
pub(crate) fn peek_descriptions(source: &dyn ByteSource, limit: u64) -> Option<Vec<Vec<u8>>> {
    let mut window = Window::new(source);
    let head_len = source.len().min(8) as usize;
    if !Container::recognises(window.get(0, head_len).ok()??) {
        let len = source.len().min(limit) as usize;
        return window.get(0, len).ok()?.map(|bytes| vec![bytes.to_vec()]);
    }
    let (form, first) = directory::read_header(&mut window).ok()?;
    let first = directory::read_directory(&mut window, form, first).ok()?;
    let descriptions = first.entries.iter().filter(|entry| entry.tag == tag::IMAGE_DESCRIPTION);
    let starts = descriptions.filter_map(|entry| {
        let mut start = *entry;
        if entry.offset().is_some() {
            // At least nine bytes, so that the shortened value does not move into the entry.
            start.count = entry.count.min(limit.max(9));
        }
        start.bytes(&mut window, limit.max(9)).ok()
    });
    Some(starts.collect())
}
