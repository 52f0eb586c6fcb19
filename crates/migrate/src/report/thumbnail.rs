//! Small pictures of an image's channels, from its smallest level.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fairzarr::ome_zarr::Hierarchy;
use fairzarr::store::{Location, Store, StoreOptions};

/// Pixels of the longer side.
const SIDE: u64 = 64;
/// Channels that are shown.
const CHANNELS: u64 = 4;
/// Pixels of a plane that are read at most: without a pyramid the smallest level may be the whole image.
const MOST: u64 = 4 << 20;

/// A PNG in base64 for each of the first channels of the first image; none where they cannot be made.
pub(crate) fn of_store(place: &Location, options: &StoreOptions) -> Vec<String> {
    Store::open(place, options).ok().and_then(|store| pictures(&store)).unwrap_or_default()
}

fn pictures(store: &Store) -> Option<Vec<String>> {
    let hierarchy = Hierarchy::open(store).ok()?;
    let image = hierarchy.open_image(0).ok()?;
    let array = image.levels.last()?;
    let shape = array.shape();
    let [t, c, z, y, x] = image.dimensions();
    let (y, x) = (y?, x?);
    let (height, width) = (*shape.get(y)?, *shape.get(x)?);
    if height == 0 || width == 0 || height.checked_mul(width)? > MOST {
        return None;
    }
    let data_type = array.data_type();
    let channels = c.and_then(|c| shape.get(c)).copied().unwrap_or(1).min(CHANNELS);
    let mut made = Vec::new();
    for channel in 0..channels {
        let ranges: Vec<_> = (0..shape.len())
            .map(|dimension| match dimension {
                d if d == y => 0..height,
                d if d == x => 0..width,
                d if Some(d) == c => channel..channel + 1,
                d if Some(d) == z => shape[d] / 2..shape[d] / 2 + 1,
                d if Some(d) == t => 0..1,
                _ => 0..1,
            })
            .collect();
        let samples = samples(&data_type, &array.read(&ranges).ok()?)?;
        made.push(BASE64_STANDARD.encode(png(&samples, height, width)?));
    }
    Some(made)
}

/// Samples in this machine's byte order as numbers.
fn samples(data_type: &str, bytes: &[u8]) -> Option<Vec<f64>> {
    macro_rules! numbers {
        ($number:ty) => {
            bytes
                .chunks_exact(size_of::<$number>())
                .map(|sample| sample.try_into().ok().map(|sample| <$number>::from_ne_bytes(sample) as f64))
                .collect()
        };
    }
    match data_type {
        "bool" | "uint8" => Some(bytes.iter().map(|sample| f64::from(*sample)).collect()),
        "int8" => numbers!(i8),
        "uint16" => numbers!(u16),
        "int16" => numbers!(i16),
        "uint32" => numbers!(u32),
        "int32" => numbers!(i32),
        "uint64" => numbers!(u64),
        "int64" => numbers!(i64),
        "float32" => numbers!(f32),
        "float64" => numbers!(f64),
        _ => None,
    }
}

/// A picture of at most [`SIDE`] pixels a side, from black at the smallest sample to white at the largest.
fn png(samples: &[f64], height: u64, width: u64) -> Option<Vec<u8>> {
    let step = height.max(width).div_ceil(SIDE).max(1);
    let (rows, columns) = (height.div_ceil(step), width.div_ceil(step));
    let mut small = Vec::with_capacity((rows * columns) as usize);
    for row in 0..rows {
        for column in 0..columns {
            small.push(*samples.get((row * step * width + column * step) as usize)?);
        }
    }
    let finite = || small.iter().copied().filter(|sample| sample.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let range = if high > low { high - low } else { 1.0 };
    let grey: Vec<u8> = small.iter().map(|sample| ((sample - low) / range * 255.0) as u8).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, columns as u32, rows as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().ok()?.write_image_data(&grey).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_small_and_take_any_sample() {
        let plane: Vec<f64> = (0..200 * 100).map(|n| if n == 7 { f64::NAN } else { f64::from(n) }).collect();
        let made = png(&plane, 200, 100).unwrap();
        assert!(made.starts_with(b"\x89PNG") && made.len() < 4000);
        assert_eq!(samples("int16", &(-5i16).to_ne_bytes()), Some(vec![-5.0]));
        assert_eq!(samples("complex64", &[0; 8]), None);
    }
}
