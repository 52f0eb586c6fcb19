//! The `key=value` lines that ImageJ and Fiji write into the first ImageDescription.

use std::collections::BTreeMap;

/// What the lines say of the shape. ImageJ stores channels fastest, then slices, then frames.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hyperstack {
    pub(crate) images: u64,
    pub(crate) channels: u64,
    pub(crate) slices: u64,
    pub(crate) frames: u64,
    /// Keys and values, as they stand.
    pub(crate) lines: Lines,
}

/// Keys and values of a description.
pub(crate) type Lines = BTreeMap<String, String>;

/// The shape, if this is a description by ImageJ.
pub(crate) fn parse(description: &[u8]) -> Option<Hyperstack> {
    if !description.starts_with(b"ImageJ=") {
        return None;
    }
    let text = String::from_utf8_lossy(description);
    let lines: Lines = text
        .split(['\n', '\r', '\0'])
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        .collect();
    let number = |key: &str| {
        lines.get(key).and_then(|value| value.parse::<u64>().ok()).filter(|n| *n > 0).unwrap_or(1)
    };
    Some(Hyperstack {
        images: number("images"),
        channels: number("channels"),
        slices: number("slices"),
        frames: number("frames"),
        lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_lines() {
        let stack =
            parse(b"ImageJ=1.53t\nimages=24\nchannels=2\nslices=3\nframes=4\nunit=micron\n\0").unwrap();
        assert_eq!((stack.images, stack.channels, stack.slices, stack.frames), (24, 2, 3, 4));
        assert_eq!(stack.lines["unit"], "micron");
        assert_eq!(parse(b"ImageJ=1.11a\n\0").map(|stack| stack.images), Some(1));
        assert_eq!(parse(b"SCIFIO=0.1\n"), None);
    }
}
