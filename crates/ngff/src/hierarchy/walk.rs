//! The walk over a hierarchy.

use fairzarr_zarr::{ArrayDocument, Format};
use serde_json::{Map, Value};

use super::{Documents, GroupFinding, Stop, Validity, join, members};
use crate::{Finding, Level, NodeKind, Severity, Version, classify, parse_image, validate, validate_levels};

/// Judges the metadata of a hierarchy: the root, the wells of a plate, the `OME` group and the series of a
/// bioformats2raw collection, all images with the declarations of their arrays, and their labels.
///
/// # Errors
///
/// When a document cannot be read, or nothing at the root is NGFF.
pub fn validate_hierarchy<D: Documents>(documents: &D) -> Result<Validity, Stop<D::Error>> {
    let mut judge = Judge { documents, version: None };
    let root = judge.attributes("")?.ok_or(Stop::NoGroup)?;
    let kind = classify(&root);
    if kind == NodeKind::Other {
        return Err(Stop::NoMetadata);
    }
    let version = Version::of(&root).ok().flatten();
    judge.version = version;
    let mut parts = vec![judge.judged("", &root, None)?];
    let images = match kind {
        NodeKind::Plate => {
            let wells = listed(&root, &["plate", "wells"], "");
            let mut images = Vec::new();
            for wells in wells.chunks(AT_ONCE) {
                judge.expect(wells);
                for path in wells {
                    let (part, attributes) = judge.group(path, NodeKind::Well, "plate")?;
                    images.extend(listed(&attributes, &["well", "images"], path));
                    parts.push(part);
                }
            }
            images
        }
        NodeKind::Bioformats2raw => judge.series(&mut parts)?,
        _ => Vec::new(),
    };
    for images in images.chunks(AT_ONCE) {
        judge.expect(images);
        for path in images {
            let (part, attributes) = judge.group(path, NodeKind::Image, "collection")?;
            parts.push(part);
            parts.extend(judge.labels(path, &attributes)?);
        }
    }
    parts.extend(judge.labels("", &root)?);

    let mut validity = Validity { version, groups: parts.len(), arrays: 0, findings: Vec::new() };
    for part in parts {
        validity.arrays += part.arrays;
        let group = part.group;
        validity
            .findings
            .extend(part.findings.into_iter().map(|finding| GroupFinding { group: group.clone(), finding }));
    }
    Ok(validity)
}

struct Judge<'d, D> {
    documents: &'d D,
    version: Option<Version>,
}

/// The verdict on one group.
struct Part {
    group: String,
    arrays: usize,
    findings: Vec<Finding>,
}

