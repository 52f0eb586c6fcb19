//! `fairzarr qc`: which calibrations a store records, what was counted of its images' quality, and whether its images satisfy
//! demands on them. Of calibrations one attribute of the root is read; in stores whose index does not say which images they
//! hold, the records of all images. The quality of images is read from their groups where it is asked for or listed.

use fairzarr_nbo::placement;
use fairzarr_nbo::qc::{self, ImageQuality, Index, Outcome, Requirement, Verdict};
use fairzarr_ome_zarr::keys;
use fairzarr_store::Store;
use serde_json::{Map, Value, json};

use super::provenance;

use crate::args::Qc;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;
use crate::telling;

pub(crate) fn run(args: &Qc) -> Result<Code, Failure> {
    let usage = |error| Failure::new(Code::Usage, error);
    let demands: Vec<Requirement> =
        args.require.iter().map(|text| text.parse().map_err(usage)).collect::<Result<_, _>>()?;
    let store = source::source_store(&args.path, &args.store)?;
    let none = |what| Failure::new(Code::Input, anyhow::anyhow!("{} {what}", args.path));
    let root = fairzarr_ome_zarr::attributes(&store, "")?.ok_or_else(|| none("is not a Zarr"))?;
    let mut index = if root.contains_key("nbo:qc") {
        placement::read_index(&root).map_err(|error| Failure::new(Code::Input, error))?
    } else {
        // Nothing is known, which is an answer.
        Index::default()
    };
    if index.layout < qc::LAYOUT && root.contains_key("nbo:record") {
        index = qc::index(&provenance::of_store(&store)?);
    }
    let asks_for_quality = demands.iter().any(|demand| demand.kind == qc::IMAGE_QUALITY);
    let quality = if asks_for_quality || demands.is_empty() { image_quality(&store)? } else { Vec::new() };
    let answers: Vec<Answers> = args
        .require
        .iter()
        .zip(&demands)
        .map(|(text, demand)| match demand.kind.as_str() {
            qc::IMAGE_QUALITY => {
                Answers { demand: text, verdicts: qc::require_quality(&quality, demand), others: Vec::new() }
            }
            _ => Answers { demand: text, verdicts: index.require(demand), others: index.others(demand) },
        })
        .collect();
    // Nothing asked is no answer, and so never a pass.
    let passes = (!answers.is_empty()).then(|| answers.iter().all(Answers::pass));
    let code = if passes.unwrap_or(true) { Code::Done } else { Code::Different };
    if telling::is_json() {
        let answers: Vec<_> = answers
            .iter()
            .map(|a| json!({"require": a.demand, "verdicts": a.verdicts, "notOfThisStore": a.others}))
            .collect();
        let mut members = json!({"qc": index.to_json(), "passes": passes, "answers": answers});
        members["imageQuality"] = json!(quality);
        return print::outcome("qc", code, &args.path, members);
    }
    tell(&index, &quality, &answers)?;
    Ok(code)
}

/// What was counted of the images of a store; of a Zarr that holds no image, nothing.
fn image_quality(store: &Store) -> Result<Vec<ImageQuality>, Failure> {
    let groups = match fairzarr_ome_zarr::image_groups(store) {
        Err(fairzarr_ome_zarr::Error::NotAnImage(_)) => Vec::new(),
        groups => groups?,
    };
    let read = |(path, attributes): &(String, Map<String, Value>)| {
        let ngff = attributes.get("ome").and_then(Value::as_object).unwrap_or(attributes);
        let channels = ngff.get("omero").and_then(|omero| omero.get("channels")?.as_array());
        let label =
            |channel: &Value| channel.get("label").and_then(Value::as_str).unwrap_or_default().to_owned();
        let labels: Vec<String> = channels.into_iter().flatten().map(label).collect();
        let name = ngff.get("multiscales").and_then(|all| all.get(0)?.get("name")?.as_str());
        ImageQuality::read(path, name.map(str::to_owned), attributes.get(keys::STATISTICS), &labels)
    };
    Ok(groups.iter().map(read).collect())
}

/// What a demand comes to.
struct Answers<'a> {
    demand: &'a str,
    /// For the images of the store.
    verdicts: Vec<Verdict>,
    /// For others that the record describes, which count for nothing.
    others: Vec<Verdict>,
}

impl Answers<'_> {
    fn pass(&self) -> bool {
        !self.verdicts.is_empty() && self.verdicts.iter().all(|v| v.outcome == Outcome::Pass)
    }
}

fn tell(index: &Index, quality: &[ImageQuality], answers: &[Answers]) -> Result<(), Failure> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let list = |values: &[String]| if values.is_empty() { "-".into() } else { values.join(", ") };
    if answers.is_empty() {
        for event in &index.events {
            print::result(format_args!(
                "{}  {}  instrument {}  objective {}  channel {}",
                event.kind,
                event.date.as_deref().unwrap_or("no date"),
                text(&event.instrument),
                text(&event.objective),
                list(&event.channels)
            ))?;
            for metric in &event.metrics {
                let unit = metric.unit.as_deref().unwrap_or_default();
                print::result(format_args!("    {} {} {unit}", metric.name, metric.value))?;
            }
        }
        for images in &index.images {
            print::result(format_args!(
                "{} image{}{} of {}: instrument {}, objective {}",
                images.count,
                if images.count == 1 { "" } else { "s" },
                if images.in_store == Some(false) { " (not of this store)" } else { "" },
                images.acquisition_date.as_deref().unwrap_or("no date"),
                text(&images.instrument),
                text(&images.objective)
            ))?;
        }
        if index.events.is_empty() {
            print::result(format_args!("no calibration is recorded"))?;
        }
        tell_quality(quality)?;
    }
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    for Answers { demand, verdicts, others } in answers {
        for verdict in verdicts {
            let image = if verdict.image.is_empty() { "not described" } else { &verdict.image };
            print::result(format_args!(
                "{:<8} {demand}: {image} ({} image{}): {}",
                verdict.outcome,
                verdict.images,
                plural(verdict.images),
                verdict.reason
            ))?;
        }
        for verdict in others {
            print::result(format_args!(
                "{:<8} {demand}: {} ({} image{} not of this store, would be: {}): {}",
                "other",
                verdict.image,
                verdict.images,
                plural(verdict.images),
                verdict.outcome,
                verdict.reason
            ))?;
        }
    }
    Ok(())
}

/// How many images' quality is listed; `--json` has all.
const LISTED: usize = 16;

fn tell_quality(quality: &[ImageQuality]) -> Result<(), Failure> {
    for image in quality.iter().take(LISTED) {
        for counted in image.channels.iter().filter(|counted| !counted.metrics.is_empty()) {
            let name = image.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&image.path);
            let metrics: Vec<String> =
                counted.metrics.iter().map(|m| format!("{} {}", m.name, m.value)).collect();
            print::result(format_args!(
                "{}  {name}  channel {}: {}",
                qc::IMAGE_QUALITY,
                counted.channel,
                metrics.join(", ")
            ))?;
        }
    }
    if let Some(more) = quality.len().checked_sub(LISTED).filter(|more| *more > 0) {
        print::result(format_args!("{more} more images: --json lists the quality of all"))?;
    }
    Ok(())
}
