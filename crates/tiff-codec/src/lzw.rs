//! LZW (TIFF 6.0, section 13), also with the bit order of writers before 1990.

use std::io::{BufRead, Read};

use weezl::decode::{Configuration, Decoder};
use weezl::{BitOrder, LzwStatus};

/// Decoders for both bit orders, made when first needed and reused.
#[derive(Default)]
pub(crate) struct Lzw {
    current: Option<Decoder>,
    old: Option<Decoder>,
}

impl Lzw {
    /// Decodes until `out` is full or the input ends; returns how many bytes were written.
    pub(crate) fn decode(&mut self, mut stored: &[u8], out: &mut [u8]) -> Result<usize, String> {
        let old = is_old(stored);
        let decoder = if old { &mut self.old } else { &mut self.current };
        let decoder = decoder.get_or_insert_with(|| decoder_for(old));
        decoder.reset();
        let (mut done, mut idle) = (0, 0);
        while done < out.len() {
            let result = decoder.decode_bytes(stored, &mut out[done..]);
            stored = &stored[result.consumed_in..];
            done += result.consumed_out;
            match result.status {
                Ok(LzwStatus::Ok) if result.consumed_in > 0 || result.consumed_out > 0 => idle = 0,
                Ok(LzwStatus::Ok) if idle < MOST_IDLE => idle += 1,
                Ok(_) => break,
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(done)
    }
}

/// Reads decoded bytes from LZW codes.
pub(crate) struct LzwReader<R> {
    stored: R,
    decoder: Option<Decoder>,
}

impl<R: BufRead> LzwReader<R> {
    pub(crate) fn get_mut(&mut self) -> &mut R {
        &mut self.stored
    }

    pub(crate) fn new(stored: R) -> Self {
        Self { stored, decoder: None }
    }
}

impl<R: BufRead> Read for LzwReader<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let mut idle = 0;
        loop {
            let stored = self.stored.fill_buf()?;
            let decoder = self.decoder.get_or_insert_with(|| decoder_for(is_old(stored)));
            let result = decoder.decode_bytes(stored, out);
            self.stored.consume(result.consumed_in);
            let status = result
                .status
                .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string()))?;
            idle = if result.consumed_in == 0 { idle + 1 } else { 0 };
            if result.consumed_out > 0 || idle > MOST_IDLE || !matches!(status, LzwStatus::Ok) {
                return Ok(result.consumed_out);
            }
        }
    }
}

/// Steps without input or output after which nothing more will come: at a Clear code the decoder may take one.
const MOST_IDLE: usize = 2;

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
    // Many writers leave out the end code, or write rubbish after the last row.
    configuration.with_yield_on_full_buffer(true).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing: at a Clear code the decoder takes a step without input or output, which was taken for the end.
    #[test]
    fn clear_codes_anywhere_end_nothing() {
        let stored = [
            128, 13, 194, 160, 2, 106, 241, 0, 82, 92, 128, 22, 1, 17, 0, 0, 0, 128, 13, 194, 18, 16, 8, 1,
            16, 0, 0, 1, 17, 0, 0, 0, 0, 0, 0, 12, 74, 88, 76, 32, 13, 10, 135, 10,
        ];
        let mut whole = [0; 27];
        assert_eq!(Lzw::default().decode(&stored, &mut whole), Ok(27));
        assert_eq!(whole[19..], [68, 0, 0, 2, 68, 0, 0, 0]);
        for step in [1, 2, 3, 9, 26] {
            let mut reader = LzwReader::new(stored.as_slice());
            let mut pieces = [0; 27];
            for piece in pieces.chunks_mut(step) {
                reader.read_exact(piece).unwrap();
            }
            assert_eq!(pieces, whole, "{step} bytes at a time");
        }
    }
}
