//! The private tags in which ImageJ keeps labels of slices, display ranges and lookup tables.
//!
//! `IJMetadataByteCounts` has the length of a header and of each item; `IJMetadata` is the header (`IJIJ`, then the
//! kind and number of the items of each kind) and the items themselves, all in the byte order of the file.

use crate::container::{Container, PageId, tag};

/// What the tags say; empty where they are not there or cannot be read, for they decide nothing about the samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct IjMetadata {
    /// One for each slice, channels fastest, then focal planes, then time points.
    pub(crate) labels: Vec<String>,
    /// Lowest and highest value shown, by channel.
    pub(crate) ranges: Vec<(f64, f64)>,
    /// The colour of the highest value, by channel.
    pub(crate) colors: Vec<[u8; 3]>,
}

impl IjMetadata {
    pub(crate) fn read(container: &Container, page: PageId) -> Self {
        let counts = container.value(page, tag::IJ_METADATA_BYTE_COUNTS, MAX_BYTES).ok().flatten();
        let bytes = container.value(page, tag::IJ_METADATA, MAX_BYTES).ok().flatten();
        let Some((counts, bytes)) = counts.zip(bytes) else { return Self::default() };
        let number = |b: &[u8; 4]| {
            if container.big_endian() { u32::from_be_bytes(*b) } else { u32::from_le_bytes(*b) }
        };
        let counts: Vec<u32> = counts.as_chunks::<4>().0.iter().map(number).collect();
        parse(&counts, &bytes, container.big_endian()).unwrap_or_default()
    }
}

fn parse(counts: &[u32], bytes: &[u8], big_endian: bool) -> Option<IjMetadata> {
    let number = |b: &[u8; 4]| if big_endian { u32::from_be_bytes(*b) } else { u32::from_le_bytes(*b) };
    let (header, items) = counts.split_first()?;
    let (head, mut rest) = bytes.split_at_checked(*header as usize)?;
    let head: Vec<u32> = head.as_chunks::<4>().0.iter().map(number).collect();
    let (magic, kinds) = head.split_first()?;
    if *magic != u32::from_be_bytes(*b"IJIJ") {
        return None;
    }
    let mut items = items.iter();
    let mut found = IjMetadata::default();
    for [kind, count] in kinds.as_chunks::<2>().0 {
        for len in items.by_ref().take(*count as usize) {
            let (item, after) = rest.split_at_checked(*len as usize)?;
            rest = after;
            match &kind.to_be_bytes() {
                b"labl" => found.labels.push(text(item, big_endian)),
                b"rang" => found.ranges.extend(pairs(item, big_endian)),
                b"luts" => found.colors.extend(last_color(item)),
                _ => {}
            }
        }
    }
    Some(found)
}

/// UTF-16, as Java has it.
fn text(bytes: &[u8], big_endian: bool) -> String {
    let unit = |b: &[u8; 2]| if big_endian { u16::from_be_bytes(*b) } else { u16::from_le_bytes(*b) };
    let units = bytes.as_chunks::<2>().0.iter().map(unit);
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn pairs(bytes: &[u8], big_endian: bool) -> Vec<(f64, f64)> {
    let number = |b: &[u8; 8]| if big_endian { f64::from_be_bytes(*b) } else { f64::from_le_bytes(*b) };
    let numbers: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(number).collect();
    numbers.as_chunks::<2>().0.iter().map(|[low, high]| (*low, *high)).collect()
}

/// A lookup table has 256 reds, then as many greens and blues.
fn last_color(table: &[u8]) -> Option<[u8; 3]> {
    let table: &[u8; 768] = table.try_into().ok()?;
    Some([table[255], table[511], table[767]])
}

/// Bytes of the tags that are looked at: a hundred thousand labels of eighty characters.
const MAX_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_ranges_and_colours_are_found_in_either_byte_order() {
        for big_endian in [false, true] {
            let number = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
            let double = |n: f64| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
            let kind = |name: &[u8; 4]| number(u32::from_be_bytes(*name));
            let mut bytes = [kind(b"IJIJ"), kind(b"labl"), number(2), kind(b"rang"), number(1)].concat();
            bytes.extend([kind(b"luts"), number(1)].concat());
            let header = bytes.len() as u32;
            for label in ["é", "b"] {
                let unit = label.encode_utf16().next().unwrap();
                bytes.extend(if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() });
            }
            bytes.extend([double(1.0), double(2.5)].concat());
            bytes.extend((0..768).map(|i| if i < 256 { i as u8 } else { 0 }));
            let found = parse(&[header, 2, 2, 16, 768], &bytes, big_endian).unwrap();
            assert_eq!(found.labels, ["é", "b"]);
            assert_eq!((found.ranges, found.colors), (vec![(1.0, 2.5)], vec![[255, 0, 0]]));
            // What is cut short says nothing.
            assert_eq!(parse(&[header, 2, 2, 16, 769], &bytes, big_endian), None);
            assert_eq!(parse(&[], &bytes, big_endian), None);
        }
    }
}
