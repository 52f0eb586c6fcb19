//! `fairzarr upgrade`.

use serde_json::json;
use std::time::Instant;

use super::convert::{stop_on_signal, watched};
use crate::args::Upgrade;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source::{self, Output};
use crate::telling;

pub(crate) fn run(args: &Upgrade) -> Result<Code, Failure> {
    let start = Instant::now();
    let job = args.objects.job();
    let outcome = match (&args.target, args.to) {
        (_, None) => fairzarr_upgrade::undo(&source::store(&args.store, &args.places, Code::Output)?),
        (None, Some(to)) => {
            fairzarr_upgrade::in_place(&source::store(&args.store, &args.places, Code::Output)?, to)
        }
        (Some(target), Some(to)) => {
            let from = source::source_store(&args.store, &args.places)?;
            let Output::Store(place) = source::output(target, &args.places)? else {
                return Err(Failure::usage(format!(
                    "{target}: an upgrade is written to a folder; fairzarr copy makes one file of it"
                )));
            };
            stop_on_signal(&job.cancel, &place);
            let outcome = watched(&args.output, &job, || {
                fairzarr_upgrade::to_place(&from, &place, to, args.take_over, &job)
            });
            if outcome.is_err() {
                place.abort();
            }
            outcome
        }
    };
    let report = match outcome.map_err(Failure::from) {
        Err(failure) if failure.code() == Code::Interrupted => {
            print::remark(format_args!(
                "interrupted; what was written is no store: remove it and run the command again"
            ));
            return Ok(Code::Interrupted);
        }
        other => other?,
    };
    let seconds = start.elapsed().as_secs_f64();
    let place = args.target.as_deref().unwrap_or(&args.store);
    if telling::is_json() {
        let members = json!({
            "store": args.store, "target": args.target, "from": report.from.as_str(), "to": report.to.as_str(),
            "documents": report.documents, "moved": report.moved, "recoded": report.recoded, "seconds": seconds,
        });
        return print::outcome("upgrade", Code::Done, place, members);
    }
    print::summary(format_args!(
        "{place}: NGFF {} to {}, {} documents written, {} objects moved, {} chunks encoded again, {seconds:.2} s",
        report.from, report.to, report.documents, report.moved, report.recoded
    ))?;
    Ok(Code::Done)
}
