//! Checksums of the source's files, computed beside the conversion.
//!
//! A conversion does not read files from front to back, as a checksum has to. So one thread follows the others: it
//! reads what they have just read, out of the operating system's cache, and keeps their pace, so that each byte comes
//! from the disk once.

use fairzarr_digest::FileAlgorithm;
use fairzarr_ome_tiff::Fileset;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use crate::error::Error;
use crate::plan::Plan;

/// Computes the checksums of the files that begin in `share` of the bytes of all files, without those in `known`, and
/// hands each on. `ready` tells which fraction of that share has been converted, and may be read; `None` once all of it is:
/// a file that begins in the share may reach far beyond its end.
pub(crate) fn follow(
    source: &Fileset,
    plan: &Plan,
    algorithm: FileAlgorithm,
    share: Range<u64>,
    known: &BTreeMap<u32, String>,
    ready: impl Fn() -> Result<Option<f64>, Error>,
    mut each: impl FnMut(u32, String) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut start = 0;
    for (index, file) in plan.files.iter().enumerate() {
        let file_start = start;
        start += file.bytes;
        if !share.contains(&file_start) || known.contains_key(&(index as u32)) {
            continue;
        }
        let checksum = algorithm.checksum(file.bytes, |at, out| {
            let position = (file_start - share.start + at) as f64;
            let bytes = (share.end - share.start) as f64;
            while ready()?.is_some_and(|ready| position > ready * bytes + AHEAD) {
                std::thread::sleep(PAUSE);
            }
            Ok::<(), Error>(source.read_file(index, at, out)?)
        })?;
        each(index as u32, checksum)?;
    }
    Ok(())
}

/// Bytes that may be read before the conversion has come to them: it finds them in the cache then.
const AHEAD: f64 = (32 << 20) as f64;
const PAUSE: Duration = Duration::from_millis(2);
