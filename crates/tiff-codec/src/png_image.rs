//! PNG (ISO/IEC 15948) in a TIFF chunk.

use png::{ColorType, DecodeOptions, Decoder, Limits, Transformations};

use crate::samples::Rows;
use crate::{ChunkLayout, CodecError};

/// Decodes one image into little-endian interleaved samples; palette indices stay indices.
pub(crate) fn decode(layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
    let limit = out.len().saturating_mul(2).saturating_add(1 << 20);
    // Left to itself, the library skips the Adler-32 of the samples and passes over damaged chunks that it could do without.
    let mut options = DecodeOptions::default();
    options.set_ignore_checksums(false);
    options.set_skip_ancillary_crc_failures(false);
    let mut decoder = Decoder::new_with_options(std::io::Cursor::new(stored), options);
    decoder.set_limits(Limits { bytes: limit });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|error| layout.damaged(error))?;
    let info = reader.info();
    let samples = match info.color_type {
        ColorType::Grayscale | ColorType::Indexed => 1,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
    };
    let bits = info.bit_depth as u16;
    if info.width != layout.width
        || info.height != layout.height
        || samples != layout.samples
        || bits != layout.bits
    {
        return Err(CodecError::Mismatch {
            codec: layout.compression.name(),
            found: format!("{} x {} pixels of {samples} samples of {bits} bits", info.width, info.height),
            expected: format!(
                "{} x {} of {} of {}",
                layout.width, layout.height, layout.samples, layout.bits
            ),
        });
    }
    // The rest of PNG is fixed: most significant byte and bit first, nothing left to predict.
    let plain = ChunkLayout { big_endian: true, predictor: crate::Predictor::None, ..layout.clone() };
    let mut rows = Rows::new(&plain)?;
    let mut image = vec![0; rows.packed_len * layout.height as usize];
    reader.next_frame(&mut image).map_err(|error| layout.damaged(error))?;
    // Up to the last chunk, whose checksum is compared as well.
    reader.finish().map_err(|error| layout.damaged(error))?;
    if rows.in_place() {
        out.copy_from_slice(&image);
        rows.finish(out);
    } else {
        rows.unpack(&mut image, out);
    }
    Ok(())
}
