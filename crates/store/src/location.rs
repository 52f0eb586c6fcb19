//! Where a store or file is: a path or a URL.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::Error;

/// A local path or a URL.
///
/// | text | meaning |
/// |---|---|
/// | `dir/x.ome.zarr`, `file:///dir/x.ome.zarr` | a local path; percent escapes only in the URL |
/// | `s3://bucket/key` | Amazon S3, MinIO, Ceph, R2, ... |
/// | `gs://bucket/key` | Google Cloud Storage |
/// | `az://container/key`, `abfss://container@account.dfs.core.windows.net/key` | Azure Blob Storage |
/// | `http://host/path`, `https://host/path?query` | a web server, to read |
/// | `memory:name` | memory of this process, for tests |
///
/// Keys of `s3://`, `gs://` and `az://` are taken as typed, as the vendors' own programs do; of `http(s)://` they are
/// percent-decoded.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Location(Place);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Place {
    Local(PathBuf),
    Remote {
        scheme: Scheme,
        /// Scheme and host, bucket or container, without a closing `/`: `s3://bucket`, `memory:`.
        root: String,
        /// Decoded, without `/` at either end.
        path: String,
        /// Of `http(s)` only: what follows the `?`, such as a signature.
        query: Option<String>,
    },
}

/// The kinds of location.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// A path of this machine.
    Local,
    /// Memory of this process.
    Memory,
    /// Amazon S3 and its relatives.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
    /// A web server.
    Http,
    /// A kind of store that a program has brought along, see [`backend`](crate::backend).
    Other,
}

