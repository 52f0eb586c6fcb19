//! Lossless JPEG with Huffman codes (ITU-T T.81, annex H; SOF3), of 2 to 16 bits, as scanners, cameras and DNG have it.
//!
//! libjpeg knows lossy processes only. Samples are exact: each is predicted from its neighbours, and the difference is coded.
//! A stream may have the samples of a row cut otherwise than the tags, such as two components of half the width, as DNG does.

use crate::{ChunkLayout, CodecError};

/// Whether the frame of a stream is a lossless one.
pub(crate) fn is_lossless(stored: &[u8]) -> bool {
    Segments { rest: stored }
        .find_map(|segment| segment.ok().filter(Segment::is_frame))
        .is_some_and(|frame| frame.marker == SOF3)
}

/// Decodes one stream into little-endian interleaved samples.
pub(crate) fn decode(layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
    let damaged = |reason: String| layout.damaged(reason);
    let mut state = State::default();
    let tables = Segments { rest: layout.jpeg_tables.as_deref().unwrap_or_default() };
    for segment in tables {
        state.take(&segment.map_err(damaged)?).map_err(damaged)?;
    }
    let mut segments = Segments { rest: stored };
    let mut filled = Vec::new();
    while let Some(segment) = segments.next() {
        let segment = segment.map_err(damaged)?;
        state.take(&segment).map_err(damaged)?;
        if segment.marker != SOS {
            continue;
        }
        let frame = state.frame.as_ref().ok_or_else(|| layout.damaged("a scan comes before the frame"))?;
        check(layout, frame)?;
        let scan = Scan::parse(segment.content, frame, &state.tables).map_err(damaged)?;
        let row_bytes = layout.row_len()?;
        let used = scan.decode(
            frame,
            state.restart,
            segments.rest,
            out.chunks_exact_mut(row_bytes),
            layout.sample_bytes(),
        );
        segments.rest = segments.rest.get(used.map_err(damaged)?..).unwrap_or_default();
        filled.extend(scan.components.iter().map(|component| component.index));
    }
    filled.sort_unstable();
    filled.dedup();
    match state.frame {
        Some(frame) if filled.len() == frame.components.len() => Ok(()),
        Some(_) => Err(layout.damaged("components are missing at the end")),
        None => Err(layout.damaged("there is no frame")),
    }
}

fn check(layout: &ChunkLayout, frame: &Frame) -> Result<(), CodecError> {
    let samples = frame.components.len() as u64;
    let fits = frame.width as u64 * samples == u64::from(layout.width) * u64::from(layout.samples)
        && (samples == u64::from(layout.samples) || layout.samples == 1)
        && frame.height >= layout.height as usize
        && frame.height <= layout.full_height.max(layout.height) as usize * 2
        && frame.precision <= layout.bits;
    if fits {
        return Ok(());
    }
    Err(CodecError::Mismatch {
        codec: layout.compression.name(),
        found: format!(
            "{} x {} pixels of {samples} samples of {} bits",
            frame.width, frame.height, frame.precision
        ),
        expected: format!("{} x {} of {} of {}", layout.width, layout.height, layout.samples, layout.bits),
    })
}

const SOF3: u8 = 0xc3;
const DHT: u8 = 0xc4;
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const DRI: u8 = 0xdd;

/// A marker and what belongs to it.
struct Segment<'a> {
    marker: u8,
    content: &'a [u8],
}

impl Segment<'_> {
    fn is_frame(&self) -> bool {
        matches!(self.marker, 0xc0..=0xcf) && !matches!(self.marker, DHT | 0xc8 | 0xcc)
    }
}

/// The segments of a stream up to its end; of a scan, its header.
struct Segments<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Segments<'a> {
    type Item = Result<Segment<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.rest {
                [] | [0xff, EOI, ..] => return None,
                // Fill bytes may stand before any marker.
                [0xff, 0xff, ..] => self.rest = &self.rest[1..],
                [0xff, SOI, ..] => self.rest = &self.rest[2..],
                [0xff, marker @ 0xc0..=0xfe, high, low, ..] => {
                    let length = usize::from(u16::from_be_bytes([high, low]));
                    let end = length + 2;
                    let Some(content) = self.rest.get(4..end) else {
                        self.rest = &[];
                        return Some(Err(format!("segment {marker:02x} of {length} bytes is cut off")));
                    };
                    self.rest = &self.rest[end..];
                    return Some(Ok(Segment { marker, content }));
                }
                _ => {
                    self.rest = &[];
                    return Some(Err("bytes that are no segment".to_owned()));
                }
            }
        }
    }
}

struct Frame {
    precision: u16,
    height: usize,
    width: usize,
    /// Identifiers.
    components: Vec<u8>,
}

/// What the segments before a scan have said.
#[derive(Default)]
struct State {
    frame: Option<Frame>,
    tables: [Option<Huffman>; 4],
    /// Pixels between restart markers; 0 for none.
    restart: usize,
}

