//! Every field of a complete record, made wrong in every way, at every place of the axes: the check finds what the rules
//! R1 to R10 say, and nothing else. What is expected is said here from the tables alone.
//!
//! Deliberate differences from "a MUST field in scope is an error, a SHOULD field a warning":
//! * a spelt-out "not applicable" is a statement: a warning in scope, nothing outside;
//! * a placeholder that a value list has is a value;
//! * a unit that is missing is the default's, or a warning (R8): it is never an error of its own;
//! * an identifier or reference of the wrong form is malformed whatever the scope, one that is missing leaves others
//!   dangling besides.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use fairzarr_nbo::Record;
use fairzarr_nbo::catalogue::{Attribute, Base, Class, Extension, Kind, Requirement};
use fairzarr_nbo::check::{Level, Policy, Rule, Severity, check};
use fairzarr_nbo::ingest::ingest;
use fairzarr_nbo::record::Object;
use serde_json::{Value as Json, json};

/// Fewer would mean that a form of mutation is no longer made.
const AT_LEAST: usize = 650;

/// Extensions, tier, level.
const PLACES: [(&[Extension], u8, Level); 5] = [
    (&[], 1, Level::Must),
    (&[Extension::Basic], 2, Level::Must),
    (&[Extension::Basic, Extension::Calibration], 2, Level::Should),
    (&[Extension::Advanced, Extension::Basic, Extension::Calibration], 3, Level::Must),
    (&[Extension::Advanced, Extension::Basic, Extension::Calibration], 3, Level::Should),
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mutation {
    Removed,
    Blank,
    Placeholder,
    NotApplicable,
    WrongType,
    NotListed,
    OutOfRange,
    Dangling,
}

/// What the rules say of a field that is mutated so: findings by severity and rule.
fn expected(
    class: &'static Class,
    attribute: &'static Attribute,
    mutation: Mutation,
    (extensions, tier, level): (&[Extension], u8, Level),
) -> Option<(Severity, Rule)> {
    // R7: a tier 4 is a 2. R6: none is out of the matrix. R1, R2: tiers add up, Core is always asked for.
    let own = if attribute.tier == 4 { 2 } else { attribute.tier };
    let extension = class.extension_of(attribute);
    let in_scope =
        (1..=tier).contains(&own) && (extension == Extension::Core || extensions.contains(&extension));
    // R3: MUST is demanded, SHOULD is advice unless the level asks for it.
    let demanded = attribute.requirement == Requirement::Must || level == Level::Should;
    let missing = in_scope.then_some(if demanded { Severity::Error } else { Severity::Warning });
    match mutation {
        Mutation::Removed | Mutation::Blank => missing.map(|severity| (severity, Rule::Missing)),
        Mutation::Placeholder => missing.map(|severity| (severity, Rule::Sentinel)),
        Mutation::NotApplicable => in_scope.then_some((Severity::Warning, Rule::Missing)),
        Mutation::WrongType | Mutation::NotListed | Mutation::OutOfRange => {
            Some((Severity::Error, Rule::Malformed))
        }
        Mutation::Dangling => Some((Severity::Error, Rule::Reference)),
    }
}

/// The ways in which a value of this attribute can be wrong, with the value.
fn mutations(attribute: &'static Attribute) -> Vec<(Mutation, Option<Json>)> {
    let mut all = vec![(Mutation::Removed, None), (Mutation::Blank, Some(json!("  ")))];
    if attribute.is_id() {
        return all;
    }
    all.push((Mutation::Placeholder, Some(json!("TBD"))));
    match attribute.base {
        _ if attribute.values().is_some() => {
            all.push((Mutation::NotListed, Some(json!("no such value at all"))));
        }
        Base::Str => all.push((Mutation::NotApplicable, Some(json!("not applicable")))),
        Base::Uri | Base::DateTime => {}
        _ => all.push((Mutation::WrongType, Some(json!("twelve or so")))),
    }
    match attribute.base {
        Base::PositiveFloat | Base::PositiveInt => all.push((Mutation::OutOfRange, Some(json!(0)))),
        Base::NonNegativeInt => all.push((Mutation::OutOfRange, Some(json!(-1)))),
        Base::Fraction => all.push((Mutation::OutOfRange, Some(json!(1.5)))),
        Base::Date => all.push((Mutation::OutOfRange, Some(json!("2023-02-29")))),
        _ => {}
    }
    all
}

/// How often each finding about this field of this object's class is made.
fn findings(record: &Record, policy: &Policy, class: &str, field: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let report = check(record, policy);
    for finding in report.findings.iter().filter(|f| f.class == class && f.field == field) {
        // Physics judges numbers beside these rules, and what is beyond the scope is no fault.
        if [Rule::Missing, Rule::Sentinel, Rule::Malformed, Rule::Reference].contains(&finding.rule) {
            *counts.entry(format!("{} {:?}", finding.severity, finding.rule)).or_default() += 1;
        }
    }
    counts
}

/// The objects of a record in order, to be reached again in a copy of it.
fn nth<'r>(objects: &'r mut [Object], n: &mut usize) -> Option<&'r mut Object> {
    for object in objects {
        if *n == 0 {
            return Some(object);
        }
        *n -= 1;
        if let Some(found) = nth(&mut object.children, n) {
            return Some(found);
        }
    }
    None
}

