//! Which parts of two descriptions of one thing are one part.

use super::identifiers::plain;
use crate::catalogue::{self, Class, ReferenceKind};
use crate::identity::{both, identifiers, identifies, is_stand, maker, model, said};
use crate::qc::KINDS;
use crate::record::{Object, resolve};

/// Whether two parts, the first of the known ones, are one.
type Same<'a> = &'a dyn Fn(&Object, &Object) -> bool;

/// For each part of the document's microscope the known part that it is. `roles` are identifiers of the document's parts
/// and of known ones that were used for the same.
pub(super) fn pair(known: &[Object], document: &[Object], roles: &[(String, String)]) -> Vec<Option<usize>> {
    let in_role = |a: &Object, b: &Object| {
        let pair = a.id().zip(b.id());
        pair.is_some_and(|(a, b)| roles.iter().any(|(theirs, ours)| ours == a && theirs == b))
            && !is_other_model(a, b)
    };
    let same_id = |a: &Object, b: &Object| {
        a.id().is_some() && a.id() == b.id().map(plain) && !is_other_model(a, b) && !is_other_part(a, b)
    };
    let rounds: [Same<'_>; 6] = [
        &|a, b| identified(a, b) == Some(true),
        &in_role,
        &|a, b| is_stand(&a.class) && is_stand(&b.class),
        &|a, b| same_serial(a, b),
        &|a, b| same_model(a, b),
        &same_id,
    ];
    let mut pairs: Vec<Option<usize>> = vec![None; document.len()];
    for fits in rounds {
        let fits = |a: &Object, b: &Object| are_kin(a, b) && identified(a, b) != Some(false) && fits(a, b);
        let free: Vec<usize> =
            (0..document.len()).filter(|n| pairs.get(*n).is_some_and(Option::is_none)).collect();
        let taken: Vec<usize> = pairs.iter().flatten().copied().collect();
        for n in &free {
            let Some(part) = document.get(*n) else { continue };
            let mut fitting = known.iter().enumerate().filter(|(k, o)| !taken.contains(k) && fits(o, part));
            if let (Some((k, own)), None) = (fitting.next(), fitting.next())
                && free.iter().filter_map(|n| document.get(*n)).filter(|other| fits(own, other)).count() == 1
            {
                pairs[*n] = Some(k);
            }
        }
    }
    pairs
}

/// The object among `others[free]` that says of the same thing as `object`.
pub(super) fn counterpart(
    others: &[Object],
    free: &[usize],
    parent: Option<&'static Class>,
    object: &Object,
) -> Option<usize> {
    let alike: Vec<(usize, &Object)> = free
        .iter()
        .filter_map(|n| Some((*n, others.get(*n)?)))
        .filter(|(_, o)| are_kin(o, object) && identified(o, object) != Some(false))
        .collect();
    let one = |test: &dyn Fn(&Object) -> bool| {
        let mut found = alike.iter().filter(|(_, o)| test(o));
        match (found.next(), found.next()) {
            (Some((n, _)), None) => Some(*n),
            _ => None,
        }
    };
    if let Some(n) = one(&|o| identified(o, object) == Some(true)) {
        return Some(n);
    }
    let class = resolve(parent, &object.class);
    match object.class.as_str() {
        "OME" => return one(&|_| true),
        "Plane" => {
            let place = |o: &Object| ["TheZ", "TheC", "TheT"].map(|axis| o.number(axis).map(f64::to_bits));
            return one(&|o| place(o) == place(object));
        }
        "Experimenter" => {
            let mark = |o: &Object, field: &str| Some(said(&o.field(field)?.value)?.to_lowercase());
            let same =
                |o: &Object, field: &str| mark(o, field).is_some() && mark(o, field) == mark(object, field);
            let email = |o: &Object| {
                both(mark(o, "Email").as_deref(), mark(object, "Email").as_deref(), str::to_owned)
            };
            return one(&|o| {
                email(o) == Some(true)
                    || same(o, "FirstName") && same(o, "LastName") && email(o) != Some(false)
            });
        }
        "Experiment" | "ExperimenterGroup" => {
            let name = |o: &Object| Some(said(&o.field("Name")?.value)?.to_lowercase());
            return one(&|o| name(o).is_some() && name(o) == name(object));
        }
        // The same measurement under another identifier is the same measurement.
        kind if KINDS.contains(&kind) => return one(&|o| o.fields.len() > 1 && is_repeated(o, object)),
        _ => {}
    }
    if class.and_then(Class::reference).is_some_and(|r| r.kind == ReferenceKind::Settings) {
        return one(&|o| o.target() == object.target()).or_else(|| one(&|_| true));
    }
    // Where the model has room for one, or a channel has one dye, that is what both speak of.
    let room = parent.and_then(|p| p.child(&object.class)).map(|c| c.slot.max);
    if room == Some(1) || ["Pixels", "LightPath", "Fluorophore"].contains(&object.class.as_str()) {
        return one(&|_| true);
    }
    one(&|o| same_serial(o, object))
        .or_else(|| one(&|o| same_model(o, object)))
        .or_else(|| one(&|o| o.id().is_some() && o.id() == object.id().map(plain) && is_repeated(o, object)))
}

