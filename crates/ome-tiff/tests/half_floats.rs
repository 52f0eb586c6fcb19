//! Samples of 16-bit floating point: read as 32 bits, with the same values, unless they are asked for as they are.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Form, Memory, Page, image, ome, plane, tiff};
use fairzarr_ome_tiff::{HalfFloats, OpenOptions, SampleType};
use half::f16;

/// Every half there is, in 256 rows.
fn all(big_endian: bool) -> Vec<u8> {
    let numbers = 0..=u16::MAX;
    numbers.flat_map(|n| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() }).collect()
}

fn page(big_endian: bool) -> Page {
    let mut page = Page::gray(256, 256, 16, all(big_endian));
    page.set(339, &[3]);
    page
}

#[test]
fn every_value_is_the_same_in_32_bits() {
    let xml = ome("", &image("XYZCT", "float", [256, 256, 1, 1, 1], r#"<TiffData IFD="0"/>"#));
    for big_endian in [false, true] {
        for page in [page(big_endian), page(big_endian).described(&xml)] {
            let file = tiff(Form { big_endian, big_tiff: false }, &[page]);
            let set = Memory::of([("a.tif", file)]).open("a.tif").unwrap();
            let image = &set.images()[0];
            assert_eq!(image.sample_type(), SampleType::Float);
            assert_eq!(image.significant_bits(), None);
            let samples = plane(image, 0, 0, 0).unwrap();
            for (n, sample) in samples.as_chunks::<4>().0.iter().enumerate() {
                let expected = f16::from_bits(n as u16).to_f32();
                assert_eq!(f32::from_le_bytes(*sample).to_bits(), expected.to_bits(), "{n:04x}");
            }
            assert!(set.warnings().is_empty(), "{:?}", set.warnings());
        }
    }
}

#[test]
fn on_request_they_are_read_as_they_are_stored() {
    let mut options = OpenOptions::default();
    options.half = HalfFloats::Float16;
    let file = tiff(Form { big_endian: true, big_tiff: false }, &[page(true)]);
    let set = Memory::of([("a.tif", file)]).open_with("a.tif", options).unwrap();
    assert_eq!(set.images()[0].sample_type(), SampleType::Float16);
    assert_eq!(plane(&set.images()[0], 0, 0, 0).unwrap(), all(false));
}

#[test]
fn a_type_of_16_bits_over_half_floats_is_refused() {
    let xml = ome("", &image("XYZCT", "uint16", [256, 256, 1, 1, 1], r#"<TiffData IFD="0"/>"#));
    let file = tiff(Form::CLASSIC, &[page(false).described(&xml)]);
    let refused = common::refusal(Memory::of([("a.tif", file)]).open("a.tif"));
    assert!(refused.contains("the metadata say Type uint16, the tags say 16 bits, Float"), "{refused}");
}
