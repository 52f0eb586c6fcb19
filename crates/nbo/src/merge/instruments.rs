//! Whether two instruments are one, and what becomes of the identifiers of one that is not.

use std::collections::{HashMap, HashSet};

use serde_json::{Value as Json, json};

use super::{Conflict, ids};
use crate::catalogue::{self, Class};
use crate::record::value::{is_sentinel, is_uuid};
use crate::record::{Object, Origin, OriginKind};

/// The instruments of a sidecar that are another microscope than the one whose place they would take.
pub(super) fn other_instruments(objects: &[Object], sidecar: &[Object]) -> Vec<Conflict> {
    let instruments =
        |of: &[Object]| of.iter().filter(|o| o.class == "Instrument").cloned().collect::<Vec<_>>();
    let (own, new) = (instruments(objects), instruments(sidecar));
    let mut others = Vec::new();
    for instrument in &new {
        let same_id = own.iter().find(|o| o.id().is_some() && o.id() == instrument.id());
        let single = if let ([one], 1) = (own.as_slice(), new.len()) { Some(one) } else { None };
        if let Some(before) = same_id.or(single).filter(|before| contradict(before, instrument)) {
            others.push(Conflict {
                at: format!("/Instrument {}", before.id().unwrap_or_default()),
                field: "another microscope".into(),
                kept: described(before),
                other: described(instrument),
            });
        }
    }
    others
}

/// Whether two instruments cannot be one: different UUIDs, or stands of different makers or models. One name in the
/// other is no contradiction: Zeiss, Carl Zeiss.
pub(super) fn contradict(a: &Object, b: &Object) -> bool {
    let uuid = |o: &Object| {
        let also = o.extra.get("sameAs").and_then(Json::as_str);
        o.id().into_iter().chain(also).find(|id| is_uuid(id)).map(str::to_owned)
    };
    if let (Some(a), Some(b)) = (uuid(a), uuid(b)) {
        return a != b;
    }
    let said = |o: &Object, field: &str| {
        let value = &o.children.iter().find(|c| is_stand(&c.class))?.field(field)?.value;
        let text = value.as_str()?.trim().to_lowercase();
        (!text.is_empty() && !is_sentinel(value)).then_some(text)
    };
    ["Manufacturer", "Model"].iter().any(|field| match (said(a, field), said(b, field)) {
        (Some(a), Some(b)) => !a.contains(&b) && !b.contains(&a),
        _ => false,
    })
}

fn described(instrument: &Object) -> String {
    let stand = instrument.children.iter().find(|c| is_stand(&c.class));
    let said = |field| stand.and_then(|stand: &Object| stand.str(field));
    let words: Vec<_> = [said("Manufacturer"), said("Model")].into_iter().flatten().collect();
    if words.is_empty() { instrument.id().unwrap_or_default().to_owned() } else { words.join(" ") }
}

/// Gives the objects of another microscope identifiers that are not taken. Images keep theirs: they are compared by
/// name too.
pub(super) fn rename(sidecar: &mut [Object], taken: &HashSet<String>) {
    let own = ids(sidecar);
    let hardware = sidecar.iter().filter(|o| o.class != "Image").flat_map(Object::descendants);
    let colliding = hardware.filter_map(Object::id).filter(|id| !is_uuid(id) && taken.contains(*id));
    // Among so many at least one is free.
    let last = taken.len() + own.len() + 2;
    let free = |id: &str| {
        (2..=last).map(|n| format!("{id}-{n}")).find(|new| !taken.contains(new) && !own.contains(new))
    };
    let new: HashMap<String, String> = colliding.filter_map(|id| Some((id.to_owned(), free(id)?))).collect();
    for object in sidecar {
        rename_below(object, &new);
    }
}

fn rename_below(object: &mut Object, new: &HashMap<String, String>) {
    let reference = catalogue::class(&object.class).and_then(Class::reference).map(|r| r.attribute);
    for field in &mut object.fields {
        let names = (field.name == "ID" && object.class != "Image") || Some(field.name.as_str()) == reference;
        if let Some((before, now)) =
            field.value.as_str().filter(|_| names).and_then(|id| new.get_key_value(id))
        {
            field.value = json!(now);
            field.origin = Origin::from(OriginKind::Normalised, before);
        }
    }
    for child in &mut object.children {
        rename_below(child, new);
    }
}

pub(super) fn is_stand(class: &str) -> bool {
    catalogue::class(class).is_some_and(|c| c.is_a("MicroscopeStandGroup"))
}
