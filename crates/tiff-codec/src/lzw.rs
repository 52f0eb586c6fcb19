//! LZW (TIFF 6.0, section 13), also with the bit order of writers before 1990.

use weezl::decode::{Configuration, Decoder};
use weezl::{BitOrder, LzwStatus};

use crate::step::Step;

/// A stream of LZW codes. The decoders for both bit orders are made when first needed and kept.
#[derive(Default)]
pub(crate) struct Lzw {
    current: Option<Decoder>,
    old: Option<Decoder>,
    place: Place,
}

#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    Start,
    /// The first byte came alone: the second tells the bit order.
    First(u8),
    Codes {
        old: bool,
    },
}

impl Lzw {
    /// Goes back to the start of a stream.
    pub(crate) fn restart(&mut self) {
        self.place = Place::Start;
    }

    /// Decodes until `out` is full or the input ends.
    pub(crate) fn step(&mut self, stored: &[u8], out: &mut [u8]) -> Result<Step, String> {
        match (self.place, stored) {
            // A single byte is no code.
            (Place::Start | Place::First(_), []) => Ok(Step::default()),
            (Place::Start, [first]) => {
                self.place = Place::First(*first);
                Ok(Step { read: 1, ..Step::default() })
            }
            (Place::Start, _) => advance(self.begin(is_old(stored)), stored, out),
            (Place::First(first), [second, ..]) => {
                let step = advance(self.begin(is_old(&[first, *second])), &[first], out)?;
                Ok(Step { read: 0, ..step })
            }
            (Place::Codes { old }, _) => advance(self.decoder(old), stored, out),
        }
    }

    fn begin(&mut self, old: bool) -> &mut Decoder {
        self.place = Place::Codes { old };
        let decoder = self.decoder(old);
        decoder.reset();
        decoder
    }

    fn decoder(&mut self, old: bool) -> &mut Decoder {
        let decoder = if old { &mut self.old } else { &mut self.current };
        decoder.get_or_insert_with(|| decoder_for(old))
    }
}

fn advance(decoder: &mut Decoder, stored: &[u8], out: &mut [u8]) -> Result<Step, String> {
    let result = decoder.decode_bytes(stored, out);
    let status = result.status.map_err(|error| error.to_string())?;
    Ok(Step {
        read: result.consumed_in,
        written: result.consumed_out,
        ended: matches!(status, LzwStatus::Done),
    })
}

/// Before TIFF 6.0 settled it, codes were packed from the least significant bit and grew one code
/// later. Such a stream is known by its first code, Clear, which begins with a zero byte.
fn is_old(stored: &[u8]) -> bool {
    matches!(*stored, [0, second, ..] if second & 1 == 1)
}

fn decoder_for(old: bool) -> Decoder {
    let configuration = if old {
        Configuration::new(BitOrder::Lsb, 8)
    } else {
        Configuration::with_tiff_size_switch(BitOrder::Msb, 8)
    };
    // The decoder must not read on when the rows are there: what follows them is judged apart.
    configuration.with_yield_on_full_buffer(true).build()
}

#[cfg(test)]
mod tests {
    use crate::unpack::{Codec, Unpacker};

    /// Found by fuzzing: at a Clear code the decoder takes a step without input or output, which was taken for the end.
    #[test]
    fn clear_codes_anywhere_end_nothing() {
        let stored = [
            128, 13, 194, 160, 2, 106, 241, 0, 82, 92, 128, 22, 1, 17, 0, 0, 0, 128, 13, 194, 18, 16, 8, 1,
            16, 0, 0, 1, 17, 0, 0, 0, 0, 0, 0, 12, 74, 88, 76, 32, 13, 10, 135, 10,
        ];
        let unpacker = || Unpacker::new(Codec::Lzw(Box::default()), stored.as_slice());
        let mut whole = [0; 27];
        assert!(matches!(unpacker().fill(&mut whole), Ok(27)));
        assert_eq!(whole[19..], [68, 0, 0, 2, 68, 0, 0, 0]);
        for step in [1, 2, 3, 9, 26] {
            let mut unpacker = unpacker();
            let mut pieces = [0; 27];
            for piece in pieces.chunks_mut(step) {
                assert!(matches!(unpacker.fill(piece), Ok(count) if count == piece.len()));
            }
            assert_eq!(pieces, whole, "{step} bytes at a time");
        }
    }
}
