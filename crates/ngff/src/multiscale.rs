//! Multiscale images: axes, resolution levels and their coordinates.

use serde_json::{Map, Value, json};

use crate::json::{add_extra, array, insert_some, number, numbers, object, others, string, text, unexpected};
use crate::version::Era;
use crate::{Error, Omero, Version};

/// One multiscale image: axes and resolution levels, from highest to lowest resolution.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Multiscale {
    /// The image's name.
    pub name: Option<String>,
    /// Axes in the order of the arrays' dimensions.
    pub axes: Vec<Axis>,
    /// Levels; level 0 is full resolution.
    pub datasets: Vec<Dataset>,
    /// How the lower levels were made.
    pub downscaling: Option<Downscaling>,
    /// 0.6: the name of the coordinate system that the levels map into; `intrinsic` when not set.
    pub coordinate_system: Option<String>,
    /// Members that this model does not know, kept as read and written back. What 0.6 calls further
    /// `coordinateSystems` and `coordinateTransformations` of the whole image is kept here as well.
    pub extra: Map<String, Value>,
}

/// One dimension of an image.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Axis {
    /// Name, unique within the image: one of t, c, z, y, x in what this project writes.
    pub name: String,
    /// What the axis counts; axes of other software may not say.
    pub kind: Option<AxisKind>,
    /// UDUNITS-2 name of the unit.
    pub unit: Option<String>,
    /// Members that this model does not know (0.6 `discrete`, `longName`, …).
    pub extra: Map<String, Value>,
}

/// What an axis counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AxisKind {
    /// Time points.
    Time,
    /// Channels: wavelengths, stains, colour samples.
    Channel,
    /// A direction in space.
    Space,
    /// A type that the specification leaves to the writer, or that 0.6 adds.
    Custom(String),
}

/// One resolution level.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Dataset {
    /// Path of the level's array, relative to the image's group.
    pub path: String,
    /// Size of a sample per axis: in the axis' unit, or as a factor relative to level 0 where there is no unit.
    pub scale: Vec<f64>,
    /// Where the centre of the first sample lies, per axis; level 0's when not set is the origin.
    pub translation: Option<Vec<f64>>,
}

/// How lower levels were made from higher ones.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Downscaling {
    /// Name of the method, written as `type`.
    pub method: String,
    /// One sentence about the method.
    pub description: Option<String>,
    /// Program, version and parameters.
    pub metadata: Map<String, Value>,
}

/// The attributes of an image's group, in the form and place of `version`.
///
/// A scale that is not finite and positive is written as 1.0, the specification's default for "not available",
/// and a translation that is not finite as 0.0: JSON has no other numbers.
pub fn image_attributes(
    version: Version,
    multiscale: &Multiscale,
    omero: Option<&Omero>,
) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("multiscales".into(), json!([multiscale.to_json(version)]));
    insert_some(&mut members, "omero", omero.map(|omero| omero.to_json(version)));
    version.place(members)
}

/// Reads the attributes of an image's group: the first multiscale and the rendering settings.
///
/// Tolerant where a reader can be: units and axis types are not judged, missing versions of 0.4 are accepted,
/// and a broken `omero` member is left out. validation is the judge. Drafts of 0.9 are read as 0.6.
///
/// # Errors
///
/// [`Error::UnsupportedVersion`], and [`Error::Missing`] or [`Error::Unexpected`] with a JSON pointer for a
/// member without which the image cannot be understood.
pub fn parse_image(attributes: &Map<String, Value>) -> Result<(Version, Multiscale, Option<Omero>), Error> {
    let found = match Version::of(attributes) {
        Err(_) if Era::is_draft(attributes) => Some(Version::V06),
        found => found?,
    };
    let Some(version) = found else {
        return Err(Error::Missing { path: "/ome/multiscales".into(), expected: "an image" });
    };
    let (at, members) = version.members(attributes);
    let multiscales = array(members, "multiscales", at)?;
    let at = format!("{at}/multiscales");
    let first = multiscales
        .first()
        .ok_or_else(|| Error::Missing { path: format!("{at}/0"), expected: "a multiscale image" })?;
    let multiscale = Multiscale::from_json(version, first, &format!("{at}/0"))?;
    let omero = members.get("omero").and_then(Omero::from_json);
    Ok((version, multiscale, omero))
}

