//! `fairzarr copy`.

use fairzarr_copy::Options;
use serde_json::json;
use std::time::Instant;

use super::convert::{stop_on_signal, watched};
use crate::args::{CheckArg, Copy};
use crate::exit::{Code, Failure};
use crate::print;
use crate::source::{self, Output};
use crate::telling;

pub(crate) fn run(args: &Copy) -> Result<Code, Failure> {
    let start = Instant::now();
    let from = source::source_store(&args.source, &args.store)?;
    let output = source::output(&args.target, &args.store)?;
    let (Output::Store(to) | Output::Archive(to, _)) = &output;
    let options =
        Options::new().with_check(args.verify.into()).with_resume(args.resume).with_take_over(args.take_over);
    let job = args.objects.job();
    if let Output::Archive(folder, name) = &output
        && args.resume
        && !folder.exists(name).map_err(|error| Failure::new(Code::Output, error))?
    {
        print::remark(format_args!("an .ozx is written in one go: the copy starts from the beginning"));
    }
    stop_on_signal(&job.cancel, to);
    let outcome = watched(&args.output, &job, || match &output {
        Output::Store(to) => fairzarr_copy::copy(&from, to, &options, &job),
        Output::Archive(folder, name) => fairzarr_copy::pack(&from, folder, name, &options, &job),
    });
    let report = match outcome.map_err(Failure::from) {
        Ok(report) => report,
        Err(failure) if failure.code() == Code::Interrupted => {
            let again = match output {
                Output::Store(_) => "run the same command with --resume to finish",
                Output::Archive(..) => "nothing was kept; run the same command again",
            };
            print::remark(format_args!("interrupted; {again}"));
            return Ok(Code::Interrupted);
        }
        Err(failure) => {
            to.abort();
            return Err(failure);
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    let verified = match args.verify {
        CheckArg::None => "none",
        CheckArg::Size => "size",
        CheckArg::Full => "full",
    };
    if telling::is_json() {
        let members = json!({
            "source": args.source, "target": args.target, "objects": report.objects, "bytes": report.bytes,
            "kept": report.kept, "verified": verified, "seconds": seconds,
        });
        return print::outcome("copy", Code::Done, &args.target, members);
    }
    let proof = match args.verify {
        CheckArg::None => "not looked at again",
        CheckArg::Size => "of the same sizes",
        CheckArg::Full => "read back and equal",
    };
    print::summary(format_args!(
        "{}: {} objects of {:.1} MB, {proof}, {} of them were there, {seconds:.2} s",
        args.target,
        report.objects,
        report.bytes as f64 / 1e6,
        report.kept
    ))?;
    Ok(Code::Done)
}
