//! Where the chunks of a page are, and whether they can be there.

use fairzarr_tiff_codec::Compression;

use super::{
    error::{ContainerError, structure},
    geometry::Geometry,
    ifd::{Entry, ValueError, label},
    tag,
    window::Window,
};

/// Offset and length of every chunk of a page.
#[derive(Debug)]
pub(crate) struct ChunkTable(pub(crate) Vec<(u64, u64)>);

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
pub(super) struct Columns {
    offsets: Entry,
    lens: Option<Entry>,
    pub(super) expected: u64,
}

impl Columns {
    pub(super) fn find(entries: &[Entry], geometry: &Geometry) -> Result<Self, String> {
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
    pub(super) fn read(
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

/// Values of a chunk table that are checked at a time.
const TABLE_BLOCK: u64 = 8192;
