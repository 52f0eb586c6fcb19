//! The first inputs of the target `provenance`: documents of each form from the tests of the crate, a policy, a mapping.

use std::path::Path;

/// Writes `corpus/provenance`.
///
/// # Panics
/// If it cannot be written.
pub fn write() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("corpus/provenance");
    std::fs::create_dir_all(&corpus).expect("a folder for the seeds");
    let seed = |name: &str, reader: u8, document: &[u8]| {
        std::fs::write(corpus.join(name), [&[reader], document].concat()).expect("a writable folder");
    };
    seed("policy", b'p', br#"{"name": "x", "tier": 2, "extensions": ["core"], "level": "MUST"}"#);
    let mapping = br#"{"fields": [{"from": "a", "to": "Objective@LensNA"}, {"from": "/b/c", "to": "Objective@Model"}]}"#;
    seed("mapping", b'm', mapping);
    let attributes =
        br#"{"nbo:record": {"layout": 2, "objects": [{"class": "Image", "ID": "Image:0"}]}, "nbo:qc": {}}"#;
    seed("attributes", b'a', attributes);
    let documents = std::fs::read_dir(root.join("../crates/nbo/tests/data")).expect("documents of the tests");
    for path in
        documents.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(|path| path.is_file())
    {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        seed(&name, b'd', &std::fs::read(&path).expect("a readable document"));
    }
}
