//! Inputs of the fuzz targets: how bytes describe a stored chunk.

pub mod archives;
pub mod provenance;
pub mod seeds;

use fairzarr_tiff_codec::{ChunkLayout, Compression, Predictor, SampleFormat};

/// A small chunk: a header of [`HEADER_LEN`] bytes, JPEGTables, stored bytes.
pub fn chunk(data: &[u8]) -> Option<(ChunkLayout, &[u8])> {
    let (header, rest) = data.split_first_chunk::<HEADER_LEN>()?;
    let [
        compression,
        width,
        height,
        samples,
        bits,
        format,
        flags,
        photometric,
        subsampling,
        options,
        lerc,
        tables,
    ] = *header;
    let (tables, stored) = rest.split_at_checked(usize::from(tables) * 4)?;
    let layout = ChunkLayout {
        width: u32::from(width) + 1,
        height: u32::from(height) + 1,
        full_height: (u32::from(height) + 1) << (flags >> 4 & 1),
        samples: u16::from(samples % 6),
        bits: u16::from(bits),
        format: *FORMATS.get(usize::from(format))?,
        big_endian: flags & 1 != 0,
        compression: Compression::from_tag(*CODES.get(usize::from(compression))?),
        predictor: match flags >> 1 & 3 {
            0 => Predictor::None,
            1 => Predictor::Horizontal,
            _ => Predictor::FloatingPoint,
        },
        fill_order: if flags & 8 != 0 { 2 } else { 1 },
        photometric: u16::from(photometric),
        ycbcr_subsampling: (u16::from(subsampling >> 4), u16::from(subsampling & 15)),
        jpeg_tables: (!tables.is_empty()).then(|| tables.into()),
        t4_options: u32::from(options),
        t6_options: u32::from(options & 2),
        lerc_parameters: lerc.checked_sub(1).map(|around| [4, u32::from(around)]),
    };
    Some((layout, stored))
}

/// The bytes that [`chunk`] reads as this; `None` when the chunk is too large for it.
pub fn seed(layout: &ChunkLayout, stored: &[u8]) -> Option<Vec<u8>> {
    let byte = |value: u32| u8::try_from(value).ok();
    let tables = layout.jpeg_tables.as_deref().unwrap_or_default();
    // Bytes after the end marker of the tables mean nothing.
    let tables_words = tables.len().div_ceil(4);
    let predictor = match layout.predictor {
        Predictor::None => 0,
        Predictor::Horizontal => 2,
        Predictor::FloatingPoint => 4,
    };
    let (horizontal, vertical) = layout.ycbcr_subsampling;
    let code = layout.compression.code();
    let mut seed = vec![
        u8::try_from(CODES.iter().position(|known| *known == code)?).ok()?,
        byte(layout.width - 1)?,
        byte(layout.height - 1)?,
        byte(layout.samples.into())?,
        byte(layout.bits.into())?,
        u8::try_from(FORMATS.iter().position(|known| *known == layout.format)?).ok()?,
        u8::from(layout.big_endian)
            | predictor
            | if layout.fill_order == 2 { 8 } else { 0 }
            | if layout.full_height > layout.height { 16 } else { 0 },
        byte(layout.photometric.into())?,
        byte(u32::from(horizontal << 4 | vertical))?,
        byte(layout.t4_options)?,
        layout.lerc_parameters.map_or(Some(0), |[_, around]| byte(around + 1))?,
        u8::try_from(tables_words).ok()?,
    ];
    seed.extend(tables);
    seed.resize(HEADER_LEN + tables_words * 4, 0);
    seed.extend(stored);
    Some(seed)
}

/// Bytes before the JPEGTables.
pub const HEADER_LEN: usize = 12;

const CODES: [u16; 20] = [
    1, 2, 3, 4, 5, 7, 8, 32771, 32773, 33003, 33004, 33005, 34712, 34887, 34925, 34933, 50000, 50001, 50002,
    32809,
];

const FORMATS: [SampleFormat; 6] = [
    SampleFormat::Uint,
    SampleFormat::Int,
    SampleFormat::Float,
    SampleFormat::ComplexInt,
    SampleFormat::ComplexFloat,
    SampleFormat::Void,
];
