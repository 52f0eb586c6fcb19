//! Stores whose metadata or chunks ask for more than they hold are refused or told of, within the memory that is allowed.

use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use tempfile::TempDir;

use crate::support::tiff::{Sample, Tiff};
use crate::support::{convert, fairzarr, text};

struct Stored {
    _dir: TempDir,
    store: PathBuf,
}

impl Stored {
    /// A store of one plane in one chunk.
    fn new(options: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let (source, store) = (dir.path().join("source.ome.tiff"), dir.path().join("store.zarr"));
        Tiff::of(Sample::U8, [1, 1, 1, 16, 16]).write(&source);
        convert(&source, &store, &[&["--pyramid", "none"], options].concat()).done();
        Self { _dir: dir, store }
    }

    fn edit(&self, document: &str, change: impl FnOnce(&mut Value)) {
        let path = self.store.join(document);
        let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, value.to_string()).unwrap();
    }
}

#[test]
fn a_chunk_that_decodes_to_more_than_its_size_is_a_difference() {
    // Zarr v2 has no checksum beside the codec, which would be compared first.
    let stored = Stored::new(&["--codec", "gzip-6", "--ngff", "0.4"]);
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    bomb.write_all(&vec![0; 64 << 20]).unwrap();
    fs::write(stored.store.join("0/0/0/0/0/0"), bomb.finish().unwrap()).unwrap();
    let told = fairzarr(["verify", &text(&stored.store)]).ends_with(1);
    assert!(told.out.contains("decodes to more than the 256 bytes"), "{told:?}");
}

#[test]
fn an_object_beyond_the_memory_is_refused_before_it_is_read() {
    for with_object in [true, false] {
        let stored = Stored::new(&[]);
        stored.edit("0/zarr.json", |array| {
            array["shape"] = json!([1, 1, 1, 60_000, 60_000]);
            array["chunk_grid"]["configuration"]["chunk_shape"] = json!([1, 1, 1, 60_000, 60_000]);
        });
        if !with_object {
            fs::remove_dir_all(stored.store.join("0/c")).unwrap();
        }
        let refused = fairzarr(["verify", &text(&stored.store), "--memory", "256M"]).ends_with(3);
        let message = refused.message();
        assert!(message.contains("3600000000 bytes") && message.contains("--memory"), "{message}");
    }
}

#[test]
fn chunks_of_other_dimensions_than_their_array_are_refused() {
    for sharded in [false, true] {
        let stored = Stored::new(if sharded { &["--shard", "256", "--chunk", "128"] } else { &[] });
        stored.edit("0/zarr.json", |array| {
            let within = if sharded { "/codecs/0" } else { "/chunk_grid" };
            let chunk = array.pointer_mut(&format!("{within}/configuration/chunk_shape")).unwrap();
            chunk.as_array_mut().unwrap().pop();
        });
        for command in [vec!["verify"], vec!["validate", "--deep"]] {
            let told = fairzarr([&command[..], &[&text(&stored.store)]].concat());
            assert!(told.code.is_some_and(|code| [1, 3].contains(&code)), "{command:?}: {told:?}");
        }
    }
}

#[test]
fn an_image_of_more_levels_than_there_can_be_is_refused() {
    let stored = Stored::new(&[]);
    stored.edit("zarr.json", |root| {
        let datasets = root["attributes"]["ome"]["multiscales"][0]["datasets"].as_array_mut().unwrap();
        *datasets = vec![datasets[0].clone(); 20_000];
    });
    let refused = fairzarr(["verify", &text(&stored.store)]).ends_with(3);
    assert!(refused.message().contains("20000 datasets"), "{refused:?}");
}