#[test]
fn every_field_made_wrong_is_found_as_the_rules_say() {
    let path = format!("{}/tests/data/handmade-widefield-psf-xsdvalid.xml", env!("CARGO_MANIFEST_DIR"));
    let record = ingest("whole.xml", &std::fs::read(path).unwrap()).unwrap();
    let mut objects: Vec<(usize, &'static Class, Vec<&'static Attribute>)> = Vec::new();
    let mut number = 0;
    record.visit(&mut |object, class| {
        if let Some(class) = class {
            let filled = object.fields.iter().filter_map(|f| class.attribute(&f.name));
            // What is said to be not applicable has a finding of its own already.
            let stated = |a: &&Attribute| {
                object.str(a.name).is_none_or(|text| text.to_lowercase() != "not applicable")
            };
            let values =
                filled.filter(|a| a.kind == Kind::Value && (!a.is_id() || class.owns_id()) && stated(a));
            objects.push((number, class, values.collect()));
        }
        number += 1;
    });
    let (mut made, mut wrong) = (0, Vec::new());
    for (place, (extensions, tier, level)) in PLACES.into_iter().enumerate() {
        let policy = Policy::new(tier, extensions, level).unwrap();
        for (number, class, attributes) in &objects {
            for attribute in attributes {
                let before = findings(&record, &policy, class.name, attribute.name);
                for (mutation, value) in mutations(attribute) {
                    // The forms of mutation take turns at the places, so that every one meets every place.
                    if (made + number) % PLACES.len() != place && mutation != Mutation::Removed {
                        continue;
                    }
                    let mut mutated = record.clone();
                    let object = nth(&mut mutated.objects, &mut number.clone()).unwrap();
                    match &value {
                        None => object.fields.retain(|f| f.name != attribute.name),
                        Some(value) => {
                            let field = object.fields.iter_mut().find(|f| f.name == attribute.name).unwrap();
                            field.value = value.clone();
                            field.text = None;
                        }
                    }
                    made += 1;
                    let mut right = before.clone();
                    if let Some((severity, rule)) =
                        expected(class, attribute, mutation, (extensions, tier, level))
                    {
                        *right.entry(format!("{severity} {rule:?}")).or_default() += 1;
                    }
                    let found = findings(&mutated, &policy, class.name, attribute.name);
                    if found != right {
                        wrong.push(format!(
                            "{}@{} {mutation:?} at tier {tier} {level:?}: {found:?}, not {right:?}",
                            class.name, attribute.name
                        ));
                    }
                }
            }
        }
    }
    // A reference to nothing, for every reference that there is.
    let policy = Policy::builtin("baseline").unwrap();
    let dangling = |record: &Record| {
        let report = check(record, &policy);
        report.findings.iter().filter(|f| f.rule == Rule::Reference && f.severity == Severity::Error).count()
    };
    let before = dangling(&record);
    for number in 0..number {
        let mut mutated = record.clone();
        let object = nth(&mut mutated.objects, &mut number.clone()).unwrap();
        let Some(target) = object.target().map(str::to_owned).filter(|_| object.id().is_none()) else {
            continue;
        };
        let field = object.fields.iter_mut().find(|f| f.value == target.as_str()).unwrap();
        let kind = target.split_once(':').map_or("X", |(kind, _)| kind);
        field.value = json!(format!("{kind}:404"));
        made += 1;
        let found = dangling(&mutated);
        if found != before + 1 {
            wrong.push(format!("{:?} {target}: {found} dangling, not {}", Mutation::Dangling, before + 1));
        }
    }
    assert!(wrong.is_empty(), "{} of {made}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(made >= AT_LEAST, "{made}");
}