impl State {
    fn take(&mut self, segment: &Segment) -> Result<(), String> {
        match segment.marker {
            DHT => {
                let mut rest = segment.content;
                while let Some((class_and_place, tail)) = rest.split_first() {
                    let (table, used) = Huffman::parse(tail)?;
                    // Tables of AC coefficients belong to lossy scans.
                    if let (0, Some(place)) =
                        (class_and_place >> 4, self.tables.get_mut(usize::from(class_and_place & 15)))
                    {
                        *place = Some(table);
                    }
                    rest = &tail[used..];
                }
            }
            DRI => {
                let interval = segment.content.first_chunk().ok_or("the restart interval is cut off")?;
                self.restart = usize::from(u16::from_be_bytes(*interval));
            }
            _ if segment.is_frame() => {
                let [precision, y1, y0, x1, x0, count, components @ ..] = segment.content else {
                    return Err("the frame's header is cut off".to_owned());
                };
                let components: Vec<_> =
                    components.as_chunks::<3>().0.iter().take(usize::from(*count)).collect();
                if components.len() != usize::from(*count) || components.is_empty() {
                    return Err("components are missing in the frame's header".to_owned());
                }
                if components.iter().any(|component| component[1] != 0x11) {
                    return Err("components of a lossless frame are subsampled".to_owned());
                }
                if segment.marker != SOF3 || !(2..=16).contains(precision) {
                    return Err(format!("frame {:02x} of {precision} bits", segment.marker));
                }
                self.frame = Some(Frame {
                    precision: u16::from(*precision),
                    height: usize::from(u16::from_be_bytes([*y1, *y0])),
                    width: usize::from(u16::from_be_bytes([*x1, *x0])),
                    components: components.iter().map(|component| component[0]).collect(),
                });
            }
            _ => {}
        }
        Ok(())
    }
}

/// Codes of up to 16 bits for the number of bits of a difference.
struct Huffman {
    /// Of each length: the first code that is too large, and what to add to a code for the place of its value.
    lengths: [(i32, i32); 17],
    values: Vec<u8>,
}

impl Huffman {
    /// The table, and its length in bytes.
    fn parse(content: &[u8]) -> Result<(Self, usize), String> {
        let counts = content.first_chunk::<16>().ok_or("a Huffman table is cut off")?;
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        let values = content.get(16..16 + total).ok_or("a Huffman table is cut off")?;
        let mut lengths = [(0, 0); 17];
        let (mut code, mut place) = (0_i32, 0_i32);
        for (length, count) in (1..).zip(counts) {
            lengths[length] = (code + i32::from(*count), place - code);
            if lengths[length].0 > 1 << length {
                return Err("a Huffman table has more codes than there can be".to_owned());
            }
            (code, place) = (lengths[length].0 << 1, place + i32::from(*count));
        }
        Ok((Self { lengths, values: values.to_vec() }, 16 + total))
    }
}

struct Component<'a> {
    /// Place in the frame.
    index: usize,
    table: &'a Huffman,
}

/// The header of a scan.
struct Scan<'a> {
    components: Vec<Component<'a>>,
    predictor: u8,
    /// Lowest bits that are left out of all samples.
    shift: u8,
}

impl<'a> Scan<'a> {
    fn parse(content: &[u8], frame: &Frame, tables: &'a [Option<Huffman>; 4]) -> Result<Self, String> {
        let cut = || "the header of a scan is cut off".to_owned();
        let (count, rest) = content.split_first().ok_or_else(cut)?;
        let (selectors, rest) = rest.split_at_checked(usize::from(*count) * 2).ok_or_else(cut)?;
        let [predictor @ 1..=7, _, low] = *rest else {
            return Err("a scan has no predictor from 1 to 7".to_owned());
        };
        let component = |selector: &[u8; 2]| {
            let index = frame.components.iter().position(|id| *id == selector[0]);
            let table = tables.get(usize::from(selector[1] >> 4)).and_then(Option::as_ref);
            index.zip(table).map(|(index, table)| Component { index, table })
        };
        let components: Option<Vec<_>> = selectors.as_chunks::<2>().0.iter().map(component).collect();
        let components = components.filter(|components| !components.is_empty());
        let components = components.ok_or("a scan names a component or a table that is not there")?;
        let shift = low & 15;
        if u16::from(shift) >= frame.precision {
            return Err(format!("a scan leaves out {shift} of {} bits", frame.precision));
        }
        Ok(Self { components, predictor, shift })
    }

