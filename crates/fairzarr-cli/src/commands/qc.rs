//! `fairzarr qc`: which calibrations a store records, and whether its images satisfy demands on them. One attribute
//! of the root is read.

use fairzarr_nbo::placement;
use fairzarr_nbo::qc::{Index, Outcome, Requirement, Verdict};
use serde_json::json;

use crate::args::Qc;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;

pub(crate) fn run(args: &Qc) -> Result<Code, Failure> {
    let usage = |error| Failure::new(Code::Usage, error);
    let demands: Vec<Requirement> =
        args.require.iter().map(|text| text.parse().map_err(usage)).collect::<Result<_, _>>()?;
    let store = source::source_store(&args.path, &args.store)?;
    let none = |what| Failure::new(Code::Input, anyhow::anyhow!("{} {what}", args.path));
    let root = fairzarr_ome_zarr::attributes(&store, "")?.ok_or_else(|| none("is not a Zarr"))?;
    let index = if root.contains_key("nbo:qc") {
        placement::read_index(&root).map_err(|error| Failure::new(Code::Input, error))?
    } else {
        // Nothing is known, which is an answer.
        Index::default()
    };
    let verdicts: Vec<(&str, Vec<Verdict>)> = args
        .require
        .iter()
        .zip(&demands)
        .map(|(text, demand)| (text.as_str(), index.require(demand)))
        .collect();
    let passes = verdicts
        .iter()
        .all(|(_, verdicts)| !verdicts.is_empty() && verdicts.iter().all(|v| v.outcome == Outcome::Pass));
    if args.json {
        let answers: Vec<_> = verdicts
            .iter()
            .map(|(demand, verdicts)| json!({"require": demand, "verdicts": verdicts}))
            .collect();
        print::result(format_args!(
            "{:#}",
            json!({"qc": index.to_json(), "passes": passes, "answers": answers})
        ))?;
    } else {
        tell(&index, &verdicts)?;
    }
    Ok(if passes { Code::Done } else { Code::Different })
}

fn tell(index: &Index, verdicts: &[(&str, Vec<Verdict>)]) -> Result<(), Failure> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    if verdicts.is_empty() {
        for event in &index.events {
            print::result(format_args!(
                "{}  {}  instrument {}  objective {}  channel {}",
                event.kind,
                event.date.as_deref().unwrap_or("no date"),
                text(&event.instrument),
                text(&event.objective),
                text(&event.channel)
            ))?;
            for metric in &event.metrics {
                let unit = metric.unit.as_deref().unwrap_or_default();
                print::result(format_args!("    {} {} {unit}", metric.name, metric.value))?;
            }
        }
        for images in &index.images {
            print::result(format_args!(
                "{} image{} of {}: instrument {}, objective {}",
                images.count,
                if images.count == 1 { "" } else { "s" },
                images.acquisition_date.as_deref().unwrap_or("no date"),
                text(&images.instrument),
                text(&images.objective)
            ))?;
        }
        if index.events.is_empty() {
            print::result(format_args!("no calibration is recorded"))?;
        }
    }
    for (demand, verdicts) in verdicts {
        if verdicts.is_empty() {
            print::result(format_args!("unknown  {demand}: no image is described"))?;
        }
        for verdict in verdicts {
            print::result(format_args!(
                "{:<8} {demand}: {} ({} image{}): {}",
                verdict.outcome,
                verdict.image,
                verdict.images,
                if verdict.images == 1 { "" } else { "s" },
                verdict.reason
            ))?;
        }
    }
    Ok(())
}
