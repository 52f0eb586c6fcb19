//! `fairzarr check`: how complete a record of microscope and acquisition is.

use fairzarr_nbo::check::{Finding, Report, Severity, check};
use std::collections::HashMap;

use super::provenance::{axes, policy, record};
use crate::args::Check;
use crate::exit::{Code, Failure};
use crate::print;

pub(crate) fn run(args: &Check) -> Result<Code, Failure> {
    let chosen = &args.axes;
    let any = chosen.tier.is_some() || chosen.level.is_some() || !chosen.extension.is_empty();
    let policy = match &args.policy {
        Some(name) => policy(name)?,
        None if any => axes(chosen)?,
        None => policy("baseline")?,
    };
    let report = check(&record(&args.path, &args.store)?, &policy);
    if args.json {
        let mut json = serde_json::to_value(&report).map_err(|error| Failure::new(Code::Output, error))?;
        json["passes"] = report.passes().into();
        print::result(format_args!("{json:#}"))?;
    } else {
        tell(&report, args.all)?;
    }
    Ok(if report.passes() { Code::Done } else { Code::Different })
}

/// What was found at one object, and at others where the same was found.
struct Place<'r> {
    at: &'r str,
    alike: usize,
    findings: Vec<&'r Finding>,
}

/// Findings by object, in record order. Objects of one class with the same findings, such as the channels of a plate,
/// are one place.
fn places(report: &Report, all: bool) -> Vec<Place<'_>> {
    let shown = report.findings.iter().filter(|finding| all || finding.severity == Severity::Error);
    let mut objects: Vec<Place> = Vec::new();
    for finding in shown {
        match objects.last_mut() {
            Some(last) if last.at == finding.at => last.findings.push(finding),
            _ => objects.push(Place { at: &finding.at, alike: 0, findings: vec![finding] }),
        }
    }
    let mut known = HashMap::new();
    let mut places: Vec<Place> = Vec::new();
    for object in objects {
        let said = |f: &&Finding| (f.severity, f.class.clone(), f.field.clone(), f.message.clone());
        let key: Vec<_> = object.findings.iter().map(said).collect();
        let index = *known.entry(key).or_insert(places.len());
        match places.get_mut(index) {
            Some(place) => place.alike += 1,
            None => places.push(object),
        }
    }
    places
}

fn tell(report: &Report, all: bool) -> Result<(), Failure> {
    for place in places(report, all) {
        let alike =
            if place.alike > 0 { format!("   and {} more alike", place.alike) } else { String::new() };
        print::result(format_args!("{}{alike}", place.at.trim_start_matches('/').replace('/', " / ")))?;
        for finding in place.findings {
            print::result(format_args!(
                "  {:<8} {:<14} {:<32} {}",
                finding.severity, finding.rule, finding.field, finding.message
            ))?;
        }
    }
    for coverage in &report.coverage {
        print::result(format_args!(
            "tier {}: {} of {} MUST fields filled, {} of {} SHOULD fields",
            coverage.tier, coverage.must_filled, coverage.must, coverage.should_filled, coverage.should
        ))?;
    }
    print::result(format_args!(
        "{}: {}, {} errors, {} warnings",
        report.policy,
        if report.passes() { "passes" } else { "does not pass" },
        report.count(Severity::Error),
        report.count(Severity::Warning)
    ))
}
