//! Channels: names, colours and windows.

use fairzarr_ome_xml::{self as ome_xml, Length, Quantity, Unit};
use fairzarr_zarr::SampleType;

use super::name;
use crate::{Omero, OmeroChannel, RenderingModel, Window};

/// How one index of the c axis is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Name that viewers show.
    pub label: String,
    /// Red, green, blue.
    pub color: [u8; 3],
    /// Whether it is one of several samples of an OME channel, as in RGB images.
    pub sample: bool,
    /// Whether it is shown at first.
    pub active: bool,
}

/// What is known of the samples of an image.
#[derive(Debug, Clone, Copy)]
pub struct Samples {
    /// What a stored sample is.
    pub data_type: SampleType,
    /// How many there are in a pixel of the file.
    pub per_pixel: usize,
    /// How many bits of each carry information, where that is not all.
    pub significant_bits: Option<u32>,
    /// Whether the lowest value is white.
    pub inverted: bool,
}

impl Samples {
    /// The range of values that samples can have; `None` for floating point and complex types.
    pub fn range(&self) -> Option<(f64, f64)> {
        let (min, max) = self.data_type.range()?;
        let bits =
            self.significant_bits.unwrap_or(u32::MAX).min(8 * self.data_type.bytes() as u32).max(1) as i32;
        Some(if min < 0.0 {
            (-(2f64.powi(bits - 1)), 2f64.powi(bits - 1) - 1.0)
        } else {
            (min, max.min(2f64.powi(bits) - 1.0))
        })
    }
}

/// Rendering settings of an image: one channel per window, in the order of the c axis.
///
/// `windows` are what the caller found in the data. Colour samples of integer types show the whole range that they can
/// have instead, as colour images are meant to be shown. A window without extent is widened by one. `size_z` is the
/// number of sections.
pub fn omero(
    image: &ome_xml::Image,
    index: usize,
    samples: Samples,
    size_z: u64,
    windows: &[Window],
) -> Omero {
    let channels: Vec<OmeroChannel> = channels(image, windows.len(), samples.per_pixel)
        .into_iter()
        .zip(windows)
        .map(|(channel, &window)| {
            let mut extra = serde_json::Map::new();
            if samples.inverted {
                extra.insert("inverted".into(), true.into());
            }
            OmeroChannel {
                window: match samples.range() {
                    // A sample beyond the bits that are said to be all is shown as well.
                    Some((min, max)) if channel.sample => {
                        Window::full(min.min(window.min), max.max(window.max))
                    }
                    _ => widen(window),
                },
                label: channel.label,
                color: channel.color,
                active: channel.active,
                extra,
            }
        })
        .collect();
    let grey = matches!(channels.as_slice(), [only] if only.color[0] == only.color[1] && only.color[1] == only.color[2]);
    Omero {
        name: Some(name(image, index)),
        channels,
        default_t: 0,
        default_z: size_z / 2,
        model: if grey { RenderingModel::Greyscale } else { RenderingModel::Color },
        ..Omero::default()
    }
}

/// How each of `count` indices of the c axis is shown.
///
/// An OME channel with several samples per pixel is several indices. Where the document's numbers of samples do
/// not add up to `count`, the file's `samples` decide; indices that no channel describes get a plain name.
pub fn channels(image: &ome_xml::Image, count: usize, samples: usize) -> Vec<Channel> {
    /// More at once only add up to white, and make viewers fetch them all.
    const ACTIVE: usize = 6;
    let described = image.pixels.as_ref().map_or(&[][..], |pixels| &pixels.channels);
    let spans = spans(described, count, samples);
    let mut channels: Vec<Channel> = Vec::with_capacity(count);
    for (index, &span) in spans.iter().enumerate() {
        let channel = described.get(index);
        let label = channel.and_then(label).unwrap_or_else(|| format!("Channel {index}"));
        if span == 1 {
            let color = channel.and_then(color).unwrap_or_else(|| fallback_color(index, spans.len()));
            channels.push(Channel { label, color, sample: false, active: channels.len() < ACTIVE });
        } else {
            channels.extend((0..span).map(|sample| colour_sample(&label, sample, span)));
        }
    }
    channels
}

/// How many indices each OME channel spans; together `count`.
fn spans(described: &[ome_xml::Channel], count: usize, samples: usize) -> Vec<usize> {
    let mut left = count;
    let declared: Vec<usize> = described
        .iter()
        .map(|channel| (channel.samples_per_pixel.unwrap_or(1) as usize).max(1))
        .take_while(|&span| {
            let fits = span <= left;
            left = left.saturating_sub(span);
            fits
        })
        .collect();
    if declared.len() == described.len() && left == 0 {
        return declared;
    }
    if samples > 1 && described.len().max(1).checked_mul(samples) == Some(count) {
        return vec![samples; described.len().max(1)];
    }
    vec![1; count]
}

fn label(channel: &ome_xml::Channel) -> Option<String> {
    let given = [&channel.name, &channel.fluor].into_iter().flatten().map(|text| text.trim());
    given.filter(|text| !text.is_empty()).map(str::to_owned).next()
}

/// The channel's own colour, or one that suits its light.
fn color(channel: &ome_xml::Channel) -> Option<[u8; 3]> {
    /// How much longer, in nanometres, emitted light typically is than the light that excites it.
    const STOKES_SHIFT: f64 = 30.0;
    if let Some(rgba) = channel.color {
        let [r, g, b, _] = rgba.to_be_bytes();
        return Some([r, g, b]);
    }
    let nanometers =
        |quantity: &Option<Quantity>| quantity.as_ref()?.convert(Unit::Length(Length::Nanometer));
    let emission = nanometers(&channel.emission_wavelength)
        .or_else(|| Some(nanometers(&channel.excitation_wavelength)? + STOKES_SHIFT))
        .filter(|wavelength| *wavelength > 0.0)?;
    Some(match emission {
        ..500.0 => BLUE,
        ..560.0 => GREEN,
        ..640.0 => RED,
        _ => MAGENTA,
    })
}

fn fallback_color(index: usize, count: usize) -> [u8; 3] {
    const PALETTE: [[u8; 3]; 6] = [RED, GREEN, BLUE, MAGENTA, [0, 255, 255], [255, 255, 0]];
    if count == 1 { WHITE } else { PALETTE[index % PALETTE.len()] }
}

/// Three samples are red, green and blue, a fourth is opacity, which is not light to be added.
fn colour_sample(label: &str, sample: usize, span: usize) -> Channel {
    let (name, color, active) = match (span, sample) {
        (3 | 4, 0) => ("R".to_owned(), RED, true),
        (3 | 4, 1) => ("G".to_owned(), GREEN, true),
        (3 | 4, 2) => ("B".to_owned(), BLUE, true),
        (4, _) => ("A".to_owned(), WHITE, false),
        _ => (format!("sample {sample}"), WHITE, sample == 0),
    };
    Channel { label: format!("{label} {name}"), color, sample: true, active }
}

fn widen(window: Window) -> Window {
    let above = |low: f64, high: f64| if high > low { high } else { low + 1.0 };
    Window { max: above(window.min, window.max), end: above(window.start, window.end), ..window }
}

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const MAGENTA: [u8; 3] = [255, 0, 255];
const WHITE: [u8; 3] = [255; 3];
