//! NGFF metadata derived from OME-XML: each value here can be checked against its source.
//!
//! Sizes keep the unit of the document, but that all lengths of an image get the unit of its x axis, exactly converted;
//! units that NGFF has no name for become others. What the document does not say, or says wrongly (a size of zero, a negative time increment), is not made up: the scale is then
//! the factor relative to level 0, and the axis has no unit.

mod channels;
mod plate;
mod position;
mod scene;

use fairzarr_ome_xml as ome_xml;

use crate::{Axis, AxisKind, Dataset, Downscaling, Multiscale, units};

pub use channels::{Channel, Samples, channels, omero};
pub use plate::{PlateLayout, Plates, WellLayout, plate};
pub use position::{DELTA_T_TOLERANCE, origin, position, with_delta_t};
pub use scene::{Placed, on_stage, scene};

/// How many samples of level 0 one sample of a level spans, along t c z y x.
pub type Factors = [f64; 5];

/// Where the first sample of level 0 has its centre, along t c z y x in the units of the axes.
pub type Origin = [f64; 5];

/// The metadata of the image at `index` in its document, for levels with these factors.
pub fn multiscale(
    image: &ome_xml::Image,
    index: usize,
    levels: &[Factors],
    downscaling: Option<Downscaling>,
    origin: Origin,
) -> Multiscale {
    Multiscale {
        name: Some(name(image, index)),
        axes: axes(image),
        datasets: datasets(
            image,
            levels,
            downscaling.as_ref().map_or("", |downscaling| &downscaling.method),
            origin,
        ),
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
/// The centre of the first sample of level 0 lies at `origin`. The first sample of a lower level covers several of
/// those, so its centre lies (size at level n - size at level 0) / 2 away.
///
/// A sample of a reduced level lies in the middle of those that it was made of; where `method` is [`NEAREST`], where the first
/// of them lies.
pub fn datasets(image: &ome_xml::Image, levels: &[Factors], method: &str, origin: Origin) -> Vec<Dataset> {
    let is_placed = origin.iter().any(|place| place.abs() > 0.0);
    let shift = if method == NEAREST { 0.0 } else { 0.5 };
    let sizes = sizes(image).map(|size| size.map_or(1.0, |(size, _)| size));
    let vector = |f: &dyn Fn(usize) -> f64| (0..sizes.len()).map(f).collect::<Vec<f64>>();
    levels
        .iter()
        .enumerate()
        .map(|(level, factors)| Dataset {
            path: level.to_string(),
            scale: vector(&|axis| sizes[axis] * factors[axis]),
            translation: (level > 0 || is_placed)
                .then(|| vector(&|axis| origin[axis] + sizes[axis] * (factors[axis] - 1.0) * shift)),
        })
        .collect()
}

/// The name of the method that takes the first of the samples that become one.
pub const NEAREST: &str = "nearest";

/// Factors of levels that halve y and x each time.
pub fn halving(levels: usize) -> Vec<Factors> {
    (0..levels)
        .map(|level| {
            let factor = 2f64.powi(level as i32);
            [1.0, 1.0, 1.0, factor, factor]
        })
        .collect()
}

/// Size of a sample along t c z y x, and the name of its unit. Lengths are all in one unit, because readers take that of
/// one axis for all. Sizes in pixels or in the microscope's reference frame have none: those are no lengths. Irregular
/// time points (`Plane@DeltaT`) have no place in NGFF.
fn sizes(image: &ome_xml::Image) -> [Option<(f64, Option<&'static str>)>; 5] {
    let Some(pixels) = &image.pixels else { return [None; 5] };
    let lengths = [&pixels.physical_size_z, &pixels.physical_size_y, &pixels.physical_size_x];
    let lengths = lengths.map(|length| length.as_ref().filter(|length| is_size(length.value)));
    let unit = lengths.into_iter().rev().flatten().find_map(|length| named(length.unit));
    let [z, y, x] = lengths.map(|length| {
        let length = length?;
        let converted = unit.and_then(|(unit, name)| Some((length.convert(unit)?, Some(name))));
        Some(converted.unwrap_or((length.value, None))).filter(|(value, _)| is_size(*value))
    });
    let t = pixels.time_increment.as_ref().and_then(|step| match named(step.unit) {
        Some((unit, name)) => Some((step.convert(unit)?, Some(name))),
        None => Some((step.value, None)),
    });
    [t.filter(|(value, _)| is_size(*value)), None, z, y, x]
}

fn is_size(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

/// The unit that a value is converted to, and what NGFF calls it: itself where NGFF has a name for it.
fn named(unit: ome_xml::Unit) -> Option<(ome_xml::Unit, &'static str)> {
    let (name, _) = units::from_ome_symbol(unit.symbol())?;
    let symbol = units::ome_symbol(name)?;
    Some((ome_xml::Unit::parse(unit.kind(), symbol)?.0, name))
}

#[cfg(test)]
mod tests;
