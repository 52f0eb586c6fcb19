//! Identifiers while two records are joined. Those of a document hold within it, so that `Objective:1` of two documents
//! is not one: the document's are marked first, follow the objects that they are joined with, and those that are left
//! get back what they were, or something near if that is taken.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::is_made_up;
use crate::catalogue::{self, Class};
use crate::identity::{identifiers, identifies};
use crate::record::{Field, Object, Origin, OriginKind};

/// What a marked identifier begins with: a character that no identifier has.
const MARK: char = '\u{e000}';

/// Which identifier an object goes by in the end.
pub(super) struct Identifiers {
    /// Identifiers that gave way to another for the same object.
    now: HashMap<String, String>,
}

impl Identifiers {
    /// Marks the identifiers that the document's own objects have, and the references to them.
    pub(super) fn mark(known: &[Object], document: &mut [Object]) -> Self {
        let own: HashSet<String> = ids(document);
        for object in &mut *document {
            each(object, &mut |field| {
                if let Some(id) = field.value.as_str().filter(|id| own.contains(*id)) {
                    field.value = json!(format!("{MARK}{id}"));
                }
            });
        }
        // Other identifiers that objects are known by, as earlier merging left them.
        let mut now = HashMap::new();
        for object in known.iter().flat_map(Object::descendants) {
            let Some(id) = object.id() else { continue };
            now.extend(
                identifiers(object).filter(|also| *also != id).map(|also| (also.to_owned(), id.to_owned())),
            );
        }
        Self { now }
    }

    /// The identifier of the object that this one stands for.
    pub(super) fn resolve<'a>(&'a self, id: &'a str) -> &'a str {
        let mut id = id;
        // A made-up identifier gives way to that of a document, and that to nothing.
        for _ in 0..4 {
            match self.now.get(id) {
                Some(next) if next != id => id = next,
                _ => break,
            }
        }
        id
    }

    /// Images that are one, before anything is joined: what was measured on an image refers to it.
    pub(super) fn follow(&mut self, document: &[Object], known: &[Object], images: &HashMap<usize, usize>) {
        let of = |objects: &[Object]| -> Vec<Option<String>> {
            objects.iter().filter(|o| o.class == "Image").map(own_id).collect()
        };
        let (theirs, ours) = (of(document), of(known));
        for (b, a) in images {
            if let (Some(Some(b)), Some(Some(a))) = (theirs.get(*b), ours.get(*a)) {
                self.now.insert(b.clone(), a.clone());
            }
        }
    }

    /// Two objects turned out to be one: one identifier remains, and references to the other follow.
    pub(super) fn same(&mut self, object: &mut Object, other: &Field) {
        let Some(index) = object.fields.iter().position(|f| f.name == "ID") else {
            object.fields.insert(0, other.clone());
            return;
        };
        let (Some(own), Some(new)) = (object.fields[index].value.as_str(), other.value.as_str()) else {
            return;
        };
        let (own, new) = (own.to_owned(), new.to_owned());
        if is_made_up(&object.fields[index]) && !is_made_up(other) {
            object.fields[index] = other.clone();
            self.now.insert(own, new);
            return;
        }
        // Only what identifies is worth remembering: `Objective:1` is another one in the next document.
        let also = plain(&new).to_owned();
        if identifies(&also) && !identifiers(object).any(|known| known == also) {
            match object.extra.get_mut("sameAs") {
                Some(known) if known.is_array() => {
                    known.as_array_mut().into_iter().for_each(|list| list.push(json!(also)));
                }
                Some(known) => *known = json!([known.take(), also]),
                None => _ = object.extra.insert("sameAs".into(), json!(also)),
            }
        }
        if own != new {
            self.now.insert(new, own);
        }
    }

    /// Points references at what is known of their targets by now.
    pub(super) fn redirect(&self, objects: &mut [Object]) {
        for object in objects {
            each_reference(object, &mut |field| {
                if let Some(id) = field.value.as_str() {
                    let now = self.resolve(id);
                    if now != id {
                        field.value = json!(now);
                    }
                }
            });
        }
    }

    /// Gives marked identifiers back what they were where it is free, and another where it is not.
    pub(super) fn settle(mut self, objects: &mut [Object]) {
        self.redirect(objects);
        let (marked, mut taken): (Vec<_>, HashSet<_>) = {
            let all: Vec<String> = objects.iter().flat_map(Object::descendants).filter_map(own_id).collect();
            let (marked, plain): (Vec<_>, Vec<_>) = all.into_iter().partition(|id| id.starts_with(MARK));
            (marked, plain.into_iter().collect())
        };
        let wanted: HashSet<String> = marked.iter().map(|id| plain(id).to_owned()).collect();
        for id in marked {
            if self.now.contains_key(&id) {
                continue;
            }
            let own = plain(&id).to_owned();
            // Among so many at least one is free.
            let last = taken.len() + wanted.len() + 2;
            let free = (2..=last)
                .map(|n| format!("{own}-{n}"))
                .find(|new| !taken.contains(new) && !wanted.contains(new));
            let new = if taken.contains(&own) { free.unwrap_or(own) } else { own };
            taken.insert(new.clone());
            self.now.insert(id, new);
        }
        for object in objects.iter_mut() {
            each(object, &mut |field| {
                let Some(id) = field.value.as_str().filter(|id| id.starts_with(MARK)) else { return };
                let (before, now) = (plain(id).to_owned(), self.resolve(id).to_owned());
                let now = plain(&now);
                if now != before && field.origin.kind == OriginKind::Explicit {
                    field.origin = Origin::from(OriginKind::Normalised, before);
                }
                field.value = json!(now);
            });
        }
    }
}

/// An identifier without its mark.
pub(super) fn plain(id: &str) -> &str {
    id.strip_prefix(MARK).unwrap_or(id)
}

/// Takes the marks off.
pub(super) fn unmark(objects: &mut [Object]) {
    for object in objects {
        each(object, &mut |field| {
            if let Some(id) = field.value.as_str().filter(|id| id.starts_with(MARK)) {
                field.value = json!(plain(id));
            }
        });
    }
}

fn own_id(object: &Object) -> Option<String> {
    object.id().map(str::to_owned)
}

fn ids(objects: &[Object]) -> HashSet<String> {
    objects.iter().flat_map(Object::descendants).filter_map(own_id).collect()
}

/// Every identifier: an object's own, and those that it refers to.
fn each(object: &mut Object, visit: &mut impl FnMut(&mut Field)) {
    let class = catalogue::class(&object.class);
    let reference = class.and_then(Class::reference).map(|r| r.attribute);
    let owns = class.is_none_or(Class::owns_id);
    for field in &mut object.fields {
        if (owns && field.name == "ID") || Some(field.name.as_str()) == reference {
            visit(field);
        }
    }
    for child in &mut object.children {
        each(child, visit);
    }
}

fn each_reference(object: &mut Object, visit: &mut impl FnMut(&mut Field)) {
    if let Some(reference) = catalogue::class(&object.class).and_then(Class::reference) {
        object.fields.iter_mut().filter(|f| f.name == reference.attribute).for_each(&mut *visit);
    }
    for child in &mut object.children {
        each_reference(child, visit);
    }
}