impl<D: Documents> Judge<'_, D> {
    /// Groups that are going to be asked for.
    fn expect(&self, paths: &[String]) {
        let keys: Vec<String> = paths.iter().map(|path| join(path, "zarr.json")).collect();
        self.documents.expect(&keys);
    }

    /// The attributes of a group; `None` when there is no group at `path`.
    fn attributes(&self, path: &str) -> Result<Option<Map<String, Value>>, Stop<D::Error>> {
        let object = |bytes: &[u8]| -> Result<Map<String, Value>, Stop<D::Error>> {
            serde_json::from_slice(bytes)
                .map_err(|error| Stop::NotJson { path: path.to_owned(), reason: error.to_string() })
        };
        if let Some(document) = self.documents.document(&join(path, "zarr.json"))? {
            return Ok(Some(match object(&document)?.remove("attributes") {
                Some(Value::Object(attributes)) => attributes,
                _ => Map::new(),
            }));
        }
        if let Some(document) = self.documents.document(&join(path, ".zattrs"))? {
            return object(&document).map(Some);
        }
        Ok(self.documents.document(&join(path, ".zgroup"))?.map(|_| Map::new()))
    }

    /// A group that another one names.
    fn group(
        &self,
        path: &str,
        kind: NodeKind,
        named_by: &str,
    ) -> Result<(Part, Map<String, Value>), Stop<D::Error>> {
        let Some(found) = self.attributes(path)? else {
            let finding =
                must("", "metadata", format!("there is no such group, but its {named_by} names it"));
            let part = Part { group: path.to_owned(), arrays: 0, findings: vec![finding] };
            return Ok((part, Map::new()));
        };
        Ok((self.judged(path, &found, Some(kind))?, found))
    }

    fn judged(
        &self,
        path: &str,
        attributes: &Map<String, Value>,
        kind: Option<NodeKind>,
    ) -> Result<Part, Stop<D::Error>> {
        let mut findings = validate(self.version, &Value::Object(attributes.clone()), kind);
        let mut arrays = 0;
        // What is wrong with metadata that does not parse has been found.
        if let Ok((version, image, omero)) = parse_image(attributes) {
            let mut levels = Vec::new();
            for dataset in &image.datasets {
                match self.level(version, &join(path, &dataset.path))? {
                    Ok(level) => levels.push(level),
                    Err(reason) => {
                        findings.push(must(&format!("/{}", dataset.path), "multiscale-md", reason));
                    }
                }
            }
            arrays = levels.len();
            if arrays == image.datasets.len() {
                findings.extend(validate_levels(version, &image, omero.as_ref(), &levels));
            }
        }
        Ok(Part { group: path.to_owned(), arrays, findings })
    }

    /// The `OME` group, and the images that it or, without it, their numbers name.
    fn series(&self, parts: &mut Vec<Part>) -> Result<Vec<String>, Stop<D::Error>> {
        if let Some(found) = self.attributes("OME")? {
            parts.push(self.judged("OME", &found, None)?);
            let series = members(&found).get("series").and_then(Value::as_array);
            if let Some(series) = series {
                return Ok(series.iter().filter_map(|path| path.as_str().map(Into::into)).collect());
            }
        }
        let mut paths = Vec::new();
        while self.attributes(&paths.len().to_string())?.is_some() {
            paths.push(paths.len().to_string());
        }
        Ok(paths)
    }

    /// The labels of an image, if it has any.
    fn labels(&self, image: &str, attributes: &Map<String, Value>) -> Result<Vec<Part>, Stop<D::Error>> {
        if !members(attributes).contains_key("multiscales") {
            return Ok(Vec::new());
        }
        let path = join(image, "labels");
        let Some(found) = self.attributes(&path)? else { return Ok(Vec::new()) };
        let mut parts = vec![self.judged(&path, &found, Some(NodeKind::Labels))?];
        let names = members(&found).get("labels").and_then(Value::as_array);
        for name in names.into_iter().flatten().filter_map(Value::as_str) {
            parts.push(self.group(&join(&path, name), NodeKind::Label, "list of labels")?.0);
        }
        Ok(parts)
    }

    /// What an array declares; the reason where that is missing or wrong.
    fn level(&self, version: Version, path: &str) -> Result<Result<Level, String>, Stop<D::Error>> {
        let format = Format::from(version);
        let (name, kind) = match format {
            Format::V2 => (".zarray", "dtype"),
            Format::V3 => ("zarr.json", "data_type"),
        };
        let Some(document) = self.documents.document(&join(path, name))? else {
            return Ok(Err(format!(
                "there is no {name}, which NGFF {version} expects of an array in Zarr format {format}"
            )));
        };
        let Ok(document) = ArrayDocument::parse(format, &document) else {
            return Ok(Err(format!("{name} is not a JSON object")));
        };
        let node_type = document.members.get("node_type").and_then(Value::as_str);
        if format == Format::V3 && node_type != Some("array") {
            return Ok(Err("this level is no array".into()));
        }
        let (Some(shape), Some(data_type)) = (document.shape(), document.data_type().and_then(Value::as_str))
        else {
            return Ok(Err(format!("{name} has no shape or no {kind} that NGFF knows")));
        };
        let mut level = Level::new(shape, data_type);
        let names = document.dimension_names();
        level.dimension_names = names.and_then(|names| names.into_iter().collect());
        Ok(Ok(level))
    }
}

/// Paths in a list of objects, below the group that lists them.
fn listed(attributes: &Map<String, Value>, [member, list]: &[&str; 2], group: &str) -> Vec<String> {
    let list =
        members(attributes).get(*member).and_then(|member| member.get(*list)).and_then(Value::as_array);
    let paths = list.into_iter().flatten().filter_map(|entry| entry.get("path")?.as_str());
    paths.map(|path| join(group, path)).collect()
}

fn must(path: &str, clause: &'static str, message: String) -> Finding {
    Finding { severity: Severity::Must, path: path.into(), clause, message }
}

/// Groups that a place is told of before they are asked for.
const AT_ONCE: usize = 256;
