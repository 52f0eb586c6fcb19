//! The first inputs of the target `archive`: one of the project's own making, and one such as others make.

use std::io::{Cursor, Write};
use std::path::Path;

use fairzarr_store::{ArchiveWriter, Store};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Writes `corpus/archive`.
///
/// # Panics
/// If it cannot be written.
pub fn write() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/archive");
    std::fs::create_dir_all(&corpus).expect("a folder for the seeds");
    for (name, bytes) in [
        ("own", own()),
        ("stored", foreign(|_, _| ())),
        ("deflated", foreign(|bytes, headers| deflated(bytes, headers))),
    ] {
        std::fs::write(corpus.join(name), bytes).expect("a writable folder");
    }
}

fn own() -> Vec<u8> {
    let folder = Store::memory();
    let archive = ArchiveWriter::create(&folder, "x.ozx", 0, "{}").expect("memory");
    let mut archive = archive.expect("no other archive");
    for (key, bytes) in [("zarr.json", &b"{}"[..]), ("0/zarr.json", b"{ }"), ("0/c/\u{b5}", b"chunk")] {
        archive.add(key, bytes).expect("memory");
    }
    archive.finish().expect("memory");
    folder.get("x.ozx").expect("memory").expect("an archive").to_vec()
}

/// Without ZIP64. Of each entry the places of both headers are changed by `change`.
fn foreign(change: impl Fn(&mut Vec<u8>, [usize; 2])) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["zarr.json", "0/c/0"] {
        zip.start_file(name, SimpleFileOptions::default()).expect("memory");
        zip.write_all(DEFLATED).expect("memory");
    }
    let mut bytes = zip.finish().expect("memory").into_inner();
    let places = |magic: &[u8]| {
        let found = bytes.windows(4).enumerate().filter(|(_, window)| *window == magic);
        found.map(|(at, _)| at).collect::<Vec<_>>()
    };
    for (local, central) in places(b"PK\x03\x04").into_iter().zip(places(b"PK\x01\x02")) {
        change(&mut bytes, [local, central + 2]);
    }
    bytes
}

/// Makes an entry a compressed one.
fn deflated(bytes: &mut [u8], headers: [usize; 2]) {
    for header in headers {
        bytes[header + 8] = 8;
        bytes[header + 14..header + 18].copy_from_slice(&CRC32.to_le_bytes());
        bytes[header + 22..header + 26].copy_from_slice(&SIZE.to_le_bytes());
    }
}

/// So many times the letter a.
const SIZE: u32 = 300;
const CRC32: u32 = 0x8997_1909;
/// The same, compressed.
const DEFLATED: &[u8] = &[0x4b, 0x4c, 0x1c, 0x05, 0xc4, 0x02, 0x00];
