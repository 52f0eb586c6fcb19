//! Decoding rates, each beside that of the codec library alone on the same bytes in the same run:
//!
//! ```text
//! cargo bench -p fairzarr-tiff-codec
//! ```
//!
//! Image codecs are measured on chunks that `tests/fixtures/make.py --bench DIRECTORY` makes, when
//! `FAIRZARR_BENCH_CHUNKS` names that directory.
//!
//! A row is MB of samples per second of one thread, the best of several passes over a megapixel
//! of 16-bit microscopy-like samples (or what the codec takes), then the library's own rate.

#![allow(clippy::expect_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use fairzarr_tiff_codec::{ChunkLayout, Compression, Decoder, Predictor, RowStream, can_stream};

const SIDE: u32 = 1024;

fn main() {
    println!("{:<28} {:>8} {:>8} {:>7} {:>8}", "MB/s", "whole", "library", "ratio", "by rows");
    let samples = samples();
    let plain = to_bytes(&samples, false);
    let differences = difference(&samples);

    report("uncompressed", &layout(1), &plain, Some(Box::new(|out: &mut [u8]| out.copy_from_slice(&plain))));
    let big_endian = ChunkLayout { big_endian: true, ..layout(1) };
    report("uncompressed, big-endian", &big_endian, &to_bytes(&samples, true), None);
    let packed: Vec<u8> = samples
        .as_chunks::<2>()
        .0
        .iter()
        .flat_map(|[a, b]| [(a >> 4) as u8, (a << 4 | b >> 8 & 15) as u8, *b as u8])
        .collect();
    report("uncompressed, 12-bit", &ChunkLayout { bits: 12, ..layout(1) }, &packed, None);
    let literals: Vec<u8> = plain.chunks(128).flat_map(|literal| [&[127], literal].concat()).collect();
    report("PackBits", &layout(32773), &literals, None);

    for (name, predictor, bytes, big_endian) in [
        ("", Predictor::None, &plain, false),
        (", predicted", Predictor::Horizontal, &to_bytes(&differences, false), false),
        (", predicted, big-endian", Predictor::Horizontal, &to_bytes(&differences, true), true),
    ] {
        let with = |code| ChunkLayout { predictor, big_endian, ..layout(code) };
        let stored = lzw(bytes);
        report(
            &format!("LZW{name}"),
            &with(5),
            &stored,
            Some(Box::new(|out: &mut [u8]| lzw_alone(&stored, out))),
        );
        let stored = deflate(bytes);
        let mut library = libdeflater::Decompressor::new();
        report(
            &format!("Deflate{name}"),
            &with(8),
            &stored,
            Some(Box::new(|out: &mut [u8]| {
                library.zlib_decompress(&stored, out).expect("deflate");
            })),
        );
        let stored = zstd::bulk::compress(bytes, 3).expect("zstd");
        let mut library = zstd::bulk::Decompressor::new().expect("zstd");
        report(
            &format!("Zstandard{name}"),
            &with(50000),
            &stored,
            Some(Box::new(|out: &mut [u8]| {
                library.decompress_to_buffer(&stored, out).expect("zstd");
            })),
        );
    }
    #[cfg(feature = "lzma")]
    {
        let mut stored = Vec::new();
        std::io::Read::read_to_end(&mut liblzma::read::XzEncoder::new(plain.as_slice(), 6), &mut stored)
            .expect("xz");
        report(
            "LZMA",
            &layout(34925),
            &stored,
            Some(Box::new(|out: &mut [u8]| {
                std::io::Read::read_exact(&mut liblzma::read::XzDecoder::new(stored.as_slice()), out)
                    .expect("xz");
            })),
        );
    }
    image_codecs();
}

