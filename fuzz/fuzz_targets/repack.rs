#![no_main]

use fairzarr_fuzz::{chunk, seeds};
use fairzarr_tiff_codec::{Container, Decoder};
use libfuzzer_sys::fuzz_target;

// What is handed on without being decoded holds what decoding gives, or does not decode either.
fuzz_target!(init: seeds::write("repack"), |data: &[u8]| {
    let Some((layout, stored)) = chunk(data) else { return };
    let Ok(length) = layout.decoded_len() else { return };
    let mut samples = vec![0; length];
    let mut decoder = Decoder::new();
    for to in [Container::Bare, Container::Zlib, Container::Gzip, Container::Zstd] {
        let unseen = layout.rewrap(stored, to);
        let seen = decoder.repack(&layout, stored, to, &mut samples);
        if let (Ok(Some(unseen)), Ok(Some(seen))) = (&unseen, &seen) {
            assert_eq!(unseen, seen, "{layout:?}");
        }
        if let Ok(Some(packed)) = &seen {
            assert!(unpacked(packed, to, length).is_some_and(|found| found == samples), "{layout:?}");
        }
    }
});

/// As any reader of the container unpacks it.
fn unpacked(packed: &[u8], to: Container, length: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; length];
    let mut inflater = libdeflater::Decompressor::new();
    let found = match to {
        Container::Bare => return Some(packed.to_vec()),
        Container::Zlib => inflater.zlib_decompress(packed, &mut out).ok()?,
        Container::Gzip => inflater.gzip_decompress(packed, &mut out).ok()?,
        _ => zstd::bulk::decompress_to_buffer(packed, &mut out).ok()?,
    };
    (found == length).then_some(out)
}