impl Multiscale {
    /// The same along those of the axes alone that are marked, in their order: others have the length 1, and no word is said of them.
    #[must_use]
    pub fn along(mut self, axes: &[bool]) -> Self {
        fn kept<T>(all: &mut Vec<T>, axes: &[bool]) {
            let mut axes = axes.iter();
            all.retain(|_| axes.next().copied().unwrap_or(true));
        }
        kept(&mut self.axes, axes);
        for dataset in &mut self.datasets {
            kept(&mut dataset.scale, axes);
            if let Some(translation) = &mut dataset.translation {
                kept(translation, axes);
            }
        }
        self
    }

    /// An image of these axes and levels, without a name.
    pub fn new(axes: Vec<Axis>, datasets: Vec<Dataset>) -> Self {
        Self { axes, datasets, ..Self::default() }
    }

    fn to_json(&self, version: Version) -> Value {
        let mut object = Map::new();
        if version == Version::V04 {
            object.insert("version".into(), version.as_str().into());
        }
        insert_some(&mut object, "name", self.name.clone());
        if let Some(downscaling) = &self.downscaling {
            object.insert("type".into(), downscaling.method.clone().into());
            object.insert("metadata".into(), downscaling.metadata());
        }
        let axes: Vec<Value> = self.axes.iter().map(Axis::to_json).collect();
        let system = self.coordinate_system.as_deref().unwrap_or(INTRINSIC);
        if version == Version::V06 {
            let mut systems = vec![json!({"name": system, "axes": axes})];
            systems.extend(self.extra.get(SYSTEMS).and_then(Value::as_array).into_iter().flatten().cloned());
            object.insert(SYSTEMS.into(), systems.into());
        } else {
            object.insert("axes".into(), axes.into());
        }
        let datasets: Vec<Value> =
            self.datasets.iter().map(|dataset| dataset.to_json(version, system)).collect();
        object.insert("datasets".into(), datasets.into());
        add_extra(&mut object, &self.extra);
        Value::Object(object)
    }

    fn from_json(version: Version, value: &Value, at: &str) -> Result<Self, Error> {
        let members = object(value, at)?;
        let datasets = array(members, "datasets", at)?;
        let mut extra = others(members, KNOWN);
        let (axes, coordinate_system) = if version == Version::V06 {
            let (systems_at, systems) = (format!("{at}/{SYSTEMS}"), array(members, SYSTEMS, at)?);
            let output = datasets.first().and_then(output_name);
            let chosen = systems
                .iter()
                .position(|system| output.is_none() || system.get("name").and_then(Value::as_str) == output)
                .ok_or_else(|| Error::Missing {
                    path: systems_at.clone(),
                    expected: "the coordinate system that the levels map into",
                })?;
            let further: Vec<Value> =
                systems.iter().enumerate().filter(|(i, _)| *i != chosen).map(|(_, s)| s.clone()).collect();
            if !further.is_empty() {
                extra.insert(SYSTEMS.into(), further.into());
            }
            let system_at = format!("{systems_at}/{chosen}");
            let system = object(&systems[chosen], &system_at)?;
            let axes = Axis::list_from_json(array(system, "axes", &system_at)?, &system_at)?;
            (axes, Some(string(system, "name", &system_at)?.to_owned()))
        } else {
            (Axis::list_from_json(array(members, "axes", at)?, at)?, None)
        };
        let datasets = datasets
            .iter()
            .enumerate()
            .map(|(level, dataset)| {
                Dataset::from_json(dataset, axes.len(), &format!("{at}/datasets/{level}"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: text(members, "name"),
            downscaling: Downscaling::from_json(members),
            axes,
            datasets,
            coordinate_system,
            extra,
        })
    }
}

impl Axis {
    /// An axis with a name and a type, without a unit.
    pub fn new(name: impl Into<String>, kind: AxisKind) -> Self {
        Self { name: name.into(), kind: Some(kind), unit: None, extra: Map::new() }
    }

    /// The same axis with a unit.
    #[must_use]
    pub fn with_unit(self, unit: impl Into<String>) -> Self {
        Self { unit: Some(unit.into()), ..self }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".into(), self.name.clone().into());
        insert_some(&mut object, "type", self.kind.as_ref().map(AxisKind::as_str));
        insert_some(&mut object, "unit", self.unit.clone());
        add_extra(&mut object, &self.extra);
        Value::Object(object)
    }

    fn list_from_json(axes: &[Value], at: &str) -> Result<Vec<Self>, Error> {
        axes.iter()
            .enumerate()
            .map(|(index, axis)| {
                let at = format!("{at}/axes/{index}");
                let members = object(axis, &at)?;
                Ok(Self {
                    name: string(members, "name", &at)?.to_owned(),
                    kind: members.get("type").and_then(Value::as_str).map(AxisKind::from),
                    unit: text(members, "unit"),
                    extra: others(members, &["name", "type", "unit"]),
                })
            })
            .collect()
    }
}

impl AxisKind {
    /// The type as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Time => "time",
            Self::Channel => "channel",
            Self::Space => "space",
            Self::Custom(name) => name,
        }
    }
}

