//! What is refused, and how much memory a stream can make a decoder ask for.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Error, ErrorKind, Read, Write};

use fairzarr_tiff_codec::{
    BUFFER_LEN, ChunkLayout, CodecError, Compression, Decoder, Predictor, RowStream, can_stream,
};

#[test]
fn streams_larger_than_the_chunk_are_refused_within_its_memory() {
    let zeros = vec![0; 64 << 20];
    let bombs = [
        (8, zlib(&zeros)),
        (50000, zstd::bulk::compress(&zeros, 19).unwrap()),
        (32773, [129, 0].repeat(1 << 19)),
        (5, weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&zeros).unwrap()),
    ];
    for (code, bomb) in bombs {
        let layout = layout(64, 64, code, 8);
        let mut out = vec![1; layout.decoded_len().unwrap()];
        let too_long = |result| assert!(matches!(result, Err(CodecError::Long { .. })), "{code}: {result:?}");
        let peak = peak_memory(|| too_long(Decoder::new().decode(&layout, &bomb, &mut out)));
        assert!(peak < 1 << 20, "{code}: {peak} bytes");
        let peak = peak_memory(|| {
            too_long(RowStream::new(layout, bomb.as_slice()).unwrap().read_rows(&mut out));
        });
        assert!(peak < 1 << 20, "{code}: {peak} bytes");
    }
}

#[test]
fn images_larger_than_the_chunk_are_refused_by_their_headers() {
    // A JPEG 2000 size marker of 2^31 x 2^31 pixels in as many tiles.
    let mut j2k = vec![0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0];
    for word in [1_u32 << 31, 1 << 31, 0, 0, 1, 1, 0, 0] {
        j2k.extend(word.to_be_bytes());
    }
    j2k.extend([0, 1, 7, 1, 1]);
    // A PNG of 2^31 - 1 pixels each way.
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\0\0\0\0".to_vec();
    png.extend([0; 64]);
    for (code, bomb) in [(34712, j2k), (34933, png)] {
        let layout = ChunkLayout { compression: Compression::from_tag(code), ..layout(64, 64, 8, 1) };
        if !layout.compression.is_supported() {
            continue;
        }
        let mut out = vec![0; layout.decoded_len().unwrap()];
        let mut result = Ok(());
        let peak = peak_memory(|| result = Decoder::new().decode(&layout, &bomb, &mut out));
        assert!(result.is_err(), "{code}");
        assert!(peak < 4 << 20, "{code}: {peak} bytes");
    }
}

#[test]
fn a_lerc_blob_in_a_deflate_bomb_stays_within_bounds() {
    let layout = ChunkLayout { lerc_parameters: Some([4, 1]), ..layout(64, 64, 34887, 1) };
    if !layout.compression.is_supported() {
        return;
    }
    let bomb = zlib(&vec![0; 64 << 20]);
    let mut out = vec![0; layout.decoded_len().unwrap()];
    let peak = peak_memory(|| assert!(Decoder::new().decode(&layout, &bomb, &mut out).is_err()));
    assert!(peak < 1 << 20, "{peak} bytes");
}

#[test]
fn a_huge_strip_is_read_in_bounded_memory() {
    // 1 GiB of rows of 12-bit samples, compressed from a reader that makes them up.
    let layout = ChunkLayout { bits: 12, ..layout(32 << 10, 22 << 10, 1, 1) };
    let row_len = layout.row_len().unwrap();
    let mut row = vec![0; row_len];
    let peak = peak_memory(|| {
        let mut stream = RowStream::new(layout.clone(), std::io::repeat(0x11)).unwrap();
        stream.skip_rows(20 << 10).unwrap();
        while stream.rows_left() > 0 {
            stream.read_rows(&mut row).unwrap();
        }
    });
    assert_eq!(row[..4], [0x11, 0x01, 0x11, 0x01]);
    assert!(peak < 4 * BUFFER_LEN, "{peak} bytes");
}

#[test]
fn sizes_that_cannot_be_are_refused_before_anything_is_read() {
    let huge = ChunkLayout { samples: u16::MAX, bits: 64, ..layout(u32::MAX, u32::MAX, 1, 1) };
    assert!(matches!(huge.check(), Err(CodecError::Size { .. })));
    assert!(matches!(layout(0, 5, 1, 1).check(), Err(CodecError::Size { .. })));
    assert!(matches!(layout(5, 0, 1, 1).check(), Err(CodecError::Size { .. })));
    for bits in [0, 33, 63, 65, 129, u16::MAX] {
        let layout = ChunkLayout { bits, ..layout(8, 8, 1, 1) };
        assert!(matches!(layout.check(), Err(CodecError::UnsupportedLayout { .. })), "{bits}");
    }
}

