//! Files that tifffile wrote from a formula (`tests/data/make.py`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};

use common::plane;
use fairzarr_ome_tiff::{Fileset, Image, Kind, PlaneIndex, Region, SampleType, Scratch, TagValue};
use tiff::decoder::{Decoder, DecodingResult, Limits};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn open(name: &str) -> Fileset {
    Fileset::open(fixture(name)).unwrap()
}

fn value(t: u32, c: u32, z: u32, y: u32, x: u32) -> u64 {
    u64::from(t) * 101 + u64::from(c) * 31 + u64::from(z) * 7 + u64::from(y) * 3 + u64::from(x)
}

/// One sample as it is read.
fn sample(sample_type: SampleType, value: u64) -> Vec<u8> {
    let small = value % 251;
    match sample_type {
        SampleType::Bit => vec![u8::from(value.is_multiple_of(3))],
        SampleType::Uint8 => vec![small as u8],
        SampleType::Uint16 => (small as u16).to_le_bytes().to_vec(),
        SampleType::Int32 => (small as i32).to_le_bytes().to_vec(),
        SampleType::Float => (small as f32).to_le_bytes().to_vec(),
        SampleType::ComplexFloat => {
            [(value as f32).to_le_bytes(), (0.0 - value as f32 * 2.0).to_le_bytes()].concat()
        }
        other => panic!("no fixture has {other}"),
    }
}

fn check(image: &Image, level: usize) {
    let sample_type = image.sample_type();
    let size = &image.levels()[level];
    let region = Region { y: 0, x: 0, h: size.y, w: size.x };
    let mut scratch = Scratch::new();
    for t in 0..image.shape().t {
        for (group, channels) in image.channel_groups().iter().enumerate() {
            for z in 0..image.shape().z {
                let mut expected = Vec::new();
                for c in channels.clone() {
                    for y in 0..size.y {
                        for x in 0..size.x {
                            expected.extend(sample(sample_type, value(t, c, z, y, x)));
                        }
                    }
                }
                let mut found = vec![0; expected.len()];
                image
                    .read(level, PlaneIndex { t, group: group as u32, z }, region, &mut found, &mut scratch)
                    .unwrap();
                assert!(
                    found == expected,
                    "{sample_type}: t {t}, channels {channels:?}, z {z}, level {level}"
                );
            }
        }
    }
}

#[test]
fn samples_follow_the_formula() {
    for (name, sample_type, groups) in [
        ("strips-le.ome.tif", SampleType::Uint16, 3),
        ("strips-be.ome.tif", SampleType::Uint16, 3),
        ("tiles-be-big.ome.tif", SampleType::Float, 3),
        ("tiles-predictor.ome.tif", SampleType::Int32, 3),
        ("one-strip-zlib.ome.tif", SampleType::Uint8, 3),
        ("complex-be.ome.tif", SampleType::ComplexFloat, 3),
        ("bit.ome.tif", SampleType::Bit, 3),
        ("rgb.ome.tif", SampleType::Uint8, 1),
        ("rgb-planar.ome.tif", SampleType::Uint8, 3),
        ("imagej.tif", SampleType::Uint16, 3),
        ("imagej-contiguous.tif", SampleType::Uint16, 3),
    ] {
        let set = open(name);
        assert!(set.warnings().is_empty(), "{name}: {:?}", set.warnings());
        let image = &set.images()[0];
        let shape = image.shape();
        assert_eq!((shape.t, shape.c, shape.z), (2, 3, 2), "{name}");
        assert_eq!(image.sample_type(), sample_type, "{name}");
        assert_eq!(image.channel_groups().len(), groups, "{name}");
        let kind = if name.starts_with("imagej") { Kind::ImageJ } else { Kind::OmeTiff };
        assert_eq!(set.kind(), kind, "{name}");
        check(image, 0);
    }
}

#[test]
fn pyramids_in_sub_ifds() {
    let set = open("pyramid.ome.tif");
    let image = &set.images()[0];
    let sizes: Vec<_> = image.levels().iter().map(|level| (level.y, level.x, level.grid.tiled)).collect();
    assert_eq!(sizes, [(64, 96, true), (32, 48, true), (16, 24, false)]);
    for level in 0..3 {
        check(image, level);
    }
}

