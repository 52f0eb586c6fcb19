#![no_main]

use std::{fmt::Write as _, io, sync::Arc};

use fairzarr_ome_tiff::{ByteSource, Fileset, OnMissing, OpenOptions, Opener, PlaneIndex, Region, Scratch};
use libfuzzer_sys::fuzz_target;

const PAGES: u8 = 12;

/// A TIFF file of pages of one pixel, which is the number of the page.
struct Pages(Vec<u8>);

impl Pages {
    fn new(xml: &str) -> Self {
        let mut file = b"II\x2a\0\0\0\0\0".to_vec();
        let description = file.len() as u32;
        file.extend(xml.bytes());
        file.push(0);
        let mut link = 4;
        for page in 0..PAGES {
            let pixel = file.len() as u32;
            file.push(page);
            let offset = file.len() as u32;
            file[link..link + 4].copy_from_slice(&offset.to_le_bytes());
            let mut tags =
                vec![(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)];
            if page == 0 {
                tags.push((270_u16, 2_u16, xml.len() as u32 + 1, description));
            }
            tags.extend([(273, 4, 1, pixel), (279, 4, 1, 1)]);
            file.extend((tags.len() as u16).to_le_bytes());
            for (tag, field_type, count, value) in tags {
                file.extend(tag.to_le_bytes());
                file.extend(field_type.to_le_bytes());
                file.extend(count.to_le_bytes());
                file.extend(value.to_le_bytes());
            }
            link = file.len();
            file.extend([0; 4]);
        }
        Self(file)
    }
}

impl Opener for Pages {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>> {
        if name == "a" { Ok(Arc::new(self.0.clone())) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(vec!["a".to_owned()])
    }
}

/// A number that is mostly small, sometimes at the edge of what fits.
fn number(byte: u8) -> u64 {
    match byte {
        0..=200 => u64::from(byte % 14),
        201..=210 => u64::from(u32::MAX) - u64::from(byte - 201),
        211..=220 => u64::MAX - u64::from(byte - 211),
        _ => u64::from(byte) << 20,
    }
}

fuzz_target!(|data: &[u8]| {
    let [order, z, c, t, samples, fill, elements @ ..] = data else { return };
    let order = ["XYZCT", "XYZTC", "XYCZT", "XYCTZ", "XYTCZ", "XYTZC"][usize::from(order % 6)];
    let mut xml = format!(
        r#"<OME><Image ID="i"><Pixels ID="p" DimensionOrder="{order}" Type="uint8" SizeX="1" SizeY="1" SizeZ="{}" SizeC="{}" SizeT="{}">"#,
        number(*z),
        number(*c),
        number(*t)
    );
    for n in 0..number(*c).min(4) {
        let _ = write!(xml, r#"<Channel ID="{n}" SamplesPerPixel="{}"/>"#, number(*samples));
    }
    for element in elements.chunks_exact(6).take(32) {
        xml.push_str("<TiffData");
        for (name, (byte, present)) in ["IFD", "FirstZ", "FirstC", "FirstT", "PlaneCount"]
            .into_iter()
            .zip(element.iter().zip((0..5).map(|bit| element[5] >> bit & 1 == 1)))
        {
            if present {
                let _ = write!(xml, r#" {name}="{}""#, number(*byte));
            }
        }
        xml.push_str("/>");
    }
    xml.push_str("</Pixels></Image></OME>");
    let mut options = OpenOptions::default();
    if fill % 2 == 1 {
        options.on_missing = OnMissing::Fill;
    }
    let strict = options.on_missing == OnMissing::Error;
    let Ok(set) = Fileset::open_with(Arc::new(Pages::new(&xml)), "a", options) else { return };
    let image = &set.images()[0];
    let shape = image.shape();
    let mut scratch = Scratch::with_cache(0);
    for c in 0..shape.c.min(16) {
        for z in 0..shape.z.min(16) {
            // A set that opens strictly has all its planes, and each is the page that it is said to be.
            assert!(!strict || image.has_plane(0, c, z));
            if let Some(place) = image.plane_location(0, c, z) {
                let mut sample = [0xff];
                let plane = PlaneIndex { t: 0, group: c, z };
                let region = Region { y: 0, x: 0, h: 1, w: 1 };
                image.read(0, plane, region, &mut sample, &mut scratch).expect("a plane that is there");
                assert_eq!(u32::from(sample[0]), place.ifd);
            }
        }
    }
});
