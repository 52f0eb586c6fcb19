//! How the tags of an image have its samples shown: which end is white, and the colours of a palette.

use fairzarr_ome_xml as xml;

use crate::{
    container::{Container, PageId, tag},
    image::Image,
    types::Warning,
};

/// What PhotometricInterpretation and ColorMap say, as far as channels can be shown so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appearance {
    /// The lowest value is the brightest.
    pub inverted: bool,
    /// Red, green, blue: the colour of the brightest value of a palette that goes to it from black in even steps. Other
    /// palettes have no place in NGFF.
    pub color: Option<[u8; 3]>,
}

impl Image {
    /// How the tags of its first page have it shown.
    pub fn appearance(&self) -> Appearance {
        match self.photometric() {
            Some((_, _, WHITE_IS_ZERO)) => Appearance { inverted: true, color: None },
            Some(_) => self.palette().and_then(|map| of_palette(&map)).unwrap_or_default(),
            None => Appearance::default(),
        }
    }

    /// The first page of an image of one sample a pixel, and its PhotometricInterpretation.
    fn photometric(&self) -> Option<(&Container, PageId, u16)> {
        let place = self.planes.iter().find(|place| !place.is_missing())?;
        let container = self.files.container(place.file)?;
        let page = self.full_page(*place);
        let geometry = container.geometry(page).ok()?;
        (geometry.samples == 1).then_some((container, page, geometry.layout.photometric))
    }

    fn palette(&self) -> Option<Vec<u16>> {
        let (container, page, photometric) = self.photometric()?;
        if photometric == PALETTE { colour_map(container, page) } else { None }
    }

    /// Adds to the description of an image the colour that its palette has, where the description has none.
    pub(crate) fn add_palette(&self, described: &mut xml::Image) {
        let Some([r, g, b]) = self.appearance().color else { return };
        let Some(pixels) = &mut described.pixels else { return };
        if pixels.channels.is_empty() {
            pixels.channels.push(xml::Channel::default());
        }
        if let [channel] = &mut pixels.channels[..] {
            channel.color.get_or_insert(i32::from_be_bytes([r, g, b, 255]));
        }
    }
}

/// Names images whose palette no store can tell viewers of.
pub(crate) fn warn(images: &[Image], warnings: &mut Vec<Warning>) {
    let is_untold = |image: &&Image| image.palette().is_some_and(|map| of_palette(&map).is_none());
    let mut untold = images.iter().filter(is_untold);
    let Some(first) = untold.next() else { return };
    let more = match untold.count() {
        0 => String::new(),
        1 => " and one more image".to_owned(),
        n => format!(" and {n} more images"),
    };
    let message = format!(
        "{}{more}: NGFF has one colour for a channel, and no place for the colours of a palette; samples are as stored, and the \
         palette is among the recorded tags",
        first.label()
    );
    warnings.push(Warning { file: None, ifd: None, message });
}

/// The reds of all values, then their greens and blues.
fn colour_map(container: &Container, page: PageId) -> Option<Vec<u16>> {
    let bytes = container.value(page, tag::COLOR_MAP, MAX_BYTES).ok()??;
    let number =
        |b: &[u8; 2]| if container.big_endian() { u16::from_be_bytes(*b) } else { u16::from_le_bytes(*b) };
    Some(bytes.as_chunks::<2>().0.iter().map(number).collect())
}

/// Even steps from black to a colour, or back.
fn of_palette(map: &[u16]) -> Option<Appearance> {
    let count = map.len() / 3;
    if count < 2 || !map.len().is_multiple_of(3) {
        return None;
    }
    let entry = |value: usize| [0, 1, 2].map(|part| map[part * count + value]);
    let is_black = |value: usize| entry(value).iter().all(|part| *part <= NEAR);
    let inverted = is_black(count - 1) && !is_black(0);
    if !inverted && (!is_black(0) || is_black(count - 1)) {
        return None;
    }
    let color = entry(if inverted { 0 } else { count - 1 });
    let even = (0..count).all(|value| {
        let step = (if inverted { count - 1 - value } else { value }) as u64;
        (0..3).all(|part| {
            let expected = u64::from(color[part]) * step / (count as u64 - 1);
            expected.abs_diff(u64::from(entry(value)[part])) <= u64::from(NEAR)
        })
    });
    even.then(|| Appearance { inverted, color: Some(color.map(|part| (part >> 8) as u8)) })
}

const WHITE_IS_ZERO: u16 = 0;
const PALETTE: u16 = 3;
/// By how much entries of 16 bits may differ from even steps: those that were made of 8 bits do, by two of these.
const NEAR: u16 = 514;
/// A map of 16 bits has three times 65,536 entries.
const MAX_BYTES: u64 = 3 << 17;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_palette_of_even_steps_is_a_colour() {
        let map = |entry: &dyn Fn(u16) -> [u16; 3]| -> Vec<u16> {
            (0..3).flat_map(|part| (0..256).map(move |value| entry(value)[part])).collect()
        };
        let found = |map: &[u16]| of_palette(map).map(|found| (found.inverted, found.color));
        assert_eq!(found(&map(&|v| [v * 257, 0, v * 128])), Some((false, Some([255, 0, 127]))));
        assert_eq!(found(&map(&|v| [0, v << 8, 0])), Some((false, Some([0, 255, 0]))));
        assert_eq!(found(&map(&|v| [(255 - v) * 257; 3])), Some((true, Some([255; 3]))));
        // Fire, or the colours of labels, are no colour.
        assert_eq!(found(&map(&|v| [v * 257, (255 - v) * 257, 0])), None);
        assert_eq!(found(&map(&|v| [(v % 7) * 9000, 0, 0])), None);
        assert_eq!(found(&[0; 6]), None);
        assert_eq!(found(&[1, 2]), None);
    }
}
