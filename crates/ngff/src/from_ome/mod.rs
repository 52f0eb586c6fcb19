//! NGFF metadata derived from OME-XML: each value here can be checked against its source.
//!
//! Sizes keep the unit of the document; only units that NGFF has no name for are converted. What the document
//! does not say, or says wrongly (a size of zero, a negative time increment), is not made up: the scale is then
//! the factor relative to level 0, and the axis has no unit.

mod channels;
mod plate;

use fairzarr_ome_xml as ome_xml;

use crate::{Axis, AxisKind, Dataset, Downscaling, Multiscale, units};

pub use channels::{Channel, channels, omero};
pub use plate::{PlateLayout, Plates, WellLayout, plate};

/// How many samples of level 0 one sample of a level spans, along t c z y x.
pub type Factors = [f64; 5];

/// The metadata of the image at `index` in its document, for levels with these factors.
pub fn multiscale(
    image: &ome_xml::Image,
    index: usize,
    levels: &[Factors],
    downscaling: Option<Downscaling>,
) -> Multiscale {
    Multiscale {
        name: Some(name(image, index)),
        axes: axes(image),
        datasets: datasets(image, levels),
        downscaling,
        ..Multiscale::default()
    }
}

/// The image's name, or `Series n`.
pub fn name(image: &ome_xml::Image, index: usize) -> String {
    match image.name.as_deref().map(str::trim) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => format!("Series {index}"),
    }
}

/// The axes t c z y x, each with the unit of its size where the document gives one.
pub fn axes(image: &ome_xml::Image) -> Vec<Axis> {
    let kinds = [
        ("t", AxisKind::Time),
        ("c", AxisKind::Channel),
        ("z", AxisKind::Space),
        ("y", AxisKind::Space),
        ("x", AxisKind::Space),
    ];
    let axes = kinds.into_iter().zip(sizes(image)).map(|((name, kind), size)| {
        let axis = Axis::new(name, kind);
        match size {
            Some((_, Some(unit))) => axis.with_unit(unit),
            _ => axis,
        }
    });
    axes.collect()
}

/// Levels with these factors, at the paths `0`, `1`, …
///
/// The centre of the first sample of level 0 is the origin. The first sample of a lower level covers several of
/// those, so its centre lies (size at level n - size at level 0) / 2 away.
pub fn datasets(image: &ome_xml::Image, levels: &[Factors]) -> Vec<Dataset> {
    let sizes = sizes(image).map(|size| size.map_or(1.0, |(size, _)| size));
    let vector = |f: &dyn Fn(usize) -> f64| (0..sizes.len()).map(f).collect::<Vec<f64>>();
    levels
        .iter()
        .enumerate()
        .map(|(level, factors)| Dataset {
            path: level.to_string(),
            scale: vector(&|axis| sizes[axis] * factors[axis]),
            translation: (level > 0).then(|| vector(&|axis| sizes[axis] * (factors[axis] - 1.0) / 2.0)),
        })
        .collect()
}

/// Factors of levels that halve y and x each time.
pub fn halving(levels: usize) -> Vec<Factors> {
    (0..levels)
        .map(|level| {
            let factor = 2f64.powi(level as i32);
            [1.0, 1.0, 1.0, factor, factor]
        })
        .collect()
}

/// Size of a sample along t c z y x, and the name of its unit. Sizes in pixels or in the microscope's reference
/// frame have none: those are no lengths. Irregular time points (`Plane@DeltaT`) have no place in NGFF.
fn sizes(image: &ome_xml::Image) -> [Option<(f64, Option<&'static str>)>; 5] {
    let Some(pixels) = &image.pixels else { return [None; 5] };
    [
        pixels.time_increment.as_ref().and_then(size),
        None,
        pixels.physical_size_z.as_ref().and_then(size),
        pixels.physical_size_y.as_ref().and_then(size),
        pixels.physical_size_x.as_ref().and_then(size),
    ]
}

fn size(quantity: &ome_xml::Quantity) -> Option<(f64, Option<&'static str>)> {
    let (unit, factor) = units::from_ome_symbol(quantity.unit.symbol())
        .map_or((None, 1.0), |(name, factor)| (Some(name), factor));
    let value = quantity.value * factor;
    (value.is_finite() && value > 0.0).then_some((value, unit))
}

#[cfg(test)]
mod tests;
