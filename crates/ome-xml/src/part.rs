//! `OME/METADATA.ome.xml` of a part: a document in 2016-06 that says no more of Images and time points that are left out.
//! What need not change stays, character by character.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::decimal::Decimal;
use crate::error::{Error, Warnings};
use crate::metadata::{is_image, value_range};
use crate::parser;
use crate::tree::{Bulk, Element, Node, Span};

/// The text without what refers to Images that are not there, where there were others; and with these time points alone,
/// ascending, counted from 0 in their order.
pub(crate) fn of_part(text: &str, without_images: bool, times: Option<&[u32]>) -> Result<String, Error> {
    let tree = parser::parse(text, &mut Warnings::default())?;
    let mut part = Part { text, times, ..Part::default() };
    let images = || tree.root.nodes.iter().filter(|node| is_image(node)).filter_map(element);
    if without_images {
        let there: BTreeSet<&str> = images().filter_map(|image| image.attr("ID")).collect();
        part.refer(&tree.root, &|name, id| name == "ImageRef" && !there.contains(id));
        let referred: BTreeSet<&str> =
            images().flat_map(|image| image.children("ROIRef")).filter_map(|of| of.attr("ID")).collect();
        let rois = tree.root.children("ROI").filter_map(|roi| roi.attr("ID"));
        part.rois.extend(rois.filter(|id| !referred.contains(id)));
    }
    if times.is_some() {
        for pixels in images().flat_map(|image| image.children("Pixels")) {
            part.pixels(pixels);
        }
    }
    for roi in tree.root.children("ROI").filter(|roi| !roi.foreign) {
        part.roi(roi);
    }
    let (samples, rois) = (std::mem::take(&mut part.samples), std::mem::take(&mut part.rois));
    part.refer(&tree.root, &|name, id| {
        name == "WellSampleRef" && samples.contains(id) || name == "ROIRef" && rois.contains(id)
    });
    Ok(part.finish())
}

fn element<'e, 'a>(node: &'e Node<'a>) -> Option<&'e Element<'a>> {
    match node {
        Node::Element(element) => Some(element),
        _ => None,
    }
}

/// Time points that an image has of those that are asked for, and the steps between them: `None` where they are not equal, 1 for a
/// single one.
pub(crate) fn step(times: &[u32]) -> Option<u32> {
    let mut steps = times.windows(2).map(|pair| pair[1] - pair[0]);
    let first = steps.next().unwrap_or(1);
    steps.all(|step| step == first).then_some(first)
}

/// `value` times a whole number, exactly.
pub(crate) fn times(value: f64, step: u32) -> f64 {
    let exact = Decimal::of(value).zip(Decimal::of(step.into()));
    exact.and_then(|(value, step)| value.times(step)?.to_f64()).unwrap_or(value * f64::from(step))
}

/// What is changed in a text.
#[derive(Default)]
struct Part<'t> {
    text: &'t str,
    times: Option<&'t [u32]>,
    edits: Vec<(Range<usize>, String)>,
    /// IDs of WellSamples that are left out.
    samples: BTreeSet<&'t str>,
    /// IDs of ROIs that are left out.
    rois: BTreeSet<&'t str>,
}

impl<'t> Part<'t> {
    /// Takes out elements that refer to something that is left out, wherever they stand; a WellSample with its ImageRef.
    fn refer(&mut self, element: &'t Element<'t>, is_gone: &dyn Fn(&str, &str) -> bool) {
        for child in element.elements().filter(|child| !child.foreign) {
            let gone = |of: &Element<'_>| is_gone(of.name(), of.attr("ID").unwrap_or_default());
            match child.name() {
                "StructuredAnnotations" | "ROI" => {}
                "WellSample" if child.elements().any(gone) => {
                    self.samples.extend(child.attr("ID"));
                    self.remove(child.span);
                }
                _ if gone(child) => self.remove(child.span),
                _ => self.refer(child, is_gone),
            }
        }
    }

