//! Labels: the group that lists them, and label images beside the image that they belong to.

use serde_json::{Map, Value};

use super::node::{Found, Group};
use super::walk::{Role, Walk};
use super::{Documents, Stop, join, members, resolve, strings};
use crate::{Finding, Level, Multiscale, NodeKind, Severity, Version};

/// What a label image is compared with.
#[derive(Clone)]
pub(super) struct Labelled {
    /// Number of levels.
    levels: usize,
    /// Size of level 0 by axis, where the image could be read.
    sizes: Vec<(String, u64)>,
    /// The first data type that is declared.
    data_types: Vec<String>,
}

impl Labelled {
    pub(super) fn of(levels: &[Option<Level>], image: Option<Multiscale>) -> Self {
        let shape =
            levels.first().and_then(Option::as_ref).map(|level| level.shape.clone()).unwrap_or_default();
        let axes = image.map(|image| image.axes).unwrap_or_default();
        let sizes = if axes.len() == shape.len() {
            axes.into_iter().map(|axis| axis.name).zip(shape).collect()
        } else {
            Vec::new()
        };
        let data_types = levels.iter().flatten().map(|level| level.data_type.clone()).collect();
        Self { levels: levels.len(), sizes, data_types }
    }
}

impl<D: Documents> Walk<'_, D> {
    /// A `labels` group below an image or at the root.
    pub(super) fn labels_group(
        &mut self,
        path: &str,
        group: &Group,
        image: Option<&Labelled>,
    ) -> Result<(), Stop<D::Error>> {
        if !self.visited.insert(path.to_owned()) {
            return Ok(());
        }
        if self.old.is_none() {
            let attributes = Value::Object(group.attributes.clone());
            self.add_all(path, crate::validate(Some(self.version), &attributes, Some(NodeKind::Labels)));
        }
        let members = members(&group.attributes).clone();
        self.labels(path, &members, image)
    }

    /// What a list of labels names, and what it leaves out.
    pub(super) fn labels(
        &mut self,
        path: &str,
        members: &Map<String, Value>,
        image: Option<&Labelled>,
    ) -> Result<(), Stop<D::Error>> {
        let names: Vec<&str> = strings(members.get("labels")).collect();
        for name in &names {
            let Some(label) = resolve(path, name) else { continue };
            self.intermediate(path, name)?;
            let Some(group) = self.named_group(&label, LABELS, "the list of labels")? else { continue };
            if self.old.is_none() && !super::members(&group.attributes).contains_key("image-label") {
                let at = format!("{}/image-label", self.pointer());
                self.add(&label, Finding::should(at, LABEL, "missing, expected an object"));
            }
            self.visit(&label, &group, &Role::Label(image.cloned()))?;
        }
        self.unlisted(path, &names)
    }

    /// Groups between `labels` and a label image hold no metadata.
    fn intermediate(&mut self, path: &str, name: &str) -> Result<(), Stop<D::Error>> {
        let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
        for depth in 1..parts.len() {
            let between = join(path, &parts[..depth].join("/"));
            if !self.visited.insert(between.clone()) {
                continue;
            }
            if let Found::Node(group) = self.group_at(&between)?
                && self.version > Version::V04
                && !members_of_ngff(&group).is_empty()
            {
                let message = "metadata in a group between labels and a label image, expected none";
                self.add(&between, Finding::must("/ome", LABELS, message));
            }
        }
        Ok(())
    }

    /// Label images that lie in the group and are not in its list.
    fn unlisted(&mut self, path: &str, names: &[&str]) -> Result<(), Stop<D::Error>> {
        if self.version == Version::V04 || self.old.is_some() {
            // 0.4 allows unlisted ones.
            return Ok(());
        }
        let mut children = self.documents.children(path)?.unwrap_or_default();
        children.sort();
        for child in children.into_iter().take(MOST_CHILDREN) {
            let listed = |name: &&str| name.split('/').find(|part| !part.is_empty()) == Some(child.as_str());
            if names.iter().any(listed) {
                continue;
            }
            let label = join(path, &child);
            let Found::Node(group) = self.group_at(&label)? else { continue };
            if members(&group.attributes).contains_key("multiscales") {
                // 0.6 turned the demand into a recommendation.
                let severity = if self.version == Version::V05 { Severity::Must } else { Severity::Should };
                let message =
                    format!("label image {child:?} is not listed, expected all label images in the list");
                let at = format!("{}/labels", self.pointer());
                self.add(path, Finding::new(severity, at, LABELS, message));
            }
        }
        Ok(())
    }

    /// The rules of a label image beside its image.
    pub(super) fn label_image(&mut self, path: &str, at: &str, label: &Labelled, image: Option<&Labelled>) {
        if self.old.is_some() {
            return;
        }
        for data_type in &label.data_types {
            let plain = data_type.trim_start_matches(['<', '>', '|']);
            let integer = INTEGERS.contains(&plain);
            if !integer {
                let severity = if self.version == Version::V04 { Severity::Should } else { Severity::Must };
                let message =
                    format!("samples of type {data_type}, expected an integer type of 8 to 64 bits");
                self.add(path, Finding::new(severity, format!("{at}/datasets"), LABELS, message));
                break;
            }
        }
        let Some(image) = image else { return };
        if label.levels != image.levels {
            let message = format!("{} levels, expected {} like the image", label.levels, image.levels);
            self.add(path, Finding::must(format!("{at}/datasets"), LABELS, message));
        }
        for (axis, size) in &label.sizes {
            let Some((_, expected)) = image.sizes.iter().find(|(name, _)| name == axis) else { continue };
            if size != expected && *size != 1 {
                let message =
                    format!("{size} samples along {axis}, expected {expected} like the image, or 1");
                self.add(path, Finding::must(format!("{at}/datasets/0"), LABELS, message));
            }
        }
    }

    /// `source.image` leads to an image.
    pub(super) fn label_source(
        &mut self,
        path: &str,
        source: &Value,
        has_image: bool,
    ) -> Result<(), Stop<D::Error>> {
        let Some(source_path) = source.as_str() else { return Ok(()) };
        let image = resolve(path, source_path);
        // Above a label or a list of labels that the validation began with, nothing can be looked at.
        if image.is_none() && !has_image {
            return Ok(());
        }
        let before = (self.groups, self.findings.len());
        let is_image = match image.map(|image| self.group_at(&image)).transpose()?.unwrap_or(Found::Absent) {
            Found::Node(group) => members(&group.attributes).contains_key("multiscales"),
            Found::Broken => true,
            Found::Absent => false,
        };
        // The image is judged where it is visited.
        self.groups = before.0;
        self.findings.truncate(before.1);
        if !is_image {
            let at = format!("{}/image-label/source/image", self.pointer());
            let message =
                format!("{source} leads to no image, expected the path of the image that was segmented");
            self.add(path, Finding::must(at, LABEL, message));
        }
        Ok(())
    }
}

/// Members that NGFF defines, in a group that should have none; its version alone is no metadata.
fn members_of_ngff(group: &Group) -> Vec<&String> {
    let Some(ome) = group.attributes.get("ome").and_then(Value::as_object) else { return Vec::new() };
    ome.keys().filter(|name| *name != "version").collect()
}

const LABELS: &str = "labels-md";
const LABEL: &str = "label-md";
const MOST_CHILDREN: usize = 10_000;
/// Integer types by their names in Zarr 3 and, without the byte order, in Zarr 2.
const INTEGERS: &[&str] = &[
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "u1", "i1", "u2", "i2", "u4",
    "i4", "u8", "i8",
];
