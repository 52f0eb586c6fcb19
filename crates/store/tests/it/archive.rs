//! Stores in one file: what is written is read, and what is hostile is refused.

use std::io::Write;
use std::path::Path;

use fairzarr_store::{ArchiveWriter, Class, Error, Store, StoreOptions};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const COMMENT: &str = r#"{"ome":{"version":"0.5"}}"#;

fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

fn objects() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("zarr.json", b"{}".to_vec()),
        ("0/zarr.json", b"{ }".to_vec()),
        ("0/c/0/0", noise(3_000_000)),
        ("0/c/0/1", Vec::new()),
        ("0-x/\u{b5}m.txt", b"last".to_vec()),
    ]
}

fn write(folder: &Store) {
    let mut archive = ArchiveWriter::create(folder, "x.ozx", 3_000_000, COMMENT).unwrap().unwrap();
    for (key, bytes) in objects() {
        archive.start(key, bytes.len() as u64, crc32fast::hash(&bytes)).unwrap();
        for piece in bytes.chunks(700_001) {
            archive.append(piece).unwrap();
        }
    }
    assert!(!folder.exists("x.ozx").unwrap(), "it appears when it is whole");
    archive.finish().unwrap();
    assert!(ArchiveWriter::create(folder, "x.ozx", 0, "").unwrap().is_none());
}

fn read(folder: &Store) {
    let store = Store::archive(folder, "x.ozx", &StoreOptions::default());
    for (key, bytes) in objects() {
        assert_eq!(store.get(key).unwrap().unwrap(), bytes, "{key}");
        assert_eq!(store.size(key).unwrap(), Some(bytes.len() as u64));
    }
    let chunk = noise(3_000_000);
    assert_eq!(store.get_range("0/c/0/0", 5..2_500_000).unwrap().unwrap(), chunk[5..2_500_000]);
    assert_eq!(store.get_suffix("0/c/0/0", 100).unwrap().unwrap(), chunk[2_999_900..]);
    assert!(matches!(store.get_range("0/c/0/0", 0..3_000_001), Err(Error::Range { .. })));
    assert_eq!(store.get("0/c/0/2").unwrap(), None);
    let mut listed: Vec<_> =
        objects().into_iter().map(|(key, bytes)| (key.to_owned(), bytes.len() as u64)).collect();
    listed.sort();
    assert_eq!(store.list("").unwrap(), listed);
    let level = store.list_children("0").unwrap();
    assert_eq!((level.directories, level.objects), (vec!["c".to_owned()], vec![("zarr.json".to_owned(), 3)]));
    for refused in [store.put("a", "1"), store.delete("zarr.json"), store.delete_prefix("0")] {
        assert_eq!(refused.unwrap_err().class(), Class::Unsupported);
    }
}