    /// Decodes the scan into rows of interleaved samples of `bytes` bytes; returns how many bytes of codes there were.
    fn decode<'o>(
        &self,
        frame: &Frame,
        restart: usize,
        codes: &[u8],
        mut rows: impl Iterator<Item = &'o mut [u8]>,
        bytes: usize,
    ) -> Result<usize, String> {
        let (all, count) = (frame.components.len(), self.components.len());
        let start = 1_u16 << (frame.precision - 1 - u16::from(self.shift));
        let mut reader = Codes { bytes: codes, at: 0, window: 0, held: 0 };
        let (mut above, mut row) = (vec![0_u16; frame.width * count], vec![0_u16; frame.width * count]);
        // Whether there is no row above that may be looked at: at the start, and after each restart.
        let mut first = true;
        let mut left_to_restart = restart;
        for y in 0..frame.height {
            for x in 0..frame.width {
                if restart > 0 && left_to_restart == 0 {
                    reader.restart()?;
                    if x > 0 {
                        return Err("the codes restart within a row".to_owned());
                    }
                    first = true;
                    left_to_restart = restart;
                }
                left_to_restart = left_to_restart.saturating_sub(1);
                for (place, component) in self.components.iter().enumerate() {
                    let at = x * count + place;
                    let (a, b, c) = (
                        if x > 0 { row[at - count] } else { 0 },
                        above[at],
                        if x > 0 { above[at - count] } else { 0 },
                    );
                    let predicted = match (first, x) {
                        (true, 0) => start,
                        (true, _) => a,
                        (false, 0) => b,
                        (false, _) => predict(self.predictor, a, b, c),
                    };
                    row[at] = predicted.wrapping_add(reader.difference(component.table)?);
                }
            }
            first = false;
            if let Some(out) = rows.next() {
                for (samples, pixel) in row.chunks_exact(count).zip(out.chunks_exact_mut(all * bytes)) {
                    for (sample, component) in samples.iter().zip(&self.components) {
                        let value = (sample << self.shift).to_le_bytes();
                        pixel[component.index * bytes..][..bytes].copy_from_slice(&value[..bytes]);
                    }
                }
            }
            std::mem::swap(&mut above, &mut row);
            if reader.overrun() {
                return Err(format!("the codes end within row {y}"));
            }
        }
        reader.end()
    }
}

/// From the samples to the left, above, and above to the left (T.81, table H.1).
fn predict(predictor: u8, a: u16, b: u16, c: u16) -> u16 {
    let (a, b, c) = (i32::from(a), i32::from(b), i32::from(c));
    let predicted = match predictor {
        1 => a,
        2 => b,
        3 => c,
        4 => a + b - c,
        5 => a + ((b - c) >> 1),
        6 => b + ((a - c) >> 1),
        _ => (a + b) >> 1,
    };
    predicted as u16
}

/// The bits of a scan; zeros after its end.
struct Codes<'a> {
    bytes: &'a [u8],
    at: usize,
    window: u64,
    /// Bits in the window; below zero when more have been used than there were.
    held: i32,
}

impl Codes<'_> {
    /// At least 32 bits, if there are so many before the next marker.
    fn refill(&mut self) {
        while self.held <= 48 {
            let byte = match self.bytes.get(self.at..) {
                Some([0xff, 0, ..]) => {
                    self.at += 2;
                    0xff
                }
                Some([0xff, ..] | []) | None => return,
                Some([byte, ..]) => {
                    self.at += 1;
                    *byte
                }
            };
            self.window |= u64::from(byte) << (56 - self.held.max(0));
            self.held += 8;
        }
    }

    fn overrun(&self) -> bool {
        self.held < 0
    }

    fn take(&mut self, bits: u32) -> u32 {
        if bits == 0 {
            return 0;
        }
        let value = (self.window >> (64 - bits)) as u32;
        self.window <<= bits;
        self.held -= bits as i32;
        value
    }

    fn difference(&mut self, table: &Huffman) -> Result<u16, String> {
        if self.held < 32 && self.held >= 0 {
            self.refill();
        }
        let ahead = (self.window >> 48) as i32;
        for length in 1..=16_u32 {
            let (end, offset) = table.lengths[length as usize];
            let code = ahead >> (16 - length);
            if code < end {
                self.take(length);
                let bits = table.values.get((code + offset) as usize).copied().unwrap_or(u8::MAX);
                return match bits {
                    0 => Ok(0),
                    1..=15 => {
                        let value = self.take(bits.into());
                        let negative = value >> (bits - 1) == 0;
                        Ok(if negative { (value as i32 - (1 << bits) + 1) as u16 } else { value as u16 })
                    }
                    16 => Ok(1 << 15),
                    _ => Err("a difference of more than 16 bits".to_owned()),
                };
            }
        }
        Err("an unknown code".to_owned())
    }

    /// Passes over the marker between two intervals.
    fn restart(&mut self) -> Result<(), String> {
        self.drop_padding()?;
        match self.bytes.get(self.at..) {
            Some([0xff, 0xd0..=0xd7, ..]) => self.at += 2,
            _ => return Err("a restart marker is missing".to_owned()),
        }
        (self.window, self.held) = (0, 0);
        Ok(())
    }

    /// Where the next segment begins, which there need not be.
    fn end(mut self) -> Result<usize, String> {
        self.drop_padding()?;
        match self.bytes.get(self.at..) {
            None | Some([] | [0xff, ..]) => Ok(self.at),
            Some(_) => Err("codes go on after the last row".to_owned()),
        }
    }

    /// What is left of a byte is padding; whole bytes are codes that nobody has asked for.
    fn drop_padding(&mut self) -> Result<(), String> {
        self.refill();
        if self.overrun() {
            return Err("the codes end early".to_owned());
        }
        if self.held >= 8 {
            return Err("codes go on after the last sample".to_owned());
        }
        Ok(())
    }
}