    /// `SizeT`, `TimeIncrement` and the Planes.
    fn pixels(&mut self, pixels: &Element<'_>) {
        let Some(all) = self.times else { return };
        let size: Option<u32> = pixels.attr("SizeT").and_then(|size| size.trim().parse().ok());
        let kept = &all[..size.map_or(all.len(), |size| all.partition_point(|time| *time < size))];
        self.set(pixels.span, "SizeT", Some(&kept.len().to_string()));
        match step(kept) {
            Some(1) => {}
            Some(step) => {
                let value = pixels.attr("TimeIncrement").and_then(|value| value.trim().parse::<f64>().ok());
                if let Some(value) = value.filter(|value| value.is_finite()) {
                    self.set(pixels.span, "TimeIncrement", Some(&times(value, step).to_string()));
                }
            }
            // Of unequal steps none is the increment.
            None => {
                self.set(pixels.span, "TimeIncrement", None);
                self.set(pixels.span, "TimeIncrementUnit", None);
            }
        }
        for node in &pixels.nodes {
            if let Node::Run(run) = node
                && run.kind == Bulk::Plane
            {
                for plane in run.read_elements() {
                    self.place(&plane);
                }
            }
        }
    }

    /// The shapes of a ROI; one without any is left out.
    fn roi(&mut self, roi: &'t Element<'t>) {
        let id = roi.attr("ID").unwrap_or_default();
        let shapes = || roi.children("Union").flat_map(Element::elements).filter(|shape| !shape.foreign);
        let is_left = |shape: &Element<'_>| shape.attr("TheT").is_none_or(|time| self.number(time).is_some());
        if self.rois.contains(id) || shapes().next().is_some() && !shapes().any(is_left) {
            self.rois.insert(id);
            self.remove(roi.span);
            return;
        }
        for shape in shapes() {
            self.place(shape);
        }
    }

    /// Which of the time points it is, and nothing where it is none of them; without a choice itself.
    fn number(&self, time: &str) -> Option<u32> {
        let time = time.trim().parse().ok()?;
        match self.times {
            Some(times) => times.binary_search(&time).ok().and_then(|n| u32::try_from(n).ok()),
            None => Some(time),
        }
    }

    /// An element with `TheT`.
    fn place(&mut self, element: &Element<'_>) {
        if self.times.is_none() {
            return;
        }
        let Some(time) = element.attr("TheT") else { return };
        match self.number(time) {
            Some(number) if time == number.to_string() => {}
            Some(number) => self.set(element.span, "TheT", Some(&number.to_string())),
            None => self.remove(element.span),
        }
    }

    /// An attribute with another value, or without any.
    fn set(&mut self, span: Span, name: &str, value: Option<&str>) {
        let tag = &self.text[span.start..span.open_end];
        let Some(range) = value_range(tag, name) else { return };
        match value {
            Some(value) => {
                let range = span.start + range.start..span.start + range.end;
                self.edits.push((range, value.to_owned()));
            }
            None => {
                let Some(equals) = tag[..range.start].rfind('=') else { return };
                let name_at = tag[..equals].trim_end().len() - name.len();
                let start = tag[..name_at].trim_end().len();
                // With its closing quote.
                let end = range.end + 1;
                self.edits.push((span.start + start..span.start + end, String::new()));
            }
        }
    }

    /// An element is taken out with the white space before it.
    fn remove(&mut self, span: Span) {
        let start = self.text[..span.start].trim_end().len();
        self.edits.push((start..span.end, String::new()));
    }

    fn finish(mut self) -> String {
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(self.text.len());
        let mut done = 0;
        for (range, replacement) in self.edits {
            // What lies in an element that is taken out goes with it.
            if range.start < done {
                continue;
            }
            out.push_str(&self.text[done..range.start]);
            out.push_str(&replacement);
            done = range.end;
        }
        out.push_str(&self.text[done..]);
        out
    }
}

#[cfg(test)]
mod tests {
    use crate::{ByteOrder, Document};