/// Codecs without an encoder here: chunks that make.py has made.
fn image_codecs() {
    let Some(directory) = std::env::var_os("FAIRZARR_BENCH_CHUNKS") else { return };
    for fixture in read::read(Path::new(&directory)) {
        if !fixture.layout.compression.is_supported() {
            continue;
        }
        let stored = fixture.stored.as_slice();
        report(
            &fixture.name,
            &fixture.layout,
            stored,
            match fixture.layout.compression {
                #[cfg(feature = "jpeg2000")]
                Compression::Jpeg2000(_) => Some(Box::new(|_: &mut [u8]| {
                    let settings = hayro_jpeg2000::DecodeSettings::default();
                    let image = hayro_jpeg2000::Image::new(stored, &settings).expect("jpeg 2000");
                    image.decode(&mut hayro_jpeg2000::DecoderContext::default()).expect("jpeg 2000");
                })),
                #[cfg(feature = "jpegxl")]
                Compression::JpegXl => Some(Box::new(|_: &mut [u8]| {
                    let image = jxl_oxide::JxlImage::read_with_defaults(stored).expect("jpeg xl");
                    image.render_frame(0).expect("jpeg xl");
                })),
                #[cfg(feature = "lerc")]
                Compression::Lerc => Some(Box::new(|_: &mut [u8]| {
                    lerc_reader::decode_first(stored).expect("lerc");
                })),
                #[cfg(feature = "png")]
                Compression::Png => Some(Box::new(|out: &mut [u8]| {
                    let decoder = png::Decoder::new(std::io::Cursor::new(stored));
                    decoder.read_info().expect("png").next_frame(out).expect("png");
                })),
                _ => None,
            },
        );
    }
}

#[path = "../tests/fixtures/read.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod read;

/// A library's own call, given room for the samples.
type Library<'a> = Box<dyn FnMut(&mut [u8]) + 'a>;

fn report(name: &str, layout: &ChunkLayout, stored: &[u8], library: Option<Library>) {
    let mut decoder = Decoder::new();
    let mut out = vec![0; layout.decoded_len().expect("size")];
    let rate = |time: Duration, bytes: usize| bytes as f64 / 1e6 / time.as_secs_f64();
    let ours = best(|| decoder.decode(layout, stored, black_box(&mut out)).expect("decode"));
    let ours = rate(ours, out.len());
    let alone = library.map(|mut library| rate(best(|| library(black_box(&mut out))), out.len()));
    let by_rows = can_stream(layout).then(|| {
        let rows = best(|| {
            let mut stream = RowStream::new(layout.clone(), stored).expect("stream");
            stream.read_rows(black_box(&mut out)).expect("rows");
        });
        format!("{:.0}", rate(rows, out.len()))
    });
    let (alone, ratio) = match alone {
        Some(alone) => (format!("{alone:.0}"), format!("{:.2}", ours / alone)),
        None => ("-".to_owned(), "-".to_owned()),
    };
    println!("{name:<28} {ours:>8.0} {alone:>8} {ratio:>7} {:>8}", by_rows.as_deref().unwrap_or("-"));
}

/// The shortest of many runs: others use the machine too.
fn best(mut work: impl FnMut()) -> Duration {
    let begin = Instant::now();
    let mut best = Duration::MAX;
    let mut runs = 0;
    while runs < 5 || begin.elapsed() < Duration::from_millis(400) {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed());
        runs += 1;
    }
    best
}

fn layout(compression: u16) -> ChunkLayout {
    ChunkLayout::plain(SIDE, SIDE, 16, Compression::from_tag(compression))
}

/// A smooth field with shot noise: 12 bits used.
fn samples() -> Vec<u16> {
    let mut state = 20_261_120_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as f64 / f64::from(1 << 24) - 0.5
    };
    (0..SIDE * SIDE)
        .map(|index| {
            let (y, x) = (f64::from(index / SIDE), f64::from(index % SIDE));
            let signal = 500.0 + 300.0 * (x / 90.0).sin() * (y / 70.0).cos() + 0.2 * x;
            (signal + signal.sqrt() * 2.0 * (noise() + noise())) as u16
        })
        .collect()
}

fn difference(samples: &[u16]) -> Vec<u16> {
    let rows = samples.chunks(SIDE as usize);
    rows.flat_map(|row| {
        let left = std::iter::once(0).chain(row.iter().copied());
        row.iter().zip(left).map(|(sample, left)| sample.wrapping_sub(left)).collect::<Vec<_>>()
    })
    .collect()
}

fn to_bytes(samples: &[u16], big_endian: bool) -> Vec<u8> {
    let bytes = |sample: &u16| if big_endian { sample.to_be_bytes() } else { sample.to_le_bytes() };
    samples.iter().flat_map(bytes).collect()
}

fn lzw(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    encoder.encode(bytes).expect("lzw")
}

fn lzw_alone(stored: &[u8], out: &mut [u8]) {
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let (mut read, mut written) = (0, 0);
    while written < out.len() {
        let result = decoder.decode_bytes(&stored[read..], &mut out[written..]);
        read += result.consumed_in;
        written += result.consumed_out;
        result.status.expect("lzw");
    }
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut stored = vec![0; compressor.zlib_compress_bound(bytes.len())];
    let length = compressor.zlib_compress(bytes, &mut stored).expect("deflate");
    stored.truncate(length);
    stored
}
