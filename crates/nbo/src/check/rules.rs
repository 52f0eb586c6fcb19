//! The rules themselves, object by object.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::policy::split;
use super::{Coverage, Finding, Level, Policy, Report, Rule, Severity, Tables, Untiered};
use crate::catalogue::{Attribute, Class, Extension, Kind, ReferenceKind, Requirement, Slot};
use crate::record::value::{self, State};
use crate::record::{Object, Origin, Record, resolve};

pub(super) fn check(record: &Record, policy: &Policy) -> Report {
    let mut checker = Checker {
        policy,
        ids: ids(record),
        findings: Vec::new(),
        coverage: (1..=3).map(|tier| Coverage { tier, ..Coverage::default() }).collect(),
        has_hardware: record.objects.iter().any(|o| o.class == "Instrument"),
    };
    for object in &record.objects {
        checker.object(object, None, "");
    }
    checker.identities(record);
    checker.demands(record);
    Report { policy: policy.name.clone(), findings: checker.findings, coverage: checker.coverage }
}

struct Checker<'a> {
    policy: &'a Policy,
    /// Every object that has an identifier of its own.
    ids: HashMap<&'a str, Vec<&'a Object>>,
    findings: Vec<Finding>,
    coverage: Vec<Coverage>,
    has_hardware: bool,
}

impl<'a> Checker<'a> {
    fn object(&mut self, object: &'a Object, parent: Option<&'static Class>, above: &str) {
        let class = resolve(parent, &object.class);
        let at = match object.id().or_else(|| object.target()) {
            Some(id) => format!("{above}/{} {id}", object.class),
            None => format!("{above}/{}", object.class),
        };
        let place = Place { at: &at, class: &object.class };
        match class {
            None => self.push(Severity::Info, Rule::Unknown, &place, "", "not an element of NBO 2.01", None),
            Some(class) => {
                for attribute in class.attributes() {
                    self.attribute(object, class, attribute, &place);
                }
                self.structure(object, class, &place);
                self.reference(object, class, &place);
                for field in object.fields.iter().filter(|f| class.attribute(&f.name).is_none()) {
                    let message = "not an attribute of this element in NBO 2.01";
                    self.push(Severity::Info, Rule::Unknown, &place, &field.name, message, None);
                }
            }
        }
        for child in &object.children {
            self.object(child, class, &at);
        }
    }

    fn attribute(
        &mut self,
        object: &Object,
        class: &'static Class,
        attribute: &'static Attribute,
        place: &Place,
    ) {
        let value = object.field(attribute.name).map_or(&Json::Null, |f| &f.value);
        // Two units are typed as numbers by mistake; any text will do there.
        let mistyped = attribute.kind == Kind::Unit && attribute.base.is_number();
        let state = if mistyped { State::Filled } else { value::state(attribute, value) };
        match &state {
            State::Malformed(why) => {
                let message = format!("{value}: {why}");
                self.push(Severity::Error, Rule::Malformed, place, attribute.name, &message, Some(attribute));
            }
            State::NearlyListed(listed) => {
                let message = format!("{value} is spelt {listed:?} in the value list");
                self.push(
                    Severity::Warning,
                    Rule::Spelling,
                    place,
                    attribute.name,
                    &message,
                    Some(attribute),
                );
            }
            _ => {}
        }
        // R8: units have no tier of their own; they are judged with their value.
        if attribute.kind != Kind::Value {
            return;
        }
        self.unit(object, class, attribute, &state, place);
        let tier = self.tier(class, attribute);
        let demand = format!("{}@{}", class.name, attribute.name);
        let waived = self.policy.waive.iter().any(|w| *w == demand || *w == class.name);
        let extra = self.policy.require.contains(&demand);
        let in_scope = self.in_scope(class, attribute) && !waived;
        let spreadsheet = self.policy.tables == Tables::Spreadsheet;
        let must = extra || attribute.requirement_by(spreadsheet) == Requirement::Must;
        let filled = matches!(state, State::Filled | State::NearlyListed(_) | State::Malformed(_));
        self.cover(
            class.extension_of(attribute),
            tier,
            must,
            filled && !matches!(state, State::Malformed(_)),
        );
        // A placeholder says nothing, wherever it stands (R10).
        let stated = filled || state == State::NotApplicable;
        if filled || (stated && !in_scope && !extra) {
            if !in_scope && !extra {
                self.push(
                    Severity::Info,
                    Rule::BeyondScope,
                    place,
                    attribute.name,
                    "filled, not asked for",
                    Some(attribute),
                );
            }
            return;
        }
        if !in_scope && !extra {
            return;
        }
        let (rule, message) = match state {
            State::Sentinel => (Rule::Sentinel, format!("{value} is a placeholder; {}", hint(attribute))),
            State::NotApplicable => (Rule::Missing, "said to be not applicable".to_owned()),
            _ => (Rule::Missing, hint(attribute)),
        };
        let severity = match state {
            State::NotApplicable => Severity::Warning,
            _ if must || self.policy.level == Level::Should => Severity::Error,
            _ => Severity::Warning,
        };
        self.push(severity, rule, place, attribute.name, &message, Some(attribute));
    }

