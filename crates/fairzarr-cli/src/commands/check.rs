//! `fairzarr check`: how complete a record of microscope and acquisition is.

use fairzarr_nbo::check::{Line, Report, Severity, check};

use super::provenance::{axes, policy, record};
use crate::args::Check;
use crate::exit::{Code, Failure};
use crate::print;
use crate::telling;

pub(crate) fn run(args: &Check) -> Result<Code, Failure> {
    let chosen = &args.axes;
    let any = chosen.tier.is_some() || chosen.level.is_some() || !chosen.extension.is_empty();
    let policy = match &args.policy {
        Some(name) => policy(name)?,
        None if any => axes(chosen)?,
        None => policy("baseline")?,
    };
    let report = check(&record(&args.path, &args.store)?, &policy);
    let code = if report.passes() { Code::Done } else { Code::Different };
    if telling::is_json() {
        let mut json = serde_json::to_value(&report).map_err(|error| Failure::new(Code::Output, error))?;
        json["passes"] = report.passes().into();
        json["paths"] = args.path.clone().into();
        return print::outcome("check", code, &args.path.join(" "), json);
    }
    tell(&report, args.all)?;
    Ok(code)
}

fn tell(report: &Report, all: bool) -> Result<(), Failure> {
    let least = if all { Severity::Info } else { Severity::Error };
    let mut before = "";
    for Line { finding, count, .. } in report.lines(least) {
        if finding.at != before {
            let part = if finding.part.is_empty() { "The record" } else { &finding.part };
            print::result(format_args!("{part}"))?;
            before = &finding.at;
        }
        let times = if count > 1 { format!("   {count} times") } else { String::new() };
        print::result(format_args!(
            "  {:<8} {:<14} {:<32} {}{times}",
            finding.severity, finding.rule, finding.field, finding.message
        ))?;
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
