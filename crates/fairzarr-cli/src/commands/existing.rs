//! What is at the target already: whether it is what a conversion would make, and what is said of it.

use fairzarr_convert::{Error, Options, Present, present};
use fairzarr_ome_tiff::Fileset;
use fairzarr_task::Job;
use serde_json::{Value, json};

use super::archive;
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
                let failed = |error| Failure::new(Code::Output, error);
                if !folder.exists(&name).map_err(failed)? {
                    return Ok(Present::Nothing);
                }
                if archive::is_begun(&folder, &name).map_err(failed)? {
                    return Ok(Present::Unfinished);
                }
                source::store(target, args, Code::Output)?
            }
        };
        Ok(present(self.fileset, &store, self.options, most, self.job)?)
    }

    /// The failure that `error` is. Of something that is at the target it is told what it is.
    pub(super) fn refused(&self, error: Error, target: &str, args: &StoreArgs) -> Failure {
        if !matches!(error, Error::Exists(_) | Error::Complete(_)) {
            return error.into();
        }
        match self.is_at(target, args, MOST_BYTES) {
            Ok(present) => failure(present, error),
            // It cannot be looked at, and the first error says more.
            Err(_) => error.into(),
        }
    }
}

/// The failure of a conversion that finds something at its target.
pub(super) fn failure(present: Present, error: Error) -> Failure {
    let (code, what) = match present {
        Present::Same => (
            Code::Same,
            "the same conversion of this source, complete; use --skip-existing to take it as done, --overwrite to replace it".into(),
        ),
        Present::Unfinished => (
            Code::NotReady,
            "a conversion that is going on or was interrupted; use --resume to finish it, --overwrite to start again".into(),
        ),
        Present::Other(what) => {
            (Code::Exists, format!("{what}; use another target, or --overwrite to replace it"))
        }
        // It has gone by now.
        _ => return error.into(),
    };
    Failure::new(code, anyhow::anyhow!("{error}: {what}"))
}

/// Tells that nothing was done, because it was done before.
pub(super) fn tell_skipped(args: &Convert, fileset: &Fileset) -> Result<Code, Failure> {
    let target = &args.target;
    print::remark(format_args!(
        "{target} is complete, of this source and made with these options: there is nothing left to do"
    ));
    let files = fileset.files().iter().map(|file| json!({"name": file.name, "bytes": file.len}));
    tell_complete(&args.source, target, Some(&files.collect()))
}

/// Tells programs of a conversion that had nothing to do.
pub(super) fn tell_complete(source: &str, target: &str, files: Option<&Value>) -> Result<Code, Failure> {
    if !telling::is_json() {
        return Ok(Code::Done);
    }
    let members = json!({"source": source, "target": target, "skipped": true, "files": files});
    print::outcome("conversion", Code::Done, target, members)
}
