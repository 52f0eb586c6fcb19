//! `fairzarr verify`.

use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use fairzarr_task::Job;
use fairzarr_verify::{Error, Options, Report};

use super::certificate::{self, Compared};
use super::convert::{stop_on_signal, watched};
use crate::args::Verify;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;
use crate::telling;

pub(crate) fn run(args: &Verify) -> Result<Code, Failure> {
    if let Some(path) = &args.certificate {
        certificate::check_place(path)?;
    }
    let options = Options::new().with_sample(args.sample);
    let job = Job::new().with_threads(args.jobs).with_memory(args.memory);
    let Some(target) = &args.target else {
        let store = source::source_store(&args.source, &args.store)?;
        stop_on_signal(&job.cancel, &store);
        let report = fairzarr_verify::verify_store(&store, &options, &job);
        return outcome(args, report, None, &store);
    };
    let store = source::store(target, &args.store, Code::Input)?;
    // What is read of its root, to know what to compare, is read once.
    let store = if store.is_remote() { store.keeping(args.memory / 2) } else { store };
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
    outcome(args, report, Some(&fileset), &store)
}

fn outcome(
    args: &Verify,
    report: Result<Report, Error>,
    fileset: Option<&Fileset>,
    store: &Store,
) -> Result<Code, Failure> {
    let place = args.target.as_ref().unwrap_or(&args.source);
    match report {
        Ok(report) => {
            let compared = Compared {
                source: args.target.as_ref().map(|_| args.source.as_str()),
                store: place,
                sample: args.sample.to_string(),
                report: &report,
            };
            if let Some(path) = &args.certificate {
                certificate::write(path, &compared, fileset, store)?;
            }
            tell(&compared)
        }
        Err(Error::Interrupted) => {
            print::remark(format_args!("interrupted; nothing was proved"));
            Ok(Code::Interrupted)
        }
        Err(error) => Err(Failure::from(error).about(place)),
    }
}

fn tell(compared: &Compared<'_>) -> Result<Code, Failure> {
    let report = compared.report;
    let code = if report.holds() { Code::Done } else { Code::Different };
    if telling::is_json() {
        return print::outcome("verification", code, compared.store, compared.to_json());
    }
    print::lines(&report.to_string())?;
    Ok(code)
}
