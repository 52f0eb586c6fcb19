//! A part of a set: some of its images, and some of their time points.

use std::collections::HashMap;

use fairzarr_ome_xml::{ByteOrder, Document};

use crate::{
    error::{Error, Result},
    fileset::Fileset,
    image::Image,
};

/// What of a set is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Numbers of images in the whole set; all of them where there is none.
    pub series: Option<Vec<usize>>,
    /// Time points, counted from 0; all of them where there is none. An image has those of them that it has.
    pub times: Option<Vec<u32>>,
}

impl Part {
    /// Some images, and some time points.
    pub fn new(series: Option<Vec<usize>>, times: Option<Vec<u32>>) -> Self {
        Self { series, times }
    }

    /// Whether it is all.
    pub fn is_whole(&self) -> bool {
        self.series.is_none() && self.times.is_none()
    }
}

/// What is left of a set.
pub(crate) struct Selected {
    /// Ascending, each once.
    part: Part,
    /// Images of the whole set.
    images: usize,
    /// Time points of each image that is left, in the whole set.
    times: Vec<u32>,
    /// The document of the part, without data.
    document: Option<Document>,
    /// The Images of that document by their numbers in the whole one.
    elements: HashMap<usize, usize>,
}

impl Fileset {
    /// The same set with a part of its images and time points alone; numbers that no image has are passed over.
    /// [`document`](Self::document) goes on describing all, [`element`](Self::element) the part.
    ///
    /// # Errors
    /// [`Error::Request`] when an image has none of the time points, nothing is left, or the document cannot be that of a part.
    pub fn part(mut self, part: &Part) -> Result<Self> {
        if part.is_whole() {
            return Ok(self);
        }
        let mut part = part.clone();
        let count = self.images.len();
        if let Some(series) = &mut part.series {
            series.retain(|series| *series < count);
            series.sort_unstable();
            series.dedup();
            let images = std::mem::take(&mut self.images).into_iter().enumerate();
            self.images =
                images.filter(|(n, _)| series.binary_search(n).is_ok()).map(|(_, image)| image).collect();
        }
        let times = self.images.iter().map(|image| image.shape.t).collect();
        if let Some(asked) = &mut part.times {
            asked.sort_unstable();
            asked.dedup();
            for image in &mut self.images {
                image.keep_times(asked)?;
            }
        }
        if self.images.is_empty() {
            return Err(Error::Request { image: "the set".into(), what: "no image is left of it".into() });
        }
        let described: Vec<usize> = self.images.iter().filter_map(Image::ome_index).collect();
        let order: Vec<_> = described.iter().map(|index| (*index, ByteOrder::Little)).collect();
        let document = match self.document() {
            Some(document) if !order.is_empty() => {
                let text = document.metadata_of_part(&order, part.times.as_deref());
                let parsed = text.and_then(|text| Document::parse(text.into_bytes()));
                Some(parsed.map_err(|error| Error::Request {
                    image: "the set".into(),
                    what: format!("its document cannot be that of a part: {error}"),
                })?)
            }
            _ => None,
        };
        let elements = described.into_iter().enumerate().map(|(n, index)| (index, n)).collect();
        self.selected = Some(Selected { part, images: count, times, document, elements });
        Ok(self)
    }

    /// The numbers that the images have in the whole set, where some were [asked for](Self::part).
    pub fn series(&self) -> Option<&[usize]> {
        self.selected.as_ref()?.part.series.as_deref()
    }

    /// The time points that were [asked for](Self::part), ascending.
    pub fn times(&self) -> Option<&[u32]> {
        self.selected.as_ref()?.part.times.as_deref()
    }

    /// The numbers of images that were not asked for.
    pub fn series_left_out(&self) -> Vec<usize> {
        let of = self.selected.as_ref().and_then(|of| Some((of, of.part.series.as_ref()?)));
        let Some((of, series)) = of else { return Vec::new() };
        (0..of.images).filter(|n| series.binary_search(n).is_err()).collect()
    }

    /// By image: the time points of the whole set that were not asked for.
    pub fn times_left_out(&self) -> Vec<Vec<u32>> {
        let of = self.selected.as_ref().and_then(|of| Some((of, of.part.times.as_ref()?)));
        let Some((of, times)) = of else { return vec![Vec::new(); self.images.len()] };
        let left_out = |all: &u32| (0..*all).filter(|time| times.binary_search(time).is_err()).collect();
        of.times.iter().map(left_out).collect()
    }

    /// The document that describes an image as it is here, and the number of its Image there: that of the part, where it is a part.
    pub fn element(&self, image: &Image) -> Option<(&Document, usize)> {
        let index = image.ome_index()?;
        match &self.selected {
            Some(selected) => Some((selected.document.as_ref()?, *selected.elements.get(&index)?)),
            None => Some((self.document()?, index)),
        }
    }
}

impl Image {
    /// Leaves these time points, in their order.
    fn keep_times(&mut self, times: &[u32]) -> Result<()> {
        let kept = &times[..times.partition_point(|time| *time < self.shape.t)];
        if kept.is_empty() {
            let what = format!("it has {} time points, and none of those that are asked for", self.shape.t);
            return Err(Error::Request { image: self.label(), what });
        }
        let per_time = self.extent.c as usize * self.extent.z as usize;
        let of_time = |time: &u32| *time as usize * per_time..(*time as usize + 1) * per_time;
        self.planes = kept.iter().flat_map(|time| &self.planes[of_time(time)]).copied().collect();
        let labels = &self.described.labels;
        self.described.labels =
            kept.iter().flat_map(|time| labels.get(of_time(time)).unwrap_or_default()).cloned().collect();
        if let Some(calibration) = &mut self.described.calibration {
            let step = calibration.t.take();
            calibration.t = step.and_then(|step| step.every(equal_steps(kept)?));
        }
        self.extent.t = kept.len() as u32;
        self.shape.t = kept.len() as u32;
        Ok(())
    }
}

/// The step from each to the next: none where they are not equal, 1 for a single one.
fn equal_steps(times: &[u32]) -> Option<u32> {
    let mut steps = times.windows(2).map(|pair| pair[1] - pair[0]);
    let first = steps.next().unwrap_or(1);
    steps.all(|step| step == first).then_some(first)
}
