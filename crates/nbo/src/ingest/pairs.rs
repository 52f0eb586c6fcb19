//! Key-value pairs of OME-XML, mapped by name where that is unambiguous.
//!
//! A key is an attribute of NBO with its class (`Objective Working Distance`, `objective.working_distance`), or the name
//! of an attribute that one class alone has (`CorrectionCollarType`). A quantity needs its unit in the value: of a bare number nobody
//! knows what it means. A key that a map has twice with two values is none of them, and what describes the image itself
//! is the business of the OME-XML.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use crate::catalogue::{self, Attribute, Class, Kind};
use crate::record::value::{self, State, state};
use crate::record::{Object, Origin, OriginKind};
use crate::unit;

/// Classes that the OME-XML itself speaks of.
const OF_OME: [&str; 6] = ["OME", "Image", "Pixels", "Plane", "Channel", "TiffData"];

type Target = (&'static Class, &'static Attribute);

/// Attributes by folded name: with the class in front, and alone where one class has it. `None` is ambiguous.
static BY_NAME: LazyLock<HashMap<String, Option<Target>>> = LazyLock::new(|| {
    let mut found: HashMap<String, Option<Target>> = HashMap::new();
    let mut add = |key: String, target: Target| {
        let is_other = |known: &Target| known.0.name != target.0.name;
        let known = found.entry(key).or_insert(Some(target));
        if known.as_ref().is_some_and(is_other) {
            *known = None;
        }
    };
    for class in catalogue::classes().iter().filter(|c| !c.is_abstract && !OF_OME.contains(&c.name)) {
        let is_value = |a: &&'static Attribute| a.kind == Kind::Value && !a.is_id();
        for attribute in class.attributes().filter(is_value) {
            add(fold(&format!("{}{}", class.name, attribute.name)), (class, attribute));
            // `Type` and `Name` are everybody's.
            if attribute.name.len() > 4 {
                add(fold(attribute.name), (class, attribute));
            }
        }
    }
    found
});

/// The objects that pairs describe, one of each class, and the keys that were used.
pub(super) fn objects(pairs: &[(String, String)]) -> (Vec<Object>, Vec<String>) {
    let mut by_key: BTreeMap<String, Vec<&(String, String)>> = BTreeMap::new();
    for pair in pairs {
        by_key.entry(fold(&pair.0)).or_default().push(pair);
    }
    let mut objects: Vec<Object> = Vec::new();
    let mut used = Vec::new();
    for (key, text) in pairs {
        let Some(Some((class, attribute))) = BY_NAME.get(&fold(key)) else { continue };
        let alike = by_key.get(&fold(key)).map_or(&[][..], Vec::as_slice);
        if alike.iter().any(|(_, other)| other != text) || used.contains(key) {
            continue;
        }
        let Some(fields) = fields(attribute, text.trim(), key) else { continue };
        let place = objects.iter().position(|o| o.class == class.name).unwrap_or_else(|| {
            objects.push(Object::new(class.name));
            objects.len() - 1
        });
        for (name, value, origin) in fields {
            objects[place].push(name, value, origin);
        }
        used.push(key.clone());
    }
    (objects, used)
}

/// The value, and its unit where it has one; none if the text is no value of this attribute.
fn fields(
    attribute: &'static Attribute,
    text: &str,
    key: &str,
) -> Option<Vec<(&'static str, serde_json::Value, Origin)>> {
    let from = |kind| Origin::from(kind, format!("key-value pair {key}"));
    let (digits, unit) = match attribute.unit {
        Some(_) => text.split_once(char::is_whitespace)?,
        None => (text, ""),
    };
    let field = value::field(attribute.name, Some(attribute), digits);
    let (found, origin) = match state(attribute, &field.value) {
        State::Filled => (field.value, from(OriginKind::Explicit)),
        State::NearlyListed(value) => (value.into(), Origin::from(OriginKind::Normalised, text)),
        _ => return None,
    };
    let mut fields = vec![(attribute.name, found, origin)];
    if let Some(name) = attribute.unit {
        let unit = unit.trim();
        unit::is_known(unit).then_some(())?;
        fields.push((name, unit.into(), from(OriginKind::Explicit)));
    }
    Some(fields)
}

/// A name without blanks, strokes and case.
fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_key_is_mapped_only_where_one_attribute_is_meant() {
        let said = pairs(&[
            ("Objective Working Distance", "0.19 mm"),
            ("Objective LensNA", "1.4"),
            // Lenses have one too.
            ("LensNA", "1.3"),
            ("CorrectionCollarType", "Temperature"),
            ("Manufacturer", "Zeiss"),
            ("objective.magnification", "63"),
            ("gene", "ACTB"),
        ]);
        let (objects, used) = super::objects(&said);
        assert_eq!(
            used,
            [
                "Objective Working Distance",
                "Objective LensNA",
                "CorrectionCollarType",
                "objective.magnification"
            ]
        );
        let objective = &objects[0];
        assert_eq!(objective.number("WorkingDistance"), Some(0.19));
        assert_eq!(objective.str("WorkingDistanceUnit"), Some("mm"));
        assert_eq!((objects.len(), objective.number("LensNA")), (1, Some(1.4)));
    }

    #[test]
    fn a_quantity_without_unit_and_a_key_with_two_values_are_nobodys() {
        let said = pairs(&[
            ("Objective Working Distance", "190"),
            ("Objective LensNA", "1.4"),
            ("Objective LensNA", "1.2"),
            ("Image Name", "cells"),
            ("Sample Organism", "unknown"),
        ]);
        assert_eq!(super::objects(&said), (Vec::new(), Vec::new()));
    }
}
