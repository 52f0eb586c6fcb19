//! Where an image lies on the stage, and when its time points were: values of single planes that NGFF has a place for.

use fairzarr_ome_xml::{Image, Ome, PlaneQuantity, Planes, Quantity};

use super::{Origin, named, sizes};

/// How far a time point may lie from where equal steps put it, as a fraction of the step.
pub const DELTA_T_TOLERANCE: f64 = 0.05;

/// The place of an image on the stage along t c z y x, in the units of its axes: that of its first plane (`Plane@PositionX`, …); where no
/// plane says it, that of the field of its plate (`WellSample@PositionX`, …). Axes whose size has no unit, and positions in no
/// unit of length (`reference frame`), have none: their place stays 0.
pub fn origin(ome: Option<&Ome>, image: &Image) -> Origin {
    position(ome, image).unwrap_or([0.0; 5])
}

/// As [`origin`]; `None` where no axis has a place.
pub fn position(ome: Option<&Ome>, image: &Image) -> Option<Origin> {
    let mut origin = [0.0; 5];
    let mut is_known = false;
    let units = sizes(image).map(|size| size.and_then(|(_, unit)| unit));
    let planes = image.pixels.as_ref().map(|pixels| &pixels.planes);
    let first = planes.and_then(first_plane);
    let of_planes = |of: fn(&Planes) -> &PlaneQuantity| {
        let (value, unit) = of(planes?).get(first?)?;
        Some(Quantity::new(value, unit))
    };
    let mut fields =
        ome.iter().flat_map(|ome| &ome.plates).flat_map(|plate| &plate.wells).flat_map(|well| &well.samples);
    let field = fields.find(|field| field.image_ref.as_deref() == Some(image.id.as_str()));
    let positions = [
        (2, of_planes(|planes| &planes.position_z)),
        (3, of_planes(|planes| &planes.position_y).or_else(|| field?.position_y.clone())),
        (4, of_planes(|planes| &planes.position_x).or_else(|| field?.position_x.clone())),
    ];
    for (axis, position) in positions {
        let converted = position.zip(units[axis]).and_then(|(position, unit)| in_unit(&position, unit));
        if let Some(value) = converted.filter(|value| value.is_finite()) {
            origin[axis] = value;
            is_known = true;
        }
    }
    is_known.then_some(origin)
}

/// The image with a time increment from its planes' `DeltaT`, where the document gives no increment and the first plane of each
/// time point lies where equal steps put it, to [`DELTA_T_TOLERANCE`].
#[must_use]
pub fn with_delta_t(mut image: Image) -> Image {
    let Some(pixels) = &mut image.pixels else { return image };
    if pixels.time_increment.is_some() {
        return image;
    }
    pixels.time_increment = pixels.size_t.and_then(|count| increment(&pixels.planes, count));
    image
}

fn increment(planes: &Planes, count: u64) -> Option<Quantity> {
    if count < 2 || count > planes.len() as u64 {
        return None;
    }
    let first = first_plane(planes)?;
    let (z, c) = (planes.the_z[first], planes.the_c[first]);
    let mut times: Vec<Option<(f64, _)>> = vec![None; usize::try_from(count).ok()?];
    for plane in 0..planes.len() {
        if (planes.the_z[plane], planes.the_c[plane]) == (z, c)
            && let Some(time) = times.get_mut(planes.the_t[plane] as usize)
        {
            *time = planes.delta_t.get(plane);
        }
    }
    let times: Vec<(f64, _)> = times.into_iter().collect::<Option<_>>()?;
    let unit = times.first()?.1;
    // All in one unit: other ones in between are no clock's.
    if times.iter().any(|(_, other)| *other != unit) {
        return None;
    }
    let (start, end) = (times.first()?.0, times.last()?.0);
    let step = (end - start) / (times.len() - 1) as f64;
    let is_regular = |(n, (time, _)): (usize, &(f64, _))| {
        (time - start - n as f64 * step).abs() <= DELTA_T_TOLERANCE * step
    };
    let regular = step.is_finite() && step > 0.0 && times.iter().enumerate().all(is_regular);
    regular.then(|| Quantity::new(step, unit))
}

/// The plane of the first time point, section and channel that is described.
fn first_plane(planes: &Planes) -> Option<usize> {
    (0..planes.len()).min_by_key(|plane| (planes.the_t[*plane], planes.the_z[*plane], planes.the_c[*plane]))
}

/// A length in the unit that NGFF calls so.
fn in_unit(length: &Quantity, name: &str) -> Option<f64> {
    let (unit, own) = named(length.unit)?;
    if own == name {
        return length.convert(unit);
    }
    let symbol = crate::units::ome_symbol(name)?;
    length.convert(fairzarr_ome_xml::Unit::parse(length.unit.kind(), symbol)?.0)
}
