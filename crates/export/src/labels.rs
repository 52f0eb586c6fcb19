//! Label images of a store as OME-TIFF: those of one name in one file, in the order of their images.

use std::path::{Path, PathBuf};

use fairzarr_ome_xml::Document;
use fairzarr_ome_zarr::{Hierarchy, minimal_document};
use fairzarr_store::Store;
use fairzarr_task::Job;

use crate::error::Error;
use crate::tags::SourceTags;
use crate::{Options, Report, write};

/// The label images of one name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Labels {
    /// Their name.
    pub name: String,
    /// Paths of their groups, in the order of the images that they belong to.
    pub paths: Vec<String>,
    /// The file that they are written to.
    pub target: PathBuf,
    /// Their OME-XML, made of their axes, scales and sizes.
    document: String,
}

/// The label images that a store lists, and the files beside `target` that [`export_labels`] writes them to: `cells.labels-NAME.ome.tiff`
/// beside `cells.ome.tiff`.
///
/// # Errors
/// When the store cannot be read, and [`Error::Unfit`] for label images that OME-XML cannot describe: samples of 64 bits, for one.
pub fn labels(store: &Store, target: &Path) -> Result<Vec<Labels>, Error> {
    let hierarchy = Hierarchy::open(store)?;
    let file = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let lower = file.to_ascii_lowercase();
    let ending = ENDINGS.iter().find(|ending| lower.ends_with(*ending)).map_or(0, |ending| ending.len());
    let stem = &file[..file.len() - ending];
    let mut all = Vec::<Labels>::new();
    for (name, paths) in hierarchy.label_paths()? {
        // A store of any origin may call them as it likes.
        let plain: String =
            name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
        let mut place = target.with_file_name(format!("{stem}.labels-{plain}.ome.tiff"));
        for number in 2.. {
            if all.iter().all(|labels| labels.target != place) {
                break;
            }
            place = target.with_file_name(format!("{stem}.labels-{plain}-{number}.ome.tiff"));
        }
        let document = minimal_document(&hierarchy.of_labels(&paths)?).map_err(|error| match error {
            fairzarr_ome_zarr::Error::Metadata { reason, .. } => {
                Error::Unfit { place: format!("labels {name}"), reason }
            }
            error => error.into(),
        })?;
        all.push(Labels { name, paths, target: place, document });
    }
    Ok(all)
}

/// Writes label images into their file.
///
/// # Errors
/// As [`export`](crate::export()).
pub fn export_labels(store: &Store, labels: &Labels, options: &Options, job: &Job) -> Result<Report, Error> {
    if !options.overwrite && labels.target.exists() {
        return Err(Error::Exists(labels.target.clone()));
    }
    let hierarchy = Hierarchy::open(store)?.of_labels(&labels.paths)?;
    let document = Document::parse(labels.document.clone().into_bytes())
        .map_err(|error| Error::Unfit { place: labels.name.clone(), reason: error.to_string() })?;
    write(&hierarchy, &document, SourceTags::default(), &labels.target, options, job)
}

/// Endings of OME-TIFF, the longer ones first.
const ENDINGS: [&str; 6] = [".ome.tiff", ".ome.tif", ".ome.btf", ".tiff", ".tif", ".btf"];
