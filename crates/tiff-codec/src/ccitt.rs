//! CCITT codes of bilevel images: modified Huffman runs (TIFF 6.0, section 10), group 3 and
//! group 4 (section 11; ITU-T T.4 and T.6).
//!
//! White is 0 and black is 1, whatever PhotometricInterpretation says of their looks.

use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, Color};

use crate::{ChunkLayout, Compression};

/// Decodes rows into `out`, a byte per pixel, until it is full or the input ends; returns how many
/// rows were written. After the last row there may be the codes that end an image, padding with zeros, and the further rows
/// of a strip that is filled up.
pub(crate) fn decode(layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let mut rows = Rows {
        layout,
        reader: Bits { bytes: stored, position: 0 },
        reference: Vec::new(),
        changes: Vec::new(),
        done: 0,
    };
    for pixels in out.chunks_exact_mut(layout.width as usize) {
        if rows.reader.at_end() || !rows.next(pixels)? {
            return Ok(rows.done);
        }
    }
    let asked = rows.done;
    let mut beyond = Vec::new();
    while !rows.reader.ends_here(layout) {
        if rows.done >= layout.full_height as usize {
            return Err(format!("codes go on after row {}", rows.done - 1));
        }
        beyond.resize(layout.width as usize, 0);
        if !rows.next(&mut beyond)? {
            break;
        }
    }
    Ok(asked)
}

/// The rows of a chunk, one after another.
struct Rows<'a> {
    layout: &'a ChunkLayout,
    reader: Bits<'a>,
    /// Where the colour changes in the row above, and in this one.
    reference: Vec<usize>,
    changes: Vec<usize>,
    done: usize,
}

impl Rows<'_> {
    /// Decodes a row; `false` when the image or the input ends instead.
    fn next(&mut self, pixels: &mut [u8]) -> Result<bool, String> {
        let reader = &mut self.reader;
        self.changes.clear();
        let mut row = Row { pixels, changes: &mut self.changes, a0: 0, color: Color::White };
        let result = match self.layout.compression {
            Compression::CcittG3 => {
                let end_of_line = reader.skip_end_of_line();
                if self.layout.t4_options & TWO_DIMENSIONAL == 0 {
                    row.runs(reader)
                } else if !end_of_line {
                    Err(Stop::Damaged("a row does not begin with an end-of-line code"))
                } else if reader.bit() {
                    row.runs(reader)
                } else {
                    row.two_dimensional(reader, &self.reference)
                }
            }
            Compression::CcittG4 => row.two_dimensional(reader, &self.reference),
            _ => row.runs(reader),
        };
        match result {
            Ok(()) => {}
            Err(Stop::Damaged(_) | Stop::End) if reader.overrun() => return Ok(false),
            Err(Stop::End) => return Ok(false),
            Err(Stop::Damaged(reason)) => return Err(format!("{reason} in row {}", self.done)),
        }
        match self.layout.compression {
            Compression::CcittRle => reader.align(8),
            Compression::CcittRleWord => reader.align(16),
            _ => {}
        }
        std::mem::swap(&mut self.reference, &mut self.changes);
        self.done += 1;
        Ok(true)
    }
}

/// Bit 0 of T4Options.
const TWO_DIMENSIONAL: u32 = 1;

/// Why a row is not complete.
enum Stop {
    /// The code that ends the image.
    End,
    Damaged(&'static str),
}

/// A row being decoded, in the terms of T.4: `a0` is where the next run starts.
struct Row<'a> {
    pixels: &'a mut [u8],
    /// Where the colour changes, beginning with the change from white to black.
    changes: &'a mut Vec<usize>,
    a0: usize,
    color: Color,
}

