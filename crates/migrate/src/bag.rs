//! Bags as of BagIt (RFC 8493): folders whose manifests other programs check.

use fairzarr::ome_zarr::sha256;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Error;

/// Writes a new bag of a few documents. `info` are the lines of `bag-info.txt`; payload names have no `/`.
///
/// # Errors
/// [`Error::Write`] when the folder is there already, or cannot be written.
pub(crate) fn write_bag(
    folder: &Path,
    payload: &[(&str, Vec<u8>)],
    info: &[(&str, String)],
) -> Result<(), Error> {
    let failed = |place: &Path, source| Error::Write { place: place.display().to_string(), source };
    fs::create_dir(folder).map_err(|error| failed(folder, error))?;
    let data = folder.join("data");
    fs::create_dir(&data).map_err(|error| failed(&data, error))?;
    let mut manifest = String::new();
    for (name, bytes) in payload {
        let path = data.join(name);
        fs::write(&path, bytes).map_err(|error| failed(&path, error))?;
        let _ = writeln!(manifest, "{}  data/{name}", sha256(bytes));
    }
    let bytes: usize = payload.iter().map(|(_, bytes)| bytes.len()).sum();
    let mut lines = String::new();
    for (name, value) in info {
        let _ = writeln!(lines, "{name}: {}", value.replace(['\r', '\n'], " "));
    }
    let _ = writeln!(lines, "Payload-Oxum: {bytes}.{}", payload.len());
    let tags =
        [("bagit.txt", DECLARATION.to_owned()), ("bag-info.txt", lines), ("manifest-sha256.txt", manifest)];
    let mut tag_manifest = String::new();
    for (name, text) in &tags {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, error))?;
        let _ = writeln!(tag_manifest, "{}  {name}", sha256(text.as_bytes()));
    }
    let path = folder.join("tagmanifest-sha256.txt");
    fs::write(&path, tag_manifest).map_err(|error| failed(&path, error))
}

const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
