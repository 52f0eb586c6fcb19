//! Zipped OME-Zarr (`.ozx`) by RFC-9: the archive around a hierarchy. The RFC is under review, and its demands are those
//! of its text.

use std::collections::HashSet;

use fairzarr_zarr::Finding;
use serde_json::Value;

/// Every rule that an archive breaks; at most a thousand. `read` gives the bytes from a start up to an end, `size` is the
/// archive's length, `version` the one that the hierarchy inside declares.
///
/// # Errors
///
/// Those of `read`.
pub fn judge<E>(
    name: &str,
    size: u64,
    version: Option<&str>,
    read: impl Fn(u64, u64) -> Result<Vec<u8>, E>,
) -> Result<Vec<Finding>, E> {
    /// Bytes of a central directory that are read: some five million entries.
    const LARGEST: u64 = 512 << 20;
    let mut report = Report { findings: Vec::new() };
    if !name.to_ascii_lowercase().ends_with(".ozx") {
        report.should(format!("the name is {name:?}, expected one that ends with .ozx"));
    }
    // The end record is 22 bytes and a comment of at most 64 KiB; the locator of ZIP64 stands before it.
    let tail_start = size.saturating_sub(22 + 65_535 + 20);
    let tail = read(tail_start, size)?;
    let Some(end) = End::find(&tail) else {
        report.must("this is no ZIP archive, expected one whose end is there");
        return Ok(report.findings);
    };
    let zip64 = match end.locator(&tail) {
        Some(at) => {
            let record = read(at, at.saturating_add(56).min(size))?;
            (record.get(..4) == Some(b"PK\x06\x06")).then_some(record)
        }
        None => None,
    };
    if zip64.is_none() {
        report.should(
            "the records of ZIP64 are missing, expected them so that the archive may grow beyond 4 GiB",
        );
    }
    if end.disk != 0 && end.disk != u16::MAX || end.directory_disk != 0 && end.directory_disk != u16::MAX {
        report.must("the archive is split into parts, expected one file");
    }
    let (start, length) = match &zip64 {
        Some(record) => (long(record, 48), long(record, 40)),
        None => (u64::from(end.directory_start), u64::from(end.directory_length)),
    };
    if length > LARGEST || start.checked_add(length).is_none_or(|after| after > size) {
        report.must("the central directory lies outside the archive, expected it before the end record");
        return Ok(report.findings);
    }
    let entries = entries(&read(start, start + length)?);
    report.entries(&entries);
    report.comment(end.comment(&tail), version, in_order(&entries));
    Ok(report.findings)
}

struct Report {
    findings: Vec<Finding>,
}

impl Report {
    fn must(&mut self, message: impl Into<String>) {
        self.add(Finding::must("", CLAUSE, message));
    }

    fn should(&mut self, message: impl Into<String>) {
        self.add(Finding::should("", CLAUSE, message));
    }

    fn add(&mut self, finding: Finding) {
        const MOST: usize = 1000;
        if self.findings.len() < MOST {
            self.findings.push(finding);
        }
    }

    fn entries(&mut self, entries: &[Entry]) {
        if !entries.iter().any(|entry| entry.name == "zarr.json") {
            let nested = entries.iter().find(|entry| entry.name.ends_with("/zarr.json"));
            let found = nested.map_or(String::new(), |entry| format!("; the first is {:?}", entry.name));
            self.must(format!(
                "there is no zarr.json at the root of the archive{found}, expected the hierarchy's there"
            ));
        }
        let mut names = HashSet::new();
        for entry in entries {
            if !names.insert(entry.name.as_str()) {
                self.must(format!("{:?} is there twice, expected each name once", entry.name));
            }
            if entry.name.starts_with('/') || entry.name.split('/').any(|part| part == "..") {
                self.must(format!(
                    "{:?} leads out of the archive, expected a path below its root",
                    entry.name
                ));
            }
            if entry.name.to_ascii_lowercase().ends_with(".ozx") {
                self.must(format!(
                    "{:?} is an archive in the archive, expected one hierarchy that is not nested",
                    entry.name
                ));
            }
            if entry.encrypted {
                self.must(format!("{:?} is encrypted, expected plain bytes", entry.name));
            }
        }
        let compressed = entries.iter().filter(|entry| entry.method != 0).count();
        if compressed > 0 {
            self.should(format!(
                "{compressed} entries are compressed by ZIP, expected them stored as they are"
            ));
        }
        if entries.first().is_some_and(|first| first.name != "zarr.json") {
            self.should("zarr.json is not the first entry of the central directory, expected it there");
        }
        if !in_order(entries) {
            self.should(
                "not all zarr.json come first and level by level, expected them before all other entries",
            );
        }
        let in_file = entries.iter().min_by_key(|entry| entry.offset);
        if in_file.is_some_and(|first| first.name != "zarr.json") {
            self.should("zarr.json is not the first entry of the file, expected it there");
        }
    }

