//! Chunks that other software encoded (tests/fixtures, made by make.py), decoded bit for bit.

mod fixtures {
    pub(crate) mod read;
}

use fairzarr_tiff_codec::{CodecError, Compression, Decoder, RowStream, can_stream};
use fixtures::read::{Fixture, fixtures};

#[test]
fn every_chunk_gives_its_samples() {
    let mut decoder = Decoder::new();
    let mut failures = Vec::new();
    for fixture in supported() {
        let mut out = vec![0xa5; fixture.layout.decoded_len().unwrap()];
        match decoder.decode(&fixture.layout, &fixture.stored, &mut out) {
            Ok(()) => {
                let off = fixture.distance(&out);
                if off > fixture.tolerance {
                    failures.push(format!("{}: samples off by {off}", fixture.name));
                }
            }
            Err(error) => failures.push(format!("{}: {error}", fixture.name)),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn rows_in_order_are_the_rows_of_the_chunk() {
    let mut streamed = 0;
    for fixture in supported().filter(|fixture| can_stream(&fixture.layout)) {
        streamed += 1;
        let row_len = fixture.layout.row_len().unwrap();
        for rows_at_once in [1, 3, fixture.layout.height as usize] {
            let mut stream = RowStream::new(fixture.layout.clone(), fixture.stored.as_slice()).unwrap();
            for expected in fixture.expected.chunks(rows_at_once * row_len) {
                let mut out = vec![0; expected.len()];
                stream.read_rows(&mut out).unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
                assert_eq!(out, expected, "{}", fixture.name);
            }
            assert_eq!(stream.rows_left(), 0);
        }
        let mut stream = RowStream::new(fixture.layout.clone(), fixture.stored.as_slice()).unwrap();
        let mut out = vec![0; row_len];
        stream.skip_rows(2).unwrap();
        stream.read_rows(&mut out).unwrap();
        assert_eq!(out, fixture.expected[2 * row_len..3 * row_len], "{}", fixture.name);
        let left = stream.rows_left();
        assert!(matches!(stream.skip_rows(left + 1), Err(CodecError::OutputSize { .. })));
    }
    assert!(streamed > 100, "only {streamed} chunks could be streamed");
}

#[test]
fn a_jpeg_2000_header_that_contradicts_itself_is_an_error() {
    let mut decoder = Decoder::new();
    let mut changed = 0;
    for fixture in
        supported().filter(|fixture| matches!(fixture.layout.compression, Compression::Jpeg2000(_)))
    {
        let start = fixture.stored.windows(4).position(|bytes| bytes == [0xff, 0x4f, 0xff, 0x51]).unwrap();
        let mut out = vec![0; fixture.layout.decoded_len().unwrap()];
        let mut at = start + 2;
        while fixture.stored[at..at + 2] != [0xff, 0x90] {
            let mut stored = fixture.stored.clone();
            stored[at + 2] ^= 0x80;
            let message = decoder.decode(&fixture.layout, &stored, &mut out).unwrap_err().to_string();
            assert!(message.contains("do not follow one another"), "{}: {message}", fixture.name);
            at += 2 + usize::from(u16::from_be_bytes([fixture.stored[at + 2], fixture.stored[at + 3]]));
            changed += 1;
        }
    }
    let expected = Compression::from_tag(34712).is_supported();
    assert_eq!(changed > 2, expected, "{changed}");
}

#[test]
fn a_chunk_cut_short_is_an_error() {
    let mut decoder = Decoder::new();
    for fixture in supported() {
        let mut out = vec![0; fixture.layout.decoded_len().unwrap()];
        let length = fixture.stored.len();
        // Every cut of a small chunk, a hundred of a large one.
        for cut in (0..length).step_by(length.div_ceil(100).max(usize::from(length > 600))) {
            let result = decoder.decode(&fixture.layout, &fixture.stored[..cut], &mut out);
            if result.is_ok() {
                // What is cut off was a checksum, an end code or padding: nothing is lost.
                assert!(
                    fixture.distance(&out) <= fixture.tolerance,
                    "{} cut at {cut} of {length}",
                    fixture.name
                );
            }
        }
        assert!(
            decoder.decode(&fixture.layout, &fixture.stored[..length / 3], &mut out).is_err(),
            "{}",
            fixture.name
        );
        assert!(decoder.decode(&fixture.layout, &[], &mut out).is_err(), "{}", fixture.name);
    }
}

#[test]
fn damaged_chunks_neither_panic_nor_upset_the_decoder() {
    let mut decoder = Decoder::new();
    let mut random = Random(20_261_120);
    for fixture in supported() {
        let mut out = vec![0; fixture.layout.decoded_len().unwrap()];
        for _ in 0..60 {
            let mut stored = fixture.stored.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(stored.len());
                stored[at] ^= 1 << random.below(8);
            }
            let _ = decoder.decode(&fixture.layout, &stored, &mut out);
            if can_stream(&fixture.layout) {
                let mut stream = RowStream::new(fixture.layout.clone(), stored.as_slice()).unwrap();
                let _ = stream.read_rows(&mut out);
            }
        }
        decoder.decode(&fixture.layout, &fixture.stored, &mut out).unwrap();
        assert!(fixture.distance(&out) <= fixture.tolerance, "{}", fixture.name);
    }
}

#[test]
fn layouts_other_than_the_stream_are_refused_or_decode_within_bounds() {
    let mut decoder = Decoder::new();
    for fixture in supported() {
        for change in 0..12 {
            let mut layout = fixture.layout.clone();
            match change {
                0 => layout.width += 1,
                1 => layout.width -= 1,
                2 => layout.height += 1,
                3 => layout.height -= 1,
                4 => layout.samples += 1,
                5 => layout.bits = 16,
                6 => layout.bits = 8,
                7 => layout.width = 1000,
                8 => layout.photometric = 6,
                9 => layout.fill_order = 2,
                10 => layout.jpeg_tables = Some(fixture.stored.as_slice().into()),
                _ => layout.big_endian = !layout.big_endian,
            }
            let mut out = vec![0; layout.decoded_len().unwrap()];
            let _ = decoder.decode(&layout, &fixture.stored, &mut out);
        }
    }
}

/// Those that this build has decoders for.
fn supported() -> impl Iterator<Item = Fixture> {
    fixtures().into_iter().filter(|fixture| fixture.layout.compression.is_supported())
}

/// A small generator, so that every run damages the same bytes.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn every_supported_scheme_has_a_chunk() {
    let seen: Vec<_> = fixtures().iter().map(|fixture| fixture.layout.compression).collect();
    for code in 0..=u16::MAX {
        let compression = Compression::from_tag(code);
        // Pillow cannot write word-aligned runs; they differ from the others by the alignment.
        if compression.is_supported() && compression != Compression::CcittRleWord {
            assert!(seen.contains(&compression), "{compression:?}");
        }
    }
}
