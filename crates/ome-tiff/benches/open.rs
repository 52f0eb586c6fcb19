//! Time and memory to open a BigTIFF of 100 000 IFDs, with one TiffData element for all planes and with one each.
//!
//! ```sh
//! cargo bench -p fairzarr-ome-tiff --bench open
//! ```

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    time::Instant,
};

use fairzarr_ome_tiff::{Fileset, PlaneIndex, Region, Scratch};

const PLANES: u32 = 100_000;
const SIZE: u32 = 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    for (name, elements) in [("one TiffData", false), ("100 000 TiffData", true)] {
        let path = folder.path().join("planes.ome.tif");
        write(&path, elements)?;
        let len = path.metadata()?.len();
        let before = resident_kib();
        let mut best = f64::MAX;
        for _ in 0..5 {
            let start = Instant::now();
            let set = Fileset::open(&path)?;
            assert_eq!(set.images()[0].shape().t, PLANES);
            best = best.min(start.elapsed().as_secs_f64());
        }
        let set = Fileset::open(&path)?;
        let held = resident_kib().saturating_sub(before);
        println!(
            "{name}: {PLANES} IFDs, {} MB: open {:.0} ms, {held} KiB more resident",
            len / 1_000_000,
            best * 1e3
        );
        let image = &set.images()[0];
        let mut scratch = Scratch::new();
        let mut samples = vec![0; (SIZE * SIZE * 2) as usize];
        let region = Region { y: 0, x: 0, h: SIZE, w: SIZE };
        let start = Instant::now();
        for t in 0..PLANES {
            image.read(0, PlaneIndex { t, group: 0, z: 0 }, region, &mut samples, &mut scratch)?;
        }
        println!("  all planes read in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}

/// Writes a little-endian BigTIFF, each directory after its pixels, as tifffile and Bio-Formats do.
fn write(path: &Path, elements: bool) -> io::Result<()> {
    let mut xml = format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="{SIZE}" SizeY="{SIZE}" SizeZ="1" SizeC="1" SizeT="{PLANES}"><Channel ID="Channel:0:0"/>"#
    );
    if elements {
        for t in 0..PLANES {
            let _ = write!(xml, r#"<TiffData IFD="{t}" FirstT="{t}" PlaneCount="1"/>"#);
        }
    } else {
        xml.push_str("<TiffData/>");
    }
    xml.push_str("</Pixels></Image></OME>\0");
    let plane = (SIZE * SIZE * 2) as u64;
    let mut out = BufWriter::new(File::create(path)?);
    let description = 16;
    let mut at = (16 + xml.len() as u64).next_multiple_of(8);
    out.write_all(b"II\x2b\0\x08\0\0\0")?;
    out.write_all(&(at + plane).to_le_bytes())?;
    out.write_all(xml.as_bytes())?;
    out.write_all(&vec![0; (at - 16) as usize - xml.len()])?;
    for n in 0..PLANES {
        out.write_all(&vec![n as u8; plane as usize])?;
        let mut tags: Vec<(u16, u16, u64, u64)> = vec![
            (256, 4, 1, u64::from(SIZE)),
            (257, 4, 1, u64::from(SIZE)),
            (258, 3, 1, 16),
            (259, 3, 1, 1),
            (262, 3, 1, 1),
            (273, 16, 1, at),
            (277, 3, 1, 1),
            (278, 4, 1, u64::from(SIZE)),
            (279, 16, 1, plane),
            (284, 3, 1, 1),
            (339, 3, 1, 1),
        ];
        if n == 0 {
            tags.insert(5, (270, 2, xml.len() as u64, description));
        }
        out.write_all(&(tags.len() as u64).to_le_bytes())?;
        for (tag, field_type, count, value) in &tags {
            out.write_all(&tag.to_le_bytes())?;
            out.write_all(&field_type.to_le_bytes())?;
            out.write_all(&count.to_le_bytes())?;
            out.write_all(&value.to_le_bytes())?;
        }
        at += plane + 16 + 20 * tags.len() as u64;
        let next = if n + 1 < PLANES { at + plane } else { 0 };
        out.write_all(&next.to_le_bytes())?;
    }
    out.flush()
}

/// Resident memory of this process, where the system tells.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}
