//! `fairzarr export`.

use fairzarr_export::{Error, Labels, Options, Report};
use fairzarr_store::Store;
use fairzarr_task::Job;
use serde_json::json;
use std::time::Instant;

use super::convert::{stop_on_signal, watched};
use crate::args::Export;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;
use crate::telling;

pub(crate) fn run(args: &Export) -> Result<Code, Failure> {
    let start = Instant::now();
    let name = args.target.display();
    if name.to_string().contains("://") {
        return Err(Failure::usage(format!("{name}: an OME-TIFF is written to a file of this machine")));
    }
    let store = source::source_store(&args.source, &args.store)?;
    let mut options = Options::default();
    options.compression = args.compression.into();
    options.predictor = args.predictor;
    options.pyramid = !args.no_pyramid;
    options.overwrite = args.overwrite;
    let job = Job::new().with_threads(args.jobs);
    stop_on_signal(&job.cancel, &store);
    let outcome = watched(&args.output, &job, || all(args, &store, &options, &job));
    let (report, labels) = match outcome {
        Ok(reports) => reports,
        Err(Error::Interrupted) => {
            print::remark(format_args!("interrupted; nothing was kept; run the same command again"));
            return Ok(Code::Interrupted);
        }
        Err(error @ (Error::Store(_) | Error::Unfit { .. })) => {
            return Err(Failure::from(error).about(&args.source));
        }
        Err(error) => return Err(error.into()),
    };
    for level in labels.iter().map(|(_, report)| report).chain([&report]).flat_map(|report| &report.left_out)
    {
        print::warning(format_args!("a reduced level is left out: {level}"));
    }
    if !report.tags_left_out.is_empty() {
        let tags = report.tags_left_out.join(", ");
        print::remark(format_args!(
            "TIFF tags of the source that the file has not: {tags}; the store keeps them"
        ));
    }
    let seconds = start.elapsed().as_secs_f64();
    if telling::is_json() {
        let members = json!({
            "source": args.source, "target": name.to_string(), "images": report.images, "planes": report.planes,
            "bytes": report.bytes, "bigtiff": report.big, "left_out": report.left_out,
            "tags_left_out": report.tags_left_out, "labels": labels.iter().map(of_labels).collect::<Vec<_>>(),
            "seconds": seconds,
        });
        return print::outcome("export", Code::Done, &name.to_string(), members);
    }
    let images = if report.images == 1 { "image" } else { "images" };
    let kind = if report.big { "BigTIFF" } else { "TIFF" };
    print::summary(format_args!(
        "{name}: {} {images} of {} planes in a {kind} of {:.1} MB, {seconds:.2} s",
        report.images,
        report.planes,
        report.bytes as f64 / 1e6,
    ))?;
    for (labels, report) in &labels {
        let target = labels.target.display();
        print::summary(format_args!("{target}: labels {} of {} images", labels.name, report.images))?;
    }
    Ok(Code::Done)
}

/// The file of the images, and those of the label images if they are asked for.
fn all(
    args: &Export,
    store: &Store,
    options: &Options,
    job: &Job,
) -> Result<(Report, Vec<(Labels, Report)>), Error> {
    let labels = if args.labels { fairzarr_export::labels(store, &args.target)? } else { Vec::new() };
    if let Some(labels) = labels.iter().find(|labels| !options.overwrite && labels.target.exists()) {
        return Err(Error::Exists(labels.target.clone()));
    }
    let report = fairzarr_export::export(store, &args.target, options, job)?;
    let mut written = Vec::new();
    for labels in labels {
        let report = fairzarr_export::export_labels(store, &labels, options, &job.next_step())?;
        written.push((labels, report));
    }
    Ok((report, written))
}

/// What programs are told of a file of label images.
fn of_labels((labels, report): &(Labels, Report)) -> serde_json::Value {
    json!({
        "name": labels.name, "target": labels.target.display().to_string(), "images": report.images,
        "planes": report.planes, "bytes": report.bytes,
    })
}
