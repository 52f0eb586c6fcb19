//! The proof of label images that were made of files: against these files where they are given, else against the recorded digests.

use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::{ConvertedLabels, Hierarchy, OpenImage, StoredImage, attributes};
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::objects::Objects;
use crate::pixels::Pixels;
use crate::pyramid::Pyramid;
use crate::report::{Check, Difference, Differences, Proof};
use crate::samples::Samples;
use crate::{Context, files, fits};

/// A file, or a fileset, that label images of this name were made of.
pub struct LabelFile {
    /// The name of the label images.
    pub name: String,
    /// Their source.
    pub files: Fileset,
}

/// The proofs of images that are carried out on label images as well.
pub(crate) struct Common<'a, 'h> {
    pub(crate) objects: &'a mut Objects<'h>,
    pub(crate) pyramid: &'a mut Pyramid,
}

impl Common<'_, '_> {
    fn image(&mut self, image: &OpenImage<'_>, context: Context<'_>) -> Result<(), Error> {
        fits(image, context.job)?;
        self.objects.image(image)?;
        self.pyramid.image(image, context)
    }
}

/// Proves the label images that the store says were made of files; `None` where it says so of none and none are given.
pub(crate) fn check(
    hierarchy: &Hierarchy,
    given: &[LabelFile],
    mut common: Common<'_, '_>,
    context: Context<'_>,
) -> Result<Option<Check>, Error> {
    let recorded = hierarchy.conversion().map(|conversion| conversion.labels()).unwrap_or_default();
    if recorded.is_empty() && given.is_empty() {
        return Ok(None);
    }
    let mut differences = Differences::new("places");
    for file in given.iter().filter(|file| recorded.iter().all(|labels| labels.name != file.name)) {
        let expected = "label images that were made of a file";
        differences.add(Difference::new(format!("labels {}", file.name), expected, "nothing of that name"));
    }
    let (mut covered, mut notes) = (Vec::new(), Vec::new());
    for labels in &recorded {
        let images = stored(hierarchy, labels, &mut differences)?;
        let file = given.iter().find(|file| file.name == labels.name);
        covered.push(if let Some(file) = file {
            with_file(hierarchy, (labels, &images), file, &mut common, &mut differences, context)?
        } else {
            notes.push(format!(
                "the file of the labels {} was not given: they were compared with the recorded digests",
                labels.name
            ));
            alone(hierarchy, (labels, &images), &mut common, &mut differences, context)?
        });
    }
    Ok(Some(Check { notes, ..Check::new(Proof::Labels, covered.join("; "), differences.finish()) }))
}

/// Both checks of label images as one.
pub(crate) fn together(of_regions: Option<Check>, of_files: Option<Check>) -> Option<Check> {
    match (of_regions, of_files) {
        (Some(mut regions), Some(files)) => {
            regions.covered = format!("{}; {}", regions.covered, files.covered);
            regions.differences.extend(files.differences);
            regions.notes.extend(files.notes);
            Some(regions)
        }
        (regions, files) => regions.or(files),
    }
}

/// A label image with its place in the lists: of the file, and of the recorded digests.
type Label = (StoredImage, usize, usize);

/// The label images that are there, with metadata that can be read.
fn stored(
    hierarchy: &Hierarchy,
    labels: &ConvertedLabels<'_>,
    differences: &mut Differences,
) -> Result<Vec<Label>, Error> {
    let mut found = Vec::new();
    for (number, image) in labels.images.iter().enumerate() {
        match hierarchy.label(image.path) {
            Ok(stored) => {
                said(
                    image.path,
                    &attributes(hierarchy.store(), image.path)?.unwrap_or_default(),
                    differences,
                );
                found.push((stored, number, image.digests));
            }
            Err(error @ fairzarr_ome_zarr::Error::Store(_)) => return Err(error.into()),
            Err(error) => differences.add(Difference::new(image.path, "a label image", error.to_string())),
        }
    }
    Ok(found)
}

/// What a label image says of itself: which image it belongs to, and the colours that go by number.
fn said(path: &str, attributes: &Map<String, Value>, differences: &mut Differences) {
    let members = attributes.get("ome").and_then(Value::as_object).unwrap_or(attributes);
    let label = members.get("image-label").cloned().unwrap_or_default();
    if label["source"] != json!({"image": "../../"}) {
        let found = label["source"].to_string();
        differences.add(Difference::new(
            format!("{path} image-label source"),
            r#"{"image":"../../"}"#,
            found,
        ));
    }
    for entry in label["colors"].as_array().into_iter().flatten() {
        let value = entry["label-value"].as_i64();
        let expected = value.map(|value| json!(fairzarr_rois::color(value)));
        if expected.as_ref() != entry.get("rgba") {
            let place = format!("{path} image-label colors, label {}", entry["label-value"]);
            let expected = expected.map_or_else(|| "a colour".into(), |color| color.to_string());
            differences.add(Difference::new(place, expected, entry["rgba"].to_string()));
        }
    }
}

/// Every sample against the file, and the file against its recorded checksum.
fn with_file(
    hierarchy: &Hierarchy,
    (labels, images): (&ConvertedLabels<'_>, &[Label]),
    file: &LabelFile,
    common: &mut Common<'_, '_>,
    differences: &mut Differences,
    context: Context<'_>,
) -> Result<String, Error> {
    let mut pixels = Pixels::of_labels(&file.files, labels.images.len());
    for (stored, number, _) in images {
        let image = hierarchy.open_stored(*number, stored)?;
        common.image(&image, context)?;
        pixels.image(&image, None, context)?;
    }
    let check = pixels.finish(context.options.sample);
    differences.extend(check.differences);
    let mut covered = format!("labels {}: {}", labels.name, check.covered);
    if let Some(files) = files::compare(&file.files, labels.files.iter().copied(), context.job)? {
        covered = format!("{covered}, {}", files.covered);
        differences.extend(files.differences);
    }
    Ok(covered)
}

/// Every sample against the recorded digests.
fn alone(
    hierarchy: &Hierarchy,
    (labels, images): (&ConvertedLabels<'_>, &[Label]),
    common: &mut Common<'_, '_>,
    differences: &mut Differences,
    context: Context<'_>,
) -> Result<String, Error> {
    let mut samples = Samples::new(hierarchy)?;
    for (stored, _, digests) in images {
        let image = hierarchy.open_stored(*digests, stored)?;
        common.image(&image, context)?;
        samples.image(&image, None, context)?;
    }
    let check = samples.finish(context.options.sample);
    differences.extend(check.differences);
    Ok(format!("labels {}: {}", labels.name, check.covered))
}
