//! Regions read from a document.

use fairzarr_ome_xml::{Document, Element};
use fairzarr_pixel::Shape as Size;
use std::collections::HashSet;

use crate::shape::{Affine, Geometry, Shape};
use crate::{LeftOut, Roi, Rois, mask};

/// The regions that the image at `index` of a document refers to. A document of one image whose regions nobody refers to means
/// them for that image.
pub fn of_image(document: &Document, index: usize, size: Size) -> Rois {
    let images = &document.ome().images;
    let Some(image) = images.get(index) else { return Rois::default() };
    let elements: Vec<&Element<'_>> = document.model().children("ROI").collect();
    let referred = images.iter().any(|image| !image.roi_refs.is_empty());
    let ids: HashSet<&str> = image.roi_refs.iter().map(String::as_str).collect();
    let ours = |roi: &&&Element<'_>| {
        if referred { ids.contains(roi.attr("ID").unwrap_or_default()) } else { images.len() == 1 }
    };
    let mut rois = Rois::default();
    for element in elements.iter().filter(ours) {
        read(element, size, &mut rois);
    }
    rois
}

fn read(element: &Element<'_>, size: Size, rois: &mut Rois) {
    let id = element.attr("ID").unwrap_or_default().to_owned();
    let mut roi = Roi {
        id,
        name: element.attr("Name").map(str::to_owned),
        color: None,
        text: None,
        shapes: Vec::new(),
    };
    for shape in element.child("Union").into_iter().flat_map(Element::elements) {
        let id = shape.attr("ID").unwrap_or(&roi.id).to_owned();
        match one(shape, id.clone(), size) {
            Ok(Some(painted)) => {
                roi.color = roi.color.or_else(|| color(shape));
                roi.text = roi.text.or_else(|| shape.attr("Text").map(str::to_owned));
                roi.shapes.push(painted);
            }
            Ok(None) => {}
            Err(reason) => rois.left_out.push(LeftOut { id, reason }),
        }
    }
    // A region without pixels has no number: nothing would lead to it.
    if !roi.shapes.is_empty() && rois.rois.len() < u32::MAX as usize - 1 {
        rois.rois.push(roi);
    }
}

/// One shape; `None` of those that cover nothing by what they are.
fn one(element: &Element<'_>, id: String, size: Size) -> Result<Option<Shape>, String> {
    let number = |name: &str| -> Result<f64, String> {
        let text = element.attr(name).ok_or_else(|| format!("it has no {name}"))?;
        finite(text).ok_or_else(|| format!("its {name} is {:?}, expected a number", short(text)))
    };
    let transform = transform(element)?;
    let geometry = match element.name() {
        "Rectangle" => {
            let (x, y, w, h) = (number("X")?, number("Y")?, number("Width")?, number("Height")?);
            Geometry::Area { points: vec![(x, y), (x + w, y), (x + w, y + h), (x, y + h)], non_zero: false }
        }
        "Polygon" => Geometry::Area {
            points: points(element)?,
            non_zero: element.attr("FillRule").is_some_and(|rule| rule == "NonZero"),
        },
        "Polyline" => Geometry::Stroke { points: points(element)?, half: half_stroke(element) },
        "Line" => Geometry::Stroke {
            points: vec![(number("X1")?, number("Y1")?), (number("X2")?, number("Y2")?)],
            half: half_stroke(element),
        },
        "Ellipse" => Geometry::Ellipse {
            centre: (number("X")?, number("Y")?),
            radii: (number("RadiusX")?, number("RadiusY")?),
        },
        "Point" => Geometry::Point((number("X")?, number("Y")?)),
        "Mask" => {
            let (width, height) = (number("Width")?, number("Height")?);
            let bits = mask::Packed::read(element, width, height)?;
            Geometry::Mask { at: (number("X")?, number("Y")?), bits }
        }
        _ => return Ok(None),
    };
    let plane = |name: &str, size: u32| -> Result<Option<u32>, String> {
        let Some(text) = element.attr(name) else { return Ok(None) };
        let index = text.trim().parse::<u32>().ok().filter(|index| *index < size);
        index.map(Some).ok_or_else(|| format!("its {name} is {:?}, expected less than {size}", short(text)))
    };
    let planes = [plane("TheT", size.t)?, plane("TheC", size.c)?, plane("TheZ", size.z)?];
    Shape::new(id, geometry, transform, planes, (size.y, size.x)).map(Some)
}

/// `x,y x,y …`
fn points(element: &Element<'_>) -> Result<Vec<(f64, f64)>, String> {
    let text = element.attr("Points").ok_or("it has no Points")?;
    let mut numbers = text.split([' ', ',', '\t', '\n', '\r']).filter(|part| !part.is_empty());
    let mut points = Vec::new();
    while let Some(x) = numbers.next() {
        let pair = finite(x).zip(numbers.next().and_then(finite));
        points.push(pair.ok_or_else(|| format!("its point {} is no pair of numbers", points.len()))?);
    }
    if points.is_empty() { Err("it has no points".into()) } else { Ok(points) }
}

/// Half of the width of a line in pixels; widths in other units are none of the image's.
fn half_stroke(element: &Element<'_>) -> f64 {
    let in_pixels = element.attr("StrokeWidthUnit").is_none_or(|unit| unit == "pixel");
    let width = element.attr("StrokeWidth").filter(|_| in_pixels).and_then(finite);
    width.unwrap_or(1.0).max(1.0) / 2.0
}

fn transform(element: &Element<'_>) -> Result<Affine, String> {
    let Some(transform) = element.child("Transform") else { return Ok(Affine::IDENTITY) };
    let number = |name: &str| transform.attr(name).and_then(finite);
    let all = ["A00", "A01", "A02", "A10", "A11", "A12"].map(number);
    let [Some(a), Some(b), Some(c), Some(d), Some(e), Some(f)] = all else {
        return Err("its Transform lacks a number".into());
    };
    Ok(Affine([a, b, c, d, e, f]))
}

/// `FillColor` unless it is wholly transparent, else `StrokeColor`: red, green, blue, opacity in one signed number.
fn color(shape: &Element<'_>) -> Option<[u8; 4]> {
    let of = |name: &str| Some((shape.attr(name)?.trim().parse::<i64>().ok()? as u32).to_be_bytes());
    of("FillColor").filter(|rgba| rgba[3] > 0).or_else(|| of("StrokeColor"))
}

fn finite(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A text for a message.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
