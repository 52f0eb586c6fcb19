//! What the library makes of OME-XML documents.
//!
//! ```text
//! omexml show FILE…              what is in it, what was wrong with it, what an upgrade changes
//! omexml metadata DIR FILE…      writes OME/METADATA.ome.xml of each into DIR
//! ```

use std::path::Path;
use std::process::ExitCode;

use fairzarr_ome_xml::{Document, Error};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let mut failed = false;
    let dir = if command == "metadata" { args.next().unwrap_or_default() } else { String::new() };
    for (n, path) in args.enumerate() {
        let done = std::fs::read(&path).map_err(|e| e.to_string()).and_then(|bytes| {
            let document = Document::parse(bytes).map_err(|e| e.to_string())?;
            match command.as_str() {
                "show" => show(&path, &document),
                "metadata" => metadata(Path::new(&dir), n, &path, &document).map_err(|e| e.to_string())?,
                other => return Err(format!("no such command: {other}")),
            }
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

fn metadata(dir: &Path, n: usize, path: &str, document: &Document) -> Result<(), Error> {
    let images: Vec<usize> = (0..document.ome().images.len()).collect();
    let text = document.metadata_only(&images)?;
    let name = path.replace('/', "__");
    std::fs::write(dir.join(format!("{n:04}__{name}")), text)
        .map_err(|e| Error::Json { path: path.to_owned(), reason: e.to_string() })
}