impl Row<'_> {
    fn done(&self) -> bool {
        self.a0 >= self.pixels.len()
    }

    /// One-dimensional coding: runs of white and black in turn.
    fn runs(&mut self, reader: &mut Bits) -> Result<(), Stop> {
        while !self.done() {
            self.run(reader)?;
        }
        Ok(())
    }

    /// Two-dimensional coding: changes relative to those of the row above.
    fn two_dimensional(&mut self, reader: &mut Bits, above: &[usize]) -> Result<(), Stop> {
        let width = self.pixels.len();
        // How many changes of the row above are not to the right of a0. At the start of the row,
        // a0 is before the first pixel, so that a change there counts.
        let mut passed = 0;
        while !self.done() {
            let opposite = passed + (passed + usize::from(self.color == Color::Black)) % 2;
            let b1 = above.get(opposite).copied().unwrap_or(width);
            match mode::decode(reader).ok_or(Stop::Damaged("an unknown mode code"))? {
                Mode::Pass => {
                    let b2 = above.get(opposite + 1).copied().unwrap_or(width);
                    self.extend(b2)?;
                }
                Mode::Vertical(offset) => {
                    let a1 = b1
                        .checked_add_signed(isize::from(offset))
                        .ok_or(Stop::Damaged("a change before the row"))?;
                    self.extend(a1)?;
                    self.change();
                }
                Mode::Horizontal => {
                    self.run(reader)?;
                    self.run(reader)?;
                }
                Mode::Extension => return Err(Stop::Damaged("an extension code")),
                Mode::EOF => return Err(Stop::End),
            }
            while above.get(passed).is_some_and(|change| *change <= self.a0) {
                passed += 1;
            }
        }
        Ok(())
    }

    /// A run of the present colour, and the change after it.
    fn run(&mut self, reader: &mut Bits) -> Result<(), Stop> {
        let mut length = 0;
        loop {
            let code = match self.color {
                Color::White => white::decode(reader),
                Color::Black => black::decode(reader),
            };
            let part = usize::from(code.ok_or(Stop::Damaged("an unknown run code"))?);
            length += part;
            if part < 64 {
                break;
            }
        }
        self.extend(self.a0 + length)?;
        self.change();
        Ok(())
    }

    /// Fills with the present colour up to `end`. Some encoders let the last white run of a row reach beyond it, which can mean
    /// one thing only; of a black one libtiff makes white, others black.
    fn extend(&mut self, end: usize) -> Result<(), Stop> {
        let value = u8::from(self.color == Color::Black);
        let end = if self.color == Color::White { end.min(self.pixels.len()) } else { end };
        self.pixels.get_mut(self.a0..end).ok_or(Stop::Damaged("a run beyond the row"))?.fill(value);
        self.a0 = end;
        Ok(())
    }

    fn change(&mut self) {
        // Two changes at one place are none.
        if self.changes.last() == Some(&self.a0) {
            self.changes.pop();
        } else {
            self.changes.push(self.a0);
        }
        self.color = !self.color;
    }
}

/// Bits from the most significant of each byte; zeros after the end.
struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    position: usize,
}

impl Bits<'_> {
    fn at_end(&self) -> bool {
        self.position / 8 >= self.bytes.len()
    }

    /// Whether codes have been read from beyond the end.
    fn overrun(&self) -> bool {
        self.position + 12 > self.bytes.len() * 8
    }

    fn bit(&mut self) -> bool {
        let bit = self.peek(1) == Some(1);
        self.position += 1;
        bit
    }

    /// Passes over fill bits and an end-of-line code: eleven zeros or more, and a one.
    fn skip_end_of_line(&mut self) -> bool {
        if self.at_end() || self.peek(11) != Some(0) {
            return false;
        }
        self.position += 11;
        while !self.at_end() && !self.bit() {}
        true
    }

    /// Whether nothing but zeros is left, or the codes that end the image: two end-of-line codes, each with the bit that in
    /// two-dimensional group 3 tells of the next row, or one and then nothing.
    fn ends_here(&self, layout: &ChunkLayout) -> bool {
        let mut ahead = Bits { bytes: self.bytes, position: self.position };
        let grouped = matches!(layout.compression, Compression::CcittG3 | Compression::CcittG4);
        if grouped && ahead.skip_end_of_line() {
            if layout.compression == Compression::CcittG3 && layout.t4_options & TWO_DIMENSIONAL != 0 {
                ahead.bit();
            }
            return ahead.is_blank() || ahead.skip_end_of_line();
        }
        ahead.is_blank()
    }

    /// Whether all that is left are zeros.
    fn is_blank(&self) -> bool {
        let Some((first, rest)) = self.bytes.get(self.position / 8..).and_then(|left| left.split_first())
        else {
            return true;
        };
        first << (self.position % 8) == 0 && rest.iter().all(|byte| *byte == 0)
    }

    fn align(&mut self, bits: usize) {
        self.position = self.position.next_multiple_of(bits);
    }
}

impl BitReader for Bits<'_> {
    type Error = ();

    fn peek(&self, bits: u8) -> Option<u16> {
        let byte = self.position / 8;
        let window = (0..3).fold(0_u32, |window, index| {
            window << 8 | u32::from(self.bytes.get(byte + index).copied().unwrap_or(0))
        });
        let shift = 24_usize.checked_sub(self.position % 8 + usize::from(bits))?;
        Some((window >> shift & ((1 << bits) - 1)) as u16)
    }

    fn consume(&mut self, bits: u8) -> Result<(), ()> {
        self.position += usize::from(bits);
        // A code that is not wholly there is none.
        if self.position > self.bytes.len() * 8 { Err(()) } else { Ok(()) }
    }

    fn bits_to_byte_boundary(&self) -> u8 {
        ((8 - self.position % 8) % 8) as u8
    }
}
