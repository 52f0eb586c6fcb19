//! One node: its documents read, and judged as Zarr.

use fairzarr_zarr::{ArrayDocument, Format, Node, judge};
use serde_json::{Map, Value};

use super::walk::Walk;
use super::{Documents, Stop, join};
use crate::{Finding, Level};

/// A group as its documents describe it.
pub(super) struct Group {
    pub(super) attributes: Map<String, Value>,
    /// The whole document; of Zarr 3 only.
    pub(super) document: Map<String, Value>,
    pub(super) format: Format,
}

/// An array as its document describes it.
#[derive(Clone)]
pub(super) struct Array {
    pub(super) document: ArrayDocument,
    /// `None` where the document does not say enough to compare it with others.
    pub(super) level: Option<Level>,
}

/// What is at a path.
pub(super) enum Found<T> {
    /// Nothing.
    Absent,
    /// A document that cannot be understood; it has been reported.
    Broken,
    /// The node.
    Node(T),
}

impl<D: Documents> Walk<'_, D> {
    /// The group at `path`, with a finding where its documents are no Zarr.
    pub(super) fn group_at(&mut self, path: &str) -> Result<Found<Group>, Stop<D::Error>> {
        if let Some(bytes) = self.documents.document(&join(path, "zarr.json"))? {
            let Some(document) = self.parsed(path, "zarr.json", &bytes) else { return Ok(Found::Broken) };
            self.groups += 1;
            self.add_all(path, judge(Format::V3, Node::Group, &document));
            let attributes = match document.get("attributes") {
                Some(Value::Object(attributes)) => attributes.clone(),
                _ => Map::new(),
            };
            return Ok(Found::Node(Group { attributes, document, format: Format::V3 }));
        }
        let attributes = self.documents.document(&join(path, ".zattrs"))?;
        let group = self.documents.document(&join(path, ".zgroup"))?;
        if attributes.is_none() && group.is_none() {
            return Ok(Found::Absent);
        }
        self.groups += 1;
        match &group {
            None => {
                let finding = Finding::must(
                    "",
                    "zarr-v2/groups",
                    "there is no .zgroup beside .zattrs, expected a .zgroup with \"zarr_format\": 2",
                );
                self.add(path, finding);
            }
            Some(group) => {
                if let Some(document) = self.parsed(path, ".zgroup", group) {
                    self.add_all(path, judge(Format::V2, Node::Group, &document));
                }
            }
        }
        let attributes = match attributes {
            None => Map::new(),
            Some(bytes) => match self.parsed(path, ".zattrs", &bytes) {
                Some(attributes) => attributes,
                None => return Ok(Found::Broken),
            },
        };
        Ok(Found::Node(Group { attributes, document: Map::new(), format: Format::V2 }))
    }

    /// A group that another one names: its absence is a finding.
    pub(super) fn named_group(
        &mut self,
        path: &str,
        clause: &'static str,
        named_by: &str,
    ) -> Result<Option<Group>, Stop<D::Error>> {
        match self.group_at(path)? {
            Found::Node(group) => {
                self.format_fits(path, group.format);
                Ok(Some(group))
            }
            Found::Broken => Ok(None),
            Found::Absent => {
                let finding =
                    Finding::must("", clause, format!("there is no group here, but {named_by} names it"))
                        .with_remedy(format!("write the group, or take its path out of {named_by}"));
                self.add(path, finding);
                Ok(None)
            }
        }
    }

    /// The Zarr format of a node has to be the one that the version of the hierarchy is stored in.
    pub(super) fn format_fits(&mut self, path: &str, format: Format) {
        let expected = Format::from(self.version);
        if format != expected {
            let message = format!(
                "Zarr format {format}, expected format {expected}, in which NGFF {} is stored",
                self.version
            );
            self.add(path, Finding::must("", "storage-format", message));
        }
    }

    /// The array at `path`, judged the first time that it is asked for.
    pub(super) fn array_at(&mut self, path: &str) -> Result<Found<Array>, Stop<D::Error>> {
        if let Some(array) = self.seen_arrays.get(path) {
            return Ok(array.clone().map_or(Found::Broken, Found::Node));
        }
        let format = Format::from(self.version);
        let name = match format {
            Format::V2 => ".zarray",
            Format::V3 => "zarr.json",
        };
        let Some(bytes) = self.documents.document(&join(path, name))? else { return Ok(Found::Absent) };
        let array = self.parsed(path, name, &bytes).map(|members| {
            self.arrays += 1;
            self.add_all(path, judge(format, Node::Array, &members));
            let document = ArrayDocument::of(format, members);
            Array { level: level(&document), document }
        });
        self.seen_arrays.insert(path.to_owned(), array.clone());
        if let Some(array) = &array {
            self.separator(path, array);
            self.array_objects(path, &array.document)?;
        }
        Ok(array.map_or(Found::Broken, Found::Node))
    }

    /// Chunk keys of 0.4 are nested; Zarr 2 joins by dots unless it is told otherwise.
    fn separator(&mut self, path: &str, array: &Array) {
        if array.document.format == Format::V2 && self.old.is_none() {
            let separator = array.document.members.get("dimension_separator").and_then(Value::as_str);
            if separator != Some("/") {
                let message = match separator {
                    Some(other) => format!("{other:?}, expected \"/\" between the numbers of a chunk's key"),
                    None => "missing, which means \".\", expected \"/\" between the numbers of a chunk's key"
                        .into(),
                };
                self.add(path, Finding::must("/dimension_separator", "storage-format", message));
            }
        }
    }

    fn parsed(&mut self, path: &str, name: &str, bytes: &[u8]) -> Option<Map<String, Value>> {
        let clause = if name == "zarr.json" { "zarr-v3/metadata" } else { "zarr-v2/metadata" };
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => return Some(members),
            Ok(_) => self.add(path, Finding::must("", clause, format!("{name}: expected a JSON object"))),
            Err(error) => {
                let finding = Finding::must("", clause, format!("{name} is not JSON: {error}"));
                self.add(
                    path,
                    finding.with_remedy("write the document again as JSON; NaN and comments are none"),
                );
            }
        }
        None
    }
}

fn level(document: &ArrayDocument) -> Option<Level> {
    let data_type = document.data_type()?;
    let data_type = data_type.as_str().or_else(|| data_type.get("name")?.as_str());
    let data_type =
        data_type.map_or_else(|| document.data_type().map(Value::to_string), |name| Some(name.into()))?;
    let mut level = Level::new(document.shape()?, data_type);
    level.dimension_names = document.dimension_names().and_then(|names| names.into_iter().collect());
    Some(level)
}