    /// A value whose unit is not said has the default's, if there is one, and says too little otherwise.
    fn unit(
        &mut self,
        object: &Object,
        class: &'static Class,
        attribute: &'static Attribute,
        state: &State,
        place: &Place,
    ) {
        let (Some(unit), State::Filled) = (attribute.unit, state) else { return };
        let said = object.field(unit).is_some_and(|field| field.origin != Origin::model_default());
        if said && (object.str(unit).is_some_and(|u| !u.trim().is_empty()) || object.number(unit).is_some()) {
            return;
        }
        match attribute.unit_default {
            Some(default) => {
                let message = format!("no unit given; the default is {default}");
                self.push(Severity::Info, Rule::Unit, place, unit, &message, Some(attribute));
            }
            None if self.in_scope(class, attribute) => {
                let message = "no unit given, and there is no default";
                self.push(Severity::Warning, Rule::Unit, place, unit, message, Some(attribute));
            }
            None => {}
        }
    }

    /// Children that the content model demands (R4).
    fn structure(&mut self, object: &Object, class: &'static Class, place: &Place) {
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
                self.push(Severity::Error, Rule::Structure, place, slot.class().name, &message, None);
            }
            let demanded = slot.requirement == Requirement::Must && count < slot.min as usize;
            let waived = self.policy.waive.iter().any(|w| *w == slot.class().name);
            if !demanded || waived || !self.slot_in_scope(slot) {
                continue;
            }
            // Not every image has a filter or an additional dimension; at Tier 1 this is advice.
            let severity = if self.policy.tier == 1 { Severity::Warning } else { Severity::Error };
            let names: Vec<_> = members.iter().map(|m| m.name).collect();
            let message = match names.as_slice() {
                [only] if *only == slot.class().name => "none found".to_owned(),
                _ => format!("none found; add {}", names.join(", ")),
            };
            self.push(severity, Rule::Structure, place, slot.class().name, &message, None);
        }
        // Where the pixels are is no matter of provenance: they are in the store, or in the file.
        let choice = choice.filter(|(_, names)| names.len() > 1 && !names.contains(&"MetadataOnly"));
        if let Some((false, names)) = choice {
            let message = format!("expected one of {}", names.join(", "));
            self.push(Severity::Warning, Rule::Structure, place, names[0], &message, None);
        }
    }

    fn reference(&mut self, object: &Object, class: &'static Class, place: &Place) {
        let Some(reference) = class.reference() else { return };
        let Some(id) = object.str(reference.attribute).filter(|id| !id.trim().is_empty()) else { return };
        if value::is_sentinel(&Json::from(id)) {
            return;
        }
        let found = self.ids.get(id).map(Vec::as_slice).unwrap_or_default();
        let one_of = |classes: &[&str]| found.iter().find(|o| classes.contains(&o.class.as_str())).copied();
        let expected = reference.intended.join(" or ");
        let finding = match (one_of(reference.intended), one_of(reference.targets)) {
            (Some(target), _) => {
                let settings = crate::catalogue::class(&target.class).and_then(|c| c.settings);
                let fits =
                    reference.kind != ReferenceKind::Settings || settings.is_none_or(|s| s == class.name);
                (!fits).then(|| {
                    let message =
                        format!("{} is configured by {}", target.class, settings.unwrap_or_default());
                    (Severity::Warning, message)
                })
            }
            (None, Some(target)) => {
                Some((Severity::Warning, format!("{id} is of class {}, expected {expected}", target.class)))
            }
            // Settings without the microscope they belong to: the other file may hold it.
            (None, None) if !self.has_hardware && found.is_empty() => {
                Some((Severity::Warning, format!("{id} is not in this record")))
            }
            (None, None) => Some((
                Severity::Error,
                match found.first() {
                    Some(other) => format!("{id} is of class {}, expected {expected}", other.class),
                    None => format!("no {expected} has the identifier {id}"),
                },
            )),
        };
        if let Some((severity, message)) = finding {
            self.push(severity, Rule::Reference, place, reference.attribute, &message, None);
        }
    }

    /// An identifier stands for one object of its kind. A calibration may be repeated word for word
    /// under every image that it applies to.
    fn identities(&mut self, record: &Record) {
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
            let place = Place { at: &at, class: &object.class };
            let message = format!("{id} stands for more than one object");
            self.push(Severity::Error, Rule::Identity, &place, "ID", &message, None);
        }
    }

    /// What the policy demands beyond the axes.
    fn demands(&mut self, record: &Record) {
        let place = Place { at: "/", class: "" };
        for demand in &self.policy.require {
            let (class, attribute) = split(demand);
            let found = record
                .objects
                .iter()
                .flat_map(Object::descendants)
                .any(|o| crate::catalogue::class(&o.class).is_some_and(|c| c.is_a(class)));
            if !found && attribute.is_none() {
                self.push(
                    Severity::Error,
                    Rule::Policy,
                    &place,
                    class,
                    "the policy asks for at least one",
                    None,
                );
            } else if !found {
                let message = format!("the policy asks for it, and there is no {class}");
                self.push(Severity::Error, Rule::Policy, &place, demand, &message, None);
            }
        }
        if self.policy.qc.is_empty() {
            return;
        }
        let index = crate::qc::index(record);
        for demand in &self.policy.qc {
            let Ok(requirement) = demand.parse::<crate::qc::Requirement>() else { continue };
            for verdict in index.require(&requirement) {
                if verdict.outcome != crate::qc::Outcome::Pass {
                    let at = format!("/Image {}", verdict.image);
                    let place = Place { at: &at, class: "Image" };
                    self.push(Severity::Error, Rule::Policy, &place, demand, &verdict.reason, None);
                }
            }
        }
    }

    fn in_scope(&self, class: &Class, attribute: &Attribute) -> bool {
        let tier = self.tier(class, attribute);
        tier != 0
            && tier <= self.policy.tier
            && self.policy.extensions.contains(&class.extension_of(attribute))
    }

    fn tier(&self, class: &Class, attribute: &Attribute) -> u8 {
        let own = attribute.tier_by(self.policy.tables == Tables::Spreadsheet);
        let element = if self.policy.element_tier { defined(class.tier) } else { 0 };
        match defined(own) {
            0 if self.policy.untiered == Untiered::Tier1 => 1.max(element),
            0 => 0,
            own => own.max(element),
        }
    }

    fn slot_in_scope(&self, slot: &Slot) -> bool {
        let class = slot.class();
        let tier = defined(slot.tier).max(defined(class.tier));
        // An abstract head has no tags; what stands for it is Core or Basic, of Tier 1.
        let extension = slot.members().iter().map(|m| m.extension).min().unwrap_or(class.extension);
        tier.max(1) <= self.policy.tier && self.policy.extensions.contains(&extension)
    }

    fn cover(&mut self, extension: Extension, tier: u8, must: bool, filled: bool) {
        if tier == 0 || !self.policy.extensions.contains(&extension) {
            return;
        }
        for coverage in self.coverage.iter_mut().filter(|c| c.tier >= tier) {
            if must {
                coverage.must += 1;
                coverage.must_filled += usize::from(filled);
            } else {
                coverage.should += 1;
                coverage.should_filled += usize::from(filled);
            }
        }
    }

    fn push(
        &mut self,
        severity: Severity,
        rule: Rule,
        place: &Place,
        field: &str,
        message: &str,
        attribute: Option<&'static Attribute>,
    ) {
        self.findings.push(Finding {
            severity,
            rule,
            class: place.class.to_owned(),
            field: field.to_owned(),
            at: place.at.to_owned(),
            message: message.to_owned(),
            tier: attribute.map(|a| a.tier).filter(|t| *t != 0),
            extension: attribute.map(|a| a.extension.name()),
        });
    }
}

