//! The walk from a root to all that it names.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::node::{Array, Found, Group};
use super::{Depth, Documents, NodeFinding, Stop, Validity, members, objects, resolve};
use crate::version::Era;
use crate::{Finding, NodeKind, Severity, Version, classify, validate};

/// Judges a hierarchy: its root, and every group and array that metadata name, level by level. A root without NGFF
/// metadata is a folder of hierarchies, and each directly below it is judged.
///
/// # Errors
///
/// When a document cannot be read, or there is nothing of NGFF to judge. What is wrong with what was read is a finding.
pub fn validate_hierarchy<D: Documents>(documents: &D, depth: Depth) -> Result<Validity, Stop<D::Error>> {
    let mut walk = Walk::new(documents, depth);
    let root = match walk.group_at("")? {
        Found::Absent => return Err(Stop::NoGroup),
        Found::Broken => return Ok(walk.done(None)),
        Found::Node(root) => root,
    };
    if classify(&root.attributes) == NodeKind::Other {
        return walk.folder();
    }
    let declared = walk.begin("", &root);
    walk.visit("", &root, &Role::Root)?;
    walk.consolidated("", &root)?;
    Ok(walk.done(declared))
}

/// The state of a walk.
pub(super) struct Walk<'d, D> {
    pub(super) documents: &'d D,
    pub(super) depth: Depth,
    /// The version to judge by.
    pub(super) version: Version,
    /// Whether the root declares a version that this crate judges.
    known: bool,
    /// An older version or a draft, of which only Zarr and what leads to arrays is judged.
    pub(super) old: Option<Era>,
    pub(super) groups: usize,
    pub(super) arrays: usize,
    pub(super) objects: u64,
    pub(super) findings: Vec<NodeFinding>,
    pub(super) seen_arrays: HashMap<String, Option<Array>>,
    pub(super) visited: HashSet<String>,
}

/// What a group is to the one that names it.
pub(super) enum Role {
    /// Where the validation began.
    Root,
    /// A group whose kind the one above demands.
    Kind(NodeKind),
    /// A well, with the numbers of its plate's acquisitions.
    Well(Option<Vec<i64>>),
    /// One image of a bioformats2raw collection.
    Series,
    /// A label image, with the image that it belongs to.
    Label(Option<super::labels::Labelled>),
}

impl<'d, D: Documents> Walk<'d, D> {
    fn new(documents: &'d D, depth: Depth) -> Self {
        Self {
            documents,
            depth,
            version: Version::default(),
            known: false,
            old: None,
            groups: 0,
            arrays: 0,
            objects: 0,
            findings: Vec::new(),
            seen_arrays: HashMap::new(),
            visited: HashSet::new(),
        }
    }

    fn done(self, declared: Option<String>) -> Validity {
        Validity {
            version: self.known.then_some(self.version),
            declared,
            groups: self.groups,
            arrays: self.arrays,
            objects: self.objects,
            findings: self.findings,
        }
    }

    /// Takes the version from a root. Returns it as it is declared.
    fn begin(&mut self, path: &str, root: &Group) -> Option<String> {
        let declared = Version::declared(&root.attributes);
        self.old = None;
        if let Ok(Some(version)) = Version::of(&root.attributes) {
            (self.version, self.known) = (version, true);
        } else {
            self.known = false;
            self.version = Version::likely(&root.attributes);
            self.old = declared.as_deref().and_then(Era::of);
            if let Some(era) = self.old {
                let name = declared.clone().unwrap_or_default();
                let message = match era {
                    Era::Older => format!(
                        "NGFF {name} is older than what is judged here: only its groups and arrays were looked at"
                    ),
                    Era::Draft => format!(
                        "NGFF {name} is a draft: it was judged as {}, without limits to axes",
                        self.version
                    ),
                };
                let finding = Finding::should("/version", "metadata", message);
                self.add(path, finding.with_remedy("convert the metadata to 0.5 or 0.6"));
            }
        }
        self.format_fits(path, root.format);
        declared.or_else(|| self.known.then(|| self.version.to_string()))
    }

    /// A root that is no NGFF: each group directly below that is begins a hierarchy of its own.
    fn folder(mut self) -> Result<Validity, Stop<D::Error>> {
        let mut declared = None;
        let mut found = false;
        let mut names = self.documents.children("")?.unwrap_or_default();
        names.sort();
        for name in names.into_iter().take(MOST_CHILDREN) {
            let Found::Node(group) = self.group_at(&name)? else { continue };
            if classify(&group.attributes) == NodeKind::Other {
                continue;
            }
            found = true;
            declared = self.begin(&name, &group).or(declared);
            self.visit(&name, &group, &Role::Root)?;
            self.consolidated(&name, &group)?;
        }
        if found { Ok(self.done(declared)) } else { Err(Stop::NoMetadata) }
    }

