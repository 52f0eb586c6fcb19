//! Zstandard frames (RFC 8878).

use zstd::bulk::Decompressor;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::DParameter;

use crate::step::Step;

/// Decodes whole chunks; the context is made when first needed and reused.
#[derive(Default)]
pub(crate) struct Zstd {
    whole: Option<Decompressor<'static>>,
}

impl Zstd {
    /// Decodes frames that `out` holds all of, and nothing else.
    pub(crate) fn decode_whole(&mut self, stored: &[u8], out: &mut [u8]) -> Option<usize> {
        let whole = match &mut self.whole {
            Some(whole) => whole,
            none => none.insert(Decompressor::new().ok()?),
        };
        whole.decompress_to_buffer(stored, out).ok()
    }
}

/// Frames one after another. The decoder itself compares the checksum and the size of the content, where a frame has them.
pub(crate) struct Frames {
    decoder: Decoder<'static>,
    place: Place,
}

enum Place {
    /// Before a frame or what follows the last one: these bytes of its magic number are there.
    Between {
        magic: Vec<u8>,
        first: bool,
    },
    /// The magic number is to be handed to the decoder.
    Start(Vec<u8>),
    Within,
    After,
}

impl Frames {
    /// For chunks of `decoded_len` bytes.
    pub(crate) fn new(decoded_len: usize) -> std::io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(window_limit(decoded_len))?;
        Ok(Self { decoder, place: Place::Between { magic: Vec::new(), first: true } })
    }

    /// Decodes until `out` is full or the input ends.
    pub(crate) fn step(&mut self, stored: &[u8], out: &mut [u8]) -> Result<Step, String> {
        match &mut self.place {
            Place::Between { magic, first } => {
                let read = stored.len().min(4 - magic.len());
                magic.extend_from_slice(&stored[..read]);
                if magic.len() < 4 {
                    return Ok(Step { read, ..Step::default() });
                }
                // What is no frame after the first is padding.
                self.place = if *first || is_frame(magic) {
                    Place::Start(std::mem::take(magic))
                } else {
                    Place::After
                };
                Ok(Step { read, written: 0, ended: matches!(self.place, Place::After) })
            }
            Place::Start(magic) => {
                let magic = std::mem::take(magic);
                self.place = Place::Within;
                let step = self.run(&magic, out)?;
                Ok(Step { read: 0, ..step })
            }
            Place::Within => self.run(stored, out),
            Place::After => Ok(Step { ended: true, ..Step::default() }),
        }
    }

    fn run(&mut self, stored: &[u8], out: &mut [u8]) -> Result<Step, String> {
        let mut input = InBuffer::around(stored);
        let mut output = OutBuffer::around(out);
        let hint = self.decoder.run(&mut input, &mut output).map_err(|error| error.to_string())?;
        if hint == 0 {
            self.place = Place::Between { magic: Vec::new(), first: false };
        }
        Ok(Step { read: input.pos(), written: output.pos(), ended: false })
    }

    /// Whether the stored bytes may end here: after a frame, or after less than another frame's magic number.
    pub(crate) fn may_stop(&self) -> Result<(), &'static str> {
        match self.place {
            Place::Between { first: false, .. } | Place::After => Ok(()),
            Place::Between { .. } | Place::Start(_) | Place::Within => Err("the last frame does not end"),
        }
    }
}

/// Whether this is the magic number of a frame, or of a skippable one.
fn is_frame(magic: &[u8]) -> bool {
    matches!(*magic, [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

/// The largest window that a frame may ask memory for: that of the chunk, or 8 MiB, which every
/// streaming compressor below its "ultra" levels stays within.
pub(crate) fn window_limit(decoded_len: usize) -> DParameter {
    let log = decoded_len.checked_next_power_of_two().map_or(27, usize::ilog2);
    DParameter::WindowLogMax(log.clamp(23, 27))
}
