//! PackBits (TIFF 6.0, section 9): runs and literals of bytes.

use std::io::{BufRead, ErrorKind, Read};

/// Reads unpacked bytes from packed ones.
pub(crate) struct PackBitsReader<R> {
    packed: R,
    run: Run,
}

enum Run {
    None,
    Literal(usize),
    Repeat(usize, u8),
}

impl<R: BufRead> PackBitsReader<R> {
    pub(crate) fn get_mut(&mut self) -> &mut R {
        &mut self.packed
    }

    pub(crate) fn new(packed: R) -> Self {
        Self { packed, run: Run::None }
    }

    /// The next byte, or `None` at the end.
    fn byte(&mut self) -> std::io::Result<Option<u8>> {
        let mut byte = [0];
        match self.packed.read_exact(&mut byte) {
            Ok(()) => Ok(Some(byte[0])),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<R: BufRead> Read for PackBitsReader<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.run {
                Run::None | Run::Literal(0) | Run::Repeat(0, _) => {
                    let Some(header) = self.byte()? else { return Ok(0) };
                    self.run = match header as i8 {
                        // A header that means nothing, by the specification.
                        -128 => Run::None,
                        count @ 0.. => Run::Literal(count as usize + 1),
                        count => match self.byte()? {
                            Some(value) => Run::Repeat(1 + usize::from(count.unsigned_abs()), value),
                            None => return Ok(0),
                        },
                    };
                }
                Run::Literal(left) => {
                    let wanted = left.min(out.len());
                    let count = self.packed.read(&mut out[..wanted])?;
                    self.run = Run::Literal(left - count);
                    return Ok(count);
                }
                Run::Repeat(left, value) => {
                    let count = left.min(out.len());
                    out[..count].fill(value);
                    self.run = Run::Repeat(left - count, value);
                    return Ok(count);
                }
            }
        }
    }
}

/// Unpacks until `out` is full or the input ends; returns how many bytes were written.
pub(crate) fn unpack(mut packed: &[u8], out: &mut [u8]) -> usize {
    let mut done = 0;
    while done < out.len() {
        let Some((header, rest)) = packed.split_first() else { break };
        let room = &mut out[done..];
        match *header as i8 {
            -128 => packed = rest,
            count @ 0.. => {
                let count = (count as usize + 1).min(rest.len());
                let written = count.min(room.len());
                room[..written].copy_from_slice(&rest[..written]);
                done += written;
                packed = &rest[count..];
            }
            count => {
                let Some((value, rest)) = rest.split_first() else { break };
                let written = (1 + usize::from(count.unsigned_abs())).min(room.len());
                room[..written].fill(*value);
                done += written;
                packed = rest;
            }
        }
    }
    done
}
