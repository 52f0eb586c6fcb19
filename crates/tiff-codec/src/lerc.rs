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
    let valid = decoded.mask.unwrap_or_default();
    let invalid = |index: usize| valid.get(index).is_some_and(|valid| *valid == 0);
    match &decoded.pixels {
        PixelData::U8(samples) if info.depth < u32::from(layout.samples) => {
            let colours = info.depth as usize;
            let pixels = out.chunks_exact_mut(colours + 1).zip(samples.chunks_exact(colours));
            for (index, (pixel, colour)) in pixels.enumerate() {
                pixel[..colours].copy_from_slice(colour);
                pixel[colours] = if invalid(index) { 0 } else { u8::MAX };
            }
            return Ok(());
        }
        samples => write_samples(samples, out),
    }
    if layout.format == SampleFormat::Float && !valid.is_empty() {
        let bytes = layout.sample_bytes();
        for (index, pixel) in out.chunks_exact_mut(usize::from(layout.samples) * bytes).enumerate() {
            if invalid(index) {
                fill_with_nan(pixel, bytes);
            }
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
    let alpha = info.depth.checked_add(1) == Some(samples) && info.data_type == DataType::U8;
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

fn write_samples(samples: &PixelData, out: &mut [u8]) {
    match samples {
        PixelData::I8(samples) => write_all(samples, i8::to_le_bytes, out),
        PixelData::U8(samples) => write_all(samples, u8::to_le_bytes, out),
        PixelData::I16(samples) => write_all(samples, i16::to_le_bytes, out),
        PixelData::U16(samples) => write_all(samples, u16::to_le_bytes, out),
        PixelData::I32(samples) => write_all(samples, i32::to_le_bytes, out),
        PixelData::U32(samples) => write_all(samples, u32::to_le_bytes, out),
        PixelData::F32(samples) => write_all(samples, f32::to_le_bytes, out),
        PixelData::F64(samples) => write_all(samples, f64::to_le_bytes, out),
    }
}

fn write_all<T: Copy, const N: usize>(samples: &[T], to_bytes: fn(T) -> [u8; N], out: &mut [u8]) {
    for (place, sample) in out.as_chunks_mut::<N>().0.iter_mut().zip(samples) {
        *place = to_bytes(*sample);
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
