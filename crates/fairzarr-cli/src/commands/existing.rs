//! What is at the target already: whether it is what a conversion would make, and what is said of it.

use fairzarr_convert::{Error, Options, Present, present};
use fairzarr_ome_tiff::Fileset;
use fairzarr_task::Job;
use serde_json::{Value, json};

use crate::args::{Convert, StoreArgs};
use crate::exit::{Code, Failure};
use crate::{print, source, telling};

/// Of what a conversion is made.
pub(super) struct Made<'a> {
    pub(super) fileset: &'a Fileset,
    pub(super) options: &'a Options,
    pub(super) job: &'a Job,
}

/// So much is hashed to tell more of a target that was refused. Who wants more asks for it.
const MOST_BYTES: u64 = 1 << 30;

impl Made<'_> {
    /// What is at the target. Sources of more than `most` bytes are not hashed.
    pub(super) fn is_at(&self, target: &str, args: &StoreArgs, most: u64) -> Result<Present, Failure> {
        let store = match source::output(target, args)? {
            source::Output::Store(store) => store,
            source::Output::Archive(folder, name) => {
                if !folder.exists(&name).map_err(|error| Failure::new(Code::Output, error))? {
                    return Ok(Present::Nothing);
                }
                source::store(target, args, Code::Output)?
            }
        };
        Ok(present(self.fileset, &store, self.options, most, self.job)?)
    }

    /// The failure that `error` is. Of something that is at the target it is told what it is.
    pub(super) fn refused(&self, error: Error, target: &str, args: &StoreArgs, asked: bool) -> Failure {
        if !matches!(error, Error::Exists(_) | Error::Complete(_)) {
            return error.into();
        }
        let most = if asked { u64::MAX } else { MOST_BYTES };
        match self.is_at(target, args, most) {
            Ok(Present::Same) => Failure::new(
                Code::Same,
                anyhow::anyhow!(
                    "{error}, complete, of this source and made with these options; use --skip-existing to take it as done, --overwrite to replace it"
                ),
            ),
            Ok(Present::Unfinished) => Failure::new(
                Code::NotReady,
                anyhow::anyhow!(
                    "{error}: a conversion that is going on or was interrupted; use --resume to finish it or --overwrite to start again"
                ),
            ),
            Ok(Present::Other(what)) => Failure::new(
                Code::Exists,
                anyhow::anyhow!("{error}: {what}; use another target, or --overwrite to replace it"),
            ),
            // What is there cannot be looked at, or has gone by now: the first error says more.
            _ => error.into(),
        }
    }
}

/// Tells that nothing was done, because it was done before.
pub(super) fn tell_skipped(args: &Convert, fileset: &Fileset) -> Result<Code, Failure> {
    let target = &args.target;
    print::remark(format_args!(
        "{target} is complete, of this source and made with these options: there is nothing left to do"
    ));
    let files = fileset.files().iter().map(|file| json!({"name": file.name, "bytes": file.len}));
    tell_complete(&args.source, target, Some(files.collect()))
}

/// Tells programs of a conversion that had nothing to do.
pub(super) fn tell_complete(source: &str, target: &str, files: Option<Value>) -> Result<Code, Failure> {
    if !telling::is_json() {
        return Ok(Code::Done);
    }
    let members = json!({"source": source, "target": target, "skipped": true, "files": files});
    print::outcome("conversion", Code::Done, target, members)
}
