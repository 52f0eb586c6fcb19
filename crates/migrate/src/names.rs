//! Names of files as text. Archives hold names that are no Unicode; they have to be shown, kept in a state file, and
//! opened again.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;

/// The longest name of a folder that every file system takes is 255 bytes; ours leave room for temporary names.
const LONGEST: usize = 240;

/// A name as text that [`unescape`] turns back: bytes that are not UTF-8 as `\xNN`, a backslash as two.
#[cfg(unix)]
pub(crate) fn escape(name: &OsStr) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut text = String::with_capacity(name.len());
    for chunk in name.as_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A path as text with `/` between names. Windows names are Unicode but for unpaired surrogates.
#[cfg(not(unix))]
pub(crate) fn escape(name: &OsStr) -> String {
    name.to_string_lossy().replace('\\', "/")
}

/// The name that [`escape`] was given.
#[cfg(unix)]
pub(crate) fn unescape(text: &str) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |digits: &[u8]| {
            std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok())
        };
        match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                rest = after;
            }
            (b'\\', [b'x', a, b, after @ ..]) if hex(&[*a, *b]).is_some() => {
                bytes.extend(hex(&[*a, *b]));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    OsString::from_vec(bytes)
}

/// The path that [`escape`] was given.
#[cfg(not(unix))]
pub(crate) fn unescape(text: &str) -> OsString {
    text.into()
}

/// The folder of a path with `/`; empty for one without.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last name of a path with `/`.
pub(crate) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A path below a folder, with `.` and `..` taken out; `None` where it leads above the root.
pub(crate) fn join(folder: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The name of a file without the endings of OME-TIFF, TIFF and companions.
pub(crate) fn stem(name: &str) -> &str {
    const ENDINGS: [&str; 11] = [
        ".companion.ome",
        ".ome.tiff",
        ".ome.tif",
        ".ome.btf",
        ".ome.tf2",
        ".ome.tf8",
        ".ome.xml",
        ".tiff",
        ".tif",
        ".btf",
        ".ome",
    ];
    let lower = name.to_ascii_lowercase();
    let ending = ENDINGS.iter().find(|ending| lower.ends_with(*ending) && name.len() > ending.len());
    ending.map_or(name, |ending| &name[..name.len() - ending.len()])
}

/// A name, escaped as [`escape`] does, for one folder of the target that every file system and object store takes: what some of them refuse is written
/// as `%XX`, and what is too long is cut and told apart by `key`.
pub(crate) fn target_name(name: &str, key: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(character) = rest.chars().next() {
        // A byte that is no UTF-8, and a backslash, as `escape` writes them.
        let byte = rest
            .strip_prefix("\\x")
            .and_then(|rest| rest.get(..2))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let taken = match byte {
            Some(byte) => {
                let _ = write!(text, "%{byte:02X}");
                4
            }
            None if character.is_control() || REFUSED.contains(&character) => {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    let _ = write!(text, "%{byte:02X}");
                }
                if rest.starts_with("\\\\") { 2 } else { character.len_utf8() }
            }
            None => {
                text.push(character);
                character.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    if matches!(text.as_str(), "." | "..") {
        text = text.replace('.', "%2E");
    }
    if text.len() > LONGEST {
        let mut end = LONGEST - 10;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('~');
        text.push_str(&short_digest(key));
    }
    text
}

/// Eight hexadecimal digits that tell texts apart.
pub(crate) fn short_digest(text: &str) -> String {
    let mut digest = fairzarr::ome_zarr::sha256(text.as_bytes());
    digest.truncate(8);
    digest
}

/// What Windows and the consoles of object stores refuse in names; the percent sign, so that no two names become one.
const REFUSED: [char; 10] = ['\\', ':', '*', '?', '"', '<', '>', '|', '%', '#'];

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn every_name_comes_back() {
        use std::os::unix::ffi::OsStrExt as _;
        for name in
            [&b"plain"[..], b"latin1-\xe9.tif", b"back\\slash", b"\\xe9", b"\xff\\\xfe", "µ\n".as_bytes()]
        {
            let text = escape(OsStr::from_bytes(name));
            assert_eq!(unescape(&text).as_bytes(), name, "{text}");
        }
        assert_eq!(escape(OsStr::from_bytes(b"latin1-\xe9.tif")), "latin1-\\xe9.tif");
    }

    #[test]
    fn targets_have_names_that_every_place_takes() {
        assert_eq!(target_name("new\nline?.ome.zarr", "k"), "new%0Aline%3F.ome.zarr");
        assert_eq!(target_name("..", "k"), "%2E%2E");
        assert_eq!(target_name("latin1-\\xe9 a\\\\b", "k"), "latin1-%E9 a%5Cb");
        assert_eq!(target_name("日本語 データ", "k"), "日本語 データ");
        let long = "日".repeat(100);
        let (a, b) = (target_name(&long, "a"), target_name(&long, "b"));
        assert!(a.len() <= LONGEST && a != b, "{a}");
    }

    #[test]
    fn stems_and_paths() {
        for (name, expected) in [
            ("a.OME.TIF", "a"),
            ("a.b.tif", "a.b"),
            (".ome.tif", ".ome"),
            ("x", "x"),
            ("p.companion.ome", "p"),
        ] {
            assert_eq!(stem(name), expected);
        }
        assert_eq!(join("a/b", "../c.tif").as_deref(), Some("a/c.tif"));
        assert_eq!(join("", "../c.tif"), None);
        assert_eq!((folder("a/b/c"), last("a/b/c"), folder("c")), ("a/b", "c", ""));
    }
}