#[test]
fn plain_pages_are_focal_planes_and_tags_are_kept() {
    let set = open("plain.tif");
    assert_eq!((set.kind(), set.images().len()), (Kind::PlainTiff, 1));
    let image = &set.images()[0];
    let shape = image.shape();
    assert_eq!((shape.t, shape.c, shape.z), (1, 1, 3));
    // WhiteIsZero is not inverted.
    check(image, 0);
    let pages: Vec<_> = set.original_metadata().collect::<Result<_, _>>().unwrap();
    assert_eq!(pages[0].ifd, 0);
    assert!(pages[0].complete && pages[1..].iter().all(|page| !page.complete));
    let tag = |code| pages[0].tags.iter().find(|tag| tag.code == code).map(|tag| tag.value.clone());
    assert_eq!(tag(305), Some(TagValue::Ascii(b"make.py\0".to_vec())));
    assert_eq!(tag(306), Some(TagValue::Ascii(b"2020:01:02 03:04:05\0".to_vec())));
    assert_eq!(tag(262), Some(TagValue::Unsigned(vec![0])));
    assert_eq!(tag(282), Some(TagValue::Rational(vec![(10, 1)])));
    assert_eq!(tag(65000), Some(TagValue::Ascii(b"private\0".to_vec())));
    assert_eq!(tag(34675), Some(TagValue::Bytes(b"ICC".to_vec())));
    assert_eq!(tag(273), None, "where chunks are is no metadata");
}

#[test]
fn the_document_is_kept_byte_for_byte() {
    let set = open("strips-le.ome.tif");
    assert_eq!(set.sources().len(), 1);
    let source = set.source_bytes(0).unwrap();
    let file = std::fs::read(fixture("strips-le.ome.tif")).unwrap();
    assert!(file.windows(source.len()).any(|window| *window == *source));
    assert_eq!(set.document().unwrap().bytes(), &*source);
    // The ImageJ description is no document, but a tag.
    let set = open("imagej.tif");
    assert!(set.sources().is_empty() && set.document().is_none());
    let first = set.original_metadata().next().unwrap().unwrap();
    assert!(first.tags.iter().any(|tag| tag.code == 270));
}

#[test]
fn calibration_without_ome_xml() {
    let steps = |name: &str| {
        let set = open(name);
        let found = set.images()[0].calibration().cloned();
        let step = |step: Option<fairzarr_ome_tiff::Step>| {
            step.map(|step| (step.size, step.unit.unwrap_or_default()))
        };
        found.map(|found| [found.x, found.y, found.z, found.t].map(step))
    };
    let um = || "um".to_owned();
    let [x, y, z, t] = steps("imagej.tif").unwrap();
    assert_eq!(
        (x, y, z, t),
        (Some((0.1, um())), Some((0.1, um())), Some((0.5, um())), Some((2.0, "s".to_owned())))
    );
    let cm = || "cm".to_owned();
    assert_eq!(steps("plain.tif"), Some([Some((0.1, cm())), Some((0.05, cm())), None, None]));
    assert_eq!(steps("strips-le.ome.tif"), None);
}

/// The `tiff` crate reads the same samples, where it gives stored ones.
#[test]
fn the_tiff_crate_agrees() {
    for name in [
        "strips-le.ome.tif",
        "strips-be.ome.tif",
        "tiles-be-big.ome.tif",
        "tiles-predictor.ome.tif",
        "one-strip-zlib.ome.tif",
        "imagej.tif",
    ] {
        let set = open(name);
        let image = &set.images()[0];
        let file = std::fs::File::open(fixture(name)).unwrap();
        let mut decoder = Decoder::new(file).unwrap().with_limits(Limits::unlimited());
        let shape = image.shape();
        for t in 0..shape.t {
            for c in 0..shape.c {
                for z in 0..shape.z {
                    let place = image.plane_location(t, c, z).unwrap();
                    decoder.seek_to_image(place.ifd as usize).unwrap();
                    let theirs: Vec<u8> = match decoder.read_image().unwrap() {
                        DecodingResult::U8(samples) => samples,
                        DecodingResult::U16(samples) => {
                            samples.iter().flat_map(|s| s.to_le_bytes()).collect()
                        }
                        DecodingResult::I32(samples) => {
                            samples.iter().flat_map(|s| s.to_le_bytes()).collect()
                        }
                        DecodingResult::F32(samples) => {
                            samples.iter().flat_map(|s| s.to_le_bytes()).collect()
                        }
                        _ => panic!("no fixture has these"),
                    };
                    assert!(plane(image, t, c, z).unwrap() == theirs, "{name}: t {t}, c {c}, z {z}");
                }
            }
        }
    }
}

#[test]
fn a_file_cut_anywhere_never_panics() {
    for name in ["rgb.ome.tif", "complex-be.ome.tif", "imagej-contiguous.tif", "plain.tif"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for len in (0..whole.len()).step_by(3) {
            let cut = common::Memory::of([("a", whole[..len].to_vec())]);
            if let Ok(set) = cut.open("a") {
                // Only what lies after the last sample may be missing.
                let _ = plane(&set.images()[0], 0, 0, 0);
            }
        }
    }
}
