//! The first inputs of the targets `codec` and `repack`: the fixtures of the codec's tests.

use std::path::Path;

use crate::{chunk, seed};

#[path = "../../crates/tiff-codec/tests/fixtures/read.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod read;

/// Writes the corpus of a target.
///
/// # Panics
/// If it cannot be written, or if a seed does not read as the fixture that it was made of.
pub fn write(target: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("corpus").join(target);
    std::fs::create_dir_all(&corpus).expect("a folder for the seeds");
    for fixture in read::read(&root.join("../crates/tiff-codec/tests/fixtures")) {
        let Some(seed) = seed(&fixture.layout, &fixture.stored) else { continue };
        assert!(chunk(&seed).is_some_and(|(layout, stored)| {
            layout.compression == fixture.layout.compression && stored == fixture.stored
        }));
        std::fs::write(corpus.join(&fixture.name), seed).expect("a writable folder");
    }
}