/// An object of a general class becomes one of the class that another description knows.
pub(super) fn specialise(object: &mut Object, other: &Object) {
    let is_head = catalogue::class(&object.class).is_some_and(|c| c.is_abstract || is_generic(c.name));
    let other_class = catalogue::class(&other.class);
    if is_head
        && object.class != other.class
        && other_class.is_some_and(|c| !c.is_abstract && !is_generic(c.name))
    {
        object.class.clone_from(&other.class);
    }
}

/// Whether two objects can be the same: of one class, or one of them of a class that is or stands for the head of the
/// other's group.
fn are_kin(a: &Object, b: &Object) -> bool {
    let general = |general: &Object, other: &Object| {
        let Some(head) = catalogue::class(&general.class) else { return false };
        let name = if is_generic(head.name) { head.group.unwrap_or(head.name) } else { head.name };
        catalogue::class(&other.class).is_some_and(|c| c.is_a(name))
    };
    a.class == b.class || general(a, b) || general(b, a)
}

fn is_generic(class: &str) -> bool {
    class.starts_with("Generic")
}

/// What identifiers that identify say; `None` if one has none.
fn identified(a: &Object, b: &Object) -> Option<bool> {
    let own = |o: &Object| -> Vec<String> {
        identifiers(o).map(plain).filter(|id| identifies(id)).map(str::to_lowercase).collect()
    };
    let (a, b) = (own(a), own(b));
    (!a.is_empty() && !b.is_empty()).then(|| a.iter().any(|id| b.contains(id)))
}

fn text(object: &Object, field: &str) -> Option<String> {
    said(&object.field(field)?.value)
}

fn compare(a: &Object, b: &Object, field: &str, by: impl Fn(&str) -> String) -> Option<bool> {
    both(text(a, field).as_deref(), text(b, field).as_deref(), by)
}

fn same_serial(a: &Object, b: &Object) -> bool {
    compare(a, b, "Manufacturer", maker) == Some(true)
        && compare(a, b, "CatalogNumber", str::to_lowercase) == Some(true)
        && compare(a, b, "Model", model) != Some(false)
}

fn same_model(a: &Object, b: &Object) -> bool {
    compare(a, b, "Manufacturer", maker) == Some(true)
        && compare(a, b, "Model", model) == Some(true)
        && compare(a, b, "CatalogNumber", str::to_lowercase) != Some(false)
}

fn is_other_model(a: &Object, b: &Object) -> bool {
    compare(a, b, "Manufacturer", maker) == Some(false) || compare(a, b, "Model", model) == Some(false)
}

/// Whether what is printed on two parts tells them apart.
fn is_other_part(a: &Object, b: &Object) -> bool {
    let fold = |text: &str| text.trim().to_lowercase();
    let numbers =
        |field: &str| a.number(field).zip(b.number(field)).is_some_and(|(a, b)| (a - b).abs() > 1e-6);
    compare(a, b, "CatalogNumber", fold) == Some(false)
        || compare(a, b, "Name", fold) == Some(false)
        || numbers("LensNA")
        || numbers("Magnification")
}

/// Whether two objects say the same but for their identifiers: one of them is the other, repeated.
fn is_repeated(a: &Object, b: &Object) -> bool {
    let same_fields = |a: &Object, b: &Object| {
        a.fields
            .iter()
            .filter(|f| f.name != "ID")
            .all(|f| b.field(&f.name).is_some_and(|g| g.value == f.value))
    };
    same_fields(a, b)
        && same_fields(b, a)
        && a.content == b.content
        && a.children.len() == b.children.len()
        && a.children.iter().zip(&b.children).all(|(a, b)| {
            a.class == b.class
                && (is_repeated(a, b)
                    || a.target().is_some() && a.target().map(plain) == b.target().map(plain))
        })
}
