//! Label images that come from files: what is said of them, and the group that lists the label images of an image.

use fairzarr_ngff::{
    Downscaling, ImageLabel, LabelColor, from_ome, group_document, image_attributes, labels_attributes, merge,
};
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::keys::{self, join};
use fairzarr_ome_zarr::put;
use fairzarr_store::Store;
use fairzarr_task::Job;
use serde_json::{Map, Value, json};

use super::metadata::{Metadata, factors};
use crate::error::Error;
use crate::labels::Inputs;
use crate::options::RoiChoice;
use crate::pipeline::findings::Findings;
use crate::plan::Plan;
use crate::plan::regions::regions;

/// Colours that are written for a label image, from its smallest value on; programs choose those of further values.
const MOST_COLORS: usize = 1000;

/// What the record of the conversion says of files of labels: their names, sizes and checksums, and which label images are theirs.
pub(super) fn record(inputs: Inputs<'_>, plan: &Plan, job: &Job) -> Result<Vec<Value>, Error> {
    let mut all = Vec::new();
    for (number, (labels, planned)) in inputs.labels.iter().zip(&plan.labels).enumerate() {
        let mut files = Vec::new();
        for (index, file) in planned.files.iter().enumerate() {
            let mut entry = json!({"name": file.name, "bytes": file.bytes});
            if let Some(algorithm) = plan.settings.source_checksum {
                let value = algorithm.checksum(file.bytes, |at, out| {
                    job.cancel.check()?;
                    Ok::<(), Error>(labels.files().read_file(index, at, out)?)
                })?;
                entry["checksum"] = json!({"algorithm": algorithm.name(), "value": value});
            }
            files.push(entry);
        }
        let images = plan
            .label_images()
            .filter(|(file, ..)| *file == number)
            .map(|(_, of, index)| json!({"path": plan.images[index].path, "image": of, "digests": index}));
        all.push(json!({"name": planned.name, "files": files, "images": images.collect::<Vec<_>>()}));
    }
    Ok(all)
}

/// Writes the groups of the label images, and of each image the group that lists them, with those of its regions.
pub(super) fn write(
    source: &Fileset,
    plan: &Plan,
    metadata: &Metadata<'_>,
    findings: &Findings,
    store: &Store,
) -> Result<(), Error> {
    let version = plan.ngff();
    for (file, of, index) in plan.label_images() {
        let image = &plan.images[index];
        let (method, description) = match image.levels.len() {
            1 => ("none".to_owned(), "one level: nothing was downscaled"),
            _ => (image.downsample.to_string(), image.downsample.description()),
        };
        let mut downscaling = Downscaling::new(&method);
        downscaling.description = Some(description.into());
        downscaling.metadata =
            Map::from_iter([("method".into(), json!("fairzarr")), ("version".into(), json!(plan.fairzarr))]);
        // The coordinates of a label image are those of its image.
        let mut multiscale = from_ome::multiscale(
            metadata.described(of),
            of,
            &factors(image),
            Some(downscaling),
            metadata.origin(of),
        )
        .along(&image.axes);
        multiscale.name = Some(plan.labels[file].name.clone());
        let mut attributes = image_attributes(version, &multiscale, None);
        merge(&mut attributes, image_label(findings, index, image.shape[1]).attributes(version));
        put(store, &image.path, group_document(version, attributes))?;
    }
    for (of, (image, planned)) in source.images().iter().zip(&plan.images).enumerate() {
        let mut names = Vec::new();
        if plan.settings.rois == RoiChoice::Labels && !regions(source, image).is_empty() {
            names.extend(keys::ROI_LABELS.rsplit('/').next().map(str::to_owned));
        }
        let files = plan.label_images().filter(|(_, image, _)| *image == of);
        names.extend(files.map(|(file, ..)| plan.labels[file].name.clone()));
        if !names.is_empty() {
            let documents = group_document(version, labels_attributes(version, &names));
            put(store, &join(&planned.path, keys::LABELS), documents)?;
        }
    }
    Ok(())
}

/// Colours for values from the smallest on, and the image that they belong to.
fn image_label(findings: &Findings, index: usize, channels: u32) -> ImageLabel {
    let mut label = ImageLabel::default();
    let seen: Vec<_> = (0..channels).filter_map(|c| findings.statistics.get(&(index, c))).collect();
    let smallest = seen.iter().filter_map(|seen| seen.min).reduce(f64::min);
    let largest = seen.iter().filter_map(|seen| seen.max).reduce(f64::max);
    if let (Some(smallest), Some(largest)) = (smallest, largest) {
        // 0 is where there is no label.
        let values = (smallest as i64..=largest as i64).filter(|value| *value != 0).take(MOST_COLORS);
        let color = |value| LabelColor { value, rgba: Some(fairzarr_rois::color(value)) };
        label.colors = values.map(color).collect();
    }
    // The specification recommends the list also where there is no label.
    if label.colors.is_empty() {
        label.colors.push(LabelColor { value: 1, rgba: Some(fairzarr_rois::color(1)) });
    }
    label.source = Some("../../".into());
    label
}
