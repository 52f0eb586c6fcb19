//! Samples of regions: every layout, every way of reading.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::thread;

use common::{Form, Memory, Page, chain, image, ome, open, plane, read, refusal, tiff};
use fairzarr_ome_tiff::tiff_codec::Container;
use fairzarr_ome_tiff::{Error, OpenOptions, PackedChunk, PlaneIndex, Region, SampleType, Scratch};
use proptest::prelude::*;

/// How one page is laid out.
#[derive(Clone, Debug)]
struct Layout {
    form: Form,
    width: u32,
    height: u32,
    samples: u16,
    planar: bool,
    bytes: u16,
    /// Tile width and height, or the rows of a strip.
    tile: Option<(u32, u32)>,
    rows: u32,
    /// PackBits, with literal runs only.
    packed: bool,
}

impl Layout {
    /// Byte `b`, the least significant first, of a sample.
    fn byte(sample: u16, y: u32, x: u32, b: u16) -> u8 {
        (u32::from(sample) * 97 + y * 31 + x * 7 + u32::from(b) * 131 + 1) as u8
    }

    /// The page, stored.
    fn page(&self) -> Page {
        let mut page =
            Page::gray(self.width.into(), self.height.into(), u64::from(self.bytes) * 8, Vec::new());
        let samples = usize::from(self.samples);
        page.set(258, &vec![u64::from(self.bytes) * 8; samples]);
        page.set(277, &[self.samples.into()]).set(284, &[if self.planar { 2 } else { 1 }]);
        page.set(259, &[if self.packed { 32773 } else { 1 }]);
        let (chunk_w, chunk_h) = self.tile.unwrap_or((self.width, self.rows));
        if self.tile.is_some() {
            page.tags.remove(&278);
            page.set(322, &[chunk_w.into()]).set(323, &[chunk_h.into()]);
        } else {
            page.set(278, &[self.rows.into()]);
        }
        page.chunks.clear();
        let planes: Vec<Vec<u16>> = if self.planar {
            (0..self.samples).map(|sample| vec![sample]).collect()
        } else {
            vec![(0..self.samples).collect()]
        };
        for plane in planes {
            for top in (0..self.height).step_by(chunk_h as usize) {
                for left in (0..self.width).step_by(chunk_w as usize) {
                    let rows = if self.tile.is_some() { chunk_h } else { chunk_h.min(self.height - top) };
                    page.chunks.push(self.chunk(&plane, top, left, rows, chunk_w));
                }
            }
        }
        page
    }

    fn chunk(&self, samples: &[u16], top: u32, left: u32, rows: u32, columns: u32) -> Vec<u8> {
        let mut stored = Vec::new();
        for y in top..top + rows {
            for x in left..left + columns {
                for sample in samples {
                    let mut bytes: Vec<u8> = (0..self.bytes).map(|b| Self::byte(*sample, y, x, b)).collect();
                    if self.form.big_endian {
                        bytes.reverse();
                    }
                    stored.extend(bytes);
                }
            }
        }
        if self.packed {
            stored.chunks(128).flat_map(|run| [&[run.len() as u8 - 1], run].concat()).collect()
        } else {
            stored
        }
    }

