//! References lead somewhere, and an identifier stands for one object.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::context::{Context, Found, Place};
use super::report::{Rule, Severity};
use crate::catalogue::{self, Class, ReferenceKind};
use crate::record::value::{is_sentinel, is_uuid};
use crate::record::{Object, Record};

/// What an object points to exists and is of the right class, whatever else is missing from the record.
pub(super) fn reference(context: &mut Context, object: &Object, class: &'static Class, place: &Place) {
    let Some(reference) = class.reference() else { return };
    let Some(id) = object.str(reference.attribute).filter(|id| !id.trim().is_empty()) else { return };
    if is_sentinel(&Json::from(id)) {
        return;
    }
    let found = context.ids.get(id).map(Vec::as_slice).unwrap_or_default();
    let one_of = |classes: &[&str]| found.iter().find(|o| classes.contains(&o.class.as_str())).copied();
    let expected = reference.intended.join(" or ");
    // A UUID says nothing to a reader.
    let said = if is_uuid(id) { "the component that it points to" } else { id };
    let (severity, message) = match (one_of(reference.intended), one_of(reference.targets)) {
        (Some(target), _) => {
            let settings = catalogue::class(&target.class).and_then(|c| c.settings);
            if reference.kind != ReferenceKind::Settings || settings.is_none_or(|s| s == class.name) {
                return;
            }
            let message = format!("{} is configured by {}", target.class, settings.unwrap_or_default());
            (Severity::Warning, message)
        }
        (None, Some(target)) => {
            (Severity::Warning, format!("{said} is of class {}, expected {expected}", target.class))
        }
        (None, None) => (
            Severity::Error,
            match found.first() {
                Some(other) => format!("{said} is of class {}, expected {expected}", other.class),
                None => format!("no {expected} has the identifier {id}"),
            },
        ),
    };
    context.push(place, Found::new(severity, Rule::Reference, reference.attribute, message));
}

/// An identifier stands for one object of its kind. A calibration may be repeated word for word under every image
/// that it applies to.
pub(super) fn identities(context: &mut Context, record: &Record) {
    let mut seen: HashMap<(&str, &str), &Object> = HashMap::new();
    let mut doubled = Vec::new();
    record.visit(&mut |object, class| {
        let (Some(id), Some(class)) = (object.id(), class) else { return };
        let kind = class.attribute("ID").map_or(class.name, |a| match a.type_name {
            "LSID" => class.name,
            typed => typed,
        });
        match seen.insert((kind, id), object) {
            Some(other) if other != object => doubled.push((object, id)),
            _ => {}
        }
    });
    for (object, id) in doubled {
        let at = format!("/{} {id}", object.class);
        let place = Place { object: Some(object), at: &at, class: &object.class };
        let message = format!("{id} stands for more than one object");
        context.push(&place, Found::new(Severity::Error, Rule::Identity, "ID", message));
    }
}
