//! The one pass over all directories.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry as Slot},
    sync::{Arc, Mutex},
};

use fairzarr_tiff_codec::Compression;

use super::{
    ChunkTable, Container, ContainerError, Entry, Form, NO_PROBLEM, PageRecord, ValueError, Window,
    foresight::Foresight, label, tag,
};
use crate::{
    cache::Cache,
    geometry::{Geometry, LayoutTags},
    source::ByteSource,
};

/// Walks the chain and all SubIFDs.
pub(super) fn index(source: Arc<dyn ByteSource>) -> Result<Container, ContainerError> {
    let mut window = Window::new(&*source);
    let (form, first) = read_header(&mut window)?;
    let mut walk = Walk::new(window, form);
    walk.chain(first)?;
    let Walk { chain, sub_pages, sub_starts, geometries, problems, broken_chain, .. } = walk;
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
/// Values of a chunk table that are checked at a time.
const TABLE_BLOCK: u64 = 8192;

pub(super) fn read_header(window: &mut Window<'_>) -> Result<(Form, u64), ContainerError> {
    let len = window.source_len();
    let Some(head) = window.get(0, 8)? else {
        return Err(structure(format!("the file has {len} bytes, too few for a TIFF header")));
    };
    let head: [u8; 8] = head.try_into().unwrap_or_default();
    let big_endian = match head[..2] {
        [b'I', b'I'] => false,
        [b'M', b'M'] => true,
        _ => return Err(structure(format!("the file begins with {:02x?}, not II or MM", &head[..4]))),
    };
    let form = Form { big_endian, big_tiff: false };
    match form.u16([head[2], head[3]]) {
        42 => Ok((form, u64::from(form.u32([head[4], head[5], head[6], head[7]])))),
        43 => {
            let offset_size = form.u16([head[4], head[5]]);
            if offset_size != 8 {
                return Err(structure(format!("BigTIFF offsets have {offset_size} bytes, expected 8")));
            }
            let Some(first) = window.get(8, 8)? else {
                return Err(structure(format!("the file has {len} bytes, too few for a BigTIFF header")));
            };
            let first = form.uint(first).unwrap_or_default();
            Ok((Form { big_tiff: true, ..form }, first))
        }
        other => Err(structure(format!("the number after the byte order is {other}, expected 42 or 43"))),
    }
}

/// A directory as it stands in the file.
pub(super) struct Directory {
    pub(super) entries: Vec<Entry>,
    next: u64,
    /// Bytes of it.
    len: u64,
}

/// Reads the directory at `offset`.
pub(super) fn read_directory(
    window: &mut Window<'_>,
    form: Form,
    offset: u64,
) -> Result<Directory, ContainerError> {
    let file_len = window.source_len();
    let Some(count) = window.get(offset, form.count_len())?.and_then(|b| form.uint(b)) else {
        return Err(structure(format!(
            "an IFD is said to be at offset {offset}, past the end of the file at {file_len}"
        )));
    };
    let body = count
        .checked_mul(form.entry_len())
        .and_then(|len| len.checked_add(form.offset_len() as u64))
        .filter(|len| *len <= file_len.saturating_sub(offset + form.count_len() as u64));
    let Some(body) = body else {
        return Err(structure(format!(
            "the IFD at offset {offset} claims {count} entries, past the end of the file at {file_len}"
        )));
    };
    let Some(bytes) = window.get(offset + form.count_len() as u64, body as usize)? else {
        return Err(structure(format!("the IFD at offset {offset} runs past the end of the file")));
    };
    let (entries, next) = bytes.split_at(body as usize - form.offset_len());
    Ok(Directory {
        entries: entries
            .chunks_exact(form.entry_len() as usize)
            .filter_map(|b| Entry::parse(form, b))
            .collect(),
        next: form.uint(next).unwrap_or_default(),
        len: form.count_len() as u64 + body,
    })
}

/// Reads where the chunks of a page are.
pub(super) fn read_chunk_table(
    window: &mut Window<'_>,
    entries: &[Entry],
    geometry: &Geometry,
) -> Result<ChunkTable, ContainerError> {
    let columns = Columns::find(entries, geometry).map_err(ContainerError::Structure)?;
    if columns.expected > window.source_len() {
        return Err(structure(format!("{} chunks cannot be listed in this file", columns.expected)));
    }
    let mut table = Vec::with_capacity(columns.expected as usize);
    columns.read(window, geometry, |_, offset, len| {
        table.push((offset, len));
        Ok(())
    })?;
    Ok(ChunkTable(table))
}

struct Walk<'a> {
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

impl<'a> Walk<'a> {
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
        let mut foresight = Foresight::new(self.window.source_len());
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
            self.window.prefetch(&foresight.step(offset, directory.next));
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

/// Refuses a chunk that cannot be whole.
pub(crate) fn check_chunk(
    geometry: &Geometry,
    index: u64,
    offset: u64,
    len: u64,
    file_len: u64,
) -> Result<(), String> {
    let kind = if geometry.tiled { "tile" } else { "strip" };
    if offset == 0 && len == 0 {
        // Sparse: never written, to be read as zero.
        return Ok(());
    }
    if len == 0 {
        return Err(format!("{kind} {index} at offset {offset} has 0 bytes, and is not marked as sparse"));
    }
    let within = geometry.chunks_per_sample();
    let row = index % within / geometry.across;
    let needed = geometry.stored_len(row).unwrap_or(u64::MAX);
    if len < needed {
        return Err(format!("{kind} {index} at offset {offset} has {len} bytes, needs {needed}"));
    }
    if geometry.may_be_compressed(len, needed) {
        return Err(format!(
            "Compression is missing, but {kind} {index} at offset {offset} has {len} bytes where {needed} would do \
             if it were not compressed"
        ));
    }
    // Some writers count a few bytes too many; what is needed must be there.
    let end = offset.checked_add(needed.max(1)).filter(|end| *end <= file_len);
    let whole = geometry.layout.compression == Compression::None
        || offset.checked_add(len).is_some_and(|end| end <= file_len);
    if end.is_none() || !whole {
        return Err(format!(
            "{kind} {index} has {len} bytes at offset {offset}, past the end of the file at {file_len}"
        ));
    }
    Ok(())
}

/// The two tags that say where the chunks are.
struct Columns {
    offsets: Entry,
    lens: Option<Entry>,
    expected: u64,
}

impl Columns {
    fn find(entries: &[Entry], geometry: &Geometry) -> Result<Self, String> {
        let (offsets, lens) = if geometry.tiled {
            (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
        };
        let entry = |number| entries.iter().find(|entry: &&Entry| entry.tag == number).copied();
        // Some writers put tiles under the tags of strips.
        let found = entry(offsets).or_else(|| geometry.tiled.then(|| entry(tag::STRIP_OFFSETS)).flatten());
        let Some(found) = found else { return Err(format!("{} is missing", label(offsets))) };
        if found.uint_size().is_ok_and(|size| size < 2) {
            // Bytes would be read as places near the start of the file, where there always is something.
            return Err(format!(
                "{} has field type {}, expected SHORT, LONG or LONG8",
                label(found.tag),
                found.field_type
            ));
        }
        let lens = entry(lens).or_else(|| geometry.tiled.then(|| entry(tag::STRIP_BYTE_COUNTS)).flatten());
        let expected = geometry.chunk_count();
        if found.count < expected {
            return Err(format!("{} has {} values, needs {expected}", label(found.tag), found.count));
        }
        match &lens {
            Some(lens) if lens.count < expected => {
                return Err(format!("{} has {} values, needs {expected}", label(lens.tag), lens.count));
            }
            None if geometry.layout.compression != Compression::None => {
                return Err("the byte counts of its compressed chunks are missing".to_owned());
            }
            _ => {}
        }
        Ok(Self { offsets: found, lens, expected })
    }

    /// Hands over every chunk: index, offset, length.
    fn read(
        &self,
        window: &mut Window<'_>,
        geometry: &Geometry,
        mut each: impl FnMut(u64, u64, u64) -> Result<(), String>,
    ) -> Result<(), ContainerError> {
        let within = geometry.chunks_per_sample();
        let mut first = 0;
        while first < self.expected {
            let n = TABLE_BLOCK.min(self.expected - first);
            let offsets = read_values(window, &self.offsets, first, n)?;
            let lens = match &self.lens {
                Some(entry) => read_values(window, entry, first, n)?,
                None => (first..first + n)
                    .map(|i| geometry.stored_len(i % within / geometry.across).unwrap_or(u64::MAX))
                    .collect(),
            };
            for (i, (offset, len)) in offsets.into_iter().zip(lens).enumerate() {
                each(first + i as u64, offset, len).map_err(ContainerError::Structure)?;
            }
            first += n;
        }
        Ok(())
    }
}

/// Values `first..first + n` of an entry; the caller has compared them with its count.
fn read_values(
    window: &mut Window<'_>,
    entry: &Entry,
    first: u64,
    n: u64,
) -> Result<Vec<u64>, ContainerError> {
    let size = entry.uint_size()?;
    let Some(offset) = entry.offset() else {
        let values = entry.uints(window, u64::MAX)?;
        return Ok(values.into_iter().skip(first as usize).take(n as usize).collect());
    };
    let file_len = window.source_len();
    let bytes = match offset.checked_add(first * size as u64) {
        Some(at) => window.get(at, n as usize * size)?,
        None => None,
    };
    let Some(bytes) = bytes else {
        let len = entry.count.saturating_mul(size as u64);
        return Err(ValueError::PastEnd { tag: entry.tag, offset, len, file_len }.into());
    };
    Ok(bytes.chunks_exact(size).filter_map(|b| entry.form.uint(b)).collect())
}

fn structure(what: String) -> ContainerError {
    ContainerError::Structure(what)
}
