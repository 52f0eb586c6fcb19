//! The list as other programs read it: lines for `sha256sum`, and a bag.

use fairzarr::store::Location;
use std::ffi::OsString;
use std::path::Path;

use super::{Deletable, Original};
use crate::Error;
use crate::bag::write_bag;
use crate::names::unescape;

impl Deletable {
    /// The originals as lines that `sha256sum --check` reads.
    pub fn lines(&self) -> Vec<u8> {
        self.originals.iter().flat_map(Original::line).collect()
    }

    /// Writes the list as a bag: the lines for `sha256sum`, which store holds what, and what is kept and why.
    ///
    /// # Errors
    /// [`Error::Write`] when the folder is there already, or cannot be written.
    pub fn write_bag(&self, folder: &Path) -> Result<(), Error> {
        let failed = |error: csv::Error| Error::Write {
            place: folder.display().to_string(),
            source: std::io::Error::other(error),
        };
        let mut stores = csv::Writer::from_writer(Vec::new());
        stores
            .write_record(["source", "path", "sha256", "bytes", "stores", "not_carried"])
            .map_err(failed)?;
        for original in &self.originals {
            let (bytes, targets) = (original.bytes.to_string(), original.targets.join("; "));
            let not_carried = original.not_carried.join("; ");
            let row = [&original.source, &original.path, &original.sha256, &bytes, &targets, &not_carried];
            stores.write_record(row).map_err(failed)?;
        }
        let mut kept = csv::Writer::from_writer(Vec::new());
        kept.write_record(["source", "path", "reason"]).map_err(failed)?;
        for file in &self.kept {
            kept.write_record([&file.source, &file.path, &file.reason]).map_err(failed)?;
        }
        let whole = |error: csv::IntoInnerError<_>| failed(error.into_error().into());
        let stores =
            stores.into_inner().map_err(|error: csv::IntoInnerError<csv::Writer<Vec<u8>>>| whole(error))?;
        let kept =
            kept.into_inner().map_err(|error: csv::IntoInnerError<csv::Writer<Vec<u8>>>| whole(error))?;
        let payload = [("originals.sha256", self.lines()), ("stores.csv", stores), ("kept.csv", kept)];
        let about = "Checksums of original files that are proven to be held whole by OME-Zarr stores";
        write_bag(
            folder,
            &payload,
            &[
                ("Bag-Software-Agent", concat!("fairzarr ", env!("CARGO_PKG_VERSION")).to_owned()),
                ("External-Description", about.to_owned()),
            ],
        )
    }
}

impl Original {
    /// The file's whole path or URL, as the operating system has it.
    pub fn place(&self) -> OsString {
        place(&self.source, &self.path)
    }

    /// The line of this file in a list that `sha256sum --check` reads, with the end of the line.
    pub fn line(&self) -> Vec<u8> {
        checksum_line(&self.sha256, &self.place())
    }
}

/// The whole path or URL of what lies below a source.
pub(crate) fn place(source: &str, path: &str) -> OsString {
    let whole =
        if path.is_empty() { source.to_owned() } else { format!("{}/{path}", source.trim_end_matches('/')) };
    match source.parse::<Location>() {
        Ok(location) if location.as_path().is_none() => whole.into(),
        _ => unescape(&whole),
    }
}

/// A line as `sha256sum` prints and reads it: names with backslashes or ends of lines are escaped, and the line begins with
/// a backslash then.
#[cfg(unix)]
pub(crate) fn checksum_line(sha256: &str, place: &std::ffi::OsStr) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    let name = place.as_bytes();
    let escaped = name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    let mut line = if escaped { vec![b'\\'] } else { Vec::new() };
    line.extend_from_slice(sha256.as_bytes());
    line.extend_from_slice(b"  ");
    for byte in name {
        match byte {
            b'\\' => line.extend_from_slice(b"\\\\"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            byte => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
}

/// A line as `sha256sum` prints it.
#[cfg(not(unix))]
pub(crate) fn checksum_line(sha256: &str, place: &std::ffi::OsStr) -> Vec<u8> {
    format!("{sha256}  {}\n", place.to_string_lossy().replace('\\', "/")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn lines_are_those_of_sha256sum() {
        use std::os::unix::ffi::OsStrExt as _;
        let line = |name: &[u8]| checksum_line("ab", std::ffi::OsStr::from_bytes(name));
        assert_eq!(line(b"a b"), b"ab  a b\n");
        assert_eq!(line(b"a\nb"), b"\\ab  a\\nb\n");
        assert_eq!(line(b"\\x"), b"\\ab  \\\\x\n");
        assert_eq!(line(b"\xe9"), b"ab  \xe9\n");
    }
}
