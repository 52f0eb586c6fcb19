//! Decoding rates, each beside that of the codec library alone on the same bytes in the same run:
//!
//! ```text
//! cargo bench -p fairzarr-tiff-codec
//! ```
//!
//! A row is MB of samples per second of one thread, the best of several passes over a megapixel
//! of 16-bit microscopy-like samples (or what the codec takes), then the library's own rate.

use std::hint::black_box;
use std::time::{Duration, Instant};

use fairzarr_tiff_codec::{ChunkLayout, Compression, Decoder, Predictor, RowStream, SampleFormat};

const SIDE: u32 = 1024;

fn main() {
    println!("{:<28} {:>8} {:>8} {:>7}", "", "MB/s", "library", "ratio");
    let samples = samples();
    let plain = to_bytes(&samples, false);
    let differences = difference(&samples);

    report("uncompressed", &layout(1), &plain, Some(&mut |out| out.copy_from_slice(&plain)));
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
        report(&format!("LZW{name}"), &with(5), &stored, Some(&mut |out| lzw_alone(&stored, out)));
        let stored = deflate(bytes);
        let mut library = libdeflater::Decompressor::new();
        report(
            &format!("Deflate{name}"),
            &with(8),
            &stored,
            Some(&mut |out| {
                library.zlib_decompress(&stored, out).expect("deflate");
            }),
        );
        let stored = zstd::bulk::compress(bytes, 3).expect("zstd");
        let mut library = zstd::bulk::Decompressor::new().expect("zstd");
        report(
            &format!("Zstandard{name}"),
            &with(50000),
            &stored,
            Some(&mut |out| {
                library.decompress_to_buffer(&stored, out).expect("zstd");
            }),
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
            Some(&mut |out| {
                std::io::Read::read_exact(&mut liblzma::read::XzDecoder::new(stored.as_slice()), out)
                    .expect("xz");
            }),
        );
    }
    fixtures();
}

/// Codecs without an encoder here: the largest chunk of the test fixtures, over and over.
fn fixtures() {
    println!("\nsmall chunks of the test fixtures: microseconds each");
    let mut decoder = Decoder::new();
    for code in [2, 3, 4, 7, 34712, 34887, 34933, 50001, 50002] {
        let compression = Compression::from_tag(code);
        let all = read::fixtures();
        let largest = all
            .iter()
            .filter(|fixture| fixture.layout.compression == compression)
            .max_by_key(|fixture| fixture.expected.len());
        let Some(fixture) = largest.filter(|_| compression.is_supported()) else { continue };
        let mut out = vec![0; fixture.expected.len()];
        let time = best(|| decoder.decode(&fixture.layout, &fixture.stored, &mut out).expect("fixture"));
        println!("{:<28} {:>8.1}  ({} bytes)", compression.name(), time.as_secs_f64() * 1e6, out.len());
    }
}

#[path = "../tests/fixtures/read.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod read;

fn report(name: &str, layout: &ChunkLayout, stored: &[u8], library: Option<&mut dyn FnMut(&mut [u8])>) {
    let mut decoder = Decoder::new();
    let mut out = vec![0; layout.decoded_len().expect("size")];
    let rate = |time: Duration, bytes: usize| bytes as f64 / 1e6 / time.as_secs_f64();
    let ours = best(|| decoder.decode(layout, stored, black_box(&mut out)).expect("decode"));
    let ours = rate(ours, out.len());
    let alone = library.map(|library| rate(best(|| library(black_box(&mut out))), out.len()));
    let rows = best(|| {
        let mut stream = RowStream::new(layout.clone(), stored).expect("stream");
        stream.read_rows(black_box(&mut out)).expect("rows");
    });
    let (alone, ratio) = match alone {
        Some(alone) => (format!("{alone:.0}"), format!("{:.2}", ours / alone)),
        None => ("-".to_owned(), "-".to_owned()),
    };
    println!("{name:<28} {ours:>8.0} {alone:>8} {ratio:>7}   by rows {:.0}", rate(rows, out.len()));
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
    ChunkLayout {
        width: SIDE,
        height: SIDE,
        samples: 1,
        bits: 16,
        format: SampleFormat::Uint,
        big_endian: false,
        compression: Compression::from_tag(compression),
        predictor: Predictor::None,
        fill_order: 1,
        photometric: 1,
        ycbcr_subsampling: (1, 1),
        jpeg_tables: None,
        t4_options: 0,
        t6_options: 0,
        lerc_parameters: None,
    }
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