    fn file(&self) -> Vec<u8> {
        let pixel_type = match self.bytes {
            1 => "uint8",
            2 => "uint16",
            _ => "uint32",
        };
        let channel = format!(r#"<Channel ID="Channel:0" SamplesPerPixel="{}"/><TiffData/>"#, self.samples);
        let size = [self.width, self.height, 1, self.samples.into(), 1];
        tiff(self.form, &[self.page().described(&ome("", &image("XYZCT", pixel_type, size, &channel)))])
    }

    fn expected(&self, channels: std::ops::Range<u32>, region: Region) -> Vec<u8> {
        let mut samples = Vec::new();
        for c in channels {
            for y in region.y..region.y + region.h {
                for x in region.x..region.x + region.w {
                    samples.extend((0..self.bytes).map(|b| Self::byte(c as u16, y, x, b)));
                }
            }
        }
        samples
    }
}

fn layouts() -> impl Strategy<Value = Layout> {
    let form =
        (any::<bool>(), any::<bool>()).prop_map(|(big_endian, big_tiff)| Form { big_endian, big_tiff });
    let tile = prop::option::of((1_u32..24, 1_u32..24));
    (
        form,
        1_u32..50,
        1_u32..50,
        1_u16..5,
        any::<bool>(),
        prop::sample::select(vec![1_u16, 2, 4]),
        tile,
        1_u32..60,
        any::<bool>(),
    )
        .prop_map(|(form, width, height, samples, planar, bytes, tile, rows, packed)| Layout {
            form,
            width,
            height,
            samples,
            planar,
            bytes,
            tile,
            rows,
            packed,
        })
}

proptest! {
    #[test]
    fn regions_hold_the_stored_samples(
        layout in layouts(),
        regions in prop::collection::vec((any::<[u32; 4]>(), any::<prop::sample::Index>()), 1..8),
        stream_above in prop::sample::select(vec![0_usize, 64 << 20]),
        cache in prop::sample::select(vec![0_usize, 500, 1 << 20]),
    ) {
        let mut options = OpenOptions::default();
        options.stream_above = stream_above;
        let set = Memory::of([("a", layout.file())]).open_with("a", options).unwrap();
        let image = &set.images()[0];
        let groups = if layout.planar && layout.samples > 1 { usize::from(layout.samples) } else { 1 };
        prop_assert_eq!(image.channel_groups().len(), groups);
        let mut scratch = Scratch::with_cache(cache);
        for ([y, x, h, w], group) in regions {
            let (y, x) = (y % layout.height, x % layout.width);
            let region = Region { y, x, h: 1 + h % (layout.height - y), w: 1 + w % (layout.width - x) };
            let group = group.index(groups);
            let samples = read(image, PlaneIndex { t: 0, group: group as u32, z: 0 }, region, &mut scratch).unwrap();
            prop_assert_eq!(samples, layout.expected(image.channel_groups()[group].clone(), region));
        }
    }
}

fn gradient(tile: Option<(u32, u32)>, packed: bool) -> Layout {
    let form = Form { big_endian: true, big_tiff: true };
    Layout { form, width: 200, height: 150, samples: 3, planar: false, bytes: 2, tile, rows: 150, packed }
}

#[test]
fn threads_share_an_image() {
    for layout in [gradient(Some((32, 48)), true), gradient(None, false), gradient(None, true)] {
        let set = open(layout.file()).unwrap();
        let image = &set.images()[0];
        thread::scope(|scope| {
            for n in 0..4_u32 {
                let layout = &layout;
                scope.spawn(move || {
                    let mut scratch = Scratch::new();
                    for y in (n..120).step_by(4) {
                        let region = Region { y, x: n * 11, h: 30, w: 90 };
                        let samples =
                            read(image, PlaneIndex { t: 0, group: 0, z: 0 }, region, &mut scratch).unwrap();
                        assert_eq!(samples, layout.expected(0..3, region));
                    }
                });
            }
        });
    }
}

#[test]
fn sparse_chunks_are_zero() {
    let layout = gradient(Some((64, 64)), false);
    let mut page = layout.page();
    page.chunks[5].clear();
    let channel = r#"<Channel ID="Channel:0" SamplesPerPixel="3"/><TiffData/>"#;
    let xml = ome("", &image("XYZCT", "uint16", [200, 150, 1, 3, 1], channel));
    let set = open(tiff(layout.form, &[page.described(&xml)])).unwrap();
    let mut expected = layout.expected(0..3, Region { y: 0, x: 0, h: 150, w: 200 });
    for c in 0..3 {
        for y in 64..128 {
            let row = (c * 150 + y) * 400;
            expected[row + 128..row + 256].fill(0);
        }
    }
    assert_eq!(plane(&set.images()[0], 0, 0, 0).unwrap(), expected);
    let stored = set.images()[0].stored_chunk(0, PlaneIndex { t: 0, group: 0, z: 0 }, 1, 1).unwrap();
    assert!(stored.range.is_empty());
}

#[test]
fn stored_chunks_are_where_they_say() {
    let layout = gradient(Some((64, 64)), false);
    let file = layout.file();
    let set = open(file.clone()).unwrap();
    let chunk = set.images()[0].stored_chunk(0, PlaneIndex { t: 0, group: 0, z: 0 }, 2, 1).unwrap();
    assert_eq!((chunk.layout.width, chunk.layout.height, chunk.layout.samples), (64, 64, 3));
    let stored = &file[chunk.range.start as usize..chunk.range.end as usize];
    assert_eq!(set.images()[0].read_stored(&chunk).unwrap(), stored);
    assert_eq!(stored, layout.chunk(&[0, 1, 2], 128, 64, 64, 64));
    assert!(set.images()[0].stored_chunk(0, PlaneIndex { t: 0, group: 0, z: 0 }, 3, 0).is_err());
}

#[test]
fn requests_outside_are_refused() {
    let set = open(gradient(None, false).file()).unwrap();
    let image = &set.images()[0];
    let first = PlaneIndex { t: 0, group: 0, z: 0 };
    let region = Region { y: 0, x: 0, h: 150, w: 200 };
    let mut scratch = Scratch::new();
    let mut samples = vec![0; 150 * 200 * 6];
    let mut ask = |level, plane, region, len: usize| match image.read(
        level,
        plane,
        region,
        &mut samples[..len],
        &mut scratch,
    ) {
        Err(e @ Error::Request { .. }) => chain(&e),
        other => format!("{other:?}"),
    };
    assert_eq!(ask(1, first, region, 180_000), "image 0: there is no level 1 of 1");
    assert_eq!(
        ask(0, PlaneIndex { group: 1, ..first }, region, 180_000),
        "image 0: there is no channel group 1 of 1"
    );
    assert!(
        ask(0, PlaneIndex { t: 1, ..first }, region, 180_000)
            .contains("t 1, channel group 0, z 0 of an image of")
    );
    assert!(ask(0, first, Region { h: 151, ..region }, 180_000).contains("region of 151 rows from 0"));
    assert!(ask(0, first, Region { y: u32::MAX, ..region }, 180_000).contains("region of"));
    assert!(ask(0, first, Region { w: 0, ..region }, 0).contains("region of"));
    assert!(ask(0, first, region, 179_999).contains("samples of uint16 has 179999 bytes"));
}

#[test]
fn damage_in_a_chunk_is_named() {
    let layout = gradient(Some((64, 64)), true);
    let mut page = layout.page();
    page.chunks[6].truncate(100);
    let channel = r#"<Channel ID="Channel:0" SamplesPerPixel="3"/><TiffData/>"#;
    let xml = ome("", &image("XYZCT", "uint16", [200, 150, 1, 3, 1], channel));
    let set = open(tiff(layout.form, &[page.described(&xml)])).unwrap();
    let message = chain(&plane(&set.images()[0], 0, 0, 0).unwrap_err());
    assert!(
        message.starts_with(
            "image 0, t 0, channel group 0, z 0: a.ome.tif, IFD 0, tile (row 1, column 2) at offset"
        ),
        "{message}"
    );
    assert!(message.contains("PackBits data ends after 99 of"), "{message}");
}

/// One page of one row of samples, of `bits` and SampleFormat `format`.
fn typed(
    pixel_type: &str,
    bits: u64,
    format: Option<u64>,
    big_endian: bool,
    row: Vec<u8>,
    width: u32,
) -> Vec<u8> {
    let mut page = Page::gray(width.into(), 1, bits, row);
    if let Some(format) = format {
        page.set(339, &[format]);
    }
    let xml = ome("", &image("XYZCT", pixel_type, [width, 1, 1, 1, 1], "<TiffData/>"));
    tiff(Form { big_endian, big_tiff: false }, &[page.described(&xml)])
}

#[test]
fn sample_types() {
    let read = |file| {
        let set = open(file).unwrap();
        let image = &set.images()[0];
        (image.sample_type(), plane(image, 0, 0, 0).unwrap())
    };
    let bytes: Vec<u8> = (1..=16).collect();
    let swapped = |n: usize| bytes.chunks(n).flat_map(|part| part.iter().rev().copied()).collect::<Vec<u8>>();
    for (name, expected, bits, format, number) in [
        ("int8", SampleType::Int8, 8, 2, 1),
        ("uint16", SampleType::Uint16, 16, 1, 2),
        ("int32", SampleType::Int32, 32, 2, 4),
        ("float", SampleType::Float, 32, 3, 4),
        ("double", SampleType::Double, 64, 3, 8),
        ("complex", SampleType::ComplexFloat, 64, 6, 4),
        ("double-complex", SampleType::ComplexDouble, 128, 6, 8),
    ] {
        let width = 16 / (bits / 8);
        let file = |big_endian| typed(name, u64::from(bits), Some(format), big_endian, bytes.clone(), width);
        assert_eq!(read(file(false)), (expected, bytes.clone()), "{name}");
        assert_eq!(read(file(true)), (expected, swapped(number)), "{name}, big-endian");
    }
    assert_eq!(
        read(typed("bit", 1, None, false, vec![0b1010_0110, 0b1000_0000], 9)),
        (SampleType::Bit, vec![1, 0, 1, 0, 0, 1, 1, 0, 1])
    );
    assert_eq!(
        read(typed("uint16", 12, None, false, vec![0xab, 0xcd, 0xef], 2)),
        (SampleType::Uint16, vec![0xbc, 0x0a, 0xef, 0x0d])
    );
    // SampleFormat left out: the metadata know.
    assert_eq!(read(typed("float", 32, None, false, bytes[..4].to_vec(), 1)).0, SampleType::Float);
    assert_eq!(read(typed("int16", 16, None, false, bytes[..2].to_vec(), 1)).0, SampleType::Int16);
}

#[test]
fn types_that_disagree_are_refused() {
    let refuse = |name, bits, format| refusal(open(typed(name, bits, format, false, vec![0; 16], 1)));
    assert_eq!(
        refuse("uint16", 8, None),
        "image 0: a.ome.tif, IFD 0: the metadata say Type uint16, the tags say 8 bits, Uint"
    );
    assert!(refuse("float", 32, Some(1)).contains("Type float, the tags say 32 bits, Uint"));
    assert!(refuse("uint16", 16, Some(3)).contains("Type uint16, the tags say 16 bits, Float"));
    assert!(refuse("int8", 16, Some(2)).contains("Type int8, the tags say 16 bits, Int"));
    // Of a type that OME does not have only the tags know.
    let set = open(typed("triple", 16, None, false, vec![0; 16], 1)).unwrap();
    assert_eq!(set.images()[0].sample_type(), SampleType::Uint16);
    assert!(
        set.warnings()
            .iter()
            .any(|warning| warning.message.contains("Type is \"triple\", which OME does not have"))
    );
}

#[test]
fn the_metadata_decide_on_the_sign_in_both_directions() {
    for (name, expected, format) in [
        ("int8", SampleType::Int8, 1),
        ("uint8", SampleType::Uint8, 2),
        ("int16", SampleType::Int16, 1),
        ("uint16", SampleType::Uint16, 2),
        ("int32", SampleType::Int32, 1),
        ("uint32", SampleType::Uint32, 2),
    ] {
        let bits = 8 * expected.bytes() as u64;
        let set = open(typed(name, bits, Some(format), false, vec![0xff; 4], 1)).unwrap();
        assert_eq!(set.images()[0].sample_type(), expected, "{name}");
        let said = set.warnings().iter().any(|warning| warning.message.contains("read as"));
        assert!(said, "{name}: {:?}", set.warnings());
    }
}

#[test]
fn pages_that_are_stored_differently_are_named() {
    let gray = |change: &dyn Fn(&mut Page)| {
        let mut page = Page::gray(4, 4, 8, vec![1; 16]);
        change(&mut page);
        page
    };
    let xml = ome("", &image("XYZCT", "uint8", [4, 4, 2, 1, 1], "<TiffData PlaneCount=\"2\"/>"));
    let reason = |change: &dyn Fn(&mut Page)| {
        let pages = [gray(&|_| {}).described(&xml), gray(change)];
        open(tiff(Form::CLASSIC, &pages)).unwrap().images()[0].common_layout(0).unwrap_err()
    };
    let packed = reason(&|page| {
        page.set(259, &[32773]);
    });
    assert!(packed.contains("some are uncompressed, others PackBits"), "{packed}");
    let strips = reason(&|page| {
        page.set(278, &[2]);
        page.chunks = vec![vec![1; 8]; 2];
    });
    assert!(strips.contains("4 x 4 as the first, but 2 x 4 strips of IFD 1"), "{strips}");
    let predictor = reason(&|page| {
        page.set(317, &[2]);
    });
    assert!(predictor.contains("IFD 1"), "{predictor}");
    let alike = open(tiff(Form::CLASSIC, &[gray(&|_| {}).described(&xml), gray(&|_| {})])).unwrap();
    assert_eq!(alike.images()[0].common_layout(0).unwrap().height, 4);
}

#[test]
fn packed_chunks_start_at_corners_of_the_grid() {
    let page = Page::gray(4, 4, 8, (0..16).collect());
    let xml = ome("", &image("XYZCT", "uint8", [4, 4, 1, 1, 1], "<TiffData/>"));
    let set = open(tiff(Form::CLASSIC, &[page.described(&xml)])).unwrap();
    let first = PlaneIndex { t: 0, group: 0, z: 0 };
    let read = |y, out: &mut [u8]| {
        let region = Region { y, x: 0, h: 4 - y, w: 4 };
        set.images()[0].read_packed(0, first, region, Container::Bare, out, &mut Scratch::new())
    };
    let mut out = [0; 16];
    let chunks = read(0, &mut out).unwrap();
    let bytes: Vec<u8> = (0..16).collect();
    assert_eq!(out[..], bytes);
    assert_eq!(chunks, [PackedChunk { row: 0, column: 0, bytes: Some(bytes) }]);
    assert!(matches!(read(1, &mut out[..12]), Err(Error::Request { .. })));
}
