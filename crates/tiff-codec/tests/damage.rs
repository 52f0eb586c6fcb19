//! What is accepted of damaged streams, by rule: where a format has a checksum, any flipped bit is an error or changes nothing.
#![allow(clippy::unwrap_used)]

mod fixtures {
    pub(crate) mod read;
}

use std::io::Write;

use fairzarr_tiff_codec::{ChunkLayout, CodecError, Compression, Decoder, RowStream, can_stream};
use fixtures::read::{Fixture, fixtures};

#[test]
fn a_flipped_bit_is_an_error_or_changes_nothing_where_there_is_a_checksum() {
    let mut decoder = Decoder::new();
    let mut flips = 0;
    for code in [8, 34925, 34933, 34887] {
        let compression = Compression::from_tag(code);
        for fixture in of(compression).into_iter().filter(has_checksum).take(4) {
            flips += each_flip(&fixture, |stored, at, bit| {
                let whole = whole(&mut decoder, &fixture.layout, stored);
                if let Ok(samples) = &whole {
                    assert!(fixture.distance(samples) == 0, "{}: byte {at}, bit {bit}", fixture.name);
                }
                agrees_by_rows(&fixture, stored, &whole);
            });
        }
    }
    assert!(flips > 20_000 || cfg!(not(feature = "png")), "{flips}");
}

#[test]
fn a_flipped_bit_of_a_zstandard_frame_with_a_checksum_is_an_error_or_changes_nothing() {
    let samples: Vec<u8> = (0..1200u32).map(|n| (n * n / 90) as u8).collect();
    let mut frame = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    frame.include_checksum(true).unwrap();
    frame.write_all(&samples).unwrap();
    let fixture = Fixture {
        name: "zstd with a checksum".into(),
        layout: ChunkLayout::plain(40, 30, 8, Compression::Zstd),
        stored: frame.finish().unwrap(),
        expected: samples,
        tolerance: 0,
    };
    let mut decoder = Decoder::new();
    let checksum_flag = 4;
    each_flip(&fixture, |stored, at, bit| {
        // The bit that says that there is a checksum; without it the four bytes of the checksum are padding.
        let unchecked = at == 4 && 1 << bit == checksum_flag;
        let whole = whole(&mut decoder, &fixture.layout, stored);
        if let Ok(samples) = &whole {
            assert!(unchecked || *samples == fixture.expected, "byte {at}, bit {bit}");
        }
        agrees_by_rows(&fixture, stored, &whole);
    });
}

#[test]
fn rows_in_order_are_judged_as_the_whole_chunk_is() {
    let mut decoder = Decoder::new();
    for code in [1, 5, 32773, 50000] {
        for fixture in of(Compression::from_tag(code)).into_iter().take(3) {
            each_flip(&fixture, |stored, _, _| {
                let whole = whole(&mut decoder, &fixture.layout, stored);
                agrees_by_rows(&fixture, stored, &whole);
            });
        }
    }
}

#[test]
fn the_whole_checksum_of_deflate_may_be_missing_but_not_a_part_of_it() {
    let (layout, samples) = plain(8);
    let stored = zlib(&samples);
    let cut = |bytes: usize| decode(&layout, &stored[..stored.len() - bytes]);
    assert_eq!(cut(0), Ok(samples.clone()));
    assert_eq!(cut(4), Ok(samples.clone()));
    for bytes in [1, 2, 3] {
        assert!(matches!(cut(bytes), Err(CodecError::Damaged { .. })), "{bytes}");
    }
    assert!(cut(5).is_err());
    // Without its checksum nothing vouches for more than the rows.
    let longer = zlib(&[samples.clone(), vec![0; 40]].concat());
    assert_eq!(decode(&layout, &longer), Ok(samples.clone()));
    assert!(decode(&layout, &longer[..longer.len() - 4]).is_err());
    let wrong = [&stored[..stored.len() - 1], &[stored[stored.len() - 1] ^ 1]].concat();
    let message = decode(&layout, &wrong).unwrap_err().to_string();
    assert!(message.contains("Adler-32"), "{message}");
}

#[test]
fn what_follows_the_end_of_a_stream_that_marks_it_is_padding() {
    for (code, stored) in encoded() {
        let (layout, samples) = plain(code);
        for padding in [&[0][..], &[0; 7], b"rubbish"] {
            let result = decode(&layout, &[&stored, padding].concat());
            if code == 32773 && padding.len() > 1 {
                // Nothing marks the end of packed bytes, so that more of them are more samples.
                assert!(
                    matches!(result, Err(CodecError::Long { .. } | CodecError::Damaged { .. })),
                    "{result:?}"
                );
            } else {
                assert_eq!(result.as_ref(), Ok(&samples), "{code}, {padding:?}");
            }
        }
    }
}

