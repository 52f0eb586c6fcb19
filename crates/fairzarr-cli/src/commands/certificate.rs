//! `fairzarr verify --certificate`: what was compared, when, by which program, and how it ended, as a document to keep.
//!
//! A comparison that was carried out is certified whichever way it ended: a certificate of a difference says so, and a program
//! that looks only for the file is told by the member `result`. A comparison that failed or was interrupted leaves no file,
//! and no certificate replaces another one.

use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_zarr::{Conversion, ConvertedFile};
use fairzarr_store::Store;
use fairzarr_verify::Report;
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::SystemTime;

use crate::exit::{Code, Failure};
use crate::telling;
use crate::time::rfc3339;

/// What was compared.
pub(super) struct Compared<'a> {
    /// The source as it was named; `None` where the store was proved on its own.
    pub(super) source: Option<&'a str>,
    pub(super) store: &'a str,
    /// How much of the pixels.
    pub(super) sample: String,
    pub(super) report: &'a Report,
}

impl Compared<'_> {
    /// As `--json` tells it.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "source": self.source, "store": self.store, "holds": self.report.holds(), "sample": self.sample,
            "program": {"name": "fairzarr", "version": env!("CARGO_PKG_VERSION")},
            "time": rfc3339(SystemTime::now()), "checks": self.report.checks,
        })
    }
}

/// Refuses a file that exists, before any work is done for it.
pub(super) fn check_place(path: &Path) -> Result<(), Failure> {
    if fs::symlink_metadata(path).is_ok() {
        let message =
            format!("{} exists already; certificates are kept: choose another name", path.display());
        return Err(Failure::new(Code::Exists, anyhow::Error::msg(message)));
    }
    Ok(())
}

/// Writes the certificate, whole or not at all.
pub(super) fn write(
    path: &Path,
    compared: &Compared<'_>,
    fileset: Option<&Fileset>,
    store: &Store,
) -> Result<(), Failure> {
    let root = fairzarr_ome_zarr::attributes(store, "")?.unwrap_or_default();
    let recorded: Vec<ConvertedFile<'_>> =
        Conversion::of(&root).into_iter().flat_map(Conversion::files).collect();
    let files = recorded.iter().map(|file| {
        let checksum =
            file.checksum.map(|(algorithm, value)| json!({"algorithm": algorithm, "value": value}));
        json!({"name": file.name, "bytes": file.bytes, "checksum": checksum})
    });
    let mut source = json!({"path": compared.source, "recorded_files": files.collect::<Vec<_>>()});
    if let Some(fileset) = fileset {
        let files = fileset.files().iter().map(|file| json!({"name": file.name, "bytes": file.len}));
        source["files"] = files.collect();
    }
    let mut certificate = telling::line("certificate", compared.to_json());
    certificate["result"] = if compared.report.holds() { "equal" } else { "different" }.into();
    certificate["source"] = source;
    certificate["store"] = json!({
        "path": compared.store, "location": store.location().to_string(),
        "manifest": root.get("fairzarr:manifest"),
    });
    let text = format!("{certificate:#}\n");
    // A reader never sees half of it: it gets its name when it is whole.
    let failed = |error: std::io::Error| {
        let message = format!("cannot write the certificate {}", path.display());
        Failure::new(Code::Output, anyhow::Error::new(error).context(message))
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = fs::File::create_new(&part)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::hard_link(&part, path).or_else(|_| fs::rename(&part, path)));
    // After the link, or where something failed, the first name has no use.
    let _ = fs::remove_file(&part);
    written.map_err(failed)
}
