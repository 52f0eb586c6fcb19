//! Exposures of images with more planes than a record describes: its planes may be those of one channel alone.

use std::collections::BTreeMap;

use fairzarr_ome_xml::{Document, Image, Pixels};
use serde_json::{Value as Json, json};

use crate::record::{Object, Record};

/// What a record says of the planes that it leaves out, in `extra` of `Pixels`.
pub(super) const LEFT_OUT: &str = "OME:Plane";

/// The member of [`LEFT_OUT`] with the least and the greatest exposure of every channel.
pub(super) const RANGES: &str = "exposureTimes";

/// Adds to a record that is to be written about what the OME-XML says of the exposures of planes that the record leaves
/// out. Images are matched by identifier, name and number of planes. The result is not a record to be stored.
pub fn exposures(record: &mut Record, document: &Document) {
    for image in record.objects.iter_mut().filter(|o| o.class == "Image") {
        let known = document.ome().images.iter().find_map(|ome| of_image(image, ome));
        let Some(ranges) = known else { continue };
        let pixels = image.children.iter_mut().find(|c| c.class == "Pixels");
        let left_out = pixels.and_then(|pixels| pixels.extra.get_mut(LEFT_OUT)?.as_object_mut());
        if let Some(left_out) = left_out {
            left_out.insert(RANGES.to_owned(), ranges.into());
        }
    }
}

/// Whether a record leaves planes out, so that [`exposures`] has something to add.
pub fn leaves_planes_out(record: &Record) -> bool {
    let mut pixels = record.objects.iter().filter_map(|image| image.child("Pixels"));
    pixels.any(|pixels| pixels.extra.contains_key(LEFT_OUT))
}

fn of_image(image: &Object, ome: &Image) -> Option<Vec<Json>> {
    let (pixels, left_out) = (ome.pixels.as_ref()?, image.child("Pixels")?.extra.get(LEFT_OUT)?);
    let is_it = image.id() == Some(ome.id.as_str())
        && image.str("Name") == ome.name.as_deref()
        && left_out["count"].as_u64() == Some(pixels.planes.len() as u64);
    is_it.then(|| ranges(pixels))
}

/// The least and the greatest exposure of every channel, where all its exposures have one unit.
fn ranges(pixels: &Pixels) -> Vec<Json> {
    let planes = &pixels.planes;
    let mut found: BTreeMap<i64, Option<(f64, f64, &str)>> = BTreeMap::new();
    for index in 0..planes.len() {
        let (Some(channel), Some((time, unit))) = (planes.the_c.get(index), planes.exposure_time.get(index))
        else {
            continue;
        };
        let unit = unit.symbol();
        let known = found.entry(i64::from(*channel)).or_insert(Some((time, time, unit)));
        *known = known
            .filter(|(_, _, known)| *known == unit)
            .map(|(least, greatest, unit)| (least.min(time), greatest.max(time), unit));
    }
    let known = found.into_iter().filter_map(|(channel, range)| Some((channel, range?)));
    known
        .map(|(channel, (least, greatest, unit))| {
            json!({"TheC": channel, "least": least, "greatest": greatest, "unit": unit})
        })
        .collect()
}
