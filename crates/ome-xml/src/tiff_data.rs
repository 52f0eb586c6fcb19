//! The document of a TIFF that holds all planes of all Images, one Image after the other: the way back from
//! `OME/METADATA.ome.xml`. What need not change is copied from the text.

use std::fmt::Write as _;
use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::metadata::{ByteOrder, data_edits, is_image, order_edit, unlike_utf8, value_range};
use crate::model::{Ome, Pixels};
use crate::tree::{Element, Node, Tree};
use crate::write;

impl Pixels {
    /// Samples of each channel that has planes of its own, 3 for RGB: what the Channel elements say where that adds up
    /// to SizeC, else one each. `None` where SizeC is missing or beyond all reason.
    pub fn channel_samples(&self) -> Option<Vec<u32>> {
        let size = self.size_c.filter(|size| (1..=MOST_CHANNELS).contains(size))?;
        let declared: Vec<u32> =
            self.channels.iter().map(|channel| channel.samples_per_pixel.unwrap_or(1).max(1)).collect();
        let sum: u64 = declared.iter().map(|samples| u64::from(*samples)).sum();
        Some(if sum == size { declared } else { vec![1; size as usize] })
    }

    /// How many planes it has in a TIFF; `None` where a size is missing or beyond all reason.
    pub fn plane_count(&self) -> Option<u64> {
        let channels = self.channel_samples()?.len() as u64;
        channels.checked_mul(self.size_z?)?.checked_mul(self.size_t?).filter(|count| *count <= MOST_PLANES)
    }
}

/// No acquisition has a million channels.
const MOST_CHANNELS: u64 = 1 << 20;
/// IFDs are counted with 31 bits.
const MOST_PLANES: u64 = (1 << 31) - 1;

