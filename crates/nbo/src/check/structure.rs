//! Which objects have to be there.

use super::context::{Context, Found, Place, defined};
use super::report::{Rule, Severity};
use crate::catalogue::{self, Class, Requirement, Slot};
use crate::record::{Object, Record};

/// Without these an image cannot be interpreted, so they are demanded at every tier: whoever leaves one out must not
/// do better than whoever describes it badly. A policy waives one for a method that has none.
const ESSENTIAL: [(&str, &str); 4] = [
    ("MicroscopeStandGroup", "microscope stand"),
    ("LightSourceGroup", "light source"),
    ("Objective", "objective"),
    ("DetectorGroup", "detector"),
];

/// Children that the content model demands (R4).
pub(super) fn children(context: &mut Context, object: &Object, class: &'static Class, place: &Place) {
    let mut choice: Option<(bool, Vec<&str>)> = None;
    for slot in class.slots() {
        let members = slot.members();
        let count = object.children.iter().filter(|c| members.iter().any(|m| m.name == c.class)).count();
        if slot.requirement == Requirement::Choice {
            let (found, names) = choice.get_or_insert((false, Vec::new()));
            *found |= count > 0;
            names.push(slot.class().name);
        }
        if slot.max != 0 && count > slot.max as usize {
            let message = format!("{count} found, at most {} allowed", slot.max);
            context.push(place, Found::new(Severity::Error, Rule::Structure, slot.class().name, message));
        }
        let demanded = slot.requirement == Requirement::Must && count < slot.min as usize;
        let waived = context.is_waived(slot.class().name, None);
        let known = ESSENTIAL.iter().find(|(name, _)| *name == slot.class().name);
        let essential = known.filter(|_| class.name == "Instrument").map(|(_, said)| *said);
        if !demanded || waived || !(essential.is_some() || in_scope(context, slot)) {
            continue;
        }
        // Not every image has a filter or an additional dimension; at Tier 1 this is advice.
        let advice = context.policy.tier == 1 && essential.is_none();
        let severity = if advice { Severity::Warning } else { Severity::Error };
        let names: Vec<_> = members.iter().map(|m| m.name).collect();
        let message = match names.as_slice() {
            [only] if *only == slot.class().name => "none found".to_owned(),
            _ => format!("none found; add {}", names.join(", ")),
        };
        context.push(place, Found::new(severity, Rule::Structure, slot.class().name, message));
        if let Some(said) = essential {
            context.cover_absent(slot.class(), said, place.at);
        }
    }
    // Where the pixels are is no matter of provenance: they are in the store, or in the file.
    let choice = choice.filter(|(_, names)| names.len() > 1 && !names.contains(&"MetadataOnly"));
    if let Some((false, names)) = choice {
        let message = format!("expected one of {}", names.join(", "));
        context.push(place, Found::new(Severity::Warning, Rule::Structure, names[0], message));
    }
}

/// A record that describes an image but no instrument lacks all four. So does one that is about neither, unless it is
/// about a single part of a microscope.
pub(super) fn essentials(context: &mut Context, record: &Record) {
    let any = |class: &str| record.all(class).next().is_some();
    let is_part = |object: &Object| {
        catalogue::class(&object.class).is_some_and(|c| c.domain == "MicroscopeHardwareSpecifications")
    };
    if any("Instrument") || (!any("Image") && record.objects.iter().any(is_part)) || record.objects.is_empty()
    {
        return;
    }
    for (name, said) in ESSENTIAL {
        if context.is_waived(name, None) {
            continue;
        }
        let message = format!("no {said} found: the record describes no instrument");
        let place = Place { object: None, at: "/", class: "Instrument" };
        context.push(&place, Found::new(Severity::Error, Rule::Structure, name, message));
        if let Some(class) = catalogue::class(name) {
            context.cover_absent(class, said, "");
        }
    }
}

fn in_scope(context: &Context, slot: &Slot) -> bool {
    let class = slot.class();
    let tier = defined(slot.tier).max(defined(class.tier));
    // An abstract head has no tags; what stands for it is Core or Basic, of Tier 1.
    let extension = slot.members().iter().map(|m| m.extension).min().unwrap_or(class.extension);
    tier.max(1) <= context.policy.tier && context.policy.extensions.contains(&extension)
}
