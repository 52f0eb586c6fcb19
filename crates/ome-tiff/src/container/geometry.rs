//! What the tags of a page say about the shape of its samples and chunks.
//!
//! Pages of one plane each, a hundred thousand of them, are alike: the geometry is parsed once and shared.

use std::{collections::HashMap, sync::Arc};

use fairzarr_tiff_codec::{ChunkLayout, Compression, Predictor, SampleFormat};

use super::{
    ifd::{Form, label},
    tag,
};

/// The layout of one page: an image or a reduced copy of one.
#[derive(Clone, Debug)]
pub(crate) struct Geometry {
    /// Pixels.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Samples of a pixel.
    pub(crate) samples: u16,
    /// Whether each sample has chunks of its own.
    pub(crate) planar: bool,
    pub(crate) tiled: bool,
    /// Chunks in a row and in a column.
    pub(crate) across: u64,
    pub(crate) down: u64,
    /// NewSubfileType.
    subfile_type: u64,
    /// What the page says itself.
    pub(crate) given: Given,
    /// The tag that is read past, as OME readers do; 1 where the first row is the top one.
    pub(crate) orientation: u16,
    /// A whole chunk.
    pub(crate) layout: ChunkLayout,
}

/// Which tags are there, of those whose default need not be what is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    /// SampleFormat; many writers leave it out.
    pub(crate) format: bool,
    /// Compression; TIFF has it that nothing is compressed without it.
    compression: bool,
}

/// The values of the layout tags of one page, out-of-line ones included.
pub(crate) type LayoutTags = HashMap<u16, (u16, Vec<u8>)>;

impl Geometry {
    /// Reads the tags; the error says in words which of them makes no sense.
    pub(crate) fn parse(form: Form, tags: &LayoutTags) -> Result<Self, String> {
        let get = Getter { form, tags };
        let width = get.required(tag::IMAGE_WIDTH)?;
        let height = get.required(tag::IMAGE_LENGTH)?;
        if width == 0 || height == 0 {
            return Err(format!("the image has {width} x {height} pixels"));
        }
        let samples = get.u16_or(tag::SAMPLES_PER_PIXEL, 1)?;
        if samples == 0 {
            return Err("SamplesPerPixel is 0".to_owned());
        }
        let planar = match get.u16_or(tag::PLANAR_CONFIGURATION, 1)? {
            1 => false,
            2 => samples > 1,
            other => return Err(format!("PlanarConfiguration is {other}, expected 1 or 2")),
        };
        let bits = get.uniform(tag::BITS_PER_SAMPLE, 1)?;
        let format = match get.uniform(tag::SAMPLE_FORMAT, 1)? {
            1 => SampleFormat::Uint,
            2 => SampleFormat::Int,
            3 => SampleFormat::Float,
            4 => SampleFormat::Void,
            5 => SampleFormat::ComplexInt,
            6 => SampleFormat::ComplexFloat,
            other => return Err(format!("SampleFormat is {other}, expected 1 to 6")),
        };
        let predictor = match get.u16_or(tag::PREDICTOR, 1)? {
            1 => Predictor::None,
            2 => Predictor::Horizontal,
            3 => Predictor::FloatingPoint,
            other => return Err(format!("Predictor is {other}, expected 1, 2 or 3")),
        };
        let tiled = tags.contains_key(&tag::TILE_WIDTH) || tags.contains_key(&tag::TILE_LENGTH);
        let (chunk_width, chunk_height, full_height) = if tiled {
            let tile = (get.required(tag::TILE_WIDTH)?, get.required(tag::TILE_LENGTH)?);
            if tile.0 == 0 || tile.1 == 0 {
                return Err(format!("the tiles have {} x {} pixels", tile.0, tile.1));
            }
            (tile.0, tile.1, tile.1)
        } else {
            // Absent, zero and 2^32 - 1 all mean one strip.
            let rows = get.uint_or(tag::ROWS_PER_STRIP, 0)?;
            let rows = u32::try_from(rows).unwrap_or(u32::MAX);
            // Some writers store as many rows even where fewer are left of the image.
            if matches!(rows, 0 | u32::MAX) {
                (width, height, height)
            } else {
                (width, rows.min(height), rows)
            }
        };
        let subsampling = get.u16s(tag::YCBCR_SUBSAMPLING)?;
        let lerc = get.uints(tag::LERC_PARAMETERS)?;
        let fill_order = get.u16_or(tag::FILL_ORDER, 1)?;
        let layout = ChunkLayout {
            width: chunk_width,
            height: chunk_height,
            full_height,
            samples: if planar { 1 } else { samples },
            bits,
            format,
            big_endian: form.big_endian,
            compression: Compression::from_tag(get.u16_or(tag::COMPRESSION, 1)?),
            predictor,
            fill_order: u8::try_from(fill_order)
                .map_err(|_| format!("FillOrder is {fill_order}, expected 1 or 2"))?,
            photometric: get.u16_or(tag::PHOTOMETRIC, if samples >= 3 { 2 } else { 1 })?,
            ycbcr_subsampling: match subsampling[..] {
                [h, v, ..] => (h, v),
                _ => (2, 2),
            },
            jpeg_tables: tags
                .get(&tag::JPEG_TABLES)
                .filter(|(_, bytes)| !bytes.is_empty())
                .map(|(_, bytes)| Arc::from(bytes.as_slice())),
            t4_options: get.uint_or(tag::T4_OPTIONS, 0)? as u32,
            t6_options: get.uint_or(tag::T6_OPTIONS, 0)? as u32,
            lerc_parameters: match lerc[..] {
                [version, wrapper, ..] => Some([version as u32, wrapper as u32]),
                _ => None,
            },
        };
        Ok(Self {
            width,
            height,
            samples,
            planar,
            tiled,
            across: u64::from(width.div_ceil(chunk_width)),
            down: u64::from(height.div_ceil(chunk_height)),
            subfile_type: get.uint_or(tag::NEW_SUBFILE_TYPE, 0)?,
            given: Given {
                format: tags.contains_key(&tag::SAMPLE_FORMAT) && format != SampleFormat::Void,
                compression: tags.contains_key(&tag::COMPRESSION),
            },
            orientation: get.u16_or(tag::ORIENTATION, 1)?,
            layout,
        })
    }

