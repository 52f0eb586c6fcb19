//! The walk through a record, and the rules about fields.

use serde_json::Value as Json;

use super::context::{Context, Found, Place};
use super::hint::hint;
use super::nearest::nearest;
use super::policy::Policy;
use super::report::{Report, Rule, Severity};
use super::{contradictions, demands, physics, references, structure};
use crate::catalogue::{Attribute, Class, Kind};
use crate::record::value::{self, State, is_placeholder};
use crate::record::{Object, Origin, Record, resolve};

pub(super) fn check(record: &Record, policy: &Policy) -> Report {
    let mut context = Context::new(record, policy);
    for object in &record.objects {
        visit(&mut context, object, None, "");
    }
    structure::essentials(&mut context, record);
    references::identities(&mut context, record);
    physics::dates(&mut context, record);
    demands::policy(&mut context, record);
    demands::something(&mut context, record);
    Report { policy: policy.name.clone(), findings: context.findings, coverage: context.coverage }
}

fn visit(context: &mut Context, object: &Object, parent: Option<&'static Class>, above: &str) {
    let class = resolve(parent, &object.class);
    let at = match object.id().or_else(|| object.target()) {
        Some(id) => format!("{above}/{} {id}", object.class),
        None => format!("{above}/{}", object.class),
    };
    let place = Place { object: Some(object), at: &at, class: &object.class };
    match class {
        None => {
            let found = Found::new(Severity::Info, Rule::Unknown, "", "not an element of NBO 2.01");
            context.push(&place, found);
        }
        Some(class) => {
            for attribute in class.attributes() {
                field(context, object, class, attribute, &place);
            }
            structure::children(context, object, class, &place);
            references::reference(context, object, class, &place);
            physics::object(context, object, class, &place);
            contradictions::object(context, object, class, &place);
            for field in object.fields.iter().filter(|f| class.attribute(&f.name).is_none()) {
                let message = "not an attribute of this element in NBO 2.01";
                context.push(&place, Found::new(Severity::Info, Rule::Unknown, &field.name, message));
            }
        }
    }
    for child in &object.children {
        visit(context, child, class, &at);
    }
}

fn field(
    context: &mut Context,
    object: &Object,
    class: &'static Class,
    attribute: &'static Attribute,
    place: &Place,
) {
    let value = object.field(attribute.name).map_or(&Json::Null, |f| &f.value);
    // Two units are typed as numbers by mistake; any text will do there.
    let mistyped = attribute.kind == Kind::Unit && attribute.base.is_number();
    let state = if mistyped { State::Filled } else { value::state(attribute, value) };
    form(context, attribute, value, &state, place);
    // R8: units have no tier of their own; they are judged with their value.
    if attribute.kind != Kind::Value {
        return;
    }
    unit(context, object, class, attribute, &state, place);
    let waived = context.is_waived(class.name, Some(attribute.name)) || context.is_waived(class.name, None);
    let extra = context.policy.require.contains(&format!("{}@{}", class.name, attribute.name));
    let in_scope = context.in_scope(class, attribute) && !waived;
    let must = extra || context.is_must(attribute);
    let filled = matches!(state, State::Filled | State::NearlyListed(_) | State::Malformed(_));
    let well_formed = filled && !matches!(state, State::Malformed(_));
    context.cover(class.extension_of(attribute), context.tier(class, attribute), must, well_formed);
    context.asked += usize::from((in_scope || extra) && context.demands(must));
    // A placeholder says nothing, wherever it stands (R10).
    let stated = filled || state == State::NotApplicable;
    if filled || (stated && !in_scope && !extra) {
        if !in_scope && !extra {
            let message = "filled, not asked for".to_owned();
            context.push(place, Found::of(Severity::Info, Rule::BeyondScope, attribute, message));
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
        _ if context.demands(must) => Severity::Error,
        _ => Severity::Warning,
    };
    context.push(place, Found::of(severity, rule, attribute, message));
}

/// A value of the wrong form is an error whatever its tier; another spelling of a listed value is told.
fn form(context: &mut Context, attribute: &'static Attribute, value: &Json, state: &State, place: &Place) {
    match state {
        State::Malformed(why) => {
            let list = attribute.values();
            let offered = list.and_then(|list| nearest(list, &value::text(value)));
            let other = list.is_some_and(|list| list.values.iter().any(|v| v.trim() == "Other"));
            let message = match offered {
                Some(listed) => format!("{value}: {why}; the nearest is {listed:?}"),
                None if other => format!("{value}: {why}; 'Other' is"),
                None => format!("{value}: {why}"),
            };
            let found = Found::of(Severity::Error, Rule::Malformed, attribute, message);
            context.push(place, Found { nearest: offered, ..found });
        }
        State::NearlyListed(listed) => {
            let message = format!("{value} is spelt {listed:?} in the value list");
            let found = Found::of(Severity::Warning, Rule::Spelling, attribute, message);
            context.push(place, Found { nearest: Some(listed), ..found });
        }
        _ => {}
    }
}

/// A value whose unit is not said has the default's, if there is one, and says too little otherwise. A placeholder
/// says no unit.
fn unit(
    context: &mut Context,
    object: &Object,
    class: &'static Class,
    attribute: &'static Attribute,
    state: &State,
    place: &Place,
) {
    let (Some(unit), State::Filled) = (attribute.unit, state) else { return };
    let said = object.field(unit).is_some_and(|field| {
        let text = value::text(&field.value);
        let says = !field.value.is_null() && !text.trim().is_empty();
        says && field.origin != Origin::model_default()
            && !is_placeholder(class.attribute(unit), &field.value)
    });
    if said {
        return;
    }
    let (severity, message) = match attribute.unit_default {
        Some(default) => (Severity::Info, format!("no unit given; the default is {default}")),
        None if context.in_scope(class, attribute) => {
            (Severity::Warning, "no unit given, and there is no default".to_owned())
        }
        None => return,
    };
    let found = Found::of(severity, Rule::Unit, attribute, message);
    context.push(place, Found { field: unit, ..found });
}
