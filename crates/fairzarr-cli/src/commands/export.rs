//! `fairzarr export`.

use fairzarr_export::{Error, Options};
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
    let outcome =
        watched(&args.output, &job, || fairzarr_export::export(&store, &args.target, &options, &job));
    let report = match outcome {
        Ok(report) => report,
        Err(Error::Interrupted) => {
            print::remark(format_args!("interrupted; nothing was kept; run the same command again"));
            return Ok(Code::Interrupted);
        }
        Err(error @ (Error::Store(_) | Error::Unfit { .. })) => {
            return Err(Failure::from(error).about(&args.source));
        }
        Err(error) => return Err(error.into()),
    };
    for level in &report.left_out {
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
            "tags_left_out": report.tags_left_out, "seconds": seconds,
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
    Ok(Code::Done)
}
