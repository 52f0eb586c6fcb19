//! Attributes of a version in the form of a later one: 0.4 to 0.5 to 0.6.
//!
//! Members that no version knows stay as they are, and where they are. Members of NGFF move below `ome` (0.5), and axes
//! become a coordinate system that the levels map into (0.6). Nothing is added that the attributes did not say.

use serde_json::{Map, Value, json};

use crate::json::{array, object, string, unexpected};
use crate::version::ROOT_MEMBERS;
use crate::{Error, Version};

/// The attributes of a group in the form of version `to`; `None` where nothing of them has to change. `version` is that of the
/// group's hierarchy, for groups that declare none.
///
/// # Errors
/// When the attributes are of a later or unknown version, or cannot be understood as what their version says.
pub fn upgraded(
    attributes: &Map<String, Value>,
    version: Version,
    to: Version,
) -> Result<Option<Map<String, Value>>, Error> {
    let from = match Version::of(attributes) {
        Ok(None) => return Ok(None),
        Ok(Some(from)) => from,
        // Groups of labels of some writers do not say theirs.
        Err(Error::Missing { .. }) => version,
        Err(error) => return Err(error),
    };
    if from == to {
        return Ok(None);
    }
    if from > to {
        return Err(Error::UnsupportedVersion { found: from.to_string() });
    }
    let mut attributes = attributes.clone();
    if from == Version::V04 {
        attributes = below_ome(attributes);
    }
    if to == Version::V06
        && let Some(Value::Object(ome)) = attributes.get_mut("ome")
    {
        with_systems(ome)?;
    }
    Ok(Some(attributes))
}

/// 0.4 to 0.5: the members of NGFF go below `ome`, which says the version once.
fn below_ome(attributes: Map<String, Value>) -> Map<String, Value> {
    let mut ome = Map::from_iter([("version".to_owned(), Value::from(Version::V05.as_str()))]);
    let mut others = Map::new();
    for (name, mut value) in attributes {
        if !ROOT_MEMBERS.contains(&name.as_str()) {
            others.insert(name, value);
            continue;
        }
        match name.as_str() {
            "multiscales" => {
                for multiscale in value.as_array_mut().into_iter().flatten() {
                    remove_version(multiscale);
                }
            }
            "omero" => remove_version(&mut value),
            // Where the text of 0.5 still asks for it.
            "plate" | "well" | "image-label" => {
                if let Value::Object(members) = &mut value {
                    members.insert("version".into(), Version::V05.as_str().into());
                }
            }
            _ => {}
        }
        ome.insert(name, value);
    }
    let mut upgraded = Map::from_iter([("ome".to_owned(), Value::Object(ome))]);
    upgraded.extend(others);
    upgraded
}

fn remove_version(value: &mut Value) {
    if let Value::Object(members) = value {
        members.shift_remove("version");
    }
}

/// 0.5 to 0.6: coordinate systems in the place of axes, and no version but the one of `ome`.
fn with_systems(ome: &mut Map<String, Value>) -> Result<(), Error> {
    ome.insert("version".into(), Version::V06.as_str().into());
    for member in ["plate", "well", "image-label"] {
        ome.get_mut(member).into_iter().for_each(remove_version);
    }
    if let Some(Value::Array(multiscales)) = ome.get_mut("multiscales") {
        for (n, multiscale) in multiscales.iter_mut().enumerate() {
            *multiscale = with_system(multiscale, &format!("/ome/multiscales/{n}"))?;
        }
    }
    Ok(())
}

fn with_system(multiscale: &Value, at: &str) -> Result<Value, Error> {
    let members = object(multiscale, at)?;
    if let Some(systems) = members.get(SYSTEMS) {
        return Err(unexpected(systems, &format!("{at}/{SYSTEMS}"), "no coordinate systems before 0.6"));
    }
    let axes = array(members, "axes", at)?;
    let mut systems = vec![json!({"name": INTRINSIC, "axes": axes})];
    let mut upgraded = Map::new();
    for (name, value) in members {
        match name.as_str() {
            "version" => {}
            "axes" => {
                upgraded.insert(SYSTEMS.into(), Value::Null);
            }
            "datasets" => {
                let datasets = array(members, "datasets", at)?.iter().enumerate();
                let datasets =
                    datasets.map(|(n, dataset)| mapped(dataset, axes.len(), &format!("{at}/datasets/{n}")));
                upgraded.insert(name.clone(), datasets.collect::<Result<Vec<_>, _>>()?.into());
            }
            TRANSFORMATIONS => {
                let steps = steps(members, axes.len(), at)?;
                if let Some(mut whole) = joined(steps) {
                    // What 0.5 applied to all levels leads from their system into a further one with the same axes.
                    whole["input"] = json!({"name": INTRINSIC});
                    whole["output"] = json!({"name": WHOLE});
                    systems.push(json!({"name": WHOLE, "axes": axes}));
                    upgraded.insert(name.clone(), json!([whole]));
                }
            }
            _ => {
                upgraded.insert(name.clone(), value.clone());
            }
        }
    }
    upgraded.insert(SYSTEMS.into(), systems.into());
    Ok(Value::Object(upgraded))
}

/// A level whose one transformation leads from its array into the intrinsic system.
fn mapped(dataset: &Value, dimensions: usize, at: &str) -> Result<Value, Error> {
    let members = object(dataset, at)?;
    let path = string(members, "path", at)?;
    let mut whole = joined(steps(members, dimensions, at)?)
        .ok_or_else(|| Error::Missing { path: format!("{at}/{TRANSFORMATIONS}/0"), expected: "a scale" })?;
    whole["input"] = json!({"path": path});
    whole["output"] = json!({"name": INTRINSIC});
    let mut members = members.clone();
    members.insert(TRANSFORMATIONS.into(), json!([whole]));
    Ok(Value::Object(members))
}

