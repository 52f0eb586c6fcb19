//! What a finding calls the part that it is about.

use std::collections::HashMap;

use crate::catalogue::{self, Class};
use crate::record::Object;
use crate::record::value::{is_sentinel, is_uuid};

/// Objects by their own identifier.
pub(super) type Identifiers<'a> = HashMap<&'a str, Vec<&'a Object>>;

/// The part by what people know it by: its class with its Name and its maker, or, for settings and references, with
/// those of what they point to. An identifier stands for it where it says something; a UUID does not.
pub(super) fn name(ids: &Identifiers, object: &Object) -> String {
    if let Some(said) = own_name(object) {
        return format!("{} {said}", object.class);
    }
    let points = catalogue::class(&object.class).and_then(Class::reference).is_some();
    let target = object.target().filter(|_| points);
    let known = target.and_then(|id| ids.get(id)?.first().copied());
    if let Some(said) = known.and_then(own_name) {
        return format!("{} of {said}", object.class);
    }
    match target.or_else(|| object.id()).filter(|id| !is_uuid(id.rsplit(':').next().unwrap_or(id))) {
        Some(id) => format!("{} {id}", object.class),
        None => object.class.clone(),
    }
}

fn own_name(object: &Object) -> Option<String> {
    let said = |field: &str| {
        let value = &object.field(field)?.value;
        let text = value.as_str()?.trim();
        (!text.is_empty() && !is_sentinel(value)).then_some(text)
    };
    let joined = |fields: [&str; 2]| fields.into_iter().filter_map(said).collect::<Vec<_>>().join(" ");
    let (maker, person) = (joined(["Manufacturer", "Model"]), joined(["FirstName", "LastName"]));
    match said("Name") {
        Some(name) if maker.is_empty() || maker == name => Some(format!("{name:?}")),
        Some(name) => Some(format!("{name:?} ({maker})")),
        None if !maker.is_empty() => Some(format!("({maker})")),
        None => (!person.is_empty()).then(|| format!("{person:?}")),
    }
}
