//! A conversion that is known to be finished: what it was, and what it did.

use fairzarr_ome_tiff::Fileset;
use fairzarr_task::Job;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::options::Options;
use crate::pipeline::timing::StageTimes;
use crate::plan::Plan;
use crate::{Report, merged, report};

/// A conversion by its source and its options, without doing it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished {
    /// Equal for equal source, settings and documents, and for no others: lower-case hexadecimal digits.
    pub identity: String,
    /// What it tells when nothing is left to be done.
    pub report: Report,
}

/// Tells what [`convert`](crate::convert()) would make, for those who keep its result elsewhere and have to know whether it is of
/// the same conversion.
///
/// # Errors
/// When the plan cannot be made, or the documents cannot be merged.
pub fn finished(source: &Fileset, options: &Options, job: &Job) -> Result<Finished, Error> {
    let plan = Plan::new(source, options, job.memory)?;
    let text = serde_json::to_vec(&plan)
        .map_err(|error| Error::Bug(format!("the plan cannot be written: {error}")))?;
    let mut sum = Sha256::new_with_prefix(text);
    for sidecar in &options.sidecars {
        sum.update([0]);
        sum.update(sidecar.name());
        sum.update([0]);
        sum.update(sidecar.sha256());
    }
    let identity = sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let provenance = merged(source, options)?;
    Ok(Finished { identity, report: report(source, &plan, job, provenance, StageTimes::default()) })
}
