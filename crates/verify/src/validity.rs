//! Whether the metadata of a whole hierarchy is valid NGFF: every group that an image, a plate or a collection leads to,
//! and the declarations of its arrays. Chunks are not read.

use fairzarr_ngff::{
    Finding, Level, NodeKind, Severity, Version, classify, parse_image, validate, validate_levels,
};
use fairzarr_store::Store;
use serde_json::{Map, Value};

use crate::error::Error;
use fairzarr_ome_zarr::attributes;
use fairzarr_ome_zarr::keys::join;
use fairzarr_task::in_order;

/// Documents that are asked for at the same time.
const AT_ONCE: usize = 16;

/// A rule that a group breaks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupFinding {
    /// Path of the group; empty for the root.
    pub group: String,
    /// What it breaks.
    pub finding: Finding,
}

/// What a hierarchy's metadata was judged to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Validity {
    /// The version that the root declares.
    pub version: Option<Version>,
    /// Groups that were looked at.
    pub groups: usize,
    /// Arrays whose declarations were looked at.
    pub arrays: usize,
    /// Rules that are broken, in the order of the hierarchy.
    pub findings: Vec<GroupFinding>,
}

impl Validity {
    /// True where no demand of the specification is broken.
    pub fn is_valid(&self) -> bool {
        self.findings.iter().all(|found| found.finding.severity != Severity::Must)
    }
}

/// Judges the metadata of a hierarchy: the root, the wells of a plate, the `OME` group and the series of a
/// bioformats2raw collection, all images with the declarations of their arrays, and their labels.
///
/// # Errors
/// When the store cannot be read, or nothing at its root is NGFF.
pub fn validate_hierarchy(store: &Store) -> Result<Validity, Error> {
    let Some(root) = attributes(store, "")? else {
        return Err(Error::from(fairzarr_ome_zarr::Error::NotAnImage(format!(
            "{} is not an OME-Zarr: there is no zarr.json or .zattrs at its root",
            store.location()
        ))));
    };
    let kind = classify(&root);
    if kind == NodeKind::Other {
        return Err(Error::from(fairzarr_ome_zarr::Error::NotAnImage(format!(
            "the root group of {} holds no NGFF metadata",
            store.location()
        ))));
    }
    let version = Version::of(&root).ok().flatten();
    let judge = Judge { store, version };
    let mut parts = vec![judge.judged("", &root, None)?];
    let images = match kind {
        NodeKind::Plate => {
            let wells = listed(&root, &["plate", "wells"], "");
            let wells = in_order(wells, AT_ONCE, |path| judge.group(path, NodeKind::Well, "plate"))?;
            let mut images = Vec::new();
            for (part, path, attributes) in wells {
                images.extend(listed(&attributes, &["well", "images"], &path));
                parts.push(part);
            }
            images
        }
        NodeKind::Bioformats2raw => judge.series(&mut parts)?,
        _ => Vec::new(),
    };
    let images = in_order(images, AT_ONCE, |path| {
        let (part, path, attributes) = judge.group(path, NodeKind::Image, "collection")?;
        Ok::<_, Error>([vec![part], judge.labels(&path, &attributes)?])
    })?;
    parts.extend(images.into_iter().flatten().flatten());
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

struct Judge<'s> {
    store: &'s Store,
    version: Option<Version>,
}

/// The verdict on one group.
struct Part {
    group: String,
    arrays: usize,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    /// A group that another one names.
    fn group(
        &self,
        path: String,
        kind: NodeKind,
        named_by: &str,
    ) -> Result<(Part, String, Map<String, Value>), Error> {
        let Some(found) = attributes(self.store, &path)? else {
            let finding =
                must("", "metadata", format!("there is no such group, but its {named_by} names it"));
            let part = Part { group: path.clone(), arrays: 0, findings: vec![finding] };
            return Ok((part, path, Map::new()));
        };
        Ok((self.judged(&path, &found, Some(kind))?, path, found))
    }

    fn judged(
        &self,
        path: &str,
        attributes: &Map<String, Value>,
        kind: Option<NodeKind>,
    ) -> Result<Part, Error> {
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
    fn series(&self, parts: &mut Vec<Part>) -> Result<Vec<String>, Error> {
        if let Some(found) = attributes(self.store, "OME")? {
            parts.push(self.judged("OME", &found, None)?);
            let series = members(&found).get("series").and_then(Value::as_array);
            if let Some(series) = series {
                return Ok(series.iter().filter_map(|path| path.as_str().map(Into::into)).collect());
            }
        }
        let mut paths = Vec::new();
        while attributes(self.store, &paths.len().to_string())?.is_some() {
            paths.push(paths.len().to_string());
        }
        Ok(paths)
    }

    /// The labels of an image, if it has any.
    fn labels(&self, image: &str, attributes: &Map<String, Value>) -> Result<Vec<Part>, Error> {
        if !members(attributes).contains_key("multiscales") {
            return Ok(Vec::new());
        }
        let path = join(image, "labels");
        let Some(found) = fairzarr_ome_zarr::attributes(self.store, &path)? else { return Ok(Vec::new()) };
        let mut parts = vec![self.judged(&path, &found, Some(NodeKind::Labels))?];
        let names = members(&found).get("labels").and_then(Value::as_array);
        for name in names.into_iter().flatten().filter_map(Value::as_str) {
            parts.push(self.group(join(&path, name), NodeKind::Label, "list of labels")?.0);
        }
        Ok(parts)
    }

    /// What an array declares; the reason where that is missing or wrong.
    fn level(&self, version: Version, path: &str) -> Result<Result<Level, String>, Error> {
        let (name, kind) =
            if version.zarr_format() == 2 { (".zarray", "dtype") } else { ("zarr.json", "data_type") };
        let Some(document) = self.store.probe(&join(path, name))? else {
            return Ok(Err(format!(
                "there is no {name}, which NGFF {version} expects of an array in Zarr format {}",
                version.zarr_format()
            )));
        };
        let Ok(document) = serde_json::from_slice::<Map<String, Value>>(&document) else {
            return Ok(Err(format!("{name} is not a JSON object")));
        };
        if version.zarr_format() == 3 && document.get("node_type").and_then(Value::as_str) != Some("array") {
            return Ok(Err("this level is no array".into()));
        }
        let shape = document.get("shape").cloned().map(serde_json::from_value);
        let data_type = document.get(kind).and_then(Value::as_str).map(str::to_owned);
        let (Some(Ok(shape)), Some(data_type)) = (shape, data_type) else {
            return Ok(Err(format!("{name} has no shape or no {kind} that NGFF knows")));
        };
        let names = document.get("dimension_names").cloned();
        Ok(Ok(Level {
            shape,
            data_type,
            dimension_names: names.and_then(|names| serde_json::from_value(names).ok()),
        }))
    }
}

/// Paths in a list of objects, below the group that lists them.
fn listed(attributes: &Map<String, Value>, [member, list]: &[&str; 2], group: &str) -> Vec<String> {
    let list =
        members(attributes).get(*member).and_then(|member| member.get(*list)).and_then(Value::as_array);
    let paths = list.into_iter().flatten().filter_map(|entry| entry.get("path")?.as_str());
    paths.map(|path| join(group, path)).collect()
}

/// Where a group's NGFF metadata is.
fn members(attributes: &Map<String, Value>) -> &Map<String, Value> {
    attributes.get("ome").and_then(Value::as_object).unwrap_or(attributes)
}

fn must(path: &str, clause: &'static str, message: String) -> Finding {
    Finding { severity: Severity::Must, path: path.into(), clause, message }
}