    /// Whether the page calls itself a reduced copy of another.
    pub(crate) fn is_reduced(&self) -> bool {
        self.subfile_type & 1 != 0
    }

    /// Whether the page calls itself a transparency mask of another.
    pub(crate) fn is_mask(&self) -> bool {
        self.subfile_type & 4 != 0
    }

    /// Whether the page calls itself an overview, as slide scanners do that set a bit which TIFF does not define.
    pub(crate) fn is_overview(&self) -> bool {
        self.subfile_type & 8 != 0
    }

    /// Chunks of the page: row by row, one sample after another where they are apart.
    pub(crate) fn chunk_count(&self) -> u64 {
        let samples = if self.planar { u64::from(self.samples) } else { 1 };
        self.chunks_per_sample().saturating_mul(samples)
    }

    /// Chunks of the page, or of one sample where they are apart; at least 1.
    pub(crate) fn chunks_per_sample(&self) -> u64 {
        // 2^32 * 2^32 tiles of one pixel would overflow; no file lists as many.
        self.across.saturating_mul(self.down)
    }

    /// Layout of a chunk in row `row` of the grid; the last strip ends with the image, tiles are padded.
    pub(crate) fn chunk_layout(&self, row: u64) -> ChunkLayout {
        ChunkLayout { height: self.chunk_rows(row), ..self.layout.clone() }
    }

    /// Rows that a chunk in row `row` of the grid stores.
    pub(crate) fn chunk_rows(&self, row: u64) -> u32 {
        let full = self.layout.height;
        if self.tiled {
            return full;
        }
        let before = row.saturating_mul(u64::from(full)).min(u64::from(self.height)) as u32;
        full.min(self.height - before)
    }

    /// Bytes of one stored row of a chunk, where nothing is compressed: bits packed, rows whole bytes.
    pub(crate) fn stored_row_len(&self) -> Option<u64> {
        u64::from(self.layout.width)
            .checked_mul(u64::from(self.layout.samples))?
            .checked_mul(u64::from(self.layout.bits))
            .map(|bits| bits.div_ceil(8))
    }

    /// Whether a chunk of `len` bytes, of which the samples fill `needed`, is compressed for all that is known.
    pub(crate) fn may_be_compressed(&self, len: u64, needed: u64) -> bool {
        !self.given.compression && len != needed
    }

    /// Bytes that a chunk in row `row` must have at least, as far as the tags tell.
    pub(crate) fn stored_len(&self, row: u64) -> Option<u64> {
        if self.layout.compression == Compression::None {
            self.stored_row_len()?.checked_mul(u64::from(self.chunk_rows(row)))
        } else {
            Some(1)
        }
    }
}

struct Getter<'a> {
    form: Form,
    tags: &'a LayoutTags,
}

impl Getter<'_> {
    fn uints(&self, number: u16) -> Result<Vec<u64>, String> {
        let Some((field_type, bytes)) = self.tags.get(&number) else { return Ok(Vec::new()) };
        let size = match field_type {
            1 => 1,
            3 => 2,
            4 => 4,
            16 => 8,
            other => return Err(format!("{} has field type {other}", label(number))),
        };
        Ok(bytes.chunks_exact(size).filter_map(|b| self.form.uint(b)).collect())
    }

    fn uint_or(&self, number: u16, default: u64) -> Result<u64, String> {
        Ok(self.uints(number)?.first().copied().unwrap_or(default))
    }

    fn u16_or(&self, number: u16, default: u16) -> Result<u16, String> {
        let value = self.uint_or(number, u64::from(default))?;
        u16::try_from(value).map_err(|_| format!("{} is {value}", label(number)))
    }

    fn u16s(&self, number: u16) -> Result<Vec<u16>, String> {
        self.uints(number)?
            .into_iter()
            .map(|v| u16::try_from(v).map_err(|_| format!("{} is {v}", label(number))))
            .collect()
    }

    fn required(&self, number: u16) -> Result<u32, String> {
        let value = *self.uints(number)?.first().ok_or_else(|| format!("{} is missing", label(number)))?;
        u32::try_from(value).map_err(|_| format!("{} is {value}", label(number)))
    }

    /// A tag with one value for each sample, which must all be equal.
    fn uniform(&self, number: u16, default: u16) -> Result<u16, String> {
        let values = self.u16s(number)?;
        let first = values.first().copied().unwrap_or(default);
        if values.iter().all(|v| *v == first) {
            Ok(first)
        } else {
            Err(format!("{} differs between the samples of a pixel: {values:?}", label(number)))
        }
    }
}
