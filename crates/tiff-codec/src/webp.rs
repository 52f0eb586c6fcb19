//! WebP, by libwebp, so that lossy images have the samples that libtiff gives.
#![allow(unsafe_code)]

use std::ffi::c_int;

use libwebp_sys::{
    VP8StatusCode, WebPBitstreamFeatures, WebPDecodeRGBAInto, WebPDecodeRGBInto, WebPGetFeatures,
};

use crate::{ChunkLayout, CodecError};

/// Decodes one image into interleaved RGB or RGBA.
pub(crate) fn decode(layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
    // SAFETY: the struct is plain integers, for which zero is a value.
    let mut features: WebPBitstreamFeatures = unsafe { std::mem::zeroed() };
    // SAFETY: pointer and length are those of one slice; the result goes to a live local.
    let status = unsafe { WebPGetFeatures(stored.as_ptr(), stored.len(), &raw mut features) };
    if status != VP8StatusCode::VP8_STATUS_OK {
        return Err(layout.damaged("no WebP header"));
    }
    let (width, height) = (features.width as u32, features.height as u32);
    let dropped_alpha = features.has_alpha != 0 && layout.samples == 3;
    if width != layout.width || height != layout.height || dropped_alpha || features.has_animation != 0 {
        return Err(CodecError::Mismatch {
            codec: layout.compression.name(),
            found: format!(
                "{width} x {height} pixels, {} alpha, {}",
                if features.has_alpha == 0 { "without" } else { "with" },
                if features.has_animation == 0 { "still" } else { "animated" }
            ),
            expected: format!("{} x {} of {} samples", layout.width, layout.height, layout.samples),
        });
    }
    let stride = c_int::try_from(layout.row_len()?).map_err(|_| layout.damaged("rows are too long"))?;
    let decode_into = if layout.samples == 3 { WebPDecodeRGBInto } else { WebPDecodeRGBAInto };
    // SAFETY: pointers and lengths are those of two slices that do not overlap; the library
    // checks that `height` rows of `stride` bytes fit the second and writes nowhere else.
    let written = unsafe { decode_into(stored.as_ptr(), stored.len(), out.as_mut_ptr(), out.len(), stride) };
    if written.is_null() {
        return Err(layout.damaged("the bitstream does not decode"));
    }
    Ok(())
}
