//! What a store says of its conversion: the attribute `fairzarr:conversion` of the root.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

use crate::keys::CONVERSION;

/// The record of the conversion, for reading. Members that are not there have the value that says so.
#[derive(Clone, Copy, Debug)]
pub struct Conversion<'a>(&'a Map<String, Value>);

/// A file of the source, as it was when it was converted.
#[derive(Clone, Copy, Debug)]
pub struct ConvertedFile<'a> {
    /// Its name, without its folder.
    pub name: &'a str,
    /// Its size in bytes.
    pub bytes: Option<u64>,
    /// Algorithm and lower-case hexadecimal value of its checksum, where one was recorded.
    pub checksum: Option<(&'a str, &'a str)>,
}

/// Label images that were made of one file or fileset.
#[derive(Clone, Debug)]
pub struct ConvertedLabels<'a> {
    /// The name of the label images.
    pub name: &'a str,
    /// The files, as they were when they were converted.
    pub files: Vec<ConvertedFile<'a>>,
    /// The label images, in the order of the file's images.
    pub images: Vec<ConvertedLabel<'a>>,
}

/// One label image that was made of a file.
#[derive(Clone, Copy, Debug)]
pub struct ConvertedLabel<'a> {
    /// The path of its group.
    pub path: &'a str,
    /// The number of the image that it belongs to.
    pub image: usize,
    /// Its number among the images of the recorded digests.
    pub digests: usize,
}

impl<'a> Conversion<'a> {
    /// The record among the attributes of the root; `None` in stores of other programs.
    pub fn of(root: &'a Map<String, Value>) -> Option<Self> {
        root.get(CONVERSION)?.as_object().map(Self)
    }

    /// The version of the program that made the store.
    pub fn version(self) -> Option<&'a str> {
        self.0.get("version")?.as_str()
    }

    /// Whether chunks of zeros were left out, so that a missing object is no loss.
    pub fn omits_empty(self) -> bool {
        self.0.get("omit_empty") == Some(&Value::Bool(true))
    }

    /// Whether it was written down that the store has a manifest.
    pub fn has_manifest(self) -> bool {
        self.0.contains_key("manifest")
    }

    /// Images whose reduced levels are those of the source, and not computed.
    pub fn copied_levels(self) -> BTreeSet<u64> {
        let copied = self.0.get("copied_levels").and_then(Value::as_array);
        copied.into_iter().flatten().filter_map(Value::as_u64).collect()
    }

    /// Numbers of the images of the source that were converted, where it was not all of them.
    pub fn series(self) -> Option<Vec<usize>> {
        let series = self.0.get("series")?.as_array()?.iter();
        series.map(|number| usize::try_from(number.as_u64()?).ok()).collect()
    }

    /// Numbers of the time points of the source that were converted, where it was not all of them.
    pub fn timepoints(self) -> Option<Vec<u32>> {
        let times = self.0.get("timepoints")?.as_array()?.iter();
        times.map(|number| u32::try_from(number.as_u64()?).ok()).collect()
    }

    /// Whether images or time points of the source were left out.
    pub fn is_part(self) -> bool {
        self.0.contains_key("series") || self.0.contains_key("timepoints")
    }

    /// Axes that images do not have where their length is 1.
    pub fn dropped_axes(self) -> Vec<&'a str> {
        let axes = self.0.get("drop_axes").and_then(Value::as_array);
        axes.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether regions of interest became label images.
    pub fn has_roi_labels(self) -> bool {
        self.0.get("rois").and_then(Value::as_str) == Some("labels")
    }

    /// Whether images lie where their planes or fields were on the stage.
    pub fn has_stage_positions(self) -> bool {
        self.0.get("positions").and_then(Value::as_str) == Some("stage")
    }

    /// Whether a scene says where images were on the stage.
    pub fn has_scene(self) -> bool {
        self.0.get("positions").and_then(Value::as_str) == Some("scene")
    }

    /// Whether the time between points was taken from planes where the document gives none.
    pub fn has_delta_t(self) -> bool {
        self.0.get("time_scale").and_then(Value::as_str) == Some("delta-t")
    }

    /// What the source holds and the store does not: `page_count`, `pages`, `levels`, `series`, `timepoints`, `files`.
    pub fn not_carried(self) -> Option<&'a Map<String, Value>> {
        self.0.get("not_carried")?.as_object()
    }

    /// Whether pages that the source's metadata do not mention became further images.
    pub fn keeps_extra_pages(self) -> bool {
        self.0.get("extra_pages").and_then(Value::as_str) == Some("keep")
    }

    /// The options that it was made with, by name; `None` in stores from before they were recorded.
    pub fn settings(self) -> Option<&'a Map<String, Value>> {
        self.0.get("settings")?.as_object()
    }

    /// A digest of the documents and the policy that it was made with; `None` where there were none.
    pub fn documents(self) -> Option<&'a str> {
        self.0.get("documents")?.as_str()
    }

    /// Whether samples of 16-bit floating point are stored as they are, and not as samples of 32 bits.
    pub fn keeps_half_floats(self) -> bool {
        self.0.get("half").and_then(Value::as_str) == Some("float16")
    }

    /// The files of the source.
    pub fn files(self) -> impl Iterator<Item = ConvertedFile<'a>> {
        files(self.0.get("files"))
    }

    /// Label images that were made of files, and these files.
    pub fn labels(self) -> Vec<ConvertedLabels<'a>> {
        let labels = self.0.get("labels").and_then(Value::as_array);
        let number = |value: &Value, member: &str| usize::try_from(value.get(member)?.as_u64()?).ok();
        let of_file = |entry: &'a Value| {
            let images = entry.get("images").and_then(Value::as_array).into_iter().flatten();
            let images = images.filter_map(|image| {
                Some(ConvertedLabel {
                    path: image.get("path")?.as_str()?,
                    image: number(image, "image")?,
                    digests: number(image, "digests")?,
                })
            });
            let name = entry.get("name")?.as_str()?;
            Some(ConvertedLabels {
                name,
                files: files(entry.get("files")).collect(),
                images: images.collect(),
            })
        };
        labels.into_iter().flatten().filter_map(of_file).collect()
    }
}

/// The files of a list.
fn files<'a>(listed: Option<&'a Value>) -> impl Iterator<Item = ConvertedFile<'a>> + use<'a> {
    listed.and_then(Value::as_array).into_iter().flatten().filter_map(|file| {
        let text = |value: &'a Value, member: &str| value.get(member).and_then(Value::as_str);
        let checksum = file.get("checksum");
        let checksum = checksum.and_then(|of| Some((text(of, "algorithm")?, text(of, "value")?)));
        Some(ConvertedFile {
            name: text(file, "name")?,
            bytes: file.get("bytes").and_then(Value::as_u64),
            checksum,
        })
    })
}
