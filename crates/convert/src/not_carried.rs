//! What the source holds and the store does not: pages that no image uses, reduced levels that were computed anew, images and
//! time points that were not asked for, files that the metadata attach. Whoever deletes the original must know of it.

use fairzarr_ome_tiff::{Fileset, UnmappedPage};
use serde::Serialize;
use serde_json::{Value, json};

use crate::plan::Plan;

/// Pages that are listed one by one; of more, the first and their number.
const LISTED: usize = 1000;

/// What of a source is not in the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NotCarried {
    /// Number of pages that no image uses.
    pub page_count: usize,
    /// The first of these: file, IFD, size, samples, and what each seems to be.
    pub pages: Vec<Value>,
    /// Images whose reduced levels are not those of the source.
    pub levels: Vec<Levels>,
    /// Images of the source that were not asked for, by their numbers there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<usize>,
    /// Time points of the source that were not asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timepoints: Vec<Times>,
    /// Files that the metadata attach: annotation, name, place, size.
    pub files: Vec<Value>,
    /// Parts of the OME-XML that are in the source's document alone, and in nothing that is made of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<String>,
}

/// The reduced levels of an image that the source has.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Levels {
    /// Number of the image.
    pub image: usize,
    /// Rows and columns of each.
    pub sizes: Vec<[u32; 2]>,
}

/// The time points that are left out of an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Times {
    /// Number of the image in the store.
    pub image: usize,
    /// Their numbers in the source.
    pub left_out: Vec<u32>,
}

impl NotCarried {
    pub(crate) fn of(source: &Fileset, plan: &Plan) -> Self {
        let levels =
            source.images().iter().zip(&plan.images).enumerate().filter_map(|(index, (image, plan))| {
                let sizes: Vec<[u32; 2]> =
                    image.levels().iter().skip(1).map(|level| [level.y, level.x]).collect();
                (!sizes.is_empty() && !plan.is_copied()).then_some(Levels { image: index, sizes })
            });
        let files = source.attached().iter().map(|file| {
            json!({"annotation": file.annotation, "name": file.name, "href": file.href, "size": file.size})
        });
        let times = source.times_left_out().into_iter().enumerate();
        let times = times.filter(|(_, left_out)| !left_out.is_empty());
        let times = times.map(|(image, left_out)| Times { image, left_out });
        Self {
            page_count: source.unmapped().len(),
            pages: source.unmapped().iter().take(LISTED).map(|page| page_object(source, page)).collect(),
            levels: levels.collect(),
            series: source.series_left_out(),
            timepoints: times.collect(),
            files: files.collect(),
            metadata: source.metadata_not_read().collect(),
        }
    }

    /// Whether everything is carried.
    pub fn is_empty(&self) -> bool {
        self.page_count == 0
            && self.levels.is_empty()
            && self.series.is_empty()
            && self.timepoints.is_empty()
            && self.metadata.is_empty()
            && self.files.is_empty()
    }
}

fn page_object(source: &Fileset, page: &UnmappedPage) -> Value {
    let file = source.files().get(page.file).map(|file| file.name.as_str());
    json!({
        "file": file, "ifd": page.ifd, "sub_ifd": page.sub_ifd, "y": page.y, "x": page.x, "samples": page.samples,
        "type": page.sample_type.map(|sample_type| sample_type.name()), "photometric": page.photometric,
        "kind": page.kind.name(), "description": page.description, "reason": page.reason,
    })
}
