//! Images that a document does not mention, such as those of pages that no plane uses: they are added with what is known of them.

use std::fmt::Write as _;

use crate::error::{Error, Warnings};
use crate::metadata::{ByteOrder, is_image};
use crate::model::Image;
use crate::parser;
use crate::text::escape_attribute;
use crate::tree::{Node, prefix};
use crate::unit::Quantity;

/// How the IDs of added Images start.
pub const FURTHER_IMAGE: &str = "Image:unmapped:";

/// An Image that is added to a document.
#[derive(Clone, Debug)]
pub struct FurtherImage<'a> {
    /// Its name, sizes of pixels, and the names and colours of its channels.
    pub described: &'a Image,
    /// Lengths along t, c, z, y, x.
    pub sizes: [u64; 5],
    /// `Pixels@Type`.
    pub pixel_type: &'a str,
    /// Samples of each channel.
    pub samples: u64,
    /// As the samples are stored.
    pub order: ByteOrder,
}

/// A document in 2016-06 with further Images after its own, each with `MetadataOnly`. The rest stays, character by character. A
/// document without Images is returned as it is.
///
/// # Errors
/// What parsing finds.
pub fn with_images(text: &str, images: &[FurtherImage<'_>]) -> Result<String, Error> {
    let tree = parser::parse(text, &mut Warnings::default())?;
    let last = tree.root.nodes.iter().rev().find(|node| is_image(node));
    let Some(Node::Element(last)) = last else { return Ok(text.to_owned()) };
    let prefix = match prefix(&last.name) {
        "" => String::new(),
        prefix => format!("{prefix}:"),
    };
    let (before, after) = text.split_at(last.span.end);
    let mut out = before.to_owned();
    let first = first_free(text);
    for (n, image) in images.iter().enumerate() {
        image.write(first.saturating_add(n as u64), &prefix, &mut out);
    }
    out.push_str(after);
    Ok(out)
}

/// One more than the number of any such ID in a document.
fn first_free(text: &str) -> u64 {
    let (_, ending) = FURTHER_IMAGE.split_at("Image".len());
    let numbers = text.split(ending).skip(1).filter_map(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse::<u64>().ok()
    });
    numbers.max().map_or(0, |number| number.saturating_add(1))
}

impl FurtherImage<'_> {
    fn write(&self, number: u64, prefix: &str, out: &mut String) {
        let [t, c, z, y, x] = self.sizes;
        let pixels = self.described.pixels.as_ref();
        let _ = write!(out, "<{prefix}Image ID=\"{FURTHER_IMAGE}{number}\"");
        attribute("Name", self.described.name.as_deref(), out);
        let _ = write!(
            out,
            "><{prefix}Pixels ID=\"Pixels:unmapped:{number}\" DimensionOrder=\"XYZCT\" Type=\"{}\" BigEndian=\"{}\" \
             SizeX=\"{x}\" SizeY=\"{y}\" SizeZ=\"{z}\" SizeC=\"{c}\" SizeT=\"{t}\"",
            self.pixel_type,
            self.order.is_big(),
        );
        if let Some(pixels) = pixels {
            quantity("PhysicalSizeX", pixels.physical_size_x.as_ref(), out);
            quantity("PhysicalSizeY", pixels.physical_size_y.as_ref(), out);
            quantity("PhysicalSizeZ", pixels.physical_size_z.as_ref(), out);
            quantity("TimeIncrement", pixels.time_increment.as_ref(), out);
        }
        out.push('>');
        let samples = self.samples.max(1);
        for channel in 0..c / samples {
            let _ = write!(
                out,
                "<{prefix}Channel ID=\"Channel:unmapped:{number}:{channel}\" SamplesPerPixel=\"{samples}\""
            );
            let known = pixels.and_then(|pixels| pixels.channels.get(usize::try_from(channel).ok()?));
            if let Some(known) = known {
                attribute("Name", known.name.as_deref(), out);
                attribute("Color", known.color.map(|color| color.to_string()).as_deref(), out);
            }
            out.push_str("/>");
        }
        let _ = write!(out, "<{prefix}MetadataOnly/></{prefix}Pixels></{prefix}Image>");
    }
}

fn attribute(name: &str, value: Option<&str>, out: &mut String) {
    if let Some(value) = value {
        let _ = write!(out, " {name}=\"");
        escape_attribute(value, out);
        out.push('"');
    }
}

fn quantity(name: &str, value: Option<&Quantity>, out: &mut String) {
    if let Some(value) = value {
        attribute(name, Some(&value.text), out);
        attribute(&format!("{name}Unit"), Some(value.unit.symbol()), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Length, Pixels, Unit};

    #[test]
    fn further_images_come_after_those_of_the_document() {
        for (prefix, xmlns) in [("", "xmlns"), ("o:", "xmlns:o")] {
            let text = format!(
                r#"<{prefix}OME {xmlns}="http://www.openmicroscopy.org/Schemas/OME/2016-06"><{prefix}Image ID="Image:unmapped:4"><{prefix}Pixels ID="P:0"><{prefix}MetadataOnly/></{prefix}Pixels></{prefix}Image> <{prefix}StructuredAnnotations/></{prefix}OME>"#
            );
            let described = Image {
                name: Some("a \"label\" & more".into()),
                pixels: Some(Pixels {
                    physical_size_x: Some(Quantity::new(0.25, Unit::Length(Length::Micrometer))),
                    ..Pixels::default()
                }),
                ..Image::default()
            };
            let further = FurtherImage {
                described: &described,
                sizes: [1, 3, 2, 20, 30],
                pixel_type: "uint8",
                samples: 3,
                order: ByteOrder::Big,
            };
            let made = with_images(&text, &[further.clone(), further]).unwrap();
            assert!(
                made.ends_with(&format!("</{prefix}Image> <{prefix}StructuredAnnotations/></{prefix}OME>"))
            );
            let read = Document::parse(made.into_bytes()).unwrap();
            assert!(read.warnings().is_empty(), "{:?}", read.warnings());
            let ids: Vec<_> = read.ome().images.iter().map(|image| image.id.as_str()).collect();
            assert_eq!(ids, ["Image:unmapped:4", "Image:unmapped:5", "Image:unmapped:6"]);
            let (image, pixels) = (&read.ome().images[1], read.ome().images[1].pixels.as_ref().unwrap());
            assert_eq!(image.name, described.name);
            assert_eq!(pixels.channel_samples(), Some(vec![3]));
            assert_eq!((pixels.size_y, pixels.plane_count()), (Some(20), Some(2)));
            assert_eq!(pixels.physical_size_x.as_ref().map(ToString::to_string).as_deref(), Some("0.25 µm"));
        }
    }
}