impl Location {
    /// Reads what a user typed.
    ///
    /// # Errors
    /// [`Error::Location`] if the text is empty, has an unknown scheme, no host or bucket, or `.`, `..` or empty
    /// segments in a URL's path.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Location {
            text: hide_password(text).into_owned(),
            reason: reason.to_owned(),
        };
        if text.is_empty() {
            return Err(wrong("it is empty"));
        }
        if let Some(path) = text.strip_prefix("memory:") {
            return Self::remote(Scheme::Memory, "memory:", path.trim_start_matches('/'), None)
                .map_err(wrong);
        }
        let Some((name, rest)) = text.split_once("://").filter(|(name, _)| is_scheme(name)) else {
            return Ok(Self::local(text));
        };
        let name = name.to_ascii_lowercase();
        let scheme = match name.as_str() {
            "file" => return Self::file_url(rest).map_err(wrong),
            "s3" | "s3a" => Scheme::S3,
            "gs" => Scheme::Gcs,
            "az" | "azure" | "abfs" | "abfss" => Scheme::Azure,
            "http" | "https" => Scheme::Http,
            _ => {
                return Err(wrong(
                    "expected a path, or file://, s3://, gs://, az://, abfss://, http(s):// or memory:",
                ));
            }
        };
        let (path_and_host, query) = match (scheme, rest.split_once('?')) {
            (Scheme::Http, Some((path, query))) => (path, Some(query)),
            _ => (rest, None),
        };
        let (host, path) = path_and_host.split_once('/').unwrap_or((path_and_host, ""));
        if host.is_empty() {
            return Err(wrong(match scheme {
                Scheme::Http => "it names no host",
                Scheme::Azure => "it names no container",
                _ => "it names no bucket",
            }));
        }
        if scheme == Scheme::Http && host.contains('@') {
            return Err(wrong("user names and passwords in web addresses are not supported"));
        }
        let path = match scheme {
            Scheme::Http => decode(path).map_err(wrong)?,
            _ => path.to_owned(),
        };
        Self::remote(scheme, &format!("{name}://{host}"), &path, query).map_err(wrong)
    }

    /// A path of this machine.
    pub fn local(path: impl Into<PathBuf>) -> Self {
        Self(Place::Local(path.into()))
    }

    /// The root of this process's memory.
    pub(crate) fn memory() -> Self {
        Self(Place::Remote {
            scheme: Scheme::Memory,
            root: "memory:".to_owned(),
            path: String::new(),
            query: None,
        })
    }

    /// The name of a store of a kind of your own, shown as `kind:path`. Such a text cannot be parsed again.
    ///
    /// # Errors
    /// [`Error::Location`] if `kind` is not a word of at least two letters, digits, `+`, `-` and `.`, or `path` has empty,
    /// `.` or `..` segments.
    pub fn of_backend(kind: &str, path: &str) -> Result<Self, Error> {
        let wrong =
            |reason: &str| Error::Location { text: format!("{kind}:{path}"), reason: reason.to_owned() };
        if !is_scheme(kind) {
            return Err(wrong("its kind is not a word of two or more letters, digits, '+', '-' and '.'"));
        }
        Self::remote(Scheme::Other, &format!("{kind}:"), path, None).map_err(wrong)
    }

    fn file_url(rest: &str) -> Result<Self, &'static str> {
        let path = rest.strip_prefix("localhost").unwrap_or(rest);
        if !path.starts_with('/') {
            return Err("a file URL of another host; expected file:///path");
        }
        let path = decode(path)?;
        // On Windows, file:///C:/x means C:/x.
        if cfg!(windows) && path.as_bytes().get(2) == Some(&b':') {
            return Ok(Self::local(&path[1..]));
        }
        Ok(Self::local(path))
    }

    fn remote(scheme: Scheme, root: &str, path: &str, query: Option<&str>) -> Result<Self, &'static str> {
        let path = path.strip_suffix('/').unwrap_or(path);
        if !path.is_empty() && crate::key::check(path).is_err() {
            return Err("its path has an empty, '.' or '..' segment");
        }
        Ok(Self(Place::Remote {
            scheme,
            root: root.to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
        }))
    }

    /// The location of `relative`, a `/`-separated path, below this one.
    #[must_use]
    pub fn join(&self, relative: &str) -> Self {
        let mut joined = self.clone();
        let segments = relative.split('/').filter(|segment| !segment.is_empty());
        match &mut joined.0 {
            Place::Local(local) => local.extend(segments),
            Place::Remote { path, .. } => {
                for segment in segments {
                    if !path.is_empty() {
                        path.push('/');
                    }
                    path.push_str(segment);
                }
            }
        }
        joined
    }

    /// The last segment, if there is one.
    pub fn file_name(&self) -> Option<Cow<'_, str>> {
        match &self.0 {
            Place::Local(path) => path.file_name().map(|name| name.to_string_lossy()),
            Place::Remote { path, .. } => {
                path.rsplit('/').next().filter(|name| !name.is_empty()).map(Cow::Borrowed)
            }
        }
    }

    /// The location without its last segment; none at the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match &self.0 {
            Place::Local(path) => match path.parent()? {
                parent if parent.as_os_str().is_empty() => Some(Self::local(".")),
                parent => Some(Self::local(parent)),
            },
            Place::Remote { path, .. } if path.is_empty() => None,
            Place::Remote { scheme, root, path, query } => Some(Self(Place::Remote {
                scheme: *scheme,
                root: root.clone(),
                path: path.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned(),
                query: query.clone(),
            })),
        }
    }

    /// The path, if this is one of this machine.
    pub fn as_path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Local(path) => Some(path),
            Place::Remote { .. } => None,
        }
    }

    /// Whether this is a store in one file, by its name: `.ozx`. A local directory of such a name is none.
    pub fn is_archive(&self) -> bool {
        let named = self.file_name().is_some_and(|name| name.to_ascii_lowercase().ends_with(".ozx"));
        named && !self.as_path().is_some_and(Path::is_dir)
    }

    /// The kind of location.
    pub fn scheme(&self) -> Scheme {
        match &self.0 {
            Place::Local(_) => Scheme::Local,
            Place::Remote { scheme, .. } => *scheme,
        }
    }

    /// Scheme and host, bucket or container; none of a local path.
    #[cfg(feature = "cloud")]
    pub(crate) fn root(&self) -> Option<&str> {
        match &self.0 {
            Place::Local(_) => None,
            Place::Remote { root, .. } => Some(root),
        }
    }

    /// What follows the `?` of a web address.
    #[cfg(feature = "cloud")]
    pub(crate) fn query(&self) -> Option<&str> {
        match &self.0 {
            Place::Local(_) => None,
            Place::Remote { query, .. } => query.as_deref(),
        }
    }

    /// The decoded path below host, bucket or container; none of a local path.
    pub(crate) fn key(&self) -> Option<&str> {
        match &self.0 {
            Place::Local(_) => None,
            Place::Remote { path, .. } => Some(path),
        }
    }
}

