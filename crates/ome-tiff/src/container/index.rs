//! The one pass over all directories.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry as Slot},
    sync::{Arc, Mutex},
};

use super::{
    Container, NO_PROBLEM, PageRecord,
    chunk_table::{Columns, check_chunk},
    directory::{read_directory, read_header},
    error::{ContainerError, structure},
    geometry::{Geometry, LayoutTags},
    ifd::{Entry, Form, ValueError},
    prefetch::Prefetch,
    tag,
    window::Window,
};
use crate::{cache::Cache, source::ByteSource};

/// Walks the chain and all SubIFDs.
pub(super) fn index(source: Arc<dyn ByteSource>) -> Result<Container, ContainerError> {
    let mut window = Window::new(&*source);
    let (form, first) = read_header(&mut window)?;
    let mut index = Index::new(window, form);
    index.chain(first)?;
    let Index { chain, sub_pages, sub_starts, geometries, problems, broken_chain, .. } = index;
    Ok(Container {
        source,
        form,
        chain,
        sub_pages,
        sub_starts,
        geometries,
        problems,
        broken_chain,
        tables: Mutex::new(Cache::new(TABLE_CACHE)),
    })
}

/// Bytes of chunk tables that are kept; the largest slides have a million tiles a page.
const TABLE_CACHE: usize = 64 << 20;
/// Bytes of one layout tag; JPEG tables, the largest, have some hundreds.
const MAX_LAYOUT_VALUE: u64 = 1 << 20;
/// Reduced copies that one page may point to; halving 2^32 pixels ends after 32.
const MAX_SUB_PAGES: u64 = 64;

struct Index<'a> {
    window: Window<'a>,
    form: Form,
    chain: Vec<PageRecord>,
    sub_pages: Vec<PageRecord>,
    sub_starts: Vec<(u32, u32)>,
    geometries: Vec<Result<Arc<Geometry>, Arc<str>>>,
    known: HashMap<Vec<u8>, u32>,
    last: Option<(Vec<u8>, u32)>,
    problems: Vec<String>,
    broken_chain: Option<String>,
    seen: HashSet<u64>,
    /// Bytes that may still be looked at. Directories and tables of a sound file do not overlap; in a hostile
    /// one each could be as long as the file.
    budget: u64,
}

impl<'a> Index<'a> {
    fn new(window: Window<'a>, form: Form) -> Self {
        let budget = window.source_len().saturating_mul(2).saturating_add(1 << 20);
        Self {
            window,
            form,
            chain: Vec::new(),
            sub_pages: Vec::new(),
            sub_starts: Vec::new(),
            geometries: Vec::new(),
            known: HashMap::new(),
            last: None,
            problems: Vec::new(),
            broken_chain: None,
            seen: HashSet::new(),
            budget,
        }
    }

    fn chain(&mut self, first: u64) -> Result<(), ContainerError> {
        let mut offset = first;
        if offset == 0 {
            return Err(structure("the file holds no IFD".to_owned()));
        }
        let mut prefetch = Prefetch::new(self.window.source_len());
        while offset != 0 {
            if !self.seen.insert(offset) {
                let number = self.chain.iter().position(|record| record.offset == offset).unwrap_or(0);
                return Err(structure(format!(
                    "the chain of IFDs is a loop: IFD {} points back to IFD {number}",
                    self.chain.len().saturating_sub(1),
                )));
            }
            let directory = match read_directory(&mut self.window, self.form, offset) {
                Ok(directory) => directory,
                Err(ContainerError::Structure(what)) if !self.chain.is_empty() => {
                    self.broken_chain = Some(what);
                    return Ok(());
                }
                Err(e) => return Err(e),
            };
            self.spend(directory.len)?;
            let record = self.page(offset, &directory.entries)?;
            self.chain.push(record);
            if self.chain.len() >= PAGE_LIMIT {
                return Err(structure(format!("the file holds more than {PAGE_LIMIT} IFDs")));
            }
            self.sub_pages(&directory.entries)?;
            self.window.prefetch(&prefetch.step(offset, directory.next));
            offset = directory.next;
        }
        Ok(())
    }

    /// Indexes the pages that the last page of the chain points to.
    fn sub_pages(&mut self, entries: &[Entry]) -> Result<(), ContainerError> {
        let Some(entry) = entries.iter().find(|entry| entry.tag == tag::SUB_IFDS) else { return Ok(()) };
        let offsets = match entry.uints(&mut self.window, MAX_SUB_PAGES * 8) {
            Ok(offsets) if offsets.len() as u64 <= MAX_SUB_PAGES => offsets,
            Ok(offsets) => {
                self.unreadable_sub_page(format!(
                    "there are {} SubIFDs, more than {MAX_SUB_PAGES}",
                    offsets.len()
                ));
                return Ok(());
            }
            Err(ValueError::Io(e)) => return Err(ContainerError::Io(e)),
            Err(e) => {
                self.unreadable_sub_page(e.to_string());
                return Ok(());
            }
        };
        let first = self.sub_pages.len() as u32;
        for offset in offsets {
            let record = match read_directory(&mut self.window, self.form, offset) {
                Ok(directory) => {
                    self.spend(directory.len)?;
                    self.page(offset, &directory.entries)?
                }
                Err(ContainerError::Structure(what)) => {
                    self.geometries.push(Err(Arc::from(what)));
                    PageRecord { offset, geometry: self.geometries.len() as u32 - 1, problem: NO_PROBLEM }
                }
                Err(e) => return Err(e),
            };
            self.sub_pages.push(record);
        }
        self.sub_starts.push((self.chain.len() as u32 - 1, first));
        Ok(())
    }