#[test]
fn streams_without_a_checksum_hold_the_rows_of_a_whole_strip_at_most() {
    for (code, _) in encoded() {
        let (layout, samples) = plain(code);
        let taller = ChunkLayout { full_height: 32, ..layout.clone() };
        let row = [9; 40];
        for (rows, bytes) in [(1, 0), (2, 0), (3, 0), (0, 1), (1, 39)] {
            let more = [row.repeat(rows), vec![1; bytes]].concat();
            let stored = encode(code, &[samples.clone(), more].concat());
            let vouched = code == 8;
            let filled_up = rows <= 2 && bytes == 0;
            assert_eq!(
                decode(&taller, &stored).is_ok(),
                vouched || filled_up,
                "{code}: {rows} rows, {bytes} bytes"
            );
            assert_eq!(decode(&layout, &stored).is_ok(), vouched, "{code}: {rows} rows, {bytes} bytes");
        }
    }
}

#[test]
fn lzw_without_its_end_code_and_packed_bytes_to_the_last_run_are_whole() {
    let (layout, samples) = plain(5);
    let stored = encode(5, &samples);
    let found = (1..3).filter(|cut| decode(&layout, &stored[..stored.len() - cut]) == Ok(samples.clone()));
    assert!(found.count() > 0, "the end code can be left out");
    let (layout, samples) = plain(32773);
    // The last run reaches beyond the chunk.
    let mut stored = encode(32773, &samples[..1199]);
    stored.extend([255, samples[1199]]);
    assert!(matches!(decode(&layout, &stored), Err(CodecError::Long { .. })));
}

/// Damage of its stored bytes, one bit at a time.
fn each_flip(fixture: &Fixture, mut look: impl FnMut(&[u8], usize, usize)) -> usize {
    let mut stored = fixture.stored.clone();
    for at in 0..stored.len() {
        for bit in 0..8 {
            stored[at] ^= 1 << bit;
            look(&stored, at, bit);
            stored[at] ^= 1 << bit;
        }
    }
    stored.len() * 8
}

/// The same verdict, and the same samples; but for a Zstandard frame that asks for more memory than rows in order are given.
fn agrees_by_rows(fixture: &Fixture, stored: &[u8], whole: &Result<Vec<u8>, CodecError>) {
    if !can_stream(&fixture.layout) {
        return;
    }
    let mut rows = vec![0; fixture.expected.len()];
    let result = RowStream::new(fixture.layout.clone(), stored).and_then(|mut stream| {
        let row_len = fixture.layout.row_len()?;
        rows.chunks_mut(row_len * 2).try_for_each(|rows| stream.read_rows(rows))
    });
    if result.as_ref().is_err_and(|error| error.to_string().contains("too much memory")) {
        return;
    }
    assert_eq!(
        result.is_ok(),
        whole.is_ok(),
        "{}: {result:?}, {:?}",
        fixture.name,
        whole.as_ref().map(Vec::len)
    );
    if let Ok(samples) = whole {
        assert_eq!(rows, *samples, "{}", fixture.name);
    }
}

fn whole(decoder: &mut Decoder, layout: &ChunkLayout, stored: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut out = vec![0; layout.decoded_len()?];
    decoder.decode(layout, stored, &mut out).map(|()| out)
}

fn decode(layout: &ChunkLayout, stored: &[u8]) -> Result<Vec<u8>, CodecError> {
    whole(&mut Decoder::new(), layout, stored)
}

fn of(compression: Compression) -> Vec<Fixture> {
    let all = fixtures().into_iter().filter(|fixture| fixture.layout.compression == compression);
    if compression.is_supported() { all.collect() } else { Vec::new() }
}

/// Not of streams that were made without one, or whose rows are those of more than one stream.
fn has_checksum(fixture: &Fixture) -> bool {
    fixture.name != "zlib-no-checksum" && fixture.tolerance == 0
}

/// 30 rows of 40 samples.
fn plain(code: u16) -> (ChunkLayout, Vec<u8>) {
    let samples = (0..1200u32).map(|n| (n * n / 90) as u8).collect();
    (ChunkLayout::plain(40, 30, 8, Compression::from_tag(code)), samples)
}

/// The samples of [`plain`], in each of the byte codecs.
fn encoded() -> Vec<(u16, Vec<u8>)> {
    let (_, samples) = plain(1);
    [5, 8, 32773, 50000].map(|code| (code, encode(code, &samples))).to_vec()
}

fn encode(code: u16, bytes: &[u8]) -> Vec<u8> {
    match code {
        5 => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(bytes).unwrap(),
        8 => zlib(bytes),
        32773 => bytes.chunks(100).flat_map(|run| [&[run.len() as u8 - 1], run].concat()).collect(),
        _ => zstd::bulk::compress(bytes, 3).unwrap(),
    }
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