impl FromStr for Location {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::local(path)
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::local(path)
    }
}

/// The form that [`Location::parse`] reads, but without query strings, which may hold signatures.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Local(path) => path.display().fmt(f),
            Place::Remote { scheme: Scheme::Memory | Scheme::Other, root, path, .. } => {
                write!(f, "{root}{path}")
            }
            Place::Remote { scheme, root, path, query } => {
                write!(f, "{root}")?;
                if !path.is_empty() {
                    write!(f, "/")?;
                }
                if *scheme == Scheme::Http {
                    write!(f, "{}", utf8_percent_encode(path, IN_PATH))?;
                } else {
                    write!(f, "{path}")?;
                }
                if query.is_some() {
                    write!(f, "?...")?;
                }
                Ok(())
            }
        }
    }
}

/// What may not stand in a URL's path as it is.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

fn is_scheme(name: &str) -> bool {
    // One letter is a Windows drive.
    name.len() > 1
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn decode(path: &str) -> Result<String, &'static str> {
    percent_decode_str(path)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| "its percent escapes are not UTF-8")
}

/// Replaces the password of `scheme://user:password@host` by dots.
fn hide_password(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Cow::Borrowed(text);
    };
    let host_end = rest.find('/').unwrap_or(rest.len());
    match rest[..host_end].rsplit_once('@') {
        Some((user, host)) if user.contains(':') => {
            let user = user.split(':').next().unwrap_or_default();
            Cow::Owned(format!("{scheme}://{user}:...@{host}{}", &rest[host_end..]))
        }
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Location {
        Location::parse(text).unwrap()
    }

    #[test]
    fn paths_are_local() {
        for text in ["x.ome.zarr", "/data/a b%20c", "./x:y", "C:\\data\\x", "C://x"] {
            assert_eq!(parse(text).as_path(), Some(Path::new(text)), "{text}");
        }
        assert_eq!(parse("file:///a%20b/c").as_path(), Some(Path::new("/a b/c")));
        assert_eq!(parse("file://localhost/a").as_path(), Some(Path::new("/a")));
        assert!(Location::parse("file://elsewhere/a").is_err());
    }

    #[test]
    fn urls_keep_their_form() {
        for (text, scheme, key) in [
            ("s3://bucket/a/b c+µ%20", Scheme::S3, "a/b c+µ%20"),
            ("gs://bucket/x", Scheme::Gcs, "x"),
            ("az://container/x", Scheme::Azure, "x"),
            ("abfss://c@acc.dfs.core.windows.net/x", Scheme::Azure, "x"),
            ("https://host:8080/a%20b/c", Scheme::Http, "a b/c"),
            ("memory:a/b", Scheme::Memory, "a/b"),
        ] {
            let location = parse(text);
            assert_eq!(location.scheme(), scheme, "{text}");
            assert_eq!(location.key(), Some(key), "{text}");
            assert_eq!(location.to_string(), text);
        }
        assert_eq!(parse("s3://bucket/").to_string(), "s3://bucket");
        assert_eq!(parse("memory:///a").to_string(), "memory:a");
    }

    #[test]
    fn what_is_not_a_location_is_refused() {
        for text in [
            "",
            "ftp://host/x",
            "s3:///x",
            "https://",
            "s3://bucket/../x",
            "https://host/%2e%2e/x",
            "https://host/%ff",
            "s3://bucket//x",
        ] {
            assert!(Location::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn walking() {
        let store = parse("s3://bucket/a/x.ome.zarr/");
        assert_eq!(store.file_name().as_deref(), Some("x.ome.zarr"));
        assert_eq!(store.join("0/c").to_string(), "s3://bucket/a/x.ome.zarr/0/c");
        assert_eq!(store.parent().unwrap().to_string(), "s3://bucket/a");
        assert_eq!(parse("s3://bucket").parent(), None);
        assert_eq!(parse("s3://bucket").join("x").to_string(), "s3://bucket/x");
        assert_eq!(parse("x.tif").parent().unwrap().as_path(), Some(Path::new(".")));
        assert_eq!(parse("a/x.tif").join("").to_string(), "a/x.tif");
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(parse("https://host/x?signature=abc").to_string(), "https://host/x?...");
        for text in ["ftp://me:secret@host/x", "https://me:secret@host/x"] {
            let error = Location::parse(text).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
