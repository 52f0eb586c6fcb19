//! Which microscope of a document is which one known before.

use std::collections::HashMap;

use super::{Conflict, ConflictKind, Merge, identifiers, parts};
use crate::catalogue;
use crate::identity::{Microscope, Sameness, identifiers as identifiers_of, instrument_of};
use crate::record::Object;
use crate::record::value::is_uuid;

impl Merge {
    /// Joins the document's microscopes, and adds those that are others. `images` are pairs of the document's images and
    /// known ones.
    pub(super) fn microscopes(
        &mut self,
        known: &mut Vec<Object>,
        document: &mut Vec<Object>,
        images: &HashMap<usize, usize>,
    ) {
        bring_used(known, document, images);
        let roles = roles(known, document, images);
        let (instruments, rest): (Vec<_>, Vec<_>) =
            std::mem::take(document).into_iter().partition(|o| o.class == "Instrument");
        *document = rest;
        for instrument in instruments {
            let scope = scope(&instrument);
            let mut alike = Vec::new();
            let mut apart = None;
            for (n, other) in known.iter().enumerate().filter(|(_, o)| o.class == "Instrument") {
                let used = instrument.id().is_some_and(|id| {
                    roles
                        .instruments
                        .iter()
                        .any(|(theirs, ours)| theirs == id && Some(ours.as_str()) == other.id())
                });
                match self::scope(other).compare(&scope) {
                    Sameness::Same => alike.insert(0, n),
                    Sameness::Unclear if used => alike.push(n),
                    Sameness::Unclear => {
                        let why = "no UUID, and no maker and serial number, says that they are one";
                        apart = apart.or(Some((n, why)));
                    }
                    Sameness::Different(why) => apart = apart.or(Some((n, why))),
                }
            }
            if let Some(other) = alike.first().and_then(|n| known.get_mut(*n)) {
                self.microscope(other, instrument, &roles);
                continue;
            }
            if let Some((other, why)) = apart.and_then(|(n, why)| Some((known.get(n)?, why))) {
                self.conflicts.push(Conflict {
                    kind: ConflictKind::AnotherMicroscope,
                    at: format!("/Instrument {}", other.id().unwrap_or_default()),
                    field: why.to_owned(),
                    kept: described(other),
                    other: described(&instrument),
                });
            }
            known.push(instrument);
        }
    }

    fn microscope(&mut self, known: &mut Object, mut other: Object, roles: &Roles) {
        let at = format!("/Instrument {}", known.id().unwrap_or_default());
        let parts = std::mem::take(&mut other.children);
        self.join(known, None, other, "");
        let class = catalogue::class("Instrument");
        let pairs = parts::pair(&known.children, &parts, &roles.parts);
        // What refers to a part follows it, so the pairs come first.
        for (index, part) in pairs.iter().zip(&parts) {
            if let Some(own) = index.and_then(|n| known.children.get_mut(n))
                && let Some(id) = part.fields.iter().find(|f| f.name == "ID")
                && part.id().is_some()
            {
                self.identifiers.same(own, id);
            }
        }
        for (index, mut part) in pairs.into_iter().zip(parts) {
            self.identifiers.redirect(std::slice::from_mut(&mut part));
            match index.and_then(|n| known.children.get_mut(n)) {
                Some(own) => {
                    part.fields.retain(|f| f.name != "ID" || own.id().is_none());
                    self.join(own, class, part, &at);
                }
                None => known.children.push(part),
            }
        }
    }
}

/// Which microscopes and parts are one because one image was taken with both: identifiers in the document, and those
/// known.
#[derive(Default)]
struct Roles {
    instruments: Vec<(String, String)>,
    parts: Vec<(String, String)>,
}

fn roles(known: &[Object], document: &[Object], images: &HashMap<usize, usize>) -> Roles {
    let mut roles = Roles::default();
    for (other, own) in pairs(known, document, images) {
        let instruments = [instrument_of(document, other), instrument_of(known, own)];
        if let [Some(other), Some(own)] = instruments.map(|i| i.and_then(Object::id)) {
            roles.instruments.push((other.to_owned(), own.to_owned()));
        }
        let used =
            |image: &Object, class: &str| image.child(class).and_then(Object::target).map(str::to_owned);
        roles.parts.extend(used(other, "ObjectiveSettings").zip(used(own, "ObjectiveSettings")));
        let (Some(own), Some(other)) = (own.child("Pixels"), other.child("Pixels")) else { continue };
        for (theirs, ours) in super::images::channels(own, &other.children).into_iter().flatten() {
            let channels = [other.children.get(theirs), ours.and_then(|n| own.children.get(n))];
            let [Some(theirs), Some(ours)] = channels.map(|c| c.and_then(|c| c.child("LightPath"))) else {
                continue;
            };
            for head in ["DetectorSettingsGroup", "LightSourceSettings"] {
                if let (Some(theirs), Some(ours)) = (single(theirs, head), single(ours, head)) {
                    roles.parts.push((theirs.to_owned(), ours.to_owned()));
                }
            }
        }
    }
    roles
}

/// What the only settings of this kind in a light path are of.
fn single<'a>(path: &'a Object, head: &str) -> Option<&'a str> {
    let is_a = |o: &&Object| catalogue::class(&o.class).is_some_and(|c| c.is_a(head));
    let mut found = path.children.iter().filter(is_a);
    match (found.next(), found.next()) {
        (Some(only), None) => only.target(),
        _ => None,
    }
}

fn pairs<'a>(
    known: &'a [Object],
    document: &'a [Object],
    images: &HashMap<usize, usize>,
) -> Vec<(&'a Object, &'a Object)> {
    let of = |objects: &'a [Object]| -> Vec<&'a Object> {
        objects.iter().filter(|o| o.class == "Image").collect()
    };
    let (ours, theirs) = (of(known), of(document));
    images.iter().filter_map(|(b, a)| Some((*theirs.get(*b)?, *ours.get(*a)?))).collect()
}

/// Settings may refer to a microscope that an earlier document described and that is only now found to be the one that
/// took the image: it is joined as if it came with them.
fn bring_used(known: &mut Vec<Object>, document: &mut Vec<Object>, images: &HashMap<usize, usize>) {
    let mut used: Vec<(String, String)> = Vec::new();
    for (other, own) in pairs(known, document, images) {
        if instrument_of(document, other).is_some() {
            continue;
        }
        if let (Some(theirs), Some(ours)) = (instrument_of(known, other), instrument_of(known, own))
            && theirs.id() != ours.id()
            && !matches!(scope(ours).compare(&scope(theirs)), Sameness::Different(_))
        {
            used.extend(theirs.id().map(str::to_owned).zip(ours.id().map(str::to_owned)));
        }
    }
    for (id, _) in used {
        let place =
            known.iter().position(|o| o.class == "Instrument" && identifiers_of(o).any(|own| own == id));
        if let Some(place) = place {
            document.insert(0, known.remove(place));
        }
    }
}

/// What identifies a microscope whose identifiers may be marked.
pub(super) fn scope(instrument: &Object) -> Microscope {
    let mut scope = Microscope::of(instrument);
    let uuid = || identifiers_of(instrument).map(identifiers::plain).find(|id| is_uuid(id));
    scope.uuid = scope.uuid.or_else(|| uuid().map(str::to_lowercase));
    scope
}

fn described(instrument: &Object) -> String {
    let id = identifiers::plain(instrument.id().unwrap_or("Instrument")).to_owned();
    match scope(instrument).described() {
        Some(what) if what != id => format!("{id} ({what})"),
        _ => id,
    }
}