/// See [`crate::Document::in_one_tiff`].
pub(crate) fn in_one_tiff(text: &str, tree: &Tree<'_>, ome: &Ome, order: ByteOrder) -> Result<String, Error> {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    if let Some(range) = unlike_utf8(text, tree) {
        edits.push((range, write::DECLARATION.trim_end().to_owned()));
    }
    // The UUID names a file. This is another file than those that the document came from, the same each time.
    let (root, uuid) = (&tree.root, uuid_of(text));
    let start = root.span.start;
    edits.push(match value_range(&text[start..root.span.open_end], "UUID") {
        Some(range) => (start + range.start..start + range.end, uuid),
        None => {
            let after_name = start + "<".len() + root.name.len();
            (after_name..after_name, format!(r#" UUID="{uuid}""#))
        }
    });
    let mut first = 0;
    for (index, (element, image)) in images(tree).zip(&ome.images).enumerate() {
        let planes = image.pixels.as_ref().and_then(Pixels::plane_count);
        let pixels = element.elements().find(|e| !e.foreign && e.name() == "Pixels");
        let Some((planes, pixels)) = planes.zip(pixels) else {
            let reason = "its Pixels do not say how many planes there are".to_owned();
            return Err(Error::Image { index, reason });
        };
        let data = |name: &str| format!(r#"<{name}TiffData IFD="{first}" PlaneCount="{planes}"/>"#);
        edits.extend(order_edit(text, pixels, order));
        edits.extend(data_edits(text, pixels, &data, "TiffData"));
        first += planes;
    }
    Ok(applied(text, &edits))
}

fn images<'t, 'a>(tree: &'t Tree<'a>) -> impl Iterator<Item = &'t Element<'a>> {
    tree.root.nodes.iter().filter(|node| is_image(node)).filter_map(|node| match node {
        Node::Element(element) => Some(&**element),
        _ => None,
    })
}

/// The text with pieces of it replaced, in order.
fn applied(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut out = String::with_capacity(text.len() + 64 * edits.len());
    let mut done = 0;
    for (range, replacement) in edits {
        out.push_str(&text[done..range.start]);
        out.push_str(replacement);
        done = range.end;
    }
    out.push_str(&text[done..]);
    out
}

/// A UUID made from a text (RFC 9562, version 8).
fn uuid_of(text: &str) -> String {
    let mut digest = Sha256::digest(text.as_bytes());
    digest[6] = digest[6] & 0x0f | 0x80;
    digest[8] = digest[8] & 0x3f | 0x80;
    let mut uuid = "urn:uuid:".to_owned();
    for (n, byte) in digest.iter().take(16).enumerate() {
        if matches!(n, 4 | 6 | 8 | 10) {
            uuid.push('-');
        }
        let _ = write!(uuid, "{byte:02x}");
    }
    uuid
}

#[cfg(test)]
mod tests {
    use crate::{ByteOrder, Document};

    const SOURCE: &str = r#"<?xml version="1.0"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:11111111-2222-3333-4444-555555555555"
     Creator="é &amp; co"><Image ID="Image:0"><Pixels ID="Pixels:0" BigEndian="true" DimensionOrder="XYZCT" Type="uint8"
  SizeX="4" SizeY="3" SizeZ="5" SizeC="4" SizeT="2"><Channel ID="Channel:0:0" SamplesPerPixel="3"/><Channel
  ID="Channel:0:1"/><MetadataOnly/><Plane TheZ="0" TheC="0" TheT="0"/></Pixels></Image>
<Image ID="Image:1"><Pixels ID="Pixels:1" DimensionOrder="XYCZT" Type="uint16" SizeX="4" SizeY="3" SizeZ="1" SizeC="2"
  SizeT="1"/></Image></OME>"#;

    #[test]
    fn planes_are_named_and_the_rest_stays() {
        let document = Document::parse(SOURCE.as_bytes()).unwrap();
        let text = document.in_one_tiff(ByteOrder::Little).unwrap();
        let read = Document::parse(text.as_bytes()).unwrap();
        let uuid = read.ome().uuid.clone().unwrap();
        assert_ne!(uuid, document.ome().uuid.clone().unwrap());
        let expected = SOURCE
            .replace("urn:uuid:11111111-2222-3333-4444-555555555555", &uuid)
            .replace(r#"BigEndian="true""#, r#"BigEndian="false""#)
            .replace("<MetadataOnly/>", r#"<TiffData IFD="0" PlaneCount="20"/>"#)
            .replace(r#"<Pixels ID="Pixels:1""#, r#"<Pixels BigEndian="false" ID="Pixels:1""#)
            .replace(r#"SizeT="1"/>"#, r#"SizeT="1"><TiffData IFD="20" PlaneCount="2"/></Pixels>"#);
        assert_eq!(text, expected);
        assert_eq!(text, document.in_one_tiff(ByteOrder::Little).unwrap());
        // There and back.
        let images = [(0, ByteOrder::Little), (1, ByteOrder::Little)];
        let back = read.metadata_only(&images).unwrap();
        let again = Document::parse(back.as_bytes()).unwrap().in_one_tiff(ByteOrder::Little).unwrap();
        let other = Document::parse(again.as_bytes()).unwrap().ome().uuid.clone().unwrap();
        assert_eq!(again, text.replace(&uuid, &other));
    }

    #[test]
    fn every_file_has_a_uuid() {
        let without = SOURCE.replace(r#" UUID="urn:uuid:11111111-2222-3333-4444-555555555555""#, "");
        let text = Document::parse(without.as_bytes()).unwrap().in_one_tiff(ByteOrder::Little).unwrap();
        let uuid = Document::parse(text.as_bytes()).unwrap().ome().uuid.clone().unwrap();
        assert!(text.contains(&format!(r#"<OME UUID="{uuid}" xmlns="#)), "{text}");
    }

    #[test]
    fn planes_that_are_not_counted_are_refused() {
        let without = SOURCE.replace(r#"SizeZ="5""#, "");
        let document = Document::parse(without.as_bytes()).unwrap();
        let error = document.in_one_tiff(ByteOrder::Little).unwrap_err().to_string();
        assert!(error.contains("Image 0"), "{error}");
    }
}
