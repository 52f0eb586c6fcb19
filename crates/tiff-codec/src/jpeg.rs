//! JPEG (TIFF Technical Note 2), with the samples that libjpeg-turbo gives: the accurate integer
//! transform, smooth upsampling of chroma.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

// Links the library that the C side calls.
use mozjpeg_sys as _;

use crate::layout::PHOTOMETRIC_YCBCR;
use crate::{ChunkLayout, CodecError};

/// Decodes one abbreviated or whole stream into interleaved 8-bit samples.
///
/// The conversion from YCbCr to RGB is made for photometric YCbCr, and for photometric RGB when a
/// JFIF marker says that the stream is YCbCr nevertheless, as some writers leave it.
pub(crate) fn decode(layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
    let tables = layout.jpeg_tables.as_deref().unwrap_or_default();
    // Whole-image coefficients of a progressive stream take two bytes a sample, padded to blocks.
    let memory_limit = out.len().saturating_mul(4).saturating_add(16 << 20).min(c_int::MAX as usize);
    let mut job = Job {
        tables: tables.as_ptr(),
        tables_len: tables.len(),
        stored: stored.as_ptr(),
        stored_len: stored.len(),
        out: out.as_mut_ptr(),
        memory_limit,
        width: layout.width,
        height: layout.height,
        most_height: layout.full_height.max(layout.height).saturating_mul(2),
        samples: u32::from(layout.samples),
        colour: match layout.photometric {
            PHOTOMETRIC_RGB => COLOUR_RGB_UNLESS_JFIF,
            PHOTOMETRIC_YCBCR | PHOTOMETRIC_SEPARATED => COLOUR_BY_STREAM,
            _ => COLOUR_AS_STORED,
        },
        found_width: 0,
        found_height: 0,
        found_samples: 0,
        message: [0; MESSAGE_LEN],
    };
    debug_assert_eq!(Ok(out.len()), layout.decoded_len());
    // SAFETY: `Job` is laid out as the C struct. The pointers are valid for the lengths beside
    // them during the call, `out` for `width * height * samples` bytes, which is its length as
    // the caller has checked (8-bit samples). The function keeps none of them, and returns
    // normally whatever the data.
    let status = unsafe { fairzarr_jpeg_decode(&raw mut job) };
    match status {
        DECODED => Ok(()),
        MISMATCH => Err(CodecError::Mismatch {
            codec: layout.compression.name(),
            found: format!(
                "{} x {} pixels of {} samples",
                job.found_width, job.found_height, job.found_samples
            ),
            expected: format!("{} x {} of {}", layout.width, layout.height, layout.samples),
        }),
        _ => Err(layout.damaged(job.message())),
    }
}

const PHOTOMETRIC_RGB: u16 = 2;
const PHOTOMETRIC_SEPARATED: u16 = 5;

/// `JMSG_LENGTH_MAX` of libjpeg.
const MESSAGE_LEN: usize = 200;

const COLOUR_AS_STORED: u32 = 0;
const COLOUR_RGB_UNLESS_JFIF: u32 = 1;
const COLOUR_BY_STREAM: u32 = 2;

const DECODED: c_int = 0;
const MISMATCH: c_int = 2;

/// `fairzarr_jpeg` in c/jpeg.c.
#[repr(C)]
struct Job {
    tables: *const u8,
    tables_len: usize,
    stored: *const u8,
    stored_len: usize,
    out: *mut u8,
    memory_limit: usize,
    width: u32,
    height: u32,
    most_height: u32,
    samples: u32,
    colour: u32,
    found_width: u32,
    found_height: u32,
    found_samples: u32,
    message: [c_char; MESSAGE_LEN],
}

impl Job {
    fn message(&self) -> String {
        let bytes: Vec<u8> =
            self.message.iter().map(|byte| *byte as u8).take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

unsafe extern "C" {
    fn fairzarr_jpeg_decode(job: *mut Job) -> c_int;
}
