//! `fairzarr validate`: is the metadata of an OME-Zarr valid NGFF?

use fairzarr_ngff::Severity;
use fairzarr_verify::{GroupFinding, Validity, validate_hierarchy};
use serde_json::json;
use std::collections::HashMap;

use crate::args::Validate;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;

pub(crate) fn run(args: &Validate) -> Result<Code, Failure> {
    let store = source::source_store(&args.path, &args.store)?;
    let validity = validate_hierarchy(&store).map_err(|error| Failure::from(error).about(&args.path))?;
    if args.output.json {
        print::result(format_args!("{:#}", as_json(&validity)))?;
    } else {
        tell(&args.path, &validity)?;
    }
    Ok(if validity.is_valid() { Code::Done } else { Code::Different })
}

fn as_json(validity: &Validity) -> serde_json::Value {
    let findings: Vec<_> = validity
        .findings
        .iter()
        .map(|found| {
            let finding = &found.finding;
            json!({
                "group": found.group, "severity": finding.severity.to_string(), "path": finding.path,
                "clause": finding.clause, "message": finding.message,
            })
        })
        .collect();
    json!({
        "valid": validity.is_valid(), "version": validity.version.map(|version| version.to_string()),
        "groups": validity.groups, "arrays": validity.arrays, "findings": findings,
    })
}

fn tell(path: &str, validity: &Validity) -> Result<(), Failure> {
    // A plate has the same to say of thousands of images.
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut told: Vec<(&GroupFinding, usize)> = Vec::new();
    for found in &validity.findings {
        let place = *places.entry(found.finding.to_string()).or_insert(told.len());
        match told.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => told.push((found, 1)),
        }
    }
    for (GroupFinding { group, finding }, count) in told {
        let group = if group.is_empty() { "(root)" } else { group };
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        print::result(format_args!("{group}{more}: {finding}"))?;
    }
    let count =
        |severity| validity.findings.iter().filter(|found| found.finding.severity == severity).count();
    let version = validity.version.map_or_else(|| "of unknown version".into(), |version| version.to_string());
    print::result(format_args!(
        "{path}: {} NGFF {version}, {} groups and {} arrays looked at: {} demands and {} recommendations broken",
        if validity.is_valid() { "valid" } else { "not valid" },
        validity.groups,
        validity.arrays,
        count(Severity::Must),
        count(Severity::Should)
    ))?;
    Ok(())
}
