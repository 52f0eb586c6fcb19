//! Rules that need an image's attributes and its arrays.

use fairzarr_zarr::Finding;

use super::Report;
use crate::{AxisKind, Multiscale, Omero, Version};

/// What the declaration of a level's array says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Level {
    /// Number of samples per dimension.
    pub shape: Vec<u64>,
    /// The data type as declared: a Zarr 3 name or a Zarr 2 `dtype`.
    pub data_type: String,
    /// The declared names of the dimensions; Zarr 2 has none.
    pub dimension_names: Option<Vec<String>>,
}

impl Level {
    /// A level without names of dimensions.
    pub fn new(shape: impl Into<Vec<u64>>, data_type: impl Into<String>) -> Self {
        Self { shape: shape.into(), data_type: data_type.into(), dimension_names: None }
    }
}

/// Every rule that an image and its arrays break together; `levels` in the order of the image's datasets.
pub fn validate_levels(
    version: Version,
    image: &Multiscale,
    omero: Option<&Omero>,
    levels: &[Level],
) -> Vec<Finding> {
    let mut report = Report { version, is_draft: false, findings: Vec::new() };
    let path = |index: usize| {
        image.datasets.get(index).map_or_else(|| format!("/{index}"), |dataset| format!("/{}", dataset.path))
    };
    if levels.len() != image.datasets.len() {
        let message = format!("{} arrays for {} levels", levels.len(), image.datasets.len());
        report.must("", LAYOUT, message);
    }
    for (index, level) in levels.iter().enumerate() {
        let at = path(index);
        if level.shape.len() != image.axes.len() {
            let message =
                format!("{} dimensions, expected {}, one per axis", level.shape.len(), image.axes.len());
            report.must(&at, LAYOUT, message);
        }
        report.dimension_names(&at, image, level);
        let (Some(finer), Some(full)) = (index.checked_sub(1).and_then(|i| levels.get(i)), levels.first())
        else {
            continue;
        };
        if level.shape.iter().zip(&finer.shape).any(|(coarse, fine)| coarse > fine) {
            let message =
                format!("shape {:?} is larger than {:?} of the level before", level.shape, finer.shape);
            report.must(&at, LAYOUT, message);
        }
        report.scale_of(&at, image, index, &level.shape, &full.shape);
        if level.data_type != full.data_type {
            let message = format!("data type {}, expected {} like level 0", level.data_type, full.data_type);
            if version >= Version::V06 {
                report.must(&at, LAYOUT, message);
            } else {
                report.should(&at, LAYOUT, message);
            }
        }
    }
    let channel_axis = image.axes.iter().position(|axis| axis.kind == Some(AxisKind::Channel));
    if let (Some(omero), Some(full)) = (omero, levels.first()) {
        let channels = channel_axis.and_then(|axis| full.shape.get(axis)).map_or(1, |&count| count);
        if omero.channels.len() as u64 != channels {
            let message = format!("{} channels, expected {channels} like the c axis", omero.channels.len());
            report.should("/omero/channels", "omero-md", message);
        }
    }
    report.findings
}

impl Report {
    /// A level with half the samples has samples of twice the size: a scale that stays what it was describes another
    /// level. Rounding and cropping move the ratio; that it stays 1 where the shape halves is neither.
    fn scale_of(&mut self, at: &str, image: &Multiscale, index: usize, shape: &[u64], full: &[u64]) {
        let (Some(level), Some(first)) = (image.datasets.get(index), image.datasets.first()) else { return };
        for (axis, (&size, &whole)) in shape.iter().zip(full).enumerate() {
            let (Some(&scale), Some(&finest)) = (level.scale.get(axis), first.scale.get(axis)) else {
                continue;
            };
            let (samples, ratio) = (whole as f64 / size.max(1) as f64, scale / finest);
            let name = image.axes.get(axis).map_or("", |axis| axis.name.as_str());
            // A short axis says little: three samples of two are as well a factor of two as one and a half.
            let clear = whole >= 8 && size >= 2;
            if clear && samples >= 1.6 && (ratio - 1.0).abs() < 1e-6 {
                let message = format!(
                    "{size} of {whole} samples along {name} with the scale of level 0, expected about {samples:.3} \
                     times its scale"
                );
                self.must(at, "multiscales-md", message);
            } else if clear && ratio.is_finite() && ratio > 0.0 {
                let (low, high) = (whole as f64 / (size as f64 + 1.0), whole as f64 / (size as f64 - 1.0));
                if ratio < low * 0.99 || ratio > high * 1.01 {
                    let message = format!(
                        "scale {ratio:.3} times that of level 0 for {size} of {whole} samples along {name}, expected \
                         about {samples:.3} times"
                    );
                    self.should(at, "multiscales-md", message);
                }
            }
        }
    }

    fn dimension_names(&mut self, at: &str, image: &Multiscale, level: &Level) {
        let names = level.dimension_names.as_deref();
        let matches = names.is_some_and(|names| {
            names.len() == image.axes.len()
                && names.iter().zip(&image.axes).all(|(name, axis)| *name == axis.name)
        });
        if matches {
            return;
        }
        let axes: Vec<&str> = image.axes.iter().map(|axis| axis.name.as_str()).collect();
        let message = match names {
            Some(names) => format!("dimension names {names:?}, expected {axes:?} like the axes"),
            None => format!("no dimension names, expected {axes:?} like the axes"),
        };
        match self.version {
            Version::V04 => {}
            Version::V05 => self.must(at, "axes-md", message),
            // 0.6 lost the sentence; readers of 0.5 still look for them.
            Version::V06 => self.should(at, "axes-md", message),
        }
    }
}

const LAYOUT: &str = "storage-format";
