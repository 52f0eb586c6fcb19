//! Groups that hold images: bioformats2raw collections, labels, and telling groups apart.

use serde_json::{Map, Value, json};

use crate::Version;
use crate::json::{add_extra, insert_some};

/// What a group is, by its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeKind {
    /// A multiscale image.
    Image,
    /// A multi-well plate.
    Plate,
    /// A well of a plate.
    Well,
    /// The root of several images in the bioformats2raw layout.
    Bioformats2raw,
    /// The `OME` group of a bioformats2raw collection.
    Series,
    /// A group that lists label images.
    Labels,
    /// A label image, which is a multiscale image as well.
    Label,
    /// 0.6: a scene, images in common coordinate systems.
    Scene,
    /// Nothing that NGFF knows.
    Other,
}

/// What the group with these attributes is.
///
/// A group can be several things at once: a plate wins over the bioformats2raw layout, as the specification
/// says, an image wins over it, as viewers do, and a label image is more than an image.
pub fn classify(attributes: &Map<String, Value>) -> NodeKind {
    let members = attributes.get("ome").and_then(Value::as_object).unwrap_or(attributes);
    let has = |name: &str| members.contains_key(name);
    if has("plate") {
        NodeKind::Plate
    } else if has("well") {
        NodeKind::Well
    } else if has("image-label") {
        NodeKind::Label
    } else if has("multiscales") {
        NodeKind::Image
    } else if has("bioformats2raw.layout") {
        NodeKind::Bioformats2raw
    } else if has("scene") {
        NodeKind::Scene
    } else if has("series") {
        NodeKind::Series
    } else if has("labels") {
        NodeKind::Labels
    } else {
        NodeKind::Other
    }
}

/// The attributes of a group without a role of its own, such as the row of a plate.
pub fn plain_attributes(version: Version) -> Map<String, Value> {
    version.place(Map::new())
}

/// The attributes of the root of a bioformats2raw collection.
pub fn bioformats2raw_attributes(version: Version) -> Map<String, Value> {
    version.place(Map::from_iter([("bioformats2raw.layout".to_owned(), json!(3))]))
}

/// The attributes of the `OME` group: paths of the images, in the order of the OME-XML's images.
pub fn series_attributes(version: Version, paths: &[String]) -> Map<String, Value> {
    version.place(Map::from_iter([("series".to_owned(), json!(paths))]))
}

/// The attributes of a group with a scene, which 0.6 has.
pub fn scene_attributes(version: Version, scene: Value) -> Map<String, Value> {
    version.place(Map::from_iter([("scene".to_owned(), scene)]))
}

/// The attributes of a `labels` group: paths of the label images.
pub fn labels_attributes(version: Version, paths: &[String]) -> Map<String, Value> {
    version.place(Map::from_iter([("labels".to_owned(), json!(paths))]))
}

/// What makes an image a label image; its group's attributes are an image's and these, [merged](crate::merge).
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ImageLabel {
    /// Colours of label values.
    pub colors: Vec<LabelColor>,
    /// Properties of label values: objects with a `label-value` and anything else.
    pub properties: Vec<Map<String, Value>>,
    /// Path of the image that the labels belong to, relative to the label image; `../../` when not set.
    pub source: Option<String>,
    /// Members that this model does not know.
    pub extra: Map<String, Value>,
}

/// The colour of one label value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelColor {
    /// The sample value.
    pub value: i64,
    /// Red, green, blue, opacity.
    pub rgba: Option<[u8; 4]>,
}

impl ImageLabel {
    /// The `image-label` member in the place that `version` gives it.
    pub fn attributes(&self, version: Version) -> Map<String, Value> {
        let mut object = Map::new();
        version.insert_inner(&mut object);
        if !self.colors.is_empty() {
            let colors: Vec<Value> = self
                .colors
                .iter()
                .map(|color| {
                    let mut entry = Map::new();
                    entry.insert("label-value".into(), color.value.into());
                    insert_some(&mut entry, "rgba", color.rgba.map(Vec::from));
                    Value::Object(entry)
                })
                .collect();
            object.insert("colors".into(), colors.into());
        }
        if !self.properties.is_empty() {
            object.insert("properties".into(), json!(self.properties));
        }
        if let Some(source) = &self.source {
            object.insert("source".into(), json!({"image": source}));
        }
        add_extra(&mut object, &self.extra);
        version.place(Map::from_iter([("image-label".to_owned(), Value::Object(object))]))
    }
}
