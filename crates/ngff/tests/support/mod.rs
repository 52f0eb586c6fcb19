//! Small hierarchies of every kind, in memory.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::convert::Infallible;

use fairzarr_ngff::hierarchy::{Depth, Documents, Validity, validate_hierarchy};
use fairzarr_ngff::{
    Acquisition, Axis, AxisKind, Dataset, Document, ImageLabel, LabelColor, Multiscale, Omero, OmeroChannel,
    Plate, PlateWell, Severity, Version, Well, WellImage, Window, bioformats2raw_attributes, group_document,
    image_attributes, labels_attributes, merge, plain_attributes, series_attributes,
};
use fairzarr_zarr::{ArraySpec, SampleType, array_document};
use serde_json::{Map, Value, json};

/// What a hierarchy is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Image,
    Plate,
    Collection,
    Scene,
}

/// One demand, and how it is broken.
pub(crate) struct Row {
    pub versions: &'static [Version],
    /// The node whose document is changed.
    pub node: &'static str,
    /// Where: below the first multiscale where it begins with `/`, which `ms` is; else below the NGFF members of a group
    /// or the members of an array.
    pub member: &'static str,
    /// The clause that has to be named; any where empty.
    pub clause: &'static str,
    pub change: fn(&mut Value),
}

pub(crate) fn row(
    versions: &'static [Version],
    node: &'static str,
    member: &'static str,
    clause: &'static str,
    change: fn(&mut Value),
) -> Row {
    Row { versions, node, member, clause, change }
}

/// A place in memory.
#[derive(Default)]
pub(crate) struct Memory(BTreeMap<String, Vec<u8>>);

impl Documents for Memory {
    type Error = Infallible;

    fn document(&self, key: &str) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(key).cloned())
    }

    fn children(&self, path: &str) -> Result<Option<Vec<String>>, Infallible> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let below = self.0.keys().filter_map(|key| key.strip_prefix(&prefix)?.split_once('/'));
        let mut names: Vec<String> = below.map(|(name, _)| name.to_owned()).collect();
        names.dedup();
        Ok(Some(names))
    }
}

impl Memory {
    pub(crate) fn validate(&self) -> Validity {
        validate_hierarchy(self, Depth::Documents).unwrap()
    }

    pub(crate) fn assert_broken(&self, clause: &str, what: &str) {
        let verdict = self.validate();
        let broken = |severity: Severity, found: &str| {
            severity == Severity::Must && (clause.is_empty() || found == clause)
        };
        assert!(
            verdict.findings.iter().any(|found| broken(found.finding.severity, found.finding.clause)),
            "{what}: not found by {clause}: {:#?}",
            verdict.findings
        );
        for found in &verdict.findings {
            assert!(!found.finding.remedy.is_empty() && !found.finding.message.is_empty(), "{found:?}");
        }
    }

    /// Changes a member of a node's document. Makes objects on the way where there are none.
    pub(crate) fn edit(
        &mut self,
        node: &str,
        version: Version,
        member: &str,
        change: impl FnOnce(&mut Value),
    ) {
        let join = |name: &str| if node.is_empty() { name.to_owned() } else { format!("{node}/{name}") };
        let key =
            [".zarray", ".zattrs", "zarr.json"].map(join).into_iter().find(|key| self.0.contains_key(key));
        let key = key.unwrap_or_else(|| panic!("no node {node}"));
        let mut document: Value = serde_json::from_slice(&self.0[&key]).unwrap();
        let group = document.get("node_type") == Some(&json!("group"));
        let mut at = if group { &mut document["attributes"]["ome"] } else { &mut document };
        let steps = match member.strip_prefix('/') {
            Some(rest) => format!("multiscales/0/{rest}"),
            None if member == "ms" => "multiscales/0".into(),
            None if version == Version::V04 && member == "data_type" => "dtype".into(),
            None => member.into(),
        };
        for step in steps.split('/') {
            at = match step.parse::<usize>() {
                Ok(index) if at.is_array() => &mut at[index],
                _ => &mut at[step],
            };
        }
        change(at);
        self.0.insert(key, serde_json::to_vec(&document).unwrap());
    }

