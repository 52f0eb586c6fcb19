//! What a file seems to be, by its name and its first bytes.

/// Formats that begin like TIFF and keep what matters where this program does not look, by their endings.
const ON_TIFF: [(&str, &str); 14] = [
    ("lsm", "Zeiss LSM"),
    ("svs", "Aperio SVS"),
    ("scn", "Leica SCN"),
    ("ndpi", "Hamamatsu NDPI"),
    ("bif", "Ventana BIF"),
    ("stk", "MetaMorph STK"),
    ("flex", "Opera Flex"),
    ("qptiff", "Akoya QPTIFF"),
    ("dng", "a camera's raw image"),
    ("nef", "a camera's raw image"),
    ("cr2", "a camera's raw image"),
    ("arw", "a camera's raw image"),
    ("orf", "a camera's raw image"),
    ("pef", "a camera's raw image"),
];

/// What a file may be before it was opened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// It is opened as an image; if that fails it is one that failed.
    Image,
    /// A document that may describe a set of images, or one image.
    Document,
    /// Something else, in words.
    Other(&'static str),
}

/// By the name alone: `None` where the first bytes have to be looked at.
pub(super) fn by_name(name: &str) -> Option<Kind> {
    let lower = name.to_ascii_lowercase();
    // What macOS leaves beside files on file systems of others has the file's own ending.
    if lower.starts_with("._") {
        return Some(Kind::Other("AppleDouble: what macOS keeps beside a file"));
    }
    if [".tif", ".tiff", ".btf", ".tf2", ".tf8", ".companion.ome"]
        .iter()
        .any(|ending| lower.ends_with(ending))
    {
        return Some(Kind::Image);
    }
    let ending = lower.rsplit_once('.').map_or("", |(_, ending)| ending);
    if let Some((_, format)) = ON_TIFF.iter().find(|(known, _)| *known == ending) {
        return Some(Kind::Other(format));
    }
    match ending {
        "json" | "xml" | "yaml" | "yml" | "ome" => Some(Kind::Document),
        _ => None,
    }
}

/// Whether a format is one whose files begin like TIFF, and may be taken as plain TIFF if somebody asks for it by name.
pub(super) fn is_on_tiff(kind: &Kind) -> bool {
    matches!(kind, Kind::Other(what) if ON_TIFF.iter().any(|(_, format)| format == what))
}

/// By the first bytes, at least eight of them where the file has as many.
pub(super) fn by_head(head: &[u8]) -> Kind {
    match head {
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Kind::Image,
        [] => Kind::Other("an empty file"),
        [0x89, b'P', b'N', b'G', ..] => Kind::Other("PNG"),
        [0xff, 0xd8, 0xff, ..] => Kind::Other("JPEG"),
        [b'P', b'K', 3, 4, ..] => Kind::Other("a ZIP archive"),
        [b'%', b'P', b'D', b'F', ..] => Kind::Other("PDF"),
        [0x1f, 0x8b, ..] => Kind::Other("gzip"),
        [0x89, b'H', b'D', b'F', ..] => Kind::Other("HDF5"),
        [b'S', b'Q', b'L', b'i', b't', b'e', ..] => Kind::Other("an SQLite database"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            Kind::Other("a compound file of Microsoft, as older formats of microscopes are")
        }
        head if head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) => {
            Kind::Other("text")
        }
        _ => Kind::Other("neither TIFF nor OME-XML"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_before_bytes() {
        assert_eq!(by_name("A.OME.TIF"), Some(Kind::Image));
        assert_eq!(by_name("p.companion.ome"), Some(Kind::Image));
        assert_eq!(by_name("settings.yaml"), Some(Kind::Document));
        assert_eq!(by_name("no_extension"), None);
        assert!(matches!(by_name("._a.ome.tif"), Some(Kind::Other(_))));
        assert!(is_on_tiff(&by_name("x.lsm").unwrap()));
        assert_eq!(by_head(b"II+\0\x08\0\0\0"), Kind::Image);
        assert_eq!(by_head(b"MM\0*"), Kind::Image);
        assert_eq!(by_head(b"x"), Kind::Other("text"));
    }
}
