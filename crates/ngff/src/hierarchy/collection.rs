//! bioformats2raw collections: the `OME` group, the images that it or their numbers name, and the OME-XML.

use serde_json::{Map, Value};

use super::node::Found;
use super::walk::{Role, Walk};
use super::{Documents, Stop, join, members, resolve, strings};
use crate::{Finding, NodeKind};

impl<D: Documents> Walk<'_, D> {
    /// The `OME` group of a collection or a plate, and the images of a collection.
    pub(super) fn series(&mut self, path: &str, root: &Map<String, Value>) -> Result<(), Stop<D::Error>> {
        let is_plate = root.contains_key("plate");
        let is_image = root.contains_key("multiscales");
        let ome = join(path, "OME");
        let mut listed = None;
        let mut has_ome = false;
        match self.group_at(&ome)? {
            Found::Absent => {}
            Found::Broken => has_ome = true,
            Found::Node(group) => {
                has_ome = true;
                self.format_fits(&ome, group.format);
                let found = members(&group.attributes);
                if found.contains_key("series") && self.old.is_none() {
                    let attributes = Value::Object(group.attributes.clone());
                    let findings = crate::validate(Some(self.version), &attributes, Some(NodeKind::Series));
                    self.add_all(&ome, findings);
                }
                listed = found.get("series").filter(|series| series.is_array()).cloned();
            }
        }
        let images = match &listed {
            Some(series) => strings(Some(series)).filter_map(|name| resolve(path, name)).collect(),
            None if is_plate || is_image => Vec::new(),
            None => self.numbered(path)?,
        };
        if images.is_empty() && !is_plate && !is_image {
            let message =
                "there is no image, expected images in the groups 0, 1, … or those that OME/series lists";
            self.add(
                path,
                Finding::must(format!("{}/bioformats2raw.layout", self.pointer()), BF2RAW, message),
            );
        }
        for (n, image) in images.iter().enumerate() {
            if n.is_multiple_of(AT_ONCE) {
                let next = images.iter().skip(n).take(AT_ONCE);
                self.expect_groups(next.filter(|image| !self.visited.contains(*image)));
            }
            // A plate's wells have been here already; what its list of series adds is that they are there.
            if self.visited.contains(image) {
                continue;
            }
            if let Some(group) = self.named_group(image, BF2RAW, "OME/series")? {
                self.visit(image, &group, &Role::Series)?;
            }
        }
        if root.contains_key("bioformats2raw.layout") && (has_ome || !is_image) {
            let ordered = listed.is_some() || !is_plate;
            self.ome_xml(path, if ordered { Some(&images) } else { None })?;
        }
        Ok(())
    }

    /// Images in the groups 0, 1, …; a number beyond a gap is a finding.
    fn numbered(&mut self, path: &str) -> Result<Vec<String>, Stop<D::Error>> {
        const MOST: usize = 1_000_000;
        let mut images = Vec::new();
        while images.len() < MOST {
            let image = join(path, &images.len().to_string());
            let name = if self.version == crate::Version::V04 { ".zgroup" } else { "zarr.json" };
            if self.documents.document(&join(&image, name))?.is_none() {
                break;
            }
            images.push(image);
        }
        let children = self.documents.children(path)?.unwrap_or_default();
        let numbers =
            children.iter().filter_map(|name| name.parse::<usize>().ok().filter(|n| n.to_string() == *name));
        if let Some(beyond) = numbers.filter(|number| *number > images.len()).min() {
            let message = format!(
                "group {beyond} is there and {} is not, expected numbers without a gap",
                images.len()
            );
            self.add(path, Finding::must("", BF2RAW, message));
        }
        Ok(images)
    }

    #[cfg(not(feature = "ome"))]
    fn ome_xml(&mut self, _path: &str, _images: Option<&[String]>) -> Result<(), Stop<D::Error>> {
        Ok(())
    }

    #[cfg(feature = "ome")]
    fn ome_xml(&mut self, path: &str, images: Option<&[String]>) -> Result<(), Stop<D::Error>> {
        let key = join(path, "OME/METADATA.ome.xml");
        let Some(bytes) = self.documents.document(&key)? else {
            let message = "there is no METADATA.ome.xml, expected the OME-XML of all images";
            self.add(&join(path, "OME"), Finding::should("METADATA.ome.xml", BF2RAW, message));
            return Ok(());
        };
        let shapes: Option<Vec<_>> = match images {
            None => None,
            Some(images) => {
                let mut shapes = Vec::new();
                for image in images {
                    shapes.push((image.clone(), self.full_size(image)?));
                }
                Some(shapes)
            }
        };
        let findings = super::xml::judge(bytes, shapes.as_deref());
        self.add_all(&join(path, "OME"), findings);
        Ok(())
    }

    /// Axes and sizes of an image's first level; empty where that is not known.
    #[cfg(feature = "ome")]
    fn full_size(&mut self, image: &str) -> Result<Vec<(String, u64)>, Stop<D::Error>> {
        let before = (self.groups, self.findings.len());
        let group = match self.group_at(image)? {
            Found::Node(group) => group,
            Found::Broken | Found::Absent => return Ok(Vec::new()),
        };
        // It was visited, and what is wrong with it has been said.
        self.groups = before.0;
        self.findings.truncate(before.1);
        let Ok((_, multiscale, _)) = crate::parse_image(&group.attributes) else { return Ok(Vec::new()) };
        let Some(array) = multiscale.datasets.first().and_then(|dataset| resolve(image, &dataset.path))
        else {
            return Ok(Vec::new());
        };
        let Found::Node(array) = self.array_at(&array)? else { return Ok(Vec::new()) };
        let shape = array.level.map(|level| level.shape).unwrap_or_default();
        Ok(multiscale.axes.into_iter().map(|axis| axis.name).zip(shape).collect())
    }
}

/// Images of a collection that a place is told of before they are asked for.
const AT_ONCE: usize = 256;
const BF2RAW: &str = "bf2raw";