    /// Stands for the SubIFDs of the last page of the chain, which cannot be had.
    fn unreadable_sub_page(&mut self, what: String) {
        self.sub_starts.push((self.chain.len() as u32 - 1, self.sub_pages.len() as u32));
        self.geometries.push(Err(Arc::from(what)));
        let geometry = self.geometries.len() as u32 - 1;
        self.sub_pages.push(PageRecord { offset: 0, geometry, problem: NO_PROBLEM });
    }

    /// What is kept of one page.
    fn page(&mut self, offset: u64, entries: &[Entry]) -> Result<PageRecord, ContainerError> {
        let number = self.geometry(entries)?;
        let mut problem = NO_PROBLEM;
        if let Some(Ok(geometry)) = self.geometries.get(number as usize) {
            let geometry = Arc::clone(geometry);
            if let Some(what) = self.check_chunks(entries, &geometry)? {
                problem = self.problems.len() as u32;
                self.problems.push(what);
            }
        }
        Ok(PageRecord { offset, geometry: number, problem })
    }

    /// The number of the page's geometry: that of an earlier page if all layout tags agree.
    fn geometry(&mut self, entries: &[Entry]) -> Result<u32, ContainerError> {
        let mut key = Vec::with_capacity(256);
        let mut failure = None;
        for entry in entries.iter().filter(|entry| tag::is_layout(entry.tag)) {
            key.extend_from_slice(&entry.tag.to_le_bytes());
            key.extend_from_slice(&entry.field_type.to_le_bytes());
            key.extend_from_slice(&entry.count.to_le_bytes());
            let value = match (entry.byte_len(), entry.offset()) {
                (Some(len), None) => {
                    key.extend_from_slice(&entry.inline[..len as usize]);
                    continue;
                }
                _ => self.layout_value(entry),
            };
            match value {
                Ok(bytes) => key.extend_from_slice(&bytes),
                Err(ContainerError::Value(ValueError::Io(e)) | ContainerError::Io(e)) => {
                    return Err(ContainerError::Io(e));
                }
                Err(e @ ContainerError::Structure(_)) => return Err(e),
                Err(e) => failure = Some(e.to_string()),
            }
        }
        if let Some((last, number)) = &self.last
            && *last == key
            && failure.is_none()
        {
            return Ok(*number);
        }
        let number = match self.known.get(&key) {
            Some(number) if failure.is_none() => *number,
            _ => {
                let geometry = match failure {
                    Some(what) => Err(what),
                    None => Geometry::parse(self.form, &self.layout_tags(entries)?),
                };
                self.geometries.push(geometry.map(Arc::new).map_err(Arc::from));
                let number = self.geometries.len() as u32 - 1;
                self.known.insert(key.clone(), number);
                number
            }
        };
        self.last = Some((key, number));
        Ok(number)
    }

    fn layout_value(&mut self, entry: &Entry) -> Result<Vec<u8>, ContainerError> {
        if entry.offset().is_some() {
            self.spend(entry.byte_len().unwrap_or(0).min(MAX_LAYOUT_VALUE))?;
        }
        Ok(entry.bytes(&mut self.window, MAX_LAYOUT_VALUE)?)
    }

    fn layout_tags(&mut self, entries: &[Entry]) -> Result<LayoutTags, ContainerError> {
        let mut tags = LayoutTags::new();
        for entry in entries.iter().filter(|entry| tag::is_layout(entry.tag)) {
            // Of a tag that occurs twice the first counts, as in libtiff and Bio-Formats.
            if let Slot::Vacant(slot) = tags.entry(entry.tag) {
                slot.insert((entry.field_type, self.layout_value(entry)?));
            }
        }
        Ok(tags)
    }

    /// What is wrong with the places of the chunks, if anything.
    fn check_chunks(
        &mut self,
        entries: &[Entry],
        geometry: &Geometry,
    ) -> Result<Option<String>, ContainerError> {
        let columns = match Columns::find(entries, geometry) {
            Ok(columns) => columns,
            Err(what) => return Ok(Some(what)),
        };
        let cost = columns.expected.saturating_mul(16);
        if columns.expected > 1 {
            if cost > self.budget {
                // Checked when the chunks are read.
                return Ok(None);
            }
            self.budget -= cost;
        }
        let file_len = self.window.source_len();
        let outcome = columns.read(&mut self.window, geometry, |index, offset, len| {
            check_chunk(geometry, index, offset, len, file_len)
        });
        match outcome {
            Ok(()) => Ok(None),
            Err(ContainerError::Io(e) | ContainerError::Value(ValueError::Io(e))) => {
                Err(ContainerError::Io(e))
            }
            Err(e) => Ok(Some(e.to_string())),
        }
    }

    fn spend(&mut self, len: u64) -> Result<(), ContainerError> {
        self.budget = self.budget.checked_sub(len).ok_or_else(|| {
            structure("the IFDs of the file overlap: together they are longer than the file".to_owned())
        })?;
        Ok(())
    }
}

/// Pages that are told apart; the other half of the numbers is for sub-pages.
const PAGE_LIMIT: usize = 1 << 31;