    /// Judges a group and all that it names. A group that was visited is not visited again.
    pub(super) fn visit(&mut self, path: &str, group: &Group, role: &Role) -> Result<(), Stop<D::Error>> {
        /// Groups beyond this name each other in circles or to no end.
        const MOST: usize = 1_000_000;
        if self.visited.len() >= MOST || !self.visited.insert(path.to_owned()) {
            return Ok(());
        }
        self.attributes(path, group, role);
        let members = members(&group.attributes).clone();
        if matches!(role, Role::Root) {
            self.expect_named(path, &members);
        }
        if members.contains_key("multiscales") {
            self.image(path, &members, role)?;
        }
        if let Some(plate) = members.get("plate").and_then(Value::as_object) {
            self.plate(path, plate)?;
        }
        if let Some(well) = members.get("well").and_then(Value::as_object) {
            self.well(path, well, role)?;
        }
        if members.contains_key("bioformats2raw.layout") || members.contains_key("plate") {
            self.series(path, &members)?;
        }
        if members.contains_key("labels") && !members.contains_key("multiscales") {
            self.labels(path, &members, None)?;
        }
        if let Some(scene) = members.get("scene").and_then(Value::as_object) {
            self.scene(path, scene)?;
        }
        Ok(())
    }

    /// The rules of a group's attributes alone.
    fn attributes(&mut self, path: &str, group: &Group, role: &Role) {
        if self.old == Some(Era::Older) {
            return;
        }
        let kind = match role {
            Role::Root if classify(&group.attributes) == NodeKind::Label => Some(NodeKind::Image),
            Role::Root => None,
            Role::Kind(kind) => Some(*kind),
            Role::Well(_) => Some(NodeKind::Well),
            Role::Series | Role::Label(_) => Some(NodeKind::Image),
        };
        let mut findings = validate(Some(self.version), &Value::Object(group.attributes.clone()), kind);
        if self.old == Some(Era::Draft) {
            findings.retain(|finding| finding.clause != "axes-md" && !finding.path.ends_with("/version"));
        }
        self.add_all(path, findings);
    }

    pub(super) fn plate(&mut self, path: &str, plate: &Map<String, Value>) -> Result<(), Stop<D::Error>> {
        let acquisitions = plate.get("acquisitions").map(|acquisitions| {
            objects(Some(acquisitions)).filter_map(|acquisition| acquisition.get("id")?.as_i64()).collect()
        });
        let wells: Vec<String> = objects(plate.get("wells"))
            .filter_map(|well| resolve(path, well.get("path")?.as_str()?))
            .collect();
        let mut rows = HashSet::new();
        for wells in wells.chunks(AT_ONCE) {
            self.expect_groups(wells);
            for well in wells {
                let row = well.rsplit_once('/').map_or("", |(row, _)| row);
                if row.len() > path.len() && rows.insert(row.to_owned()) {
                    self.named_group(row, "hcs-layout", "the path of a well")?;
                }
                if let Some(group) = self.named_group(well, "plate-md", "the plate")? {
                    self.visit(well, &group, &Role::Well(acquisitions.clone()))?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn well(
        &mut self,
        path: &str,
        well: &Map<String, Value>,
        role: &Role,
    ) -> Result<(), Stop<D::Error>> {
        let images: Vec<&Map<String, Value>> = objects(well.get("images")).collect();
        if let Role::Well(acquisitions) = role {
            for (index, image) in images.iter().enumerate() {
                self.acquisition(path, index, image.get("acquisition"), acquisitions.as_deref());
            }
        }
        let images: Vec<String> =
            images.iter().filter_map(|image| resolve(path, image.get("path")?.as_str()?)).collect();
        self.expect_groups(&images);
        for image in images {
            if let Some(group) = self.named_group(&image, "well-md", "the well")? {
                self.visit(&image, &group, &Role::Kind(NodeKind::Image))?;
            }
        }
        Ok(())
    }

    /// A field names its acquisition where the plate has several, and only one that the plate has.
    fn acquisition(&mut self, well: &str, index: usize, found: Option<&Value>, plate: Option<&[i64]>) {
        let at = format!("{}/well/images/{index}/acquisition", self.pointer());
        let ids = plate.unwrap_or_default();
        match found.and_then(Value::as_i64) {
            Some(id) if plate.is_some() && !ids.contains(&id) => {
                let message = format!("{id}, expected one of the plate's acquisitions, {ids:?}");
                self.add(well, Finding::must(at, "well-md", message));
            }
            Some(_) if plate.is_none() => {
                let message = "the plate lists no acquisitions, expected one with this id in its list";
                self.add(well, Finding::should(at, "well-md", message));
            }
            None if found.is_none() && ids.len() > 1 => {
                let message = "missing, expected the id of an acquisition, of which the plate has several";
                self.add(well, Finding::must(at, "well-md", message));
            }
            _ => {}
        }
    }

    /// The JSON pointer to NGFF members in the attributes.
    pub(super) fn pointer(&self) -> &'static str {
        if self.version == Version::V04 { "" } else { "/ome" }
    }

    pub(super) fn add(&mut self, node: &str, mut finding: Finding) {
        /// A hostile hierarchy must not make a report without end.
        const MOST: usize = 100_000;
        // What a version that is not judged here stores its nodes in is no broken demand.
        if self.old.is_some() && finding.clause == "storage-format" {
            finding.severity = Severity::Should;
        }
        if self.findings.len() < MOST {
            self.findings.push(NodeFinding { node: node.to_owned(), finding });
        }
    }

    pub(super) fn add_all(&mut self, node: &str, findings: Vec<Finding>) {
        for finding in findings {
            self.add(node, finding);
        }
    }
}

/// Wells that a place is told of before they are asked for, with all their images.
const AT_ONCE: usize = 64;
/// Children of a plain root that are looked at.
const MOST_CHILDREN: usize = 10_000;