/// Where a finding stands.
struct Place<'a> {
    at: &'a str,
    class: &'a str,
}

/// R7: tier 4 occurs in the schema without a definition, where the spreadsheet says 2.
fn defined(tier: u8) -> u8 {
    if tier == 4 { 2 } else { tier }
}

fn ids(record: &Record) -> HashMap<&str, Vec<&Object>> {
    let mut ids: HashMap<&str, Vec<&Object>> = HashMap::new();
    for object in record.objects.iter().flat_map(Object::descendants) {
        if let Some(id) = object.id() {
            ids.entry(id).or_default().push(object);
        }
    }
    ids
}

/// What to fill in.
fn hint(attribute: &Attribute) -> String {
    if let Some(list) = attribute.values() {
        // As many as fit a line.
        let mut room = 60_usize;
        let fits = |value: &&str| {
            room = room.saturating_sub(value.len());
            room > 0
        };
        let mut shown: Vec<_> = list.values.iter().map(|v| v.trim()).take_while(fits).take(4).collect();
        if shown.is_empty() {
            shown.extend(list.values.first());
        }
        let more = list.values.len().saturating_sub(shown.len());
        return if more == 0 {
            format!("fill in {}", shown.join(", "))
        } else {
            format!("fill in {} or one of {more} more", shown.join(", "))
        };
    }
    let what = match attribute.base {
        b if b.is_integer() => "a whole number",
        b if b.is_number() => "a number",
        crate::catalogue::Base::Bool => "true or false",
        crate::catalogue::Base::Date => "a date as yyyy-mm-dd",
        crate::catalogue::Base::Uri => "a web address",
        _ => "a text",
    };
    match (attribute.unit, attribute.unit_default) {
        (Some(_), Some(unit)) => format!("fill in {what} and its unit, such as {unit}"),
        (Some(_), None) => format!("fill in {what} and its unit"),
        _ => format!("fill in {what}"),
    }
}