#[test]
fn written_and_read() {
    let directory = tempfile::tempdir().unwrap();
    for folder in [open(directory.path()), Store::memory()] {
        write(&folder);
        read(&folder);
    }
    // Nothing else is left behind, also by one that is given up.
    let folder = open(directory.path());
    let mut unfinished = ArchiveWriter::create(&folder, "y.ozx", 10, COMMENT).unwrap().unwrap();
    unfinished.add("zarr.json", b"{}").unwrap();
    drop(unfinished);
    // Nor does one whose objects are not what was announced.
    for (size, crc32) in [(3, 0), (5, 0), (4, 0)] {
        let mut wrong = ArchiveWriter::create(&folder, "y.ozx", 10, COMMENT).unwrap().unwrap();
        wrong.start("a", size, crc32).unwrap();
        let outcome = wrong.append(b"four").and_then(|()| wrong.finish());
        assert!(matches!(outcome, Err(Error::Archive { .. })), "{outcome:?}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn the_file_is_as_the_format_wants_it() {
    let directory = tempfile::tempdir().unwrap();
    write(&open(directory.path()));
    let bytes = std::fs::read(directory.path().join("x.ozx")).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
    assert_eq!(archive.comment(), COMMENT.as_bytes());
    // ZIP64, though it would not be needed; and the numbers for readers that do not know it.
    position(&bytes, b"PK\x06\x06", 0);
    let end = position(&bytes, b"PK\x05\x06", 0);
    assert_eq!(usize::from(bytes[end + 10]), objects().len());
    for (number, (key, content)) in objects().into_iter().enumerate() {
        let entry = archive.by_index(number).unwrap();
        assert_eq!((entry.name().unwrap().as_ref(), entry.size()), (key, content.len() as u64));
        assert_eq!(entry.compression(), CompressionMethod::Stored);
    }
}

#[cfg(feature = "cloud")]
#[test]
fn on_an_object_store_with_few_requests() {
    let server = crate::servers::s3::S3::start();
    let folder = server.open("bucket/deep", &StoreOptions::default());
    write(&folder);
    read(&folder);
    let fresh = server.open("bucket/deep", &StoreOptions::default());
    let store = Store::archive(&fresh, "x.ozx", &StoreOptions::default());
    store.get("zarr.json").unwrap().unwrap();
    store.get("0/zarr.json").unwrap().unwrap();
    let asked = fresh.requests();
    // The beginning of the file, where the documents are, and its end, where the directory is.
    assert!(asked.gets <= 2 && asked.heads + asked.lists == 0, "{asked:?}");

    // One that is given up leaves no parts.
    let mut unfinished = ArchiveWriter::create(&folder, "y.ozx", 10, COMMENT).unwrap().unwrap();
    unfinished.add("zarr.json", &noise(30 << 20)).unwrap();
    drop(unfinished);
    assert_eq!(server.debris(), [""; 0]);
    assert!(!folder.exists("y.ozx").unwrap());
}

/// An archive of the library, changed by `change`, as a store.
fn archive(
    directory: &Path,
    entries: &[(&str, &[u8], CompressionMethod)],
    change: impl Fn(&mut Vec<u8>),
) -> Store {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes, method) in entries {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(*method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let mut bytes = zip.finish().unwrap().into_inner();
    change(&mut bytes);
    std::fs::write(directory.join("x.ozx"), bytes).unwrap();
    Store::archive(&open(directory), "x.ozx", &StoreOptions::default())
}

fn open(directory: &Path) -> Store {
    Store::open(&directory.to_owned().into(), &StoreOptions::default()).unwrap()
}

fn position(bytes: &[u8], wanted: &[u8], from: usize) -> usize {
    from + bytes[from..].windows(wanted.len()).position(|window| window == wanted).unwrap()
}

const STORED: CompressionMethod = CompressionMethod::Stored;

#[test]
fn hostile_and_broken_archives_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let two: [(&str, &[u8], _); 2] = [("aa", b"first of two", STORED), ("bb", b"second", STORED)];
    let refused = |entries: &[(&str, &[u8], CompressionMethod)], change: &dyn Fn(&mut Vec<u8>)| {
        let error = archive(directory.path(), entries, change).list("").unwrap_err();
        assert_eq!(error.class(), Class::Damaged, "{error:?}");
        error.to_string()
    };
    for name in ["../x", "/etc/x", "a/../../x", "a//b"] {
        let told = refused(&[(name, b"", STORED)], &|_| ());
        assert!(told.contains("segment"), "{told}");
    }
    let told = refused(&two, &|bytes| {
        let second = position(bytes, b"PK\x01\x02", position(bytes, b"PK\x01\x02", 0) + 4);
        bytes[second + 46..second + 48].copy_from_slice(b"aa");
    });
    assert!(told.contains("same name"), "{told}");
    // Both entries at the place of the first: the way in which a small file holds very much.
    let told = refused(&two, &|bytes| {
        let second = position(bytes, b"PK\x01\x02", position(bytes, b"PK\x01\x02", 0) + 4);
        bytes[second + 42..second + 46].fill(0);
    });
    assert!(told.contains("reaches into"), "{told}");
    // An entry that reaches beyond the directory, and the encrypted one.
    for (at, value) in [(20, 0x7f), (24, 0x7f), (8, 1)] {
        refused(&two, &|bytes| {
            let first = position(bytes, b"PK\x01\x02", 0);
            bytes[first + at] = value;
        });
    }
    refused(&two, &|bytes| bytes.truncate(bytes.len() - 1));
    refused(&two, &|bytes| bytes.clear());
    refused(&[], &|bytes| *bytes = noise(100_000));
    for end in 0..200 {
        archive(directory.path(), &two, |bytes| bytes.truncate(end)).list("").unwrap_err();
    }
}

#[test]
fn damage_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let store = archive(directory.path(), &[("aa", b"the bytes", STORED)], |bytes| {
        let place = position(bytes, b"the bytes", 0);
        bytes[place] ^= 1;
    });
    let error = store.get("aa").unwrap_err();
    assert_eq!(error.class(), Class::Damaged);
    assert!(error.to_string().contains("aa"), "{error}");
    let store = archive(directory.path(), &[("aa", b"the bytes", STORED)], |bytes| bytes[0] = b'X');
    assert_eq!(store.get("aa").unwrap_err().class(), Class::Damaged);
}

#[test]
fn what_is_deflated_is_taken_out_as_far_as_announced() {
    let zeros = vec![0; 100_000];
    let packed = {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&zeros).unwrap();
        encoder.finish().unwrap()
    };
    let directory = tempfile::tempdir().unwrap();
    let with_size = |size: u32| {
        archive(directory.path(), &[("aa", &packed, STORED)], |bytes| {
            let crc = crc32fast::hash(&zeros).to_le_bytes();
            let central = position(bytes, b"PK\x01\x02", 0);
            for (at, crc_at) in [(8, 14), (central + 10, central + 16)] {
                bytes[at] = 8;
                bytes[crc_at..crc_at + 4].copy_from_slice(&crc);
                bytes[crc_at + 8..crc_at + 12].copy_from_slice(&size.to_le_bytes());
            }
        })
    };
    let store = with_size(100_000);
    assert_eq!(store.get("aa").unwrap().unwrap(), zeros);
    assert_eq!(store.get_range("aa", 99_990..100_000).unwrap().unwrap(), vec![0; 10]);
    for wrong in [99_999, 100_001, 5, u32::MAX - 1] {
        assert_eq!(with_size(wrong).get("aa").unwrap_err().class(), Class::Damaged, "{wrong}");
    }
}