    fn comment(&mut self, comment: &[u8], version: Option<&str>, json_first: bool) {
        let text = comment.strip_suffix(b"\0").unwrap_or(comment);
        if text.is_empty() {
            return self.should("the archive has no comment, expected JSON with the version of OME-Zarr");
        }
        let Ok(value) = serde_json::from_slice::<Value>(text) else {
            return self
                .should("the archive's comment is no JSON, expected an object with the version of OME-Zarr");
        };
        let declared = value.pointer("/ome/version").and_then(Value::as_str);
        match (declared, version) {
            (None, _) => self.should("the archive's comment names no version, expected /ome/version"),
            (Some(declared), Some(version)) if declared != version => {
                self.must(format!(
                    "the archive's comment says version {declared:?}, expected {version:?} like the hierarchy"
                ));
            }
            _ => {}
        }
        let promised = value.pointer("/ome/zipFile/centralDirectory/jsonFirst") == Some(&Value::Bool(true));
        if promised && !json_first {
            self.must("the comment says that zarr.json come first, expected them before all other entries");
        }
    }
}

/// The record at the end of an archive.
struct End {
    /// Where it lies in the tail that was read.
    at: usize,
    disk: u16,
    directory_disk: u16,
    directory_length: u32,
    directory_start: u32,
    comment: usize,
}

impl End {
    fn find(tail: &[u8]) -> Option<Self> {
        let at = (0..tail.len().checked_sub(21)?).rev().find(|&at| {
            tail[at..].starts_with(b"PK\x05\x06")
                && usize::from(short(&tail[at..], 20)) + 22 == tail.len() - at
        })?;
        let record = &tail[at..];
        Some(Self {
            at,
            disk: short(record, 4),
            directory_disk: short(record, 6),
            directory_length: int(record, 12),
            directory_start: int(record, 16),
            comment: usize::from(short(record, 20)),
        })
    }

    /// Where the end record of ZIP64 lies.
    fn locator(&self, tail: &[u8]) -> Option<u64> {
        let locator = tail.get(self.at.checked_sub(20)?..self.at)?;
        locator.starts_with(b"PK\x06\x07").then(|| long(locator, 8))
    }

    fn comment<'t>(&self, tail: &'t [u8]) -> &'t [u8] {
        tail.get(self.at + 22..self.at + 22 + self.comment).unwrap_or_default()
    }
}

/// An entry of the central directory.
struct Entry {
    name: String,
    method: u16,
    encrypted: bool,
    offset: u64,
}

/// The entries of a central directory, up to where it is damaged.
fn entries(directory: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut rest = directory;
    while rest.starts_with(b"PK\x01\x02") && rest.len() >= 46 {
        let lengths = [28, 30, 32].map(|at| usize::from(short(rest, at)));
        let Some(name) = rest.get(46..46 + lengths[0]) else { break };
        let extra = rest.get(46 + lengths[0]..46 + lengths[0] + lengths[1]).unwrap_or_default();
        let offset = match int(rest, 42) {
            u32::MAX => long_offset(rest, extra),
            offset => u64::from(offset),
        };
        entries.push(Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            method: short(rest, 10),
            encrypted: short(rest, 8) & 1 == 1,
            offset,
        });
        let Some(next) = rest.get(46 + lengths.iter().sum::<usize>()..) else { break };
        rest = next;
    }
    // Directories are no part of a hierarchy.
    entries.retain(|entry| !entry.name.ends_with('/'));
    entries
}

/// The offset in the extra field of ZIP64, behind the sizes that are there too.
fn long_offset(entry: &[u8], extra: &[u8]) -> u64 {
    let skipped = [20, 24].iter().filter(|at| int(entry, **at) == u32::MAX).count() * 8;
    let mut rest = extra;
    while rest.len() >= 4 {
        let (id, length) = (short(rest, 0), usize::from(short(rest, 2)));
        if id == 1 {
            return long(rest, 4 + skipped);
        }
        rest = rest.get(4 + length..).unwrap_or_default();
    }
    u64::MAX
}

/// Whether all `zarr.json` come before other entries, level by level.
fn in_order(entries: &[Entry]) -> bool {
    let is_json = |entry: &Entry| entry.name == "zarr.json" || entry.name.ends_with("/zarr.json");
    let count = entries.iter().take_while(|entry| is_json(entry)).count();
    let depths = entries[..count].iter().map(|entry| entry.name.matches('/').count());
    depths.is_sorted() && !entries[count..].iter().any(is_json)
}

fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn int(bytes: &[u8], at: usize) -> u32 {
    u32::from(short(bytes, at)) | u32::from(short(bytes, at + 2)) << 16
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(int(bytes, at)) | u64::from(int(bytes, at + 4)) << 32
}

const CLAUSE: &str = "rfc-9";
