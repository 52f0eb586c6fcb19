#![no_main]

use fairzarr_ome_xml::{
    ByteOrder, Document, Error, Normalisations, SchemaVersion, Structured, Table, compare,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(document) = Document::parse(data) else { return };
    assert_eq!(document.bytes(), data);
    let images: Vec<_> = (0..document.ome().images.len()).map(|image| (image, ByteOrder::Little)).collect();
    match document.metadata_only(&images) {
        Ok(metadata) => {
            let again = Document::parse(metadata.into_bytes()).expect("a document that has been made");
            assert_eq!(again.schema(), SchemaVersion::V2016_06);
            assert_eq!(again.ome().images.len(), images.len());
            match again.in_one_tiff(ByteOrder::Little) {
                Ok(text) => _ = Document::parse(text.into_bytes()).expect("a document for a file"),
                Err(error) => assert!(matches!(error, Error::Image { .. }), "{error}"),
            }
        }
        Err(error) => assert!(matches!(error, Error::BinaryOnly { .. }), "{error}"),
    }
    let mut parts = Structured::from_document(&document);
    for table in &mut parts.tables {
        let sizes = |image: usize| {
            let pixels = document.ome().images.get(image).and_then(|i| i.pixels.as_ref());
            pixels.map_or([0; 3], |p| [p.size_t, p.size_c, p.size_z].map(|size| size.unwrap_or(0)))
        };
        *table = Table::from_arrays(&table.to_arrays(sizes)).expect("arrays that have been made");
    }
    let made = parts.to_xml().expect("parts that have been made");
    let differences = compare(document.text(), &made, Normalisations::STRUCTURED).expect("two documents");
    assert!(differences.is_empty(), "{}", differences[0]);
});
