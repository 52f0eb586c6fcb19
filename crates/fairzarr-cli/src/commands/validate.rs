//! `fairzarr validate`: is the metadata of an OME-Zarr valid NGFF?

use fairzarr_ngff::hierarchy::{Depth, NodeFinding, Validity};
use fairzarr_ngff::{Finding, Severity, ozx};
use fairzarr_verify::validate_hierarchy;
use serde_json::json;
use std::collections::HashMap;

use crate::args::Validate;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;
use crate::telling;

pub(crate) fn run(args: &Validate) -> Result<Code, Failure> {
    let store = source::source_store(&args.path, &args.store)?;
    let depth = if args.deep { Depth::Objects } else { Depth::Documents };
    let archive = store.location().is_archive();
    let validity = match validate_hierarchy(&store, depth) {
        Ok(mut validity) => {
            if archive {
                let around = around(args, validity.declared.as_deref())?;
                validity.add("", around);
            }
            validity
        }
        // Where the hierarchy is not at the root of an archive, the archive is what is wrong.
        Err(error) => match if archive { around(args, None)? } else { Vec::new() } {
            findings if findings.iter().any(|found| found.severity == Severity::Must) => {
                let mut validity = Validity::default();
                validity.add("", findings);
                validity
            }
            _ => return Err(Failure::from(error).about(&args.path)),
        },
    };
    let code = if validity.is_valid() { Code::Done } else { Code::Different };
    if telling::is_json() {
        return print::outcome("validation", code, &args.path, as_json(&validity));
    }
    tell(&args.path, &validity)?;
    Ok(code)
}

/// What is wrong with the archive around a hierarchy.
fn around(args: &Validate, version: Option<&str>) -> Result<Vec<Finding>, Failure> {
    let (folder, name) = source::beside(&args.path, &args.store)?;
    let read = |error| Failure::new(Code::Input, error);
    let size = folder.size(&name).map_err(read)?.unwrap_or_default();
    ozx::judge(&name, size, version, |start, end| {
        Ok(folder.get_range(&name, start..end).map_err(read)?.unwrap_or_default().to_vec())
    })
}

fn as_json(validity: &Validity) -> serde_json::Value {
    let findings: Vec<_> = validity
        .findings
        .iter()
        .map(|found| {
            let finding = &found.finding;
            json!({
                "group": found.node, "severity": finding.severity.to_string(), "path": finding.path,
                "clause": finding.clause, "message": finding.message, "remedy": finding.remedy,
            })
        })
        .collect();
    json!({
        "valid": validity.is_valid(), "version": version(validity),
        "groups": validity.groups, "arrays": validity.arrays, "objects": validity.objects, "findings": findings,
    })
}

fn tell(path: &str, validity: &Validity) -> Result<(), Failure> {
    // A plate has the same to say of thousands of images.
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut told: Vec<(&NodeFinding, usize)> = Vec::new();
    for found in &validity.findings {
        let place = *places.entry(found.finding.to_string()).or_insert(told.len());
        match told.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => told.push((found, 1)),
        }
    }
    for (NodeFinding { node, finding, .. }, count) in told {
        let group = if node.is_empty() { "(root)" } else { node };
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        print::result(format_args!("{group}{more}: {finding}"))?;
        print::result(format_args!("    {}", finding.remedy))?;
    }
    let count =
        |severity| validity.findings.iter().filter(|found| found.finding.severity == severity).count();
    let version = version(validity).unwrap_or_else(|| "of unknown version".into());
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

/// The version that was judged by, or that is declared where it is another one.
fn version(validity: &Validity) -> Option<String> {
    validity.version.map(|version| version.to_string()).or_else(|| validity.declared.clone())
}
