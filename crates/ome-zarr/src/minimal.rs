//! OME-XML for a store that has none: what its axes, scales and rendering settings say, in schema 2016-06.
//!
//! It holds nothing that the store does not say, and the same store gives the same document.

use std::fmt::Write as _;

use fairzarr_ngff::units;

use crate::Error;
use crate::hierarchy::{Hierarchy, OpenImage};
use crate::keys::METADATA;

/// The document as `OME/METADATA.ome.xml` would be: one Image for each of the store's, each with `MetadataOnly`.
///
/// # Errors
/// When an array cannot be opened, or its samples are of a type that OME has not.
pub fn minimal_document(hierarchy: &Hierarchy) -> Result<String, Error> {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">",
    );
    for index in 0..hierarchy.images().len() {
        let image = hierarchy.open_image(index)?;
        add_image(&mut xml, &image).map_err(|reason| Error::Metadata { path: METADATA.into(), reason })?;
    }
    xml.push_str("</OME>\n");
    Ok(xml)
}

fn add_image(xml: &mut String, image: &OpenImage<'_>) -> Result<(), String> {
    let OpenImage { index, stored, levels } = image;
    let array = levels.first().ok_or_else(|| format!("image {index} has no levels"))?;
    let dimensions = image.dimensions();
    let length = |axis: usize| dimensions[axis].and_then(|at| array.shape().get(at)).copied().unwrap_or(1);
    let [t, c, z, y, x] = [0, 1, 2, 3, 4].map(length);
    let data_type = array.data_type();
    let pixel_type = pixel_type(&data_type).ok_or_else(|| {
        format!("the samples of image {index} are {data_type}, which OME-XML has no Type for")
    })?;
    let mut out = format!("<Image ID=\"Image:{index}\"");
    if let Some(name) = stored.multiscale.name.as_deref().filter(|name| !name.is_empty()) {
        let _ = write!(out, " Name=\"{}\"", escaped(name));
    }
    let _ = write!(
        out,
        "><Pixels ID=\"Pixels:{index}\" DimensionOrder=\"XYZCT\" Type=\"{pixel_type}\" BigEndian=\"false\" SizeX=\"{x}\" \
         SizeY=\"{y}\" SizeZ=\"{z}\" SizeC=\"{c}\" SizeT=\"{t}\""
    );
    let sizes = [
        ("PhysicalSizeX", 4, "pixel"),
        ("PhysicalSizeY", 3, "pixel"),
        ("PhysicalSizeZ", 2, "pixel"),
        ("TimeIncrement", 0, ""),
    ];
    for (name, axis, unknown) in sizes {
        let Some(at) = dimensions[axis] else { continue };
        let scale = stored.multiscale.datasets.first().and_then(|level| level.scale.get(at)).copied();
        let Some(scale) = scale.filter(|scale| scale.is_finite() && *scale > 0.0) else { continue };
        let unit =
            stored.multiscale.axes.get(at).and_then(|axis| axis.unit.as_deref()).and_then(units::ome_symbol);
        match unit {
            Some(unit) => write!(out, " {name}=\"{scale}\" {name}Unit=\"{unit}\""),
            // A ratio to the other sides, if it is not simply absent.
            None if unknown.is_empty() || is_one(scale) => Ok(()),
            None => write!(out, " {name}=\"{scale}\" {name}Unit=\"{unknown}\""),
        }
        .map_err(|error| error.to_string())?;
    }
    out.push('>');
    let channels = stored.omero.as_ref().map(|omero| omero.channels.as_slice()).unwrap_or_default();
    for n in 0..c {
        let _ = write!(out, "<Channel ID=\"Channel:{index}:{n}\" SamplesPerPixel=\"1\"");
        if let Some(channel) = usize::try_from(n).ok().and_then(|n| channels.get(n)) {
            let [r, g, b] = channel.color;
            let color = i32::from_be_bytes([r, g, b, 255]);
            let _ = write!(out, " Name=\"{}\" Color=\"{color}\"", escaped(&channel.label));
        }
        out.push_str("/>");
    }
    out.push_str("<MetadataOnly/></Pixels></Image>");
    xml.push_str(&out);
    Ok(())
}

/// `Pixels@Type` of samples of a data type of Zarr v3; `None` where OME-XML has none.
pub fn pixel_type(data_type: &str) -> Option<&str> {
    Some(match data_type {
        "bool" => "bit",
        "float16" | "float32" => "float",
        "float64" => "double",
        "complex64" => "complex",
        "complex128" => "double-complex",
        other @ ("int8" | "uint8" | "int16" | "uint16" | "int32" | "uint32") => other,
        _ => return None,
    })
}

fn is_one(scale: f64) -> bool {
    (scale - 1.0).abs() < f64::EPSILON
}

/// A text as it stands in an attribute; without characters that XML has not.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
