//! LERC (Esri's Limited Error Raster Compression), alone or within Deflate or Zstandard.

use std::io::Read;

use lerc_core::{BlobInfo, DataType, PixelData};
use lerc_reader::InspectOptions;

use crate::zstandard::window_limit;
use crate::{ChunkLayout, CodecError, SampleFormat};

/// Decodes one blob into little-endian interleaved samples. A pixel that the blob's mask leaves out
/// becomes NaN where there is one, else zero; a mask beside 8-bit samples that are one fewer than
/// the tags say is the last of them (as libtiff writes alpha).
pub(crate) fn decode(layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
    let unwrapped;
    let blob = match layout.lerc_parameters {
        Some([_, NONE]) | None => stored,
        Some([_, DEFLATE]) => {
            unwrapped = unwrap(layout, flate2::bufread::ZlibDecoder::new(stored), out.len())?;
            &unwrapped
        }
        Some([_, _]) => {
            let mut reader =
                zstd::stream::read::Decoder::with_buffer(stored).map_err(|error| layout.damaged(error))?;
            reader.set_parameter(window_limit(out.len())).map_err(|error| layout.damaged(error))?;
            unwrapped = unwrap(layout, reader, out.len())?;
            &unwrapped
        }
    };
    let options = InspectOptions::new().with_compute_value_range(false);
    let info =
        lerc_reader::inspect_first_with_options(blob, options).map_err(|error| layout.damaged(error))?;
    check(layout, &info)?;
    let decoded = lerc_reader::decode_first(blob).map_err(|error| layout.damaged(error))?;
    let stored_samples = info.depth as usize;
    let bytes = layout.sample_bytes();
    let pixels = out.chunks_exact_mut(usize::from(layout.samples) * bytes);
    write_samples(&decoded.pixels, stored_samples, pixels);
    let alpha = stored_samples < usize::from(layout.samples);
    let valid = decoded.mask.unwrap_or_default();
    for (index, pixel) in out.chunks_exact_mut(usize::from(layout.samples) * bytes).enumerate() {
        let valid = valid.get(index).is_none_or(|valid| *valid != 0);
        if alpha {
            pixel[stored_samples] = if valid { u8::MAX } else { 0 };
        } else if !valid && layout.format == SampleFormat::Float {
            fill_with_nan(pixel, bytes);
        }
    }
    Ok(())
}

/// Values of LercParameters: what is around the blob.
const NONE: u32 = 0;
const DEFLATE: u32 = 1;

fn unwrap(layout: &ChunkLayout, reader: impl Read, decoded_len: usize) -> Result<Vec<u8>, CodecError> {
    // A blob is hardly larger than its samples: headers, a mask, tables.
    let limit = decoded_len.saturating_mul(2).saturating_add(64 << 10);
    let mut blob = Vec::new();
    reader.take(limit as u64).read_to_end(&mut blob).map_err(|error| layout.damaged(error))?;
    Ok(blob)
}

fn check(layout: &ChunkLayout, info: &BlobInfo) -> Result<(), CodecError> {
    let expected = match (layout.format, layout.bits) {
        (SampleFormat::Int, 8) => Some(DataType::I8),
        (SampleFormat::Int, 16) => Some(DataType::I16),
        (SampleFormat::Int, 32) => Some(DataType::I32),
        (SampleFormat::Uint | SampleFormat::Void, 8) => Some(DataType::U8),
        (SampleFormat::Uint | SampleFormat::Void, 16) => Some(DataType::U16),
        (SampleFormat::Uint | SampleFormat::Void, 32) => Some(DataType::U32),
        (SampleFormat::Float, 32) => Some(DataType::F32),
        (SampleFormat::Float, 64) => Some(DataType::F64),
        _ => None,
    };
    let samples = u32::from(layout.samples);
    let alpha = info.depth + 1 == samples && layout.bits == 8 && samples > 1;
    if expected == Some(info.data_type)
        && info.width == layout.width
        && info.height == layout.height
        && (info.depth == samples || alpha)
    {
        return Ok(());
    }
    Err(CodecError::Mismatch {
        codec: layout.compression.name(),
        found: format!(
            "{} x {} pixels of {} {:?} samples",
            info.width, info.height, info.depth, info.data_type
        ),
        expected: format!(
            "{} x {} of {samples} {:?} samples of {} bits",
            layout.width, layout.height, layout.format, layout.bits
        ),
    })
}

fn write_samples<'a>(samples: &PixelData, per_pixel: usize, pixels: impl Iterator<Item = &'a mut [u8]>) {
    macro_rules! write_all {
        ($samples:expr) => {
            for (samples, pixel) in $samples.chunks_exact(per_pixel).zip(pixels) {
                let bytes = samples.iter().flat_map(|sample| sample.to_le_bytes());
                for (to, from) in pixel.iter_mut().zip(bytes) {
                    *to = from;
                }
            }
        };
    }
    match samples {
        PixelData::I8(samples) => write_all!(samples),
        PixelData::U8(samples) => write_all!(samples),
        PixelData::I16(samples) => write_all!(samples),
        PixelData::U16(samples) => write_all!(samples),
        PixelData::I32(samples) => write_all!(samples),
        PixelData::U32(samples) => write_all!(samples),
        PixelData::F32(samples) => write_all!(samples),
        PixelData::F64(samples) => write_all!(samples),
    }
}

fn fill_with_nan(pixel: &mut [u8], bytes: usize) {
    for sample in pixel.chunks_exact_mut(bytes) {
        if bytes == 4 {
            sample.copy_from_slice(&f32::NAN.to_le_bytes());
        } else {
            sample.copy_from_slice(&f64::NAN.to_le_bytes());
        }
    }
}
