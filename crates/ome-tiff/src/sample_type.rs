//! Which sample type a page has: what its tags say, what the metadata say, and who is right.

use fairzarr_ome_xml::PixelType;
use fairzarr_pixel::SampleType;
use fairzarr_tiff_codec::{ChunkLayout, SampleFormat};

use crate::container::Geometry;
use crate::open::HalfFloats;

/// The type of the samples of a page, given what the metadata call them, and what had to be tolerated.
///
/// One rule, in both directions: the number of bytes is that of the tags, and a Type that says another is refused.
/// Among types of as many bytes the metadata decide on the sign of integers, because many writers leave SampleFormat
/// out or write it wrong, and between integers and floating point only where SampleFormat is absent.
pub(crate) fn reconcile(
    declared: Option<SampleType>,
    geometry: &Geometry,
    half: HalfFloats,
) -> Result<(SampleType, Option<String>), String> {
    let layout = &geometry.layout;
    let tags = || format!("{} bits, {:?}", layout.bits, layout.format);
    let stored = match of_layout(layout) {
        Some(SampleType::Float16) if half == HalfFloats::Float32 => Some(SampleType::Float),
        other => other,
    };
    let Some(declared) = declared else {
        return stored
            .map(|found| (found, None))
            .ok_or_else(|| format!("no type holds samples of {}", tags()));
    };
    let differs = || format!("the metadata say Type {declared}, the tags say {}", tags());
    match stored {
        Some(found) if found == declared => Ok((declared, None)),
        Some(SampleType::Bit) if declared == SampleType::Uint8 => Ok((declared, None)),
        // OME has no half; the stored samples are kept as they are.
        Some(SampleType::Float16) if declared == SampleType::Float => {
            Ok((SampleType::Float16, Some(format!("{}; read as half", differs()))))
        }
        Some(found) if found.bytes() == declared.bytes() => {
            let sign_only = found.is_integer() && declared.is_integer();
            if !geometry.given.format && declared != SampleType::Bit {
                Ok((declared, None))
            } else if sign_only {
                Ok((declared, Some(format!("{}; read as {declared}", differs()))))
            } else {
                Err(differs())
            }
        }
        _ => Err(differs()),
    }
}

/// Whether samples of `sample_type` are stored in half as many bits.
pub(crate) fn is_widened_half(sample_type: SampleType, layout: &ChunkLayout) -> bool {
    sample_type == SampleType::Float && of_layout(layout) == Some(SampleType::Float16)
}

/// The type that the OME model names.
pub(crate) fn of_ome(pixel_type: PixelType) -> SampleType {
    match pixel_type {
        PixelType::Bit => SampleType::Bit,
        PixelType::Int8 => SampleType::Int8,
        PixelType::Uint8 => SampleType::Uint8,
        PixelType::Int16 => SampleType::Int16,
        PixelType::Uint16 => SampleType::Uint16,
        PixelType::Int32 => SampleType::Int32,
        PixelType::Uint32 => SampleType::Uint32,
        PixelType::Float => SampleType::Float,
        PixelType::Double => SampleType::Double,
        PixelType::ComplexFloat => SampleType::ComplexFloat,
        PixelType::ComplexDouble => SampleType::ComplexDouble,
    }
}

/// What the tags alone say; `None` where no type holds such samples.
fn of_layout(layout: &ChunkLayout) -> Option<SampleType> {
    Some(match (layout.format, layout.bits) {
        (SampleFormat::Uint | SampleFormat::Void, 1) => SampleType::Bit,
        (SampleFormat::Uint | SampleFormat::Void, bits) => match bits {
            2..=8 => SampleType::Uint8,
            9..=16 => SampleType::Uint16,
            17..=32 => SampleType::Uint32,
            33..=64 => SampleType::Uint64,
            _ => return None,
        },
        (SampleFormat::Int, bits) => match bits {
            1..=8 => SampleType::Int8,
            9..=16 => SampleType::Int16,
            17..=32 => SampleType::Int32,
            33..=64 => SampleType::Int64,
            _ => return None,
        },
        (SampleFormat::Float, 16) => SampleType::Float16,
        (SampleFormat::Float, 24 | 32) => SampleType::Float,
        (SampleFormat::Float, 64) => SampleType::Double,
        (SampleFormat::ComplexFloat, 64) => SampleType::ComplexFloat,
        (SampleFormat::ComplexFloat, 128) => SampleType::ComplexDouble,
        _ => return None,
    })
}