    const XML: &str = r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
  <Plate ID="Plate:0"><Well ID="Well:0" Row="0" Column="0">
      <WellSample ID="WellSample:0" Index="0"><ImageRef ID="Image:0"/></WellSample>
      <WellSample ID="WellSample:1" Index="1"><ImageRef ID="Image:1"/></WellSample>
    </Well>
    <PlateAcquisition ID="PlateAcquisition:0"><WellSampleRef ID="WellSample:0"/><WellSampleRef ID="WellSample:1"/></PlateAcquisition>
  </Plate>
  <Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="4" SizeY="4" SizeZ="1" SizeC="1" SizeT="5" TimeIncrement="0.1" TimeIncrementUnit="s">
      <Channel ID="Channel:0:0"/><TiffData/>
      <Plane TheZ="0" TheC="0" TheT="0" DeltaT="0"/><Plane TheZ="0" TheC="0" TheT="1" DeltaT="1"/>
      <Plane TheZ="0" TheC="0" TheT="4" DeltaT="4"/>
    </Pixels><ROIRef ID="ROI:0"/><ROIRef ID="ROI:1"/></Image>
  <Image ID="Image:1"><Pixels ID="Pixels:1" DimensionOrder="XYZCT" Type="uint8" SizeX="4" SizeY="4" SizeZ="1" SizeC="1" SizeT="1">
      <TiffData/></Pixels><ROIRef ID="ROI:2"/></Image>
  <ROI ID="ROI:0"><Union><Point ID="Shape:0" X="1" Y="1" TheT="4"/><Point ID="Shape:1" X="1" Y="1" TheT="1"/><Point ID="Shape:2" X="1" Y="1"/></Union></ROI>
  <ROI ID="ROI:1"><Union><Point ID="Shape:3" X="1" Y="1" TheT="2"/></Union></ROI>
  <ROI ID="ROI:2"><Union><Point ID="Shape:4" X="1" Y="1" TheT="0"/></Union></ROI>
</OME>"#;

    fn part(images: &[usize], times: Option<&[u32]>) -> String {
        let images: Vec<_> = images.iter().map(|image| (*image, ByteOrder::Little)).collect();
        let document = Document::parse(XML.as_bytes().to_vec()).unwrap();
        let text = document.metadata_of_part(&images, times).unwrap();
        Document::parse(text.clone().into_bytes()).unwrap();
        text
    }

    #[test]
    fn nothing_of_a_part_refers_to_what_is_left_out() {
        let text = part(&[1], None);
        for gone in ["Image:0", "ROI:0", "ROI:1", "WellSample:0"] {
            assert!(!text.contains(&format!("\"{gone}\"")), "{gone}: {text}");
        }
        for there in ["Image:1", "ROI:2", "WellSample:1", "Well:0"] {
            assert!(text.contains(&format!("\"{there}\"")), "{there}: {text}");
        }
        assert_eq!(part(&[0, 1], None).matches("ImageRef").count(), 2);
    }

    #[test]
    fn time_points_of_a_part_are_counted_from_0() {
        let text = part(&[0], Some(&[0, 2, 4]));
        assert!(text.contains(r#"SizeT="3" TimeIncrement="0.2" TimeIncrementUnit="s">"#), "{text}");
        assert!(text.contains(r#"<Plane TheZ="0" TheC="0" TheT="0" DeltaT="0"/>"#), "{text}");
        assert!(text.contains(r#"<Plane TheZ="0" TheC="0" TheT="2" DeltaT="4"/>"#), "{text}");
        assert_eq!(text.matches("<Plane ").count(), 2);
        // Shapes of other time points are left out, and regions that have no other.
        assert!(text.contains(r#"ID="Shape:0" X="1" Y="1" TheT="2""#) && !text.contains("Shape:1"), "{text}");
        assert!(
            text.contains("Shape:2") && text.contains("ROI:1\"><Union>") && text.contains(r#"TheT="1"/>"#)
        );
        let gap = part(&[0], Some(&[0, 1, 4]));
        assert!(gap.contains(r#"SizeT="3">"#), "{gap}");
        assert!(!gap.contains("ROI:1"), "{gap}");
        // An image has those of the time points that it has.
        assert!(part(&[0, 1], Some(&[0, 4])).contains(r#"SizeC="1" SizeT="1">"#));
    }
}
