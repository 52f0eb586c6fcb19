//! `fairzarr embed`: provenance and quality control into an OME-Zarr that exists.

use fairzarr_provenance::{embed, remove_embedded};
use serde_json::json;

use super::provenance::{mapping, sidecars};
use crate::args::Embed;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;
use crate::telling;

pub(crate) fn run(args: &Embed) -> Result<Code, Failure> {
    let store = source::store(&args.path, &args.store, Code::Output)?;
    let report = if args.remove {
        remove_embedded(&store)?
    } else {
        let images = fairzarr_ome_zarr::images(&store)?;
        let paths: Vec<String> = images.into_iter().map(|image| image.path).collect();
        let mapping = mapping(args.nbo_mapping.as_ref())?;
        let documents = sidecars(args.nbo.iter().chain(&args.qc), mapping.as_ref())?;
        embed(&store, &paths, &documents)?
    };
    for conflict in &report.conflicts {
        print::warning(format_args!("{conflict}"));
    }
    if telling::is_json() {
        let members = json!({"documents": report.documents, "conflicts": report.conflicts});
        return print::outcome("embedding", Code::Done, &args.path, members);
    }
    print::summary(format_args!("{}: {} metadata documents changed", args.path, report.documents.len()))?;
    Ok(Code::Done)
}
