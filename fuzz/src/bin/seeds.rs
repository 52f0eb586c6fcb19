//! Writes corpus/codec from the fixtures of the codec tests.

use std::path::Path;

use fairzarr_fuzz::{chunk, seed};

#[path = "../../../crates/tiff-codec/tests/fixtures/read.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod read;

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("corpus/codec");
    std::fs::create_dir_all(&corpus)?;
    let mut written = 0;
    for fixture in read::read(&root.join("../crates/tiff-codec/tests/fixtures")) {
        let Some(seed) = seed(&fixture.layout, &fixture.stored) else { continue };
        assert!(chunk(&seed).is_some_and(|(layout, stored)| {
            layout.compression == fixture.layout.compression && stored == fixture.stored
        }));
        std::fs::write(corpus.join(&fixture.name), seed)?;
        written += 1;
    }
    println!("{written} seeds in {}", corpus.display());
    Ok(())
}
