//! Whether pages are what the metadata say: each geometry is looked at once, not each page.

use std::{collections::HashSet, sync::Arc};

use fairzarr_pixel::SampleType;
use fairzarr_tiff_codec::can_stream;

use crate::{
    container::{Container, Geometry, PageId},
    error::{Error, Result},
    files::Files,
    plane_map::PlaneRef,
    sample_type,
};

pub(crate) fn container(files: &Files, file: u32) -> Result<&Container> {
    files.container(file).ok_or_else(|| Error::Damaged {
        file: files.name(file),
        what: "it holds no pixels, but the metadata say so".to_owned(),
    })
}

/// What every page of an image must be like.
pub(crate) struct Expected {
    pub(crate) width: u64,
    pub(crate) height: u64,
    pub(crate) samples: u32,
    pub(crate) declared: Option<SampleType>,
    pub(crate) sample_type: SampleType,
}

/// Compares pages with what is expected of them: each geometry once, not each page.
pub(crate) struct Checker<'a> {
    files: &'a Files,
    label: &'a str,
    /// File, number of the geometry, expected samples.
    accepted: HashSet<(u32, u32, u32)>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(files: &'a Files, label: &'a str) -> Self {
        Self { files, label, accepted: HashSet::new() }
    }

    pub(crate) fn check(&mut self, place: PlaneRef, page: PageId, expected: &Expected) -> Result<()> {
        let container = container(self.files, place.file)?;
        let key = (place.file, container.geometry_number(page), expected.samples);
        if self.accepted.contains(&key) {
            return Ok(());
        }
        let geometry = self.geometry(place.file, page)?;
        let fail = |what| Err(self.mismatch(place.file, page, what));
        if (u64::from(geometry.width), u64::from(geometry.height)) != (expected.width, expected.height) {
            return fail(format!(
                "the page has {} x {} pixels, the image {} x {} (SizeX x SizeY)",
                geometry.width, geometry.height, expected.width, expected.height
            ));
        }
        if u32::from(geometry.samples) != expected.samples {
            return fail(format!(
                "the page has {} samples per pixel, its channel {}",
                geometry.samples, expected.samples
            ));
        }
        match sample_type::reconcile(expected.declared, &geometry, self.files.options.half) {
            Ok((found, _)) if found == expected.sample_type => {}
            Ok((found, _)) => {
                return fail(format!(
                    "its samples are {found}, those of the first page {}",
                    expected.sample_type
                ));
            }
            Err(what) => return fail(what),
        }
        self.check_codec(place.file, page, &geometry)?;
        self.accepted.insert(key);
        Ok(())
    }

    /// Refuses what cannot be decoded, or only with more memory than allowed.
    pub(crate) fn check_codec(&self, file: u32, page: PageId, geometry: &Geometry) -> Result<()> {
        let layout = geometry.chunk_layout(0);
        layout.check().map_err(|source| Error::Unsupported {
            image: self.label.to_owned(),
            file: self.files.name(file),
            ifd: page.0,
            source,
        })?;
        let uncompressed = layout.compression == fairzarr_tiff_codec::Compression::None;
        let (len, limit) = if uncompressed || can_stream(&layout) {
            (layout.row_len().unwrap_or(usize::MAX), self.files.options.stream_above.max(64 << 20))
        } else {
            (layout.decoded_len().unwrap_or(usize::MAX), self.files.options.max_chunk)
        };
        if len > limit && !uncompressed {
            let (w, h) = (layout.width, layout.height);
            let what = format!(
                "its chunks of {w} x {h} pixels need {len} bytes to decode, more than the limit of {limit}"
            );
            return Err(self.mismatch(file, page, what));
        }
        Ok(())
    }

    pub(crate) fn geometry(&self, file: u32, page: PageId) -> Result<Arc<Geometry>> {
        match container(self.files, file)?.geometry(page) {
            Ok(geometry) => Ok(Arc::clone(geometry)),
            Err(what) => Err(self.mismatch(file, page, what.to_string())),
        }
    }

    pub(crate) fn mismatch(&self, file: u32, page: PageId, what: String) -> Error {
        Error::Mismatch { image: self.label.to_owned(), file: self.files.name(file), ifd: page.0, what }
    }
}
