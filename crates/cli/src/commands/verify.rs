//! `fairzarr verify`.

use fairzarr_ome_tiff::OpenOptions;
use fairzarr_verify::{Options, Report};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::args::Verify;
use crate::exit::{Code, Failure};
use crate::print;
use crate::progress::{self, Position};
use crate::source;

pub(crate) fn run(args: &Verify) -> Result<Code, Failure> {
    let mut options = Options::default();
    options.jobs = args.jobs.unwrap_or(options.jobs);
    options.sample = args.sample;
    let Some(target) = &args.target else {
        let store = source::source_store(&args.source, &args.store)?;
        let report = fairzarr_verify::verify_store(&store, &options);
        return tell(args, &report.map_err(|error| Failure::from(error).about(&args.source))?);
    };
    let mut open = OpenOptions::default();
    // Planes that a conversion filled on request are compared with zeros.
    open.on_missing = fairzarr_ome_tiff::OnMissing::Fill;
    let fileset = source::fileset(&args.source, &args.store, open)?;
    let store = source::store(target, &args.store, Code::Input)?;
    let total = fileset
        .images()
        .iter()
        .map(|image| {
            let shape = image.shape();
            [shape.t, shape.c, shape.z, shape.y, shape.x].iter().map(|n| u64::from(*n)).product::<u64>()
                * image.sample_type().bytes() as u64
        })
        .sum();
    let done = Arc::clone(&options.progress);
    let position = || Position { done: done.load(Ordering::Relaxed), total, before: 0 };
    let report =
        progress::show(&args.output, position, || fairzarr_verify::verify(&fileset, &store, &options));
    tell(args, &report.map_err(|error| Failure::from(error).about(target))?)
}

fn tell(args: &Verify, report: &Report) -> Result<Code, Failure> {
    if args.output.json {
        print::result(format_args!(
            "{:#}",
            serde_json::json!({"holds": report.holds(), "checks": report.checks})
        ))?;
    } else {
        print::result(format_args!("{}", report.to_string().trim_end()))?;
    }
    Ok(if report.holds() { Code::Done } else { Code::Different })
}
