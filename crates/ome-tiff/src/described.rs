//! What is known of an image that no OME-XML describes: what ImageJ, SCIFIO, slide scanners and bare tags say of it, in
//! the terms of OME-XML.

use fairzarr_ome_xml::{self as xml, UnitKind};

use crate::calibration::Calibration;

/// What a TIFF without OME-XML says of one of its images.
#[derive(Clone, Debug, Default)]
pub(crate) struct Described {
    pub(crate) calibration: Option<Calibration>,
    /// By channel, samples of one pixel counting as one; as many as are known.
    pub(crate) channels: Vec<ChannelNote>,
    /// What each page is called: channels fastest, then focal planes, then time points.
    pub(crate) labels: Vec<String>,
}

/// What is known of one channel.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChannelNote {
    /// Its name.
    pub name: Option<String>,
    /// Red, green, blue: the colour of its highest value.
    pub color: Option<[u8; 3]>,
    /// Lowest and highest value that its author chose to show.
    pub range: Option<(f64, f64)>,
}

impl Described {
    /// The same as an Image element would say it.
    pub(crate) fn to_ome(&self, name: Option<&str>) -> xml::Image {
        let step = |step: fn(&Calibration) -> Option<&crate::calibration::Step>, kind| {
            step(self.calibration.as_ref()?)?.quantity(kind)
        };
        let channels = self.channels.iter().map(|channel| xml::Channel {
            name: channel.name.clone(),
            color: channel.color.map(|[r, g, b]| i32::from_be_bytes([r, g, b, 255])),
            ..xml::Channel::default()
        });
        xml::Image {
            name: name.map(Into::into),
            pixels: Some(xml::Pixels {
                physical_size_x: step(|found| found.x.as_ref(), UnitKind::Length),
                physical_size_y: step(|found| found.y.as_ref(), UnitKind::Length),
                physical_size_z: step(|found| found.z.as_ref(), UnitKind::Length),
                time_increment: step(|found| found.t.as_ref(), UnitKind::Time),
                channels: channels.collect(),
                ..xml::Pixels::default()
            }),
            ..xml::Image::default()
        }
    }
}
