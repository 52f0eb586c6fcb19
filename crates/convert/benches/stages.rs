//! The stages of a conversion, each beside the least that its work takes, in the same run:
//!
//! ```text
//! cargo bench -p fairzarr-convert
//! ```
//!
//! A row is MB of samples per second of one thread, the best of many passes over a chunk of 512 x 512 16-bit samples of
//! a noisy field, and beside it the library's own call or the plain loop on the same samples.

#![allow(clippy::expect_used, reason = "a benchmark may panic")]
// The stages are not public: their modules are built in here, with all that they have.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::panic)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use fairzarr_convert::Error;
use fairzarr_digest::{PlaneDigest, TILE};
use xxhash_rust::xxh3::xxh3_128;
use zarrs::array::codec::bytes_to_bytes::blosc::{
    BloscCompressionLevel, BloscCompressor, BloscShuffleMode, blosc_compress_bytes,
};

#[path = "../src/pixels/mod.rs"]
mod pixels;

/// What the modules take from the options.
mod options {
    pub(crate) use fairzarr_convert::Downsample;
}

use fairzarr_convert::Downsample;
use fairzarr_ome_zarr::{Codec, Encoder, Shard};
use fairzarr_pixel::{Region, SampleType};
use pixels::downsample::halve;

const SIDE: u32 = 512;

fn main() {
    println!("{:<28} {:>8} {:>8} {:>7}", "MB/s", "stage", "alone", "ratio");
    let samples = field();
    let bytes: &[u8] = bytemuck::cast_slice(&samples);

    let whole = Region { y: 0, x: 0, h: SIDE, w: SIDE };
    let half = Region { y: 0, x: 0, h: SIDE / 2, w: SIDE / 2 };
    let mut out = vec![0u16; half.area()];
    let mut alone = vec![0u16; half.area()];
    report(
        "downsample / plain loop",
        bytes.len(),
        || {
            let to = (half, bytemuck::cast_slice_mut(black_box(&mut out)));
            halve(Downsample::Mean, SampleType::Uint16, 1, (whole, bytes), to);
        },
        || halve_plainly(&samples, black_box(&mut alone)),
    );
    assert_eq!(out, alone);

    for (name, codec, compressor, level, shuffle) in [
        ("blosc-lz4-5", Codec::FAST, BloscCompressor::LZ4, 5u8, BloscShuffleMode::Shuffle),
        ("blosc-zstd-1", Codec::BALANCED, BloscCompressor::Zstd, 1, BloscShuffleMode::BitShuffle),
    ] {
        let encoder = Encoder::new(codec, 2, true).expect("encoder");
        let level: BloscCompressionLevel = level.try_into().expect("level");
        report(
            &format!("{name} and crc32c / blosc"),
            bytes.len(),
            || drop(black_box(encoder.encode(bytes).expect("encode"))),
            || {
                let stored = blosc_compress_bytes(bytes, level, shuffle, 2, compressor, 0, 1);
                drop(black_box(stored.expect("blosc")));
            },
        );
    }

    let area = Region { y: 0, x: 0, h: SIDE, w: SIDE };
    report(
        "digest / xxh3 of all at once",
        bytes.len(),
        || {
            let mut digest = PlaneDigest::default();
            digest.add(area, 2, TILE, black_box(bytes));
            black_box(digest);
        },
        || {
            black_box(xxh3_128(black_box(bytes)));
        },
    );

    let mut buckets = pixels::statistics::Buckets::default();
    report(
        "statistics / extremes alone",
        bytes.len(),
        || {
            let mut seen = pixels::statistics::ChannelStatistics::default();
            seen.add(SampleType::Uint16, None, SIDE as usize, 0, black_box(bytes), &mut buckets);
            black_box(seen);
        },
        || {
            let extremes = black_box(&samples)
                .iter()
                .fold((u16::MAX, 0), |(low, high), &sample| (sample.min(low), sample.max(high)));
            black_box(extremes);
        },
    );

    // What a shard adds to its chunks, which are there already: a copy of them is the ruler.
    let chunk = Encoder::new(Codec::FAST, 2, true).expect("encoder").encode(bytes).expect("encode");
    let chunks: Vec<Vec<u8>> = vec![chunk; 64];
    report(
        "copy and shard / copy",
        chunks.len() * bytes.len(),
        || {
            let mut shard = Shard::new(chunks.len(), chunks.len());
            for (slot, chunk) in black_box(&chunks).clone().into_iter().enumerate() {
                shard.add(slot, Some(chunk));
            }
            drop(black_box(shard.assemble()));
        },
        || drop(black_box(black_box(&chunks).clone())),
    );
}

/// The mean of four as one writes it first.
fn halve_plainly(samples: &[u16], out: &mut [u16]) {
    let (side, half) = (SIDE as usize, SIDE as usize / 2);
    for y in 0..half {
        for x in 0..half {
            let at = 2 * y * side + 2 * x;
            let sum =
                [at, at + 1, at + side, at + side + 1].map(|n| u32::from(samples[n])).iter().sum::<u32>();
            out[y * half + x] = ((sum + 2) >> 2) as u16;
        }
    }
}

fn report(name: &str, bytes: usize, stage: impl FnMut(), alone: impl FnMut()) {
    let (stage, alone) = best(stage, alone);
    let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    let ratio = alone.as_secs_f64() / stage.as_secs_f64();
    println!("{name:<28} {:>8.0} {:>8.0} {ratio:>7.2}", rate(stage), rate(alone));
}

/// The shortest of many runs of each, in turns: others use the machine too.
fn best(mut one: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let begin = Instant::now();
    let mut best = (Duration::MAX, Duration::MAX);
    let mut runs = 0;
    while runs < 20 || begin.elapsed() < Duration::from_secs(1) {
        best = (best.0.min(time(&mut one)), best.1.min(time(&mut other)));
        runs += 1;
    }
    best
}

/// A smooth field with noise: 12 bits used.
fn field() -> Vec<u16> {
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
