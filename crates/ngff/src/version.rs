//! NGFF versions and how each lays out its metadata.

use std::fmt;
use std::str::FromStr;

use fairzarr_zarr::Format;
use serde_json::{Map, Value};

use crate::Error;

/// A version of the NGFF specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Version {
    /// 0.4, on Zarr format 2: metadata at the root of `.zattrs`.
    V04,
    /// 0.5, on Zarr format 3: metadata under `attributes.ome`.
    #[default]
    V05,
    /// 0.6, on Zarr format 3: coordinate systems in the place of axes.
    V06,
}

/// Versions that are recognised by name, but not written or judged in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Era {
    /// 0.1 to 0.3, on Zarr format 2.
    Older,
    /// 0.9.dev: what leads to 1.0, on the base of 0.6.
    Draft,
}

impl Era {
    /// Whether attributes declare a draft.
    pub(crate) fn is_draft(attributes: &Map<String, Value>) -> bool {
        Version::declared(attributes).as_deref().and_then(Self::of) == Some(Self::Draft)
    }

    pub(crate) fn of(version: &str) -> Option<Self> {
        match version {
            "0.1" | "0.2" | "0.3" => Some(Self::Older),
            draft if draft == "0.9" || draft.starts_with("0.9.dev") => Some(Self::Draft),
            _ => None,
        }
    }
}

impl Version {
    /// The version as a group's attributes declare it, whether or not it is one that this crate knows.
    pub fn declared(attributes: &Map<String, Value>) -> Option<String> {
        if let Some(ome) = attributes.get("ome").and_then(Value::as_object) {
            return ome.get("version").and_then(Value::as_str).map(str::to_owned);
        }
        let declared = INNER_VERSIONS.iter().find_map(|pointer| lookup(attributes, pointer)?.as_str());
        declared.map(str::to_owned)
    }

    /// The version that attributes look most like, where they declare none that is known.
    pub(crate) fn likely(attributes: &Map<String, Value>) -> Self {
        let Some(ome) = attributes.get("ome").and_then(Value::as_object) else { return Self::V04 };
        let declared = ome.get("version").and_then(Value::as_str).unwrap_or_default();
        let systems = ome.get("multiscales").and_then(|images| images.pointer("/0/coordinateSystems"));
        if systems.is_some() || ome.contains_key("scene") || Era::of(declared) == Some(Era::Draft) {
            Self::V06
        } else {
            Self::V05
        }
    }

    /// The Zarr format that this version is stored in: 2 or 3.
    pub fn zarr_format(self) -> u8 {
        match self {
            Self::V04 => 2,
            Self::V05 | Self::V06 => 3,
        }
    }

    /// The version as it is written in metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V04 => "0.4",
            Self::V05 => "0.5",
            Self::V06 => "0.6",
        }
    }

    /// The version that a group's attributes declare.
    ///
    /// Members under `ome` mean 0.5 or later, and say which; members at the root mean 0.4, where the version
    /// is only recommended and may be missing. `None` when there is no NGFF metadata at all.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedVersion`] for another version, and [`Error::Missing`] when `ome` declares none.
    pub fn of(attributes: &Map<String, Value>) -> Result<Option<Self>, Error> {
        if let Some(ome) = attributes.get("ome").and_then(Value::as_object) {
            return match ome.get("version") {
                Some(Value::String(version)) => version.parse().map(Some),
                Some(other) => Err(Error::UnsupportedVersion { found: other.to_string() }),
                None => Err(Error::Missing { path: "/ome/version".into(), expected: "an NGFF version" }),
            };
        }
        if !ROOT_MEMBERS.iter().any(|member| attributes.contains_key(*member)) {
            return Ok(None);
        }
        let declared = INNER_VERSIONS.iter().find_map(|pointer| lookup(attributes, pointer)?.as_str());
        match declared {
            None | Some("0.4") => Ok(Some(Self::V04)),
            Some(other) => Err(Error::UnsupportedVersion { found: other.into() }),
        }
    }

    /// `attributes` that hold these NGFF members in the place that this version gives them.
    pub(crate) fn place(self, members: Map<String, Value>) -> Map<String, Value> {
        match self {
            Self::V04 => members,
            Self::V05 | Self::V06 => {
                let mut ome = Map::new();
                ome.insert("version".into(), self.as_str().into());
                ome.extend(members);
                let mut attributes = Map::new();
                attributes.insert("ome".into(), Value::Object(ome));
                attributes
            }
        }
    }

    /// The object that holds the NGFF members, and the JSON pointer to it.
    pub(crate) fn members(self, attributes: &Map<String, Value>) -> (&'static str, &Map<String, Value>) {
        match (self, attributes.get("ome").and_then(Value::as_object)) {
            (Self::V05 | Self::V06, Some(ome)) => ("/ome", ome),
            _ => ("", attributes),
        }
    }

    /// The `version` member inside multiscales, plates and wells: 0.4 recommends it, 0.5 still asks for it in
    /// plates and wells, 0.6 removed it.
    pub(crate) fn insert_inner(self, object: &mut Map<String, Value>) {
        if self < Self::V06 {
            object.insert("version".into(), self.as_str().into());
        }
    }
}

impl From<Version> for Format {
    fn from(version: Version) -> Self {
        if version == Version::V04 { Self::V2 } else { Self::V3 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Version {
    type Err = Error;

    /// Reads `0.4`, `0.5` and `0.6`; also `0.6rc0`, the candidate whose fields 0.6 kept.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "0.4" => Ok(Self::V04),
            "0.5" => Ok(Self::V05),
            "0.6" | "0.6rc0" => Ok(Self::V06),
            other => Err(Error::UnsupportedVersion { found: other.into() }),
        }
    }
}

/// Adds `other` to `attributes`, joining the members of `ome` instead of replacing them: a root can be a plate
/// and a bioformats2raw collection at once.
pub fn merge(attributes: &mut Map<String, Value>, other: Map<String, Value>) {
    for (name, value) in other {
        match (attributes.get_mut(&name), value) {
            (Some(Value::Object(mine)), Value::Object(theirs)) if name == "ome" => mine.extend(theirs),
            (_, value) => {
                attributes.insert(name, value);
            }
        }
    }
}

fn lookup<'a>(attributes: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let (first, rest) = pointer.get(1..)?.split_once('/')?;
    attributes.get(first)?.pointer(&format!("/{rest}"))
}

/// Members that mark the root of an attributes object as NGFF 0.4.
pub(crate) const ROOT_MEMBERS: &[&str] =
    &["multiscales", "plate", "well", "labels", "image-label", "bioformats2raw.layout", "series", "omero"];

/// Where 0.4 and the versions before it declare their version.
const INNER_VERSIONS: [&str; 4] =
    ["/multiscales/0/version", "/plate/version", "/well/version", "/image-label/version"];