impl From<&str> for AxisKind {
    fn from(name: &str) -> Self {
        match name {
            "time" => Self::Time,
            "channel" => Self::Channel,
            "space" => Self::Space,
            other => Self::Custom(other.into()),
        }
    }
}

impl Dataset {
    /// A level whose first sample is centred at the origin.
    pub fn new(path: impl Into<String>, scale: Vec<f64>) -> Self {
        Self { path: path.into(), scale, translation: None }
    }

    fn to_json(&self, version: Version, system: &str) -> Value {
        let scale: Vec<Value> =
            self.scale.iter().map(|&s| number(if s > 0.0 { s } else { f64::NAN }, 1.0)).collect();
        let translation: Option<Vec<Value>> =
            self.translation.as_ref().map(|t| t.iter().map(|&t| number(t, 0.0)).collect());
        let mut transformations = vec![json!({"type": "scale", "scale": scale})];
        transformations.extend(translation.map(|t| json!({"type": "translation", "translation": t})));
        if version == Version::V06 {
            // One transformation per level, from the array to the intrinsic system.
            let mut whole = if transformations.len() == 1 {
                transformations.remove(0)
            } else {
                json!({"type": "sequence", "transformations": transformations})
            };
            whole["input"] = json!({"path": self.path});
            whole["output"] = json!({"name": system});
            transformations = vec![whole];
        }
        json!({"path": self.path, "coordinateTransformations": transformations})
    }

    fn from_json(value: &Value, dimensions: usize, at: &str) -> Result<Self, Error> {
        let members = object(value, at)?;
        let mut scale = None;
        let mut translation = None;
        for transformation in array(members, "coordinateTransformations", at)? {
            let steps = match transformation.get("type").and_then(Value::as_str) {
                Some("sequence") => transformation.get("transformations").and_then(Value::as_array),
                _ => None,
            };
            for step in steps.map_or(std::slice::from_ref(transformation), Vec::as_slice) {
                let at = format!("{at}/coordinateTransformations");
                match step.get("type").and_then(Value::as_str) {
                    Some("scale") => scale = Some(numbers(&step["scale"], &at)?),
                    Some("translation") => translation = Some(numbers(&step["translation"], &at)?),
                    Some("identity") => scale = Some(vec![1.0; dimensions]),
                    _ => return Err(unexpected(step, &at, "a scale, a translation or an identity")),
                }
            }
        }
        let scale = scale.ok_or_else(|| Error::Missing {
            path: format!("{at}/coordinateTransformations"),
            expected: "a scale",
        })?;
        for vector in [Some(&scale), translation.as_ref()].into_iter().flatten() {
            if vector.len() != dimensions {
                return Err(Error::Unexpected {
                    path: format!("{at}/coordinateTransformations"),
                    found: format!("a vector of {} for {dimensions} axes", vector.len()),
                    expected: "one number per axis",
                });
            }
        }
        Ok(Self { path: string(members, "path", at)?.to_owned(), scale, translation })
    }
}

impl Downscaling {
    /// A method by its name alone.
    pub fn new(method: impl Into<String>) -> Self {
        Self { method: method.into(), ..Self::default() }
    }

    fn metadata(&self) -> Value {
        let mut object = Map::new();
        insert_some(&mut object, "description", self.description.clone());
        add_extra(&mut object, &self.metadata);
        Value::Object(object)
    }

    fn from_json(members: &Map<String, Value>) -> Option<Self> {
        let metadata = members.get("metadata").and_then(Value::as_object);
        Some(Self {
            method: text(members, "type")?,
            description: metadata.and_then(|metadata| text(metadata, "description")),
            metadata: metadata.map(|metadata| others(metadata, &["description"])).unwrap_or_default(),
        })
    }
}

fn output_name(dataset: &Value) -> Option<&str> {
    dataset.pointer("/coordinateTransformations/0/output/name").and_then(Value::as_str)
}

/// The name of the coordinate system that this project's levels map into.
const INTRINSIC: &str = "intrinsic";
const SYSTEMS: &str = "coordinateSystems";
const KNOWN: &[&str] = &["version", "name", "type", "metadata", "axes", "datasets", SYSTEMS];
