//! NGFF's members of an image's group as fairzarr writes them, whole: what stands there besides was put there by others.

use fairzarr_ngff::from_ome::{self, Samples};
use fairzarr_ngff::{Downscaling, Window, image_attributes};
use fairzarr_ome_xml as ome_xml;
use fairzarr_ome_zarr::{StoredImage, keys};
use fairzarr_pixel::SampleType;
use serde_json::{Map, Value};

use crate::origin::{OriginImage, Seen};

/// Names that NGFF has among the attributes of a group.
pub(super) const MEMBERS: [&str; 7] =
    ["ome", "multiscales", "omero", "plate", "well", "series", "bioformats2raw.layout"];

/// The members of an image. How its levels were made is what the store says, which the proof of the pyramid compares; its windows
/// are those of its statistics, or of the file. `axes` says which of t, c, z, y, x it has.
pub(super) fn of_image(
    image: &OriginImage,
    described: &ome_xml::Image,
    (index, corner): (usize, from_ome::Origin),
    (seen, axes): (&Seen, [bool; 5]),
    (stored, on_stage): (&StoredImage, Option<&[f64]>),
    factors: &[from_ome::Factors],
    group: &Map<String, Value>,
) -> Map<String, Value> {
    let downscaling = stored.multiscale.downscaling.as_ref().map(|of| {
        let mut downscaling = Downscaling::new(of.method.as_str());
        downscaling.description.clone_from(&of.description);
        downscaling.metadata.insert("method".into(), "fairzarr".into());
        downscaling.metadata.insert("version".into(), env!("CARGO_PKG_VERSION").into());
        downscaling
    });
    let multiscale = from_ome::multiscale(described, index, factors, downscaling, corner).along(&axes);
    let multiscale = match on_stage {
        Some(place) if stored.path.is_empty() => from_ome::on_stage(multiscale, place),
        _ => multiscale,
    };
    let omero = SampleType::from_zarr_v3(&seen.data_type).filter(|of| !of.is_complex()).map(|data_type| {
        let bytes = 8 * data_type.bytes() as u32;
        let bits = image.significant_bits.filter(|bits| image.sizes.is_some() || *bits < bytes);
        let per_pixel = image.samples;
        let inverted = image.inverted.unwrap_or_default();
        let samples = Samples { data_type, per_pixel, significant_bits: bits, inverted };
        let channels = usize::try_from(seen.lengths[1]).unwrap_or_default();
        let statistics = group.get(keys::STATISTICS).and_then(|all| all.get("channels"));
        let windows: Vec<Window> = (0..channels.min(MOST))
            .map(|c| {
                let of_data = statistics.and_then(|all| window(all.get(c)?));
                let window = of_data.unwrap_or_else(|| {
                    samples.range().map_or(Window::full(0.0, 1.0), |(min, max)| Window::full(min, max))
                });
                let shown = image.ranges.get(c).copied().flatten();
                match shown.filter(|(low, high)| low.is_finite() && high.is_finite() && low < high) {
                    Some((start, end)) => Window { start, end, ..window },
                    None => window,
                }
            })
            .collect();
        from_ome::omero(described, index, samples, seen.lengths[2], &windows)
    });
    image_attributes(stored.version, &multiscale, omero.as_ref())
}

/// Channels that an image can have; a store that says more is refused elsewhere.
const MOST: usize = 1 << 20;

/// The window that follows from the statistics of a channel: the range of its data, and the part of it that most samples are in.
fn window(statistics: &Value) -> Option<Window> {
    let number = |of: &Value, name: &str| of.get(name).and_then(Value::as_f64);
    let object = statistics.as_object()?;
    let of = |name: &str| object.get(name).and_then(Value::as_f64);
    let (min, max) = (of("min").unwrap_or(0.0), of("max").unwrap_or(0.0));
    let percentiles = object.get("percentiles")?;
    let start = number(percentiles, "0.1").unwrap_or(min);
    let end = number(percentiles, "99.9").filter(|end| *end > start).unwrap_or(max);
    Some(Window { min, max, start, end })
}
