//! One image file directory: its entries and their values.

use std::io;

use super::{tag, window::Window};

/// Byte order and width of offsets, from the first bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) big_endian: bool,
    pub(crate) big_tiff: bool,
}

impl Form {
    pub(crate) fn u16(self, b: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) }
    }

    pub(crate) fn u32(self, b: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) }
    }

    pub(crate) fn u64(self, b: [u8; 8]) -> u64 {
        if self.big_endian { u64::from_be_bytes(b) } else { u64::from_le_bytes(b) }
    }

    /// An unsigned number of as many bytes as are given: 1, 2, 4 or 8.
    pub(crate) fn uint(self, b: &[u8]) -> Option<u64> {
        Some(match b.len() {
            1 => u64::from(b[0]),
            2 => u64::from(self.u16(b.try_into().ok()?)),
            4 => u64::from(self.u32(b.try_into().ok()?)),
            8 => self.u64(b.try_into().ok()?),
            _ => return None,
        })
    }

    /// Bytes of one entry.
    pub(crate) fn entry_len(self) -> u64 {
        if self.big_tiff { 20 } else { 12 }
    }

    /// Bytes of an offset, and of what an entry holds without one.
    pub(crate) fn offset_len(self) -> usize {
        if self.big_tiff { 8 } else { 4 }
    }

    /// Bytes of the number of entries at the start of a directory.
    pub(crate) fn count_len(self) -> usize {
        if self.big_tiff { 8 } else { 2 }
    }
}

/// One entry as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) tag: u16,
    pub(crate) field_type: u16,
    pub(crate) count: u64,
    /// The value itself when it fits, else its offset.
    pub(crate) inline: [u8; 8],
    pub(crate) form: Form,
}

impl Entry {
    pub(crate) fn parse(form: Form, b: &[u8]) -> Option<Self> {
        let tag = form.u16(b.get(0..2)?.try_into().ok()?);
        let field_type = form.u16(b.get(2..4)?.try_into().ok()?);
        let at = 4 + form.offset_len();
        let count = form.uint(b.get(4..at)?)?;
        let mut inline = [0; 8];
        inline[..form.offset_len()].copy_from_slice(b.get(at..at + form.offset_len())?);
        Some(Self { tag, field_type, count, inline, form })
    }

    /// Bytes of all its values; `None` for an unknown field type or an absurd count.
    pub(crate) fn byte_len(&self) -> Option<u64> {
        tag::type_size(self.field_type)?.checked_mul(self.count)
    }

    /// Offset of the value, when it does not stand in the entry.
    pub(crate) fn offset(&self) -> Option<u64> {
        let len = self.byte_len()?;
        if len <= self.form.offset_len() as u64 {
            return None;
        }
        self.form.uint(&self.inline[..self.form.offset_len()])
    }

    /// The bytes of the value, at most `limit` of them.
    pub(crate) fn bytes(&self, window: &mut Window<'_>, limit: u64) -> Result<Vec<u8>, ValueError> {
        let len = self.byte_len().ok_or(ValueError::Type { tag: self.tag, field_type: self.field_type })?;
        let Some(offset) = self.offset() else {
            return Ok(self.inline[..len as usize].to_vec());
        };
        if len > limit {
            return Err(ValueError::Long { tag: self.tag, len, limit });
        }
        let past_end = ValueError::PastEnd { tag: self.tag, offset, len, file_len: window.source_len() };
        match window.get(offset, len as usize)? {
            Some(bytes) => Ok(bytes.to_vec()),
            None => Err(past_end),
        }
    }

    /// Its values as unsigned numbers, for the integer field types.
    pub(crate) fn uints(&self, window: &mut Window<'_>, limit: u64) -> Result<Vec<u64>, ValueError> {
        let size = self.uint_size()?;
        let bytes = self.bytes(window, limit)?;
        Ok(bytes.chunks_exact(size).filter_map(|b| self.form.uint(b)).collect())
    }

    /// Bytes of one value, where the field type is an unsigned integer or an offset.
    pub(crate) fn uint_size(&self) -> Result<usize, ValueError> {
        match self.field_type {
            1 | 3 | 4 | 13 | 16 | 18 => Ok(tag::type_size(self.field_type).unwrap_or(1) as usize),
            _ => Err(ValueError::Type { tag: self.tag, field_type: self.field_type }),
        }
    }
}

/// Why the value of a tag cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValueError {
    #[error("{} has field type {field_type}, which cannot be read", label(*.tag))]
    Type { tag: u16, field_type: u16 },
    #[error("{} has {len} bytes, more than the limit of {limit}", label(*.tag))]
    Long { tag: u16, len: u64, limit: u64 },
    #[error("{} has {len} bytes at offset {offset}, past the end of the file at {file_len}", label(*.tag))]
    PastEnd { tag: u16, offset: u64, len: u64, file_len: u64 },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A tag in words: its name, or its number where it has none.
pub(crate) fn label(number: u16) -> String {
    tag::name(number).map_or_else(|| format!("tag {number}"), str::to_owned)
}
