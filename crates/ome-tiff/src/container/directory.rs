//! The header of a file, and one of its directories as it stands there.

use super::{
    error::{ContainerError, structure},
    ifd::{Entry, Form},
    window::Window,
};

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
    pub(super) next: u64,
    /// Bytes of it.
    pub(super) len: u64,
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
