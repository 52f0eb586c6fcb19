//! JPEG 2000 (ISO/IEC 15444-1), as a codestream or in a JP2 file.
//!
//! Of reversible streams the samples are exact up to 24 bits. Colour is what the stream makes of
//! it: its own component transform is undone, and components that it declares as YCbCr, or that
//! are subsampled like YCbCr, become RGB.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

use crate::{ChunkLayout, CodecError, SampleFormat};

/// Decodes one image into little-endian interleaved samples.
pub(crate) fn decode(layout: &ChunkLayout, stored: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
    let size = Size::find(stored).ok_or_else(|| layout.damaged("no image size in the codestream"))?;
    check(layout, &size)?;
    if !codestream(stored).is_some_and(header_is_whole) {
        return Err(layout.damaged("the segments of the header do not follow one another"));
    }
    // What is not there must be an error, not the blur of fewer bit planes.
    let settings = DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let image = Image::new(stored, &settings).map_err(|error| layout.damaged(error))?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|error| layout.damaged(error))?;
    let components = decoded.components();
    let pixels = layout.width as usize * layout.height as usize;
    if components.len() != usize::from(layout.samples)
        || components.iter().any(|component| component.samples().len() != pixels)
    {
        return Err(layout.damaged("components differ in size"));
    }
    let bytes = layout.sample_bytes();
    // The decoder shifts signed components by half their range, as if they were unsigned.
    let (shift, top) = (1_i64 << (size.precision - 1), (1_i64 << size.precision) - 1);
    let shift = if size.signed { shift } else { 0 };
    for (index, component) in components.iter().enumerate() {
        let stride = components.len() * bytes;
        for (sample, pixel) in component.samples().iter().zip(out.chunks_exact_mut(stride)) {
            let value = (sample.round_ties_even() as i64).clamp(0, top) - shift;
            pixel[index * bytes..][..bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        }
    }
    Ok(())
}

fn check(layout: &ChunkLayout, size: &Size) -> Result<(), CodecError> {
    let signed = layout.format == SampleFormat::Int;
    let fits = u16::from(size.precision) <= layout.bits
        && size.width == layout.width
        && size.height == layout.height
        && size.components == layout.samples;
    if fits && size.signed == signed {
        return Ok(());
    }
    Err(CodecError::Mismatch {
        codec: layout.compression.name(),
        found: format!(
            "{} x {} pixels of {} {} samples of {} bits",
            size.width,
            size.height,
            size.components,
            if size.signed { "signed" } else { "unsigned" },
            size.precision
        ),
        expected: format!(
            "{} x {} of {} {} of {}",
            layout.width,
            layout.height,
            layout.samples,
            if signed { "signed" } else { "unsigned" },
            layout.bits
        ),
    })
}

/// What the SIZ marker says (ISO/IEC 15444-1, A.5.1), read before the decoder sees the stream, so
/// that no stream makes it reserve more than the chunk needs.
struct Size {
    width: u32,
    height: u32,
    components: u16,
    precision: u8,
    signed: bool,
}

impl Size {
    /// `None` when there is none, or when it makes no sense.
    fn find(stored: &[u8]) -> Option<Self> {
        let codestream = codestream(stored)?;
        let siz = codestream.strip_prefix(&[0xff, 0x4f, 0xff, 0x51])?;
        let word = |at: usize| Some(u32::from_be_bytes(*siz.get(at..)?.first_chunk()?));
        let (width, height) = (word(4)?.checked_sub(word(12)?)?, word(8)?.checked_sub(word(16)?)?);
        let (right, bottom) = (word(4)?.checked_sub(word(28)?)?, word(8)?.checked_sub(word(32)?)?);
        let (tile_width, tile_height) = (word(20)?, word(24)?);
        if tile_width == 0 || tile_height == 0 {
            return None;
        }
        // Tiles are numbered in 16 bits.
        let tiles = u64::from(right.div_ceil(tile_width)) * u64::from(bottom.div_ceil(tile_height));
        let components = u16::from_be_bytes(*siz.get(36..)?.first_chunk()?);
        let first = *siz.get(38)?;
        let alike = siz.get(38..)?.chunks_exact(3).take(usize::from(components)).all(|c| c[0] == first);
        let precision = (first & 0x7f) + 1;
        (tiles <= 65_535 && alike && precision <= 38).then_some(Self {
            width,
            height,
            components,
            precision,
            signed: first & 0x80 != 0,
        })
    }
}

/// Whether the length of each segment of the main header leads to the next, up to the first tile. The decoder reads
/// them without asking, and a header that contradicts itself gives other samples rather than none.
fn header_is_whole(codestream: &[u8]) -> bool {
    const START_OF_TILE: [u8; 2] = [0xff, 0x90];
    let mut rest = codestream.get(2..);
    while let Some([first, second, high, low, ..]) = rest {
        if [*first, *second] == START_OF_TILE {
            return true;
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if *first != 0xff || length < 2 {
            return false;
        }
        rest = rest.and_then(|rest| rest.get(2 + length..));
    }
    false
}

/// The codestream within the boxes of a JP2 file, or the whole if it is not one.
fn codestream(stored: &[u8]) -> Option<&[u8]> {
    if !stored.starts_with(b"\0\0\0\x0cjP  ") {
        return Some(stored);
    }
    let mut rest = stored;
    loop {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let (kind, tail) = tail.split_first_chunk::<4>()?;
        let length = match u32::from_be_bytes(*length) {
            0 => rest.len(),
            1 => usize::try_from(u64::from_be_bytes(*tail.first_chunk()?)).ok()?,
            length => length as usize,
        };
        let header = if rest.starts_with(&[0, 0, 0, 1]) { 16 } else { 8 };
        if kind == b"jp2c" {
            return rest.get(header..length.min(rest.len()));
        }
        rest = rest.get(length.max(header)..)?;
    }
}
