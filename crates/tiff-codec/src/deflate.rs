//! Deflate in a zlib wrapper (Adobe Photoshop TIFF Technical Note 2; RFC 1950, RFC 1951).

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Adler32;

use crate::step::Step;

/// A zlib stream. The wrapper is taken off here, so that a missing checksum is told from one that is wrong and from data
/// that do not end.
pub(crate) struct Inflate {
    place: Place,
    body: Decompress,
    sum: Adler32,
}

/// What comes next; of header and checksum, the bytes that are there already.
enum Place {
    Header(Vec<u8>),
    Body,
    Checksum(Vec<u8>),
    After,
}

impl Inflate {
    pub(crate) fn new() -> Self {
        Self { place: Place::Header(Vec::new()), body: Decompress::new(false), sum: Adler32::new() }
    }

    /// Inflates until `out` is full or the input ends.
    pub(crate) fn step(&mut self, stored: &[u8], out: &mut [u8]) -> Result<Step, String> {
        match &mut self.place {
            Place::Header(held) => {
                let read = hold(held, 2, stored);
                if let [method, flags] = **held {
                    check_header(method, flags)?;
                    self.place = Place::Body;
                }
                Ok(Step { read, ..Step::default() })
            }
            Place::Body => {
                let before = (self.body.total_in(), self.body.total_out());
                let status = self
                    .body
                    .decompress(stored, out, FlushDecompress::None)
                    .map_err(|error| error.to_string())?;
                let read = (self.body.total_in() - before.0) as usize;
                let written = (self.body.total_out() - before.1) as usize;
                self.sum.update(&out[..written]);
                if status == Status::StreamEnd {
                    self.place = Place::Checksum(Vec::new());
                }
                Ok(Step { read, written, ended: false })
            }
            Place::Checksum(held) => {
                let read = hold(held, 4, stored);
                let Some(told) = held.first_chunk() else { return Ok(Step { read, ..Step::default() }) };
                let (told, found) = (u32::from_be_bytes(*told), self.sum.sum());
                if told != found {
                    return Err(format!("the Adler-32 of the data is {found:08x}, expected {told:08x}"));
                }
                self.place = Place::After;
                Ok(Step { read, written: 0, ended: true })
            }
            Place::After => Ok(Step { ended: true, ..Step::default() }),
        }
    }

    /// Whether the stored bytes may end before a checksum: where all of it is missing, as some writers leave it out, after
    /// data that end with the last row.
    pub(crate) fn may_stop(&self, beyond: usize) -> Result<(), &'static str> {
        match &self.place {
            Place::Checksum(held) if held.is_empty() && beyond == 0 => Ok(()),
            Place::Checksum(_) => Err("the Adler-32 of the data is cut off"),
            Place::Header(_) | Place::Body => Err("the stream does not end"),
            Place::After => Ok(()),
        }
    }
}

/// Takes as many of the stored bytes as are missing from `len`.
fn hold(held: &mut Vec<u8>, len: usize, stored: &[u8]) -> usize {
    let count = stored.len().min(len - held.len());
    held.extend_from_slice(&stored[..count]);
    count
}

fn check_header(method: u8, flags: u8) -> Result<(), String> {
    if method & 0x0f != 8 || method >> 4 > 7 || !u16::from_be_bytes([method, flags]).is_multiple_of(31) {
        return Err(format!("{method:02x} {flags:02x} is not the header of a zlib stream"));
    }
    if flags & 0x20 != 0 {
        return Err("the stream needs a dictionary".to_owned());
    }
    Ok(())
}
