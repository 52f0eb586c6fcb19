//! What TIFF tags say beside the pixels: software, dates, colour profiles, resolution, private tags.

use std::{collections::HashSet, iter::Enumerate, slice};

use crate::{
    container::{Container, Entry, ValueError, Window, tag},
    discover::container_error,
    error::{Error, Result},
    files::Files,
    image::Image,
    plane_map::PlaneRef,
    sniff::ome_root,
};

/// Bytes of the largest tag value that is carried.
const MAX_VALUE: u64 = 256 << 20;

/// Tags page by page; see [`Fileset::original_metadata`](crate::Fileset::original_metadata).
pub struct OriginalMetadata<'a> {
    files: &'a Files,
    images: Enumerate<slice::Iter<'a, Image>>,
    current: Option<(usize, &'a Image, slice::Iter<'a, PlaneRef>)>,
    /// Tags of the first page of the image.
    first: Vec<Tag>,
    seen: HashSet<(u32, u32)>,
}

/// The tags of one page.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PageTags {
    /// Index of the image that the page belongs to.
    pub image: usize,
    /// Index into [`Fileset::files`](crate::Fileset::files).
    pub file: usize,
    /// Number of the page in the chain of its file.
    pub ifd: u32,
    /// Whether these are all tags of the page, or only those that are not as on the first page of the image.
    pub complete: bool,
    /// In the order of the file.
    pub tags: Vec<Tag>,
}

/// One tag.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Tag {
    /// Its number.
    pub code: u16,
    /// Its name in the specification that defines it.
    pub name: Option<&'static str>,
    /// The number of its field type: 2 is ASCII.
    pub field_type: u16,
    /// Its values.
    pub value: TagValue,
}

/// The values of a tag.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TagValue {
    /// ASCII (2), as bytes, because the encoding is anyone's guess; with the NULs.
    Ascii(Vec<u8>),
    /// BYTE (1) and UNDEFINED (7).
    Bytes(Vec<u8>),
    /// SHORT, LONG, IFD, LONG8 and IFD8.
    Unsigned(Vec<u64>),
    /// SBYTE, SSHORT, SLONG and SLONG8.
    Signed(Vec<i64>),
    /// RATIONAL: numerator and denominator.
    Rational(Vec<(u32, u32)>),
    /// SRATIONAL: numerator and denominator.
    SignedRational(Vec<(i32, i32)>),
    /// FLOAT.
    Float(Vec<f32>),
    /// DOUBLE.
    Double(Vec<f64>),
}

impl<'a> OriginalMetadata<'a> {
    pub(crate) fn new(files: &'a Files, images: &'a [Image]) -> Self {
        Self {
            files,
            images: images.iter().enumerate(),
            current: None,
            first: Vec::new(),
            seen: HashSet::new(),
        }
    }

    /// The tags of a page, but for those that say where its parts are, and for its OME-XML.
    fn page(&self, file: u32, page: u32) -> Result<Vec<Tag>> {
        let name = self.files.name(file);
        let Some((container, id)) = self.files.container(file).and_then(|c| Some((c, c.page(page)?))) else {
            return Err(Error::Damaged { file: name, what: format!("IFD {page} is gone") });
        };
        let entries = container.entries(id).map_err(|e| container_error(&name, e))?;
        let mut window = Window::new(&**container.source());
        let mut tags = Vec::with_capacity(entries.len());
        for entry in entries.iter().filter(|entry| !is_place(entry.tag)) {
            let tag = read_tag(container, entry, &mut window).map_err(|error| match error {
                ValueError::Io(source) => Error::Io { file: name.clone(), source },
                other => Error::Damaged { file: name.clone(), what: format!("IFD {page}: {other}") },
            })?;
            if let Some(tag) = tag {
                tags.push(tag);
            }
        }
        Ok(tags)
    }
}