/// The scales and translations of a level or an image, which have to be vectors in the document itself.
fn steps(members: &Map<String, Value>, dimensions: usize, at: &str) -> Result<Vec<Value>, Error> {
    let steps = array(members, TRANSFORMATIONS, at)?;
    for (n, step) in steps.iter().enumerate() {
        let at = format!("{at}/{TRANSFORMATIONS}/{n}");
        let kind = step.get("type").and_then(Value::as_str).unwrap_or_default();
        let vector = match kind {
            "identity" => continue,
            "scale" | "translation" => step.get(kind).and_then(Value::as_array),
            _ => None,
        };
        if vector.is_none_or(|vector| vector.len() != dimensions || !vector.iter().all(Value::is_number)) {
            return Err(unexpected(step, &at, "a scale or translation with one number per axis"));
        }
    }
    Ok(steps.to_vec())
}

/// Several steps as one transformation; `None` of none.
fn joined(mut steps: Vec<Value>) -> Option<Value> {
    match steps.len() {
        0 | 1 => steps.pop(),
        _ => Some(json!({"type": "sequence", "transformations": steps})),
    }
}

const SYSTEMS: &str = "coordinateSystems";
const TRANSFORMATIONS: &str = "coordinateTransformations";
/// The system that levels map into, and that which their image as a whole maps into.
const INTRINSIC: &str = "intrinsic";
const WHOLE: &str = "whole";

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn to(version: Version, value: &Value) -> Value {
        upgraded(&map(value), Version::V04, version).unwrap().unwrap().into()
    }

    fn old() -> Value {
        json!({
            "mine": {"a": 1.50},
            "multiscales": [{
                "version": "0.4", "name": "i", "own": [1],
                "axes": [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}],
                "datasets": [
                    {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [0.5, 0.5]}]},
                    {"path": "s1", "coordinateTransformations": [
                        {"type": "scale", "scale": [1, 1]}, {"type": "translation", "translation": [0.25, 0.25]}]},
                ],
                "coordinateTransformations": [{"type": "scale", "scale": [2, 2]}],
            }],
            "omero": {"version": "0.4", "channels": []},
        })
    }

    #[test]
    fn members_of_0_4_move_and_others_stay() {
        let new = to(Version::V05, &old());
        let ome = &new["ome"];
        assert_eq!(
            (&new["mine"], &ome["version"], &ome["omero"]),
            (&json!({"a": 1.5}), &json!("0.5"), &json!({"channels": []}))
        );
        assert_eq!(ome["multiscales"][0]["version"], Value::Null);
        assert_eq!(ome["multiscales"][0]["datasets"], old()["multiscales"][0]["datasets"]);
        assert!(new.get("multiscales").is_none());
        let plate = to(Version::V05, &json!({"plate": {"version": "0.4", "rows": []}}));
        assert_eq!(plate, json!({"ome": {"version": "0.5", "plate": {"version": "0.5", "rows": []}}}));
        let plate = to(Version::V06, &plate);
        assert_eq!(plate, json!({"ome": {"version": "0.6", "plate": {"rows": []}}}));
    }

    #[test]
    fn axes_become_the_system_that_levels_map_into() {
        let new = to(Version::V06, &old());
        let image = &new["ome"]["multiscales"][0];
        assert_eq!((&image["own"], image.get("axes")), (&json!([1]), None));
        assert_eq!(image["coordinateSystems"][0]["name"], "intrinsic");
        assert_eq!(image["coordinateSystems"][0]["axes"], old()["multiscales"][0]["axes"]);
        let level = &image["datasets"][1]["coordinateTransformations"];
        assert_eq!(
            *level,
            json!([{
                "type": "sequence", "input": {"path": "s1"}, "output": {"name": "intrinsic"},
                "transformations": [
                    {"type": "scale", "scale": [1, 1]}, {"type": "translation", "translation": [0.25, 0.25]}],
            }])
        );
        assert_eq!(image["coordinateTransformations"][0]["output"], json!({"name": "whole"}));
        assert_eq!(image["coordinateSystems"][1]["name"], "whole");
        let findings = crate::validate(None, &new, None);
        assert!(findings.iter().all(|finding| finding.severity != crate::Severity::Must), "{findings:?}");
    }

    #[test]
    fn what_is_no_ngff_or_of_that_version_stays_and_later_ones_are_refused() {
        assert_eq!(upgraded(&map(&json!({"mine": 1})), Version::V05, Version::V06), Ok(None));
        let new = map(&json!({"ome": {"version": "0.6", "labels": []}}));
        assert_eq!(upgraded(&new, Version::V06, Version::V06), Ok(None));
        assert!(upgraded(&new, Version::V06, Version::V05).is_err());
        let unsaid = map(&json!({"ome": {"labels": ["a"]}}));
        let said = upgraded(&unsaid, Version::V05, Version::V06).unwrap().unwrap();
        assert_eq!(Value::from(said), json!({"ome": {"labels": ["a"], "version": "0.6"}}));
    }

    #[test]
    fn transformations_that_are_not_in_the_document_are_refused() {
        let mut image = old();
        image["multiscales"][0]["datasets"][0]["coordinateTransformations"] =
            json!([{"type": "scale", "path": "scales"}]);
        let error = upgraded(&map(&image), Version::V04, Version::V06).unwrap_err();
        assert!(
            error.to_string().contains("/ome/multiscales/0/datasets/0/coordinateTransformations/0"),
            "{error}"
        );
    }
}
