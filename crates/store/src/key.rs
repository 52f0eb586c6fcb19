//! Which strings are keys.

use crate::Error;

/// Refuses what is not a relative `/`-separated path of non-empty segments other than `.` and `..`.
pub(crate) fn check(key: &str) -> Result<(), Error> {
    let fault = if key.is_empty() {
        Some("it is empty")
    } else if key.contains('\0') {
        Some("it contains a NUL")
    } else if cfg!(windows) && key.contains(['\\', ':']) {
        Some("it contains a character with a meaning in Windows paths")
    } else {
        key.split('/').find_map(|segment| match segment {
            "" => Some("it has an empty segment"),
            "." | ".." => Some("it has a segment '.' or '..'"),
            _ => None,
        })
    };
    match fault {
        None => Ok(()),
        Some(reason) => Err(Error::Key { key: key.to_owned(), reason }),
    }
}

/// As [`check`], but the empty string, which stands for the root, passes, and one closing `/` is taken off.
pub(crate) fn check_prefix(prefix: &str) -> Result<&str, Error> {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    if !prefix.is_empty() {
        check(prefix)?;
    }
    Ok(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_below_the_root() {
        for good in ["a", "0/c/0/0", "OME/METADATA.ome.xml", ".zattrs", "a b/µ+%2F", "..."] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", "a\0b"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(check_prefix("").unwrap(), "");
        assert_eq!(check_prefix("a/").unwrap(), "a");
        assert!(check_prefix("/").is_ok_and(str::is_empty));
        assert!(check_prefix("a/..").is_err());
    }
}
