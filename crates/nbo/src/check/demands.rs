//! What the policy demands beyond the axes, and that anything was asked at all.

use super::context::{Context, Found, Place};
use super::policy::split;
use super::report::{Rule, Severity};
use crate::catalogue;
use crate::qc;
use crate::record::{Object, Record};

pub(super) fn policy(context: &mut Context, record: &Record) {
    let policy = context.policy;
    let mut fail = |place: &Place, demand: &str, message: String| {
        context.push(place, Found::new(Severity::Error, Rule::Policy, demand, message));
    };
    let whole = Place { object: None, at: "/", class: "" };
    for demand in &policy.require {
        let (class, attribute) = split(demand);
        let is_one = |o: &Object| catalogue::class(&o.class).is_some_and(|c| c.is_a(class));
        if record.objects.iter().flat_map(Object::descendants).any(is_one) {
            continue;
        }
        match attribute {
            None => fail(&whole, class, "the policy asks for at least one".to_owned()),
            Some(_) => fail(&whole, demand, format!("the policy asks for it, and there is no {class}")),
        }
    }
    if policy.qc.is_empty() {
        return;
    }
    let index = qc::index(record);
    for demand in &policy.qc {
        let Ok(requirement) = demand.parse::<qc::Requirement>() else { continue };
        for verdict in index.require(&requirement) {
            if verdict.outcome != qc::Outcome::Pass {
                let at = format!("/Image {}", verdict.image);
                let place =
                    Place { object: record.find(&verdict.image, &["Image"]), at: &at, class: "Image" };
                fail(&place, demand, verdict.reason.clone());
            }
        }
    }
}

/// Nothing of nothing is no pass: a record of which nothing could be asked has not shown anything.
pub(super) fn something(context: &mut Context, record: &Record) {
    if context.asked > 0 {
        return;
    }
    let place = Place { object: None, at: "/", class: "" };
    let (found, message) = if record.objects.is_empty() {
        (
            "record",
            std::iter::once(
                "there is no NBO record: what was read describes no microscope, image or calibration",
            )
            .chain(crate::ingest::left_out(record))
            .collect::<Vec<_>>()
            .join("; "),
        )
    } else {
        let mut classes: Vec<_> = record.objects.iter().map(|o| o.class.as_str()).collect();
        classes.dedup();
        classes.truncate(5);
        let has = classes.join(", ");
        (
            "fields",
            format!("nothing was asked: 0 of 0, for the policy asks for no field of what is there ({has})"),
        )
    };
    context.push(&place, Found::new(Severity::Error, Rule::Policy, found, message));
}
