//! `fairzarr plan`, `run` and `commit`: one conversion by several processes that share only the store.

use fairzarr_convert::{Error, Existing, Options, Progress};
use fairzarr_store::Store;
use std::time::Instant;

use super::convert::{open, options, show_plan, stop_on_signal, tell, watched};
use crate::args::{Run, Split};
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;

pub(crate) fn plan(args: &Split) -> Result<Code, Failure> {
    let mut options = options(&args.source, &args.choices);
    if args.overwrite {
        options.existing = Existing::Overwrite;
    }
    let fileset = open(&args.source, &args.choices, &args.store)?;
    let store = source::store(&args.target, &args.store, Code::Output)?;
    super::provenance::choose(&args.choices.provenance, &fileset, &mut options)?;
    let plan = fairzarr_convert::prepare(&fileset, &store, &options)?;
    show_plan(&plan, &options, args.output.json)?;
    Ok(Code::Done)
}

pub(crate) fn run(args: &Run) -> Result<Code, Failure> {
    let Run { split: args, task } = args;
    let options = options(&args.source, &args.choices);
    let fileset = open(&args.source, &args.choices, &args.store)?;
    let store = source::store(&args.target, &args.store, Code::Output)?;
    check_typed(args, &options, &store)?;
    stop_on_signal(&options.cancel, &store);
    let progress = Progress::default();
    let outcome = watched(&args.output, &progress, || {
        fairzarr_convert::run_share(&fileset, &store, &options, *task, &progress)
    });
    match outcome {
        Ok(()) => Ok(Code::Done),
        Err(Error::Interrupted) => {
            print::note(format_args!("fairzarr: interrupted; run the same task again to finish it"));
            Ok(Code::Interrupted)
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn commit(args: &Split) -> Result<Code, Failure> {
    let start = Instant::now();
    let mut options = options(&args.source, &args.choices);
    let fileset = open(&args.source, &args.choices, &args.store)?;
    let store = source::store(&args.target, &args.store, Code::Output)?;
    check_typed(args, &options, &store)?;
    super::provenance::given(&args.choices.provenance, &mut options)?;
    let progress = Progress::default();
    let report =
        watched(&args.output, &progress, || fairzarr_convert::commit(&fileset, &store, &options, &progress))?;
    super::provenance::tell(&report, args.choices.provenance.policy.is_some());
    tell(&args.source, &args.target, &args.output, &report, start.elapsed().as_secs_f64())?;
    Ok(Code::Done)
}

/// What shapes the output was decided by `plan`: options that say otherwise now are refused, not passed over.
fn check_typed(args: &Split, options: &Options, store: &Store) -> Result<(), Failure> {
    let planned = fairzarr_convert::planned(store)?.options;
    let now = options.shaping();
    for name in &args.typed {
        let name = if name == "preset" { "codec" } else { name };
        if let (Some(planned), Some(now)) = (planned.get(name), now.get(name))
            && planned != now
        {
            return Err(Failure::usage(format!(
                "{} was planned with --{name} {planned}, not {now}; leave the option out, or plan again with --overwrite",
                args.target
            )));
        }
    }
    Ok(())
}
