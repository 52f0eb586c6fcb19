//! What the library makes of OME-XML documents.
//!
//! ```text
//! omexml show FILE…              what is in it, what was wrong with it, what an upgrade changes
//! omexml metadata DIR FILE…      writes OME/METADATA.ome.xml of each into DIR
//! omexml canonical DIR FILE…     writes the canonical form of each into DIR
//! omexml json DIR FILE…          writes the structured form of each, without its tables, into DIR
//! omexml again DIR FILE…         writes each as made again from its structured form into DIR
//! ```

use std::path::Path;
use std::process::ExitCode;

use fairzarr_ome_xml::{ByteOrder, Document, Error, Normalisations, Structured, canonical};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let mut failed = false;
    let dir = if command == "show" { String::new() } else { args.next().unwrap_or_default() };
    for (n, path) in args.enumerate() {
        let done = std::fs::read(&path).map_err(|e| e.to_string()).and_then(|bytes| {
            let document = Document::parse(bytes).map_err(|e| e.to_string())?;
            if command == "show" {
                show(&path, &document);
                return Ok(());
            }
            let text = text(&command, &document).map_err(|e| e.to_string())?;
            let name = format!("{n:04}__{}", path.replace('/', "__"));
            std::fs::write(Path::new(&dir).join(name), text).map_err(|e| e.to_string())?;
            Ok(())
        });
        if let Err(e) = done {
            println!("{path}: {e}");
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn show(path: &str, document: &Document) {
    println!("{path}: schema {}, sha256 {}", document.schema(), document.sha256());
    for image in &document.ome().images {
        let Some(pixels) = &image.pixels else { continue };
        println!(
            "  {} {:?}: {:?} {:?} t{:?} c{:?} z{:?} y{:?} x{:?}, {} channels, {} TiffData, {} planes",
            image.id,
            image.name.as_deref().unwrap_or_default(),
            pixels.pixel_type,
            pixels.dimension_order,
            pixels.size_t,
            pixels.size_c,
            pixels.size_z,
            pixels.size_y,
            pixels.size_x,
            pixels.channels.len(),
            pixels.tiff_data.len(),
            pixels.planes.len(),
        );
    }
    for warning in document.warnings() {
        println!("  warning: {warning}");
    }
    for change in document.changes() {
        println!("  changed: {change}");
    }
}

fn text(command: &str, document: &Document) -> Result<String, Error> {
    match command {
        "canonical" => canonical(document.text(), Normalisations::NONE),
        "json" => Ok(format!("{:#}", Structured::from_document(document).json)),
        "again" => Structured::from_document(document).to_xml(),
        _ => {
            let images = (0..document.ome().images.len()).map(|index| (index, ByteOrder::Little));
            document.metadata_only(&images.collect::<Vec<_>>())
        }
    }
}
