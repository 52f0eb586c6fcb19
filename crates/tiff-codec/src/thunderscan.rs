//! ThunderScan: four bits a pixel, as runs and differences. There is no description but libtiff's tif_thunder.c.

use crate::ChunkLayout;

/// Decodes rows into `out`, a byte per pixel, until it is full or the input ends; returns how many rows were written. Each
/// row begins with a byte of its own, as if the pixel before it were zero.
pub(crate) fn decode(layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<usize, String> {
    let mut rest = stored;
    for (number, pixels) in out.chunks_exact_mut(layout.width as usize).enumerate() {
        let mut row = Row { pixels, filled: 0, last: 0 };
        while row.filled < row.pixels.len() {
            let Some((code, tail)) = rest.split_first() else { return Ok(number) };
            rest = tail;
            match code >> 6 {
                0 => row.repeat(usize::from(code & 0x3f)).ok_or(format!("a run beyond row {number}"))?,
                1 => [code >> 4 & 3, code >> 2 & 3, code & 3]
                    .map(|change| row.change(i16::from(change), 2))
                    .into_iter()
                    .collect(),
                2 => [code >> 3 & 7, code & 7]
                    .map(|change| row.change(i16::from(change), 4))
                    .into_iter()
                    .collect(),
                _ => row.put(code & 15),
            }
        }
    }
    if rest.iter().any(|byte| *byte != 0) && layout.full_height <= layout.height {
        return Err(format!("codes go on after row {}", layout.height - 1));
    }
    Ok(layout.height as usize)
}

struct Row<'a> {
    pixels: &'a mut [u8],
    filled: usize,
    last: u8,
}

impl Row<'_> {
    /// The last pixel again, so many times.
    fn repeat(&mut self, count: usize) -> Option<()> {
        self.pixels.get_mut(self.filled..self.filled + count)?.fill(self.last);
        self.filled += count;
        Some(())
    }

    /// A pixel that differs from the last one by a number of `half * 2` values in two's complement; its least value stands
    /// for no pixel.
    fn change(&mut self, change: i16, half: i16) {
        if change != half {
            let signed = if change > half { change - 2 * half } else { change };
            self.put((i16::from(self.last) + signed) as u8 & 15);
        }
    }

    /// Changes come in twos and threes: what reaches beyond the row is dropped.
    fn put(&mut self, value: u8) {
        self.last = value;
        if let Some(pixel) = self.pixels.get_mut(self.filled) {
            *pixel = value;
            self.filled += 1;
        }
    }
}
