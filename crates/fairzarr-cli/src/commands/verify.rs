//! `fairzarr verify`.

use fairzarr_task::Job;
use fairzarr_verify::{Error, Options, Report};

use super::convert::{stop_on_signal, watched};
use crate::args::Verify;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;

pub(crate) fn run(args: &Verify) -> Result<Code, Failure> {
    let options = Options::new().with_sample(args.sample);
    let job = Job::new().with_threads(args.jobs).with_memory(args.memory);
    let Some(target) = &args.target else {
        let store = source::source_store(&args.source, &args.store)?;
        stop_on_signal(&job.cancel, &store);
        let report = fairzarr_verify::verify_store(&store, &options, &job);
        return outcome(args, report, &args.source);
    };
    let store = source::store(target, &args.store, Code::Input)?;
    let mut fileset = source::fileset(&args.source, &args.store, fairzarr_verify::opening(&store))?;
    // Of a part of the source the store says which part.
    let part = fairzarr_verify::part(&fileset, &store).map_err(|error| Failure::from(error).about(target))?;
    fileset = fileset.part(&part).map_err(|error| Failure::from(error).about(&args.source))?;
    stop_on_signal(&job.cancel, &store);
    let bytes = fileset.images().iter().map(|image| {
        let shape = image.shape();
        [shape.t, shape.c, shape.z, shape.y, shape.x].iter().map(|n| u64::from(*n)).product::<u64>()
            * image.sample_type().bytes() as u64
    });
    job.progress.expect(bytes.sum());
    let report = watched(&args.output, &job, || fairzarr_verify::verify(&fileset, &store, &options, &job));
    outcome(args, report, target)
}

fn outcome(args: &Verify, report: Result<Report, Error>, place: &str) -> Result<Code, Failure> {
    match report {
        Ok(report) => tell(args, &report),
        Err(Error::Interrupted) => {
            print::note(format_args!("fairzarr: interrupted; nothing was proved"));
            Ok(Code::Interrupted)
        }
        Err(error) => Err(Failure::from(error).about(place)),
    }
}

fn tell(args: &Verify, report: &Report) -> Result<Code, Failure> {
    if args.output.json {
        print::json(&serde_json::json!({"holds": report.holds(), "checks": report.checks}))?;
    } else {
        print::lines(&report.to_string())?;
    }
    Ok(if report.holds() { Code::Done } else { Code::Different })
}