#[test]
fn combinations_that_mean_nothing_are_refused_by_name() {
    let plain = layout(8, 8, 5, 1);
    let message = |layout: ChunkLayout| layout.check().unwrap_err().to_string();
    assert_eq!(
        message(ChunkLayout { predictor: Predictor::FloatingPoint, ..plain.clone() }),
        "LZW with floating-point prediction of Uint samples is not supported"
    );
    assert_eq!(
        message(ChunkLayout { photometric: 6, samples: 3, ycbcr_subsampling: (2, 2), ..plain.clone() }),
        "LZW with YCbCr samples subsampled 2 x 2 is not supported"
    );
    assert_eq!(
        message(ChunkLayout { compression: Compression::CcittG4, ..plain.clone() }),
        "CCITT group 4 with 1 samples of 8 bits per pixel is not supported"
    );
    assert_eq!(
        message(ChunkLayout { fill_order: 3, ..plain.clone() }),
        "LZW with FillOrder 3 is not supported"
    );
    let uncompressed_mode =
        ChunkLayout { bits: 1, compression: Compression::CcittG3, t4_options: 2, ..plain };
    assert_eq!(message(uncompressed_mode), "CCITT group 3 with uncompressed mode is not supported");
}

#[test]
fn output_of_the_wrong_size_is_refused() {
    let layout = layout(4, 4, 1, 1);
    let result = Decoder::new().decode(&layout, &[0; 16], &mut [0; 15]);
    assert_eq!(result, Err(CodecError::OutputSize { found: 15, expected: 16 }));
    let mut stream = RowStream::new(layout, [0; 16].as_slice()).unwrap();
    assert!(matches!(stream.read_rows(&mut [0; 6]), Err(CodecError::OutputSize { .. })));
    assert!(matches!(stream.read_rows(&mut [0; 20]), Err(CodecError::OutputSize { .. })));
}

#[test]
fn what_is_missing_is_counted() {
    let layout = layout(4, 4, 1, 1);
    let short = |found| CodecError::Short { codec: "uncompressed", found, expected: 16 };
    let mut out = [0; 16];
    assert_eq!(Decoder::new().decode(&layout, &[0; 9], &mut out), Err(short(9)));
    let mut stream = RowStream::new(layout, [0; 9].as_slice()).unwrap();
    stream.read_rows(&mut out[..8]).unwrap();
    assert_eq!(stream.read_rows(&mut out[8..]), Err(short(9)));
}

#[test]
fn a_failing_source_is_not_taken_for_damaged_data() {
    for code in [1, 5, 8, 32773, 34925, 50000] {
        let layout = layout(4, 4, code, 1);
        if !can_stream(&layout) {
            continue;
        }
        let mut stream = RowStream::new(layout, Failing).unwrap();
        let expected = CodecError::Read { kind: ErrorKind::ConnectionReset, reason: "gone".to_owned() };
        assert_eq!(stream.read_rows(&mut [0; 16]), Err(expected), "{code}");
    }
}

#[test]
fn rows_of_run_lengths_may_be_aligned_to_words() {
    // White 4, black 4: 1011 011 and one bit of padding; then nine more for a word.
    let layout = ChunkLayout { bits: 1, ..layout(8, 2, 32771, 1) };
    let mut out = [0; 16];
    Decoder::new().decode(&layout, &[0b1011_0110, 0, 0b1011_0110, 0], &mut out).unwrap();
    assert_eq!(out, [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]);
}

#[test]
fn a_white_run_may_reach_beyond_its_row_and_a_black_one_may_not() {
    let layout = ChunkLayout { bits: 1, ..layout(8, 2, 2, 1) };
    let mut out = [9; 16];
    // White 4, black 2, white 10, as libtiff reads it; then white 4, black 4.
    Decoder::new().decode(&layout, &[0b1011_1100, 0b1110_0000, 0b1011_0110], &mut out).unwrap();
    assert_eq!(out, [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
    // White 4, black 10.
    let result = Decoder::new().decode(&layout, &[0b1011_0000, 0b1000_0000, 0b1011_0110], &mut out);
    assert!(matches!(result, Err(CodecError::Damaged { .. })), "{result:?}");
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(Error::new(ErrorKind::ConnectionReset, "gone"))
    }
}

fn layout(width: u32, height: u32, compression: u16, samples: u16) -> ChunkLayout {
    ChunkLayout { samples, ..ChunkLayout::plain(width, height, 8, Compression::from_tag(compression)) }
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The most that this thread held of the Rust heap during `work`, beyond what it held before.
fn peak_memory(work: impl FnOnce()) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    work();
    usize::try_from(PEAK.get() - before).unwrap()
}

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

impl Counting {
    fn add(bytes: isize) {
        // A thread that is ending has no counters left.
        let _ = HELD.try_with(|held| {
            held.set(held.get() + bytes);
            let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
        });
    }
}

// SAFETY: everything is handed on to the system's allocator.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::add(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::add(-(layout.size() as isize));
        // SAFETY: `pointer` came from `alloc`, thus from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
