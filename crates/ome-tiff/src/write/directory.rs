//! Directories as bytes: classic ones with offsets of 32 bits, and those of BigTIFF.

use fairzarr_pixel::SampleType;
use fairzarr_tiff_codec::{Predictor, SampleFormat};

use super::Page;
use crate::container::tag;

/// How wide offsets are: classic TIFF or BigTIFF.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Offsets {
    /// 32 bits.
    Short,
    /// 64 bits.
    Long,
}

impl Offsets {
    fn bytes(self) -> usize {
        match self {
            Self::Short => 4,
            Self::Long => 8,
        }
    }

    /// An offset or a number that is as wide; [`super::TiffWriter::finish`] chooses so that it fits.
    fn put(self, value: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&value.to_le_bytes()[..self.bytes()]);
    }

    /// The header of a file whose first directory stands at `first`.
    pub(super) fn header(self, first: u64) -> Vec<u8> {
        let mut header = match self {
            Self::Short => vec![b'I', b'I', 42, 0],
            Self::Long => vec![b'I', b'I', 43, 0, 8, 0, 0, 0],
        };
        self.put(first, &mut header);
        header
    }
}

/// One entry of a directory.
#[derive(Clone, Debug)]
pub(super) struct Field {
    tag: u16,
    kind: u16,
    count: u64,
    value: Vec<u8>,
}

impl Field {
    fn shorts(tag: u16, values: &[u16]) -> Self {
        let value = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { tag, kind: 3, count: values.len() as u64, value }
    }

    pub(super) fn long(tag: u16, value: u32) -> Self {
        Self { tag, kind: 4, count: 1, value: value.to_le_bytes().to_vec() }
    }

    pub(super) fn text(tag: u16, text: &str) -> Self {
        let value = [text.as_bytes(), &[0]].concat();
        Self { tag, kind: 2, count: value.len() as u64, value }
    }

    /// LONG or LONG8.
    pub(super) fn offsets(tag: u16, values: &[u64], offsets: Offsets) -> Self {
        let mut value = Vec::with_capacity(values.len() * offsets.bytes());
        for of in values {
            offsets.put(*of, &mut value);
        }
        Self { tag, kind: if offsets == Offsets::Long { 16 } else { 4 }, count: values.len() as u64, value }
    }
}

/// What says how a page is laid out and where its chunks are.
pub(super) fn fields(page: &Page, offsets: Offsets) -> Vec<Field> {
    let form = &page.form;
    let samples = usize::from(form.samples);
    let bits = if form.sample_type == SampleType::Bit { 1 } else { form.sample_type.bytes() as u16 * 8 };
    let format = match form.format() {
        SampleFormat::Int => 2,
        SampleFormat::Float => 3,
        SampleFormat::ComplexFloat => 6,
        _ => 1,
    };
    // Colour where there are colours; what goes beyond them means nothing in particular.
    let colours = if samples >= 3 { 3 } else { 1 };
    let mut fields = vec![
        Field::long(tag::IMAGE_WIDTH, form.width),
        Field::long(tag::IMAGE_LENGTH, form.height),
        Field::shorts(tag::BITS_PER_SAMPLE, &vec![bits; samples]),
        Field::shorts(tag::COMPRESSION, &[form.compression.code()]),
        Field::shorts(tag::PHOTOMETRIC, &[if colours == 3 { 2 } else { 1 }]),
        Field::shorts(tag::SAMPLES_PER_PIXEL, &[form.samples]),
        Field::shorts(tag::PLANAR_CONFIGURATION, &[1]),
        Field::shorts(tag::SAMPLE_FORMAT, &vec![format; samples]),
    ];
    if samples > colours {
        fields.push(Field::shorts(tag::EXTRA_SAMPLES, &vec![0; samples - colours]));
    }
    if form.predictor() == Predictor::Horizontal {
        fields.push(Field::shorts(tag::PREDICTOR, &[2]));
    }
    let (places, lengths): (Vec<u64>, Vec<u64>) =
        page.chunks.iter().map(|chunk| (chunk.offset, chunk.len)).unzip();
    let (place, length) = if form.grid.tiled {
        fields.push(Field::long(tag::TILE_WIDTH, form.grid.width));
        fields.push(Field::long(tag::TILE_LENGTH, form.grid.height));
        (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
    } else {
        fields.push(Field::long(tag::ROWS_PER_STRIP, form.grid.height));
        (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
    };
    for tag in &form.tags {
        fields.retain(|field| field.tag != tag.code);
        fields.push(Field {
            tag: tag.code,
            kind: tag.field_type,
            count: tag.count,
            value: tag.bytes.clone(),
        });
    }
    fields.push(Field::offsets(place, &places, offsets));
    fields.push(Field::offsets(length, &lengths, offsets));
    fields
}

/// A directory that stands at `at`, with its values behind it, to a multiple of 8 bytes; `next` is where the next one
/// of the chain stands.
pub(super) fn directory(offsets: Offsets, at: u64, mut fields: Vec<Field>, next: u64) -> Vec<u8> {
    fields.sort_by_key(|field| field.tag);
    let width = offsets.bytes();
    let (counter, entry) = match offsets {
        Offsets::Short => (2, 12),
        Offsets::Long => (8, 20),
    };
    let length = counter + fields.len() * entry + width;
    let mut values: Vec<u8> = Vec::new();
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(&(fields.len() as u64).to_le_bytes()[..counter]);
    let behind = length.next_multiple_of(8);
    for field in fields {
        bytes.extend_from_slice(&field.tag.to_le_bytes());
        bytes.extend_from_slice(&field.kind.to_le_bytes());
        offsets.put(field.count, &mut bytes);
        if field.value.len() <= width {
            let room = width - field.value.len();
            bytes.extend_from_slice(&field.value);
            bytes.resize(bytes.len() + room, 0);
        } else {
            offsets.put(at + (behind + values.len()) as u64, &mut bytes);
            values.extend_from_slice(&field.value);
            values.resize(values.len().next_multiple_of(8), 0);
        }
    }
    offsets.put(next, &mut bytes);
    bytes.resize(behind, 0);
    bytes.extend(values);
    bytes
}
