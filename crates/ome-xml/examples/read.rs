//! Prints what an OME-XML document holds: `cargo run -p fairzarr-ome-xml --example read -- FILE…`

use std::process::ExitCode;

use fairzarr_ome_xml::Document;

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for path in std::env::args().skip(1) {
        let document = match std::fs::read(&path)
            .map_err(|e| e.to_string())
            .and_then(|b| Document::parse(b).map_err(|e| e.to_string()))
        {
            Ok(document) => document,
            Err(e) => {
                println!("{path}: {e}");
                code = ExitCode::FAILURE;
                continue;
            }
        };
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
    code
}
