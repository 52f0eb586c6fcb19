//! By what a file of the source is known.
//!
//! Two kinds of marks are kept with the plan. Those of the *content* are the same wherever the file is read: its name and
//! size, and the ETag of its server, or, where there is none, a digest of its head, its tail and of samples between. They
//! are part of the plan, which is the same on every machine. The *times* of a file differ between machines that have copies
//! of it, and between mounts of one file system; so they are kept beside the plan with the name of the machine that saw
//! them, and compared on that machine only. Numbers of inodes are not kept: file systems in user space give the same file
//! another number after each mount, and a file that replaces another has a time of status change of its own.

use fairzarr_ome_tiff::Fileset;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::error::Error;

/// A file of the source, by what it is known on every machine.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SourceFile {
    /// Its name, relative to the folder of the file that was named first.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The strong ETag that its server names this content by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Where there is no ETag, the XXH3-128 digest of 16 KiB at either end and of 4 KiB in each MiB between, of at most
    /// 62 MiB that are evenly spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// What one machine saw of the files when the plan was made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct SeenFiles {
    /// The machine; empty where the operating system does not tell.
    pub(super) machine: String,
    /// Times of modification and of status change, in nanoseconds after 1970 began.
    pub(super) times: Vec<(Option<i64>, Option<i64>)>,
}

/// The files of the set.
pub(crate) fn identify(source: &Fileset) -> Result<Vec<SourceFile>, Error> {
    let file = |(index, file): (usize, &fairzarr_ome_tiff::FileInfo)| {
        let etag = file.state.etag.clone();
        let content = if etag.is_none() { Some(content(source, index)?) } else { None };
        Ok(SourceFile { name: file.name.clone(), bytes: file.len, etag, content })
    };
    source.files().iter().enumerate().map(file).collect()
}

impl SeenFiles {
    /// What this machine saw when it opened the set.
    pub(crate) fn new(source: &Fileset) -> Self {
        let times = source.files().iter().map(|file| (file.state.modified, file.state.status_changed));
        Self { machine: machine(), times: times.collect() }
    }

    /// Whether this machine saw them.
    pub(super) fn is_here(&self) -> bool {
        self.machine == machine()
    }
}

/// The digest of a file's head, tail and samples between.
pub(super) fn content(source: &Fileset, index: usize) -> Result<String, Error> {
    let ranges = sampled(source.files().get(index).map_or(0, |file| file.len));
    let bytes = ranges.iter().map(|range| range.end - range.start).sum::<u64>();
    let mut samples = vec![0; bytes as usize];
    source.read_file_ranges(index, &ranges, &mut samples)?;
    let mut digest = Xxh3::new();
    digest.update(&samples);
    Ok(format!("{:032x}", digest.digest128()))
}

/// The parts of a file of `len` bytes that its digest is made of, in order and apart from each other.
fn sampled(len: u64) -> Vec<Range<u64>> {
    if len <= 2 * END {
        return std::iter::once(0..len).collect();
    }
    let samples = (len / SPACING).min(SAMPLES);
    let step = (len - 2 * END) / (samples + 1);
    let between = (1..=samples).map(|n| END + n * step).map(|start| start..start + SAMPLE);
    std::iter::once(0..END).chain(between).chain(std::iter::once(len - END..len)).collect()
}

/// What tells this machine from others, also after it was started anew; not the number itself, which is nobody's business.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).ok().filter(|text| !text.trim().is_empty());
    let known = read("/etc/machine-id").or_else(|| read("/proc/sys/kernel/random/boot_id"));
    known.map_or_else(String::new, |text| format!("{:016x}", xxh3_64(text.as_bytes())))
}

/// Bytes at either end.
const END: u64 = 16 << 10;
/// Bytes of each sample between.
const SAMPLE: u64 = 4 << 10;
/// So far apart are the samples of a file that is not too long for that.
const SPACING: u64 = 1 << 20;
const SAMPLES: u64 = 62;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_within_the_file_and_apart() {
        for len in [0, 1, 32 << 10, (32 << 10) + 1, 1 << 20, (1 << 20) + 1, 3 << 20, 1 << 40, u64::MAX / 2] {
            let ranges = sampled(len);
            assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (0, len));
            assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "{len}: {ranges:?}");
            assert!(ranges.iter().map(|range| range.end - range.start).sum::<u64>() <= 280 << 10);
        }
    }
}
