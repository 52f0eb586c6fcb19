//! Documents of this machine that a command is given by name: sidecars, policies, tables, plans.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// All bytes of a document. What is no regular file is not opened: a named pipe would be waited for, a device may have no end.
///
/// # Errors
/// As the operating system says, if it is no regular file, and if it has more than `most` bytes, which is known before any is read.
pub fn read_document(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    regular(&fs::metadata(path)?)?;
    let file = super::open_without_waiting(path)?;
    // The name may have been given to something else in between, so that the open file has the last word.
    let metadata = file.metadata()?;
    regular(&metadata)?;
    let too_large = |bytes: u64| {
        let reason = format!("it has {bytes} bytes, and at most {most} are read of a document of its kind");
        io::Error::new(io::ErrorKind::FileTooLarge, reason)
    };
    if metadata.len() > most {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    // It may have grown since, and some file systems have files whose sizes are always told as 0.
    if bytes.len() as u64 > most { Err(too_large(bytes.len() as u64)) } else { Ok(bytes) }
}

/// Refuses what is no regular file, by the name of what it is.
fn regular(metadata: &fs::Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let what = if kind.is_dir() { "a directory" } else { special(kind) };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, and only regular files are read")))
}

#[cfg(unix)]
fn special(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match kind {
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => "no file",
    }
}

#[cfg(not(unix))]
fn special(_kind: fs::FileType) -> &'static str {
    "no file"
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, socket) = (folder.path().join("pipe"), folder.path().join("socket"));
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, what) in [
            (pipe.as_path(), "a named pipe"),
            (&socket, "a socket"),
            (folder.path(), "a directory"),
            (Path::new("/dev/zero"), "a device"),
        ] {
            let refused = read_document(path, 100).unwrap_err().to_string();
            assert!(refused.contains(what), "{refused}");
        }
    }

    #[test]
    fn a_document_beyond_its_limit_is_refused_by_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let file = File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        let refused = read_document(&path, 100).unwrap_err().to_string();
        assert!(refused.contains("1099511627776") && refused.contains("100"), "{refused}");
        file.set_len(100).unwrap();
        assert_eq!(read_document(&path, 100).unwrap().len(), 100);
        // A file whose size is told as 0, and is not.
        assert!(!read_document(Path::new("/proc/self/status"), 100_000).unwrap().is_empty());
        assert!(read_document(Path::new("/proc/self/status"), 10).is_err());
    }
}