impl Iterator for OriginalMetadata<'_> {
    type Item = Result<PageTags>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((index, image, planes)) = &mut self.current else {
                let (index, image) = self.images.next()?;
                self.current = Some((index, image, image.planes.iter()));
                self.seen.clear();
                continue;
            };
            let Some(place) = planes.next().copied() else {
                self.current = None;
                continue;
            };
            let page = image.full_page(place).0;
            if place.is_missing() || !self.seen.insert((place.file, page)) {
                continue;
            }
            let (image, complete) = (*index, self.seen.len() == 1);
            let mut tags = match self.page(place.file, page) {
                Ok(tags) => tags,
                Err(e) => return Some(Err(e)),
            };
            if complete {
                self.first.clone_from(&tags);
            } else {
                tags.retain(|tag| !self.first.contains(tag));
                if tags.is_empty() {
                    continue;
                }
            }
            return Some(Ok(PageTags { image, file: place.file as usize, ifd: page, complete, tags }));
        }
    }
}

/// Tags whose values are offsets into the file, or lengths there.
fn is_place(number: u16) -> bool {
    matches!(
        number,
        tag::STRIP_OFFSETS
            | tag::STRIP_BYTE_COUNTS
            | tag::TILE_OFFSETS
            | tag::TILE_BYTE_COUNTS
            | tag::SUB_IFDS
            | tag::FREE_OFFSETS
            | tag::FREE_BYTE_COUNTS
    )
}

fn read_tag(
    container: &Container,
    entry: &Entry,
    window: &mut Window<'_>,
) -> Result<Option<Tag>, ValueError> {
    if tag::type_size(entry.field_type).is_none() {
        // Of an unknown field type not even the length is known.
        return Ok(None);
    }
    let bytes = entry.bytes(window, MAX_VALUE)?;
    if entry.tag == tag::IMAGE_DESCRIPTION && ome_root(&bytes).is_some() {
        return Ok(None);
    }
    let big_endian = container.big_endian();
    let value = match entry.field_type {
        2 => TagValue::Ascii(bytes),
        1 | 7 => TagValue::Bytes(bytes),
        6 => TagValue::Signed(bytes.iter().map(|b| i64::from(*b as i8)).collect()),
        8 => TagValue::Signed(numbers(&bytes, big_endian, |b| i64::from(i16::from_le_bytes(b)))),
        9 => TagValue::Signed(numbers(&bytes, big_endian, |b| i64::from(i32::from_le_bytes(b)))),
        17 => TagValue::Signed(numbers(&bytes, big_endian, i64::from_le_bytes)),
        5 => TagValue::Rational(pairs(&numbers(&bytes, big_endian, u32::from_le_bytes))),
        10 => TagValue::SignedRational(pairs(&numbers(&bytes, big_endian, i32::from_le_bytes))),
        11 => TagValue::Float(numbers(&bytes, big_endian, f32::from_le_bytes)),
        12 => TagValue::Double(numbers(&bytes, big_endian, f64::from_le_bytes)),
        3 => TagValue::Unsigned(numbers(&bytes, big_endian, |b| u64::from(u16::from_le_bytes(b)))),
        4 | 13 => TagValue::Unsigned(numbers(&bytes, big_endian, |b| u64::from(u32::from_le_bytes(b)))),
        _ => TagValue::Unsigned(numbers(&bytes, big_endian, u64::from_le_bytes)),
    };
    Ok(Some(Tag { code: entry.tag, name: tag::name(entry.tag), field_type: entry.field_type, value }))
}

fn numbers<const N: usize, T>(bytes: &[u8], big_endian: bool, convert: impl Fn([u8; N]) -> T) -> Vec<T> {
    let little = |mut b: [u8; N]| {
        if big_endian {
            b.reverse();
        }
        convert(b)
    };
    bytes.as_chunks::<N>().0.iter().copied().map(little).collect()
}

fn pairs<T: Copy>(numbers: &[T]) -> Vec<(T, T)> {
    numbers.as_chunks::<2>().0.iter().map(|[a, b]| (*a, *b)).collect()
}
