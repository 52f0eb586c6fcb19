//! Two values for one field: whether they are the same, and which of them stands in it.

use serde_json::{Value as Json, json};

use super::{Conflict, ConflictKind};
use crate::catalogue::Class;
use crate::record::{Field, Object, Origin, OriginKind, value};
use crate::unit;

/// Puts a document's field into `object`, which was `before`; returns the conflict if the two differ.
pub(super) fn join(
    object: &mut Object,
    before: &Object,
    class: Option<&'static Class>,
    field: &Field,
    other: &Object,
    at: &str,
) -> Option<Conflict> {
    let attribute = class.and_then(|c| c.attribute(&field.name));
    let (unit_name, default) = (attribute.and_then(|a| a.unit), attribute.and_then(|a| a.unit_default));
    let unit_of = |o: &Object| unit_name.and_then(|u| o.field(u)).cloned();
    // A value brings its unit along, and never takes over that of another.
    let bring_unit = |object: &mut Object| {
        let Some(name) = unit_name else { return };
        object.fields.retain(|f| f.name != name);
        match (unit_of(other), default) {
            (Some(unit), _) => object.fields.push(unit),
            (None, Some(default)) => object.push(name, default, Origin::model_default()),
            (None, None) => {}
        }
    };
    let Some(own) = before.field(&field.name) else {
        object.fields.push(field.clone());
        bring_unit(object);
        return None;
    };
    let symbol = |o: &Object| {
        unit_of(o).and_then(|u| u.value.as_str().map(str::to_owned)).or(default.map(str::to_owned))
    };
    let (own_unit, other_unit) = (symbol(before), symbol(other));
    let replaces = outranks(&object.class, field, own);
    if same(own, own_unit.as_deref(), field, other_unit.as_deref()) {
        // The same said twice; the better origin stays.
        if replaces && own.value == field.value {
            replace(object, field);
        }
        return None;
    }
    let (mine, theirs) = (with_unit(own, own_unit), with_unit(field, other_unit));
    let (kept, gone) = if replaces { (theirs, mine) } else { (mine, theirs) };
    if replaces {
        replace(object, field);
        bring_unit(object);
    }
    beside(object, &field.name, &gone);
    // A placeholder contradicts nothing.
    (says(own) && says(field)).then(|| Conflict {
        kind: ConflictKind::Value,
        at: at.to_owned(),
        field: field.name.clone(),
        kept,
        other: gone,
    })
}

/// Records a value that gave way; of several sources there may be several.
pub(super) fn beside(object: &mut Object, field: &str, value: &str) {
    let conflicts = object.extra.entry("conflict").or_insert_with(|| json!({}));
    match &mut conflicts[field] {
        Json::Array(values) => values.push(json!(value)),
        said if said.is_null() || said == value => *said = json!(value),
        said => *said = json!([said.take(), value]),
    }
}

/// Whether there is a value, and no placeholder or blank.
fn says(field: &Field) -> bool {
    let is_blank = field.value.as_str().is_some_and(|text| text.trim().is_empty());
    field.origin.kind != OriginKind::Sentinel && !is_blank
}

/// Whether a document's value takes the place of the one known before.
fn outranks(class: &str, document: &Field, known: &Field) -> bool {
    use OriginKind::Guessed;
    match (document.origin.kind, known.origin.kind) {
        _ if !says(document) => false,
        _ if !says(known) => true,
        (_, Guessed) => true,
        (Guessed, _) => false,
        // The file is there to be looked at, and what it is called is how others find it.
        _ => match class {
            "Pixels" | "Plane" => false,
            "Image" => !["Name", "AcquisitionDate"].contains(&document.name.as_str()),
            "Channel" => document.name != "Name",
            _ => true,
        },
    }
}

fn same(a: &Field, a_unit: Option<&str>, b: &Field, b_unit: Option<&str>) -> bool {
    let number = |f: &Field| f.value.as_f64().or_else(|| f.value.as_str()?.trim().parse().ok());
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        unit::same(x, a_unit.unwrap_or_default(), y, b_unit.unwrap_or_default()).unwrap_or(false)
    } else {
        let text = |f: &Field| value::text(&f.value).trim().to_lowercase();
        text(a) == text(b)
    }
}

fn replace(object: &mut Object, field: &Field) {
    match object.fields.iter_mut().find(|f| f.name == field.name) {
        Some(old) => *old = field.clone(),
        None => object.fields.push(field.clone()),
    }
}

fn with_unit(field: &Field, unit: Option<String>) -> String {
    let value = value::text(&field.value);
    unit.map_or_else(|| value.clone(), |unit| format!("{value} {unit}"))
}
