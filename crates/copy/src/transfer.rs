//! One object from one store to another, and the look at both.

use bytes::Bytes;
use fairzarr_store::{RemoteFile, Store, StoreOptions};
use std::ops::Range;

use crate::{Error, Object};

/// Objects of more bytes are moved and compared piece by piece.
pub(crate) const WHOLE: u64 = 32 << 20;
/// Bytes of a piece.
const PIECE: u64 = 8 << 20;
/// Bytes that one object holds which is moved piece by piece: the parts that are under way, the one that is filled,
/// and a piece that was read.
pub(crate) const STREAM: u64 = 64 << 20;

/// Bytes that it takes to move or compare an object of this size.
pub(crate) fn memory(size: u64) -> u64 {
    if size > WHOLE { STREAM } else { size + size.min(PIECE) }
}

/// Reads an object of the original.
pub(crate) fn read(from: &Store, object: &Object) -> Result<Bytes, Error> {
    let (key, size) = object;
    let bytes = from.get(key).map_err(Error::Original)?.ok_or_else(|| changed(from, object, "gone"))?;
    if bytes.len() as u64 == *size {
        return Ok(bytes);
    }
    Err(changed(from, object, &bytes.len().to_string()))
}

/// Moves an object to a key of another store piece by piece; `go_on` is asked before each.
pub(crate) fn stream(
    from: &Store,
    (to, target): (&Store, &str),
    object: &Object,
    go_on: impl Fn() -> Result<(), Error>,
) -> Result<(), Error> {
    let mut writer = to.writer(target, object.1)?;
    each_piece(from, object, |_, piece| {
        go_on()?;
        writer.append(&piece)?;
        Ok(true)
    })?;
    Ok(writer.finish()?)
}

/// Hands over the pieces of an object with their ranges, all of one version of it where the store knows versions, as
/// long as more are wanted; tells whether all were.
pub(crate) fn each_piece(
    from: &Store,
    object: &Object,
    mut each: impl FnMut(Range<u64>, Bytes) -> Result<bool, Error>,
) -> Result<bool, Error> {
    let (key, size) = object;
    let file = RemoteFile::in_store(from, key, &StoreOptions::default()).map_err(Error::Original)?;
    if file.len() != *size {
        return Err(changed(from, object, &file.len().to_string()));
    }
    let mut start = 0;
    while start < *size {
        let range = start..(start + PIECE).min(*size);
        start = range.end;
        let piece = file.read_range(range.clone()).map_err(Error::Original)?;
        if !each(range, piece)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether an object is these bytes; it is read piece by piece.
pub(crate) fn is_same(to: &Store, key: &str, bytes: &Bytes) -> Result<bool, Error> {
    if bytes.len() as u64 <= PIECE {
        return Ok(to.get(key)?.as_ref() == Some(bytes));
    }
    if to.size(key)? != Some(bytes.len() as u64) {
        return Ok(false);
    }
    for (n, expected) in bytes.chunks(PIECE as usize).enumerate() {
        let start = n as u64 * PIECE;
        let found = to.get_range(key, start..start + expected.len() as u64)?;
        if found.as_deref() != Some(expected) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether an object is the same in both stores.
pub(crate) fn are_same(from: &Store, to: &Store, object: &Object) -> Result<bool, Error> {
    let (key, size) = object;
    if *size <= WHOLE {
        return is_same(to, key, &read(from, object)?);
    }
    if to.size(key)? != Some(*size) {
        return Ok(false);
    }
    each_piece(from, object, |range, piece| Ok(to.get_range(key, range)?.as_ref() == Some(&piece)))
}

fn changed(from: &Store, (key, size): &Object, found: &str) -> Error {
    Error::Unfit {
        place: format!("{key} in {}", from.location()),
        reason: format!("it was listed with {size} bytes and has {found} now: it changes while it is copied"),
    }
}
