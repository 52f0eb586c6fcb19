//! Images: the arrays of all multiscales, and what they say together.

use fairzarr_zarr::Format;
use serde_json::{Map, Value};

use super::labels::Labelled;
use super::node::Found;
use super::walk::{Role, Walk};
use super::{Documents, Stop, join, objects, resolve};
use crate::version::Era;
use crate::{Finding, Level, Multiscale, NodeKind, Omero, Version, parse_image, validate_levels};

impl<D: Documents> Walk<'_, D> {
    pub(super) fn image(
        &mut self,
        path: &str,
        members: &Map<String, Value>,
        role: &Role,
    ) -> Result<(), Stop<D::Error>> {
        let pointer = self.pointer();
        let items =
            members.get("multiscales").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if matches!(role, Role::Series) && items.len() > 1 {
            let message =
                format!("{} multiscales, expected one, of the one Image of the OME-XML", items.len());
            self.add(path, Finding::must(format!("{pointer}/multiscales"), "bf2raw", message));
        }
        let mut labelled = None;
        for (index, item) in items.iter().enumerate() {
            let at = format!("{pointer}/multiscales/{index}");
            let levels = self.levels(path, &at, item)?;
            let parsed = self.parsed_image(members, item, index);
            let complete: Option<Vec<Level>> = levels.iter().cloned().collect();
            if let (Some((image, omero)), Some(levels)) = (&parsed, &complete)
                && self.old.is_none()
            {
                let findings = validate_levels(self.version, image, omero.as_ref(), levels);
                self.add_all(path, findings);
            }
            let facts = Labelled::of(&levels, parsed.map(|(image, _)| image));
            if let Role::Label(image) = role {
                self.label_image(path, &at, &facts, image.as_ref());
            }
            labelled.get_or_insert(facts);
        }
        if let Some(source) = members.get("image-label").and_then(|label| label.pointer("/source/image")) {
            self.label_source(path, source, matches!(role, Role::Label(Some(_))))?;
        }
        let labels = join(path, "labels");
        match self.group_at(&labels)? {
            Found::Node(group) => {
                self.format_fits(&labels, group.format);
                self.labels_group(&labels, &group, labelled.as_ref())?;
            }
            Found::Broken | Found::Absent => {}
        }
        Ok(())
    }

    /// The arrays of one multiscale image, in the order of its datasets; `None` where one cannot be compared.
    fn levels(&mut self, path: &str, at: &str, item: &Value) -> Result<Vec<Option<Level>>, Stop<D::Error>> {
        let mut levels = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (index, dataset) in objects(item.get("datasets")).enumerate() {
            let Some(name) = dataset.get("path").and_then(Value::as_str) else {
                levels.push(None);
                continue;
            };
            let at = format!("{at}/datasets/{index}/path");
            if seen.contains(&name) {
                let message = format!(
                    "{name:?} is a level already, expected each level once, from the highest resolution"
                );
                self.add(path, Finding::must(&at, MULTISCALES, message));
            }
            seen.push(name);
            let Some(array) = resolve(path, name) else {
                let message =
                    format!("{name:?} leads out of the hierarchy, expected a path below this group");
                self.add(path, Finding::must(&at, MULTISCALES, message));
                levels.push(None);
                continue;
            };
            let level = match self.array_at(&array)? {
                Found::Node(array) => array.level,
                Found::Broken => None,
                Found::Absent => {
                    let format = Format::from(self.version);
                    let message = format!(
                        "{name:?}: there is no {}, which NGFF {} expects of an array in Zarr format {format}",
                        if format == Format::V2 { ".zarray" } else { "zarr.json" },
                        self.version
                    );
                    let finding = Finding::must(&at, MULTISCALES, message);
                    self.add(path, finding.with_remedy("write the array's document, or take the level out"));
                    None
                }
            };
            levels.push(level);
        }
        Ok(levels)
    }

    /// One multiscale image as a model; the first has the rendering settings. What does not parse has been found.
    fn parsed_image(
        &self,
        members: &Map<String, Value>,
        item: &Value,
        index: usize,
    ) -> Option<(Multiscale, Option<Omero>)> {
        if self.old == Some(Era::Older) {
            return None;
        }
        let mut one = Map::new();
        one.insert("multiscales".into(), Value::Array(vec![item.clone()]));
        if let Some(omero) = members.get("omero").filter(|_| index == 0) {
            one.insert("omero".into(), omero.clone());
        }
        // A version inside a multiscale that differs has been found as well.
        if let Some(object) = one["multiscales"][0].as_object_mut()
            && self.version == Version::V04
        {
            object.shift_remove("version");
        }
        let (_, image, omero) = parse_image(&self.version.place(one)).ok()?;
        Some((image, omero))
    }

    /// An image that a label, a scene or a field names, visited as one.
    pub(super) fn visit_image(
        &mut self,
        path: &str,
        clause: &'static str,
        named_by: &str,
    ) -> Result<Option<super::node::Group>, Stop<D::Error>> {
        let group = self.named_group(path, clause, named_by)?;
        if let Some(group) = &group {
            self.visit(path, group, &Role::Kind(NodeKind::Image))?;
        }
        Ok(group)
    }
}

const MULTISCALES: &str = "multiscales-md";
