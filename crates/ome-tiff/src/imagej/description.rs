//! The `key=value` lines that ImageJ, Fiji and SCIFIO write into the first ImageDescription.

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

/// The shape, if this is a description by one of these programs.
pub(crate) fn parse(description: &[u8]) -> Option<Hyperstack> {
    if !description.starts_with(b"ImageJ=") && !description.starts_with(b"SCIFIO=") {
        return None;
    }
    let text = String::from_utf8_lossy(description);
    let lines: Lines = text
        .split(['\n', '\r', '\0'])
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        .collect();
    let number = |key: &str| lines.get(key).and_then(|value| value.parse::<u64>().ok()).filter(|n| *n > 0);
    // SCIFIO may say the lengths of axes alone.
    let size =
        |key: &str, axis: &str| number(key).or_else(|| axis_value(&lines, "lengths", axis)?.parse().ok());
    let (channels, slices, frames) = (
        size("channels", "Channel").unwrap_or(1),
        size("slices", "Z").unwrap_or(1),
        size("frames", "Time").unwrap_or(1),
    );
    let product = channels.saturating_mul(slices).saturating_mul(frames);
    let images = number("images").unwrap_or(if lines.contains_key("SCIFIO") { product } else { 1 });
    Some(Hyperstack { images, channels, slices, frames, lines })
}

/// What one of SCIFIO's lists, such as `scales`, says of one of its `axes`.
pub(crate) fn axis_value<'a>(lines: &'a Lines, list: &str, axis: &str) -> Option<&'a str> {
    let at = lines.get("axes")?.split(',').position(|name| name.trim().eq_ignore_ascii_case(axis))?;
    lines.get(list)?.split(',').nth(at).map(str::trim).filter(|value| !value.is_empty())
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
        assert_eq!(parse(b"SCIFIO 0.1\n"), None);
    }

    #[test]
    fn scifio_says_its_axes_in_lists() {
        let text = b"SCIFIO=0.42.0\naxes=X,Y,Z,Channel\nlengths=32,24,6,2\nscales=0.5,0.25,1.5,1.0\nunits=um,um,null,null\n";
        let stack = parse(text).unwrap();
        assert_eq!((stack.images, stack.channels, stack.slices, stack.frames), (12, 2, 6, 1));
        assert_eq!(axis_value(&stack.lines, "scales", "z"), Some("1.5"));
        assert_eq!(axis_value(&stack.lines, "scales", "Time"), None);
    }
}
