//! A document of about 100 MB with 500 000 planes: seconds and peak memory of each step.
//!
//! `cargo bench -p fairzarr-ome-xml --bench large [-- PLANES]`. Memory is the highest resident set of the step, the
//! document itself included (Linux only; zero elsewhere).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use fairzarr_ome_xml::{ByteOrder, Document, Normalisations, Structured, Table, canonical_hash, compare};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let planes = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(500_000);
    let bytes: Arc<[u8]> = document(planes)?.into_bytes().into();
    let megabytes = bytes.len() as f64 / 1e6;
    println!(
        "{planes} planes, {megabytes:.1} MB, {:.0} MiB resident before the first step",
        resident("VmRSS")
    );
    let sizes = [planes as u64 / 100, 2, 50];

    let document = step("parse", megabytes, || Document::parse(bytes.clone()))?;
    let metadata = step("METADATA.ome.xml", megabytes, || document.metadata_only(&[(0, ByteOrder::Little)]))?;
    drop(metadata);
    let structured = step("structured form", megabytes, || Structured::from_document(&document));
    println!("    JSON without tables: {} bytes", structured.json.to_string().len());
    let groups = step("tables to arrays", megabytes, || {
        structured.tables.iter().map(|t| t.to_arrays(|_| sizes)).collect::<Vec<_>>()
    });
    let tables = step("arrays to tables", megabytes, || {
        groups.iter().map(Table::from_arrays).collect::<Result<Vec<_>, _>>()
    })?;
    drop(groups);
    let again = Structured { tables, json: structured.json, blobs: structured.blobs };
    let made = step("XML again", megabytes, || again.to_xml())?;
    drop(again);
    let differences =
        step("compare", megabytes, || compare(document.text(), &made, Normalisations::STRUCTURED))?;
    assert_eq!(differences, []);
    step("canonical hash", megabytes, || canonical_hash(document.text(), Normalisations::NONE))?;
    Ok(())
}

fn step<T>(name: &str, megabytes: f64, work: impl FnOnce() -> T) -> T {
    // Resets the high-water mark.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let start = Instant::now();
    let done = work();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{name:18} {seconds:6.2} s {:7.0} MB/s, peak {:6.0} MiB",
        megabytes / seconds,
        resident("VmHWM")
    );
    done
}

/// MiB.
fn resident(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(what));
    line.and_then(|l| l.split_whitespace().nth(1)?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn document(planes: usize) -> Result<String, std::fmt::Error> {
    let (t, c, z) = (planes / 100, 2, 50);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">\n\
         <Image ID=\"Image:0\" Name=\"large\"><Pixels ID=\"Pixels:0\" DimensionOrder=\"XYZCT\" Type=\"uint16\" \
         SizeX=\"64\" SizeY=\"64\" SizeZ=\"{z}\" SizeC=\"{c}\" SizeT=\"{t}\">\n"
    );
    for n in 0..c {
        writeln!(xml, "<Channel ID=\"Channel:0:{n}\"/>")?;
    }
    for n in 0..planes {
        writeln!(
            xml,
            "<TiffData IFD=\"{}\" FirstZ=\"{}\" FirstC=\"{}\" FirstT=\"{}\" PlaneCount=\"1\"><UUID FileName=\"f{}.ome.tif\">\
             urn:uuid:00000000-0000-0000-0000-{:012x}</UUID></TiffData>",
            n % 10_000,
            n % z,
            n / z % c,
            n / z / c,
            n / 10_000,
            n / 10_000
        )?;
    }
    for n in 0..planes {
        let seconds = n as f64 * 0.0371 + (n % 7) as f64 * 1e-4;
        writeln!(
            xml,
            "<Plane TheZ=\"{}\" TheC=\"{}\" TheT=\"{}\" DeltaT=\"{seconds:.6}\" ExposureTime=\"0.05\" \
             PositionX=\"{:.3}\" PositionY=\"-{:.3}\" PositionXUnit=\"µm\" PositionYUnit=\"µm\"/>",
            n % z,
            n / z % c,
            n / z / c,
            n as f64 / 11.0,
            n as f64 / 13.0,
        )?;
    }
    xml.push_str("</Pixels></Image></OME>\n");
    Ok(xml)
}
