//! JPEG XL (ISO/IEC 18181), as a codestream or in a container.

use jxl_oxide::image::BitDepth;
use jxl_oxide::{AllocTracker, JxlImage, JxlThreadPool};

use crate::{ChunkLayout, CodecError, SampleFormat};

/// Decodes the first frame into little-endian interleaved samples, extra channels last.
pub(crate) fn decode(layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
    // The decoder works in 32-bit planes and keeps a few of each.
    let memory_limit = out.len().saturating_mul(64).saturating_add(64 << 20);
    let image = JxlImage::builder()
        .pool(JxlThreadPool::none())
        .alloc_tracker(AllocTracker::with_limit(memory_limit))
        .read(stored)
        .map_err(|error| layout.damaged(error))?;
    check(layout, &image)?;
    if !image.is_loading_done() || image.num_loaded_keyframes() == 0 {
        return Err(layout.damaged("the stream ends early"));
    }
    let render = image.render_frame(0).map_err(|error| layout.damaged(error))?;
    let planes = render.image_planar();
    let (width, height) = (layout.width as usize, layout.height as usize);
    if planes.len() != usize::from(layout.samples)
        || planes.iter().any(|plane| plane.width() != width || plane.height() != height)
    {
        return Err(layout.damaged("planes differ in size"));
    }
    let bytes = layout.sample_bytes();
    // Integers come as fractions of the largest one, which single precision tells apart.
    let top = ((1_u32 << layout.bits.min(16)) - 1) as f32;
    for (index, plane) in planes.iter().enumerate() {
        let pixels = out.chunks_exact_mut(planes.len() * bytes);
        for (sample, pixel) in plane.buf().iter().zip(pixels) {
            let pixel = &mut pixel[index * bytes..][..bytes];
            if layout.format == SampleFormat::Float {
                pixel.copy_from_slice(&sample.to_le_bytes());
            } else {
                let value = (sample * top).round_ties_even().clamp(0.0, top) as u32;
                pixel.copy_from_slice(&value.to_le_bytes()[..bytes]);
            }
        }
    }
    Ok(())
}

fn check(layout: &ChunkLayout, image: &JxlImage) -> Result<(), CodecError> {
    let metadata = &image.image_header().metadata;
    let samples = image.pixel_format().channels();
    let float = layout.format == SampleFormat::Float;
    let depths_fit = std::iter::once(metadata.bit_depth)
        .chain(metadata.ec_info.iter().map(|channel| channel.bit_depth))
        .all(|depth| match depth {
            BitDepth::IntegerSample { bits_per_sample } => {
                !float && bits_per_sample == u32::from(layout.bits)
            }
            BitDepth::FloatSample { bits_per_sample, .. } => {
                float && bits_per_sample == u32::from(layout.bits)
            }
        });
    if image.width() == layout.width
        && image.height() == layout.height
        && samples == usize::from(layout.samples)
        && depths_fit
        && metadata.orientation == 1
    {
        return Ok(());
    }
    Err(CodecError::Mismatch {
        codec: layout.compression.name(),
        found: format!(
            "{} x {} pixels of {samples} samples, {:?}, orientation {}",
            image.width(),
            image.height(),
            metadata.bit_depth,
            metadata.orientation
        ),
        expected: format!(
            "{} x {} of {} {:?} of {} bits, orientation 1",
            layout.width, layout.height, layout.samples, layout.format, layout.bits
        ),
    })
}