    pub(crate) fn replace(&mut self, key: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.0[key].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        self.0.insert(key.into(), text.replacen(from, to, 1).into_bytes());
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    pub(crate) fn remove_below(&mut self, path: &str) {
        self.0.retain(|key, _| !key.starts_with(&format!("{path}/")));
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let bytes = self.0.remove(from).unwrap();
        self.0.insert(to.into(), bytes);
    }

    fn put(&mut self, node: &str, documents: Vec<Document>) {
        for document in documents {
            let key =
                if node.is_empty() { document.name.to_owned() } else { format!("{node}/{}", document.name) };
            self.0.insert(key, document.bytes);
        }
    }
}

/// A valid hierarchy.
pub(crate) fn hierarchy(kind: Kind, version: Version) -> Memory {
    let mut memory = Memory::default();
    match kind {
        Kind::Image => image(&mut memory, "", version),
        Kind::Plate => plate(&mut memory, version),
        Kind::Collection => collection(&mut memory, version),
        Kind::Scene => {
            image(&mut memory, "a", version);
            let axes =
                ["t", "c", "z", "y", "x"].into_iter().zip(["time", "channel", "space", "space", "space"]);
            let axes: Vec<Value> = axes.map(|(name, kind)| json!({"name": name, "type": kind})).collect();
            let scene = json!({
                "coordinateSystems": [{"name": "world", "axes": axes}],
                "coordinateTransformations": [{"type": "translation", "translation": [0, 0, 0, 5, 5],
                    "input": {"path": "a", "name": "intrinsic"}, "output": {"name": "world"}}],
            });
            let ome = json!({"version": version.as_str(), "scene": scene});
            memory.put("", group_document(version, Map::from_iter([("ome".to_owned(), ome)])));
        }
    }
    memory
}

fn image(memory: &mut Memory, path: &str, version: Version) {
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    let channel = |name| OmeroChannel::new(name, [0, 255, 0], Window::full(0.0, 255.0));
    let omero = Omero::new(vec![channel("a"), channel("b")]);
    memory.put(path, group_document(version, image_attributes(version, &multiscale(), Some(&omero))));
    levels(memory, path, version, SampleType::Uint16);
    memory.put(&join("labels"), group_document(version, labels_attributes(version, &["cells".into()])));
    let mut label = ImageLabel::default();
    label.colors = vec![LabelColor { value: 1, rgba: Some([255, 0, 0, 255]) }];
    label.source = Some("../../".into());
    let mut attributes = image_attributes(version, &multiscale(), None);
    merge(&mut attributes, label.attributes(version));
    memory.put(&join("labels/cells"), group_document(version, attributes));
    levels(memory, &join("labels/cells"), version, SampleType::Uint8);
}

fn multiscale() -> Multiscale {
    let kinds = [AxisKind::Time, AxisKind::Channel, AxisKind::Space, AxisKind::Space, AxisKind::Space];
    let axes = ["t", "c", "z", "y", "x"].into_iter().zip(kinds).map(|(name, kind)| Axis::new(name, kind));
    let mut second = Dataset::new("1", vec![1.0, 1.0, 1.0, 0.5, 0.5]);
    second.translation = Some(vec![0.0, 0.0, 0.0, 0.125, 0.125]);
    let first = Dataset::new("0", vec![1.0, 1.0, 1.0, 0.25, 0.25]);
    let mut image = Multiscale::new(axes.collect(), vec![first, second]);
    image.name = Some("image".into());
    image
}

fn levels(memory: &mut Memory, path: &str, version: Version, data_type: SampleType) {
    for level in 0..2_u64 {
        let mut spec = ArraySpec::new([2, 2, 3, 64 >> level, 64 >> level], data_type, [1, 1, 1, 32, 32]);
        spec.dimension_names = ["t", "c", "z", "y", "x"].map(String::from).into();
        let node = if path.is_empty() { level.to_string() } else { format!("{path}/{level}") };
        memory.put(&node, array_document(version, &spec).unwrap());
    }
}

fn plate(memory: &mut Memory, version: Version) {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let mut plate = Plate::new(names(&["A", "B"]), names(&["1", "2"]), vec![PlateWell { row: 0, column: 0 }]);
    plate.name = Some("plate".into());
    plate.field_count = Some(1);
    plate.acquisitions = vec![Acquisition::new(0), Acquisition::new(1)];
    memory.put("", group_document(version, plate.attributes(version)));
    memory.put("A", group_document(version, plain_attributes(version)));
    let well = Well::new(vec![WellImage::new("0", Some(0))]);
    memory.put("A/1", group_document(version, well.attributes(version)));
    image(memory, "A/1/0", version);
}

fn collection(memory: &mut Memory, version: Version) {
    memory.put("", group_document(version, bioformats2raw_attributes(version)));
    memory.put("OME", group_document(version, series_attributes(version, &["0".into(), "1".into()])));
    let image_xml = |index: u8| {
        format!(
            "<Image ID=\"Image:{index}\"><Pixels ID=\"Pixels:{index}\" DimensionOrder=\"XYZCT\" Type=\"uint16\" \
             SizeX=\"64\" SizeY=\"64\" SizeZ=\"3\" SizeC=\"2\" SizeT=\"2\"><Channel ID=\"Channel:{index}:0\" \
             SamplesPerPixel=\"1\"/><Channel ID=\"Channel:{index}:1\" SamplesPerPixel=\"1\"/><MetadataOnly/>\
             </Pixels></Image>"
        )
    };
    let xml = format!(
        "<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">{}{}</OME>",
        image_xml(0),
        image_xml(1)
    );
    memory.0.insert("OME/METADATA.ome.xml".into(), xml.into_bytes());
    image(memory, "0", version);
    image(memory, "1", version);
}
